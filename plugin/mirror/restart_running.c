/* The restart rule for a configuration that runs already: a new store is filled while the server runs, perhaps in place
 * of one that was lost. What the configuration was loaded as is known, and what was changed since is seen only by what
 * it is now. */
#include "restart_private.h"

#include <stdlib.h>
#include <string.h>

/* What a partner sent is its version also if it could not be recorded. */
static bool take_applied(struct scope_index *index, struct planned_scope *running)
{
    struct scope_applied applied;

    if (!scope_index_get_applied(index, running->id, &applied) ||
        !fingerprint_equal(applied.fingerprint, running->scope.fingerprint))
        return false;
    running->origin = SCOPE_FROM_PARTNER;
    running->numbered = true;
    running->edit_on_top = false;
    running->version = applied.version;
    return true;
}

/* A scope that runs and that the store knows. What it was delivered as is seen only by what it is now. */
static struct result decide_running_known(struct decision *decision, struct planned_scope *running,
                                          const struct scope_entry *entry)
{
    const struct kea_load *load = decision->load;
    const struct kea_delivered *then = restart_find_delivered(load, entry->id);
    struct load_facts facts = {
        .mirrored = fingerprint_equal(running->scope.fingerprint, entry->fingerprint),
        .reprinted = strcmp(running->scope.printed.hex, entry->printed.hex) != 0,
        .as_printed = then != NULL && fingerprint_equal(running->scope.fingerprint, entry->printed),
        .before = then != NULL &&
                  restart_is_before(running->scope.fingerprint, load->from_file ? &entry->file : &entry->configuration),
        .heard = true,
        .outlives = restart_outlives(load, entry->origin),
    };

    if (!facts.mirrored && decision->before != NULL && take_applied(decision->before, running))
        return restart_plan_delivered(decision, running);
    switch (load_rule(&facts)) {
    case LOAD_RUNS:
        return result_ok();
    case LOAD_REPRINTED:
        running->origin = entry->origin;
        break;
    case LOAD_WORDS:
    case LOAD_RESTORE: {
        struct planned_scope delivered = {
            .id = entry->id, .words_only = facts.as_printed, .delivered = true, .delivery = running->delivery};

        if (then != NULL)
            delivered.delivery.text = then->text;
        return restart_plan_restored(decision, entry, &delivered);
    }
    default:
        break;
    }
    return restart_plan_delivered(decision, running);
}

/* What the lost store knew of it. */
static void take_lost(struct planned_scope *running, const struct scope_entry *entry)
{
    running->numbered = true;
    running->version = entry->version;
    running->edit_on_top = !fingerprint_equal(entry->fingerprint, running->scope.fingerprint);
    running->origin = running->edit_on_top ? SCOPE_FROM_CONFIGURATION : entry->origin;
    running->delivered = !delivery_empty(&entry->file);
    running->delivery = entry->file;
    running->configuration_apart = true;
    running->configuration = entry->configuration;
}

/* What the last load delivered, which the lost store may not have got to know. */
static void take_load(struct planned_scope *running, const struct kea_load *load, const struct kea_delivered *then)
{
    const bool heard = running->numbered && !running->edit_on_top;

    const struct delivery now = {
        .fingerprint = running->scope.fingerprint, .printed = running->scope.printed, .text = then->text};

    if (load->from_file && !fingerprint_equal(running->delivery.text, then->text)) {
        if (!heard || delivery_empty(&running->delivery))
            running->delivery = now;
        running->delivery.text = then->text;
        running->delivered = true;
    }
    if (!fingerprint_equal(running->configuration.text, then->text)) {
        if (!heard || delivery_empty(&running->configuration))
            running->configuration = now;
        running->configuration.text = then->text;
        running->configuration_apart = true;
    }
}

/* A scope that runs and that the store does not know; perhaps the store that was lost did. */
static struct result decide_running_unknown(struct decision *decision, struct planned_scope *running, object_id id)
{
    const struct kea_delivered *then = restart_find_delivered(decision->load, id);
    struct scope_entry entry;

    if (decision->before != NULL) {
        if (scope_index_get(decision->before, id, &entry)) {
            take_lost(running, &entry);
            scope_entry_clear(&entry);
        }
        if (then != NULL)
            take_load(running, decision->load, then);
        (void)take_applied(decision->before, running);
    } else if (then != NULL) {
        running->delivered = true;
        running->delivery.text = then->text;
    }
    return restart_plan_delivered(decision, running);
}

static struct result decide_running(struct decision *decision, object_id id)
{
    struct planned_scope running = {.id = id, .origin = SCOPE_FROM_CONFIGURATION, .edited = true};
    struct scope_entry entry;
    struct result result = restart_read_scope(decision, &running, id);

    if (!result_failed(result)) {
        if (scope_index_get(decision->plugin->index, id, &entry)) {
            result = decide_running_known(decision, &running, &entry);
            scope_entry_clear(&entry);
        } else {
            result = decide_running_unknown(decision, &running, id);
        }
    }
    kea_object_clear(&running.scope);
    return result;
}

static int compare_ids(const void *a, const void *b)
{
    object_id left = *(const object_id *)a, right = *(const object_id *)b;

    return left < right ? -1 : left > right;
}

static bool is_among(object_id id, const object_id *ids, size_t count)
{
    return count > 0 && bsearch(&id, ids, count, sizeof *ids, compare_ids) != NULL;
}

/* A scope that the store knows and that does not run: removed since the load, or never in the configuration. */
static struct result decide_not_running(struct decision *decision, const object_id *ids, size_t count)
{
    struct restart_ids known = {.count = 0};
    struct result result = restart_known_ids(decision->plugin->index, &known);

    for (size_t i = 0; i < known.count && !result_failed(result); i++) {
        struct load_plan *plan = decision->plan;
        struct scope_entry entry;

        if (is_among(known.list[i], ids, count) || !scope_index_get(decision->plugin->index, known.list[i], &entry))
            continue;
        if (restart_find_delivered(decision->load, known.list[i]) != NULL)
            plan->removals[plan->removal_count++] = (struct planned_removal){.id = known.list[i]};
        else
            result = restart_decide_missing(decision, &entry);
        scope_entry_clear(&entry);
    }
    free(known.list);
    return result;
}

static struct result plan_lost(struct load_plan *plan, const struct planned_lost *lost)
{
    if (!engine_grow((void **)&plan->removed, plan->removed_count, &plan->removed_capacity, sizeof *plan->removed))
        return result_no_memory("scopes that were removed");
    plan->removed[plan->removed_count++] = *lost;
    return result_ok();
}

struct removals {
    struct load_plan *plan;
    struct result result;
};

static void keep_removed(void *context, const struct scope_removed *removed)
{
    struct removals *removals = context;
    const struct planned_lost lost = {.removed = *removed};

    if (!result_failed(removals->result))
        removals->result = plan_lost(removals->plan, &lost);
}

/* One that the lost store had and that does not run any more: whoever removed it, the store did not get to know. */
static struct result plan_unrecorded(struct decision *decision, object_id id)
{
    struct planned_lost lost = {.edit = true};
    struct scope_applied applied;
    struct scope_entry entry;

    if (!scope_index_get(decision->before, id, &entry))
        return result_ok();
    lost.removed = (struct scope_removed){
        .id = id,
        .version = entry.version,
        .buried = {.file = entry.file, .configuration = entry.configuration, .origin = SCOPE_FROM_CONFIGURATION},
    };
    memcpy(lost.removed.name, entry.name, sizeof entry.name);
    scope_entry_clear(&entry);
    if (scope_index_get_applied(decision->before, id, &applied) && fingerprint_empty(applied.fingerprint)) {
        lost.edit = false;
        lost.removed.version = applied.version;
        lost.removed.buried.origin = SCOPE_FROM_PARTNER;
    }
    return plan_lost(decision->plan, &lost);
}

static struct result plan_all_unrecorded(struct decision *decision, const object_id *ids, size_t count)
{
    struct restart_ids known = {.count = 0};
    struct result result = restart_known_ids(decision->before, &known);

    for (size_t i = 0; i < known.count && !result_failed(result); i++)
        if (!is_among(known.list[i], ids, count))
            result = plan_unrecorded(decision, known.list[i]);
    free(known.list);
    return result;
}

/* The removals that the lost store knew of, and those that it did not get to know. */
static struct result plan_removed(struct decision *decision, const object_id *ids, size_t count)
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
    object_id *ids = NULL;
    size_t count = 0;
    struct result result = plugin->server->object_ids(plugin->server->context, KEA_RUNNING, &ids, &count);

    restart_forget(plugin);
    if (!result_failed(result))
        result = load_plan_new(plugin, load, count, &decision.plan);
    if (result_failed(result)) {
        free(ids);
        return result;
    }
    if (before != NULL) {
        decision.plan->from_file = true;
        decision.plan->file_seen = false;
    }
    result = tombstone_store_each(plugin->store, restart_apply_tombstone, &decision);
    restart_take_out_stuck(&decision);
    for (size_t i = 0; i < count && !result_failed(result); i++) {
        if (restart_is_stuck(&decision, ids[i]))
            continue;
        result = decide_running(&decision, ids[i]);
        if (result.code == RESULT_NOT_FOUND)
            result = result_ok(); /* a tombstone has just taken it out */
    }
    if (!result_failed(result))
        result = decide_not_running(&decision, ids, count);
    if (!result_failed(result))
        result = plan_removed(&decision, ids, count);
    if (!result_failed(result))
        result = restart_restore_all(&decision);
    free(ids);
    return restart_finish_plan(&decision, result);
}
