/* max-delete-percent at the receiver: which removals a partner has sent of late, and which of them are held here until
 * an administrator says that they are meant. In memory, so that the main thread can decide, and in the store, so that a
 * restart changes nothing. Times are the machine's since its start: no clock that is set moves them. */
#ifndef FAILOVER_SYNC_REMOVAL_GUARD_H
#define FAILOVER_SYNC_REMOVAL_GUARD_H

#include "failover_sync/object.h"
#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct scope_index;

/* A slip of the pen arrives within moments, in batches of some scopes each: those of this time count together. What was
 * counted before a load counts anew from the load on. */
#define REMOVAL_GUARD_WINDOW_MS (10 * 60 * 1000)

enum removal_state {
    REMOVAL_UNKNOWN,
    REMOVAL_COUNTED, /* taken, not long ago */
    REMOVAL_HELD,
    REMOVAL_RELEASED /* held before; taken when it comes again */
};

struct guarded_removal {
    int64_t server_record_id; /* the partner that sent it */
    object_id id;
    char name[OBJECT_NAME_SIZE];
    enum removal_state state;
    int64_t counted_at; /* milliseconds of CLOCK_BOOTTIME */
};

struct removal_guard;

struct result removal_guard_new(struct removal_guard **guard);
void removal_guard_free(struct removal_guard *guard); /* NULL is fine */

/* [no worker runs] Takes up what the store remembers, instead of all that is in memory. What is held of a scope that is
 * not here any more (`local_record_id`: of this server) is forgotten. NULL: there is no store. */
struct result removal_guard_load(struct removal_guard *guard, struct store *store, int64_t local_record_id);

enum removal_state removal_guard_find(struct removal_guard *guard, int64_t server_record_id, object_id id);

/* How many of the partner's removals of a kind count: taken within the window, and the scope is not back again. */
size_t removal_guard_count(struct removal_guard *guard, int64_t server_record_id, enum object_kind kind,
                           struct scope_index *index);

/* Whether one more is too many: `counted` were taken of `scopes`, which are those that are left and the counted. */
bool removal_guard_exceeds(size_t counted, size_t scopes, int64_t max_delete_percent);

/* [worker] Notes a removal's state; REMOVAL_UNKNOWN forgets it. The store first: what is in memory follows with
 * removal_guard_follow after the commit. */
struct result removal_guard_store(struct store *store, const struct guarded_removal *removal);
struct result removal_guard_follow(struct removal_guard *guard, const struct guarded_removal *removal);

/* [worker] Forgets what has left the window, or is of a scope that is back, and what is held of one that is gone. */
struct result removal_guard_expire(struct removal_guard *guard, struct store *store, struct scope_index *index);

/* [worker] Releases all that is held of a partner's: in the store, and after the commit in memory, which says how many
 * that were. */
struct result removal_guard_release(struct store *store, int64_t server_record_id);
size_t removal_guard_follow_release(struct removal_guard *guard, int64_t server_record_id);

/* Calls `each` under the lock for what is held of a partner's, of scopes that are still here. */
void removal_guard_each_held(struct removal_guard *guard, int64_t server_record_id, struct scope_index *index,
                             void (*each)(void *context, const struct guarded_removal *removal), void *context);

#endif
