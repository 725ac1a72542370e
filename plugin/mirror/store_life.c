/* The life of the store in a running plugin: a file that cannot be used does not keep the server from serving. The
 * worker watches and tries again; once the store can be used the main thread takes up what was missed, as at a
 * configuration load. */
#include "failover_sync/store_life.h"

#include "failover_sync/mirror.h"
#include "failover_sync/worker.h"

#include <stdlib.h>
#include <string.h>

/* A configuration load, kept for the day on which the store can be read. */
struct kept_load {
    struct kea_load load;
    struct kea_delivered *delivered;
};

void store_life_forget_load(struct plugin *plugin)
{
    if (plugin->load != NULL)
        free(plugin->load->delivered);
    free(plugin->load);
    plugin->load = NULL;
}

struct result store_life_keep_load(struct plugin *plugin, const struct kea_load *load)
{
    struct kept_load *kept = calloc(1, sizeof *kept);

    store_life_forget_load(plugin);
    if (kept != NULL)
        kept->delivered = calloc(load->delivered_count + 1, sizeof *kept->delivered);
    if (kept == NULL || kept->delivered == NULL) {
        free(kept);
        return result_no_memory("a configuration load");
    }
    if (load->delivered_count > 0)
        memcpy(kept->delivered, load->delivered, load->delivered_count * sizeof *kept->delivered);
    kept->load = *load;
    kept->load.delivered = kept->delivered;
    plugin->load = kept;
    return result_ok();
}

void store_life_load_committed(struct plugin *plugin)
{
    if (plugin->load != NULL && plugin->load->load.from_file)
        unseen_file_note(plugin->parameters.store);
}

void store_life_open(struct plugin *plugin, struct result *result)
{
    *result = store_open(plugin->parameters.store, &plugin->store);
    if (result->code != RESULT_STORE)
        return;
    engine_set_mirror(plugin, result);
    *result = result_ok();
}

void store_life_drop(struct plugin *plugin, const struct result *why)
{
    char aside[STORE_ASIDE_SIZE];

    engine_set_mirror(plugin, why);
    prefetch_free(plugin->prefetch);
    plugin->prefetch = NULL;
    if (plugin->store != NULL && !result_failed(store_set_aside(plugin->store, aside)) && aside[0] != '\0')
        kea_log(plugin->server, FAILOVER_SYNC_STORE_SET_ASIDE, plugin->parameters.store, aside);
    store_close(plugin->store);
    plugin->store = NULL;
}

/* ---- the main thread takes it up again ---- */

static struct result take_up(struct plugin *plugin, struct scope_index *before)
{
    struct result result = result_ok();

    /* Who was at work goes on as who he was. */
    if (before != NULL && plugin->identity.writer[0] != '\0')
        result = store_identity_put(plugin->store, &plugin->identity);
    if (!result_failed(result))
        result = prefetch_start(plugin->store, plugin->operations, &plugin->prefetch);
    if (!result_failed(result))
        result = plugin_take_relationships(plugin, KEA_RUNNING);
    if (!result_failed(result))
        result = restart_plan_running(plugin, &plugin->load->load, before);
    return result;
}

static void resume(struct plugin *plugin)
{
    struct scope_index *before = plugin->store != NULL ? plugin->index : NULL;
    struct result result;

    plugin->ready = false;
    worker_stop(plugin);
    if (before != NULL)
        plugin->index = NULL; /* or it would go with the relationships */
    store_close(plugin->store);
    plugin->store = atomic_exchange(&plugin->reopened, NULL);
    result = take_up(plugin, before);
    scope_index_free(before);
    if (result_failed(result)) {
        store_life_drop(plugin, &result);
        (void)plugin_take_relationships(plugin, KEA_RUNNING);
    } else {
        kea_log(plugin->server, FAILOVER_SYNC_STORE_BACK, plugin->parameters.store);
    }
    plugin_take_up_work(plugin, true);
    if (!result_failed(result) && plugin->ready)
        (void)changes_read_all(plugin);
}

/* Whoever is answering a command looks at what is about to be replaced: their turn comes first. */
static void resume_on_main(void *argument, bool cancelled)
{
    struct plugin *plugin = argument;

    if (cancelled)
        return;
    if (plugin->commands_inside > 0 &&
        !result_failed(plugin->server->run_on_main(plugin->server->context, resume_on_main, plugin)))
        return;
    resume(plugin);
}

/* ---- the worker watches ---- */

void store_life_watch(struct plugin *plugin)
{
    struct store *opened = NULL;
    char aside[STORE_ASIDE_SIZE] = "";
    struct result result = result_ok();

    if (plugin->reopened != NULL || plugin->load == NULL)
        return;
    if (plugin->store != NULL && !store_is_lost(plugin->store))
        return;
    if (plugin->store != NULL)
        result = store_set_aside(plugin->store, aside);
    if (aside[0] != '\0')
        kea_log(plugin->server, FAILOVER_SYNC_STORE_SET_ASIDE, plugin->parameters.store, aside);
    if (!result_failed(result))
        result = store_open(plugin->parameters.store, &opened);
    if (result_failed(result)) {
        engine_set_mirror(plugin, &result);
        return;
    }
    plugin->reopened = opened;
    if (result_failed(plugin->server->run_on_main(plugin->server->context, resume_on_main, plugin)))
        store_close(atomic_exchange(&plugin->reopened, NULL));
}
