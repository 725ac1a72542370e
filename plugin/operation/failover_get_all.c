/* failover-get-all: the relationships of this server as they are mirrored, and the rows of all relationships or of one
 * server's (MS-IPAMM2 3.1.1.1.44.2.2, GetAllDhcpFailoverByServerId). */
#include "failover_parts.h"
#include "failover_sync/answer.h"
#include "failover_sync/operation.h"

#include <string.h>

struct listing {
    struct store *store;
    const char *server_name; /* NULL: any */
    int64_t server_record_id;
    json_t *list;
};

/* The document enumerates by a server's RecordId; a client names a server as the relationship does. */
static bool is_wanted(const struct listing *listing, const struct relation_row *row)
{
    const char *name = listing->server_name;

    return name == NULL || (row->server1_name != NULL && strcmp(row->server1_name, name) == 0) ||
           (row->server2_name != NULL && strcmp(row->server2_name, name) == 0) ||
           (listing->server_record_id != 0 && (row->server1_record_id == listing->server_record_id ||
                                               row->server2_record_id == listing->server_record_id));
}

static struct result list_one(void *context, const struct relation_row *row)
{
    struct listing *listing = context;
    json_t *json = NULL;
    struct result result;

    if (!is_wanted(listing, row))
        return result_ok();
    result = failover_json(listing->store, row, &json);
    if (!result_failed(result) && json_array_append_new(listing->list, json) != 0)
        result = result_no_memory("the relationships");
    return result;
}

struct fault failover_get_all(struct store *store, const struct model_node *input, json_t **output)
{
    struct listing listing = {.store = store, .server_name = model_text(input, "server-name"), .list = json_array()};
    struct server_row server = {.ha_name = NULL};
    struct result result = listing.list == NULL ? result_no_memory("the relationships") : result_ok();

    *output = NULL;
    if (!result_failed(result) && listing.server_name != NULL)
        result = server_store_find(store, listing.server_name, &listing.server_record_id, &server);
    if (result.code == RESULT_NOT_FOUND)
        result = result_ok();
    if (!result_failed(result))
        result = relation_store_each(store, list_one, &listing);
    if (!result_failed(result)) {
        *output = json_pack("{s:O}", "relationships", listing.list);
        if (*output == NULL)
            result = result_no_memory("the relationships");
    }
    server_row_clear(&server);
    json_decref(listing.list);
    return fault_of_result(result, EXCEPTION_FAILOVER_NOT_FETCHED);
}

/* ---- the command ---- */

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
