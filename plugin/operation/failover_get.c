/* GetDhcpFailoverById (MS-IPAMM2 3.1.1.1.44.2.1): one relationship, as stored. */
#include "failover_parts.h"

struct fault failover_get(struct store *store, const struct model_node *input, json_t **output)
{
    struct failover_operation operation = {
        .store = store, .input = input, .command = "failover-get", .exception = EXCEPTION_FAILOVER_NOT_FETCHED};
    struct fault fault = failover_find(&operation);

    *output = NULL;
    if (!fault_raised(&fault)) {
        *output = json_object();
        fault = *output == NULL ? failover_no_memory(&operation) : failover_show(&operation, *output);
    }
    if (fault_raised(&fault)) {
        json_decref(*output);
        *output = NULL;
    }
    relation_row_clear(&operation.row);
    fault_complete_path(&fault, operation.command);
    return fault;
}
