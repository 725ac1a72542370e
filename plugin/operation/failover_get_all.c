/* failover-get-all: the relationships of this server as they are mirrored (MS-IPAMM2, GetAllDhcpFailoverByServerId). */
#include "failover_sync/answer.h"
#include "failover_sync/operation.h"

static bool count_members(void *context, const struct scope_entry *entry)
{
    uint32_t *members = context;

    for (size_t i = 0; i < RELATIONSHIP_MAX; i++)
        members[i] += (uint32_t)(entry->members >> i & 1);
    return true;
}

static json_t *relationship_json(const struct relationship *relationship, const struct relationship_status *status,
                                 uint32_t members)
{
    const char *local = status->local_state[0] == '\0' ? "Unknown" : status->local_state;
    const char *partner = status->partner_state[0] == '\0' ? "Unknown" : status->partner_state;
    bool first = relationship->local_is_server1;
    json_t *json;

    if (!relationship->local)
        local = partner = "Unknown";
    json = json_pack(
        "{s:I,s:s,s:s,s:s,s:b,s:I,s:i,s:b,s:s,s:s,s:s,s:s,s:s,s:s,s:i}", "record-id",
        (json_int_t)relationship->record_id, "relationship-name", relationship->name, "mode", relationship->mode,
        "kea-mode", relationship->kea_mode, "auto-state-transition", relationship->auto_failover,
        "state-switch-interval", (json_int_t)(relationship->max_response_delay_ms / 1000), "server1-percentage",
        relationship->mode[0] == 'L' ? 50 : 100, "shared-secret-enabled", relationship->secret, "server1-name",
        relationship->server1.name, "server2-name", relationship->server2.name, "server1-ip",
        relationship->server1.host, "server2-ip", relationship->server2.host, "server1-state", first ? local : partner,
        "server2-state", first ? partner : local, "scopes", (int)members);
    if (json != NULL && relationship->mclt >= 0)
        (void)json_object_set_new(json, "mclt", json_integer(relationship->mclt));
    return json;
}

char *command_failover_get_all(struct plugin *plugin, const struct model_node *input)
{
    uint32_t members[RELATIONSHIP_MAX] = {0};
    size_t count = plugin->relationships.count;
    json_t *list = json_array();
    json_t *output;

    (void)input;
    scope_index_each(plugin->index, count_members, members);
    (void)pthread_mutex_lock(&plugin->status.lock);
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(
            list, relationship_json(&plugin->relationships.list[i], &plugin->status.relationship[i], members[i]));
    (void)pthread_mutex_unlock(&plugin->status.lock);
    output = json_pack("{s:o}", "relationships", list);
    if (output == NULL)
        return NULL;
    if (count == 0)
        return answer_empty(output, "0 relationship(s) found");
    return answer_success(output, "%zu relationship(s) found", count);
}
