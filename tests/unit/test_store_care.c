/* What may happen to a store from outside: an administrator's care of it is no damage, whatever is wrong with it keeps
 * no server from starting, it belongs to one server, and all is well again once the cause is gone. */
#include "pair_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PARAMETERS "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}"
#define WATCHED_MS 2500 /* longer than two looks at the store */

static char *status_of(struct fake_server *server)
{
    char *status = fake_server_command(server, "failover-status", NULL);

    assert_non_null(status);
    return status;
}

static bool status_has(struct fake_server *server, const char *text)
{
    char *status = status_of(server);
    bool has = strstr(status, text) != NULL;

    free(status);
    return has;
}

static void await_status_text(struct fake_server *server, const char *text)
{
    for (int tries = 0; tries < PAIR_SOON / 10; tries++) {
        if (status_has(server, text))
            return;
        usleep(10000);
    }
    fail_msg("not \"%s\": %s", text, status_of(server));
}

static int try_sql(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    int code;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    sqlite3_busy_timeout(database, PAIR_SOON);
    code = sqlite3_exec(database, sql, NULL, NULL, NULL);
    sqlite3_close(database);
    return code;
}

static void run_sql(const char *path, const char *sql)
{
    assert_int_equal(try_sql(path, sql), SQLITE_OK);
}

static long long ask_sql(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    long long value;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    sqlite3_busy_timeout(database, PAIR_SOON);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return value;
}

static int count_lines(const char *command)
{
    char line[32] = "";
    FILE *output = popen(command, "r");

    assert_non_null(output);
    assert_non_null(fgets(line, sizeof line, output));
    (void)pclose(output);
    return atoi(line);
}

static int count_set_aside(void)
{
    char command[200];

    snprintf(command, sizeof command, "ls '%s' | grep -c 'damaged-.*Z$'", pair_folder);
    return count_lines(command);
}

static void start(struct fake_server *server)
{
    assert_int_equal(fake_server_start(server, PARAMETERS), RESULT_OK);
}

static void start_pair(void)
{
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(two, 1, "file");
    start(one);
    start(two);
    pair_await_quiet();
}

/* What nothing but the store has. */
static void add_custom_field(struct fake_server *server)
{
    char *answer = fake_server_command(server, "custom-field-add", "{\"name\": \"Floor\", \"type\": \"Freeform\"}");

    assert_non_null(answer);
    assert_non_null(strstr(answer, "\"result\":0"));
    free(answer);
}

static bool has_custom_field(struct fake_server *server)
{
    char *answer = fake_server_command(server, "custom-field-get-all", NULL);
    bool has = answer != NULL && strstr(answer, "Floor") != NULL;

    free(answer);
    return has;
}

/* ---- care is no damage ---- */

static void test_the_care_of_an_administrator_is_no_damage(void **state)
{
    static const char *const care[] = {
        "DELETE FROM ballast; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA auto_vacuum = FULL; VACUUM; PRAGMA wal_checkpoint(RESTART)",
        "REINDEX; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)",
        "DROP TABLE ballast; PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)",
    };

    (void)state;
    start_pair();
    add_custom_field(one);
    run_sql(fake_server_store(one),
            "CREATE TABLE ballast (bytes); INSERT INTO ballast WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL "
            "SELECT i + 1 FROM n WHERE i < 400) SELECT randomblob(4000) FROM n; PRAGMA wal_checkpoint(TRUNCATE)");
    usleep(WATCHED_MS * 1000);
    for (size_t i = 0; i < sizeof care / sizeof care[0]; i++) {
        run_sql(fake_server_store(one), care[i]);
        usleep(WATCHED_MS * 1000);
        assert_int_equal(count_set_aside(), 0);
        assert_true(has_custom_field(one));
        assert_true(status_has(one, "\"current\""));
    }
    fake_server_command_put(one, 2, "afterwards");
    assert_true(fake_server_await(two, 2, "afterwards", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(one);
    start(one);
    assert_true(has_custom_field(one));
}

static void test_of_damaged_stores_the_newest_few_are_kept(void **state)
{
    (void)state;
    start_pair();
    fake_server_stop(two);
    for (int time = 0; time < 5; time++) {
        char command[300];

        fake_server_stop(one);
        snprintf(command, sizeof command, "printf 'damaged %d' > '%s'; rm -f '%s'-wal '%s'-shm", time,
                 fake_server_store(one), fake_server_store(one), fake_server_store(one));
        assert_int_equal(system(command), 0);
        start(one);
        await_status_text(one, "\"current\"");
    }
    assert_int_equal(count_set_aside(), 3);
    for (int time = 0; time < 5; time++) {
        char command[300];

        snprintf(command, sizeof command, "cat '%s'/*damaged-*Z | grep -c 'damaged %d'", pair_folder, time);
        assert_int_equal(count_lines(command), time >= 2);
    }
}

/* ---- whatever it is, the server starts ---- */

static void in_folder(char path[200], const char *name)
{
    snprintf(path, 200, "%s/%s", pair_folder, name);
}

static void shell(const char *command)
{
    char text[600];

    snprintf(text, sizeof text, "cd '%s' && { %s; }", pair_folder, command);
    assert_int_equal(system(text), 0);
}

/* A shell command, or SQL for the store at "x/y.db". */
static void apply(const char *text)
{
    char path[200];

    in_folder(path, "x/y.db");
    if (strncmp(text, "sql ", 4) == 0)
        run_sql(path, text + 4);
    else
        shell(text);
}

/* How that store is spoilt and mended, and what is said of it meanwhile. */
static const struct {
    const char *spoil, *mend, *says, *remedy;
} troubles[] = {
    {"sql PRAGMA user_version = 1234", "rm -f x/y.db*", "1234", "install"},
    {"sql PRAGMA application_id = 77", "rm -f x/y.db*", "another program", "another file"},
    {"rm -f x/y.db*; echo '{ \\\"Dhcp4\\\": {} }' > x/y.db; chmod 644 x/y.db", "rm -f x/y.db", "not a database",
     "move this one away"},
    {"dd if=/dev/zero of=x/y.db bs=100 count=1 conv=notrunc 2>&1; chmod 640 x/y.db", "rm -f x/y.db*", "not a database",
     "move this one away"},
    {"rm -rf x; echo > x", "rm x", "the folder", "in the way"},
    {"rm -rf x; ln -s x x", "rm x", "the folder", "symbolic"},
    {"rm -rf x; ln -s nowhere x", "rm x", "the folder", "symbolic"},
    {"rm -f x/y.db*; mkdir x/y.db", "rmdir x/y.db", "is a folder", "name a file"},
    {"rm -f x/y.db*; ln -s y.db x/y.db", "rm x/y.db", "symbolic", "name a file"},
    {"rm -f x/y.db*; ln -s nowhere/z.db x/y.db", "rm x/y.db", "symbolic", "name a file"},
    {"rm -f x/y.db*; mkfifo x/y.db", "rm x/y.db", "no regular file", "name a file"},
    {"rm -f x/y.db-*; mkdir x/y.db-lock", "rmdir x/y.db-lock", "y.db-lock", "move it away"},
    {"rm -f x/y.db-*; ln -s nowhere x/y.db-lock", "rm x/y.db-lock", "y.db-lock", "move it away"},
    {"sql CREATE TRIGGER mine AFTER INSERT ON ObjectHistory BEGIN SELECT 1; END", "sql DROP TRIGGER mine",
     "trigger mine", "DROP TRIGGER"},
    {"sql DROP TABLE OperationLog", "rm -f x/y.db*", "OperationLog", "move it away"},
    {"sql DROP TABLE OperationLog; CREATE VIEW OperationLog AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL "
     "SELECT i FROM n) SELECT i FROM n",
     "rm -f x/y.db*", "OperationLog", "move it away"},
    {"sql DELETE FROM StoreIdentity", "rm -f x/y.db*", "identity", "move it away"},
};

static void test_whatever_is_in_the_place_of_the_store_the_server_starts_and_the_mirror_heals(void **state)
{
    static const char parameters[] = "{\"store\": \"%s/x/y.db\", \"reconcile-interval\": 1}";
    char text[300];

    (void)state;
    snprintf(text, sizeof text, parameters, pair_folder);
    fake_server_file_put(one, 1, "file");
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        char *status;

        shell("rm -rf x");
        assert_int_equal(fake_server_start(one, text), RESULT_OK);
        await_status_text(one, "\"current\"");
        fake_server_stop(one);
        apply(troubles[i].spoil);
        assert_int_equal(fake_server_start(one, text), RESULT_OK);
        assert_runs(one, 1, "file");
        await_status_text(one, "\"unavailable\"");
        status = status_of(one);
        if (strstr(status, troubles[i].says) == NULL || strstr(status, troubles[i].remedy) == NULL)
            fail_msg("%s: %s", troubles[i].spoil, status);
        free(status);
        /* A reload finds it as it is and goes on, too. */
        assert_int_equal(fake_server_reload(one, true), RESULT_OK);
        assert_true(status_has(one, "\"unavailable\""));
        apply(troubles[i].mend);
        await_status_text(one, "\"current\"");
        fake_server_command_put(one, 2, "works");
        assert_true(fake_server_await(one, 2, "works", PAIR_SOON));
        fake_server_stop(one);
    }
}

static void test_a_store_that_the_servers_user_may_not_use_is_taken_up_when_it_may(void **state)
{
    char path[200];

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(pair_folder, 0777), 0);
    fake_server_file_put(one, 1, "file");
    start(one);
    await_status_text(one, "\"current\"");
    add_custom_field(one);
    fake_server_stop(one);
    assert_int_equal(seteuid(65534), 0);
    start(one);
    await_status_text(one, "\"unavailable\"");
    assert_true(status_has(one, "let the server's user"));
    assert_int_equal(seteuid(0), 0);
    await_status_text(one, "\"current\"");
    assert_true(has_custom_field(one));
    in_folder(path, "server1.db");
    assert_int_equal(ask_sql(path, "SELECT count(*) FROM ADM_DHCPScopesTable"), 1);
}

/* ---- it has one owner and one user ---- */

static void with_the_store_of_one(char text[400])
{
    snprintf(text, 400, "{\"store\": \"%s\", \"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}",
             fake_server_store(one));
}

static void test_a_store_of_another_server_is_refused_by_both_names(void **state)
{
    char parameters[400];

    (void)state;
    with_the_store_of_one(parameters);
    start_pair();
    add_custom_field(one);
    fake_server_stop(one);
    fake_server_stop(two);
    fake_server_file_put(two, 1, "of two");
    assert_int_equal(fake_server_start(two, parameters), RESULT_OK);
    assert_runs(two, 1, "of two");
    await_status_text(two, "\"unavailable\"");
    assert_true(status_has(two, "server1"));
    assert_true(status_has(two, "server2"));
    assert_true(status_has(two, "a store of its own"));
    usleep(WATCHED_MS * 1000);
    assert_int_equal(
        ask_sql(fake_server_store(one), "SELECT IsLocal FROM ADM_DHCPServersTable WHERE HaName = 'server1'"), 1);
    /* The first one is not kept from it meanwhile. */
    start(one);
    await_status_text(one, "\"current\"");
    assert_true(has_custom_field(one));
    fake_server_stop(one);
    /* The remedy for a server that was renamed. */
    run_sql(fake_server_store(one), "UPDATE StoreIdentity SET Server = ''");
    await_status_text(two, "\"current\"");
    assert_true(has_custom_field(two));
    fake_server_stop(two);
    start(one);
    await_status_text(one, "\"unavailable\"");
    assert_true(status_has(one, "StoreIdentity"));
}

static void test_a_store_in_use_by_another_process_is_left_alone_until_it_is_free(void **state)
{
    char path[260];
    int other;

    (void)state;
    start_pair();
    add_custom_field(one);
    fake_server_stop(one);
    snprintf(path, sizeof path, "%s-lock", fake_server_store(one));
    other = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(other >= 0);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0); /* a lock of its own, as another process has it */
    assert_int_equal(ftruncate(other, 0), 0);
    assert_int_equal(pwrite(other, "4711 (dhcp-east)\n", 17, 0), 17);
    start(one);
    assert_runs(one, 1, "file");
    await_status_text(one, "\"unavailable\"");
    assert_true(status_has(one, "in use"));
    assert_true(status_has(one, "4711 (dhcp-east)"));
    /* The lock is not in the way of whoever looks into the store. */
    assert_true(ask_sql(fake_server_store(one), "SELECT count(*) FROM ADM_DHCPScopesTable") > 0);
    close(other);
    await_status_text(one, "\"current\"");
    assert_true(has_custom_field(one));
    /* Now it is ours. */
    other = open(path, O_RDWR | O_CLOEXEC);
    assert_true(other >= 0);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    fake_server_stop(one);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    close(other);
}

static void test_a_lock_file_that_is_removed_is_made_again(void **state)
{
    char path[260];
    int other = -1;

    (void)state;
    start_pair();
    snprintf(path, sizeof path, "%s-lock", fake_server_store(one));
    assert_int_equal(unlink(path), 0);
    for (int tries = 0; tries < PAIR_SOON / 10 && access(path, F_OK) != 0; tries++)
        usleep(10000);
    usleep(100000);
    other = open(path, O_RDWR | O_CLOEXEC);
    assert_true(other >= 0);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
    close(other);
    assert_true(status_has(one, "\"current\""));
}

/* ---- what somebody adds to it ---- */

static void test_a_trigger_that_somebody_adds_while_the_server_runs_stalls_nothing(void **state)
{
    (void)state;
    start_pair();
    run_sql(
        fake_server_store(one),
        "CREATE TRIGGER endless BEFORE INSERT ON ObjectVersions BEGIN SELECT count(*) FROM (WITH RECURSIVE n (i) AS "
        "(SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n); END");
    await_status_text(one, "trigger endless");
    assert_true(status_has(one, "\"unavailable\""));
    fake_server_command_put(one, 2, "meanwhile");
    assert_true(fake_server_await(one, 2, "meanwhile", PAIR_SOON));
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    fake_server_command_put(one, 3, "meanwhile");
    run_sql(fake_server_store(one), "DROP TRIGGER endless");
    await_status_text(one, "\"current\"");
    assert_true(fake_server_await(two, 3, "meanwhile", PAIR_SOON));
    pair_await_quiet();
}

static void test_tables_views_and_indexes_of_an_administrators_own_are_welcome(void **state)
{
    (void)state;
    start_pair();
    run_sql(fake_server_store(one),
            "CREATE TABLE notes (text); CREATE VIEW scopes AS SELECT Prefix, load_extension('x') FROM "
            "ADM_DHCPScopesTable; CREATE INDEX mine ON ADM_DHCPScopesTable (Prefix)");
    usleep(WATCHED_MS * 1000);
    assert_true(status_has(one, "\"current\""));
    fake_server_stop(one);
    start(one);
    await_status_text(one, "\"current\"");
    pair_await_quiet();
}

/* ---- a reader that stays ---- */

static void test_a_log_that_a_reader_keeps_full_is_told_and_heals_also_over_a_load(void **state)
{
    sqlite3 *reader = NULL;

    (void)state;
    start_pair();
    assert_int_equal(sqlite3_open_v2(fake_server_store(one), &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM ObjectHistory", NULL, NULL, NULL), SQLITE_OK);
    run_sql(fake_server_store(one), "CREATE TABLE ballast (bytes); INSERT INTO ballast WITH RECURSIVE n (i) AS (SELECT "
                                    "1 UNION ALL SELECT i + 1 FROM n WHERE i < 270) SELECT zeroblob(1000000) FROM n");
    await_status_text(one, "the log of the store");
    fake_server_command_put(one, 2, "meanwhile");
    assert_true(fake_server_await(one, 2, "meanwhile", PAIR_SOON));
    usleep(WATCHED_MS * 1000);
    assert_true(status_has(one, "\"unavailable\""));
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    fake_server_command_put(one, 3, "meanwhile");
    usleep(WATCHED_MS * 1000);
    assert_true(status_has(one, "the log of the store"));
    sqlite3_close(reader);
    await_status_text(one, "\"current\"");
    assert_true(fake_server_await(two, 3, "meanwhile", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(count_set_aside(), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_care_of_an_administrator_is_no_damage),
        TEST(test_of_damaged_stores_the_newest_few_are_kept),
        TEST(test_whatever_is_in_the_place_of_the_store_the_server_starts_and_the_mirror_heals),
        TEST(test_a_store_that_the_servers_user_may_not_use_is_taken_up_when_it_may),
        TEST(test_a_store_of_another_server_is_refused_by_both_names),
        TEST(test_a_store_in_use_by_another_process_is_left_alone_until_it_is_free),
        TEST(test_a_lock_file_that_is_removed_is_made_again),
        TEST(test_a_trigger_that_somebody_adds_while_the_server_runs_stalls_nothing),
        TEST(test_a_log_that_a_reader_keeps_full_is_told_and_heals_also_over_a_load),
        TEST(test_tables_views_and_indexes_of_an_administrators_own_are_welcome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
