/* What is looked after while a store is in use: that it is still locked for us, that nobody has put a trigger into it,
 * and that its write-ahead log does not grow for good because somebody reads an older state of the store. */
#include "store_private.h"

#include <string.h>

int64_t store_log_size(struct store *store)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;

    if (sqlite3_file_control(store->database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK ||
        file == NULL || file->pMethods == NULL || file->pMethods->xFileSize(file, &size) != SQLITE_OK)
        return 0;
    return size;
}

/* Moves the log into the store and cuts it off, as far as no reader is in the way; nobody is waited for. */
static void empty_log(struct store *store)
{
    store_set_patience(store, false);
    (void)sqlite3_wal_checkpoint_v2(store->database, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    store_set_patience(store, true);
}

static struct result log_is_full(const struct store *store)
{
    return result_error(RESULT_STORE,
                        "the log of the store %.200s has %lld MB, because a process goes on reading an older state of "
                        "the store; end that process (fuser names it)",
                        store->path, (long long)(STORE_LOG_MAX >> 20));
}

struct result store_may_write(struct store *store)
{
    if (result_failed(store->refusal))
        return store->refusal;
    if (store_log_size(store) <= STORE_LOG_MAX)
        return result_ok();
    empty_log(store);
    return store_log_size(store) <= STORE_LOG_MAX ? result_ok() : log_is_full(store);
}

bool store_refusal_is_news(struct store *store, struct result *refusal)
{
    const bool news = store->refusal_is_news;

    store->refusal_is_news = false;
    *refusal = store->refusal;
    return news;
}

/* Somebody removed the lock file: another process could lock a new one. */
static struct result keep_lock(struct store *store)
{
    struct store_lock *lock = NULL;
    struct result result = result_ok();

    if (store->lock == NULL || store_lock_is_in_place(store->lock))
        return result;
    result = store_lock_take(store->path, &lock);
    if (result_failed(result))
        return result;
    store_lock_release(store->lock);
    store->lock = lock;
    return result;
}

/* The schema, if it has changed or was not right. A busy store is looked at the next time. */
static void keep_schema(struct store *store, struct result *refusal)
{
    struct statement *statement;
    int64_t cookie = 0;
    struct result result = statement_get(store, "PRAGMA schema_version", &statement);

    if (!result_failed(result))
        result = statement_read_integer(statement, &cookie);
    if (result_failed(result)) {
        *refusal = store->refusal;
        return;
    }
    if (cookie == store->schema_cookie && !result_failed(store->refusal))
        return;
    *refusal = store_schema_check(store);
    store->schema_cookie = cookie;
}

void store_care(struct store *store)
{
    struct result refusal = keep_lock(store);

    if (store_log_size(store) > STORE_LOG_KEPT)
        empty_log(store);
    if (!result_failed(refusal))
        keep_schema(store, &refusal);
    if (!result_failed(refusal) && store_log_size(store) > STORE_LOG_MAX)
        refusal = log_is_full(store);
    if (strcmp(refusal.message, store->refusal.message) != 0)
        store->refusal_is_news = true;
    store->refusal = refusal;
}
