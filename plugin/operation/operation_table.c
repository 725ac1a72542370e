/* Which operation is behind which command. */
#include "engine_operation.h"

#include "failover_sync/adm_get.h"
#include "failover_sync/failover_operation.h"
#include "failover_sync/scope_history.h"

#include <stdio.h>
#include <string.h>

/* The text of a list's answer, and whether there was anything to find. */
static void say_found(struct operation_context *context, const char *node, const char *what)
{
    size_t count = json_array_size(json_object_get(context->output, node));

    (void)snprintf(context->text, sizeof context->text, "%zu %s found", count, what);
    context->empty = count == 0;
}

static struct fault failover_get_run(struct operation_context *context)
{
    (void)snprintf(context->text, sizeof context->text, "1 relationship found");
    return failover_get(context->plugin->store, context->input, &context->output);
}

static struct fault failover_get_all_run(struct operation_context *context)
{
    struct fault fault = failover_get_all(context->plugin->store, context->input, &context->output);

    say_found(context, "relationships", "relationship(s)");
    return fault;
}

static struct fault scope_history_run(struct operation_context *context)
{
    struct fault fault = scope_history(context->plugin->store, context->input, &context->output);

    say_found(context, "versions", "replaced version(s)");
    return fault;
}

static struct fault range_get_run(struct operation_context *context)
{
    (void)snprintf(context->text, sizeof context->text, "1 range found");
    return range_get(context->plugin->store, context->input, &context->output);
}

static struct fault range_get_all_run(struct operation_context *context)
{
    struct fault fault = range_get_all(context->plugin->store, context->input, &context->output);

    say_found(context, "ranges", "range(s)");
    return fault;
}

static struct fault address_add_run(struct operation_context *context)
{
    (void)snprintf(context->text, sizeof context->text, "address added");
    return address_add(context->plugin->store, context->input, &context->output);
}

static struct fault address_get_all_run(struct operation_context *context)
{
    struct fault fault = address_get_all(context->plugin->store, context->input, &context->output);

    say_found(context, "addresses", "address(es)");
    return fault;
}

static struct fault custom_field_add_run(struct operation_context *context)
{
    (void)snprintf(context->text, sizeof context->text, "custom field added");
    return custom_field_add(context->plugin->store, context->input, &context->output);
}

static struct fault custom_field_get_all_run(struct operation_context *context)
{
    struct fault fault = custom_field_get_all(context->plugin->store, context->input, &context->output);

    say_found(context, "custom-fields", "custom field(s)");
    return fault;
}

static struct fault adm_get_run(struct operation_context *context)
{
    struct fault fault = adm_get(context->plugin->store, context->plugin->model, context->input, &context->output);
    json_int_t count = json_integer_value(json_object_get(context->output, "count"));

    (void)snprintf(context->text, sizeof context->text, "%lld row(s)", (long long)count);
    context->empty = count == 0;
    return fault;
}

static const struct operation operations[] = {
    {.command = "failover-add", .run = failover_add_run, .exception = EXCEPTION_FAILOVER_NOT_ADDED},
    {.command = "failover-update", .run = failover_update_run, .exception = EXCEPTION_FAILOVER_NOT_UPDATED},
    {.command = "failover-scope-add", .run = failover_scope_add_run, .exception = EXCEPTION_FAILOVER_SCOPES_NOT_ADDED},
    {.command = "failover-scope-del",
     .run = failover_scope_del_run,
     .exception = EXCEPTION_FAILOVER_SCOPES_NOT_REMOVED},
    {.command = "failover-del", .run = failover_del_run, .exception = EXCEPTION_FAILOVER_NOT_DELETED},
    {.command = "failover-get", .run = failover_get_run, .exception = EXCEPTION_FAILOVER_NOT_FETCHED, .reads = true},
    {.command = "failover-get-all",
     .run = failover_get_all_run,
     .exception = EXCEPTION_FAILOVER_NOT_FETCHED,
     .reads = true},
    {.command = "scope-replicate", .run = scope_replicate_run, .exception = EXCEPTION_SCOPES_NOT_REPLICATED},
    {.command = "failover-replicate", .run = failover_replicate_run, .exception = EXCEPTION_RELATION_NOT_REPLICATED},
    {.command = "server-replicate", .run = server_replicate_run, .exception = EXCEPTION_SERVER_NOT_REPLICATED},
    {.command = "scope-sync-reset", .run = scope_sync_reset_run, .exception = EXCEPTION_SCOPES_NOT_REPLICATED},
    {.command = "scope-history", .run = scope_history_run, .exception = EXCEPTION_OBJECT_NOT_FOUND, .reads = true},
    {.command = "range-add",
     .run = range_add_run,
     .apply = pool_apply,
     .record = pool_record,
     .undo = pool_undo,
     .exception = EXCEPTION_FAILED_TO_UPDATE_RANGE},
    {.command = "range-update",
     .run = range_update_run,
     .apply = pool_apply,
     .record = pool_record,
     .undo = pool_undo,
     .exception = EXCEPTION_FAILED_TO_UPDATE_RANGE},
    {.command = "range-get", .run = range_get_run, .exception = EXCEPTION_FAILED_TO_UPDATE_RANGE, .reads = true},
    {.command = "range-get-all",
     .run = range_get_all_run,
     .exception = EXCEPTION_FAILED_TO_UPDATE_RANGE,
     .reads = true},
    {.command = "address-add", .run = address_add_run, .exception = EXCEPTION_FAILED_TO_UPDATE_RANGE},
    {.command = "address-get-all",
     .run = address_get_all_run,
     .exception = EXCEPTION_FAILED_TO_UPDATE_RANGE,
     .reads = true},
    {.command = "custom-field-add", .run = custom_field_add_run, .exception = EXCEPTION_FAILED_TO_UPDATE_RANGE},
    {.command = "custom-field-get-all",
     .run = custom_field_get_all_run,
     .exception = EXCEPTION_FAILED_TO_UPDATE_RANGE,
     .reads = true},
    {.command = "adm-get", .run = adm_get_run, .exception = EXCEPTION_OBJECT_NOT_FOUND, .reads = true},
};

#define OPERATION_COUNT (sizeof operations / sizeof operations[0])

size_t operation_count(void)
{
    return OPERATION_COUNT;
}

const struct operation *operation_number(size_t number)
{
    return &operations[number];
}

const struct operation *operation_find(const char *command)
{
    for (size_t i = 0; i < OPERATION_COUNT; i++)
        if (strcmp(operations[i].command, command) == 0)
            return &operations[i];
    return NULL;
}
