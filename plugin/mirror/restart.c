/* The restart rule (DESIGN, "A restart is not an edit"): what a configuration being loaded delivers, against what the
 * store remembers. Decides scope by scope whether the configuration or the store has the version that counts, puts the
 * store's versions into the configuration before it serves, and keeps what the mirror has to write once it is in force.
 */
#include "restart_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct kea_delivered *restart_find_delivered(const struct kea_load *load, uint32_t subnet_id)
{
    size_t low = 0, high = load->delivered_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (load->delivered[middle].subnet_id == subnet_id)
            return &load->delivered[middle];
        if (load->delivered[middle].subnet_id < subnet_id)
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
    struct result result =
        scope_store_find(plugin->store, plugin->relationships.server_record_id, entry->subnet_id, &row);

    if (!result_failed(result)) {
        struct planned_scope *planned = &decision->plan->scopes[decision->plan->scope_count];

        *planned = *delivered;
        delivered->passed_over = (struct kea_scope){.subnet_id = 0};
        planned->subnet_id = entry->subnet_id;
        memcpy(planned->prefix, entry->prefix, sizeof planned->prefix);
        planned->origin = entry->origin;
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
    delivered->scope = (struct kea_scope){.subnet_id = 0};
    return result_ok();
}

struct result restart_read_scope(struct decision *decision, struct planned_scope *delivered, uint32_t subnet_id)
{
    const struct kea_server *server = decision->plugin->server;
    struct result result = server->scope_get(server->context, decision->which, subnet_id, &delivered->scope);

    if (!result_failed(result)) {
        delivered->delivered_fingerprint = delivered->scope.fingerprint;
        if (fingerprint_empty(delivered->scope.fingerprint))
            result = result_no_memory("a fingerprint");
    }
    return result;
}

/* Whether nobody remembers what the file said before: the store is newer than the load of it. A version that would
 * outlive a file that did not change must not give way to one that may be as it was. */
static bool is_unheard_of(const struct decision *decision, enum scope_origin origin)
{
    return decision->load->from_file && !decision->plugin->identity.file_seen &&
           restart_outlives(decision->load, origin);
}

/* Whether a scope that was read inherits other values than when it was mirrored, and nothing else has changed. */
static bool is_reprinted(const struct planned_scope *delivered, const struct scope_entry *entry)
{
    return fingerprint_equal(delivered->scope.fingerprint, entry->fingerprint) &&
           strcmp(delivered->scope.printed.hex, entry->printed.hex) != 0;
}

/* A scope that both the configuration and the store know. A file that the server has written itself has all that a
 * scope inherits among the scope's own words: it is no edit, and the store has the words that were configured. */
static struct result decide_known(struct decision *decision, const struct kea_delivered *now,
                                  const struct scope_entry *entry)
{
    const struct kea_load *load = decision->load;
    struct load_plan *plan = decision->plan;
    struct fingerprint before_text = load->from_file ? entry->file_text : entry->configuration_text;
    struct fingerprint before = load->from_file ? entry->file_fingerprint : entry->configuration_fingerprint;
    bool unchanged = fingerprint_equal(now->text, before_text) && !fingerprint_empty(before);
    struct planned_scope delivered = {
        .subnet_id = now->subnet_id,
        .origin = SCOPE_FROM_CONFIGURATION,
        .delivered = true,
        .delivered_text = now->text,
        .delivered_fingerprint = before,
    };
    bool unheard = false, written_out;
    struct result result = result_ok();

    if (!unchanged) {
        result = restart_read_scope(decision, &delivered, now->subnet_id);
        if (result_failed(result))
            goto done;
        unchanged = fingerprint_equal(delivered.delivered_fingerprint, before) ||
                    fingerprint_equal(delivered.delivered_fingerprint, entry->printed);
        unheard = !unchanged && is_unheard_of(decision, entry->origin);
        unchanged = unchanged || unheard;
    }
    delivered.edited = !unchanged;
    written_out = fingerprint_equal(delivered.delivered_fingerprint, entry->printed);
    if (is_reprinted(&delivered, entry)) {
        /* As it was, but for what it inherits. */
        delivered.edited = false;
        delivered.origin = entry->origin;
        result = restart_plan_delivered(decision, &delivered);
    } else if (fingerprint_equal(delivered.delivered_fingerprint, entry->fingerprint)) {
        /* It runs already: only that it was delivered is news, and that it is the partner's stays true. */
        plan->deliveries[plan->delivery_count++] = (struct planned_delivery){
            .subnet_id = now->subnet_id, .fingerprint = delivered.delivered_fingerprint, .text = now->text};
    } else if (written_out || (unchanged && restart_outlives(load, entry->origin))) {
        if (unheard)
            delivered.passed_over = delivered.scope;
        else
            kea_scope_clear(&delivered.scope);
        delivered.scope = (struct kea_scope){.subnet_id = 0};
        result = restart_plan_restored(decision, entry, &delivered);
    } else {
        if (delivered.scope.definition == NULL)
            result = restart_read_scope(decision, &delivered, now->subnet_id);
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
    struct planned_scope delivered = {.subnet_id = now->subnet_id,
                                      .origin = SCOPE_FROM_CONFIGURATION,
                                      .delivered = true,
                                      .edited = true,
                                      .delivered_text = now->text};
    struct result result = restart_read_scope(decision, &delivered, now->subnet_id);

    if (!result_failed(result))
        result = restart_plan_delivered(decision, &delivered);
    kea_scope_clear(&delivered.scope);
    return result;
}

struct result restart_decide_missing(struct decision *decision, const struct scope_entry *entry)
{
    const struct kea_load *load = decision->load;
    struct load_plan *plan = decision->plan;
    struct fingerprint before = load->from_file ? entry->file_fingerprint : entry->configuration_fingerprint;
    struct planned_scope nothing = {.delivered = true}; /* not to be there: this configuration, too, has last said so */

    if ((fingerprint_empty(before) || is_unheard_of(decision, entry->origin)) && restart_outlives(load, entry->origin))
        return restart_plan_restored(decision, entry, &nothing);
    plan->removals[plan->removal_count++] =
        (struct planned_removal){.subnet_id = entry->subnet_id, .gone_from_file = load->from_file};
    return result_ok();
}

/* Takes a scope out of the staged configuration. */
static struct result take_out(struct decision *decision, uint32_t subnet_id, const char *prefix)
{
    const struct kea_server *server = decision->plugin->server;
    struct kea_change change = {.subnet_id = subnet_id, .prefix = prefix};

    server->scopes_apply(server->context, decision->which, &change, 1);
    if (change.applied)
        decision->plan->restored++;
    else
        kea_log(server, FAILOVER_SYNC_RESTORE_FAILED, prefix, change.text == NULL ? "out of memory" : change.text);
    free(change.text);
    kea_scope_clear(&change.after);
    return result_ok();
}

/* What a load says of a scope that stays removed is remembered like what it says of any other. */
static void plan_buried(struct load_plan *plan, const struct tombstone_row *row, struct fingerprint fingerprint,
                        struct fingerprint text)
{
    if (strcmp(row->buried.configuration_fingerprint.hex, fingerprint.hex) == 0 &&
        strcmp(row->buried.configuration_text.hex, text.hex) == 0 &&
        (!plan->from_file || (strcmp(row->buried.file_fingerprint.hex, fingerprint.hex) == 0 &&
                              strcmp(row->buried.file_text.hex, text.hex) == 0)))
        return;
    plan->buried[plan->buried_count++] =
        (struct planned_delivery){.subnet_id = row->subnet_id, .fingerprint = fingerprint, .text = text};
}

/* It keeps the scope as it was staged. */
static void plan_loser(struct load_plan *plan, struct planned_scope *staged)
{
    plan->losers[plan->loser_count++] = (struct planned_loser){.scope = staged->scope};
    staged->scope = (struct kea_scope){.subnet_id = 0};
}

struct result restart_apply_tombstone(void *context, const struct tombstone_row *row)
{
    struct decision *decision = context;
    const struct kea_load *load = decision->load;
    struct load_plan *plan = decision->plan;
    const struct kea_delivered *now = restart_find_delivered(load, row->subnet_id);
    const struct fingerprint none = fingerprint_parse(NULL);
    struct fingerprint before = load->from_file ? row->buried.file_fingerprint : row->buried.configuration_fingerprint;
    struct fingerprint before_text = load->from_file ? row->buried.file_text : row->buried.configuration_text;
    struct planned_scope staged = {.delivered = true};
    bool unchanged, unheard = false;
    struct result result = result_ok();

    scope_index_bury(decision->plugin->index, row->subnet_id, &row->buried);
    if (now == NULL) {
        if (load->from_file)
            plan->tombstones[plan->tombstone_count++] = row->subnet_id;
        else
            plan_buried(plan, row, none, none);
        return result;
    }
    unchanged = fingerprint_equal(now->text, before_text);
    if (!unchanged) {
        result = restart_read_scope(decision, &staged, row->subnet_id);
        unchanged = fingerprint_equal(staged.scope.fingerprint, before);
        unheard = !result_failed(result) && !unchanged && is_unheard_of(decision, row->buried.origin);
    }
    if (!result_failed(result) && (unheard || (unchanged && restart_outlives(load, row->buried.origin)))) {
        result = take_out(decision, row->subnet_id, row->prefix);
        plan_buried(plan, row, unheard ? staged.scope.fingerprint : before, now->text);
        if (unheard)
            plan_loser(plan, &staged);
    }
    kea_scope_clear(&staged.scope);
    return result;
}

static struct result decide_delivered(struct decision *decision)
{
    const struct kea_load *load = decision->load;
    struct result result = result_ok();

    for (size_t i = 0; i < load->delivered_count && !result_failed(result); i++) {
        struct scope_entry entry;

        if (scope_index_get(decision->plugin->index, load->delivered[i].subnet_id, &entry)) {
            result = decide_known(decision, &load->delivered[i], &entry);
            scope_entry_clear(&entry);
        } else {
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
    if (change->applied) {
        decision->plan->restored++;
    } else {
        const char *text = change->text == NULL ? "out of memory" : change->text;

        kea_log(decision->plugin->server, FAILOVER_SYNC_RESTORE_FAILED, planned->prefix, text);
        (void)snprintf(planned->reason, sizeof planned->reason,
                       "a newer version in the store could not be applied: %.100s", text);
        planned->hold = true;
        /* What runs instead is older than any version that a partner has. */
        planned->numbered = true;
        planned->version = (struct version_vector){.count = 0};
    }
    planned->scope = change->after;
    change->after = (struct kea_scope){.subnet_id = 0};
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
        changes[count] = (struct kea_change){
            .subnet_id = planned->subnet_id, .prefix = planned->prefix, .definition = planned->stored};
        restored[count++] = planned;
    }
    result = result_ok();
    if (count == 0)
        goto done;
    result = restored_networks_find(decision, changes, count, &networks);
    if (result_failed(result))
        goto done;
    server->scopes_apply(server->context, decision->which, changes, count);
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
    if (!result_failed(result))
        result = decide_delivered(&decision);
    if (!result_failed(result))
        result = decide_all_missing(&decision);
    if (!result_failed(result))
        result = restart_restore_all(&decision);
    return restart_finish_plan(&decision, result);
}
