/* Ranges that are pools: what range-add and range-update want of a pool is changed in the server's running
 * configuration, and then mirrored and replicated like any change. The worker decides, the main thread changes the
 * scope, the worker records it; if that cannot be done, the main thread takes it back. */
#include "engine_operation.h"

#include "failover_sync/mirror.h"
#include "failover_sync/pool_text.h"
#include "failover_sync/range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fault (*range_operation)(struct store *store, const struct model_node *input, int64_t now,
                                        struct pool_change *pool, json_t **output);

static range_operation operation_of(const struct operation_context *context)
{
    return context->adds ? range_add : range_update;
}

/* Which scope the pool is in; the tables know it by its row, the server by its id. */
static struct fault find_scope(struct operation_context *context)
{
    struct scope_row row = {.record_id = 0};
    struct result result = scope_store_find_by_id(context->plugin->store, context->pool.scope_record_id, &row);
    bool local = row.server_record_id == context->plugin->relationships.server_record_id;

    if (!result_failed(result)) {
        context->subnet_id = object_subnet_id(row.id);
        (void)snprintf(context->prefix, sizeof context->prefix, "%s", row.name);
    }
    scope_row_clear(&row);
    if (!result_failed(result) && !local)
        return fault_of_sender(EXCEPTION_INVALID_UPDATE, "scope-record-id",
                               "the scope %lld is another server's; change its pools there",
                               (long long)context->pool.scope_record_id);
    return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

/* Does what is to be done in the tables alone; with a pool to change it only finds out that it can be. */
static struct fault decide(struct operation_context *context)
{
    struct store *store = context->plugin->store;
    struct fault fault = fault_of_result(store_begin(store), EXCEPTION_FAILED_TO_UPDATE_RANGE);

    if (fault_raised(&fault))
        return fault;
    fault = operation_of(context)(store, context->input, context->now_ms / 1000, &context->pool, &context->output);
    if (!fault_raised(&fault) && context->pool.wanted)
        fault = find_scope(context);
    if (fault_raised(&fault) || context->pool.wanted) {
        store_rollback(store);
        json_decref(context->output);
        context->output = NULL;
        return fault;
    }
    fault = fault_of_result(store_commit(store), EXCEPTION_FAILED_TO_UPDATE_RANGE);
    (void)snprintf(context->text, sizeof context->text, "range %lld %s",
                   (long long)json_integer_value(json_object_get(context->output, "record-id")),
                   context->adds ? "added" : "updated");
    return fault;
}

struct fault range_add_run(struct operation_context *context)
{
    context->adds = true;
    return decide(context);
}

struct fault range_update_run(struct operation_context *context)
{
    context->adds = false;
    return decide(context);
}

static const char *bounds_node(const struct operation_context *context)
{
    return address_compare(&context->pool.before.first, &context->pool.after.first) != 0 ? "start-ip-address"
                                                                                         : "end-ip-address";
}

struct fault pool_apply(struct operation_context *context)
{
    const struct kea_server *server = context->plugin->server;
    struct kea_change change = {.id = context->subnet_id, .name = context->prefix};
    char *definition = NULL, reason[KEA_UNPRINTED_SIZE];
    struct fault fault = fault_none();
    struct result result = server->object_get(server->context, KEA_RUNNING, context->subnet_id, &context->before);

    if (result.code == RESULT_NOT_FOUND)
        return fault_of_sender(EXCEPTION_SCOPE_NOT_FOUND, NULL,
                               "the scope %.48s was removed meanwhile; nothing was changed", context->prefix);
    if (!result_failed(result) && kea_object_unprinted(context->before.definition, reason))
        return fault_of_sender(EXCEPTION_INVALID_UPDATE, bounds_node(context),
                               "scope %.48s can be changed in the server's own configuration only: %s", context->prefix,
                               reason);
    if (!result_failed(result))
        result = pool_text_change(context->before.definition, context->adds ? NULL : &context->pool.before,
                                  &context->pool.after, &definition);
    if (result.code == RESULT_NOT_FOUND || result.code == RESULT_CONFLICT)
        return fault_of_sender(EXCEPTION_INVALID_UPDATE, bounds_node(context), "scope %.48s: %.300s", context->prefix,
                               result.message);
    if (result_failed(result))
        return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    change.definition = definition;
    server->objects_apply(server->context, KEA_RUNNING, &change, 1);
    context->after = change.after;
    if (!change.applied)
        fault = fault_of_sender(EXCEPTION_INVALID_ADDRESS_RANGE, bounds_node(context), "the server refused it: %.400s",
                                change.text == NULL ? "out of memory" : change.text);
    free(change.text);
    free(definition);
    return fault;
}

/* The range of a pool that was added, with what the client said of it. */
static struct fault complete_added(struct operation_context *context, struct store *store)
{
    const struct range_filter filter = {.scope_record_id = context->pool.scope_record_id, .limit = INT32_MAX};
    int64_t *ids = NULL, record_id = 0;
    size_t count = 0;
    struct fault fault =
        fault_of_result(range_store_list(store, &filter, &ids, &count), EXCEPTION_FAILED_TO_UPDATE_RANGE);

    for (size_t i = 0; i < count && record_id == 0 && !fault_raised(&fault); i++) {
        struct ip_range range;
        struct result result = range_store_find(store, ids[i], &range);

        fault = fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
        if (fault_raised(&fault))
            break;
        if (address_compare(&range.span.first, &context->pool.after.first) == 0 &&
            address_compare(&range.span.last, &context->pool.after.last) == 0)
            record_id = range.record_id;
        ip_range_clear(&range);
    }
    free(ids);
    if (!fault_raised(&fault) && record_id == 0)
        return fault_of_result(result_error(RESULT_INTERNAL, "the pool was added but is not among the ranges"),
                               EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (!fault_raised(&fault))
        fault = range_add_complete(store, context->input, record_id, context->now_ms / 1000);
    if (!fault_raised(&fault) && json_object_set_new(context->output, "record-id", json_integer(record_id)) != 0)
        fault = fault_of_result(result_no_memory("an answer"), EXCEPTION_FAILED_TO_UPDATE_RANGE);
    return fault;
}

/* In the open transaction: the rest of the operation, the range's new bounds, the scope's new version. */
static struct fault record_rows(struct operation_context *context, struct mirror_writer *writer)
{
    struct store *store = context->plugin->store;
    const struct mirror_version version = {
        .scope = &context->after,
        .origin = SCOPE_FROM_CONFIGURATION,
        .agreed_with = -1,
    };
    struct pool_change ignored;
    struct fault fault =
        operation_of(context)(store, context->input, context->now_ms / 1000, &ignored, &context->output);

    if (!fault_raised(&fault) && !context->adds)
        fault = range_follow_pool(store, &context->pool, context->now_ms / 1000);
    if (!fault_raised(&fault))
        fault = fault_of_result(mirror_put_scope(writer, &version), EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (!fault_raised(&fault) && context->adds)
        fault = complete_added(context, store);
    return fault;
}

struct fault pool_record(struct operation_context *context)
{
    struct mirror_writer writer;
    struct fault fault = fault_of_result(mirror_begin(context->plugin, &writer), EXCEPTION_FAILED_TO_UPDATE_RANGE);

    if (fault_raised(&fault))
        return fault;
    fault = record_rows(context, &writer);
    if (fault_raised(&fault))
        mirror_abandon(&writer);
    else
        fault = fault_of_result(mirror_commit(&writer), EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (fault_raised(&fault)) {
        json_decref(context->output);
        context->output = NULL;
        return fault;
    }
    (void)snprintf(context->text, sizeof context->text, "pool %s scope %.48s, range %lld",
                   context->adds ? "added to" : "changed in", context->prefix,
                   (long long)json_integer_value(json_object_get(context->output, "record-id")));
    return fault;
}

/* The pool alone is taken back: whatever else of the scope was changed meanwhile is somebody else's. */
static struct result undo_change(struct operation_context *context)
{
    const struct kea_server *server = context->plugin->server;
    struct kea_change change = {.id = context->subnet_id, .name = context->prefix};
    struct kea_object now = {.id = 0};
    char *definition = NULL, reason[KEA_UNPRINTED_SIZE];
    struct result result = server->object_get(server->context, KEA_RUNNING, context->subnet_id, &now);

    if (!result_failed(result) && kea_object_unprinted(now.definition, reason))
        result = result_error(RESULT_CONFLICT, "%s", reason);
    if (!result_failed(result))
        result = pool_text_change(now.definition, &context->pool.after, context->adds ? NULL : &context->pool.before,
                                  &definition);
    if (result_failed(result))
        goto done;
    change.definition = definition;
    server->objects_apply(server->context, KEA_RUNNING, &change, 1);
    if (!change.applied)
        result = result_error(RESULT_REFUSED, "%.400s", change.text == NULL ? "out of memory" : change.text);
    free(change.text);
    kea_object_clear(&change.after);
done:
    free(definition);
    kea_object_clear(&now);
    return result;
}

void pool_undo(struct operation_context *context)
{
    const struct result result = undo_change(context);

    /* Without that pool or scope there is nothing to take back. */
    if (result_failed(result) && result.code != RESULT_NOT_FOUND)
        kea_log(context->plugin->server, FAILOVER_SYNC_COMMAND_FAILED, context->adds ? "range-add" : "range-update",
                result.message);
    (void)changes_read_soon(context->plugin, &(const object_id){context->subnet_id}, 1);
}
