/* One partner as the sender sees it: batches of scopes pushed to it, its answers collected, its silences waited out.
 * All of it runs on the worker, driven by libcurl's multi interface; nothing here blocks. */
#ifndef FAILOVER_SYNC_PARTNER_H
#define FAILOVER_SYNC_PARTNER_H

#include "failover_sync/engine.h"

#include <curl/curl.h>

struct partner;

/* A client for the other server of relationship `number`. `multi` must outlive it. */
struct result partner_new(struct plugin *plugin, size_t number, CURLM *multi, struct partner **partner);
void partner_free(struct partner *partner); /* gives up what is under way */

/* Starts what is due. Returns when to call again: milliseconds since 1970, INT64_MAX if nothing is waiting. */
int64_t partner_advance(struct partner *partner, int64_t now);

/* The transfer of `easy` ended; true if it was this partner's. */
bool partner_finished(struct partner *partner, CURL *easy, CURLcode code);

/* The partner was heard of: whatever waits for another attempt is due now. */
void partner_heard(struct partner *partner);

/* The partner may be alive: what waits because it was not reached is due now; what it refused is not. */
void partner_alive(struct partner *partner);

#endif
