/* Somebody who can reach the command channels, or stands between the servers, and knows all names and versions. */
#include "sim.h"

#include "failover_sync/engine.h"
#include "failover_sync/version_vector.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS UINT64_C(86400000)

/* What a server's library has of a scope; empty if it has none. */
static struct version_vector version_at(const struct sim_server *server, uint32_t scope)
{
    struct version_vector version = {.count = 0};
    struct scope_removed removed;
    struct scope_entry entry;

    if (server->plugin == NULL || server->plugin->index == NULL)
        return version;
    if (scope_index_get(server->plugin->index, scope, &entry)) {
        version = entry.version;
        scope_entry_clear(&entry);
    } else if (scope_index_get_removed(server->plugin->index, scope, &removed)) {
        version = removed.version;
    }
    return version;
}

static uint64_t some_number(uint32_t chance)
{
    static const uint64_t ages[] = {0, 1, 1000, DAY_MS / 2, DAY_MS - 1000, DAY_MS + 1000, 400 * DAY_MS};

    switch (chance % 10) {
    case 7:
        return UINT64_MAX;
    case 8:
        return UINT64_C(1) << (chance / 16 % 64);
    case 9:
        return VERSION_FOUND;
    default:
        return (uint64_t)sim_now + ages[chance % 10 % (sizeof ages / sizeof ages[0])];
    }
}

/* A version made up from what both have: theirs, ours, both, with numbers changed and writers added. */
static void forge_version(const struct sim_server *victim, uint32_t scope, uint32_t chance, char *text)
{
    const struct sim_server *other = &world.server[1 - victim->number];
    struct version_vector mine = version_at(victim, scope), theirs = version_at(other, scope), version = {.count = 0};
    const size_t strangers = chance / 8 % 4 == 0 ? 0 : (size_t)(chance / 32 % VERSION_PARTS);

    if ((chance & 1) != 0)
        version = version_merge(&version, &mine);
    if ((chance & 2) != 0)
        version = version_merge(&version, &theirs);
    if ((chance & 4) != 0)
        for (size_t i = 0; i < version.count; i++)
            version.part[i].edit = some_number(chance >> 9);
    for (uint64_t i = 1; i <= strangers; i++)
        version_add(&version, i << 32 | (chance >> 13 & 1), some_number(chance >> 14));
    if (chance >> 26 % 16 == 0)
        version_add(&version, VERSION_FORGOTTEN, some_number(chance >> 14));
    version_print(&version, text);
}

static json_t *forge_scope(const struct sim_server *victim, uint32_t scope, uint32_t chance, uint32_t more)
{
    const uint32_t content = REFUSED_BELOW + (chance >> 4) % (CONTENTS - REFUSED_BELOW), kind = chance % 16;
    char text[200], version[VERSION_TEXT_SIZE];
    json_t *map = json_pack("{s:i,s:o,s:s}", "subnet-id", (int)scope, "prefix",
                            json_sprintf("10.0.%u.0/24", kind == 15 ? scope + 1 : scope), "base", "");

    forge_version(victim, scope, more, version);
    (void)json_object_set_new(map, "version", json_string(version));
    if ((chance >> 11 & 7) == 7)
        (void)json_object_set_new(map, "network-version", json_string(version));
    if (kind < 4) { /* a removal */
        (void)json_object_set_new(map, "fingerprint", json_string(""));
        return map;
    }
    (void)snprintf(
        text, sizeof text,
        kind == 14
            ? "{\"subnet4\":{\"id\":%u,\"subnet\":\"10.0.%u.0/24\",\"comment\":\"content %u\""
            : "{\"subnet4\":{\"id\":%u,\"subnet\":\"10.0.%u.0/24\",\"user-context\":{\"words\":\"content %u\"}}}",
        scope, scope, content);
    (void)json_object_set_new(map, "definition", json_string(text));
    (void)json_object_set_new(map, "fingerprint",
                              json_string((chance >> 14 & 1) != 0 ? fingerprint_of(text, strlen(text)).hex
                                                                  : "0123456789abcdef0123456789abcdef"));
    return map;
}

/* Gives the command, whose arguments are taken; the answer is nobody's. */
static void give(struct sim_server *victim, const char *command, json_t *arguments)
{
    const struct letter nobody = {.used = false};
    json_t *root = json_pack("{s:s,s:o}", "command", command, "arguments", arguments);
    char *text;

    (void)json_object_set_new(arguments, "sender", json_string(victim->number == 0 ? "server2" : "server1"));
    (void)json_object_set_new(arguments, "receiver", json_string(victim->name));
    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    free(sim_server_request(victim, text, &nobody, false));
    free(text);
}

void sim_hostile_batch(struct sim_server *victim, uint32_t scope, uint32_t chance, uint32_t more)
{
    json_t *scopes = json_array();
    uint8_t before[SCOPES + 1];

    memcpy(before, victim->running, sizeof before);
    (void)json_array_append_new(scopes, forge_scope(victim, scope, chance, more));
    if ((chance >> 15 & 3) == 0)
        (void)json_array_append_new(scopes, forge_scope(victim, scope % SCOPES + 1, chance >> 16, more >> 3));
    if ((chance >> 17 & 7) == 0)
        (void)json_array_append_new(scopes, forge_scope(victim, SCOPES + 1 + chance % 3, chance >> 8, more >> 5));
    if (!world.sealed) {
        rules_distrust(scope);
        rules_distrust(scope % SCOPES + 1);
    }
    give(victim, "scope-receive", json_pack("{s:o}", "scopes", scopes));
    if (world.sealed && memcmp(before, victim->running, sizeof before) != 0)
        world_fail("%s takes what has no seal", victim->name);
}

void sim_hostile_question(struct sim_server *victim, uint32_t chance, uint32_t more)
{
    json_t *arguments;

    switch (chance % 5) {
    case 0:
        arguments = json_pack("{s:i}", "from", (int)(chance / 8 % 4));
        break;
    case 1:
        arguments = json_pack("{s:s,s:s}", "digest", (more & 1) != 0 ? "" : "0123456789abcdef0123456789abcdef",
                              "expected", "0123456789abcdef0123456789abcdef");
        break;
    case 2:
        arguments = json_pack("{s:[{s:i},{s:i}]}", "wanted", "subnet-id", (int)(1 + more % 4), "subnet-id",
                              (int)(5 + more / 4 % 4));
        break;
    case 3:
        arguments = json_pack("{s:s}", "unusable", "so they say");
        break;
    default:
        give(victim, "scope-receive", json_pack("{s:s}", "ticket", (more & 1) != 0 ? victim->plugin->instance : "1"));
        return;
    }
    give(victim, "scope-digest", arguments);
}

/* Nothing that it may say is known to the rules, but that no answer came they know. */
void sim_hostile_answer(size_t number, uint32_t chance)
{
    static const char *const texts[] = {
        "",
        "[]",
        "[{\"result\":1,\"text\":\"no\"}]",
        "[{\"result\":3,\"text\":\"nothing\"}]",
        "[{\"result\":0,\"arguments\":{}}]",
        "{\"result\":0,\"arguments\":{\"state\":\"busy\"}}",
        "[{\"result\":0,\"arguments\":{\"equal\":true}}]",
        "[{\"result\":0,\"arguments\":{\"equal\":false,\"next\":7}}]",
        "[{\"result\":0,\"arguments\":{\"unusable\":\"so they say\"}}]",
        "[{\"result\":0,\"arguments\":{\"scopes\":[{\"subnet-id\":1}]}}]",
    };
    const size_t which = chance % (sizeof texts / sizeof texts[0] + 2);
    const char *text = which < sizeof texts / sizeof texts[0]
                           ? texts[which]
                           : sim_network_text(chance / 16 % sim_network_count()); /* somebody else's */

    for (uint32_t scope = 1; scope <= SCOPES && !world.sealed; scope++)
        rules_distrust(scope);
    sim_network_replace(number, strdup(text));
}
