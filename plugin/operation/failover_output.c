/* Relationships as JSON, by the names of the model. */
#include "failover_parts.h"

#include <string.h>

/* The columns that a client may modify, by their names in the model; the others that an edit can hold are not shown. */
static const struct {
    enum relation_column column;
    const char *name;
} properties[] = {
    {RELATION_NAME, "relationship-name"},
    {RELATION_MODE, "mode"},
    {RELATION_MCLT, "mclt"},
    {RELATION_AUTO_STATE_TRANSITION, "auto-state-transition"},
    {RELATION_STATE_SWITCH_INTERVAL, "state-switch-interval"},
    {RELATION_SERVER1_PERCENTAGE, "server1-percentage"},
};
#define PROPERTIES (sizeof properties / sizeof properties[0])

enum relation_column failover_property_find(const char *name)
{
    for (size_t i = 0; i < PROPERTIES; i++) {
        if (strcmp(properties[i].name, name) == 0)
            return properties[i].column;
    }
    return RELATION_COLUMNS;
}

const char *failover_property_name(enum relation_column column)
{
    for (size_t i = 0; i < PROPERTIES; i++) {
        if (properties[i].column == column)
            return properties[i].name;
    }
    return NULL;
}

json_t *failover_properties_json(uint32_t columns)
{
    json_t *list = json_array();

    for (size_t i = 0; i < PROPERTIES && list != NULL; i++) {
        if ((columns & RELATION_BIT(properties[i].column)) != 0 &&
            json_array_append_new(list, json_string(properties[i].name)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Seconds; null is left out. */
static bool put_seconds(json_t *map, const char *name, int64_t seconds)
{
    return seconds < 0 || json_put(map, name, json_integer((json_int_t)seconds));
}

static bool put_servers(json_t *map, const struct relation_row *row)
{
    return json_put_id(map, "server1-record-id", row->server1_record_id) &&
           json_put_id(map, "server2-record-id", row->server2_record_id) &&
           json_put_text(map, "server1-name", row->server1_name) &&
           json_put_text(map, "server2-name", row->server2_name) &&
           json_put_text(map, "server1-ps-name", row->server1_ps_name) &&
           json_put_text(map, "server2-ps-name", row->server2_ps_name) &&
           json_put_text(map, "server1-ip", row->server1_ip) && json_put_text(map, "server2-ip", row->server2_ip) &&
           json_put_text(map, "server1-state", row->server1_state) &&
           json_put_text(map, "server2-state", row->server2_state);
}

struct result failover_json(struct store *store, const struct relation_row *row, json_t **json)
{
    uint32_t edited = 0;
    int64_t scopes = 0;
    struct result result = relation_row_edited(row, &edited);

    *json = NULL;
    if (!result_failed(result))
        result = membership_store_count(store, row->record_id, &scopes);
    if (result_failed(result))
        return result;
    *json = json_object();
    if (*json != NULL && json_put_id(*json, "record-id", row->record_id) &&
        json_put_text(*json, "relationship-name", row->relationship_name) && json_put_text(*json, "mode", row->mode) &&
        put_seconds(*json, "mclt", row->mclt) &&
        json_put(*json, "auto-state-transition", json_boolean(row->auto_state_transition)) &&
        put_seconds(*json, "state-switch-interval", row->state_switch_interval) &&
        json_put(*json, "server1-percentage", json_integer((json_int_t)row->server1_percentage)) &&
        json_put_text(*json, "kea-mode", row->kea_mode) &&
        json_put(*json, "shared-secret-enabled", json_boolean(row->shared_secret_enabled)) && put_servers(*json, row) &&
        json_put_text(*json, "origin", row->origin == RELATION_FROM_ADMIN ? "Admin" : "HaConfig") &&
        json_put(*json, "edited-properties", failover_properties_json(edited)) &&
        json_put(*json, "scopes", json_integer((json_int_t)scopes)))
        return result;
    json_decref(*json);
    *json = NULL;
    return result_no_memory("a relationship");
}

struct fault failover_show(const struct failover_operation *operation, json_t *output)
{
    struct relation_row row;
    json_t *json = NULL;
    struct result result = relation_store_find(operation->store, operation->relation_record_id, &row);

    if (!result_failed(result))
        result = failover_json(operation->store, &row, &json);
    if (!result_failed(result) && !json_put(output, "failover", json))
        result = result_no_memory("a relationship");
    relation_row_clear(&row);
    return failover_failure(operation, result);
}
