/* What the store promises of a schema that changes: steps to made-up versions 2 and 3, which no library has, run in
 * order, all of them or none, and lose no row. */
#include "plugin/adm/store_private.h"

#include <ftw.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the made-up steps ---- */

static const char *const add_note[] = {
    "-- From schema version 1 to 2: a note on each version in the history.\n",
    "ALTER TABLE ObjectHistory ADD COLUMN Note TEXT NOT NULL DEFAULT '';\n",
    "UPDATE ObjectHistory SET Note = 'why: ' || Reason\n",
    "    WHERE Reason IS NOT NULL;\n",
    NULL,
};
/* Needs the column that the step before makes. */
static const char *const move_notes[] = {
    "CREATE TABLE Notes (HistoryId INTEGER PRIMARY KEY, Note TEXT NOT NULL) STRICT;\n",
    "INSERT INTO Notes SELECT RecordId, Note FROM ObjectHistory;\n",
    NULL,
};
static const char *const rebuild_relations[] = {
    "CREATE TABLE NewRelations (RecordId INTEGER PRIMARY KEY, RelationshipName TEXT NOT NULL) STRICT;\n",
    "INSERT INTO NewRelations SELECT RecordId, RelationshipName FROM ADM_DhcpFailoverRelationTable;\n",
    "DROP TABLE ADM_DhcpFailoverRelationTable;\n",
    "ALTER TABLE NewRelations RENAME TO ADM_DhcpFailoverRelationTable;\n",
    NULL,
};
static const char *const fail[] = {"DELETE FROM ObjectHistory; ALTER TABLE Missing ADD COLUMN Note TEXT;\n", NULL};
static const char *const break_references[] = {"DELETE FROM ADM_DhcpFailoverRelationTable;\n", NULL};

static const struct migration to_2[] = {{2, add_note}, {0, NULL}};
static const struct migration to_3[] = {{2, add_note}, {3, move_notes}, {0, NULL}};
static const struct migration to_rebuilt[] = {{2, rebuild_relations}, {0, NULL}};
static const struct migration to_failure[] = {{2, add_note}, {3, fail}, {0, NULL}};
static const struct migration to_broken[] = {{2, add_note}, {3, break_references}, {0, NULL}};

/* ---- the store ---- */

static const char rows[] =
    "INSERT INTO ADM_DHCPServersTable (RecordId, ServerName, HaName, IsLocal) VALUES "
    "(1, '192.0.2.1', 'server1', 1), (2, '192.0.2.2', 'server2', 0);"
    "INSERT INTO ADM_DHCPScopesTable (RecordId, Af, DHCPServerRecordId, ScopeId, ScopeName, PrefixLength, "
    "StartAddress, EndAddress, ExclusionRanges, TotalNumberOfAddressesInScope, TotalNumberOfExcludedAddressesInScope, "
    "SubnetId, Prefix, Origin, ModifiedAt, HasParts, Definition, Effective) VALUES "
    "(5, 'InterNetwork', 1, '10.0.0.0', 'n', 24, '10.0.0.1', '10.0.0.9', '[]', 9, 0, 1, '10.0.0.0/24', "
    "'Configuration', 1, 1, '{}', '{}');"
    "INSERT INTO ADM_DhcpFailoverRelationTable (RecordId, RelationshipName, Server1RecordId, Server2RecordId, Mode, "
    "Server1Percentage, Origin) VALUES (4, 'server1-server2', 1, 2, 'LoadBalance', 50, 'HaConfig');"
    "INSERT INTO ADM_DhcpScopeFailoverTable (RecordId, FailoverRelationId, ScopeId) VALUES (11, 4, 5);"
    "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, ObjectId, Name, EnqueuedAt, NextAttemptAt) VALUES "
    "(4, 2, 1, '10.0.0.0/24', 1, 1);"
    "INSERT INTO ObjectHistory (RecordId, ObjectId, Name, Reason, ReplacedAt, Bytes, Definition) VALUES "
    "(7, 1, '10.0.0.0/24', 'lost', 5, 10, '{\"a\":\"\xc3\xa4\"}'), (9, 1, '10.0.0.0/24', NULL, 6, 0, NULL);";

struct fixture {
    char folder[64];
    char path[128];
    struct store *store; /* of version 1, with these rows */
    char *every_row;     /* SQL: each row of each table of version 1, with the columns of version 1 */
    char *rows, *schema; /* what there is in it */
};

static void assert_ok(struct result result)
{
    if (result_failed(result))
        fail_msg("code %d: %s", (int)result.code, result.message);
}

static void execute(const char *path, const char *sql)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    (void)sqlite3_close(database);
}

/* All rows, columns joined by "|", rows by ";". The caller frees. */
static char *ask(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    sqlite3_str *answer = sqlite3_str_new(NULL);

    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    for (int row = 0; sqlite3_step(statement) == SQLITE_ROW; row++) {
        for (int column = 0; column < sqlite3_column_count(statement); column++) {
            const char *text = (const char *)sqlite3_column_text(statement, column);

            sqlite3_str_appendf(answer, "%s%s", column > 0 ? "|" : row > 0 ? ";" : "", text == NULL ? "null" : text);
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return sqlite3_str_finish(answer);
}

static void assert_answer(const char *path, const char *sql, const char *expected)
{
    char *answer = ask(path, sql);

    assert_string_equal(answer == NULL ? "" : answer, expected);
    sqlite3_free(answer);
}

static void assert_error(struct result result, const char *const *words)
{
    assert_int_equal(result.code, RESULT_STORE);
    for (; *words != NULL; words++)
        if (strstr(result.message, *words) == NULL)
            fail_msg("'%s' is not in: %s", *words, result.message);
}

static const char schema[] = "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2";

static void assert_as_it_was(const struct fixture *fixture)
{
    assert_answer(fixture->path, "PRAGMA user_version", "1");
    assert_answer(fixture->path, schema, fixture->schema);
    assert_answer(fixture->path, fixture->every_row, fixture->rows);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (fixture == NULL)
        return -1;
    (void)strcpy(fixture->folder, "/tmp/test_migration.XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) {
        free(fixture);
        return -1;
    }
    *state = fixture;
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->folder);
    assert_ok(store_open(fixture->path, &fixture->store));
    execute(fixture->path, rows);
    fixture->every_row = ask(fixture->path, "SELECT group_concat(line, ' UNION ALL ') FROM (SELECT 'SELECT ' || "
                                            "quote(t.name) || group_concat(' || '' '' || quote(\"' || c.name || "
                                            "'\")', '') || ' FROM ' || t.name AS line FROM sqlite_schema AS t, "
                                            "pragma_table_info(t.name) AS c WHERE t.type = 'table' GROUP BY t.name)");
    fixture->rows = ask(fixture->path, fixture->every_row);
    fixture->schema = ask(fixture->path, schema);
    assert_non_null(strstr(fixture->rows, "'server1-server2'"));
    assert_non_null(strstr(fixture->schema, "CREATE TABLE ObjectHistory"));
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    store_close(fixture->store);
    assert_answer(fixture->path, "PRAGMA integrity_check", "ok");
    assert_answer(fixture->path, "SELECT count(*) FROM pragma_foreign_key_check", "0");
    (void)nftw(fixture->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    sqlite3_free(fixture->every_row);
    sqlite3_free(fixture->rows);
    sqlite3_free(fixture->schema);
    free(fixture);
    return 0;
}

/* ---- the tests ---- */

static void test_a_store_of_version_1_becomes_one_of_version_2_with_its_rows(void **state)
{
    struct fixture *fixture = *state;

    assert_answer(fixture->path, "PRAGMA user_version", "1");
    assert_ok(store_migrate(fixture->store, to_2));
    assert_answer(fixture->path, "PRAGMA user_version", "2");
    assert_answer(fixture->path, fixture->every_row, fixture->rows);
    assert_answer(fixture->path, "SELECT RecordId, Note FROM ObjectHistory", "7|why: lost;9|");
}

static void test_the_steps_run_in_order(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(store_migrate(fixture->store, to_3));
    assert_answer(fixture->path, "PRAGMA user_version", "3");
    assert_answer(fixture->path, fixture->every_row, fixture->rows);
    assert_answer(fixture->path, "SELECT HistoryId, Note FROM Notes", "7|why: lost;9|");
}

static void test_a_step_that_was_done_is_not_done_again(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(store_migrate(fixture->store, to_2));
    execute(fixture->path, "UPDATE ObjectHistory SET Note = 'since then' WHERE RecordId = 9");
    assert_ok(store_migrate(fixture->store, to_2));
    assert_ok(store_migrate(fixture->store, to_3));
    assert_answer(fixture->path, "PRAGMA user_version", "3");
    assert_answer(fixture->path, "SELECT HistoryId, Note FROM Notes", "7|why: lost;9|since then");
}

static void test_a_step_that_fails_undoes_all_and_is_named(void **state)
{
    struct fixture *fixture = *state;

    assert_error(
        store_migrate(fixture->store, to_failure),
        (const char *const[]){fixture->path, "schema version 3", "no such table: Missing", "move it away", NULL});
    assert_as_it_was(fixture);
    store_close(fixture->store);
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_as_it_was(fixture);
    assert_ok(store_migrate(fixture->store, to_3));
    assert_answer(fixture->path, "PRAGMA user_version", "3");
}

static void test_steps_that_break_references_are_undone(void **state)
{
    struct fixture *fixture = *state;

    assert_error(store_migrate(fixture->store, to_broken),
                 (const char *const[]){fixture->path, "2 broken references", "move it away", NULL});
    assert_as_it_was(fixture);
}

static void test_a_table_is_made_anew_without_loss_of_what_refers_to_it(void **state)
{
    struct fixture *fixture = *state;
    struct statement *statement;

    assert_ok(store_migrate(fixture->store, to_rebuilt));
    assert_answer(fixture->path, "SELECT RecordId, RelationshipName FROM ADM_DhcpFailoverRelationTable",
                  "4|server1-server2");
    assert_answer(fixture->path, "SELECT RecordId, FailoverRelationId, ScopeId FROM ADM_DhcpScopeFailoverTable",
                  "11|4|5");
    assert_answer(fixture->path, "SELECT RelationId, ServerRecordId, ObjectId FROM ReplicationQueue", "4|2|1");
    /* References count again. */
    assert_ok(statement_get(fixture->store, "DELETE FROM ADM_DhcpFailoverRelationTable", &statement));
    assert_ok(statement_run(statement));
    assert_answer(fixture->path, "SELECT count(*) FROM ReplicationQueue", "0");
}

static void test_triggers_of_others_do_nothing_to_a_step(void **state)
{
    struct fixture *fixture = *state;

    execute(fixture->path, "CREATE TRIGGER mine BEFORE UPDATE ON ObjectHistory BEGIN SELECT RAISE(ABORT, 'mine'); END");
    assert_ok(store_migrate(fixture->store, to_2));
    assert_answer(fixture->path, "SELECT RecordId, Note FROM ObjectHistory", "7|why: lost;9|");
}

static void test_a_store_of_version_2_is_refused_by_a_library_of_version_1(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(store_migrate(fixture->store, to_2));
    store_close(fixture->store);
    assert_error(store_open(fixture->path, &fixture->store),
                 (const char *const[]){fixture->path, "schema version 2", "versions up to 1",
                                       "install the library that wrote it", NULL});
    assert_null(fixture->store);
    assert_answer(fixture->path, "PRAGMA user_version", "2");
    assert_answer(fixture->path, fixture->every_row, fixture->rows);
    assert_answer(fixture->path, "SELECT RecordId, Note FROM ObjectHistory", "7|why: lost;9|");
}

static void test_a_version_from_which_no_step_leads_on_is_refused(void **state)
{
    struct fixture *fixture = *state;

    execute(fixture->path, "PRAGMA user_version = -1");
    assert_error(
        store_migrate(fixture->store, to_3),
        (const char *const[]){fixture->path, "schema version -1", "cannot bring to version 3", "move it away", NULL});
    assert_answer(fixture->path, "PRAGMA user_version", "-1");
    assert_answer(fixture->path, schema, fixture->schema);
    assert_answer(fixture->path, fixture->every_row, fixture->rows);
}

static void test_the_librarys_own_list_leads_to_its_schema_without_a_gap(void **state)
{
    int version = 1;

    (void)state;
    for (const struct migration *migration = store_migrations; migration->sql != NULL; migration++)
        assert_int_equal(migration->to, ++version);
    assert_int_equal(version, STORE_SCHEMA_VERSION);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_store_of_version_1_becomes_one_of_version_2_with_its_rows),
        TEST(test_the_steps_run_in_order),
        TEST(test_a_step_that_was_done_is_not_done_again),
        TEST(test_a_step_that_fails_undoes_all_and_is_named),
        TEST(test_steps_that_break_references_are_undone),
        TEST(test_a_table_is_made_anew_without_loss_of_what_refers_to_it),
        TEST(test_triggers_of_others_do_nothing_to_a_step),
        TEST(test_a_store_of_version_2_is_refused_by_a_library_of_version_1),
        TEST(test_a_version_from_which_no_step_leads_on_is_refused),
        cmocka_unit_test(test_the_librarys_own_list_leads_to_its_schema_without_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
