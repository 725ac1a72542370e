/* Reconciliation with one partner: asks, from time to time and when it is met again, whether both remember the same
 * agreements, and settles what differs (DESIGN, "Reconciliation"). All of it runs on the worker. */
#ifndef FAILOVER_SYNC_RECONCILE_H
#define FAILOVER_SYNC_RECONCILE_H

#include "failover_sync/engine.h"

#include <curl/curl.h>

struct reconciler;

/* For the partner of relationship `number`; `multi` must outlive it. */
struct result reconciler_new(struct plugin *plugin, size_t number, CURLM *multi, struct reconciler **reconciler);
void reconciler_free(struct reconciler *reconciler); /* NULL is fine */

/* Starts what is due. Returns when to call again: milliseconds since 1970, INT64_MAX if an answer is awaited. */
int64_t reconciler_advance(struct reconciler *reconciler, int64_t now);

/* The transfer of `easy` ended; true if it was this one's. */
bool reconciler_finished(struct reconciler *reconciler, CURL *easy, CURLcode code);

/* The partner was heard of: if it could not be asked last time, it is asked now. */
void reconciler_heard(struct reconciler *reconciler);

/* The next reconciliation begins at once, if none is under way. */
void reconciler_hurry(struct reconciler *reconciler);

#endif
