/* A store with a valid schema and nonsense in its rows: the file is an input like any other. Whatever is in a column,
 * the server starts and serves, every command answers, and nothing crashes or waits. Some columns and values at a time;
 * FAILOVER_SYNC_RUBBISH=all in the environment tries every value in every column. */
#include "pair_fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PARAMETERS  "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}"
#define PATIENCE_S  60 /* for one store, with a sanitizer on a busy machine */
#define COLUMNS_MAX 400

static const char *const rubbish[] = {
    "NULL",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "0",
    "''",
    "'x'",
    "x'ff00fe'",
    "CAST(x'80ff41' AS TEXT)",
    "CAST(x'410042' AS TEXT)",
    "'[1,{\"a\":'",
    "'{\"subnet4\":[]}'",
    "'{\"a\":{\"b\":[null,1e999]}}'",
    "printf('%.*c', 70000, '[')",
    "1e300",
    "'0000000000000001:ffffffffffffffff,0000000000000002:ffffffffffffffff'",
};

#define RUBBISH (sizeof rubbish / sizeof rubbish[0])

struct column {
    char table[64], name[64];
};

static struct column columns[COLUMNS_MAX];
static size_t column_count;

static void run_sql(sqlite3 *database, const char *sql)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
}

static void answer(const char *command, const char *arguments)
{
    char *text = fake_server_command(one, command, arguments);
    json_t *root = text == NULL ? NULL : json_loads(text, 0, NULL);

    if (root == NULL)
        fail_msg("%s: %s", command, text == NULL ? "no answer" : text);
    json_decref(root);
    free(text);
}

/* Rows in as many tables as there are. */
static void fill(void)
{
    fake_server_file_put(one, 1, "file|10.0.1.10-10.0.1.20");
    fake_server_file_put(one, 2, "file@campus:old");
    fake_server_file_put(two, 1, "file|10.0.1.10-10.0.1.20");
    start_both(PARAMETERS);
    pair_await_quiet();
    fake_server_command_put(one, 3, "removed later");
    assert_true(fake_server_await(two, 3, "removed later", PAIR_SOON));
    fake_server_command_put(one, 3, NULL);
    assert_true(fake_server_await(two, 3, "", PAIR_SOON));
    fake_server_command_put(one, 1, NULL);
    fake_server_command_put(one, 1, "newer|10.0.1.10-10.0.1.30");
    answer("custom-field-add", "{\"name\": \"Floor\", \"type\": \"Freeform\"}");
    answer("custom-field-add", "{\"name\": \"Color\", \"type\": \"Multivalued\", \"values\": [\"red\"]}");
    answer("range-add",
           "{\"network\": \"10.9.0.0/24\", \"start-address\": \"10.9.0.1\", \"end-address\": \"10.9.0.9\"}");
    answer("address-add", "{\"ip-address\": \"10.9.0.2\"}");
    answer("failover-add",
           "{\"relationship-name\": \"own\", \"mode\": \"HotStandby\", \"server1-name\": \"server1\", "
           "\"server2-name\": \"server3\", \"control-url\": \"http://127.0.0.1:1/\", \"subnet-ids\": [1]}");
    pair_await_quiet();
    fake_server_stop(two);
    fake_server_command_put(one, 2, "queued@campus:old");
    fake_server_stop(one);
}

/* The rules of the tables are gone, so that anything may be in them, and what is not there yet has a row. */
static void loosen(const char *path)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    run_sql(database,
            "INSERT INTO ObjectHistory (ObjectId, Name, Fingerprint, Reason, ReplacedAt, Bytes, Definition) VALUES "
            "(1, '10.0.1.0/24', '00', 'lost', 1, 2, '{}'); INSERT INTO ADM_IPRangeMultivaluedPropertiesTable (RangeId, "
            "PropertyId, PropertyValue) SELECT RecordId, 7, '10.9.0.3' FROM ADM_IPRangeTable; INSERT OR IGNORE INTO "
            "ObjectTombstones (ObjectId, Name, "
            "Origin, RemovedAt) VALUES (9, '10.0.9.0/24', 'Partner', 1);"
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = "
            "replace(replace(sql, ') STRICT', ')'), ' NOT NULL', '') WHERE type = 'table' AND name NOT LIKE 'sqlite%';"
            "PRAGMA writable_schema = RESET; PRAGMA wal_checkpoint(TRUNCATE)");
    (void)sqlite3_close(database);
}

static void list_columns(const char *path)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c "
                                        "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY 1, c.cid",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW && column_count < COLUMNS_MAX) {
        struct column *column = &columns[column_count++];

        snprintf(column->table, sizeof column->table, "%s", (const char *)sqlite3_column_text(statement, 0));
        snprintf(column->name, sizeof column->name, "%s", (const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    assert_true(column_count > 150 && column_count < COLUMNS_MAX);
}

static void spoil(const char *path, const struct column *column, const char *value)
{
    sqlite3 *database = NULL;
    char sql[400];

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    snprintf(sql, sizeof sql,
             "PRAGMA ignore_check_constraints = ON; UPDATE OR REPLACE \"%s\" SET \"%s\" = %s; "
             "PRAGMA wal_checkpoint(TRUNCATE)",
             column->table, column->name, value);
    (void)sqlite3_exec(database, sql, NULL, NULL, NULL); /* a RecordId can be no text: then nothing has changed */
    (void)sqlite3_close(database);
}

static void use(void)
{
    static const char *const commands[][2] = {
        {"failover-status", NULL},
        {"scope-get-all", NULL},
        {"scope-get", "{\"subnet-id\": 1}"},
        {"scope-history", NULL},
        {"failover-get-all", NULL},
        {"range-get-all", NULL},
        {"address-get-all", NULL},
        {"custom-field-get-all", NULL},
        {"adm-get", NULL},
        {"scope-digest", "{\"sender\": \"server2\", \"receiver\": \"server1\", \"from\": 0}"},
        {"server-replicate", NULL},
        {"failover-replicate", "{\"relationship-name\": \"own\"}"},
        {"scope-sync-reset", "{\"subnet-ids\": [1, 2]}"},
    };

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        answer(commands[i][0], commands[i][1]);
}

static void try_with(const char *template, const struct column *column, const char *value)
{
    const char *path = fake_server_store(one);
    char command[600];

    snprintf(command, sizeof command, "cd '%s' && rm -f server1.db-* server1.db.* && cp '%s' '%s'", pair_folder,
             template, path);
    assert_int_equal(system(command), 0);
    spoil(path, column, value);
    alarm(PATIENCE_S);
    if (fake_server_start(one, PARAMETERS) != RESULT_OK)
        fail_msg("%s.%s = %s keeps the server from starting", column->table, column->name, value);
    use();
    fake_server_command_put(one, 1, "edited|10.0.1.10-10.0.1.40");
    fake_server_command_put(one, 4, "new");
    answer("failover-status", NULL);
    if (fake_server_reload(one, true) != RESULT_OK)
        fail_msg("%s.%s = %s keeps the server from loading its file", column->table, column->name, value);
    assert_runs(one, 1, "file|10.0.1.10-10.0.1.20");
    use();
    fake_server_stop(one);
    alarm(0);
}

static void test_whatever_is_in_a_column_the_server_starts_and_every_command_answers(void **state)
{
    const char *all = getenv("FAILOVER_SYNC_RUBBISH"), *from = getenv("FAILOVER_SYNC_FIRST");
    char template[200], command[500];

    (void)state;
    fill();
    snprintf(template, sizeof template, "%s/template", pair_folder);
    loosen(fake_server_store(one));
    snprintf(command, sizeof command, "cp '%s' '%s'", fake_server_store(one), template);
    assert_int_equal(system(command), 0);
    list_columns(template);
    for (size_t i = from == NULL ? 0 : (size_t)atoi(from); i < column_count; i++)
        for (size_t k = 0; k < RUBBISH; k++)
            if (all != NULL || k == 0 || k == i * 7 % RUBBISH) {
                if (all != NULL)
                    print_message("%zu %s.%s = %s\n", i, columns[i].table, columns[i].name, rubbish[k]);
                try_with(template, &columns[i], rubbish[k]);
            }
}

/* The fuzzer's finds, each of which ended the server or kept it from starting. Scope 6 is in no file: the store alone
 * has it. */
static void test_what_once_ended_the_server_does_so_no_more(void **state)
{
    static const struct {
        struct column column;
        const char *value;
    } finds[] = {
        {{"ADM_DHCPScopesTable", "Definition"}, "NULL"},
        {{"ADM_DHCPScopesTable", "FailoverConfigSyncStatus"}, "NULL"},
        {{"ADM_DHCPScopesTable", "SubnetId"}, "SubnetId + 4294967296"},
        {{"ADM_DHCPScopesTable", "SubnetId"}, "x'00'"},
        {{"ADM_DhcpFailoverRelationTable", "RelationshipName"}, "NULL"},
        {{"ADM_IPRangeTable", "StartIPAddress"}, "NULL"},
        {{"ADM_IPRangeMultivaluedPropertiesTable", "PropertyId"}, "1000000000"},
        {{"ADM_IPRangeMultivaluedPropertiesTable", "PropertyValue"}, "NULL"},
    };
    char template[200], command[500];

    (void)state;
    fill();
    start_both(PARAMETERS);
    fake_server_command_put(two, 6, "in no file");
    assert_true(fake_server_await(one, 6, "in no file", PAIR_SOON));
    fake_server_stop(one);
    fake_server_stop(two);
    snprintf(template, sizeof template, "%s/template", pair_folder);
    loosen(fake_server_store(one));
    snprintf(command, sizeof command, "cp '%s' '%s'", fake_server_store(one), template);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < sizeof finds / sizeof finds[0]; i++)
        try_with(template, &finds[i].column, finds[i].value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_once_ended_the_server_does_so_no_more, pair_make, pair_drop),
        cmocka_unit_test_setup_teardown(test_whatever_is_in_a_column_the_server_starts_and_every_command_answers,
                                        pair_make, pair_drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
