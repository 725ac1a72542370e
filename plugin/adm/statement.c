/* Prepared statements: preparing each SQL text once per store, binding, stepping and reading. The only file that steps
 * a statement, so that every failure of SQLite becomes a result in one place. */
#include "store_private.h"

#include <stdlib.h>
#include <string.h>

struct statement {
    struct store *store;
    sqlite3_stmt *handle;
    const char *sql;  /* the key: compared by address */
    int bind_failure; /* the first code of a bind that failed; SQLITE_OK if none did */
};

static void statement_reset(struct statement *statement)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a store_failure is one, and then nothing is run */
    (void)sqlite3_reset(statement->handle); /* repeats the last step's code, which was reported by that step */
    (void)sqlite3_clear_bindings(statement->handle);
    statement->bind_failure = SQLITE_OK;
}

static struct result statement_prepare(struct store *store, const char *sql, struct statement **statement)
{
    struct result result = result_ok();
    struct statement *made = NULL;
    int code;

    if (store->statement_count == store->statement_capacity) {
        size_t capacity = store->statement_capacity == 0 ? 32 : store->statement_capacity * 2;
        struct statement **statements = reallocarray(store->statements, capacity, sizeof *statements);

        if (statements == NULL)
            return result_no_memory("the list of prepared statements");
        store->statements = statements;
        store->statement_capacity = capacity;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL)
        return result_no_memory("a prepared statement");
    made->store = store;
    made->sql = sql;
    code = sqlite3_prepare_v3(store->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &made->handle, NULL);
    if (code != SQLITE_OK) {
        result = store_failure(store, code);
        goto done;
    }
    if (made->handle == NULL) {
        result = result_error(RESULT_INTERNAL, "an SQL statement of the store is empty");
        goto done;
    }
    store->statements[store->statement_count++] = made;
    *statement = made;
    made = NULL;
done:
    free(made);
    return result;
}

struct result statement_get(struct store *store, const char *sql, struct statement **statement)
{
    struct result result = store_settle(store);

    *statement = NULL;
    if (result_failed(result))
        return result;
    for (size_t i = 0; i < store->statement_count; i++) {
        if (store->statements[i]->sql == sql) {
            *statement = store->statements[i];
            statement_reset(*statement);
            return result_ok();
        }
    }
    return statement_prepare(store, sql, statement);
}

void statement_close_all(struct store *store)
{
    for (size_t i = 0; i < store->statement_count; i++) {
        (void)sqlite3_finalize(store->statements[i]->handle);
        free(store->statements[i]);
    }
    free(store->statements);
    store->statements = NULL;
    store->statement_count = store->statement_capacity = 0;
}

static void statement_note_bind(struct statement *statement, int code)
{
    if (code != SQLITE_OK && statement->bind_failure == SQLITE_OK)
        statement->bind_failure = code;
}

void statement_bind_text(struct statement *statement, int index, const char *text)
{
    if (statement == NULL)
        return;
    if (text == NULL)
        statement_note_bind(statement, sqlite3_bind_null(statement->handle, index));
    else
        statement_note_bind(statement, sqlite3_bind_text64(statement->handle, index, text, strlen(text),
                                                           SQLITE_TRANSIENT, SQLITE_UTF8));
}

void statement_bind_integer(struct statement *statement, int index, int64_t value)
{
    if (statement != NULL)
        statement_note_bind(statement, sqlite3_bind_int64(statement->handle, index, value));
}

void statement_bind_id(struct statement *statement, int index, int64_t record_id)
{
    if (statement == NULL)
        return;
    if (record_id == 0)
        statement_note_bind(statement, sqlite3_bind_null(statement->handle, index));
    else
        statement_bind_integer(statement, index, record_id);
}

void statement_bind_unsigned(struct statement *statement, int index, int64_t value)
{
    if (statement == NULL)
        return;
    if (value < 0)
        statement_note_bind(statement, sqlite3_bind_null(statement->handle, index));
    else
        statement_bind_integer(statement, index, value);
}

void statement_bind_blob(struct statement *statement, int index, const void *bytes, size_t length)
{
    if (statement == NULL)
        return;
    if (bytes == NULL)
        statement_note_bind(statement, sqlite3_bind_null(statement->handle, index));
    else
        statement_note_bind(statement, sqlite3_bind_blob64(statement->handle, index, bytes, length, SQLITE_TRANSIENT));
}

void statement_bind_fingerprint(struct statement *statement, int index, const struct fingerprint *fingerprint)
{
    statement_bind_text(statement, index, fingerprint_empty(*fingerprint) ? NULL : fingerprint->hex);
}

void statement_bind_delivery(struct statement *statement, int first, const struct delivery *delivery)
{
    statement_bind_fingerprint(statement, first, &delivery->fingerprint);
    statement_bind_fingerprint(statement, first + 1, &delivery->printed);
    statement_bind_fingerprint(statement, first + 2, &delivery->text);
}

void statement_bind_address(struct statement *statement, int index, const struct address *address)
{
    struct address_text text = address_print(address);

    statement_bind_text(statement, index, text.text);
}

void statement_bind_key(struct statement *statement, int index, const struct address *address)
{
    statement_bind_blob(statement, index, address->bytes, sizeof address->bytes);
}

struct result statement_step(struct statement *statement, bool *row)
{
    struct result result = result_ok();
    int code;

    *row = false;
    if (statement == NULL)
        return result_error(RESULT_INTERNAL, "a statement that could not be prepared was stepped");
    if (statement->bind_failure != SQLITE_OK) {
        code = statement->bind_failure;
    } else {
        if (sqlite3_stmt_readonly(statement->handle) == 0 && sqlite3_get_autocommit(statement->store->database) != 0) {
            result = store_may_write(statement->store);
            if (result_failed(result)) {
                statement_reset(statement);
                return result;
            }
        }
        store_time_statement(statement->store);
        code = sqlite3_step(statement->handle);
        if (code == SQLITE_ROW) {
            *row = true;
            return result;
        }
    }
    if (code != SQLITE_DONE)
        result = store_failure(statement->store, code);
    statement_reset(statement);
    return result;
}

struct result statement_run(struct statement *statement)
{
    bool row = false;
    struct result result = statement_step(statement, &row);

    if (row) {
        statement_reset(statement);
        return result_error(RESULT_INTERNAL, "a statement of the store returned a row where none was expected");
    }
    return result;
}

struct result statement_insert(struct statement *statement, int64_t *record_id)
{
    struct result result = statement_run(statement);

    *record_id = result_failed(result) ? 0 : sqlite3_last_insert_rowid(statement->store->database);
    return result;
}

struct result statement_run_id(struct store *store, const char *sql, int64_t record_id)
{
    struct statement *statement;
    struct result result = statement_get(store, sql, &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    return statement_run(statement);
}

struct result statement_read_integer(struct statement *statement, int64_t *value)
{
    bool found = false;
    struct result result = statement_step(statement, &found);

    *value = found ? statement_integer(statement, 0) : 0;
    statement_done(statement);
    return result;
}

struct result statement_read_list(struct statement *statement, int64_t **list, size_t *count)
{
    struct result result;
    size_t capacity = 0;
    bool found = false;

    *list = NULL;
    *count = 0;
    for (;;) {
        result = statement_step(statement, &found);
        if (!found)
            break;
        if (*count == capacity) {
            int64_t *longer = reallocarray(*list, capacity == 0 ? 16 : capacity * 2, sizeof *longer);

            if (longer == NULL) {
                result = result_no_memory("a list of rows");
                break;
            }
            *list = longer;
            capacity = capacity == 0 ? 16 : capacity * 2;
        }
        (*list)[(*count)++] = statement_integer(statement, 0);
    }
    statement_done(statement);
    if (result_failed(result)) {
        free(*list);
        *list = NULL;
        *count = 0;
    }
    return result;
}

void statement_done(struct statement *statement)
{
    if (statement != NULL)
        statement_reset(statement);
}

const char *statement_text(struct statement *statement, int column)
{
    return (const char *)sqlite3_column_text(statement->handle, column);
}

const char *statement_needed_text(struct statement *statement, int column)
{
    return sqlite3_column_type(statement->handle, column) == SQLITE_NULL ? "" : statement_text(statement, column);
}

int64_t statement_integer(struct statement *statement, int column)
{
    return sqlite3_column_int64(statement->handle, column);
}

object_id statement_object(struct statement *statement, int column)
{
    const object_id id = (object_id)statement_integer(statement, column);
    const enum object_kind kind = object_kind_of(id);

    return kind == OBJECT_SCOPE || (unsigned)kind >= OBJECT_KINDS ? (uint32_t)id : id;
}

struct fingerprint statement_fingerprint(struct statement *statement, int column)
{
    return fingerprint_parse(statement_text(statement, column));
}

struct delivery statement_delivery(struct statement *statement, int first)
{
    return (struct delivery){
        .fingerprint = statement_fingerprint(statement, first),
        .printed = statement_fingerprint(statement, first + 1),
        .text = statement_fingerprint(statement, first + 2),
    };
}
