/* The worker's thread: jobs in order, partners driven, one wait for all of it. */
#include "failover_sync/worker.h"

#include "failover_sync/engine.h"
#include "failover_sync/mirror.h"
#include "failover_sync/partner.h"
#include "failover_sync/reconcile.h"
#include "failover_sync/store_life.h"
#include "failover_sync/waiting.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define STORE_PATIENCE_MS 1000 /* between attempts to run a job that the store refused */
#define MEMORY_TRIES      10   /* of a job for want of memory: it may be the job that wants too much */
#define HA_STATE_MS       2000 /* between questions for the HA states */
#define WAIT_MAX_MS       1000
#define FULL              1024 /* jobs and operations that wait */

struct job {
    worker_job run;
    worker_job_free release;
    void *argument;
    struct job *next;
};

/* First in, first out. */
struct jobs {
    struct job *first, **last;
};

struct worker {
    struct plugin *plugin;
    CURLM *multi;
    pthread_t thread;
    bool running; /* the main thread's alone */

    pthread_mutex_t lock; /* guards what follows */
    struct jobs jobs, operations;
    size_t waiting; /* in both */
    bool open;      /* takes jobs */
    bool stopping;
    int64_t deadline; /* and when to begin no more, by waiting_now */
    uint64_t heard;   /* a bit per relationship */
    bool alive;       /* some partner is */

    /* The worker's alone. */
    struct partner *partners[RELATIONSHIP_MAX];
    struct reconciler *reconcilers[RELATIONSHIP_MAX];
    size_t dropped;        /* jobs that the store refused at the end */
    unsigned memory_tries; /* of the job that is first in line */
    int64_t jobs_blocked_until, next_ha_state, next_watch;
};

static void job_free(struct job *job)
{
    job->release(job->argument);
    free(job);
}

struct result worker_new(struct plugin *plugin, struct worker **worker)
{
    struct worker *new = calloc(1, sizeof *new);

    *worker = NULL;
    if (new == NULL)
        return result_no_memory("the worker");
    new->plugin = plugin;
    new->jobs.last = &new->jobs.first;
    new->operations.last = &new->operations.first;
    new->multi = curl_multi_init();
    if (new->multi == NULL || pthread_mutex_init(&new->lock, NULL) != 0) {
        if (new->multi != NULL)
            (void)curl_multi_cleanup(new->multi);
        free(new);
        return result_no_memory("the worker");
    }
    *worker = new;
    return result_ok();
}

void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    (void)curl_multi_cleanup(worker->multi);
    (void)pthread_mutex_destroy(&worker->lock);
    free(worker);
}

static struct result post(struct worker *worker, struct jobs *jobs, const struct job *given)
{
    struct job *job = malloc(sizeof *job);
    bool taken = false;

    if (job == NULL) {
        given->release(given->argument);
        return result_no_memory("a job");
    }
    *job = *given;
    (void)pthread_mutex_lock(&worker->lock);
    if (worker->open) {
        *jobs->last = job;
        jobs->last = &job->next;
        worker->waiting++;
        taken = true;
    }
    (void)pthread_mutex_unlock(&worker->lock);
    if (!taken) {
        job_free(job);
        return result_error(RESULT_INTERNAL, "the library is not running");
    }
    (void)curl_multi_wakeup(worker->multi);
    return result_ok(); /* cppcheck-suppress memleak; what is taken hangs on the list, by its last link */
}

struct result worker_post(struct plugin *plugin, worker_job run, worker_job_free release, void *argument)
{
    const struct job job = {.run = run, .release = release, .argument = argument};

    return post(plugin->worker, &plugin->worker->jobs, &job);
}

struct result worker_post_operation(struct plugin *plugin, worker_job run, worker_job_free release, void *argument)
{
    const struct job job = {.run = run, .release = release, .argument = argument};

    return post(plugin->worker, &plugin->worker->operations, &job);
}

static void hear(struct worker *worker, uint64_t relationships)
{
    (void)pthread_mutex_lock(&worker->lock);
    worker->heard |= relationships;
    (void)pthread_mutex_unlock(&worker->lock);
    (void)curl_multi_wakeup(worker->multi);
}

void worker_partner_heard(struct plugin *plugin, const char *partner)
{
    for (size_t i = 0; i < plugin->relationships.count; i++)
        if (plugin->relationships.list[i].local &&
            strcmp(relationship_partner(&plugin->relationships.list[i])->name, partner) == 0)
            hear(plugin->worker, UINT64_C(1) << i);
}

void worker_all_heard(struct plugin *plugin)
{
    hear(plugin->worker, UINT64_MAX);
}

void worker_all_alive(struct plugin *plugin)
{
    struct worker *worker = plugin->worker;

    (void)pthread_mutex_lock(&worker->lock);
    worker->alive = true;
    (void)pthread_mutex_unlock(&worker->lock);
    (void)curl_multi_wakeup(worker->multi);
}

static struct job *take_job(struct worker *worker, struct jobs *jobs)
{
    struct job *job;

    (void)pthread_mutex_lock(&worker->lock);
    job = jobs->first;
    if (job != NULL) {
        jobs->first = job->next;
        if (jobs->first == NULL)
            jobs->last = &jobs->first;
        worker->waiting--;
    }
    (void)pthread_mutex_unlock(&worker->lock);
    return job;
}

static void put_back(struct worker *worker, struct job *job)
{
    struct jobs *jobs = &worker->jobs;

    (void)pthread_mutex_lock(&worker->lock);
    job->next = jobs->first;
    if (jobs->first == NULL)
        jobs->last = &job->next;
    jobs->first = job;
    worker->waiting++;
    (void)pthread_mutex_unlock(&worker->lock);
}

bool worker_is_full(struct plugin *plugin)
{
    struct worker *worker = plugin->worker;
    bool full;

    (void)pthread_mutex_lock(&worker->lock);
    full = worker->waiting >= FULL;
    (void)pthread_mutex_unlock(&worker->lock);
    return full;
}

/* Whether the worker is leaving and has no time for one more job. */
static bool is_late(const struct worker *worker, bool last_chance)
{
    return last_chance && waiting_now() >= worker->deadline;
}

/* Runs what waits; a job for which the store or memory is missing stays first in line, because those behind it may
 * build on it. At the end it is dropped, and with it those behind it: the next load of the configuration compares the
 * store with what was not recorded. One that finds no memory for long is given up, for everything to be read anew. True
 * if any ran. */
static bool run_jobs(struct worker *worker, bool last_chance)
{
    struct plugin *plugin = worker->plugin;
    bool ran = false;
    struct job *job;

    if (worker->jobs_blocked_until > engine_ticks() && !last_chance)
        return false;
    while ((job = take_job(worker, &worker->jobs)) != NULL) {
        struct result result = job->run(plugin, job->argument);

        if (result.code == RESULT_MEMORY && !last_chance && ++worker->memory_tries >= MEMORY_TRIES) {
            worker->memory_tries = 0;
            job_free(job);
            changes_missed(plugin, &result);
            continue;
        }
        if (result_may_pass(result) && !last_chance) {
            put_back(worker, job);
            worker->jobs_blocked_until = engine_ticks() + STORE_PATIENCE_MS;
            engine_set_mirror(plugin, &result);
            return ran;
        }
        if (result_may_pass(result)) {
            job_free(job);
            worker->dropped++;
            return ran;
        }
        free(job);
        worker->memory_tries = 0;
        ran = true;
        engine_set_mirror(plugin, result_failed(result) ? &result : NULL);
        if (is_late(worker, last_chance))
            return ran;
    }
    return ran;
}

static bool run_operations(struct worker *worker, bool last_chance)
{
    bool ran = false;
    struct job *job;

    while (!is_late(worker, last_chance) && (job = take_job(worker, &worker->operations)) != NULL) {
        (void)job->run(worker->plugin, job->argument);
        free(job);
        ran = true;
    }
    return ran;
}

static void run_all(struct worker *worker, bool last_chance)
{
    struct plugin *plugin = worker->plugin;
    bool ran = run_jobs(worker, last_chance);

    if (run_operations(worker, last_chance) || ran)
        for (size_t i = 0; i < plugin->relationships.count; i++)
            engine_refresh_queue(plugin, i);
}

static void hear_partners(struct worker *worker)
{
    uint64_t heard;
    bool alive;

    (void)pthread_mutex_lock(&worker->lock);
    heard = worker->heard;
    alive = worker->alive;
    worker->heard = 0;
    worker->alive = false;
    (void)pthread_mutex_unlock(&worker->lock);
    for (size_t i = 0; i < worker->plugin->relationships.count; i++) {
        if (worker->partners[i] == NULL)
            continue;
        if ((heard >> i & 1) != 0)
            partner_heard(worker->partners[i]);
        else if (alive)
            partner_alive(worker->partners[i]);
        if ((heard >> i & 1) != 0 || alive)
            reconciler_heard(worker->reconcilers[i]);
    }
}

/* Returns when the next of them wants attention. */
static int64_t advance_partners(struct worker *worker)
{
    int64_t now = engine_ticks(), wake = persist_advance(worker->plugin, now);

    for (size_t i = 0; i < worker->plugin->relationships.count; i++) {
        int64_t next;

        if (worker->partners[i] == NULL)
            continue;
        next = reconciler_advance(worker->reconcilers[i], now);
        if (next < wake)
            wake = next;
        next = partner_advance(worker->partners[i], now);
        if (next < wake)
            wake = next;
    }
    return wake;
}

/* True if a transfer ended, which may have made something else due. */
static bool finish_transfers(struct worker *worker)
{
    bool finished = false;
    int running = 0, left = 0;
    CURLMsg *message;

    (void)curl_multi_perform(worker->multi, &running);
    while ((message = curl_multi_info_read(worker->multi, &left)) != NULL) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        for (size_t i = 0; i < worker->plugin->relationships.count; i++)
            if (worker->partners[i] != NULL && (partner_finished(worker->partners[i], easy, code) ||
                                                reconciler_finished(worker->reconcilers[i], easy, code)))
                break;
        finished = true;
    }
    return finished;
}

static bool is_stopping(struct worker *worker)
{
    bool stopping;

    (void)pthread_mutex_lock(&worker->lock);
    stopping = worker->stopping;
    (void)pthread_mutex_unlock(&worker->lock);
    return stopping;
}

static void forget_partner(struct worker *worker, size_t number)
{
    partner_free(worker->partners[number]);
    reconciler_free(worker->reconcilers[number]);
    worker->partners[number] = NULL;
    worker->reconcilers[number] = NULL;
}

static struct result meet_partner(struct worker *worker, size_t number)
{
    struct plugin *plugin = worker->plugin;
    struct result result = reconciler_new(plugin, number, worker->multi, &worker->reconcilers[number]);

    if (!result_failed(result))
        result = partner_new(plugin, number, worker->multi, &worker->partners[number]);
    if (result_failed(result))
        forget_partner(worker, number);
    return result;
}

/* Those for which there was no memory before. */
static void meet_missing(struct worker *worker)
{
    const struct relationships *relationships = &worker->plugin->relationships;

    for (size_t i = 0; i < relationships->count; i++) {
        struct result result;

        if (!relationships->list[i].local || worker->partners[i] != NULL)
            continue;
        result = meet_partner(worker, i);
        engine_set_partner_error(worker->plugin, i, result_failed(result) ? result.message : NULL);
    }
}

static void watch(struct worker *worker)
{
    int64_t now = engine_ticks();

    if (now < worker->next_watch)
        return;
    worker->next_watch = now + STORE_PATIENCE_MS;
    store_life_watch(worker->plugin);
    changes_recover(worker->plugin);
    meet_missing(worker);
}

static void ask_ha_state(struct worker *worker)
{
    int64_t now = engine_ticks();

    if (worker->plugin->relationships.count == 0 || now < worker->next_ha_state)
        return;
    worker->next_ha_state = now + HA_STATE_MS;
    ha_state_ask(worker->plugin);
}

/* What is under way goes on after the load, but nobody will know for which operation. */
static void end_operations(struct worker *worker)
{
    struct plugin *plugin = worker->plugin;
    const struct fault fault = fault_of_result(
        result_error(RESULT_REFUSED,
                     "the configuration was loaded anew before the operation had ended; what was queued "
                     "stays queued and is sent, failover-status tells what waits"),
        EXCEPTION_SCOPES_NOT_REPLICATED);

    replication_watch_clear(&plugin->watch);
    operation_log_end_all(plugin->operations, &fault);
    if (plugin->store != NULL)
        (void)operation_log_save(plugin->operations, plugin->store);
}

static void *worker_run(void *argument)
{
    struct worker *worker = argument;

    while (!is_stopping(worker)) {
        int64_t wake, wait;

        run_all(worker, false);
        hear_partners(worker);
        ask_ha_state(worker);
        watch(worker);
        wake = advance_partners(worker);
        if (finish_transfers(worker))
            continue;
        wait = wake == INT64_MAX ? WAIT_MAX_MS : wake - engine_ticks();
        if (wait > WAIT_MAX_MS)
            wait = WAIT_MAX_MS;
        if (wait > 0)
            (void)curl_multi_poll(worker->multi, NULL, 0, (int)wait, NULL);
    }
    run_all(worker, true);
    end_operations(worker);
    return NULL;
}

static void free_partners(struct worker *worker)
{
    for (size_t i = 0; i < RELATIONSHIP_MAX; i++)
        forget_partner(worker, i);
}

struct result worker_follow_relationship(struct plugin *plugin, size_t relationship)
{
    struct worker *worker = plugin->worker;

    if (!plugin->relationships.list[relationship].local) {
        forget_partner(worker, relationship);
        return result_ok();
    }
    if (worker->partners[relationship] != NULL)
        return result_ok();
    engine_refresh_queue(plugin, relationship);
    return meet_partner(worker, relationship);
}

void worker_reconcile(struct plugin *plugin, size_t relationship)
{
    if (plugin->worker->reconcilers[relationship] != NULL)
        reconciler_hurry(plugin->worker->reconcilers[relationship]);
}

struct result worker_start(struct plugin *plugin)
{
    struct worker *worker = plugin->worker;
    struct result result = result_ok();

    worker->stopping = false;
    worker->dropped = 0;
    worker->heard = 0; /* of other relationships */
    worker->next_ha_state = worker->jobs_blocked_until = 0;
    worker->next_watch = engine_ticks() + STORE_PATIENCE_MS;
    for (size_t i = 0; i < plugin->relationships.count; i++)
        engine_refresh_queue(plugin, i);
    meet_missing(worker);
    if (!engine_start_thread(&worker->thread, worker_run, worker))
        result = result_error(RESULT_MEMORY, "the worker thread could not be started");
    if (result_failed(result)) {
        free_partners(worker);
        return result;
    }
    worker->running = true;
    (void)pthread_mutex_lock(&worker->lock);
    worker->open = true;
    (void)pthread_mutex_unlock(&worker->lock);
    return result;
}

size_t worker_stop(struct plugin *plugin, int64_t deadline)
{
    struct worker *worker = plugin->worker;
    size_t dropped;
    struct job *job;

    if (worker == NULL || !worker->running)
        return 0;
    (void)pthread_mutex_lock(&worker->lock);
    worker->open = false;
    worker->deadline = deadline;
    worker->stopping = true;
    (void)pthread_mutex_unlock(&worker->lock);
    (void)curl_multi_wakeup(worker->multi);
    (void)pthread_join(worker->thread, NULL);
    worker->running = false;
    dropped = worker->dropped;
    for (; (job = take_job(worker, &worker->jobs)) != NULL; dropped++)
        job_free(job);
    while ((job = take_job(worker, &worker->operations)) != NULL)
        job_free(job);
    free_partners(worker);
    return dropped;
}
