/* What the files of this room share: the store's inside, and how SQLite's codes become results. Other rooms see only
 * failover_sync/store.h and failover_sync/statement.h. */
#ifndef ADM_STORE_PRIVATE_H
#define ADM_STORE_PRIVATE_H

#include "failover_sync/address.h"
#include "failover_sync/fingerprint.h"
#include "failover_sync/result.h"
#include "failover_sync/statement.h"
#include "failover_sync/store.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define STORE_APPLICATION_ID 0x4B465359 /* "KFSY": how we and file(1) recognise our files */
#define STORE_SCHEMA_VERSION 1          /* of schema.sql */

/* In bytes: a write-ahead log is cut to the first once nobody reads an older state of the store any more, and while
 * somebody does, no transaction begins beyond the second. */
#define STORE_LOG_KEPT (INT64_C(16) << 20)
#define STORE_LOG_MAX  (INT64_C(256) << 20)

/* Of the copies of damaged stores as many are kept, the newest. */
#define STORE_ASIDE_KEPT 3

struct store_lock;

/* How a store of the version before `to` becomes one of version `to`: lines of SQL, NULL after the last. They run
 * without foreign keys and triggers; references are checked when the last step is done. */
struct migration {
    int to;
    const char *const *sql;
};

/* What is seen of the file without reading it. */
struct store_face {
    off_t size;
    struct timespec modified;
};

struct store {
    sqlite3 *database;
    char *path;              /* as the user gave it, for messages */
    struct store_lock *lock; /* of its one user */
    bool damaged; /* SQLite found its pages malformed, or it is no database although it looks like one of ours */
    dev_t device; /* of the file that was opened */
    ino_t inode;
    struct store_face found_sound; /* what the file looked like when SQLite was last asked about it and was content */
    int64_t schema_cookie;         /* of the schema that was checked last */
    struct result refusal;         /* why nothing may be written; ok: it may */
    bool refusal_is_news;          /* since it was asked for last */
    int64_t statement_end;         /* when a statement that is being run has taken too long; CLOCK_MONOTONIC's */
    _Atomic int64_t deadline;      /* when waiting for a lock ends, by waiting_now; 0: each time anew */
    int64_t busy_since;            /* when the wait for a lock that is under way began */
    bool rollback_due; /* a rollback failed, for want of memory: nothing may be done before it has been done */
    struct statement **statements;
    size_t statement_count, statement_capacity;
};

/* ---- store.c ---- */

/* The result of SQLite's `code`, with the reason the connection has at the moment, the store's path and a remedy. */
struct result store_failure(struct store *store, int code);

/* Before a transaction or a statement that writes outside of one: refuses while the store may not be written. */
struct result store_may_write(struct store *store);

/* Whether another connection is waited for. */
void store_set_patience(struct store *store, bool patient);

/* A statement begins, or goes on: from now on it may take ten seconds. */
void store_time_statement(struct store *store);

/* Makes the tables of a new store, and brings any store to the version of the last of `migrations`, in one transaction.
 * They are in the order of their versions, and one without SQL ends them. If it fails the store is as it was:
 * RESULT_STORE if it is of a newer version or another program's, or a step failed. */
struct result store_migrate(struct store *store, const struct migration *migrations);

/* Makes up for a rollback that failed; fails as long as that does. */
struct result store_settle(struct store *store);

/* The rows that the last statement inserted, updated or deleted. */
int64_t store_changes(const struct store *store);

/* ---- migrations.c ---- */
extern const struct migration store_migrations[];

/* ---- store_wait.c ---- */

/* Has the connection wait for locks as store_set_deadline says. */
void store_wait_for_locks(struct store *store);

/* ---- store_file.c ---- */

/* Makes the folders (0750) and the file (0600) where they are missing. RESULT_INVALID if the path cannot be a store's,
 * RESULT_STORE if it could but cannot be used now. */
struct result store_file_prepare(const char *path);

/* Looks at the file's header before SQLite does, because SQLite may write to a file merely by opening it: refuses what
 * is not a database, not ours, or of a newer version. `database` was opened but not used yet. */
struct result store_file_check_header(sqlite3 *database, const char *path, bool *damaged);

/* Whether the file of a database in use is damaged. What looks so from outside (another header, an end that is missing)
 * is only if SQLite says so of it, too; `face` is what it found sound last. */
bool store_file_is_damaged(sqlite3 *database, struct store_face *face);

/* Renames a damaged store and removes the oldest of those renamed earlier, so that STORE_ASIDE_KEPT are left; `aside`
 * receives the new name. */
struct result store_file_set_aside(const char *path, char aside[STORE_ASIDE_SIZE]);

/* Refusals that both the header and the database itself can give rise to. */
struct result store_file_foreign(const char *path, int64_t application_id);
struct result store_file_newer(const char *path, int64_t version, int newest);

/* ---- store_lock.c ---- */

/* Locks the store for this process; RESULT_STORE if another one has it, or it cannot be locked. */
struct result store_lock_take(const char *path, struct store_lock **lock);
void store_lock_release(struct store_lock *lock); /* NULL is fine */

/* Says in the lock file for whom it is locked. */
void store_lock_name(struct store_lock *lock, const char *server);

/* Whether the file that was locked is still the one that others would find. */
bool store_lock_is_in_place(const struct store_lock *lock);

/* ---- store_schema.c ---- */

/* RESULT_STORE if a table of ours is missing or none, or a trigger or view of ours is another, or a trigger not ours.
 */
struct result store_schema_check(struct store *store);

/* ---- store_care.c ---- */

/* Looks after a store in use: its lock, its schema, the length of its log. What is wrong is store->refusal then, until
 * it is mended. */
void store_care(struct store *store);

/* The bytes of the write-ahead log. */
int64_t store_log_size(struct store *store);

/* ---- store_owner.c ---- */
struct result store_no_identity(const struct store *store);

/* ---- statement.c ---- */

/* Finalizes all prepared statements. */
void statement_close_all(struct store *store);

/* Binds a fingerprint; null for the empty one. */
void statement_bind_fingerprint(struct statement *statement, int index, const struct fingerprint *fingerprint);

/* Binds the three fingerprints of a delivery, from index `first` on. */
void statement_bind_delivery(struct statement *statement, int first, const struct delivery *delivery);

/* Binds an integer; null for a negative one. */
void statement_bind_unsigned(struct statement *statement, int index, int64_t value);

struct fingerprint statement_fingerprint(struct statement *statement, int column);
struct delivery statement_delivery(struct statement *statement, int first);

/* Bind an address as text, and as the key that the indexes compare. */
void statement_bind_address(struct statement *statement, int index, const struct address *address);
void statement_bind_key(struct statement *statement, int index, const struct address *address);

/* ---- scope_store.c: rows of objects of any kind ----
 * A statement selects record id, server, object, name, status, reason, origin, the three fingerprints, when it was
 * modified, the six columns of the deliveries, and for `one` definition and effective text behind them. */

/* The row that the statement is at, without the two texts; others are borrowed from the statement. */
struct scope_row scope_row_read(struct statement *statement);

/* Its one row, copied; *found tells whether there is one. */
struct result scope_row_read_one(struct statement *statement, struct scope_row *row, bool *found);

/* Calls `each` for all its rows, and is done with it. */
struct result scope_row_read_all(struct statement *statement, scope_visitor each, void *context);

/* ---- the word that the tables keep for enum scope_origin ---- */
const char *scope_origin_word(enum scope_origin origin);
enum scope_origin scope_origin_of(const char *word);

#endif
