/* What a configuration load leads to, as it is kept until the mirror is written. */
#include "restart_private.h"

#include <stdlib.h>

void planned_scope_clear(struct planned_scope *planned)
{
    kea_object_clear(&planned->scope);
    kea_object_clear(&planned->passed_over);
    free(planned->stored);
}

void load_plan_free(struct load_plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->scope_count; i++)
        planned_scope_clear(&plan->scopes[i]);
    for (size_t i = 0; i < plan->loser_count; i++)
        kea_object_clear(&plan->losers[i].scope);
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
    load_plan_free(plugin->plan);
    plugin->plan = NULL;
}

static struct result count_tombstone(void *context, const struct tombstone_row *row)
{
    (void)row;
    (*(size_t *)context)++;
    return result_ok();
}

struct result load_plan_new(struct plugin *plugin, const struct kea_load *load, size_t scopes, struct load_plan **plan)
{
    size_t known = scope_index_count(plugin->index);
    size_t tombstones = 0;
    struct result result = tombstone_store_each(plugin->store, count_tombstone, &tombstones);

    *plan = result_failed(result) ? NULL : calloc(1, sizeof **plan);
    if (*plan == NULL)
        return result_failed(result) ? result : result_no_memory("a configuration load");
    (*plan)->at_start = load->at_start;
    (*plan)->from_file = (*plan)->file_seen = load->from_file;
    (*plan)->scopes = calloc(scopes + known + 1, sizeof *(*plan)->scopes);
    (*plan)->deliveries = calloc(load->delivered_count + 1, sizeof *(*plan)->deliveries);
    (*plan)->removals = calloc(known + 1, sizeof *(*plan)->removals);
    (*plan)->tombstones = calloc(tombstones + 1, sizeof *(*plan)->tombstones);
    (*plan)->buried = calloc(tombstones + 1, sizeof *(*plan)->buried);
    (*plan)->losers = calloc(tombstones + 1, sizeof *(*plan)->losers);
    if ((*plan)->scopes == NULL || (*plan)->deliveries == NULL || (*plan)->removals == NULL ||
        (*plan)->tombstones == NULL || (*plan)->buried == NULL || (*plan)->losers == NULL) {
        load_plan_free(*plan);
        *plan = NULL;
        return result_no_memory("a configuration load");
    }
    return result_ok();
}

static bool collect_id(void *context, const struct scope_entry *entry)
{
    struct restart_ids *ids = context;

    ids->list[ids->count++] = entry->id;
    return true;
}

struct result restart_known_ids(struct scope_index *index, struct restart_ids *ids)
{
    *ids = (struct restart_ids){.list = calloc(scope_index_count(index) + 1, sizeof *ids->list)};
    if (ids->list == NULL)
        return result_no_memory("a configuration load");
    scope_index_each(index, collect_id, ids);
    return result_ok();
}
