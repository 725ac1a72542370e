/* The last operations: which were called, how far each has got, and what came of it, as SetOverallStatus keeps it for
 * clients (MS-IPAMM2 3.19.4.8). In memory, with a lock of its own; written to the store when the library is unloaded.
 */
#ifndef FAILOVER_SYNC_OPERATION_LOG_H
#define FAILOVER_SYNC_OPERATION_LOG_H

#include "failover_sync/fault.h"
#include "failover_sync/result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct operation_log;

#define OPERATIONS_KEPT      1000
#define OPERATION_ID_SIZE    48
#define OPERATION_OUTPUT_MAX 4096 /* bytes of an output that is kept */

enum operation_state { OPERATION_NOT_STARTED, OPERATION_IN_PROGRESS, OPERATION_SUCCEEDED, OPERATION_FAILED };

/* "NotStarted", "InProgress", "CompletedWithSuccess", "CompletedWithFailure" */
const char *operation_state_word(enum operation_state state);

struct result operation_log_new(struct operation_log **log);
void operation_log_free(struct operation_log *log); /* NULL is fine */

/* Notes that `command` was called; `id` receives the operation's name, which begins with `instance`. The oldest is
 * forgotten when there are too many. */
void operation_log_begin(struct operation_log *log, const char *command, const char *instance,
                         char id[OPERATION_ID_SIZE]);

/* The operation is at work, `percent` of it done (0 to 99). */
void operation_log_advance(struct operation_log *log, const char *id, unsigned percent);

/* It has ended: with a fault, or with success and an output (NULL: none; one that is too long is not kept). */
void operation_log_end(struct operation_log *log, const char *id, const struct fault *fault, const json_t *output);

/* Waits until an operation has ended, at most `ms` milliseconds; whether it has. */
bool operation_log_wait(struct operation_log *log, const char *id, int64_t ms);

/* The fault of an operation; no fault if there is none. */
struct fault operation_log_fault(struct operation_log *log, const char *id);

/* The output of operation-get's container "operation"; NULL if it is not known or for want of memory. Waits a moment
 * for what the store keeps if that has not been read yet. */
json_t *operation_log_describe(struct operation_log *log, const char *id);

/* Adds operation-id, state and percent to a command's output; false for want of memory. */
bool operation_log_put_progress(struct operation_log *log, const char *id, json_t *output);

/* Ends what has not ended with `fault`: nothing will go on with it. */
void operation_log_end_all(struct operation_log *log, const struct fault *fault);

/* Whoever has the store: reads what the store keeps beside what is there already, and writes what has changed since. Failing loses
 * nothing but what operation-get could have told of operations before the last restart. */
struct result operation_log_load(struct operation_log *log, struct store *store);
struct result operation_log_save(struct operation_log *log, struct store *store);

#endif
