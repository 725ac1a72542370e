/* operation-get: how far an operation has got (SetOverallStatus, MS-IPAMM2 3.19.4.8, as a client sees it). From memory.
 */
#include "failover_sync/answer.h"
#include "failover_sync/operation.h"

char *command_operation_get(struct plugin *plugin, const struct model_node *input)
{
    const char *id = model_text(input, "operation-id");
    json_t *operation = operation_log_describe(plugin->operations, id);
    const char *state = json_string_value(json_object_get(operation, "state"));

    if (operation == NULL)
        return answer_empty(NULL, "operation %s is not known: the last %d are kept", id, OPERATIONS_KEPT);
    return answer_success(json_pack("{s:o}", "operation", operation), "operation %s: %s", id, state);
}
