/* The life of the store in a running plugin: a file that cannot be used does not keep the server from serving. The
 * worker watches and tries again; once the store can be used the main thread takes up what was missed, as at a
 * configuration load. */
#include "failover_sync/store_life.h"

#include "failover_sync/mirror.h"
#include "failover_sync/waiting.h"
#include "failover_sync/worker.h"

#include <stdlib.h>
#include <string.h>

/* For how long the main thread waits for a store that another process has locked: at the library's start, and when the
 * store, of which the worker has just seen that it can be written, is taken up. */
#define OPENING_MS 200
#define RESUME_MS  200

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
    *result = store_open_until(plugin->parameters.store, waiting_now() + OPENING_MS, &plugin->store);
    /* What is read from now on is read by a thread of its own. */
    store_set_deadline(plugin->store, 0);
    if (!result_may_pass(*result))
        return;
    engine_set_mirror(plugin, result);
    *result = result_ok();
}

void store_life_drop(struct plugin *plugin, const struct result *why)
{
    char aside[STORE_ASIDE_SIZE];

    plugin->store_refuses = false;
    prefetch_free(plugin->prefetch);
    plugin->prefetch = NULL;
    if (plugin->store != NULL && !result_failed(store_set_aside(plugin->store, aside)) && aside[0] != '\0')
        kea_log(plugin->server, FAILOVER_SYNC_STORE_SET_ASIDE, plugin->parameters.store, aside);
    store_close(plugin->store);
    plugin->store = NULL;
    engine_set_mirror(plugin, why);
}

/* ---- the main thread takes it up again ---- */

static struct result take_up(struct plugin *plugin, struct scope_index *before)
{
    struct result result = result_ok();

    /* Keep the writer, so that our earlier edits remain ours. */
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

    plugin_stop_work(plugin);
    engine_set_counted(plugin, false);
    if (before != NULL) {
        plugin->index = NULL; /* or it would go with the relationships */
        plugin->served = SERVED_AS_IT_RUNS;
    }
    store_close(plugin->store);
    plugin->store_refuses = false;
    plugin->store = atomic_exchange(&plugin->reopened, NULL);
    store_set_deadline(plugin->store, waiting_now() + RESUME_MS);
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

/* Whoever is answering a command looks at what is about to be replaced, and may wait for the main thread: their turn
 * comes first, and nobody else's. */
static void resume_on_main(void *argument, bool cancelled)
{
    struct plugin *plugin = argument;

    if (cancelled)
        return;
    plugin->ready = false;
    if (!command_gate_close(&plugin->commands) &&
        !result_failed(plugin->server->run_on_main(plugin->server->context, resume_on_main, plugin)))
        return;
    resume(plugin);
}

/* ---- the worker watches ---- */

/* A store that is in use, another server's, or cannot be written is not taken up only to be given back. */
static struct result open_ours(struct plugin *plugin, struct store **opened)
{
    const struct relationships *relationships = &plugin->relationships;
    /* It is tried again in a second, and whoever stops the worker does not wait longer. */
    struct result result = store_open_until(plugin->parameters.store, waiting_now() + OPENING_MS, opened);

    if (!result_failed(result) && relationships->named)
        result = store_claim(*opened, relationships->server_name, plugin->server->service);
    if (!result_failed(result))
        result = store_begin(*opened);
    if (!result_failed(result))
        store_rollback(*opened);
    if (result_failed(result)) {
        store_close(*opened);
        *opened = NULL;
    }
    return result;
}

static void tell_refusal(struct plugin *plugin)
{
    struct result refusal;

    if (!store_refusal_is_news(plugin->store, &refusal))
        return;
    plugin->store_refuses = result_failed(refusal);
    engine_set_mirror(plugin, plugin->store_refuses ? &refusal : NULL);
}

void store_life_watch(struct plugin *plugin)
{
    struct store *opened = NULL;
    char aside[STORE_ASIDE_SIZE] = "";
    struct result result = result_ok();

    if (plugin->reopened != NULL || plugin->load == NULL)
        return;
    if (plugin->store != NULL && !store_is_lost(plugin->store)) {
        tell_refusal(plugin);
        return;
    }
    if (plugin->store != NULL)
        result = store_set_aside(plugin->store, aside);
    if (aside[0] != '\0')
        kea_log(plugin->server, FAILOVER_SYNC_STORE_SET_ASIDE, plugin->parameters.store, aside);
    if (!result_failed(result))
        result = open_ours(plugin, &opened);
    if (!result_failed(result)) {
        /* The main thread is not the one to find out that it is locked. */
        result = store_begin(opened);
        store_rollback(opened);
    }
    if (result_failed(result)) {
        store_close(opened);
        engine_set_mirror(plugin, &result);
        return;
    }
    plugin->reopened = opened;
    if (result_failed(plugin->server->run_on_main(plugin->server->context, resume_on_main, plugin)))
        store_close(atomic_exchange(&plugin->reopened, NULL));
}
