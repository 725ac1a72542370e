/* AddDhcpFailoverScopes (MS-IPAMM2 3.19.4.4.1.25, DhcpFailoverAddScopesDelegate). */
#include "failover_parts.h"

static struct fault scope_add_steps(struct failover_operation *operation, json_t *output)
{
    struct fault fault;

    /* 1 and 2: that the relationship and its scopes are given is for the model to see. */

    /* 3: the document says ADM_DhcpScopeFailoverTable; it means the relation table. */
    fault = failover_find(operation);
    if (!fault_raised(&fault))
        fault = failover_check_scopes(operation);
    if (!fault_raised(&fault))
        fault = failover_expect_scopes(operation);

    /* 4 */
    for (const struct model_node *named = model_first(operation->input, "subnet-ids");
         named != NULL && !fault_raised(&fault); named = model_next(named))
        fault = failover_add_scope(operation, named);
    if (fault_raised(&fault))
        return fault;

    /* 5: the overall status is the caller's to set. */
    fault = failover_show(operation, output);
    if (!fault_raised(&fault) && !json_put(output, "added", json_integer((json_int_t)operation->change->count)))
        fault = failover_no_memory(operation);
    failover_note(operation, FAILOVER_SCOPES_ADDED);
    return fault;
}

struct fault failover_scope_add(struct store *store, const struct failover_context *context,
                                const struct model_node *input, struct failover_change *change, json_t **output)
{
    struct failover_operation operation = {.store = store,
                                           .context = context,
                                           .input = input,
                                           .command = "failover-scope-add",
                                           .exception = EXCEPTION_FAILOVER_SCOPES_NOT_ADDED,
                                           .change = change};

    return failover_run(&operation, scope_add_steps, output);
}
