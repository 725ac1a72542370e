/* DeleteDhcpFailover (MS-IPAMM2 3.19.4.4.1.27, DeleteDhcpFailoverDelegate). The partner keeps what it has; what is
 * deleted is what the store knows of it. */
#include "failover_parts.h"

#include <stdlib.h>

struct ids {
    uint32_t *list;
    size_t count, capacity;
};

static struct result collect(void *context, const struct scope_row *row)
{
    struct ids *ids = context;

    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity == 0 ? 64 : ids->capacity * 2;
        uint32_t *list = reallocarray(ids->list, capacity, sizeof *list);

        if (list == NULL)
            return result_no_memory("the partner's scopes");
        ids->list = list;
        ids->capacity = capacity;
    }
    ids->list[ids->count++] = object_subnet_id(row->id);
    return result_ok();
}

/* The partner's scopes, one by one, so that their blocks and superscopes go, too; and the partner, if it is nobody's
 * any more. */
static struct result forget_partner(const struct failover_operation *operation)
{
    struct ids ids = {.count = 0};
    struct result result = scope_store_each(operation->store, operation->partner_record_id, collect, &ids);

    for (size_t i = 0; i < ids.count && !result_failed(result); i++)
        result = scope_store_remove(operation->store, operation->partner_record_id, ids.list[i]);
    free(ids.list);
    if (!result_failed(result))
        result = server_store_remove_unused(operation->store, operation->partner_record_id);
    return result;
}

static struct fault del_steps(struct failover_operation *operation, json_t *output)
{
    struct failover_change *change = operation->change;
    bool paired_otherwise = false;
    struct result result;
    struct fault fault;

    (void)output;

    /* 1 and 2: that the relationship is given is for the model to see. */

    /* 3 */
    fault = failover_find(operation);
    if (fault_raised(&fault))
        return fault;
    if (operation->row.origin == RELATION_FROM_HA_CONFIG)
        return fault_of_sender(operation->exception, "record-id",
                               "the relationship \"%s\" is High Availability's and would come back; remove it from the "
                               "parameters of High Availability",
                               show_name(operation->row.relationship_name).text);
    fault = failover_paired_otherwise(operation, &paired_otherwise);
    if (fault_raised(&fault))
        return fault;

    /* 4: memberships and wishes go with the row. */
    result = membership_store_scopes(operation->store, operation->relation_record_id,
                                     operation->context->local_server_record_id, &change->subnet_ids, &change->count);
    if (!result_failed(result))
        result = relation_store_remove(operation->store, operation->relation_record_id);
    if (!result_failed(result) && !paired_otherwise)
        result = forget_partner(operation);
    failover_note(operation, FAILOVER_DELETED);

    /* 5: the overall status is the caller's to set. */
    return failover_failure(operation, result);
}

struct fault failover_del(struct store *store, const struct failover_context *context, const struct model_node *input,
                          struct failover_change *change, json_t **output)
{
    struct failover_operation operation = {.store = store,
                                           .context = context,
                                           .input = input,
                                           .command = "failover-del",
                                           .exception = EXCEPTION_FAILOVER_NOT_DELETED,
                                           .change = change};

    return failover_run(&operation, del_steps, output);
}
