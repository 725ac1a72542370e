/* RemoveDhcpFailoverScopes (MS-IPAMM2 3.19.4.4.1.26, DhcpFailoverRemoveScopesDelegate). */
#include "failover_parts.h"

#include "failover_sync/queue.h"

/* Nothing is agreed on with the partner about the scope any more, and nothing is to be sent to it. What the partner
 * itself has is not touched. */
static struct result forget_scope(const struct failover_operation *operation, uint32_t subnet_id)
{
    struct result result = scope_store_remove(operation->store, operation->partner_record_id, subnet_id);

    if (!result_failed(result))
        result = queue_remove(operation->store, operation->partner_record_id, subnet_id);
    return result;
}

/* Step 3.1 for one scope: the document deletes by the scope alone; it means the relationship that the client names. */
static struct fault remove_scope(struct failover_operation *operation, const struct model_node *named,
                                 bool paired_otherwise)
{
    struct failover_change *change = operation->change;
    struct scope_row scope;
    bool member = false;
    struct result result;
    struct fault fault = failover_find_scope(operation, named, &scope);

    if (fault_raised(&fault))
        return fault;
    result = membership_store_has(operation->store, scope.record_id, operation->relation_record_id, &member);
    if (result_failed(result) || !member)
        goto done;
    result = membership_store_remove(operation->store, scope.record_id, operation->relation_record_id);
    if (!result_failed(result) && !paired_otherwise)
        result = forget_scope(operation, object_subnet_id(scope.id));
    if (!result_failed(result))
        change->subnet_ids[change->count++] = object_subnet_id(scope.id);
done:
    scope_row_clear(&scope);
    return failover_failure(operation, result);
}

static struct fault scope_del_steps(struct failover_operation *operation, json_t *output)
{
    bool paired_otherwise = false;
    struct fault fault;

    /* 1 and 2: that the relationship and its scopes are given is for the model to see; that it exists is not. */
    fault = failover_find(operation);
    if (!fault_raised(&fault))
        fault = failover_check_scopes(operation);
    if (!fault_raised(&fault))
        fault = failover_expect_scopes(operation);
    if (!fault_raised(&fault))
        fault = failover_paired_otherwise(operation, &paired_otherwise);

    /* 3 */
    for (const struct model_node *named = model_first(operation->input, "subnet-ids");
         named != NULL && !fault_raised(&fault); named = model_next(named))
        fault = remove_scope(operation, named, paired_otherwise);
    if (fault_raised(&fault))
        return fault;

    /* 4: the overall status is the caller's to set. */
    fault = failover_show(operation, output);
    if (!fault_raised(&fault) && !json_put(output, "removed", json_integer((json_int_t)operation->change->count)))
        fault = failover_no_memory(operation);
    failover_note(operation, FAILOVER_SCOPES_REMOVED);
    return fault;
}

struct fault failover_scope_del(struct store *store, const struct failover_context *context,
                                const struct model_node *input, struct failover_change *change, json_t **output)
{
    struct failover_operation operation = {.store = store,
                                           .context = context,
                                           .input = input,
                                           .command = "failover-scope-del",
                                           .exception = EXCEPTION_FAILOVER_SCOPES_NOT_REMOVED,
                                           .change = change};

    return failover_run(&operation, scope_del_steps, output);
}
