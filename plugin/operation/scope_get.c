/* scope-get and scope-get-all: scopes of this server and how they stand with the partners. The definition is read from
 * the running configuration, everything else from the index. */
#include "failover_sync/answer.h"
#include "failover_sync/json_load.h"
#include "failover_sync/operation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *relationship_name(const struct plugin *plugin, const struct scope_entry *entry)
{
    for (size_t i = 0; i < plugin->relationships.count; i++)
        if ((entry->members >> i & 1) != 0)
            return plugin->relationships.list[i].name;
    return NULL;
}

/* What the partner answered; of the first relationship, as for the name. */
static const char *partner_fingerprint(const struct plugin *plugin, const struct scope_entry *entry)
{
    for (size_t i = 0; i < plugin->relationships.count; i++)
        if ((entry->members >> i & 1) != 0)
            return entry->agreement[i].theirs.hex;
    return "";
}

json_t *scope_state_json(const struct plugin *plugin, const struct scope_entry *entry)
{
    const char *status = scope_entry_status(entry, plugin->relationships.count);
    const char *name = relationship_name(plugin, entry);
    char modified[ENGINE_TIMESTAMP_SIZE];
    json_t *json;

    engine_timestamp(entry->modified_at, modified);
    json = json_pack("{s:I,s:s,s:I,s:s,s:s,s:s,s:b,s:s,s:s}", "subnet-id", (json_int_t)entry->id, "prefix", entry->name,
                     "record-id", (json_int_t)entry->record_id, "sync-status", status, "fingerprint",
                     entry->fingerprint.hex, "partner-fingerprint", partner_fingerprint(plugin, entry), "in-file",
                     scope_entry_in_file(entry), "origin",
                     entry->origin == SCOPE_FROM_PARTNER ? "partner" : "configuration", "modified-at", modified);
    if (json != NULL && name != NULL)
        (void)json_object_set_new(json, "relationship", json_string(name));
    if (json != NULL && strcmp(status, "OutOfSync") == 0 && entry->reason[0] != '\0')
        (void)json_object_set_new(json, "sync-reason", json_string(entry->reason));
    return json;
}

/* A scope that runs and that the worker is about to mirror. */
static void not_mirrored_yet(const struct kea_object *running, struct scope_entry *entry)
{
    *entry = (struct scope_entry){
        .id = running->id,
        .fingerprint = running->fingerprint,
        .printed = running->printed,
        .modified_at = engine_now(),
    };
    (void)snprintf(entry->name, sizeof entry->name, "%s", running->name);
}

static json_t *readable_definition(const struct kea_object *running)
{
    char *readable = running->definition == NULL ? NULL : kea_json_readable(running->definition);
    json_t *definition = readable == NULL ? NULL : json_load(readable, JSON_ALLOW_NUL, &json_kea_bounds, NULL);

    free(readable);
    return definition;
}

char *command_scope_get(struct plugin *plugin, const struct model_node *input)
{
    const struct kea_server *server = plugin->server;
    uint32_t subnet_id = (uint32_t)model_integer(input, "subnet-id", 0);
    struct kea_object running = {.id = 0};
    struct scope_entry entry;
    bool runs = server->on_main(server->context) &&
                !result_failed(server->object_get(server->context, KEA_RUNNING, subnet_id, &running));
    bool mirrored = scope_index_get(plugin->index, subnet_id, &entry);
    json_t *scope, *definition;
    char *answer = NULL;

    if (!mirrored && !runs)
        return answer_empty(NULL, "there is no scope with subnet id %u", subnet_id);
    if (!mirrored)
        not_mirrored_yet(&running, &entry);
    scope = scope_state_json(plugin, &entry);
    definition = readable_definition(&running);
    if (scope != NULL && definition != NULL)
        (void)json_object_set(scope, "definition", definition);
    json_decref(definition);
    if (scope != NULL)
        answer = answer_success(json_pack("{s:o}", "scope", scope), "scope %.48s%s", entry.name,
                                mirrored ? "" : ", not mirrored yet");
    scope_entry_clear(&entry);
    kea_object_clear(&running);
    return answer;
}

struct listing {
    const struct plugin *plugin;
    const char *relationship, *status;
    json_t *list;
};

static bool in_relationship(const struct listing *listing, const struct scope_entry *entry)
{
    for (size_t i = 0; i < listing->plugin->relationships.count; i++)
        if ((entry->members >> i & 1) != 0 &&
            strcmp(listing->plugin->relationships.list[i].name, listing->relationship) == 0)
            return true;
    return false;
}

static bool list_scope(void *context, const struct scope_entry *entry)
{
    struct listing *listing = context;

    if (object_kind_of(entry->id) != OBJECT_SCOPE)
        return true;
    if ((listing->relationship == NULL || in_relationship(listing, entry)) &&
        (listing->status == NULL ||
         strcmp(scope_entry_status(entry, listing->plugin->relationships.count), listing->status) == 0))
        return json_array_append_new(listing->list, scope_state_json(listing->plugin, entry)) == 0;
    return true;
}

char *command_scope_get_all(struct plugin *plugin, const struct model_node *input)
{
    struct listing listing = {
        .plugin = plugin,
        .relationship = model_text(input, "relationship"),
        .status = model_text(input, "sync-status"),
        .list = json_array(),
    };
    size_t count;
    json_t *output;

    if (listing.list == NULL)
        return NULL;
    scope_index_each(plugin->index, list_scope, &listing);
    count = json_array_size(listing.list);
    output = json_pack("{s:o}", "scopes", listing.list);
    if (output == NULL)
        return NULL;
    if (count == 0)
        return answer_empty(output, "0 scope(s) found%s%.256s", listing.relationship == NULL ? "" : " in relationship ",
                            listing.relationship == NULL ? "" : listing.relationship);
    return answer_success(output, "%zu scope(s) found", count);
}
