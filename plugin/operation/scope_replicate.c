/* scope-replicate: ReplicateScope on command (MS-IPAMM2 3.19.4.4.1.29). Queues the scopes; the worker carries out the
 * steps for each, in replicate_scope.c. */
#include "failover_sync/answer.h"
#include "failover_sync/mirror.h"
#include "failover_sync/operation.h"
#include "failover_sync/worker.h"

#include <stdio.h>
#include <stdlib.h>

struct wanted_scopes {
    uint32_t *ids;
    size_t count;
};

static void release_wanted(void *argument)
{
    struct wanted_scopes *wanted = argument;

    free(wanted->ids);
    free(wanted);
}

static struct result queue_scope(struct mirror_writer *writer, uint32_t subnet_id)
{
    struct plugin *plugin = writer->plugin;
    struct scope_entry entry;
    struct result result = result_ok();

    if (!scope_index_get(plugin->index, subnet_id, &entry))
        return result;
    for (size_t i = 0; i < plugin->relationships.count && !result_failed(result); i++) {
        const struct relationship *relationship = &plugin->relationships.list[i];
        struct queue_item wish;

        if ((entry.members >> i & 1) == 0)
            continue;
        wish = mirror_wish(relationship, subnet_id, entry.prefix, false);
        result = queue_put(plugin->store, &wish, writer->now);
    }
    scope_entry_clear(&entry);
    return result;
}

static struct result queue_wanted(struct plugin *plugin, void *argument)
{
    struct wanted_scopes *wanted = argument;
    struct mirror_writer writer;
    struct result result = mirror_begin(plugin, &writer);

    if (result_failed(result))
        return result;
    for (size_t i = 0; i < wanted->count && !result_failed(result); i++)
        result = queue_scope(&writer, wanted->ids[i]);
    if (result_failed(result))
        mirror_abandon(&writer);
    else
        result = mirror_commit(&writer);
    if (result.code != RESULT_STORE)
        release_wanted(wanted);
    if (!result_failed(result))
        worker_all_heard(plugin);
    return result;
}

static void add_once(struct wanted_scopes *wanted, uint32_t id)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (wanted->ids[i] == id)
            return;
    wanted->ids[wanted->count++] = id;
}

/* Step 2 of the document: every scope named must exist, or nothing is done. */
static char *check_exist(struct plugin *plugin, const struct wanted_scopes *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        struct scope_entry entry;
        char message[80];

        if (scope_index_get(plugin->index, wanted->ids[i], &entry)) {
            scope_entry_clear(&entry);
            continue;
        }
        (void)snprintf(message, sizeof message, "there is no scope with subnet id %u; nothing was replicated",
                       wanted->ids[i]);
        return answer_fault(FAULT_SENDER, "IpamApiDhcpScopeNotFoundInDB", NULL, message);
    }
    return NULL;
}

static json_t *describe(struct plugin *plugin, const struct wanted_scopes *wanted, size_t *queued)
{
    json_t *list = json_array();

    *queued = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        struct scope_entry entry;
        bool member = false;
        json_t *one;

        if (scope_index_get(plugin->index, wanted->ids[i], &entry)) {
            member = entry.members != 0;
            scope_entry_clear(&entry);
        }
        one = json_pack("{s:I,s:s}", "subnet-id", (json_int_t)wanted->ids[i], "result", member ? "queued" : "skipped");
        if (one != NULL && !member)
            (void)json_object_set_new(one, "text", json_string("the scope belongs to no failover relationship"));
        (void)json_array_append_new(list, one);
        *queued += member;
    }
    return list;
}

char *command_scope_replicate(struct plugin *plugin, const struct model_node *input)
{
    struct wanted_scopes *wanted = calloc(1, sizeof *wanted);
    size_t count = 0, queued = 0, skipped;
    json_t *list;
    struct result result;
    char *fault;

    for (const struct model_node *id = model_first(input, "subnet-ids"); id != NULL; id = model_next(id))
        count++;
    if (wanted != NULL)
        wanted->ids = calloc(count + 1, sizeof *wanted->ids);
    if (wanted == NULL || wanted->ids == NULL) {
        free(wanted);
        return NULL;
    }
    for (const struct model_node *id = model_first(input, "subnet-ids"); id != NULL; id = model_next(id))
        add_once(wanted, (uint32_t)strtoul(model_value(id), NULL, 10));
    fault = check_exist(plugin, wanted);
    if (fault != NULL) {
        release_wanted(wanted);
        return fault;
    }
    list = describe(plugin, wanted, &queued);
    skipped = wanted->count - queued;
    result = worker_post(plugin, queue_wanted, release_wanted, wanted);
    if (result_failed(result)) {
        json_decref(list);
        return answer_fault(FAULT_RECEIVER, "IpamApiDhcpFailoverFailedToReplicateScopes", NULL, result.message);
    }
    return answer_success(json_pack("{s:o}", "scopes", list), "%zu scope(s) queued, %zu skipped", queued, skipped);
}
