/* The store itself: opening and closing the file, bringing its schema up to date, and transactions. What is in the
 * tables is the business of the other files; what the file may be is store_file.c's, and the steps from an earlier
 * schema are migrations.c's. */
#include "store_private.h"

#include "plugin/adm/schema_sql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STATEMENT_MS    10000      /* no statement of ours takes as long */
#define STATEMENT_STEPS 100000     /* of SQLite's machine, between looks at the clock */
#define TEXT_MAX        (32 << 20) /* bytes of a text in a row: nothing of ours is as long */
#define REPLACE_IT      "move it away: a new one is filled from the server's configuration"

static const char *remedy_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another process is writing to it; try again when it is done";
    case SQLITE_FULL:
        return "make room on its disk";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return "let the server's user write to the file and to its folder";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return REPLACE_IT;
    case SQLITE_IOERR:
        return "check its disk";
    case SQLITE_INTERRUPT:
        return "it took more than ten seconds; remove what somebody has added to the store";
    case SQLITE_TOOBIG:
        return "no text in it may be that long; remove the row";
    default:
        return NULL;
    }
}

struct result store_failure(struct store *store, int code)
{
    const char *reason = sqlite3_errmsg(store->database);
    const char *remedy = remedy_of(code);

    if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
        store->damaged = true;
    if ((code & 0xff) == SQLITE_NOMEM)
        return result_error(RESULT_MEMORY, "out of memory in the store %.200s", store->path);
    /* A bind that failed earlier is not what the connection remembers last. */
    if (sqlite3_extended_errcode(store->database) != code && sqlite3_errcode(store->database) != code)
        reason = sqlite3_errstr(code);
    return result_error(RESULT_STORE, "the store %.200s: %.120s%s%s", store->path, reason, remedy ? "; " : "",
                        remedy ? remedy : "");
}

void store_set_patience(struct store *store, bool patient)
{
    if (patient)
        store_wait_for_locks(store);
    else
        (void)sqlite3_busy_timeout(store->database, 0);
}

static int64_t milliseconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void store_time_statement(struct store *store)
{
    store->statement_end = milliseconds() + STATEMENT_MS;
}

static int is_over_time(void *context)
{
    const struct store *store = context;

    return milliseconds() > store->statement_end;
}

static struct result store_execute(struct store *store, const char *sql)
{
    int code;

    store_time_statement(store);
    code = sqlite3_exec(store->database, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? result_ok() : store_failure(store, code);
}

/* Only for the few statements run once at opening; the others are kept prepared. */
static struct result store_query_integer(struct store *store, const char *sql, int64_t *value)
{
    struct result result = result_ok();
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL);

    *value = 0;
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *value = sqlite3_column_int64(statement, 0);
    else if (code != SQLITE_DONE)
        result = store_failure(store, code);
    (void)sqlite3_finalize(statement);
    return result;
}

/* Runs the lines of SQL that make a store of version `to`. */
static struct result store_run_step(struct store *store, int to, const char *const *lines)
{
    sqlite3_str *text = sqlite3_str_new(store->database);
    struct result result;
    const char *remedy;
    char *sql;

    for (; *lines != NULL; lines++)
        sqlite3_str_appendall(text, *lines);
    sqlite3_str_appendf(text, "PRAGMA application_id = %d; PRAGMA user_version = %d;", STORE_APPLICATION_ID, to);
    sql = sqlite3_str_finish(text);
    if (sql == NULL)
        return result_no_memory("the schema of the store");
    result = store_execute(store, sql);
    sqlite3_free(sql);
    if (result.code != RESULT_STORE)
        return result;
    remedy = remedy_of(sqlite3_errcode(store->database));
    return result_error(RESULT_STORE, "the store %.200s cannot be brought to schema version %d: %.120s; %s",
                        store->path, to, sqlite3_errmsg(store->database), remedy != NULL ? remedy : REPLACE_IT);
}

/* Reads what the file is; the header was checked, but newer pages may still lie in its write-ahead log. */
static struct result store_read_version(struct store *store, int newest, int64_t *version)
{
    int64_t application_id = 0;
    int64_t tables = 0;
    struct result result = store_query_integer(store, "PRAGMA application_id", &application_id);

    if (!result_failed(result))
        result = store_query_integer(store, "PRAGMA user_version", version);
    if (!result_failed(result))
        result = store_query_integer(store, "SELECT count(*) FROM sqlite_schema", &tables);
    if (result_failed(result))
        return result;
    if (application_id != STORE_APPLICATION_ID && (application_id != 0 || *version != 0 || tables != 0))
        return store_file_foreign(store->path, application_id);
    if (*version > newest)
        return store_file_newer(store->path, *version, newest);
    return result_ok();
}

/* Tables can be rebuilt while this is off: a table that is dropped does not take the rows that refer to it along, and
 * what somebody has added to the tables does nothing. */
static void store_heed_schema(struct store *store, bool heed)
{
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_ENABLE_FKEY, (int)heed, NULL);
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_ENABLE_TRIGGER, (int)heed, NULL);
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_ENABLE_VIEW, (int)heed, NULL);
}

/* The steps from `version` on. A new file is of version 0 and gets the whole schema at once. */
static struct result store_run_steps(struct store *store, const struct migration *migrations, int newest,
                                     int64_t version)
{
    struct result result = result_ok();
    int64_t broken = 0;

    if (version == 0) {
        result = store_run_step(store, STORE_SCHEMA_VERSION, schema_sql);
        version = STORE_SCHEMA_VERSION;
    }
    for (; migrations->sql != NULL && !result_failed(result); migrations++) {
        if (migrations->to != version + 1)
            continue;
        result = store_run_step(store, migrations->to, migrations->sql);
        version = migrations->to;
    }
    if (!result_failed(result) && version != newest)
        result = result_error(
            RESULT_STORE,
            "the store %.200s has schema version %lld, which this library cannot bring to version %d; " REPLACE_IT,
            store->path, (long long)version, newest);
    /* Foreign keys were not enforced meanwhile, so they are checked as a whole. */
    if (!result_failed(result))
        result = store_query_integer(store, "SELECT count(*) FROM pragma_foreign_key_check", &broken);
    if (!result_failed(result) && broken != 0)
        result =
            result_error(RESULT_STORE, "the store %.200s has %lld broken references after its upgrade; " REPLACE_IT,
                         store->path, (long long)broken);
    return result;
}

struct result store_migrate(struct store *store, const struct migration *migrations)
{
    int newest = STORE_SCHEMA_VERSION;
    int64_t version = 0;
    struct result result;

    for (const struct migration *migration = migrations; migration->sql != NULL; migration++)
        newest = migration->to;
    result = store_read_version(store, newest, &version);
    if (result_failed(result) || version == newest)
        return result;
    store_heed_schema(store, false);
    result = store_begin(store);
    if (!result_failed(result)) {
        result = store_read_version(store, newest, &version); /* another process may just have done it */
        if (!result_failed(result) && version != newest)
            result = store_run_steps(store, migrations, newest, version);
        result = store_leave(store, true, result);
    }
    store_heed_schema(store, true);
    return result;
}

static struct result store_limit_log(struct store *store)
{
    char sql[64];

    (void)snprintf(sql, sizeof sql, "PRAGMA journal_size_limit = %lld", (long long)STORE_LOG_KEPT);
    return store_execute(store, sql);
}

/* What is in the file was perhaps put there by somebody: it cannot call functions that do anything, nor have the schema
 * written to, nor have us read more than there is room for. */
static void store_protect(struct store *store)
{
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_limit(store->database, SQLITE_LIMIT_LENGTH, TEXT_MAX);
    (void)sqlite3_limit(store->database, SQLITE_LIMIT_ATTACHED, 0);
}

static struct result store_set_up(struct store *store)
{
    struct result result;
    int64_t foreign_keys = 0;
    sqlite3_stmt *statement = NULL;
    const char *mode;
    int code;

    (void)sqlite3_extended_result_codes(store->database, 1);
    store_wait_for_locks(store);
    store_protect(store);
    /* Until the file is accepted, closing it must not move its write-ahead log into it. */
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    /* A scope is a few kilobytes: with pages of twice the usual size, half as many are read to list them. */
    result = store_execute(store, "PRAGMA page_size = 8192; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL");
    if (result_failed(result))
        return result;
    /* Before the switch to WAL: so the header of a file of ours says so from its first commit on. */
    result = store_migrate(store, store_migrations);
    if (result_failed(result))
        return result;
    code = sqlite3_prepare_v2(store->database, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        result = store_failure(store, code);
    else if ((mode = (const char *)sqlite3_column_text(statement, 0)) == NULL)
        result = result_no_memory("the store's journal mode");
    else if (strcmp(mode, "wal") != 0)
        result = result_error(RESULT_STORE, "the store %.200s cannot have a write-ahead log; put it on a local disk",
                              store->path);
    (void)sqlite3_finalize(statement);
    if (!result_failed(result))
        result = store_query_integer(store, "PRAGMA foreign_keys", &foreign_keys);
    if (!result_failed(result) && foreign_keys != 1)
        result = result_error(RESULT_STORE, "this SQLite library does not enforce foreign keys; use one that does");
    if (!result_failed(result))
        result = store_limit_log(store);
    if (!result_failed(result))
        result = store_schema_check(store);
    if (!result_failed(result))
        result = store_query_integer(store, "PRAGMA schema_version", &store->schema_cookie);
    sqlite3_progress_handler(store->database, STATEMENT_STEPS, is_over_time, store);
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return result;
}

/* SQLite gives names such as ":memory:" a meaning; with a folder in front a name is only a name. */
static char *plain_path(const char *path)
{
    size_t size = strlen(path) + sizeof "./";
    char *plain = malloc(size);

    if (plain != NULL)
        (void)snprintf(plain, size, "%s%s", path[0] == '/' ? "" : "./", path);
    return plain;
}

static void note_file(struct store *store)
{
    struct stat status;

    if (stat(store->path, &status) == 0) {
        store->device = status.st_dev;
        store->inode = status.st_ino;
    }
}

bool store_is_lost(struct store *store)
{
    struct stat status;

    if (store->damaged || stat(store->path, &status) != 0 || status.st_dev != store->device ||
        status.st_ino != store->inode)
        return true;
    /* SQLite itself may not look at the file for hours, while it has all of it in memory or in the log. */
    if (store_file_is_damaged(store->database, &store->found_sound))
        store->damaged = true;
    if (!store->damaged)
        store_care(store);
    return store->damaged;
}

struct result store_set_aside(struct store *store, char aside[STORE_ASIDE_SIZE])
{
    struct stat status;

    aside[0] = '\0';
    if (!store->damaged || stat(store->path, &status) != 0 || status.st_dev != store->device ||
        status.st_ino != store->inode)
        return result_ok();
    return store_file_set_aside(store->path, aside);
}

static struct result store_open_file(struct store *store, const char *plain)
{
    int code = sqlite3_open_v2(plain, &store->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    struct result result;

    /* No locks of SQLite's own: one thread uses a store at a time. */
    if (code != SQLITE_OK) {
        int reason = store->database == NULL ? 0 : sqlite3_system_errno(store->database);

        if (store->database == NULL)
            return result_no_memory("opening the store");
        return reason != 0
                   ? result_error(RESULT_STORE, "the store %.200s cannot be opened: %s", store->path, strerror(reason))
                   : store_failure(store, code);
    }
    note_file(store);
    result = store_file_check_header(store->database, store->path, &store->damaged);
    if (!result_failed(result))
        result = store_set_up(store);
    return result;
}

static struct result store_new(const char *path, struct store **store)
{
    *store = calloc(1, sizeof **store);
    if (*store != NULL)
        (*store)->path = strdup(path);
    if (*store == NULL || (*store)->path == NULL) {
        free(*store);
        *store = NULL;
        return result_no_memory("opening the store");
    }
    return result_ok();
}

struct result store_open_until(const char *path, int64_t deadline, struct store **store)
{
    struct store *made = NULL;
    char *plain = NULL;
    struct result result = store_file_prepare(path);

    *store = NULL;
    if (!result_failed(result))
        result = store_new(path, &made);
    if (result_failed(result))
        return result;
    made->deadline = deadline;
    plain = plain_path(path);
    result = plain == NULL ? result_no_memory("opening the store") : store_lock_take(plain, &made->lock);
    if (!result_failed(result))
        result = store_open_file(made, plain);
    free(plain);
    if (!result_failed(result)) {
        *store = made;
        return result;
    }
    /* So that the next attempt makes a new one. */
    if (made->damaged) {
        char aside[STORE_ASIDE_SIZE];
        struct result renamed = store_set_aside(made, aside);

        if (result_failed(renamed))
            result = renamed;
        else
            result = result_error(RESULT_STORE, "%.220s; it was renamed to %.200s", result.message, aside);
    }
    store_close(made);
    return result;
}

struct result store_open(const char *path, struct store **store)
{
    return store_open_until(path, 0, store);
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_rollback(store);
    statement_close_all(store);
    /* The log of the last writes stays beside the file: copying it back is for the worker, not for whoever waits for
     * the library to be unloaded. */
    if (store->database != NULL)
        (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(store->database);
    store_lock_release(store->lock);
    free(store->path);
    free(store);
}

struct result store_begin(struct store *store)
{
    struct result result = store_settle(store);

    if (!result_failed(result))
        result = store_may_write(store);
    return result_failed(result) ? result : store_execute(store, "BEGIN IMMEDIATE");
}

struct result store_commit(struct store *store)
{
    return store_execute(store, "COMMIT");
}

void store_rollback(struct store *store)
{
    if (store->database == NULL)
        return;
    /* A rollback can only fail where SQLite has rolled back already, or has no memory for it. */
    if (sqlite3_get_autocommit(store->database) == 0)
        (void)sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    store->rollback_due = sqlite3_get_autocommit(store->database) == 0;
}

struct result store_settle(struct store *store)
{
    if (store->rollback_due)
        store_rollback(store);
    return store->rollback_due ? store_failure(store, SQLITE_NOMEM) : result_ok();
}

struct result store_enter(struct store *store, bool *own)
{
    struct result result = store_settle(store);

    *own = false;
    if (!result_failed(result) && sqlite3_get_autocommit(store->database) != 0) {
        result = store_begin(store);
        *own = !result_failed(result);
    }
    return result;
}

struct result store_leave(struct store *store, bool own, struct result result)
{
    if (!own)
        return result;
    if (!result_failed(result))
        result = store_commit(store);
    if (result_failed(result))
        store_rollback(store);
    return result;
}

int64_t store_changes(const struct store *store)
{
    return sqlite3_changes64(store->database);
}

const char *scope_origin_word(enum scope_origin origin)
{
    return origin == SCOPE_FROM_PARTNER ? "Partner" : "Configuration";
}

enum scope_origin scope_origin_of(const char *word)
{
    return word != NULL && strcmp(word, "Partner") == 0 ? SCOPE_FROM_PARTNER : SCOPE_FROM_CONFIGURATION;
}
