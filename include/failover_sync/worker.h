/* The worker: the one thread that writes the store and talks to the partners, so that the server's main thread waits
 * for neither. Work reaches it as jobs, in order. */
#ifndef FAILOVER_SYNC_WORKER_H
#define FAILOVER_SYNC_WORKER_H

#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plugin;
struct worker;

/* Runs on the worker; owns and frees `argument`. After a failure that may pass (result_may_pass) the job has kept its
 * argument and is run again later, before any other. */
typedef struct result (*worker_job)(struct plugin *plugin, void *argument);
typedef void (*worker_job_free)(void *argument);

/* The worker of a plugin, not yet running; it lives as long as the plugin. */
struct result worker_new(struct plugin *plugin, struct worker **worker);
void worker_free(struct worker *worker); /* stopped; NULL is fine */

/* Starts the worker for the relationships that the plugin has now. */
struct result worker_start(struct plugin *plugin);

/* Runs the jobs still waiting, without the network, and ends the thread; begins none after `deadline`, by waiting_now,
 * nor after one that the store refused then. Returns how many were dropped. */
size_t worker_stop(struct plugin *plugin, int64_t deadline);

/* Whether so much waits for the worker that a command had better be given again later. */
bool worker_is_full(struct plugin *plugin);

/* Queues a job from any thread. On failure, for want of memory or because no worker runs, `argument` is freed. */
struct result worker_post(struct plugin *plugin, worker_job job, worker_job_free release, void *argument);

/* Queues an operation that somebody waits for, from any thread: it is run after the jobs that can be run, also when the
 * store refuses those. Its result is not looked at. */
struct result worker_post_operation(struct plugin *plugin, worker_job operation, worker_job_free release,
                                    void *argument);

/* [worker] Gets to know the partner of a relationship that is new, or forgets that of one that is gone. */
struct result worker_follow_relationship(struct plugin *plugin, size_t relationship);

/* [worker] Reconciles with the partner of a relationship now. */
void worker_reconcile(struct plugin *plugin, size_t relationship);

/* Ends every wait for the partner of a relationship at once, from any thread: it was heard of. */
void worker_partner_heard(struct plugin *plugin, const char *partner);

/* The same for all partners. */
void worker_all_heard(struct plugin *plugin);

/* Some partner is alive, it is not known which: ends the waits for those that may not have been reached. */
void worker_all_alive(struct plugin *plugin);

#endif
