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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STORE_APPLICATION_ID 0x4B465359 /* "KFSY": how we and file(1) recognise our files */
#define STORE_SCHEMA_VERSION 6

struct store {
    sqlite3 *database;
    char *path;   /* as the user gave it, for messages */
    bool damaged; /* SQLite found its pages malformed, or it is no database although it looks like one of ours */
    dev_t device; /* of the file that was opened */
    ino_t inode;
    off_t size;        /* of the file, when it was last looked at */
    bool rollback_due; /* a rollback failed, for want of memory: nothing may be done before it has been done */
    struct statement **statements;
    size_t statement_count, statement_capacity;
};

/* ---- store.c ---- */

/* The result of SQLite's `code`, with the reason the connection has at the moment, the store's path and a remedy. */
struct result store_failure(struct store *store, int code);

/* Makes up for a rollback that failed; fails as long as that does. */
struct result store_settle(struct store *store);

/* The rows that the last statement inserted, updated or deleted. */
int64_t store_changes(const struct store *store);

/* ---- store_file.c ---- */

/* Makes the folders (0750) and the file (0600) where they are missing. RESULT_INVALID if the path cannot be a store's,
 * RESULT_STORE if it could but cannot be used now. */
struct result store_file_prepare(const char *path);

/* Looks at the file's header before SQLite does, because SQLite may write to a file merely by opening it: refuses what
 * is not a database, not ours, or of a newer version. `database` was opened but not used yet. */
struct result store_file_check_header(sqlite3 *database, const char *path, bool *damaged);

/* Whether the file of a database in use begins with something else now. */
bool store_file_is_overwritten(sqlite3 *database);

/* Renames a damaged store; `aside` receives the new name. */
struct result store_file_set_aside(const char *path, char aside[STORE_ASIDE_SIZE]);

/* Refusals that both the header and the database itself can give rise to. */
struct result store_file_foreign(const char *path, int64_t application_id);
struct result store_file_newer(const char *path, int64_t version);

/* ---- statement.c ---- */

/* Finalizes all prepared statements. */
void statement_close_all(struct store *store);

/* Binds a fingerprint; null for the empty one. */
void statement_bind_fingerprint(struct statement *statement, int index, const struct fingerprint *fingerprint);

/* Binds an integer; null for a negative one. */
void statement_bind_unsigned(struct statement *statement, int index, int64_t value);

struct fingerprint statement_fingerprint(struct statement *statement, int column);

/* Bind an address as text, and as the key that the indexes compare. */
void statement_bind_address(struct statement *statement, int index, const struct address *address);
void statement_bind_key(struct statement *statement, int index, const struct address *address);

/* ---- the word that the tables keep for enum scope_origin ---- */
const char *scope_origin_word(enum scope_origin origin);
enum scope_origin scope_origin_of(const char *word);

#endif
