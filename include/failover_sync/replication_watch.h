/* Operations that end when the partners have answered: what each is waiting for. All of it is the worker's. */
#ifndef FAILOVER_SYNC_REPLICATION_WATCH_H
#define FAILOVER_SYNC_REPLICATION_WATCH_H

#include "failover_sync/fault.h"
#include "failover_sync/object.h"
#include "failover_sync/result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plugin;
struct watched_operation;

/* The operations being watched; empty when zeroed. */
struct replication_watch {
    struct watched_operation *first;
};

/* One scope for one partner. */
struct watch_target {
    object_id id;
    size_t relationship;
};

struct watch_order {
    const char *id;               /* of the operation */
    enum exception_id exception;  /* when a partner has not got a scope for a reason that has no own one */
    struct watch_target *targets; /* at least one; sorted by the call */
    size_t count;
    const uint32_t *skipped; /* scopes that belong to no relationship; with `list`, they are in the output */
    size_t skipped_count;
    bool list; /* whether the output lists the scopes */
};

/* Watches an operation; it is ended in the operation log once every target is settled. */
struct result replication_watch_add(struct plugin *plugin, const struct watch_order *order);

/* The output of an operation of which nothing is settled yet; NULL for want of memory. */
json_t *replication_watch_output(const struct watch_order *order);

/* A scope was settled with the partner of a relationship: it has it, or (`failure`) it has not. `exception` is the
 * failure's own, or EXCEPTION_NONE. */
void replication_watch_settle(struct plugin *plugin, size_t relationship, object_id id, enum exception_id exception,
                              const char *failure);

/* An attempt to reach the partner of a relationship failed: what waits for it has failed, though it stays queued. */
void replication_watch_unreachable(struct plugin *plugin, size_t relationship, const char *why);

/* Forgets them all; what they wait for is somebody else's to say. */
void replication_watch_clear(struct replication_watch *watch);

#endif
