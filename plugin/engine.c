/* Small things that every room of a running plugin needs: the clock, and what an admin is shown. */
#include "failover_sync/engine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t engine_now(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return 0;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t engine_ticks(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

int64_t engine_ticks_at(int64_t when)
{
    return when - engine_now() + engine_ticks();
}

int64_t engine_wait_end(int64_t when, int64_t now, int64_t longest)
{
    return when - now > longest ? now : when;
}

void engine_timestamp(int64_t when, char text[ENGINE_TIMESTAMP_SIZE])
{
    time_t seconds = (time_t)(when / 1000);
    struct tm parts;
    size_t length = 0;

    if (gmtime_r(&seconds, &parts) != NULL)
        length = strftime(text, ENGINE_TIMESTAMP_SIZE - 5, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(text + length, ENGINE_TIMESTAMP_SIZE - length, ".%03uZ", (unsigned)(when % 1000) % 1000);
}

bool engine_grow(void **array, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *larger;

    if (count < *capacity)
        return true;
    larger = reallocarray(*array, wanted, size);
    if (larger == NULL)
        return false;
    *array = larger;
    *capacity = wanted;
    return true;
}

void engine_set_mirror(struct plugin *plugin, const struct result *failure)
{
    struct engine_status *status = &plugin->status;
    bool news;

    if (failure == NULL && (plugin->store == NULL || plugin->store_refuses || plugin->changes_missed))
        return; /* what went well did so without it */
    (void)pthread_mutex_lock(&status->lock);
    news = failure != NULL &&
           (status->mirror != MIRROR_UNAVAILABLE || strcmp(status->mirror_error, failure->message) != 0);
    status->mirror = failure == NULL ? MIRROR_CURRENT : MIRROR_UNAVAILABLE;
    (void)snprintf(status->mirror_error, sizeof status->mirror_error, "%s", failure == NULL ? "" : failure->message);
    (void)pthread_mutex_unlock(&status->lock);
    if (news && plugin->store == NULL)
        kea_log(plugin->server, FAILOVER_SYNC_STORE_UNUSABLE, failure->message, plugin->served);
    else if (news)
        kea_log(plugin->server, FAILOVER_SYNC_MIRROR_FAILED, failure->message);
}

struct result engine_no_store(struct plugin *plugin)
{
    struct result result;

    (void)pthread_mutex_lock(&plugin->status.lock);
    result = result_error(RESULT_STORE, "store unusable: %.300s. Clients are served from %s; nothing is replicated",
                          plugin->status.mirror_error, plugin->served);
    (void)pthread_mutex_unlock(&plugin->status.lock);
    return result;
}

void engine_set_counted(struct plugin *plugin, bool counted)
{
    (void)pthread_mutex_lock(&plugin->status.lock);
    plugin->status.counted = counted;
    (void)pthread_mutex_unlock(&plugin->status.lock);
}

void engine_set_partner_error(struct plugin *plugin, size_t relationship, const char *why)
{
    char *known = plugin->status.relationship[relationship].partner_error;
    const size_t size = sizeof plugin->status.relationship[relationship].partner_error;
    bool news;

    (void)pthread_mutex_lock(&plugin->status.lock);
    news = why != NULL && strncmp(known, why, size - 1) != 0;
    (void)snprintf(known, size, "%s", why == NULL ? "" : why);
    (void)pthread_mutex_unlock(&plugin->status.lock);
    if (news)
        kea_log(plugin->server, FAILOVER_SYNC_PARTNER_UNUSABLE,
                relationship_partner(&plugin->relationships.list[relationship])->name, why);
}

bool engine_start_thread(pthread_t *thread, void *(*run)(void *argument), void *argument)
{
    sigset_t all, before;
    bool started;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(thread, NULL, run, argument) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* Since when the oldest wish waits. One that was behind another has waited no longer than that. */
static void note_oldest(struct relationship_status *status, const struct queue_summary *summary)
{
    const int64_t now = engine_ticks();
    int64_t at = engine_ticks_at(summary->oldest);

    if (status->queue.oldest == summary->oldest && status->queue.length > 0)
        return;
    if (status->queue.length > 0 && at < status->oldest_at)
        at = status->oldest_at;
    status->oldest_at = at > now ? now : at;
}

void engine_refresh_queue(struct plugin *plugin, size_t relationship)
{
    const struct relationship *which = &plugin->relationships.list[relationship];
    char held[HELD_REMOVALS_SHOWN][OBJECT_NAME_SIZE] = {""};
    struct queue_summary summary;
    size_t held_count = 0;

    summary = (struct queue_summary){.next_due = -1, .last_due = -1};
    if (!which->local)
        return;
    if (plugin->store != NULL &&
        result_failed(queue_summarise(plugin->store, relationship_partner(which)->record_id, &summary)))
        return;
    if (summary.held > 0 && result_failed(queue_held_removals(plugin->store, relationship_partner(which)->record_id,
                                                              held, HELD_REMOVALS_SHOWN, &held_count)))
        return;
    (void)pthread_mutex_lock(&plugin->status.lock);
    note_oldest(&plugin->status.relationship[relationship], &summary);
    plugin->status.relationship[relationship].queue = summary;
    memcpy(plugin->status.relationship[relationship].held_removals, held, held_count * sizeof *held);
    plugin->status.relationship[relationship].held_removal_count = held_count;
    (void)pthread_mutex_unlock(&plugin->status.lock);
}
