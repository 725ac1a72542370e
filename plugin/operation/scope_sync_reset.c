/* ResetConfigSyncStatus (MS-IPAMM2 3.19.4.4.1.28): the state of scopes becomes InSync because an administrator says so.
 * What is queued for the partners stays queued. */
#include "engine_operation.h"

#include "failover_sync/mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps 3.1 and 3.2 for one scope. */
static struct result reset_scope(struct mirror_writer *writer, uint32_t subnet_id, size_t *reset, size_t *skipped)
{
    struct plugin *plugin = writer->plugin;
    struct scope_entry entry;
    struct result result = result_ok();

    if (!scope_index_get(plugin->index, subnet_id, &entry)) {
        ++*skipped;
        return result;
    }
    if (strcmp(scope_entry_status(&entry, plugin->relationships.count), "InSync") != 0) {
        ++*reset;
        entry.reset = true;
        result = mirror_set_sync(writer, &entry, NULL);
    }
    scope_entry_clear(&entry);
    return result;
}

struct fault scope_sync_reset_run(struct operation_context *context)
{
    struct mirror_writer writer;
    uint32_t *ids = NULL;
    size_t count = 0, reset = 0, skipped = 0;
    struct result result = subnet_ids_input(context->input, &ids, &count);

    if (!result_failed(result))
        result = mirror_begin(context->plugin, &writer);
    if (result_failed(result))
        goto done;
    for (size_t i = 0; i < count && !result_failed(result); i++)
        result = reset_scope(&writer, ids[i], &reset, &skipped);
    if (!result_failed(result))
        context->output = json_pack("{s:I,s:I}", "reset", (json_int_t)reset, "skipped", (json_int_t)skipped);
    if (!result_failed(result) && context->output == NULL)
        result = result_no_memory("an answer");
    if (result_failed(result))
        mirror_abandon(&writer);
    else
        result = mirror_commit(&writer);
    (void)snprintf(context->text, sizeof context->text, "%zu scope(s) set to InSync, %zu not found", reset, skipped);
done:
    free(ids);
    return fault_of_result(result, EXCEPTION_SCOPES_NOT_REPLICATED);
}
