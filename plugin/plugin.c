/* The plugin's side of the boundary: what Kea's events and commands set going. Each does its work elsewhere. */
#include "failover_sync/engine.h"
#include "failover_sync/mirror.h"
#include "failover_sync/receive.h"
#include "failover_sync/store_life.h"
#include "failover_sync/trust.h"
#include "failover_sync/waiting.h"
#include "failover_sync/worker.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* For how long the main thread waits for a store that another process has locked, in one load of a configuration: the
 * worker is to end its work, the store is opened (see store_life.c), and the scopes are compared. A second in all. */
#define LEAVING_MS 500
#define LOADING_MS 300

/* Once per process and never undone: other libraries of the server may use libcurl too. */
static bool prepare_curl(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool ready;
    bool is_ready;

    (void)pthread_mutex_lock(&lock);
    is_ready = ready = ready || curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    (void)pthread_mutex_unlock(&lock);
    return is_ready;
}

static struct result name_instance(struct plugin *plugin)
{
    uint64_t random = 0;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return result_error(RESULT_INTERNAL, "the system has no random numbers to give");
    (void)snprintf(plugin->instance, sizeof plugin->instance, "%016llx", (unsigned long long)random);
    return result_ok();
}

struct result plugin_start(const struct kea_server *server, const char *parameters, struct plugin **plugin)
{
    struct plugin *new = calloc(1, sizeof *new);
    struct result result = result_ok();

    *plugin = NULL;
    if (new == NULL || pthread_mutex_init(&new->status.lock, NULL) != 0) {
        free(new);
        return result_no_memory("the library");
    }
    if (!command_gate_init(&new->commands)) {
        (void)pthread_mutex_destroy(&new->status.lock);
        free(new);
        return result_no_memory("the library");
    }
    new->server = server;
    new->served = SERVED_FROM_FILE;
    if (!prepare_curl())
        result = result_error(RESULT_INTERNAL, "libcurl cannot be initialised");
    if (!result_failed(result))
        result = name_instance(new);
    if (!result_failed(result))
        result = parameters_parse(parameters, server->service, &new->parameters);
    if (!result_failed(result))
        result = model_new(&new->model);
    if (!result_failed(result))
        result = tickets_new(&new->tickets);
    if (!result_failed(result))
        result = trust_new(&new->trust);
    if (!result_failed(result))
        result = removal_guard_new(&new->guard);
    if (!result_failed(result))
        result = operation_log_new(&new->operations);
    if (!result_failed(result))
        result = worker_new(new, &new->worker);
    if (!result_failed(result))
        store_life_open(new, &result);
    if (!result_failed(result) && new->store != NULL)
        result = prefetch_start(new->store, new->operations, &new->prefetch);
    if (result_failed(result)) {
        plugin_stop(new);
        return result;
    }
    kea_log(server, FAILOVER_SYNC_STARTED, PACKAGE_VERSION, new->parameters.store);
    *plugin = new;
    return result;
}

void plugin_stop_work(struct plugin *plugin)
{
    const int64_t deadline = waiting_now() + LEAVING_MS;
    size_t unrecorded;
    char count[24];

    plugin->ready = false;
    (void)command_gate_close(&plugin->commands);
    store_set_deadline(plugin->store, deadline);
    unrecorded = worker_stop(plugin, deadline);
    if (unrecorded > 0) {
        (void)snprintf(count, sizeof count, "%zu", unrecorded);
        kea_log(plugin->server, FAILOVER_SYNC_UNRECORDED, count);
        plugin->unrecorded = true;
    }
    /* The worker has ended what they waited for. */
    command_gate_wait(&plugin->commands);
}

void plugin_stop(struct plugin *plugin)
{
    if (plugin == NULL)
        return;
    plugin_stop_work(plugin);
    prefetch_free(plugin->prefetch);
    restart_forget(plugin);
    store_life_forget_load(plugin);
    store_close(atomic_exchange(&plugin->reopened, NULL));
    if (plugin->operations != NULL)
        kea_log(plugin->server, FAILOVER_SYNC_STOPPED,
                plugin->store == NULL ? "its store could not be used"
                : plugin->unrecorded  ? "not all of its work is recorded, which the next start finds again"
                                      : "its work is recorded, the queue is kept");
    worker_free(plugin->worker);
    scope_index_free(plugin->index);
    relationships_clear(&plugin->relationships);
    relationships_clear(&plugin->unwritten);
    store_close(plugin->store);
    tickets_free(plugin->tickets);
    trust_free(plugin->trust);
    removal_guard_free(plugin->guard);
    replication_watch_clear(&plugin->watch);
    operation_log_free(plugin->operations);
    model_free(plugin->model);
    parameters_clear(&plugin->parameters);
    command_gate_destroy(&plugin->commands);
    (void)pthread_mutex_destroy(&plugin->status.lock);
    free(plugin);
}

const char *const *plugin_local_parameters(const struct plugin *plugin)
{
    return (const char *const *)plugin->parameters.local_parameters;
}

void plugin_configured_wrongly(struct plugin *plugin, const char *why)
{
    if (plugin == NULL)
        return;
    (void)pthread_mutex_lock(&plugin->status.lock);
    (void)snprintf(plugin->status.configuration_error, sizeof plugin->status.configuration_error, "%s", why);
    (void)pthread_mutex_unlock(&plugin->status.lock);
}

/* HA's parameters, as JSON text the caller frees; NULL without HA. */
static struct result read_high_availability(struct plugin *plugin, enum kea_configuration which, char **text)
{
    const struct kea_server *server = plugin->server;
    struct result result = server->ha_parameters(server->context, which, text);

    if (result.code != RESULT_NOT_FOUND)
        return result;
    kea_log(server, FAILOVER_SYNC_NO_RELATIONSHIP, result.message);
    return result_ok();
}

/* Without HA the server has no name to go by: whoever gets one first owns the store. */
static struct result claim_store(struct plugin *plugin)
{
    const struct relationships *relationships = &plugin->relationships;

    return relationships->named ? store_claim(plugin->store, relationships->server_name, plugin->server->service)
                                : result_ok();
}

/* The relationships into their rows. While another process writes to the store, the rows of before do, and what has
 * changed is written with the load: what the store knows of the scopes is to be had all the same. */
static struct result write_relationships(struct plugin *plugin, const char *high_availability)
{
    struct result result = store_begin(plugin->store), recalled;

    if (!result_failed(result)) {
        result = relationships_mirror(&plugin->relationships, plugin->store, plugin->server->version);
        if (!result_failed(result))
            result = store_commit(plugin->store);
        if (result_failed(result))
            store_rollback(plugin->store);
        return result;
    }
    if (result.code != RESULT_STORE)
        return result;
    recalled = relationships_recall(&plugin->relationships, plugin->store);
    if (result_failed(recalled))
        return recalled.code == RESULT_NOT_FOUND ? result : recalled;
    return relationships_parse(high_availability, &plugin->parameters, &plugin->unwritten);
}

/* And what the rows have beyond HA's parameters back. */
static struct result mirror_relationships(struct plugin *plugin, const char *high_availability)
{
    size_t count = plugin->relationships.count;
    struct result result = write_relationships(plugin, high_availability);

    if (!result_failed(result))
        result = relationships_follow(&plugin->relationships, plugin->store, &plugin->parameters, &count);
    plugin->relationships.count = count;
    return result;
}

/* What is shown of a relationship goes with its partner, whatever its number is now. */
static void keep_statuses(struct plugin *plugin, const struct relationships *before)
{
    struct engine_status *status = &plugin->status;
    struct relationship_status *kept = calloc(RELATIONSHIP_MAX, sizeof *kept);

    for (size_t i = 0; kept != NULL && i < plugin->relationships.count; i++) {
        const struct relationship *now = &plugin->relationships.list[i], *then;

        if (!now->local)
            continue;
        then = relationships_find_partner(before, relationship_partner(now)->name);
        if (then != NULL)
            kept[i] = status->relationship[then - before->list];
    }
    (void)pthread_mutex_lock(&status->lock);
    if (kept != NULL)
        memcpy(status->relationship, kept, sizeof status->relationship);
    else
        memset(status->relationship, 0, sizeof status->relationship);
    (void)pthread_mutex_unlock(&status->lock);
    free(kept);
}

struct result plugin_take_relationships(struct plugin *plugin, enum kea_configuration which)
{
    struct relationships before = plugin->relationships;
    char *high_availability = NULL;
    struct result result;

    prefetch_wait(plugin->prefetch);
    plugin->relationships = (struct relationships){.server_name = NULL};
    relationships_clear(&plugin->unwritten);
    scope_index_free(plugin->index);
    plugin->index = NULL;
    plugin->generation++;
    for (size_t i = 0; i < RELATIONSHIP_MAX; i++)
        plugin->receiving[i] = false;
    result = read_high_availability(plugin, which, &high_availability);
    if (!result_failed(result))
        result = relationships_parse(high_availability, &plugin->parameters, &plugin->relationships);
    if (!result_failed(result) && plugin->store != NULL)
        result = claim_store(plugin);
    if (!result_failed(result) && plugin->store != NULL)
        result = mirror_relationships(plugin, high_availability);
    free(high_availability);
    keep_statuses(plugin, &before);
    relationships_clear(&before);
    if (!result_failed(result))
        result = scope_index_new(plugin->relationships.count, &plugin->index);
    if (!result_failed(result))
        result = removal_guard_load(plugin->guard, plugin->store, plugin->relationships.server_record_id);
    return result_failed(result) || plugin->store == NULL ? result : mirror_load_index(plugin);
}

/* A partner in our parameters that nobody knows may be a slip of the pen, or wait for failover-add. */
static void log_strangers(const struct plugin *plugin)
{
    for (size_t i = 0; i < plugin->parameters.partner_count; i++) {
        const char *name = plugin->parameters.partners[i].name;
        bool known = false;

        for (size_t k = 0; k < plugin->relationships.count && !known; k++)
            known = strcmp(plugin->relationships.list[k].server1.name, name) == 0 ||
                    strcmp(plugin->relationships.list[k].server2.name, name) == 0;
        if (!known)
            kea_log(plugin->server, FAILOVER_SYNC_PARTNER_UNKNOWN, name);
    }
}

static void log_relationships(const struct plugin *plugin)
{
    for (size_t i = 0; i < plugin->relationships.count; i++) {
        const struct relationship *relationship = &plugin->relationships.list[i];

        if (relationship->local)
            kea_log(plugin->server, FAILOVER_SYNC_RELATIONSHIP, relationship->name,
                    relationship->admin ? "of an administrator" : relationship->kea_mode,
                    relationship_self(relationship)->name, relationship_partner(relationship)->name,
                    relationship->access.url);
    }
}

static struct result take_configuration(struct plugin *plugin, const struct kea_load *load)
{
    struct result result;

    plugin_stop_work(plugin);
    engine_set_counted(plugin, false);
    plugin->served = load->from_file ? SERVED_FROM_FILE : SERVED_FROM_COMMAND;
    store_set_deadline(plugin->store, waiting_now() + LOADING_MS);
    result = plugin_take_relationships(plugin, KEA_STAGED);
    if (!result_failed(result) && plugin->store != NULL)
        result = restart_plan_load(plugin, load);
    if (result_failed(result) && plugin->store != NULL) {
        /* The server serves all the same, whatever is in the store. Should the fault be in HA's parameters, it is found
         * again. */
        store_life_drop(plugin, &result);
        result = plugin_take_relationships(plugin, KEA_STAGED);
    }
    return result_failed(result) ? result : store_life_keep_load(plugin, load);
}

struct result plugin_configuration_loading(struct plugin *plugin, const struct kea_load *load)
{
    struct result result;

    if (plugin->idle)
        return result_ok();
    result = take_configuration(plugin, load);
    if (!result_failed(result) || load->at_start)
        return result;
    plugin_go_idle(plugin, result.message);
    return result_ok();
}

void plugin_take_up_work(struct plugin *plugin, bool committed)
{
    struct result result = result_ok();

    if (plugin->index == NULL || plugin->idle)
        return; /* the load was refused */
    if (committed) {
        log_relationships(plugin);
        log_strangers(plugin);
    }
    plugin->changes_reread = false; /* what was to tell of them went with the worker, and the load with it is newer */
    store_set_deadline(plugin->store, 0);
    result = worker_start(plugin);
    if (!result_failed(result)) {
        plugin->ready = true;
        result = restart_carry_out(plugin, committed);
        command_gate_open(&plugin->commands);
    }
    if (result_failed(result))
        engine_set_mirror(plugin, &result);
}

void plugin_configuration_loaded(struct plugin *plugin, bool committed)
{
    if (committed)
        store_life_load_committed(plugin);
    plugin_take_up_work(plugin, committed);
}

void plugin_configuration_changed(struct plugin *plugin)
{
    struct result result;

    if (!plugin->ready)
        return;
    result = changes_read_all(plugin);
    if (result_failed(result))
        changes_missed(plugin, &result);
}

void plugin_configuration_written(struct plugin *plugin)
{
    if (plugin->ready && plugin->store != NULL)
        persist_note_written(plugin);
}

/* Signs of life of a partner. */
static bool is_sign_of_life(const char *name)
{
    return strcmp(name, "ha-heartbeat") == 0 || strcmp(name, "ha-sync-complete-notify") == 0;
}

bool plugin_wants_command(const struct plugin *plugin, const char *name)
{
    return !plugin->idle && (is_sign_of_life(name) || changes_wanted(name));
}

void plugin_command_finished(struct plugin *plugin, const char *name, const char *arguments, int result)
{
    object_id *ids = NULL;
    size_t count = 0;
    bool all = false;
    struct result outcome;

    if (!plugin->ready || result != 0)
        return;
    if (is_sign_of_life(name)) {
        worker_all_alive(plugin);
        return;
    }
    outcome = changes_named(name, arguments, &ids, &count, &all);
    if (!result_failed(outcome))
        outcome = changes_read_soon(plugin, all ? NULL : ids, count);
    if (result_failed(outcome))
        changes_missed(plugin, &outcome);
    free(ids);
}
