/* What the operations on relationships share; printing is in failover_output.c. */
#include "failover_parts.h"

#include "failover_sync/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- running ---- */

void failover_change_clear(struct failover_change *change)
{
    free(change->subnet_ids);
    *change = (struct failover_change){.kind = FAILOVER_UNCHANGED};
}

void failover_note(struct failover_operation *operation, enum failover_change_kind kind)
{
    struct failover_change *change = operation->change;

    if ((kind == FAILOVER_SCOPES_ADDED || kind == FAILOVER_SCOPES_REMOVED) && change->count == 0) {
        failover_change_clear(change);
        return;
    }
    change->kind = kind;
    change->relation_record_id = operation->relation_record_id;
    change->partner_record_id = operation->partner_record_id;
}

struct fault failover_failure(const struct failover_operation *operation, struct result result)
{
    return fault_of_result(result, operation->exception);
}

struct fault failover_no_memory(const struct failover_operation *operation)
{
    return failover_failure(operation, result_no_memory("an operation on a relationship"));
}

struct fault failover_run(struct failover_operation *operation, failover_steps steps, json_t **output)
{
    json_t *made;
    bool own = false;
    struct fault fault;

    *output = NULL;
    *operation->change = (struct failover_change){.kind = FAILOVER_UNCHANGED};
    fault = operation_begin(operation->store, operation->exception, &own);
    if (fault_raised(&fault))
        return fault;
    made = json_object();
    fault = made == NULL ? failover_no_memory(operation) : steps(operation, made);
    fault = operation_end(operation->store, own, fault, operation->exception, operation->command);
    if (fault_raised(&fault)) {
        json_decref(made);
        failover_change_clear(operation->change);
    } else {
        *output = made;
    }
    relation_row_clear(&operation->row);
    return fault;
}

/* ---- the relationship ---- */

/* The other server of the row: not this one, whatever it is called there. A row of the time when HA called this server
 * otherwise has that server's row, which is a local one, too. */
static struct result find_partner(struct failover_operation *operation)
{
    const struct relation_row *row = &operation->row;
    int64_t local = operation->context->local_server_record_id;
    const int64_t servers[] = {row->server1_record_id, row->server2_record_id};
    struct result result = result_ok();

    if (servers[0] == local || servers[1] == local) {
        operation->partner_record_id = servers[0] == local ? servers[1] : servers[0];
        return result;
    }
    for (int i = 0; i < 2 && operation->partner_record_id == 0 && !result_failed(result); i++) {
        struct server_row server;

        result = server_store_find_by_id(operation->store, servers[i], &server);
        if (!result_failed(result) && server.is_local)
            operation->partner_record_id = servers[1 - i];
        if (result.code == RESULT_NOT_FOUND)
            result = result_ok();
        server_row_clear(&server);
    }
    return result;
}

struct fault failover_find(struct failover_operation *operation)
{
    int64_t record_id = model_integer(operation->input, "record-id", 0);
    struct result result = relation_store_find(operation->store, record_id, &operation->row);

    if (result.code == RESULT_NOT_FOUND)
        return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, "record-id",
                               "there is no relationship with record id %lld; failover-get-all shows those there are",
                               (long long)record_id);
    operation->relation_record_id = record_id;
    if (!result_failed(result) && operation->context != NULL)
        result = find_partner(operation);
    return failover_failure(operation, result);
}

/* The bytes of the white space that `text` begins with (Unicode's White_Space); 0 if it begins with something else. */
static size_t space_length(const char *text)
{
    static const char *const spaces[] = {
        "\t",           "\n",           "\v",           "\f",           "\r",           " ",
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82",
        "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
        "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
        "\xe3\x80\x80"};

    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        size_t length = strlen(spaces[i]);

        if (strncmp(text, spaces[i], length) == 0)
            return length;
    }
    return 0;
}

struct fault failover_validate(const struct relation_row *row)
{
    const char *rest = row->relationship_name == NULL ? "" : row->relationship_name;
    size_t length;

    while ((length = space_length(rest)) != 0)
        rest += length;
    if (*rest == '\0')
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "relationship-name",
                               "the name of a relationship must not be blank; give one");
    if (row->mode == NULL || strcmp(row->mode, "None") == 0)
        return fault_of_sender(EXCEPTION_INVALID_ENUMERATION, "mode",
                               "a relationship has a mode; give LoadBalance or HotStandby");
    if (row->server1_percentage < 0 || row->server1_percentage > 100)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "server1-percentage",
                               "server 1 cannot have %lld percent; give 0 to 100", (long long)row->server1_percentage);
    return fault_none();
}

struct fault failover_paired_otherwise(const struct failover_operation *operation, bool *paired)
{
    int64_t other = 0;
    struct result result =
        relation_store_find_pair(operation->store, operation->context->local_server_record_id,
                                 operation->partner_record_id, NULL, operation->relation_record_id, &other);

    *paired = other != 0;
    return failover_failure(operation, result);
}

/* ---- the scopes ---- */

struct fault failover_check_scopes(const struct failover_operation *operation)
{
    const struct relation_row *row = &operation->row;
    int64_t local = operation->context->local_server_record_id;

    if (row->origin == RELATION_FROM_HA_CONFIG)
        return fault_of_sender(operation->exception, "record-id",
                               "the relationship \"%s\" is High Availability's, and which scopes belong to it follows "
                               "from the configuration; name the peer in the scope's user-context, \"ha-server-name\"",
                               show_name(row->relationship_name).text);
    if (operation->partner_record_id == 0 || (row->server1_record_id != local && row->server2_record_id != local))
        return fault_of_sender(operation->exception, "record-id",
                               "this server, now called \"%s\", is not in the relationship \"%s\"; delete that with "
                               "failover-del and add it anew",
                               show_name(operation->context->local_name).text, show_name(row->relationship_name).text);
    return fault_none();
}

struct fault failover_expect_scopes(struct failover_operation *operation)
{
    size_t count = 0;

    for (const struct model_node *named = model_first(operation->input, "subnet-ids"); named != NULL;
         named = model_next(named))
        count++;
    if (count == 0)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "subnet-ids", "no scope is named; name at least one");
    operation->change->subnet_ids = calloc(count, sizeof *operation->change->subnet_ids);
    return operation->change->subnet_ids == NULL ? failover_no_memory(operation) : fault_none();
}

struct fault failover_find_scope(const struct failover_operation *operation, const struct model_node *named,
                                 struct scope_row *scope)
{
    uint32_t subnet_id = (uint32_t)strtoul(model_value(named), NULL, 10);
    struct result result =
        scope_store_find(operation->store, operation->context->local_server_record_id, subnet_id, scope);

    if (result.code == RESULT_NOT_FOUND)
        return fault_of_sender(EXCEPTION_SCOPE_NOT_FOUND, "subnet-ids",
                               "this server has no scope with subnet id %lu; scope-get-all shows those there are",
                               (unsigned long)subnet_id);
    return failover_failure(operation, result);
}

/* The wish that the partner has the scope as it is here. */
static struct result queue_scope(const struct failover_operation *operation, const struct scope_row *scope)
{
    struct queue_item item = {
        .relation_record_id = operation->relation_record_id,
        .server_record_id = operation->partner_record_id,
        .id = scope->id,
    };

    if (!operation->context->parameters->replicate_on_change)
        return result_ok();
    (void)snprintf(item.name, sizeof item.name, "%s", scope->name);
    return queue_put(operation->store, &item, operation->context->now_ms);
}

struct fault failover_add_scope(struct failover_operation *operation, const struct model_node *named)
{
    struct failover_change *change = operation->change;
    struct scope_row scope;
    bool member = false;
    struct result result;
    struct fault fault = failover_find_scope(operation, named, &scope);

    if (fault_raised(&fault))
        return fault;

    /* 4.1 */
    result = membership_store_has(operation->store, scope.record_id, operation->relation_record_id, &member);
    if (result_failed(result) || member)
        goto done;

    /* 4.2 */
    result = membership_store_add(operation->store, scope.record_id, operation->relation_record_id);
    if (!result_failed(result))
        result = queue_scope(operation, &scope);
    if (!result_failed(result))
        change->subnet_ids[change->count++] = object_subnet_id(scope.id);
done:
    scope_row_clear(&scope);
    return failover_failure(operation, result);
}
