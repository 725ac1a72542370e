/* The removals a partner sent of late: the list, and its table ReceivedRemovals. Whether a batch's removals are taken
 * is decided with it in reception_guard.c. */
#include "failover_sync/removal_guard.h"

#include "failover_sync/engine.h"
#include "failover_sync/scope_index.h"
#include "failover_sync/statement.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct removal_guard {
    pthread_mutex_t lock; /* guards what follows */
    struct guarded_removal *list;
    size_t count, capacity;
};

static const char *const words[] = {
    [REMOVAL_UNKNOWN] = "", [REMOVAL_COUNTED] = "Counted", [REMOVAL_HELD] = "Held", [REMOVAL_RELEASED] = "Released"};

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct result removal_guard_new(struct removal_guard **guard)
{
    struct removal_guard *new = calloc(1, sizeof *new);

    *guard = NULL;
    if (new == NULL || pthread_mutex_init(&new->lock, NULL) != 0) {
        free(new);
        return result_no_memory("received removals");
    }
    *guard = new;
    return result_ok();
}

void removal_guard_free(struct removal_guard *guard)
{
    if (guard == NULL)
        return;
    (void)pthread_mutex_destroy(&guard->lock);
    free(guard->list);
    free(guard);
}

/* ---- the table ---- */

static enum removal_state state_of(const char *word)
{
    enum removal_state state = REMOVAL_RELEASED;

    while (state != REMOVAL_UNKNOWN && (word == NULL || strcmp(words[state], word) != 0))
        state--;
    return state;
}

static struct result forget_gone(struct store *store, int64_t local_record_id)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "DELETE FROM ReceivedRemovals WHERE State <> 'Counted' AND ObjectId NOT IN "
                                         "(SELECT SubnetId FROM ADM_DHCPScopesTable WHERE DHCPServerRecordId = ?1 "
                                         "UNION ALL SELECT ObjectId FROM ReplicatedObjects WHERE ServerRecordId = ?1)",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, local_record_id);
    return statement_run(statement);
}

static struct result read_rows(struct removal_guard *guard, struct store *store)
{
    const int64_t now = now_ms();
    struct statement *statement;
    struct result result = statement_get(
        store, "SELECT ServerRecordId, ObjectId, Name, State FROM ReceivedRemovals ORDER BY ObjectId", &statement);
    bool row = false;

    if (result_failed(result))
        return result;
    while (!result_failed(result = statement_step(statement, &row)) && row) {
        const char *name = statement_text(statement, 2);
        struct guarded_removal removal = {
            .server_record_id = statement_integer(statement, 0),
            .id = statement_object(statement, 1),
            .state = state_of(statement_text(statement, 3)),
            .counted_at = now,
        };

        (void)snprintf(removal.name, sizeof removal.name, "%s", name == NULL ? "" : name);
        result = removal_guard_follow(guard, &removal);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}

struct result removal_guard_load(struct removal_guard *guard, struct store *store, int64_t local_record_id)
{
    struct result result;

    (void)pthread_mutex_lock(&guard->lock);
    guard->count = 0;
    (void)pthread_mutex_unlock(&guard->lock);
    if (store == NULL)
        return result_ok();
    /* Only tidying: while another process writes to the store it can wait. */
    result = forget_gone(store, local_record_id);
    return result_failed(result) && result.code != RESULT_STORE ? result : read_rows(guard, store);
}

struct result removal_guard_store(struct store *store, const struct guarded_removal *removal)
{
    const bool forget = removal->state == REMOVAL_UNKNOWN;
    struct statement *statement;
    struct result result =
        forget ? statement_get(store, "DELETE FROM ReceivedRemovals WHERE ServerRecordId = ?1 AND ObjectId = ?2",
                               &statement)
               : statement_get(store,
                               "INSERT INTO ReceivedRemovals (ServerRecordId, ObjectId, Name, State) "
                               "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (ServerRecordId, ObjectId) "
                               "DO UPDATE SET Name = ?3, State = ?4",
                               &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, removal->server_record_id);
    statement_bind_integer(statement, 2, (int64_t)removal->id);
    if (!forget) {
        statement_bind_text(statement, 3, removal->name);
        statement_bind_text(statement, 4, words[removal->state]);
    }
    return statement_run(statement);
}

/* ---- the list ---- */

static bool is_of(const struct guarded_removal *removal, int64_t server_record_id, object_id id)
{
    return removal->id == id && removal->server_record_id == server_record_id;
}

/* With the lock held: its place, or the count. */
static size_t find(const struct removal_guard *guard, int64_t server_record_id, object_id id)
{
    size_t at = 0;

    while (at < guard->count && !is_of(&guard->list[at], server_record_id, id))
        at++;
    return at;
}

struct result removal_guard_follow(struct removal_guard *guard, const struct guarded_removal *removal)
{
    struct result result = result_ok();
    size_t at;

    (void)pthread_mutex_lock(&guard->lock);
    at = find(guard, removal->server_record_id, removal->id);
    if (removal->state == REMOVAL_UNKNOWN) {
        if (at < guard->count)
            guard->list[at] = guard->list[--guard->count];
    } else if (at == guard->count &&
               !engine_grow((void **)&guard->list, guard->count, &guard->capacity, sizeof *guard->list)) {
        result = result_no_memory("received removals");
    } else {
        guard->count += at == guard->count;
        guard->list[at] = *removal;
        guard->list[at].counted_at = now_ms();
    }
    (void)pthread_mutex_unlock(&guard->lock);
    return result;
}

enum removal_state removal_guard_find(struct removal_guard *guard, int64_t server_record_id, object_id id)
{
    enum removal_state state = REMOVAL_UNKNOWN;
    size_t at;

    (void)pthread_mutex_lock(&guard->lock);
    at = find(guard, server_record_id, id);
    if (at < guard->count)
        state = guard->list[at].state;
    (void)pthread_mutex_unlock(&guard->lock);
    return state;
}

static bool is_here(struct scope_index *index, object_id id)
{
    struct scope_entry entry;

    if (!scope_index_get(index, id, &entry))
        return false;
    scope_entry_clear(&entry);
    return true;
}

/* With the lock held. */
static bool counts(const struct guarded_removal *removal, int64_t now, struct scope_index *index)
{
    return removal->state == REMOVAL_COUNTED && now - removal->counted_at < (int64_t)REMOVAL_GUARD_WINDOW_MS &&
           !is_here(index, removal->id);
}

/* With the lock held: whether there is no reason any more to know of it. */
static bool is_over(const struct guarded_removal *removal, int64_t now, struct scope_index *index)
{
    return removal->state == REMOVAL_COUNTED ? !counts(removal, now, index) : !is_here(index, removal->id);
}

size_t removal_guard_count(struct removal_guard *guard, int64_t server_record_id, enum object_kind kind,
                           struct scope_index *index)
{
    const int64_t now = now_ms();
    size_t counted = 0;

    (void)pthread_mutex_lock(&guard->lock);
    for (size_t i = 0; i < guard->count; i++)
        counted += guard->list[i].server_record_id == server_record_id && object_kind_of(guard->list[i].id) == kind &&
                   counts(&guard->list[i], now, index);
    (void)pthread_mutex_unlock(&guard->lock);
    return counted;
}

bool removal_guard_exceeds(size_t counted, size_t scopes, int64_t max_delete_percent)
{
    return counted > 0 && (counted + 1) * 100 > scopes * (size_t)max_delete_percent;
}

struct result removal_guard_expire(struct removal_guard *guard, struct store *store, struct scope_index *index)
{
    const int64_t now = now_ms();
    struct guarded_removal *expired = NULL;
    size_t count = 0;
    struct result result = result_ok();

    (void)pthread_mutex_lock(&guard->lock);
    expired = calloc(guard->count + 1, sizeof *expired);
    for (size_t i = 0; expired != NULL && i < guard->count; i++)
        if (is_over(&guard->list[i], now, index))
            expired[count++] = guard->list[i];
    (void)pthread_mutex_unlock(&guard->lock);
    for (size_t i = 0; i < count && !result_failed(result); i++) {
        expired[i].state = REMOVAL_UNKNOWN;
        result = removal_guard_store(store, &expired[i]);
        if (!result_failed(result))
            result = removal_guard_follow(guard, &expired[i]);
    }
    free(expired);
    return result;
}

struct result removal_guard_release(struct store *store, int64_t server_record_id)
{
    struct statement *statement;
    struct result result = statement_get(
        store, "UPDATE ReceivedRemovals SET State = 'Released' WHERE ServerRecordId = ?1 AND State = 'Held'",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    return statement_run(statement);
}

size_t removal_guard_follow_release(struct removal_guard *guard, int64_t server_record_id)
{
    size_t count = 0;

    (void)pthread_mutex_lock(&guard->lock);
    for (size_t i = 0; i < guard->count; i++)
        if (guard->list[i].server_record_id == server_record_id && guard->list[i].state == REMOVAL_HELD) {
            guard->list[i].state = REMOVAL_RELEASED;
            count++;
        }
    (void)pthread_mutex_unlock(&guard->lock);
    return count;
}

void removal_guard_each_held(struct removal_guard *guard, int64_t server_record_id, struct scope_index *index,
                             void (*each)(void *context, const struct guarded_removal *removal), void *context)
{
    (void)pthread_mutex_lock(&guard->lock);
    for (size_t i = 0; i < guard->count; i++)
        if (guard->list[i].server_record_id == server_record_id && guard->list[i].state == REMOVAL_HELD &&
            is_here(index, guard->list[i].id))
            each(context, &guard->list[i]);
    (void)pthread_mutex_unlock(&guard->lock);
}
