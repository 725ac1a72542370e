/* The restart rule (DESIGN, "A restart is not an edit"): what a configuration being loaded delivers, against what the
 * store remembers. Decides scope by scope whether the configuration or the store has the version that counts, puts the
 * store's versions into the configuration before it serves, and keeps what the mirror has to write once it is in force.
 */
#include "restart_private.h"

#include "failover_sync/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void planned_clear(struct planned_scope *planned)
{
    kea_scope_clear(&planned->scope);
    kea_scope_clear(&planned->passed_over);
    free(planned->stored);
}

static void plan_free(struct load_plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->scope_count; i++)
        planned_clear(&plan->scopes[i]);
    for (size_t i = 0; i < plan->loser_count; i++)
        kea_scope_clear(&plan->losers[i].scope);
    free(plan->scopes);
    free(plan->losers);
    free(plan->deliveries);
    free(plan->removals);
    free(plan->tombstones);
    free(plan->buried);
    free(plan->removed);
    if (plan->pending != NULL)
        --*plan->pending;
    free(plan);
}

void restart_forget(struct plugin *plugin)
{
    plan_free(plugin->plan);
    plugin->plan = NULL;
}

static const struct kea_delivered *find_delivered(const struct kea_load *load, uint32_t subnet_id)
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

/* Whether a version made at run time outlives this load: any at a start, but only the partner's when this server's
 * configuration is loaded again on purpose. */
static bool outlives(const struct kea_load *load, enum scope_origin origin)
{
    return load->at_start || origin == SCOPE_FROM_PARTNER;
}

/* The store's version is the one that counts: it is put back when all is decided. */
static struct result plan_restored(struct decision *decision, const struct scope_entry *entry,
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
            planned_clear(planned);
            result = result_no_memory("a scope to restore");
        } else {
            decision->plan->scope_count++;
        }
    }
    scope_row_clear(&row);
    return result;
}

/* Reads a scope of the staged configuration as the version that counts. */
static struct result plan_delivered(struct decision *decision, struct planned_scope *delivered)
{
    decision->plan->scopes[decision->plan->scope_count++] = *delivered;
    delivered->scope = (struct kea_scope){.subnet_id = 0};
    return result_ok();
}

static struct result read_staged(struct decision *decision, struct planned_scope *delivered, uint32_t subnet_id)
{
    const struct kea_server *server = decision->plugin->server;
    struct result result = server->scope_get(server->context, decision->which, subnet_id, &delivered->scope);

    if (!result_failed(result)) {
        delivered->fingerprint = fingerprint_of(delivered->scope.replicated, strlen(delivered->scope.replicated));
        delivered->delivered_fingerprint = delivered->fingerprint;
    }
    return result;
}

/* Whether nobody remembers what the file said before: the store is newer than the load of it. A version that would
 * outlive a file that did not change must not give way to one that may be as it was. */
static bool is_unheard_of(const struct decision *decision, enum scope_origin origin)
{
    return decision->load->from_file && !decision->plugin->identity.file_seen && outlives(decision->load, origin);
}

/* A scope that both the configuration and the store know. */
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
    bool unheard = false;
    struct result result = result_ok();

    if (!unchanged) {
        result = read_staged(decision, &delivered, now->subnet_id);
        if (result_failed(result))
            goto done;
        unchanged = fingerprint_equal(delivered.delivered_fingerprint, before);
        unheard = !unchanged && is_unheard_of(decision, entry->origin);
        unchanged = unchanged || unheard;
    }
    delivered.edited = !unchanged;
    if (fingerprint_equal(delivered.delivered_fingerprint, entry->fingerprint)) {
        /* It runs already: only that it was delivered is news, and that it is the partner's stays true. */
        plan->deliveries[plan->delivery_count++] = (struct planned_delivery){
            .subnet_id = now->subnet_id, .fingerprint = delivered.delivered_fingerprint, .text = now->text};
    } else if (unchanged && outlives(load, entry->origin)) {
        if (unheard)
            delivered.passed_over = delivered.scope;
        else
            kea_scope_clear(&delivered.scope);
        delivered.scope = (struct kea_scope){.subnet_id = 0};
        result = plan_restored(decision, entry, &delivered);
    } else {
        if (delivered.scope.definition == NULL)
            result = read_staged(decision, &delivered, now->subnet_id);
        if (!result_failed(result))
            result = plan_delivered(decision, &delivered);
    }
done:
    planned_clear(&delivered);
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
    struct result result = read_staged(decision, &delivered, now->subnet_id);

    if (!result_failed(result))
        result = plan_delivered(decision, &delivered);
    kea_scope_clear(&delivered.scope);
    return result;
}

struct ids {
    uint32_t *list;
    size_t count;
};

static bool collect_id(void *context, const struct scope_entry *entry)
{
    struct ids *ids = context;

    ids->list[ids->count++] = entry->subnet_id;
    return true;
}

/* A scope that the store knows and the configuration does not deliver. */
static struct result decide_missing(struct decision *decision, const struct scope_entry *entry)
{
    const struct kea_load *load = decision->load;
    struct load_plan *plan = decision->plan;
    struct fingerprint before = load->from_file ? entry->file_fingerprint : entry->configuration_fingerprint;
    struct planned_scope nothing = {.delivered = true}; /* not to be there: this configuration, too, has last said so */

    if (fingerprint_empty(before) && outlives(load, entry->origin))
        return plan_restored(decision, entry, &nothing);
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
    if (strcmp(row->configuration_fingerprint.hex, fingerprint.hex) == 0 &&
        strcmp(row->configuration_text.hex, text.hex) == 0 &&
        (!plan->from_file ||
         (strcmp(row->file_fingerprint.hex, fingerprint.hex) == 0 && strcmp(row->file_text.hex, text.hex) == 0)))
        return;
    plan->buried[plan->buried_count++] =
        (struct planned_delivery){.subnet_id = row->subnet_id, .fingerprint = fingerprint, .text = text};
}

/* It keeps the scope as it was staged. */
static void plan_loser(struct load_plan *plan, struct planned_scope *staged)
{
    plan->losers[plan->loser_count++] =
        (struct planned_loser){.scope = staged->scope, .fingerprint = staged->fingerprint};
    staged->scope = (struct kea_scope){.subnet_id = 0};
}

/* A scope removed at run time: out of the configuration again if its text there has not changed since. */
static struct result apply_tombstone(void *context, const struct tombstone_row *row)
{
    struct decision *decision = context;
    const struct kea_load *load = decision->load;
    struct load_plan *plan = decision->plan;
    const struct kea_delivered *now = find_delivered(load, row->subnet_id);
    const struct fingerprint none = fingerprint_parse(NULL);
    struct fingerprint before = load->from_file ? row->file_fingerprint : row->configuration_fingerprint;
    struct fingerprint before_text = load->from_file ? row->file_text : row->configuration_text;
    struct planned_scope staged = {.delivered = true};
    const struct scope_buried buried = scope_buried_of(row);
    bool unchanged, unheard = false;
    struct result result = result_ok();

    scope_index_bury(decision->plugin->index, row->subnet_id, &buried);
    if (now == NULL) {
        if (load->from_file)
            plan->tombstones[plan->tombstone_count++] = row->subnet_id;
        else
            plan_buried(plan, row, none, none);
        return result;
    }
    unchanged = fingerprint_equal(now->text, before_text);
    if (!unchanged) {
        result = read_staged(decision, &staged, row->subnet_id);
        unchanged = fingerprint_equal(staged.fingerprint, before);
        unheard = !result_failed(result) && !unchanged && is_unheard_of(decision, row->origin);
    }
    if (!result_failed(result) && (unheard || (unchanged && outlives(load, row->origin)))) {
        result = take_out(decision, row->subnet_id, row->prefix);
        plan_buried(plan, row, unheard ? staged.fingerprint : before, now->text);
        if (unheard)
            plan_loser(plan, &staged);
    }
    kea_scope_clear(&staged.scope);
    return result;
}

static struct result count_tombstone(void *context, const struct tombstone_row *row)
{
    (void)row;
    (*(size_t *)context)++;
    return result_ok();
}

static struct result plan_new(struct plugin *plugin, const struct kea_load *load, size_t scopes,
                              struct load_plan **plan)
{
    size_t known = scope_index_count(plugin->index);
    size_t tombstones = 0;
    struct result result = tombstone_store_each(plugin->store, count_tombstone, &tombstones);

    *plan = result_failed(result) ? NULL : calloc(1, sizeof **plan);
    if (*plan == NULL)
        return result_failed(result) ? result : result_no_memory("a configuration load");
    (*plan)->at_start = load->at_start;
    (*plan)->from_file = load->from_file;
    (*plan)->scopes = calloc(scopes + known + 1, sizeof *(*plan)->scopes);
    (*plan)->deliveries = calloc(load->delivered_count + 1, sizeof *(*plan)->deliveries);
    (*plan)->removals = calloc(known + 1, sizeof *(*plan)->removals);
    (*plan)->tombstones = calloc(tombstones + 1, sizeof *(*plan)->tombstones);
    (*plan)->buried = calloc(tombstones + 1, sizeof *(*plan)->buried);
    (*plan)->losers = calloc(tombstones + 1, sizeof *(*plan)->losers);
    if ((*plan)->scopes == NULL || (*plan)->deliveries == NULL || (*plan)->removals == NULL ||
        (*plan)->tombstones == NULL || (*plan)->buried == NULL || (*plan)->losers == NULL) {
        plan_free(*plan);
        *plan = NULL;
        return result_no_memory("a configuration load");
    }
    return result_ok();
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
    struct ids ids = {.count = 0};
    struct result result = result_ok();

    ids.list = calloc(scope_index_count(decision->plugin->index) + 1, sizeof *ids.list);
    if (ids.list == NULL)
        return result_no_memory("a configuration load");
    scope_index_each(decision->plugin->index, collect_id, &ids);
    for (size_t i = 0; i < ids.count && !result_failed(result); i++) {
        struct scope_entry entry;

        if (find_delivered(decision->load, ids.list[i]) != NULL ||
            !scope_index_get(decision->plugin->index, ids.list[i], &entry))
            continue;
        result = decide_missing(decision, &entry);
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
    if (planned->scope.replicated != NULL)
        planned->fingerprint = fingerprint_of(planned->scope.replicated, strlen(planned->scope.replicated));
}

/* One that is not there after all, because it could not be put back, has nothing to be mirrored. */
static void drop_absent(struct load_plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->scope_count; i++) {
        if (plan->scopes[i].scope.replicated != NULL) {
            plan->scopes[kept++] = plan->scopes[i];
        } else {
            planned_clear(&plan->scopes[i]);
        }
    }
    plan->scope_count = kept;
}

/* Puts the store's versions that count into the staged configuration, all at once: while it was decided which they are,
 * that had to be as it was delivered. */
static struct result restore_all(struct decision *decision)
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

static struct result finish_plan(struct decision *decision, struct result result)
{
    struct plugin *plugin = decision->plugin;
    char count[24];

    if (result_failed(result)) {
        plan_free(decision->plan);
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
    result = plan_new(plugin, load, load->delivered_count, &decision.plan);
    if (result_failed(result))
        return result;
    result = tombstone_store_each(plugin->store, apply_tombstone, &decision);
    if (!result_failed(result))
        result = decide_delivered(&decision);
    if (!result_failed(result))
        result = decide_all_missing(&decision);
    if (!result_failed(result))
        result = restore_all(&decision);
    return finish_plan(&decision, result);
}

/* ---- a configuration that runs already ---- */

/* What a partner sent is its version also if it could not be recorded. */
static bool take_applied(struct scope_index *index, struct planned_scope *running)
{
    struct scope_applied applied;

    if (!scope_index_get_applied(index, running->subnet_id, &applied) ||
        !fingerprint_equal(applied.fingerprint, running->fingerprint))
        return false;
    running->origin = SCOPE_FROM_PARTNER;
    running->numbered = true;
    running->version = applied.version;
    return true;
}

/* A scope that runs and that the store knows. What it was delivered as is seen only by what it is now. */
static struct result decide_running_known(struct decision *decision, struct planned_scope *running,
                                          const struct scope_entry *entry)
{
    const struct kea_load *load = decision->load;
    const struct kea_delivered *then = find_delivered(load, entry->subnet_id);
    struct fingerprint before = load->from_file ? entry->file_fingerprint : entry->configuration_fingerprint;

    if (fingerprint_equal(running->fingerprint, entry->fingerprint))
        return result_ok();
    if (decision->before != NULL && take_applied(decision->before, running))
        return plan_delivered(decision, running);
    if (then != NULL && fingerprint_equal(running->fingerprint, before) && outlives(load, entry->origin)) {
        struct planned_scope delivered = {.subnet_id = entry->subnet_id,
                                          .delivered = true,
                                          .delivered_text = then->text,
                                          .delivered_fingerprint = before};

        return plan_restored(decision, entry, &delivered);
    }
    return plan_delivered(decision, running);
}

/* A scope that runs and that the store does not know; perhaps the store that was lost did. */
static struct result decide_running_unknown(struct decision *decision, struct planned_scope *running,
                                            uint32_t subnet_id)
{
    const struct kea_delivered *then = find_delivered(decision->load, subnet_id);
    struct scope_entry entry;

    if (decision->before != NULL) {
        if (scope_index_get(decision->before, subnet_id, &entry)) {
            running->origin = entry.origin;
            running->numbered = fingerprint_equal(entry.fingerprint, running->fingerprint);
            running->version = entry.version;
            running->delivered = !fingerprint_empty(entry.file_fingerprint);
            running->delivered_fingerprint = entry.file_fingerprint;
            running->delivered_text = entry.file_text;
            running->configuration_apart = true;
            running->configuration_fingerprint = entry.configuration_fingerprint;
            running->configuration_text = entry.configuration_text;
            scope_entry_clear(&entry);
        }
        (void)take_applied(decision->before, running);
    } else if (then != NULL) {
        running->delivered = true;
        running->delivered_text = then->text;
    }
    return plan_delivered(decision, running);
}

static struct result decide_running(struct decision *decision, uint32_t subnet_id)
{
    struct planned_scope running = {.subnet_id = subnet_id, .origin = SCOPE_FROM_CONFIGURATION, .edited = true};
    struct scope_entry entry;
    struct result result = read_staged(decision, &running, subnet_id);

    if (!result_failed(result)) {
        if (scope_index_get(decision->plugin->index, subnet_id, &entry)) {
            result = decide_running_known(decision, &running, &entry);
            scope_entry_clear(&entry);
        } else {
            result = decide_running_unknown(decision, &running, subnet_id);
        }
    }
    kea_scope_clear(&running.scope);
    return result;
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static bool is_among(uint32_t subnet_id, const uint32_t *ids, size_t count)
{
    return count > 0 && bsearch(&subnet_id, ids, count, sizeof *ids, compare_ids) != NULL;
}

/* A scope that the store knows and that does not run: removed since the load, or never in the configuration. */
static struct result decide_not_running(struct decision *decision, const uint32_t *ids, size_t count)
{
    struct ids known = {.count = 0};
    struct result result = result_ok();

    known.list = calloc(scope_index_count(decision->plugin->index) + 1, sizeof *known.list);
    if (known.list == NULL)
        return result_no_memory("a configuration load");
    scope_index_each(decision->plugin->index, collect_id, &known);
    for (size_t i = 0; i < known.count && !result_failed(result); i++) {
        struct load_plan *plan = decision->plan;
        struct scope_entry entry;

        if (is_among(known.list[i], ids, count) || !scope_index_get(decision->plugin->index, known.list[i], &entry))
            continue;
        if (find_delivered(decision->load, known.list[i]) != NULL)
            plan->removals[plan->removal_count++] = (struct planned_removal){.subnet_id = known.list[i]};
        else
            result = decide_missing(decision, &entry);
        scope_entry_clear(&entry);
    }
    free(known.list);
    return result;
}

struct removals {
    struct load_plan *plan;
    struct result result;
};

static void keep_removed(void *context, const struct scope_removed *removed)
{
    struct removals *removals = context;
    struct load_plan *plan = removals->plan;

    if (!engine_grow((void **)&plan->removed, plan->removed_count, &plan->removed_capacity, sizeof *plan->removed))
        removals->result = result_no_memory("scopes that were removed");
    else
        plan->removed[plan->removed_count++] = (struct planned_lost){.removed = *removed};
}

/* One that the lost store had and that does not run any more: whoever removed it, the store did not get to know. */
static struct result plan_unrecorded(struct decision *decision, uint32_t subnet_id)
{
    struct load_plan *plan = decision->plan;
    struct planned_lost lost = {.edit = true};
    struct scope_applied applied;
    struct scope_entry entry;

    if (!scope_index_get(decision->before, subnet_id, &entry))
        return result_ok();
    lost.removed = (struct scope_removed){
        .subnet_id = subnet_id,
        .version = entry.version,
        .buried = {.file_fingerprint = entry.file_fingerprint,
                   .file_text = entry.file_text,
                   .configuration_fingerprint = entry.configuration_fingerprint,
                   .configuration_text = entry.configuration_text,
                   .origin = SCOPE_FROM_CONFIGURATION},
    };
    memcpy(lost.removed.prefix, entry.prefix, sizeof entry.prefix);
    scope_entry_clear(&entry);
    if (scope_index_get_applied(decision->before, subnet_id, &applied) && fingerprint_empty(applied.fingerprint)) {
        lost.edit = false;
        lost.removed.version = applied.version;
        lost.removed.buried.origin = SCOPE_FROM_PARTNER;
    }
    if (!engine_grow((void **)&plan->removed, plan->removed_count, &plan->removed_capacity, sizeof *plan->removed))
        return result_no_memory("scopes that were removed");
    plan->removed[plan->removed_count++] = lost;
    return result_ok();
}

static struct result plan_all_unrecorded(struct decision *decision, const uint32_t *ids, size_t count)
{
    struct ids known = {.count = 0};
    struct result result = result_ok();

    known.list = calloc(scope_index_count(decision->before) + 1, sizeof *known.list);
    if (known.list == NULL)
        return result_no_memory("scopes that were removed");
    scope_index_each(decision->before, collect_id, &known);
    for (size_t i = 0; i < known.count && !result_failed(result); i++)
        if (!is_among(known.list[i], ids, count))
            result = plan_unrecorded(decision, known.list[i]);
    free(known.list);
    return result;
}

/* The removals that the lost store knew of, and those that it did not get to know. */
static struct result plan_removed(struct decision *decision, const uint32_t *ids, size_t count)
{
    struct removals removals = {.plan = decision->plan, .result = result_ok()};

    if (decision->before == NULL)
        return result_ok();
    scope_index_each_removed(decision->before, keep_removed, &removals);
    return result_failed(removals.result) ? removals.result : plan_all_unrecorded(decision, ids, count);
}

struct result restart_plan_running(struct plugin *plugin, const struct kea_load *load, struct scope_index *before)
{
    struct decision decision = {.plugin = plugin, .load = load, .which = KEA_RUNNING, .before = before};
    uint32_t *ids = NULL;
    size_t count = 0;
    struct result result = plugin->server->scope_ids(plugin->server->context, KEA_RUNNING, &ids, &count);

    restart_forget(plugin);
    if (!result_failed(result))
        result = plan_new(plugin, load, count, &decision.plan);
    if (result_failed(result)) {
        free(ids);
        return result;
    }
    decision.plan->from_file = before != NULL || load->from_file;
    result = tombstone_store_each(plugin->store, apply_tombstone, &decision);
    for (size_t i = 0; i < count && !result_failed(result); i++) {
        result = decide_running(&decision, ids[i]);
        if (result.code == RESULT_NOT_FOUND)
            result = result_ok(); /* a tombstone has just taken it out */
    }
    if (!result_failed(result))
        result = decide_not_running(&decision, ids, count);
    if (!result_failed(result))
        result = plan_removed(&decision, ids, count);
    if (!result_failed(result))
        result = restore_all(&decision);
    free(ids);
    return finish_plan(&decision, result);
}

/* The file may have been edited or not, nobody remembers what it said before: then its version is to be had, at least.
 */
static struct result keep_passed_over(struct mirror_writer *writer, const struct kea_scope *scope,
                                      struct fingerprint fingerprint)
{
    const struct history_row lost = {
        .subnet_id = scope->subnet_id,
        .prefix = scope->prefix,
        .definition = scope->definition,
        .fingerprint = fingerprint,
        .reason = "the store had not seen the configuration file before: its own version counts, not the file's",
        .replaced_at = writer->now,
    };

    return history_store_add(writer->plugin->store, &lost);
}

static bool is_planned(const struct load_plan *plan, uint32_t subnet_id)
{
    for (size_t i = 0; i < plan->scope_count; i++)
        if (plan->scopes[i].subnet_id == subnet_id)
            return true;
    return false;
}

static struct result write_plan(struct mirror_writer *writer, const struct load_plan *plan)
{
    struct result result = result_ok();

    for (size_t i = 0; i < plan->removal_count && !result_failed(result); i++) {
        const struct planned_removal *removal = &plan->removals[i];

        result = mirror_remove_scope(writer, &(struct mirror_removal){.subnet_id = removal->subnet_id,
                                                                      .origin = SCOPE_FROM_CONFIGURATION,
                                                                      .gone_from_file = removal->gone_from_file,
                                                                      .agreed_with = -1});
        if (!result_failed(result) && !removal->gone_from_file)
            result = mirror_bury(writer, removal->subnet_id, false, fingerprint_parse(NULL), fingerprint_parse(NULL));
    }
    for (size_t i = 0; i < plan->buried_count && !result_failed(result); i++)
        result = mirror_bury(writer, plan->buried[i].subnet_id, plan->from_file, plan->buried[i].fingerprint,
                             plan->buried[i].text);
    for (size_t i = 0; i < plan->tombstone_count && !result_failed(result); i++)
        result = mirror_unbury(writer, plan->tombstones[i]);
    for (size_t i = 0; i < plan->delivery_count && !result_failed(result); i++)
        if (!plan->deliveries[i].dropped)
            result = mirror_put_delivery(writer, plan->deliveries[i].subnet_id, plan->from_file,
                                         plan->deliveries[i].fingerprint, plan->deliveries[i].text);
    for (size_t i = 0; i < plan->scope_count && !result_failed(result); i++) {
        const struct planned_scope *planned = &plan->scopes[i];
        struct mirror_version version = {
            .scope = &planned->scope,
            .fingerprint = planned->fingerprint,
            .origin = planned->origin,
            .delivered = planned->delivered,
            .from_file = plan->from_file,
            .delivered_fingerprint = planned->delivered_fingerprint,
            .delivered_text = planned->delivered_text,
            .configuration_apart = planned->configuration_apart,
            .configuration_fingerprint = planned->configuration_fingerprint,
            .configuration_text = planned->configuration_text,
            .is = planned->numbered ? &planned->version : NULL,
            .followed = planned->followed,
            .agreed_with = -1,
            .hold = planned->hold,
            .reason = planned->reason[0] == '\0' ? NULL : planned->reason,
        };

        result = mirror_put_scope(writer, &version);
        if (!result_failed(result) && planned->passed_over.definition != NULL)
            result = keep_passed_over(writer, &planned->passed_over, planned->delivered_fingerprint);
    }
    for (size_t i = 0; i < plan->loser_count && !result_failed(result); i++)
        result = keep_passed_over(writer, &plan->losers[i].scope, plan->losers[i].fingerprint);
    for (size_t i = 0; i < plan->removed_count && !result_failed(result); i++) {
        const struct scope_removed *removed = &plan->removed[i].removed;
        const struct mirror_removal removal = {.subnet_id = removed->subnet_id,
                                               .prefix = removed->prefix,
                                               .is = &removed->version,
                                               .edit = plan->removed[i].edit,
                                               .agreed_with = -1,
                                               .buried = &removed->buried};
        struct scope_entry entry;

        if (scope_index_get(writer->plugin->index, removal.subnet_id, &entry))
            scope_entry_clear(&entry);
        else if (!is_planned(plan, removal.subnet_id))
            result = mirror_remove_scope(writer, &removal);
    }
    return result;
}

/* The configuration is mirrored: what differs from now on is an edit. */
static struct result note_filled(struct mirror_writer *writer, struct store_identity identity)
{
    struct plugin *plugin = writer->plugin;
    const struct store_identity *before = &plugin->identity;

    if (before->filled == identity.filled && before->file_seen == identity.file_seen)
        return version_store_prune(plugin->store, plugin->relationships.server_record_id, writer->now);
    identity.last_edit = before->last_edit;
    return store_identity_put(plugin->store, &identity);
}

static void report(struct plugin *plugin, size_t written, size_t removed, size_t queued)
{
    char texts[3][24];

    if (written + removed + queued == 0)
        return;
    (void)snprintf(texts[0], sizeof texts[0], "%zu", written);
    (void)snprintf(texts[1], sizeof texts[1], "%zu", removed);
    (void)snprintf(texts[2], sizeof texts[2], "%zu", queued);
    kea_log(plugin->server, FAILOVER_SYNC_MIRRORED, texts[0], texts[1], texts[2]);
}

static struct result review(struct plugin *plugin)
{
    struct mirror_writer writer;
    struct result result = mirror_begin(plugin, &writer);

    if (result_failed(result))
        return result;
    result = mirror_review_memberships(&writer);
    if (result_failed(result)) {
        mirror_abandon(&writer);
        return result;
    }
    return mirror_commit(&writer);
}

static void release_plan(void *argument)
{
    plan_free(argument);
}

static struct result mirror_plan(struct plugin *plugin, void *argument)
{
    struct load_plan *plan = argument;
    struct store_identity identity = plugin->identity;
    struct mirror_writer writer;
    struct result result = mirror_begin(plugin, &writer);
    size_t written, removed, queued;

    if (result_failed(result))
        return result;
    identity.filled = true;
    identity.file_seen = identity.file_seen || plan->from_file;
    result = write_plan(&writer, plan);
    if (!result_failed(result))
        result = note_filled(&writer, identity);
    if (result_failed(result)) {
        mirror_abandon(&writer);
    } else {
        written = writer.written;
        removed = writer.removed_count;
        queued = writer.queued;
        result = mirror_commit(&writer);
        if (!result_failed(result))
            report(plugin, written, removed, queued);
        if (!result_failed(result)) {
            plugin->identity.filled = plugin->filled = true;
            plugin->identity.file_seen = identity.file_seen;
        }
    }
    if (!result_failed(result))
        result = review(plugin);
    if (result.code != RESULT_STORE)
        plan_free(plan);
    return result;
}

struct result restart_carry_out(struct plugin *plugin, bool committed)
{
    struct load_plan *plan = plugin->plan;

    plugin->plan = NULL;
    if (plan == NULL || !committed) {
        plan_free(plan);
        return result_ok();
    }
    plan->pending = &plugin->changes_pending;
    plugin->changes_pending++;
    return worker_post(plugin, mirror_plan, release_plan, plan);
}
