/* The operations on failover relationships in a running plugin: the rows by the operations of their names, and the
 * engine following them once they are committed: partners met and forgotten, memberships in the index. */
#include "engine_operation.h"

#include "failover_sync/failover_operation.h"
#include "failover_sync/mirror.h"
#include "failover_sync/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fault (*failover_operation)(struct store *store, const struct failover_context *failover,
                                           const struct model_node *input, struct failover_change *change,
                                           json_t **output);

/* Relationships in memory as the rows are now. */
static struct result follow_relationships(struct plugin *plugin)
{
    struct relationships *relationships = &plugin->relationships;
    size_t count = relationships->count;
    struct result result = relationships_follow(relationships, plugin->store, &plugin->parameters, &count);

    if (result_failed(result))
        return result;
    result = scope_index_widen(plugin->index, count);
    if (result_failed(result)) {
        for (size_t i = relationships->count; i < count; i++)
            relationship_clear(&relationships->list[i]);
        return result;
    }
    relationships->count = count;
    for (size_t i = 0; i < count && !result_failed(result); i++)
        if (relationships->list[i].admin)
            result = worker_follow_relationship(plugin, i);
    return result;
}

static void follow_membership(struct plugin *plugin, int place, const struct failover_change *change)
{
    bool added = change->kind == FAILOVER_ADDED || change->kind == FAILOVER_SCOPES_ADDED;

    for (size_t i = 0; i < change->count && place >= 0; i++) {
        if (added)
            scope_index_add_member(plugin->index, change->subnet_ids[i], (size_t)place);
        else
            scope_index_remove_member(plugin->index, change->subnet_ids[i], (size_t)place);
    }
}

/* Whether each scope is in sync depends on which relationships it is in. */
static struct result follow_sync_status(struct plugin *plugin, const struct failover_change *change)
{
    struct mirror_writer writer;
    struct result result = mirror_begin(plugin, &writer);

    if (result_failed(result))
        return result;
    for (size_t i = 0; i < change->count && !result_failed(result); i++) {
        struct scope_entry entry;

        if (!scope_index_get(plugin->index, change->subnet_ids[i], &entry))
            continue;
        entry.reset = false;
        result = mirror_set_sync(&writer, &entry, NULL);
        scope_entry_clear(&entry);
    }
    if (result_failed(result)) {
        mirror_abandon(&writer);
        return result;
    }
    return mirror_commit(&writer);
}

/* The rows are committed: what fails from here on is caught up with at the next configuration, and said. */
static void follow(struct plugin *plugin, const struct failover_change *change)
{
    int place = relationships_find_row(&plugin->relationships, change->relation_record_id);
    struct result result = follow_relationships(plugin);

    if (place < 0)
        place = relationships_find_row(&plugin->relationships, change->relation_record_id);
    follow_membership(plugin, place, change);
    if (change->kind == FAILOVER_DELETED && place >= 0)
        replication_watch_unreachable(plugin, (size_t)place, "the relationship was deleted");
    if (!result_failed(result) && change->count > 0)
        result = follow_sync_status(plugin, change);
    if (result_failed(result))
        engine_set_mirror(plugin, &result);
}

static struct fault check_room(const struct operation_context *context)
{
    if (context->plugin->relationships.count < RELATIONSHIP_MAX)
        return fault_none();
    return fault_of_sender(EXCEPTION_FAILOVER_NOT_ADDED, NULL,
                           "%d relationships have been in use since the last configuration load, and there is room for "
                           "no more; config-reload frees the places of those that were deleted",
                           RELATIONSHIP_MAX);
}

static struct fault run(struct operation_context *context, failover_operation operation, enum exception_id exception)
{
    struct plugin *plugin = context->plugin;
    const struct failover_context failover = {
        .parameters = &plugin->parameters,
        .local_server_record_id = plugin->relationships.server_record_id,
        .local_name = plugin->relationships.server_name,
        .now_ms = context->now_ms,
    };
    struct failover_change change = {.kind = FAILOVER_UNCHANGED};
    struct fault fault = fault_of_result(store_begin(plugin->store), exception);

    if (fault_raised(&fault))
        return fault;
    fault = operation(plugin->store, &failover, context->input, &change, &context->output);
    if (!fault_raised(&fault))
        fault = fault_of_result(store_commit(plugin->store), exception);
    if (fault_raised(&fault)) {
        store_rollback(plugin->store);
        json_decref(context->output);
        context->output = NULL;
    } else if (change.kind != FAILOVER_UNCHANGED) {
        follow(plugin, &change);
    }
    failover_change_clear(&change);
    return fault;
}

static void say(struct operation_context *context, const char *done)
{
    const json_t *failover = json_object_get(context->output, "failover");
    const char *name = json_string_value(json_object_get(failover, "relationship-name"));

    (void)snprintf(context->text, sizeof context->text, "relationship %.200s%s%s", name == NULL ? "" : name,
                   name == NULL ? "" : " ", done);
}

struct fault failover_add_run(struct operation_context *context)
{
    struct fault fault = check_room(context);

    if (!fault_raised(&fault))
        fault = run(context, failover_add, EXCEPTION_FAILOVER_NOT_ADDED);
    say(context, "added");
    return fault;
}

struct fault failover_update_run(struct operation_context *context)
{
    struct fault fault = run(context, failover_update, EXCEPTION_FAILOVER_NOT_UPDATED);

    say(context, "updated");
    return fault;
}

static void say_scopes(struct operation_context *context, const char *node, const char *done)
{
    char text[64];

    (void)snprintf(text, sizeof text, "%s %lld scope(s)", done,
                   (long long)json_integer_value(json_object_get(context->output, node)));
    say(context, text);
}

struct fault failover_scope_add_run(struct operation_context *context)
{
    struct fault fault = run(context, failover_scope_add, EXCEPTION_FAILOVER_SCOPES_NOT_ADDED);

    say_scopes(context, "added", "took in");
    return fault;
}

struct fault failover_scope_del_run(struct operation_context *context)
{
    struct fault fault = run(context, failover_scope_del, EXCEPTION_FAILOVER_SCOPES_NOT_REMOVED);

    say_scopes(context, "removed", "let go of");
    return fault;
}

struct fault failover_del_run(struct operation_context *context)
{
    struct fault fault = run(context, failover_del, EXCEPTION_FAILOVER_NOT_DELETED);

    say(context, "deleted");
    return fault;
}
