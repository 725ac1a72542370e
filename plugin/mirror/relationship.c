/* The failover relationships as HA's parameters give them (ADM, "From Kea to the relation"), and which of them a scope
 * belongs to. Writing them to the store is in relationship_mirror.c. */
#include "failover_sync/relationship.h"
#include "failover_sync/json_load.h"
#include "failover_sync/kea.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HA_MAX_RESPONSE_DELAY_MS 60000 /* HA's own default */

static struct result copy_string(const json_t *map, const char *name, char **target)
{
    const char *text = json_string_value(json_object_get(map, name));

    if (text == NULL)
        return result_ok();
    free(*target);
    *target = strdup(text);
    return *target == NULL ? result_no_memory("the relationships") : result_ok();
}

char *relationship_url_host(const char *url)
{
    const char *start = url == NULL ? NULL : strstr(url, "://");
    size_t length;

    if (start == NULL)
        return strdup("");
    start += 3;
    if (*start == '[') {
        start++;
        length = strcspn(start, "]");
    } else {
        length = strcspn(start, ":/");
    }
    return strndup(start, length);
}

static void server_clear(struct relationship_server *server)
{
    free(server->name);
    free(server->url);
    free(server->host);
    *server = (struct relationship_server){.name = NULL};
}

void relationship_clear(struct relationship *relationship)
{
    free(relationship->name);
    free(relationship->kea_mode);
    server_clear(&relationship->server1);
    server_clear(&relationship->server2);
    partner_access_clear(&relationship->access);
    *relationship = (struct relationship){.name = NULL};
}

void relationships_clear(struct relationships *relationships)
{
    for (size_t i = 0; i < RELATIONSHIP_MAX && relationships->list != NULL; i++)
        relationship_clear(&relationships->list[i]);
    for (size_t i = 0; i < relationships->former_count; i++)
        free(relationships->former_names[i]);
    free(relationships->former_names);
    free(relationships->list);
    free(relationships->server_name);
    free(relationships->server_url);
    *relationships = (struct relationships){.server_name = NULL};
}

static struct result take_server(const json_t *peer, const char *self, struct relationship_server *server)
{
    struct result result = copy_string(peer, "name", &server->name);

    if (!result_failed(result))
        result = copy_string(peer, "url", &server->url);
    if (result_failed(result))
        return result;
    if (server->name == NULL || server->url == NULL)
        return result_error(RESULT_INVALID, "a peer in HA's parameters has no name or no url");
    server->host = relationship_url_host(server->url);
    if (server->host == NULL)
        return result_no_memory("the relationships");
    server->is_local = strcmp(server->name, self) == 0;
    return result_ok();
}

static const char *mode_of(const char *kea_mode)
{
    return strcmp(kea_mode, "load-balancing") == 0 ? "LoadBalance" : "HotStandby";
}

struct result relationship_overlay_access(const struct parameters *parameters, const char *name,
                                          struct partner_access *access)
{
    for (size_t i = 0; i < parameters->partner_count; i++) {
        const struct partner_access *given = &parameters->partners[i];
        const char *const from[] = {given->url,
                                    given->trust_anchor,
                                    given->cert_file,
                                    given->key_file,
                                    given->certificate_name,
                                    given->basic_auth_user,
                                    given->basic_auth_password_file,
                                    given->shared_secret_file};
        char **const to[] = {&access->url,
                             &access->trust_anchor,
                             &access->cert_file,
                             &access->key_file,
                             &access->certificate_name,
                             &access->basic_auth_user,
                             &access->basic_auth_password_file,
                             &access->shared_secret_file};

        if (strcmp(given->name, name) != 0)
            continue;
        for (size_t k = 0; k < sizeof to / sizeof to[0]; k++) {
            if (from[k] == NULL)
                continue;
            free(*to[k]);
            *to[k] = strdup(from[k]);
            if (*to[k] == NULL)
                return result_no_memory("the relationships");
        }
    }
    if (access->shared_secret_file == NULL && parameters->shared_secret_file != NULL) {
        access->shared_secret_file = strdup(parameters->shared_secret_file);
        if (access->shared_secret_file == NULL)
            return result_no_memory("the relationships");
    }
    return result_ok();
}

bool relationship_access_is_secret(const struct partner_access *access)
{
    return access->basic_auth_user != NULL || access->cert_file != NULL || access->shared_secret_file != NULL;
}

bool relationship_access_has_credentials(const struct partner_access *access)
{
    return access->basic_auth_user != NULL || access->basic_auth_password_file != NULL || access->cert_file != NULL ||
           access->key_file != NULL;
}

/* How the partner is reached: HA's own parameters of the pairing, then of the peer, then ours. */
static struct result take_access(const json_t *pairing, const json_t *peer, const struct parameters *parameters,
                                 struct partner_access *access)
{
    static const char *const tls[] = {"trust-anchor", "cert-file", "key-file"};
    char **const tls_target[] = {&access->trust_anchor, &access->cert_file, &access->key_file};
    const char *name = json_string_value(json_object_get(peer, "name"));
    struct result result = copy_string(peer, "name", &access->name);

    if (!result_failed(result))
        result = copy_string(peer, "url", &access->url);
    for (size_t i = 0; i < sizeof tls / sizeof tls[0] && !result_failed(result); i++) {
        result = copy_string(pairing, tls[i], tls_target[i]);
        if (!result_failed(result))
            result = copy_string(peer, tls[i], tls_target[i]);
    }
    if (!result_failed(result))
        result = copy_string(peer, "basic-auth-user", &access->basic_auth_user);
    if (!result_failed(result))
        result = copy_string(peer, "basic-auth-password", &access->basic_auth_password);
    if (!result_failed(result))
        result = copy_string(peer, "basic-auth-password-file", &access->basic_auth_password_file);
    if (!result_failed(result) && name != NULL)
        result = relationship_overlay_access(parameters, name, access);
    return result;
}

struct pairing {
    const json_t *map;
    size_t number;
    const char *self;
    const char *mode;
};

static struct result add_relationship(struct relationships *relationships, const struct pairing *pairing,
                                      const json_t *peer1, const json_t *peer2, const struct parameters *parameters)
{
    const json_t *delay = json_object_get(pairing->map, "max-response-delay");
    const json_t *mclt = json_object_get(json_object_get(pairing->map, "user-context"), "mclt");
    struct relationship *relationship;
    struct result result;
    char *name;

    if (relationships->count == RELATIONSHIP_MAX)
        return result_error(RESULT_INVALID, "HA's parameters hold more than %d relationships", RELATIONSHIP_MAX);
    relationship = &relationships->list[relationships->count++];
    relationship->pairing = pairing->number;
    result = take_server(peer1, pairing->self, &relationship->server1);
    if (!result_failed(result))
        result = take_server(peer2, pairing->self, &relationship->server2);
    if (result_failed(result))
        return result;
    if (asprintf(&name, "%s-%s", relationship->server1.name, relationship->server2.name) < 0)
        return result_no_memory("the relationships");
    relationship->name = name;
    if (strlen(name) > 256)
        return result_error(RESULT_INVALID,
                            "the relationship of %.80s and %.80s has a name of more than 256 characters",
                            relationship->server1.name, relationship->server2.name);
    relationship->kea_mode = strdup(pairing->mode);
    if (relationship->kea_mode == NULL)
        return result_no_memory("the relationships");
    relationship->mode = mode_of(pairing->mode);
    relationship->auto_failover = !json_is_false(json_object_get(peer1, "auto-failover"));
    relationship->max_response_delay_ms = json_is_integer(delay) ? json_integer_value(delay) : HA_MAX_RESPONSE_DELAY_MS;
    relationship->mclt = json_is_integer(mclt) && json_integer_value(mclt) >= 0 ? json_integer_value(mclt) : -1;
    relationship->local = relationship->server1.is_local || relationship->server2.is_local;
    relationship->local_is_server1 = relationship->server1.is_local;
    result =
        take_access(pairing->map, relationship->local_is_server1 ? peer2 : peer1, parameters, &relationship->access);
    relationship->secret = relationship_access_is_secret(&relationship->access);
    return result;
}

static const json_t *peer_of_role(const json_t *peers, const char *role, const char *other_role)
{
    size_t i;
    json_t *peer;

    json_array_foreach((json_t *)peers, i, peer)
    {
        const char *has = json_string_value(json_object_get(peer, "role"));

        if (has != NULL && (strcmp(has, role) == 0 || (other_role != NULL && strcmp(has, other_role) == 0)))
            return peer;
    }
    return NULL;
}

static struct result take_pairing(struct relationships *relationships, const json_t *map, size_t number,
                                  const struct parameters *parameters)
{
    const json_t *peers = json_object_get(map, "peers");
    struct pairing pairing = {
        .map = map,
        .number = number,
        .self = json_string_value(json_object_get(map, "this-server-name")),
        .mode = json_string_value(json_object_get(map, "mode")),
    };
    const json_t *primary = peer_of_role(peers, "primary", NULL);
    const json_t *second = peer_of_role(peers, "secondary", "standby");
    struct result result = result_ok();
    size_t i;
    json_t *peer;

    if (pairing.self == NULL || pairing.mode == NULL || primary == NULL)
        return result_error(RESULT_INVALID, "HA's parameters lack this-server-name, mode or a primary peer");
    if (second != NULL)
        result = add_relationship(relationships, &pairing, primary, second, parameters);
    json_array_foreach((json_t *)peers, i, peer)
    {
        const char *role = json_string_value(json_object_get(peer, "role"));
        const char *name = json_string_value(json_object_get(peer, "name"));

        if (result_failed(result))
            return result;
        if (role != NULL && strcmp(role, "backup") == 0) {
            result = add_relationship(relationships, &pairing, primary, peer, parameters);
            if (!result_failed(result))
                relationships->list[relationships->count - 1].backup = true;
        }
        if (!result_failed(result) && relationships->server_url == NULL && name != NULL &&
            strcmp(name, pairing.self) == 0)
            result = copy_string(peer, "url", &relationships->server_url);
    }
    if (!result_failed(result) && relationships->server_name == NULL)
        result = copy_string(map, "this-server-name", &relationships->server_name);
    return result;
}

struct result relationships_parse(const char *high_availability, const struct parameters *parameters,
                                  struct relationships *relationships)
{
    struct result result = result_ok();
    json_error_t error;
    json_t *list = NULL;
    json_t *pairing;
    size_t i;

    *relationships = (struct relationships){.server_name = NULL};
    relationships->list = calloc(RELATIONSHIP_MAX, sizeof *relationships->list);
    if (relationships->list == NULL)
        return result_no_memory("the relationships");
    if (high_availability != NULL) {
        list = json_load(high_availability, 0, &json_kea_bounds, &error);
        if (!json_is_array(list)) {
            result =
                result_error(RESULT_INVALID, "HA's parameters are not understood: expected a list of relationships");
            goto done;
        }
    }
    if (json_array_size(list) > RELATIONSHIP_MAX) {
        result = result_error(RESULT_INVALID, "HA's parameters hold more than %d relationships", RELATIONSHIP_MAX);
        goto done;
    }
    json_array_foreach(list, i, pairing)
    {
        result = take_pairing(relationships, pairing, i, parameters);
        if (result_failed(result))
            goto done;
    }
    relationships->named = relationships->server_name != NULL;
    if (!relationships->named) {
        relationships->server_name = strdup("localhost");
        if (relationships->server_name == NULL)
            result = result_no_memory("the relationships");
    }
done:
    json_decref(list);
    if (result_failed(result))
        relationships_clear(relationships);
    return result;
}

const struct relationship_server *relationship_partner(const struct relationship *relationship)
{
    return relationship->local_is_server1 ? &relationship->server2 : &relationship->server1;
}

const struct relationship_server *relationship_self(const struct relationship *relationship)
{
    return relationship->local_is_server1 ? &relationship->server1 : &relationship->server2;
}

bool relationship_is_primary(const struct relationship *relationship)
{
    return relationship->local && relationship->local_is_server1;
}

struct relationship *relationships_find_partner(const struct relationships *relationships, const char *partner)
{
    for (size_t i = 0; i < relationships->count; i++) {
        struct relationship *relationship = &relationships->list[i];

        if (relationship->local && strcmp(relationship_partner(relationship)->name, partner) == 0)
            return relationship;
    }
    return NULL;
}

/* The `ha-server-name` of a scope: its own user context first, then its shared network's. */
static const char *ha_server_name(const json_t *definition)
{
    static const char *const places[] = {"subnet4", "subnet6", "shared-network"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const json_t *context = json_object_get(json_object_get(definition, places[i]), "user-context");
        const char *name = json_string_value(json_object_get(context, "ha-server-name"));

        if (name != NULL)
            return name;
    }
    return NULL;
}

bool relationships_one_pairing(const struct relationships *relationships)
{
    const struct relationship *first = NULL;

    for (size_t i = 0; i < relationships->count; i++) {
        const struct relationship *relationship = &relationships->list[i];

        if (relationship->admin)
            continue;
        if (first != NULL && relationship->pairing != first->pairing)
            return false;
        first = relationship;
    }
    return true;
}

uint64_t relationships_of_admins(const struct relationships *relationships)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < relationships->count; i++)
        if (relationships->list[i].admin)
            bits |= UINT64_C(1) << i;
    return bits;
}

int relationships_find_row(const struct relationships *relationships, int64_t record_id)
{
    for (size_t i = 0; i < relationships->count; i++)
        if (relationships->list[i].local && relationships->list[i].record_id == record_id)
            return (int)i;
    return -1;
}

struct result relationships_of_scope(const struct relationships *relationships, const char *definition,
                                     uint64_t *members)
{
    json_t *root = NULL;
    char *readable;
    const char *name;
    const struct relationship *first = NULL; /* of HA */
    bool named[RELATIONSHIP_MAX] = {false};

    *members = 0;
    for (size_t i = 0; i < relationships->count && first == NULL; i++)
        if (!relationships->list[i].admin)
            first = &relationships->list[i];
    if (!relationships_one_pairing(relationships)) {
        readable = kea_json_readable(definition);
        root = readable == NULL ? NULL : json_load(readable, JSON_ALLOW_NUL, &json_kea_bounds, NULL);
        free(readable);
        if (root == NULL)
            return result_error(RESULT_INVALID, "a scope's definition is not valid JSON");
        name = ha_server_name(root);
        for (size_t i = 0; name != NULL && i < relationships->count; i++)
            if (!relationships->list[i].admin && (strcmp(relationships->list[i].server1.name, name) == 0 ||
                                                  strcmp(relationships->list[i].server2.name, name) == 0))
                named[relationships->list[i].pairing] = true;
    } else if (first != NULL) {
        named[first->pairing] = true;
    }
    for (size_t i = 0; i < relationships->count; i++)
        if (!relationships->list[i].admin && relationships->list[i].local && named[relationships->list[i].pairing])
            *members |= UINT64_C(1) << i;
    json_decref(root);
    return result_ok();
}

struct result relationships_of_object(const struct relationships *relationships, object_id id, const char *definition,
                                      uint64_t *members)
{
    if (object_kind_of(id) == OBJECT_SCOPE)
        return relationships_of_scope(relationships, definition, members);
    *members = 0;
    for (size_t i = 0; i < relationships->count; i++)
        if (!relationships->list[i].admin && relationships->list[i].local)
            *members |= UINT64_C(1) << i;
    return result_ok();
}

const char *relationship_state(const char *kea_state)
{
    static const struct {
        const char *kea, *adm;
    } states[] = {
        {"load-balancing", "Normal"},
        {"hot-standby", "Normal"},
        {"passive-backup", "Normal"},
        {"backup", "Normal"},
        {"communication-recovery", "CommunicationsInterrupted"},
        {"partner-down", "PartnerDown"},
        {"partner-in-maintenance", "PartnerDown"},
        {"in-maintenance", "PartnerDown"},
        {"waiting", "Startup"},
        {"syncing", "Recover"},
        {"ready", "RecoverDone"},
        {"terminated", "ConflictDone"},
    };

    for (size_t i = 0; kea_state != NULL && i < sizeof states / sizeof states[0]; i++)
        if (strcasecmp(states[i].kea, kea_state) == 0)
            return states[i].adm;
    return "Unknown";
}
