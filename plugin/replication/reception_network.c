/* A scope that is received into a shared network which this server has already. It carries the network's parameters, as
 * the sender has them; they are not newer than what was changed here and the sender has not taken yet. */
#include "plugin/replication/reception.h"

#include "failover_sync/json_load.h"

#include <stdlib.h>
#include <string.h>

/* A reference to the network in a definition; NULL if it is in none. */
static json_t *network_of(const char *definition)
{
    json_t *root = definition == NULL || strstr(definition, "\"shared-network\"") == NULL
                       ? NULL
                       : json_load(definition, JSON_ALLOW_NUL, &json_kea_bounds, NULL);
    json_t *network = json_incref(json_object_get(root, "shared-network"));

    json_decref(root);
    return network;
}

static const char *name_of(const json_t *network)
{
    return json_string_value(json_object_get(network, "name"));
}

/* Whether the sender had heard of all that was edited of another scope when it sent this one. */
static bool was_known(const struct received_scope *scope, const struct version_vector *version)
{
    const enum version_order order = version_compare(version, &scope->network);

    return version_empty(&scope->network) || order == VERSION_SAME || order == VERSION_OLDER ||
           version_only_followed(version, &scope->network);
}

/* Whether what the sender has of a scope in the network is what runs here. That the worker knows what runs is asked of
 * one of them (`read`): a change of the network is one of all its scopes. */
static bool is_known(const struct reception *reception, const struct received_scope *comes, object_id id, bool read)
{
    const struct kea_server *server = reception->plugin->server;
    struct kea_object scope = {.id = 0};
    struct scope_entry entry;
    bool known;

    if (!scope_index_get(reception->plugin->index, id, &entry))
        return false;
    known = scope_entry_agreed(&entry, reception->number) && was_known(comes, &entry.version);
    if (known && read) {
        struct result result = server->object_get(server->context, KEA_RUNNING, id, &scope);

        known = !result_failed(result) && fingerprint_equal(scope.fingerprint, entry.fingerprint);
        kea_object_clear(&scope);
    }
    scope_entry_clear(&entry);
    return known;
}

static bool has_changed(const struct reception *reception, const struct received_scope *comes, const char *network)
{
    const struct kea_server *server = reception->plugin->server;
    object_id *ids = NULL;
    size_t count = 0;
    bool changed =
        result_failed(server->network_scope_ids(server->context, KEA_RUNNING, network, &ids, &count)) && count > 0;

    for (size_t i = 0; i < count && !changed; i++)
        changed = !is_known(reception, comes, ids[i], i == 0);
    free(ids);
    return changed;
}

/* The same, without looking twice: nothing changes before the batch is applied. */
static bool was_changed(struct reception *reception, const struct received_scope *comes, const char *network)
{
    const struct fingerprint name = fingerprint_of(network, strlen(network));

    if (!fingerprint_equal(name, reception->network.name) ||
        !version_equal(&comes->network, &reception->network.known)) {
        reception->network.name = name;
        reception->network.known = comes->network;
        reception->network.changed = has_changed(reception, comes, network);
    }
    return reception->network.changed;
}

bool reception_keeps_network(struct reception *reception, const struct received_scope *scope)
{
    json_t *comes = network_of(scope->definition), *was = network_of(scope->before.definition);
    const char *name = name_of(comes);
    bool keeps = name != NULL && (name_of(was) == NULL || strcmp(name_of(was), name) != 0) &&
                 was_changed(reception, scope, name);

    json_decref(comes);
    json_decref(was);
    return keeps;
}

bool reception_network_differs(const struct received_scope *scope)
{
    json_t *sent = network_of(scope->definition), *runs = network_of(scope->after.replicated);
    bool differs = !json_equal(sent, runs);

    json_decref(sent);
    json_decref(runs);
    return differs;
}
