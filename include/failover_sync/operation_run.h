/* A command that needs the store, on its way: from the thread it came in on to the worker, if it changes a pool over
 * the server's main thread and back, and to its answer. */
#ifndef FAILOVER_SYNC_OPERATION_RUN_H
#define FAILOVER_SYNC_OPERATION_RUN_H

#include "failover_sync/engine.h"
#include "failover_sync/fault.h"
#include "failover_sync/model.h"
#include "failover_sync/range_operation.h"

#include <jansson.h>

/* How long a command may hold the thread that it came in on, in milliseconds; nearly every one is answered at once. Kea
 * has no way to answer a command later, and packets may wait: for the main thread, and for a thread of HA's listener if
 * somebody changes the configuration meanwhile. */
#define OPERATION_WAIT_MS 200

/* The fault of a command that comes while too much waits for the worker, which is to be given again later; none
 * otherwise. */
struct fault worker_too_busy(struct plugin *plugin, enum exception_id exception);

/* What an operation is given, and what it leaves. */
struct operation_context {
    struct plugin *plugin;
    const struct model_node *input;
    int64_t now_ms;
    char id[OPERATION_ID_SIZE]; /* "" for one that only reads */

    json_t *output;          /* the rpc's output, without the operation's progress */
    char text[300];          /* the answer's text */
    bool empty;              /* there was nothing to find */
    bool continues;          /* it is not over: the partners' answers end it in the operation log */
    struct pool_change pool; /* wanted: to be changed in the server before `record` is called */

    /* The pool change under way; see pool_operation.c. */
    bool adds;
    uint32_t subnet_id;
    char prefix[48];
    struct kea_object before, after;
};

/* One command of this kind. All but `apply` and `undo` run on the worker. */
struct operation {
    const char *command;
    bool reads;                  /* it changes nothing, and the operation log is not told */
    enum exception_id exception; /* when this side fails */

    /* Does it. On a fault nothing is changed. */
    struct fault (*run)(struct operation_context *context);

    /* Only of one that may change a pool: [main] changes it; the worker records it; [main] takes it back if that
     * faulted. */
    struct fault (*apply)(struct operation_context *context);
    struct fault (*record)(struct operation_context *context);
    void (*undo)(struct operation_context *context);
};

/* The operations, numbered from 0; static. */
size_t operation_count(void);
const struct operation *operation_number(size_t number);

/* The operation behind a command; NULL without one. */
const struct operation *operation_find(const char *command);

/* Runs an operation on `input`, which it takes and which was read from `arguments`, and returns the whole answer as
 * JSON text the caller frees, or NULL for want of memory. Answers before the end if it takes too long or is asked to.
 */
char *operation_call(struct plugin *plugin, const struct operation *operation, struct model_tree *input,
                     const char *arguments);

#endif
