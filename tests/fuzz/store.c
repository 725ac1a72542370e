/* The store as an input: a file with the schema that this library makes, and anything in its rows. The first byte has
 * the server's options, the second says how many changes follow: four bytes for the table, the row, the column, and
 * what is done, and a line with the value. The lines after that are commands (server.h). */
#include "server.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define CHANGES_MAX 8
#define COLUMNS_MAX 512
#define LONG_TEXT   70000

struct column {
    char table[64], name[64];
};

static struct column columns[COLUMNS_MAX];
static size_t column_count;

static sqlite3 *open_store(const char *path)
{
    sqlite3 *database = NULL;

    if (sqlite3_open(path, &database) != SQLITE_OK)
        abort();
    return database;
}

static int add_column(void *context, int count, char **values, char **names)
{
    (void)context;
    (void)count;
    (void)names;
    if (column_count == COLUMNS_MAX)
        abort();
    (void)snprintf(columns[column_count].table, sizeof columns->table, "%s", values[0]);
    (void)snprintf(columns[column_count++].name, sizeof columns->name, "%s", values[1]);
    return 0;
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    sqlite3 *database;

    (void)count;
    (void)arguments;
    server_prepare();
    database = open_store(server_prepared());
    /* Without the rules of the tables, so that anything may be in them. */
    if (sqlite3_exec(database,
                     "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(replace(sql, ') STRICT', "
                     "')'), ' NOT NULL', '') WHERE type = 'table' AND name NOT LIKE 'sqlite%';"
                     "PRAGMA writable_schema = RESET; PRAGMA wal_checkpoint(TRUNCATE)",
                     NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(database,
                     "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = "
                     "'table' AND t.name NOT LIKE 'sqlite%' ORDER BY 1, c.cid",
                     add_column, NULL, NULL) != SQLITE_OK)
        abort();
    (void)sqlite3_close(database);
    return 0;
}

enum what { SET_NULL, SET_INTEGER, SET_TEXT, SET_BLOB, SET_REAL, SET_LONG, SET_ANOTHER, REMOVE_ROW, REPEAT_ROW, WHATS };

static void bind_value(sqlite3_stmt *statement, enum what what, const char *value)
{
    const int length = (int)strlen(value);
    char *text;

    switch (what) {
    case SET_INTEGER:
        (void)sqlite3_bind_int64(statement, 1, strtoll(value, NULL, 0));
        break;
    case SET_TEXT:
        (void)sqlite3_bind_text(statement, 1, value, length, SQLITE_TRANSIENT);
        break;
    case SET_BLOB:
        (void)sqlite3_bind_blob(statement, 1, value, length, SQLITE_TRANSIENT);
        break;
    case SET_REAL:
        (void)sqlite3_bind_double(statement, 1, strtod(value, NULL));
        break;
    case SET_LONG:
        text = malloc(LONG_TEXT);
        if (text == NULL)
            abort();
        for (size_t i = 0; i < LONG_TEXT; i++)
            text[i] = length == 0 ? ' ' : value[i % (size_t)length];
        (void)sqlite3_bind_text(statement, 1, text, LONG_TEXT, free);
        break;
    default:
        break;
    }
}

/* What the tables still refuse stays as it was. */
static void change(sqlite3 *database, struct fuzz_input *input)
{
    const size_t high = fuzz_byte(input), low = fuzz_byte(input);
    const struct column *column = &columns[(high * 256 + low) % column_count];
    const unsigned row = fuzz_byte(input);
    const enum what what = (enum what)(fuzz_byte(input) % WHATS);
    char *value = fuzz_line(input), *sql;
    static const char *const forms[] = {
        "UPDATE %Q SET \"%w\" = ?1 WHERE rowid = (SELECT rowid FROM %Q LIMIT 1 OFFSET %u %% (SELECT max(count(*), 1) "
        "FROM "
        "%Q))",
        "UPDATE %Q SET \"%w\" = (SELECT \"%w\" FROM %Q ORDER BY rowid DESC LIMIT 1) WHERE rowid = (SELECT rowid FROM "
        "%Q "
        "LIMIT 1 OFFSET %u)",
        "DELETE FROM %Q WHERE rowid = (SELECT rowid FROM %Q LIMIT 1 OFFSET %u)",
        "INSERT OR IGNORE INTO %Q SELECT * FROM %Q LIMIT 1 OFFSET %u",
    };
    sqlite3_stmt *statement = NULL;

    if (what == SET_ANOTHER)
        sql =
            sqlite3_mprintf(forms[1], column->table, column->name, column->name, column->table, column->table, row % 4);
    else if (what == REMOVE_ROW)
        sql = sqlite3_mprintf(forms[2], column->table, column->table, row % 4);
    else if (what == REPEAT_ROW)
        sql = sqlite3_mprintf(forms[3], column->table, column->table, row % 4);
    else
        sql = sqlite3_mprintf(forms[0], column->table, column->name, column->table, row, column->table);
    if (sql == NULL || sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(database));
        abort();
    }
    bind_value(statement, what, value);
    (void)sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
    sqlite3_free(sql);
    free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_input input = {.bytes = bytes, .length = length};
    const unsigned options = fuzz_byte(&input) % 4, changes = fuzz_byte(&input) % (CHANGES_MAX + 1);
    sqlite3 *database;

    server_begin();
    database = open_store(server_store());
    (void)sqlite3_exec(database, "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; BEGIN", NULL, NULL,
                       NULL);
    for (unsigned i = 0; i < changes; i++)
        change(database, &input);
    (void)sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
    (void)sqlite3_close(database);
    server_run(&input, options, false);
    return 0;
}
