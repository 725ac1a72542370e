/* One exchange with a partner over HTTP at a time: a command's text out, its answer's text in. The partner's name is
 * looked up before, what is between servers with this library is put into its envelope, and an answer that belongs to
 * another request is not taken for this one's. Driven by libcurl's multi interface; nothing here blocks. What is in the
 * texts is the business of those who use it. */
#ifndef REPLICATION_EXCHANGE_H
#define REPLICATION_EXCHANGE_H

#include "failover_sync/engine.h"
#include "failover_sync/result.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct exchange;

#define EXCHANGE_TIMEOUT_MS 15000L
#define EXCHANGE_ANSWER_MAX ((size_t)8 * 1024 * 1024) /* bytes */

struct exchange_order {
    char *request;       /* the command's text; taken */
    const char *command; /* the command between partners that it is, static; NULL: it is one of Kea's own */
    long timeout_ms;
    size_t answer_max; /* bytes */
};

/* What came of it. */
struct exchange_outcome {
    struct result why; /* ok, or a sentence that names the partner and the remedy */
    char *answer;      /* after a success: a text of `length` bytes and a NUL behind them, the caller's */
    size_t length;
    long http_status; /* 0 if there was no answer at all */
};

/* An exchange with the partner of relationship `number`; the plugin and `multi` must outlive it. */
struct result exchange_new(struct plugin *plugin, size_t number, CURLM *multi, struct exchange **exchange);
void exchange_free(struct exchange *exchange); /* gives up what is under way; NULL is fine */

/* Starts it, giving up a former one. A failure is the outcome: it is taken like any other. */
void exchange_send(struct exchange *exchange, const struct exchange_order *order);

/* Goes on with what is not curl's to wait for. Returns when to call again: milliseconds since 1970, INT64_MAX if only
 * curl is waited for, or nothing. */
int64_t exchange_advance(struct exchange *exchange, int64_t now);

/* Whether the transfer of `easy`, which ended with `code`, was this one's. */
bool exchange_finished(struct exchange *exchange, CURL *easy, CURLcode code);

/* Takes the outcome; false while there is none. */
bool exchange_take(struct exchange *exchange, struct exchange_outcome *outcome);

/* Gives up what is under way. */
void exchange_stop(struct exchange *exchange);

#endif
