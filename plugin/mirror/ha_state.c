/* The states of both servers of a relationship, as the HA library knows them, into the relationships' rows. */
#include "failover_sync/mirror.h"

#include "failover_sync/json_load.h"
#include "failover_sync/worker.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the server says of one pairing. "Unknown" for a partner that does not answer. */
static void read_states(const json_t *pairing, const char **local, const char **remote)
{
    const json_t *servers = json_object_get(pairing, "ha-servers");
    const json_t *local_map = json_object_get(servers, "local");
    const json_t *remote_map = json_object_get(servers, "remote");

    *local = relationship_state(json_string_value(json_object_get(local_map, "state")));
    *remote = json_is_false(json_object_get(remote_map, "in-touch"))
                  ? "Unknown"
                  : relationship_state(json_string_value(json_object_get(remote_map, "last-state")));
}

static struct result note_states(struct plugin *plugin, size_t number, const char *local, const char *remote)
{
    const struct relationship *relationship = &plugin->relationships.list[number];
    struct relationship_status *status = &plugin->status.relationship[number];
    struct result result;
    bool changed;

    if (relationship->backup)
        remote = "Unknown"; /* HA keeps no state of a backup */
    (void)pthread_mutex_lock(&plugin->status.lock);
    changed = strcmp(status->local_state, local) != 0 || strcmp(status->partner_state, remote) != 0;
    (void)snprintf(status->local_state, sizeof status->local_state, "%s", local);
    (void)snprintf(status->partner_state, sizeof status->partner_state, "%s", remote);
    (void)pthread_mutex_unlock(&plugin->status.lock);
    if (!changed || plugin->store == NULL)
        return result_ok();
    result = relation_store_set_states(plugin->store, relationship->record_id,
                                       relationship->local_is_server1 ? local : remote,
                                       relationship->local_is_server1 ? remote : local, &changed);
    if (result_failed(result)) {
        /* Not written: so that the next answer counts as a change again. */
        (void)pthread_mutex_lock(&plugin->status.lock);
        status->local_state[0] = '\0';
        (void)pthread_mutex_unlock(&plugin->status.lock);
    }
    return result;
}

struct ha_answer {
    struct plugin *plugin;
    char *text;
};

static void release_answer(void *argument)
{
    struct ha_answer *answer = argument;

    answer->plugin->ha_state_asked = false;
    free(answer->text);
    free(answer);
}

static struct result note_answer(struct plugin *plugin, void *argument)
{
    struct ha_answer *answer = argument;
    json_t *list = json_load(answer->text, 0, &json_kea_bounds, NULL);

    for (size_t i = 0; i < plugin->relationships.count; i++) {
        const char *local, *remote;

        if (!plugin->relationships.list[i].local || plugin->relationships.list[i].admin)
            continue;
        read_states(json_array_get(list, plugin->relationships.list[i].pairing), &local, &remote);
        (void)note_states(plugin, i, local, remote);
    }
    json_decref(list);
    release_answer(answer);
    return result_ok();
}

static void ask_on_main(void *argument, bool cancelled)
{
    struct plugin *plugin = argument;
    struct ha_answer *answer;

    if (cancelled)
        return;
    answer = calloc(1, sizeof *answer);
    if (answer == NULL) {
        plugin->ha_state_asked = false;
        return;
    }
    answer->plugin = plugin;
    if (!result_failed(plugin->server->ha_status(plugin->server->context, &answer->text)))
        (void)worker_post(plugin, note_answer, release_answer, answer);
    else
        release_answer(answer);
}

void ha_state_ask(struct plugin *plugin)
{
    if (atomic_exchange(&plugin->ha_state_asked, true))
        return;
    if (result_failed(plugin->server->run_on_main(plugin->server->context, ask_on_main, plugin)))
        plugin->ha_state_asked = false;
}
