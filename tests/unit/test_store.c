/* What the store promises of its file: which files it makes, opens and refuses, its schema, transactions and prepared
 * statements. The rows are tested in test_store_rows.c and test_scope_store.c. */
#include "failover_sync/statement.h"
#include "failover_sync/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define OUR_APPLICATION_ID 0x4B465359

struct fixture {
    char folder[64];
    char path[128];
    struct store *store;
};

static void assert_ok(struct result result)
{
    if (result_failed(result))
        fail_msg("code %d: %s", (int)result.code, result.message);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (fixture == NULL)
        return -1;
    (void)strcpy(fixture->folder, "/tmp/test_store.XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) {
        free(fixture);
        return -1;
    }
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->folder);
    *state = fixture;
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
    (void)nftw(fixture->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

/* One value of the file, read through a connection of the test's own. */
static char *ask(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    char *answer;

    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    answer = strdup((const char *)sqlite3_column_text(statement, 0));
    assert_non_null(answer);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return answer;
}

static void assert_answer(const char *path, const char *sql, const char *expected)
{
    char *answer = ask(path, sql);

    assert_string_equal(answer, expected);
    free(answer);
}

static void execute(const char *path, const char *sql)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    (void)sqlite3_close(database);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "r");
    char *bytes = malloc(1 << 20);

    assert_non_null(file);
    assert_non_null(bytes);
    *length = fread(bytes, 1, 1 << 20, file);
    assert_int_equal(fclose(file), 0);
    return bytes;
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

/* Opens the file, which must fail with all of `words` in the message and not a byte of the file changed. */
static void assert_refused_untouched(const char *path, const char *word1, const char *word2)
{
    struct store *store = NULL;
    size_t before_length, after_length;
    char *before = read_file(path, &before_length);
    struct result result = store_open(path, &store);
    char *after = read_file(path, &after_length);

    assert_int_equal(result.code, RESULT_STORE);
    assert_null(store);
    assert_non_null(strstr(result.message, path));
    assert_non_null(strstr(result.message, word1));
    assert_non_null(strstr(result.message, word2));
    assert_int_equal(before_length, after_length);
    assert_memory_equal(before, after, before_length);
    free(before);
    free(after);
}

static void test_a_new_file_is_private_and_so_are_its_companions(void **state)
{
    struct fixture *fixture = *state;
    char companion[160];

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_int_equal(mode_of(fixture->path), 0600);
    assert_ok(store_begin(fixture->store));
    assert_ok(tombstone_store_remove(fixture->store, 1));
    assert_ok(store_commit(fixture->store));
    (void)snprintf(companion, sizeof companion, "%s-wal", fixture->path);
    assert_int_equal(mode_of(companion), 0600);
    (void)snprintf(companion, sizeof companion, "%s-shm", fixture->path);
    assert_int_equal(mode_of(companion), 0600);
}

static void test_missing_folders_are_made(void **state)
{
    struct fixture *fixture = *state;
    char folder[96], path[128];
    mode_t umask_before = umask(0);

    (void)snprintf(folder, sizeof folder, "%s/a", fixture->folder);
    (void)snprintf(path, sizeof path, "%s//b/c/store.db", folder);
    assert_ok(store_open(path, &fixture->store));
    umask(umask_before);
    assert_int_equal(mode_of(folder), 0750);
    assert_int_equal(mode_of(path), 0600);
}

static void test_a_relative_path_works_and_no_name_is_special(void **state)
{
    struct fixture *fixture = *state;
    int here = open(".", O_RDONLY | O_DIRECTORY);

    assert_true(here >= 0);
    assert_int_equal(chdir(fixture->folder), 0);
    assert_ok(store_open(":memory:", &fixture->store));
    store_close(fixture->store);
    assert_int_equal(mode_of(":memory:"), 0600);
    assert_ok(store_open("sub/store.db", &fixture->store));
    assert_int_equal(mode_of("sub/store.db"), 0600);
    assert_int_equal(fchdir(here), 0);
    assert_int_equal(close(here), 0);
}

static void test_a_file_in_the_way_of_a_folder_is_named(void **state)
{
    struct fixture *fixture = *state;
    char path[192];
    struct result result;

    write_file(fixture->path, "in the way");
    (void)snprintf(path, sizeof path, "%s/store.db", fixture->path);
    result = store_open(path, &fixture->store);
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, fixture->path));
    assert_non_null(strstr(result.message, "in the way"));
    assert_null(fixture->store);
}

static void test_a_folder_is_no_store(void **state)
{
    struct fixture *fixture = *state;
    struct result result = store_open(fixture->folder, &fixture->store);

    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, "is a folder"));
    assert_int_equal(store_open("", &fixture->store).code, RESULT_INVALID);
    assert_int_equal(store_open("/tmp/", &fixture->store).code, RESULT_INVALID);
    assert_int_equal(store_open("/dev/null", &fixture->store).code, RESULT_STORE);
    assert_null(fixture->store);
}

static void test_a_folder_that_cannot_be_written_is_named_with_the_reason(void **state)
{
    struct fixture *fixture = *state;
    struct result result;

    if (geteuid() == 0) /* may write everywhere but here */
        result = store_open("/proc/store.db", &fixture->store);
    else {
        assert_int_equal(chmod(fixture->folder, 0500), 0);
        result = store_open(fixture->path, &fixture->store);
        assert_int_equal(chmod(fixture->folder, 0700), 0);
    }
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, "cannot be created: "));
    assert_null(fixture->store);
}

static void test_the_file_is_set_up_for_durability_and_recognised(void **state)
{
    struct fixture *fixture = *state;
    char number[16];

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path, "PRAGMA journal_mode", "wal");
    assert_answer(fixture->path, "PRAGMA user_version", "1");
    (void)snprintf(number, sizeof number, "%d", OUR_APPLICATION_ID);
    assert_answer(fixture->path, "PRAGMA application_id", number);
    assert_answer(fixture->path, "SELECT Name || ' ' || Type FROM ADM_AddressSpaceTable WHERE RecordId = 1",
                  "DefaultIPAddressSpace Provider");
}

static void test_every_foreign_key_has_an_index(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(
        fixture->path,
        "SELECT count(*) FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table' "
        "AND f.\"table\" <> 'ADM_AddressSpaceTable' AND NOT EXISTS (SELECT 1 FROM pragma_index_list(t.name) "
        "AS l, pragma_index_info(l.name) AS i WHERE i.seqno = 0 AND i.name = f.\"from\")",
        "0");
}

static void test_the_provisioned_rows_are_there(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path,
                  "SELECT group_concat(CustomFieldRecordId || ' ' || Value || ' ' || BuiltInCustomFieldValueId, ';') "
                  "FROM (SELECT * FROM ADM_CustomFieldValuesTable ORDER BY RecordId)",
                  "8 IPAM 1;8 DHCP 2;8 other DHCP 3;8 VM manager 4;8 Others 5;9 Localhost 1");
    assert_answer(fixture->path,
                  "SELECT group_concat(RecordId || ' ' || Name || ' ' || Type, ';') FROM ADM_CustomFieldsTable "
                  "WHERE RecordId IN (8, 9) AND BuiltinCustomFieldNumber = RecordId AND Origin = 'Builtin'",
                  "8 Managed by Multivalued;9 Managed by entity Multivalued");
    assert_answer(fixture->path, "SELECT AccessScopeId || Name || coalesce(ParentId, '') FROM ADM_AccessScopeTable",
                  "1Global");
    assert_answer(fixture->path,
                  "SELECT length(Writer) || '[' || Server || Service || ']' || LastEdit || Filled || FileSeen FROM "
                  "StoreIdentity",
                  "32[]000");
}

static void test_the_log_takes_the_states_of_operations_and_no_others(void **state)
{
    static const char *const states[] = {"NotStarted", "InProgress", "CompletedWithSuccess", "CompletedWithFailure"};
    struct fixture *fixture = *state;
    sqlite3 *database = NULL;
    char sql[240];

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(sql, sizeof sql,
                       "INSERT INTO OperationLog (OperationId, Sequence, Command, State, Percent, StartedAt) VALUES "
                       "('%d', %d, 'failover-add', '%s', 0, 1700000000000)",
                       i, i, states[i]);
        assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    }
    assert_int_equal(sqlite3_exec(database, "UPDATE OperationLog SET State = 'Done'", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_exec(database, "UPDATE OperationLog SET Sequence = 1", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    (void)sqlite3_close(database);
}

static void test_opening_again_finds_what_was_written(void **state)
{
    struct fixture *fixture = *state;
    struct server_row row = {.ha_name = "server1", .server_name = "192.0.2.1", .is_local = true};
    int64_t first, second;

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_ok(server_store_put(fixture->store, &row, &first));
    store_close(fixture->store);
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_ok(server_store_put(fixture->store, &row, &second));
    assert_int_equal(first, second);
    assert_answer(fixture->path, "SELECT count(*) FROM ADM_AddressSpaceTable", "1");
}

static void test_an_empty_file_becomes_a_store(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture->path, "");
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path, "PRAGMA user_version", "1");
}

static void test_a_newer_store_is_refused_untouched(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(store_open(fixture->path, &fixture->store));
    store_close(fixture->store);
    fixture->store = NULL;
    execute(fixture->path, "PRAGMA user_version = 1234");
    assert_refused_untouched(fixture->path, "1234", "install");
}

static void test_a_newer_version_in_the_log_alone_is_refused_untouched(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = NULL;

    assert_ok(store_open(fixture->path, &fixture->store));
    store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
    (void)sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_exec(database, "PRAGMA user_version = 1234", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(database);
    assert_refused_untouched(fixture->path, "1234", "install");
}

static void test_a_database_of_another_program_is_refused_untouched(void **state)
{
    struct fixture *fixture = *state;
    char log[160];

    execute(fixture->path, "PRAGMA application_id = 77; CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    assert_refused_untouched(fixture->path, "77", "another file");
    assert_int_equal(unlink(fixture->path), 0);
    execute(fixture->path, "PRAGMA journal_mode = WAL; CREATE TABLE t (a)");
    assert_refused_untouched(fixture->path, "another program", "another file");
    (void)snprintf(log, sizeof log, "%s-wal", fixture->path);
    assert_int_not_equal(access(log, F_OK), 0);
}

static void test_a_file_that_is_no_database_is_refused_untouched(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture->path, "{ \"Dhcp4\": {} }\n");
    assert_refused_untouched(fixture->path, "not a database", "another file");
    write_file(fixture->path, "A text that is longer than the header of a database, which has a hundred bytes, and so "
                              "is read whole by anybody who looks for the header in it.\n");
    assert_refused_untouched(fixture->path, "not a database", "another file");
}

static void test_a_damaged_store_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct result result;

    assert_ok(store_open(fixture->path, &fixture->store));
    store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(truncate(fixture->path, 5000), 0);
    result = store_open(fixture->path, &fixture->store);
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, fixture->path));
    assert_null(fixture->store);
}

static void test_a_foreign_key_that_points_nowhere_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct scope_row row = {.server_record_id = 4711,
                            .id = 1,
                            .name = "192.0.2.0/24",
                            .definition = "{\"subnet4\":{\"subnet\":\"192.0.2.0/24\"}}"};
    int64_t record_id;
    struct result result;

    assert_ok(store_open(fixture->path, &fixture->store));
    result = scope_store_put(fixture->store, &row, true, &record_id);
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, "FOREIGN KEY"));
    assert_non_null(strstr(result.message, fixture->path));
    assert_answer(fixture->path, "SELECT count(*) FROM ADM_IPBlocksTable", "0");
}

static void test_a_rollback_undoes_and_a_second_one_does_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct server_row row = {.ha_name = "server1", .server_name = "192.0.2.1"};
    int64_t record_id;

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_ok(store_begin(fixture->store));
    assert_ok(server_store_put(fixture->store, &row, &record_id));
    store_rollback(fixture->store);
    store_rollback(fixture->store);
    assert_answer(fixture->path, "SELECT count(*) FROM ADM_DHCPServersTable", "0");
    assert_int_equal(store_commit(fixture->store).code, RESULT_STORE);
}

static void test_another_writer_is_waited_for_and_then_named(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *other = NULL;
    struct result result;

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    result = store_begin(fixture->store);
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, "another process"));
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(other);
    assert_ok(store_begin(fixture->store));
    assert_ok(store_commit(fixture->store));
}

static void test_a_store_left_open_by_a_crash_is_whole_again(void **state)
{
    struct fixture *fixture = *state;
    struct server_row row = {.ha_name = "server1", .server_name = "192.0.2.1"};
    struct tombstone_row tombstone = {.id = 7, .name = "192.0.2.0/24"};
    char copy[160], command[640];
    int64_t record_id;

    /* What kill -9 leaves behind is what lies on the disk at that moment. */
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_ok(server_store_put(fixture->store, &row, &record_id));
    assert_ok(store_begin(fixture->store));
    assert_ok(tombstone_store_put(fixture->store, &tombstone, 1));
    (void)snprintf(copy, sizeof copy, "%s/copy.db", fixture->folder);
    (void)snprintf(command, sizeof command, "cp %s %s && cp %s-wal %s-wal", fixture->path, copy, fixture->path, copy);
    assert_int_equal(system(command), 0);
    assert_ok(store_commit(fixture->store));
    store_close(fixture->store);
    assert_ok(store_open(copy, &fixture->store));
    assert_answer(copy, "SELECT HaName FROM ADM_DHCPServersTable", "server1");
    assert_answer(copy, "SELECT count(*) FROM ObjectTombstones", "0");
    assert_answer(copy, "PRAGMA integrity_check", "ok");
}

static void test_statements_are_kept_reset_and_report_failed_binds(void **state)
{
    static const char sql[] = "SELECT ?1, ?2, ?3, ?4";
    struct fixture *fixture = *state;
    struct statement *statement, *again;
    bool row;

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_ok(statement_get(fixture->store, sql, &statement));
    statement_bind_text(statement, 1, "text");
    statement_bind_integer(statement, 2, INT64_MIN);
    statement_bind_id(statement, 3, 0);
    statement_bind_blob(statement, 4, "\0b", 2);
    assert_ok(statement_step(statement, &row));
    assert_true(row);
    assert_string_equal(statement_text(statement, 0), "text");
    assert_true(statement_integer(statement, 1) == INT64_MIN);
    assert_null(statement_text(statement, 2));
    assert_int_equal(statement_integer(statement, 2), 0);

    assert_ok(statement_get(fixture->store, sql, &again));
    assert_ptr_equal(statement, again);
    assert_ok(statement_step(again, &row));
    assert_true(row);
    assert_null(statement_text(again, 0)); /* no value is bound any more */
    statement_done(again);

    statement_bind_integer(again, 5, 1);
    assert_int_equal(statement_step(again, &row).code, RESULT_STORE);
    assert_false(row);
    assert_ok(statement_step(again, &row));
    assert_true(row);
    statement_done(again);
}

static void test_bad_sql_and_no_statement_are_failures_not_crashes(void **state)
{
    struct fixture *fixture = *state;
    struct statement *statement;
    struct result result;
    int64_t record_id;
    bool row;

    assert_ok(store_open(fixture->path, &fixture->store));
    result = statement_get(fixture->store, "SELECT a FROM nowhere", &statement);
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, "nowhere"));
    assert_non_null(strstr(result.message, fixture->path));
    assert_null(statement);
    statement_bind_text(statement, 1, "a");
    statement_bind_integer(statement, 1, 1);
    statement_bind_id(statement, 1, 1);
    statement_bind_blob(statement, 1, "a", 1);
    statement_done(statement);
    assert_true(result_failed(statement_step(statement, &row)));
    assert_true(result_failed(statement_run(statement)));
    assert_true(result_failed(statement_insert(statement, &record_id)));
    assert_ok(statement_get(fixture->store, "SELECT 1", &statement));
    assert_int_equal(statement_run(statement).code, RESULT_INTERNAL);
    assert_int_equal(statement_get(fixture->store, "", &statement).code, RESULT_INTERNAL);
    store_close(NULL);
}

static void test_want_of_memory_is_told_as_such(void **state)
{
    struct fixture *fixture = *state;
    struct server_row row = {.ha_name = "server1"};
    char *name = malloc(4 << 20);
    int64_t record_id;
    struct result result;

    assert_non_null(name);
    memset(name, 'n', (4 << 20) - 1);
    name[(4 << 20) - 1] = '\0';
    row.server_name = name;
    assert_ok(store_open(fixture->path, &fixture->store));
    (void)sqlite3_hard_heap_limit64(2 << 20);
    result = server_store_put(fixture->store, &row, &record_id);
    (void)sqlite3_hard_heap_limit64(0);
    assert_int_equal(result.code, RESULT_MEMORY);
    row.server_name = "192.0.2.1";
    assert_ok(server_store_put(fixture->store, &row, &record_id));
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_new_file_is_private_and_so_are_its_companions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_folders_are_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_relative_path_works_and_no_name_is_special, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_in_the_way_of_a_folder_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_folder_is_no_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_folder_that_cannot_be_written_is_named_with_the_reason, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_file_is_set_up_for_durability_and_recognised, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_foreign_key_has_an_index, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_provisioned_rows_are_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_log_takes_the_states_of_operations_and_no_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_opening_again_finds_what_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_empty_file_becomes_a_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_newer_store_is_refused_untouched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_newer_version_in_the_log_alone_is_refused_untouched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_database_of_another_program_is_refused_untouched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_no_database_is_refused_untouched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_damaged_store_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_foreign_key_that_points_nowhere_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_rollback_undoes_and_a_second_one_does_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_writer_is_waited_for_and_then_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_store_left_open_by_a_crash_is_whole_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_statements_are_kept_reset_and_report_failed_binds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_sql_and_no_statement_are_failures_not_crashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_want_of_memory_is_told_as_such, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
