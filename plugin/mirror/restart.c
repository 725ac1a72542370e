/* The restart rule (DESIGN, "A restart is not an edit"): what a configuration being loaded delivers, against what the
 * store remembers. Decides scope by scope whether the configuration or the store has the version that counts, puts the
 * store's versions into the configuration before it serves, and keeps what the mirror has to write once it is in force.
 */
#include "restart_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct kea_delivered *restart_find_delivered(const struct kea_load *load, object_id id)
{
    size_t low = 0, high = load->delivered_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (load->delivered[middle].id == id)
            return &load->delivered[middle];
        if (load->delivered[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool restart_outlives(const struct kea_load *load, enum scope_origin origin)
{
    return load->at_start || origin == SCOPE_FROM_PARTNER;
}

struct result restart_plan_restored(struct decision *decision, const struct scope_entry *entry,
                                    struct planned_scope *delivered)
{
    struct plugin *plugin = decision->plugin;
    struct scope_row row = {.record_id = 0};
    struct result result = object_store_find(plugin->store, plugin->relationships.server_record_id, entry->id, &row);

    if (!result_failed(result)) {
        struct planned_scope *planned = &decision->plan->scopes[decision->plan->scope_count];

        kea_object_clear(&delivered->scope);
        *planned = *delivered;
        delivered->passed_over = (struct kea_object){.id = 0};
        planned->id = entry->id;
        memcpy(planned->name, entry->name, sizeof planned->name);
        planned->origin = entry->origin;
        planned->order = row.record_id;
        planned->stored = strdup(row.definition);
        if (planned->stored == NULL) {
            planned_scope_clear(planned);
            result = result_no_memory("a scope to restore");
        } else {
            decision->plan->scope_count++;
        }
    }
    scope_row_clear(&row);
    return result;
}

struct result restart_plan_delivered(struct decision *decision, struct planned_scope *delivered)
{
    decision->plan->scopes[decision->plan->scope_count++] = *delivered;
    delivered->scope = (struct kea_object){.id = 0};
    return result_ok();
}

struct result restart_read_scope(struct decision *decision, struct planned_scope *delivered, object_id id)
{
    const struct kea_server *server = decision->plugin->server;
    struct result result = server->object_get(server->context, decision->which, id, &delivered->scope);

    if (!result_failed(result)) {
        delivered->delivery.fingerprint = delivered->scope.fingerprint;
        delivered->delivery.printed = delivered->scope.printed;
        if (fingerprint_empty(delivered->scope.fingerprint))
            result = result_no_memory("a fingerprint");
    }
    return result;
}

struct load_facts restart_facts(const struct decision *decision, enum scope_origin origin)
{
    return (struct load_facts){
        .heard = !decision->load->from_file || decision->plugin->identity.file_seen,
        .outlives = restart_outlives(decision->load, origin),
    };
}

bool restart_is_before(struct fingerprint now, const struct delivery *before)
{
    return fingerprint_equal(now, before->fingerprint) || fingerprint_equal(now, before->printed);
}

/* What the load says of a scope that the store knows; the scope is read only if its words are not those of before. */
static struct result look(struct decision *decision, const struct kea_delivered *now, const struct scope_entry *entry,
                          struct planned_scope *delivered, struct load_facts *facts)
{
    const struct delivery *before = decision->load->from_file ? &entry->file : &entry->configuration;
    struct result result = result_ok();

    *facts = restart_facts(decision, entry->origin);
    delivered->delivery = *before;
    if (fingerprint_equal(now->text, before->text) && !delivery_empty(before)) {
        facts->before = true;
    } else {
        result = restart_read_scope(decision, delivered, now->id);
        /* What the server wrote into its file may come by config-set, too. */
        facts->before =
            restart_is_before(delivered->delivery.fingerprint, before) ||
            (fingerprint_empty(entry->file.text) && restart_is_before(delivered->delivery.fingerprint, &entry->file));
        facts->reprinted = strcmp(delivered->scope.printed.hex, entry->printed.hex) != 0;
    }
    delivered->delivery.text = now->text;
    facts->mirrored = fingerprint_equal(delivered->delivery.fingerprint, entry->fingerprint);
    facts->as_printed = fingerprint_equal(delivered->delivery.fingerprint, entry->printed);
    return result;
}

/* A scope that both the configuration and the store know. */
static struct result decide_known(struct decision *decision, const struct kea_delivered *now,
                                  const struct scope_entry *entry)
{
    struct load_plan *plan = decision->plan;
    struct planned_scope delivered = {.id = now->id, .origin = SCOPE_FROM_CONFIGURATION, .delivered = true};
    struct load_facts facts;
    struct result result = look(decision, now, entry, &delivered, &facts);

    if (result_failed(result))
        goto done;
    switch (load_rule(&facts)) {
    case LOAD_RUNS:
        /* Only that it was delivered is news, and that it is the partner's stays true. */
        plan->deliveries[plan->delivery_count++] =
            (struct planned_delivery){.id = now->id, .delivery = delivered.delivery};
        break;
    case LOAD_REPRINTED:
        delivered.origin = entry->origin;
        result = restart_plan_delivered(decision, &delivered);
        break;
    case LOAD_WORDS:
        delivered.words_only = true;
        result = restart_plan_restored(decision, entry, &delivered);
        break;
    case LOAD_PASS_OVER:
        delivered.passed_over = delivered.scope;
        delivered.scope = (struct kea_object){.id = 0};
        result = restart_plan_restored(decision, entry, &delivered);
        break;
    case LOAD_RESTORE:
        result = restart_plan_restored(decision, entry, &delivered);
        break;
    case LOAD_EDIT:
        delivered.edited = !facts.before;
        if (delivered.scope.definition == NULL)
            result = restart_read_scope(decision, &delivered, now->id);
        if (!result_failed(result))
            result = restart_plan_delivered(decision, &delivered);
    }
done:
    planned_scope_clear(&delivered);
    return result;
}

/* A scope that the store does not know; perhaps because it was removed at run time. */
static struct result decide_unknown(struct decision *decision, const struct kea_delivered *now)
{
    struct planned_scope delivered = {.id = now->id,
                                      .origin = SCOPE_FROM_CONFIGURATION,
                                      .delivered = true,
                                      .edited = true,
                                      .delivery = {.text = now->text}};
    struct result result = restart_read_scope(decision, &delivered, now->id);

    if (!result_failed(result))
        result = restart_plan_delivered(decision, &delivered);
    kea_object_clear(&delivered.scope);
    return result;
}

struct result restart_decide_missing(struct decision *decision, const struct scope_entry *entry)
{
    const struct kea_load *load = decision->load;
    struct load_plan *plan = decision->plan;
    struct planned_scope nothing = {.delivered = true}; /* not to be there: this configuration, too, has last said so */
    struct load_facts facts = restart_facts(decision, entry->origin);

    facts.before = delivery_empty(load->from_file ? &entry->file : &entry->configuration);
    if (load_rule(&facts) != LOAD_EDIT)
        return restart_plan_restored(decision, entry, &nothing);
    plan->removals[plan->removal_count++] =
        (struct planned_removal){.id = entry->id, .gone_from_file = load->from_file};
    return result_ok();
}

/* Takes an object out of the configuration; why it could not be, or NULL, is the caller's to free. */
static bool take_out(struct decision *decision, object_id id, const char *name, char **why)
{
    const struct kea_server *server = decision->plugin->server;
    struct kea_change change = {.id = id, .name = name};

    server->objects_apply(server->context, decision->which, &change, 1);
    if (change.applied)
        decision->plan->restored++;
    kea_object_clear(&change.after);
    *why = change.text;
    return change.applied;
}

static void log_stuck(const struct decision *decision, object_id id, const char *name, const char *why)
{
    kea_log(decision->plugin->server, FAILOVER_SYNC_RESTORE_FAILED, OBJECT_SAID(id, name),
            why == NULL ? "out of memory" : why);
}

static void take_out_buried(struct decision *decision, object_id id, const char *name)
{
    char *why = NULL;

    if (!take_out(decision, id, name, &why)) {
        if (decision->stuck_count < STUCK_MAX) {
            struct stuck_removal *stuck = &decision->stuck[decision->stuck_count++];

            stuck->id = id;
            (void)snprintf(stuck->name, sizeof stuck->name, "%s", name);
        } else {
            log_stuck(decision, id, name, why);
        }
    }
    free(why);
}

/* Returns how many are left. */
static size_t take_out_again(struct decision *decision, bool tell)
{
    size_t kept = 0;

    for (size_t i = 0; i < decision->stuck_count; i++) {
        const struct stuck_removal *stuck = &decision->stuck[i];
        char *why = NULL;

        if (!take_out(decision, stuck->id, stuck->name, &why)) {
            if (tell)
                log_stuck(decision, stuck->id, stuck->name, why);
            decision->stuck[kept++] = *stuck;
        }
        free(why);
    }
    return kept;
}

void restart_take_out_stuck(struct decision *decision)
{
    size_t before = decision->stuck_count + 1;

    while (decision->stuck_count > 0 && decision->stuck_count < before) {
        before = decision->stuck_count;
        decision->stuck_count = take_out_again(decision, false);
    }
    decision->stuck_count = take_out_again(decision, true);
}

bool restart_is_stuck(const struct decision *decision, object_id id)
{
    for (size_t i = 0; i < decision->stuck_count; i++)
        if (decision->stuck[i].id == id)
            return true;
    return false;
}

/* What a load says of a scope that stays removed is remembered like what it says of any other. */
static void plan_buried(struct load_plan *plan, const struct tombstone_row *row, const struct delivery *delivery)
{
    if (delivery_same(&row->buried.configuration, delivery) &&
        (!plan->from_file || delivery_same(&row->buried.file, delivery)))
        return;
    plan->buried[plan->buried_count++] = (struct planned_delivery){.id = row->id, .delivery = *delivery};
}

/* It keeps the scope as it was staged. */
static void plan_loser(struct load_plan *plan, struct planned_scope *staged)
{
    plan->losers[plan->loser_count++] = (struct planned_loser){.scope = staged->scope};
    staged->scope = (struct kea_object){.id = 0};
}

struct result restart_apply_tombstone(void *context, const struct tombstone_row *row)
{
    struct decision *decision = context;
    const struct kea_load *load = decision->load;
    struct load_plan *plan = decision->plan;
    const struct kea_delivered *now = restart_find_delivered(load, row->id);
    const struct delivery none = {.text = fingerprint_parse(NULL)};
    const struct delivery *before = load->from_file ? &row->buried.file : &row->buried.configuration;
    struct planned_scope staged = {.delivered = true, .delivery = *before};
    struct load_facts facts = restart_facts(decision, row->buried.origin);
    enum load_verdict verdict;
    struct result result = result_ok();

    scope_index_bury(decision->plugin->index, row->id, &row->buried);
    if (now == NULL) {
        if (load->from_file)
            plan->tombstones[plan->tombstone_count++] = row->id;
        else
            plan_buried(plan, row, &none);
        return result;
    }
    facts.before = fingerprint_equal(now->text, before->text);
    if (!facts.before) {
        result = restart_read_scope(decision, &staged, row->id);
        if (result.code == RESULT_NOT_FOUND)
            return result_ok(); /* it has been removed again since the load */
        facts.before = restart_is_before(staged.delivery.fingerprint, before);
    }
    staged.delivery.text = now->text;
    verdict = load_rule(&facts);
    if (!result_failed(result) && verdict != LOAD_EDIT) {
        take_out_buried(decision, row->id, row->name);
        plan_buried(plan, row, &staged.delivery);
        if (verdict == LOAD_PASS_OVER)
            plan_loser(plan, &staged);
    }
    kea_object_clear(&staged.scope);
    return result;
}

static struct result decide_delivered(struct decision *decision)
{
    const struct kea_load *load = decision->load;
    struct result result = result_ok();

    for (size_t i = 0; i < load->delivered_count && !result_failed(result); i++) {
        struct scope_entry entry;

        if (scope_index_get(decision->plugin->index, load->delivered[i].id, &entry)) {
            result = decide_known(decision, &load->delivered[i], &entry);
            scope_entry_clear(&entry);
        } else if (!restart_is_stuck(decision, load->delivered[i].id)) {
            result = decide_unknown(decision, &load->delivered[i]);
            /* A tombstone has just taken it out. */
            if (result.code == RESULT_NOT_FOUND)
                result = result_ok();
        }
    }
    return result;
}

static struct result decide_all_missing(struct decision *decision)
{
    struct restart_ids ids = {.count = 0};
    struct result result = restart_known_ids(decision->plugin->index, &ids);

    for (size_t i = 0; i < ids.count && !result_failed(result); i++) {
        struct scope_entry entry;

        if (restart_find_delivered(decision->load, ids.list[i]) != NULL ||
            !scope_index_get(decision->plugin->index, ids.list[i], &entry))
            continue;
        result = restart_decide_missing(decision, &entry);
        scope_entry_clear(&entry);
    }
    free(ids.list);
    return result;
}

/* What came of putting one scope back: the version that it now is in the staged configuration. */
static void take_restored(struct decision *decision, struct planned_scope *planned, struct kea_change *change)
{
    if (change->otherwise) {
        /* The server's words mean something else here than those in the store: they are what was delivered. */
        planned->origin = SCOPE_FROM_CONFIGURATION;
        planned->edited = true;
    } else if (change->applied) {
        decision->plan->restored += !planned->words_only;
    } else {
        const char *text = change->text == NULL ? "out of memory" : change->text;

        kea_log(decision->plugin->server, FAILOVER_SYNC_RESTORE_FAILED, OBJECT_SAID(planned->id, planned->name), text);
        (void)snprintf(planned->reason, sizeof planned->reason,
                       "a newer version in the store could not be applied: %.100s", text);
        planned->hold = true;
        /* What runs instead is older than any version that a partner has. */
        planned->numbered = true;
        planned->version = (struct version_vector){.count = 0};
    }
    planned->scope = change->after;
    change->after = (struct kea_object){.id = 0};
}

/* One that is not there after all, because it could not be put back, has nothing to be mirrored. */
static void drop_absent(struct load_plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->scope_count; i++) {
        if (plan->scopes[i].scope.replicated != NULL) {
            plan->scopes[kept++] = plan->scopes[i];
        } else {
            planned_scope_clear(&plan->scopes[i]);
        }
    }
    plan->scope_count = kept;
}

/* Scopes in the order of their ids; others as they came, since the order of classes counts. */
static int compare_restored(const void *a, const void *b)
{
    const struct planned_scope *left = *(struct planned_scope *const *)a, *right = *(struct planned_scope *const *)b;
    const int places[2] = {object_kind_place(object_kind_of(left->id)), object_kind_place(object_kind_of(right->id))};

    if (places[0] != places[1])
        return places[0] - places[1];
    if (places[0] != OBJECT_SCOPE_PLACE && left->order != right->order)
        return left->order < right->order ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

struct result restart_restore_all(struct decision *decision)
{
    const struct kea_server *server = decision->plugin->server;
    struct load_plan *plan = decision->plan;
    struct kea_change *changes = calloc(plan->scope_count + 1, sizeof *changes);
    struct planned_scope **restored = calloc(plan->scope_count + 1, sizeof(struct planned_scope *));
    struct restored_networks *networks = NULL;
    size_t count = 0;
    struct result result = result_no_memory("scopes to restore");

    if (changes == NULL || restored == NULL)
        goto done;
    for (size_t i = 0; i < plan->scope_count; i++) {
        struct planned_scope *planned = &plan->scopes[i];

        if (planned->stored == NULL)
            continue;
        restored[count++] = planned;
    }
    qsort(restored, count, sizeof(struct planned_scope *), compare_restored);
    for (size_t i = 0; i < count; i++)
        changes[i] = (struct kea_change){.id = restored[i]->id,
                                         .name = restored[i]->name,
                                         .definition = restored[i]->stored,
                                         .words_only = restored[i]->words_only};
    result = result_ok();
    if (count == 0)
        goto done;
    result = restored_networks_find(decision, changes, count, &networks);
    if (result_failed(result))
        goto done;
    server->objects_apply(server->context, decision->which, changes, count);
    for (size_t i = 0; i < count; i++) {
        take_restored(decision, restored[i], &changes[i]);
        free(changes[i].text);
    }
    result = restored_networks_follow(networks, decision);
    drop_absent(plan);
done:
    restored_networks_free(networks);
    free(restored);
    free(changes);
    return result;
}

static void report_passed_over(const struct decision *decision)
{
    const struct load_plan *plan = decision->plan;
    size_t passed_over = plan->loser_count;
    char count[24];

    for (size_t i = 0; i < plan->scope_count; i++)
        passed_over += plan->scopes[i].passed_over.definition != NULL;
    if (passed_over == 0)
        return;
    (void)snprintf(count, sizeof count, "%zu", passed_over);
    kea_log(decision->plugin->server, FAILOVER_SYNC_FILE_PASSED_OVER, count);
}

struct result restart_finish_plan(struct decision *decision, struct result result)
{
    struct plugin *plugin = decision->plugin;
    char count[24];

    if (result_failed(result)) {
        load_plan_free(decision->plan);
        return result;
    }
    if (decision->plan->restored > 0) {
        (void)snprintf(count, sizeof count, "%zu", decision->plan->restored);
        kea_log(plugin->server, FAILOVER_SYNC_RESTORED, count);
    }
    report_passed_over(decision);
    plugin->plan = decision->plan;
    return result;
}

struct result restart_plan_load(struct plugin *plugin, const struct kea_load *load)
{
    struct decision decision = {.plugin = plugin, .load = load, .which = KEA_STAGED};
    struct result result;

    restart_forget(plugin);
    result = load_plan_new(plugin, load, load->delivered_count, &decision.plan);
    if (result_failed(result))
        return result;
    result = tombstone_store_each(plugin->store, restart_apply_tombstone, &decision);
    restart_take_out_stuck(&decision);
    if (!result_failed(result))
        result = decide_delivered(&decision);
    if (!result_failed(result))
        result = decide_all_missing(&decision);
    if (!result_failed(result))
        result = restart_restore_all(&decision);
    return restart_finish_plan(&decision, result);
}
