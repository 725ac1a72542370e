/* The worker without its thread: the schedule runs one job at a time, and one turn of the loop at a time. What a job
 * does and what a partner's client does is the product's. These definitions take the place of replication/worker.c's.
 */
#include "failover_sync/worker.h"

#include "sim.h"

#include "failover_sync/engine.h"
#include "failover_sync/mirror.h"
#include "failover_sync/partner.h"
#include "failover_sync/reconcile.h"

#include "plugin/replication/reception.h"

#include <stdlib.h>
#include <string.h>

#define STORE_PATIENCE_MS 1000 /* as in worker.c */

struct job {
    worker_job run;
    worker_job_free release;
    void *argument;
    struct standing snapshot[SCOPES + 1]; /* what is recorded when it is done */
    struct letter delivery;               /* that it goes on with */
    struct job *next;
};

struct worker {
    struct plugin *plugin;
    struct sim_server *server;
    struct job *first, **last;
    bool open;
    uint64_t heard;
    bool alive;
    struct partner *partners[RELATIONSHIP_MAX];
    struct reconciler *reconcilers[RELATIONSHIP_MAX];
    int64_t blocked_until;
};

struct result worker_new(struct plugin *plugin, struct worker **worker)
{
    *worker = calloc(1, sizeof **worker);
    if (*worker == NULL)
        return result_no_memory("the worker");
    (*worker)->plugin = plugin;
    (*worker)->server = sim_server_of(plugin);
    (*worker)->last = &(*worker)->first;
    return result_ok();
}

void worker_free(struct worker *worker)
{
    free(worker);
}

static void job_free(struct job *job)
{
    job->release(job->argument);
    free(job);
}

struct result worker_post(struct plugin *plugin, worker_job run, worker_job_free release, void *argument)
{
    struct worker *worker = plugin->worker;
    struct job *job = calloc(1, sizeof *job);

    if (job == NULL || !worker->open) {
        free(job);
        release(argument);
        return result_error(RESULT_INTERNAL, "the library is not running");
    }
    *job = (struct job){.run = run, .release = release, .argument = argument};
    if (worker->server->delivery.used && !worker->server->delivery.finished) {
        if (run != reception_wait)
            sim_server_finish_delivery(worker->server);
        job->delivery = worker->server->delivery;
    }
    rules_job_queued(worker->server->number, job->snapshot);
    *worker->last = job;
    worker->last = &job->next;
    return result_ok();
}

static struct job *take_job(struct worker *worker)
{
    struct job *job = worker->first;

    if (job == NULL)
        return NULL;
    worker->first = job->next;
    if (worker->first == NULL)
        worker->last = &worker->first;
    return job;
}

static bool run_job(struct worker *worker)
{
    struct plugin *plugin = worker->plugin;
    struct job *job = take_job(worker);
    struct result result;

    if (job == NULL)
        return false;
    if (job->run == reception_wait)
        worker->server->delivery = job->delivery; /* the main thread goes on with it */
    result = job->run(plugin, job->argument);
    worker->server->delivery.used = false;
    if (result.code == RESULT_STORE) {
        job->next = worker->first;
        if (worker->first == NULL)
            worker->last = &job->next;
        worker->first = job;
        worker->blocked_until = sim_ticks + STORE_PATIENCE_MS;
        engine_set_mirror(plugin, &result);
        return false;
    }
    engine_set_mirror(plugin, result_failed(result) ? &result : NULL);
    if (result_failed(result))
        world_fail("server%d: a job failed: %s", worker->server->number + 1, result.message);
    rules_job_done(worker->server->number, job->snapshot);
    free(job);
    for (size_t i = 0; i < plugin->relationships.count; i++)
        engine_refresh_queue(plugin, i);
    return true;
}

/* At once: whoever called waits for it. */
struct result worker_post_operation(struct plugin *plugin, worker_job operation, worker_job_free release,
                                    void *argument)
{
    struct worker *worker = plugin->worker;

    if (!worker->open) {
        release(argument);
        return result_error(RESULT_INTERNAL, "the library is not running");
    }
    while (sim_worker_run_job(worker->server))
        ;
    (void)operation(plugin, argument);
    for (size_t i = 0; i < plugin->relationships.count; i++)
        engine_refresh_queue(plugin, i);
    return result_ok();
}

void worker_partner_heard(struct plugin *plugin, const char *partner)
{
    for (size_t i = 0; i < plugin->relationships.count; i++)
        if (plugin->relationships.list[i].local &&
            strcmp(relationship_partner(&plugin->relationships.list[i])->name, partner) == 0)
            plugin->worker->heard |= UINT64_C(1) << i;
}

void worker_all_heard(struct plugin *plugin)
{
    plugin->worker->heard = UINT64_MAX;
}

void worker_all_alive(struct plugin *plugin)
{
    plugin->worker->alive = true;
}

static void free_partners(struct worker *worker)
{
    for (size_t i = 0; i < RELATIONSHIP_MAX; i++) {
        partner_free(worker->partners[i]);
        reconciler_free(worker->reconcilers[i]);
        worker->partners[i] = NULL;
        worker->reconcilers[i] = NULL;
    }
}

void worker_reconcile(struct plugin *plugin, size_t relationship)
{
    if (plugin->worker->reconcilers[relationship] != NULL)
        reconciler_hurry(plugin->worker->reconcilers[relationship]);
}

struct result worker_follow_relationship(struct plugin *plugin, size_t relationship)
{
    (void)plugin;
    (void)relationship;
    return result_ok(); /* no schedule changes relationships */
}

struct result worker_start(struct plugin *plugin)
{
    struct worker *worker = plugin->worker;
    struct result result = result_ok();

    worker->blocked_until = 0;
    for (size_t i = 0; i < plugin->relationships.count && !result_failed(result); i++) {
        engine_refresh_queue(plugin, i);
        if (plugin->relationships.list[i].local)
            result = reconciler_new(plugin, i, worker->server, &worker->reconcilers[i]);
        if (!result_failed(result) && plugin->relationships.list[i].local)
            result = partner_new(plugin, i, worker->server, &worker->partners[i]);
    }
    worker->open = true;
    worker->server->worker = worker;
    return result;
}

bool worker_is_full(struct plugin *plugin)
{
    (void)plugin;
    return false;
}

size_t worker_stop(struct plugin *plugin, int64_t deadline)
{
    struct worker *worker = plugin->worker;

    (void)deadline; /* no time passes meanwhile */
    if (worker == NULL || !worker->open)
        return 0;
    worker->open = false;
    while (run_job(worker))
        ;
    if (worker->first != NULL)
        world_fail("server%d: jobs are left at the end", worker->server->number + 1);
    sim_worker_kill(worker->server);
    return 0;
}

/* ---- what the schedule does ---- */

int64_t sim_worker_blocked_until(const struct sim_server *server)
{
    const struct worker *worker = server->worker;

    return worker == NULL || worker->first == NULL ? 0 : worker->blocked_until;
}

bool sim_worker_has_job(const struct sim_server *server)
{
    return server->worker != NULL && server->worker->first != NULL && sim_worker_blocked_until(server) <= sim_ticks;
}

bool sim_worker_run_job(struct sim_server *server)
{
    sim_clock_of(server);
    return sim_worker_has_job(server) && run_job(server->worker);
}

int64_t sim_worker_advance(struct sim_server *server, int64_t *reconcile)
{
    struct worker *worker = server->worker;
    int64_t wake = INT64_MAX;

    sim_clock_of(server);
    *reconcile = INT64_MAX;
    if (worker == NULL)
        return wake;
    (void)persist_advance(worker->plugin, sim_ticks);
    for (size_t i = 0; i < worker->plugin->relationships.count; i++) {
        int64_t next;

        if (worker->partners[i] == NULL)
            continue;
        if ((worker->heard >> i & 1) != 0)
            partner_heard(worker->partners[i]);
        else if (worker->alive)
            partner_alive(worker->partners[i]);
        if ((worker->heard >> i & 1) != 0 || worker->alive)
            reconciler_heard(worker->reconcilers[i]);
        next = reconciler_advance(worker->reconcilers[i], sim_ticks);
        if (next < *reconcile)
            *reconcile = next;
        next = partner_advance(worker->partners[i], sim_ticks);
        if (next < wake)
            wake = next;
    }
    worker->heard = 0;
    worker->alive = false;
    return wake;
}

void sim_worker_finished(struct sim_server *server, void *easy, int code)
{
    struct worker *worker = server->worker;

    sim_clock_of(server);
    for (size_t i = 0; worker != NULL && i < worker->plugin->relationships.count; i++)
        if (worker->partners[i] != NULL && (partner_finished(worker->partners[i], easy, (CURLcode)code) ||
                                            reconciler_finished(worker->reconcilers[i], easy, (CURLcode)code)))
            return;
}

void sim_worker_kill(struct sim_server *server)
{
    struct worker *worker = server->worker;
    struct job *job;

    if (worker == NULL)
        return;
    worker->open = false;
    server->worker = NULL;
    while ((job = take_job(worker)) != NULL)
        job_free(job);
    free_partners(worker);
}
