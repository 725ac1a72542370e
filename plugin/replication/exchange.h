/* One exchange with a partner over HTTP at a time: a command's text out, its answer's text in. Driven by libcurl's
 * multi interface; nothing here blocks. What is in the texts is the business of those who use it. */
#ifndef REPLICATION_EXCHANGE_H
#define REPLICATION_EXCHANGE_H

#include "failover_sync/relationship.h"
#include "failover_sync/result.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct exchange;

#define EXCHANGE_ANSWER_MAX (8 * 1024 * 1024) /* bytes */

/* An exchange with the partner of a relationship; both must outlive it. */
struct result exchange_new(const struct relationship *relationship, CURLM *multi, struct exchange **exchange);
void exchange_free(struct exchange *exchange); /* gives up what is under way; NULL is fine */

/* Sends `text`, which it takes. */
struct result exchange_send(struct exchange *exchange, char *text);

bool exchange_is_busy(const struct exchange *exchange);

/* Whether the transfer of `easy`, which ended with `code`, was this one's. Then *result tells how it went, in a
 * sentence that names the partner and the remedy, and after a success *answer is its text of *length bytes and a NUL
 * behind them, the caller's. */
bool exchange_finished(struct exchange *exchange, CURL *easy, CURLcode code, struct result *result, char **answer,
                       size_t *length);

#endif
