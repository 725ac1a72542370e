/* failover-status: one answer for an admin, from memory. */
#include "failover_sync/answer.h"
#include "failover_sync/operation.h"

/* What is counted over all scopes. */
struct counts {
    size_t relationships;
    uint32_t scopes, not_in_file;
    uint32_t members[RELATIONSHIP_MAX], in_sync[RELATIONSHIP_MAX];
};

static bool count_scope(void *context, const struct scope_entry *entry)
{
    struct counts *counts = context;

    counts->scopes++;
    if (!fingerprint_equal(entry->fingerprint, entry->file_fingerprint))
        counts->not_in_file++;
    for (size_t i = 0; i < counts->relationships; i++) {
        if ((entry->members >> i & 1) == 0)
            continue;
        counts->members[i]++;
        if (entry->reset || scope_entry_agreed(entry, i))
            counts->in_sync[i]++;
    }
    return true;
}

static json_t *relationship_json(const struct relationship *relationship, const struct relationship_status *status,
                                 const struct counts *counts, size_t i, int64_t now)
{
    const struct relationship_server *partner = relationship_partner(relationship);
    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:I,s:I,s:I,s:i,s:i,s:i}", "name", relationship->name, "mode",
        relationship->mode, "partner", partner->name, "partner-url", relationship->access.url, "local-state",
        status->local_state[0] == '\0' ? "Unknown" : status->local_state, "partner-state",
        status->partner_state[0] == '\0' ? "Unknown" : status->partner_state, "scopes", (int)counts->members[i],
        "in-sync", (int)counts->in_sync[i], "out-of-sync", (int)(counts->members[i] - counts->in_sync[i]), "queued",
        (json_int_t)status->queue.length, "held", (json_int_t)status->queue.held, "oldest-wait-ms",
        (json_int_t)(status->queue.length == 0 || now < status->queue.oldest ? 0 : now - status->queue.oldest),
        "pushes", (int)status->pushes, "scopes-sent", (int)status->scopes_sent, "scopes-received",
        (int)status->scopes_received);

    if (json == NULL)
        return NULL;
    if (relationship->kea_mode != NULL)
        (void)json_object_set_new(json, "kea-mode", json_string(relationship->kea_mode));
    if (status->way != NULL)
        (void)json_object_set_new(json, "way", json_string(status->way));
    if (status->next_attempt > now)
        (void)json_object_set_new(json, "next-attempt-ms", json_integer(status->next_attempt - now));
    if (status->last_error[0] != '\0')
        (void)json_object_set_new(json, "last-error", json_string(status->last_error));
    return json;
}

char *command_failover_status(struct plugin *plugin, const struct model_node *input)
{
    static const char *const mirror[] = {"starting", "current", "unavailable"};
    struct counts counts = {.relationships = plugin->relationships.count};
    int64_t now = engine_now();
    json_t *list = json_array(), *output;
    size_t shown = 0;

    (void)input;
    scope_index_each(plugin->index, count_scope, &counts);
    (void)pthread_mutex_lock(&plugin->status.lock);
    for (size_t i = 0; i < plugin->relationships.count; i++) {
        if (!plugin->relationships.list[i].local)
            continue;
        (void)json_array_append_new(
            list, relationship_json(&plugin->relationships.list[i], &plugin->status.relationship[i], &counts, i, now));
        shown++;
    }
    output = json_pack("{s:s,s:s,s:s,s:i,s:i,s:o}", "server", plugin->relationships.server_name, "store",
                       plugin->parameters.store, "mirror", mirror[plugin->status.mirror], "scopes", (int)counts.scopes,
                       "scopes-not-in-file", (int)counts.not_in_file, "relationships", list);
    if (output != NULL && plugin->status.mirror_error[0] != '\0')
        (void)json_object_set_new(output, "mirror-error", json_string(plugin->status.mirror_error));
    (void)pthread_mutex_unlock(&plugin->status.lock);
    if (output == NULL)
        return NULL;
    return answer_success(output, "%zu relationship(s), %u scope(s)", shown, counts.scopes);
}
