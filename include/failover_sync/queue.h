/* The replication queue: the latest wish per scope and partner, in the store, so that it survives everything the store
 * survives. All times are milliseconds since 1970. Used by the worker only, inside or outside a transaction. */
#ifndef FAILOVER_SYNC_QUEUE_H
#define FAILOVER_SYNC_QUEUE_H

#include "failover_sync/object.h"
#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

struct queue_item {
    int64_t record_id;
    int64_t relation_record_id;
    int64_t server_record_id; /* the partner */
    object_id id;
    char name[OBJECT_NAME_SIZE];
    bool removal;
    int64_t attempts;
    bool forced;     /* a removal that an administrator means, however many there are. Read, not written */
    int64_t network; /* record id of the scope's shared network on this server; 0: none. Read, not written */
};

struct queue_summary {
    int64_t length;   /* wishes, held ones included */
    int64_t held;     /* of them: waiting for a person */
    int64_t oldest;   /* when the oldest was queued; 0 if there is none */
    int64_t next_due; /* when the next one may be tried; -1 if none is waiting */
    int64_t last_due; /* when the last of those that wait may be; -1 if none is */
};

/* Queues a scope, or its removal, for a partner; due at once. A wish already there is replaced and keeps its age. */
struct result queue_put(struct store *store, const struct queue_item *item, int64_t now);

/* The same, but leaves a wish of the same kind that is there as it is. */
struct result queue_put_missing(struct store *store, const struct queue_item *item, int64_t now);

/* The same for what the partner has asked for: also a removal that it held is due. */
struct result queue_put_wanted(struct store *store, const struct queue_item *item, int64_t now);

/* Takes a wish out; nothing there is no failure. */
struct result queue_remove(struct store *store, int64_t server_record_id, object_id id);

/* Reads up to `limit` wishes that are due, the oldest first, of one kind of object and either only removals or none.
 * Removals of scopes come first, so that a prefix is free again before another scope takes it; then what scopes need,
 * the scopes, and at last removals of what they needed. The scopes of one shared network stay together,
 * and if the partner has it with other parameters also beyond the limit, by QUEUE_TAKE_MAX: each carries them, and they
 * change for all of them at once. It takes as long as the batch is large, not the queue. With QUEUE_TAKE_ALL it is
 * everything that is due, removals first. `local_record_id` is this server's. The caller frees *items. */
#define QUEUE_TAKE_MAX    1000
#define QUEUE_TAKE_OTHERS 50 /* what is no scope comes together as far as may be: some need one another */
#define QUEUE_TAKE_ALL    SIZE_MAX
struct result queue_take_due(struct store *store, int64_t server_record_id, int64_t local_record_id, int64_t now,
                             size_t limit, struct queue_item **items, size_t *count);

/* Notes a failed attempt and when to try again. */
struct result queue_postpone(struct store *store, int64_t record_id, int64_t next_attempt, const char *error);

/* Takes a wish out of the running until something changes it: a conflict that waits for a person. */
struct result queue_hold(struct store *store, int64_t record_id, const char *error);

/* Takes the removal of a scope out of the running, if one is queued for the partner. */
struct result queue_hold_removal(struct store *store, int64_t server_record_id, object_id id, const char *error);

/* Notes that the partner holds a removal, which waits until a person or the partner says otherwise; nothing if an
 * administrator has said meanwhile that it is meant. */
struct result queue_hold_there(struct store *store, int64_t record_id, const char *error);

/* An administrator means the removals that are queued for a partner: those that are held are put back in the running,
 * and all of them say so. */
struct result queue_release_removals(struct store *store, int64_t server_record_id, int64_t now);

/* Makes every wish for a partner that waits for another attempt due now; held ones stay. */
struct result queue_wake(struct store *store, int64_t server_record_id, int64_t now);

/* The first `limit` removals that are held for a partner: scopes by their prefixes, others with their kind. */
struct result queue_held_removals(struct store *store, int64_t server_record_id, char (*names)[OBJECT_NAME_SIZE],
                                  size_t limit, size_t *count);

struct result queue_summarise(struct store *store, int64_t server_record_id, struct queue_summary *summary);

#endif
