/* A store that cannot be used, is damaged or goes away: the server serves, the library says so, and all is well again
 * once the cause is gone. */
#include "pair_fixture.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PARAMETERS                                                                                                     \
    "{\"reconcile-interval\": 1, \"max-delete-percent\": 100, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}"

static bool status_has(struct fake_server *server, const char *text)
{
    char *status = fake_server_command(server, "failover-status", NULL);
    bool has = status != NULL && strstr(status, text) != NULL;

    free(status);
    return has;
}

static void await_status_text(struct fake_server *server, const char *text)
{
    int in_a_row = 0; /* it may be of the moment before the library has noticed */

    for (int tries = 0; tries < PAIR_SOON / 10 && in_a_row < 5; tries++) {
        in_a_row = status_has(server, text) ? in_a_row + 1 : 0;
        usleep(10000);
    }
    assert_int_equal(in_a_row, 5);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    sqlite3_busy_timeout(database, PAIR_SOON);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

/* Nothing more can be recorded, as on a full disk: an index of which no newer version can be a part. */
static void fill_disk(const char *store)
{
    char sql[200];

    snprintf(sql, sizeof sql,
             "CREATE INDEX full ON ObjectVersions (abs(IIF(ChangedAt > %lld, -9223372036854775807 - 1, 0)))",
             (long long)time(NULL) * 1000 + 999);
    usleep(1000000);
    run_sql(store, sql);
}

/* Scope 1 is in both files, then changed on both; scope 2 is in no file. */
static void make_history(void)
{
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(two, 1, "file");
    assert_int_equal(fake_server_start(one, PARAMETERS), RESULT_OK);
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    pair_await_quiet();
    fake_server_command_put(one, 1, "newer");
    fake_server_command_put(one, 2, "in no file");
    assert_true(fake_server_await(two, 1, "newer", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "in no file", PAIR_SOON));
    pair_await_quiet();
}

static void scribble(const char *path, off_t from)
{
    unsigned char noise[65536];
    int file = open(path, O_WRONLY);
    off_t size = lseek(file, 0, SEEK_END);

    assert_true(file >= 0);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)(i * 2654435761u >> 13);
    for (off_t at = from; at < size; at += (off_t)sizeof noise)
        assert_true(pwrite(file, noise, sizeof noise, at) > 0);
    close(file);
}

static void drop_log(const char *store)
{
    char path[300];

    snprintf(path, sizeof path, "%s-wal", store);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s-shm", store);
    (void)unlink(path);
}

static int count_set_aside(void)
{
    char command[200], line[32] = "";
    FILE *output;

    snprintf(command, sizeof command, "ls '%s' | grep -c 'damaged-.*Z$'", pair_folder);
    output = popen(command, "r");
    assert_non_null(output);
    assert_non_null(fgets(line, sizeof line, output));
    (void)pclose(output);
    return atoi(line);
}

static void test_a_store_that_is_locked_at_the_start_is_taken_up_later(void **state)
{
    sqlite3 *other = NULL;

    (void)state;
    make_history();
    fake_server_stop(two);
    assert_int_equal(sqlite3_open(fake_server_store(two), &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(other, "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; CREATE TABLE x (y)", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    assert_true(fake_server_await(two, 1, "file", PAIR_SOON)); /* it serves */
    await_status_text(two, "unavailable");
    fake_server_command_put(one, 3, "meanwhile");
    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(other);
    await_status_text(two, "\"current\"");
    assert_true(fake_server_await(two, 1, "newer", PAIR_SOON)); /* from its own store */
    assert_true(fake_server_await(two, 2, "in no file", PAIR_SOON));
    assert_true(fake_server_await(two, 3, "meanwhile", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_damaged_store_is_set_aside_and_filled_again(void **state)
{
    (void)state;
    make_history();
    fake_server_stop(two);
    drop_log(fake_server_store(two));
    scribble(fake_server_store(two), 0);
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    assert_true(fake_server_await(two, 1, "newer", PAIR_SOON)); /* from the partner */
    assert_true(fake_server_await(two, 2, "in no file", PAIR_SOON));
    pair_await_quiet();
    await_status_text(two, "\"current\"");
    assert_int_equal(count_set_aside(), 1);
    assert_true(fake_server_await(one, 1, "newer", 0));
}

static void test_a_store_whose_pages_are_damaged_is_set_aside_and_filled_again(void **state)
{
    (void)state;
    make_history();
    fake_server_stop(two);
    drop_log(fake_server_store(two));
    scribble(fake_server_store(two), 8192); /* all but the first page */
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    assert_true(fake_server_await(two, 1, "newer", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "in no file", PAIR_SOON));
    pair_await_quiet();
    await_status_text(two, "\"current\"");
    assert_int_equal(count_set_aside(), 1);
}

static void test_a_store_that_is_deleted_while_the_server_runs_is_made_anew(void **state)
{
    (void)state;
    make_history();
    drop_log(fake_server_store(one));
    assert_int_equal(unlink(fake_server_store(one)), 0);
    for (int tries = 0; tries < PAIR_SOON / 10 && access(fake_server_store(one), F_OK) != 0; tries++)
        usleep(10000);
    assert_int_equal(access(fake_server_store(one), F_OK), 0);
    pair_await_quiet();
    fake_server_command_put(one, 4, "afterwards");
    assert_true(fake_server_await(two, 4, "afterwards", PAIR_SOON));
    pair_await_quiet();
    /* What is not in the file outlives the next restart, as before. */
    fake_server_stop(one);
    assert_int_equal(fake_server_start(one, PARAMETERS), RESULT_OK);
    assert_true(fake_server_await(one, 1, "newer", PAIR_SOON));
    assert_true(fake_server_await(one, 2, "in no file", PAIR_SOON));
    assert_true(fake_server_await(two, 1, "newer", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_store_that_is_overwritten_while_the_server_runs_is_set_aside_at_once(void **state)
{
    (void)state;
    make_history();
    scribble(fake_server_store(one), 0);
    for (int tries = 0; tries < PAIR_SOON / 10 && count_set_aside() == 0; tries++)
        usleep(10000);
    assert_int_equal(count_set_aside(), 1);
    await_status_text(one, "\"current\"");
    pair_await_quiet();
    fake_server_stop(one);
    assert_int_equal(fake_server_start(one, PARAMETERS), RESULT_OK);
    assert_true(fake_server_await(one, 1, "newer", PAIR_SOON));
    assert_true(fake_server_await(one, 2, "in no file", PAIR_SOON));
    pair_await_quiet();
}

static void await_row(const char *path, const char *query)
{
    bool found = false;

    for (int tries = 0; tries < PAIR_SOON / 10 && !found; tries++) {
        sqlite3 *database = NULL;
        sqlite3_stmt *statement = NULL;

        if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
            sqlite3_prepare_v2(database, query, -1, &statement, NULL) == SQLITE_OK)
            found = sqlite3_step(statement) == SQLITE_ROW;
        (void)sqlite3_finalize(statement);
        (void)sqlite3_close(database);
        if (!found)
            usleep(10000);
    }
    assert_true(found);
}

/* Until the store is there and has the scope again. */
static void await_filled(const char *path)
{
    await_row(path, "SELECT 1 FROM ADM_DHCPScopesTable JOIN ADM_DHCPServersTable AS server "
                    "ON server.RecordId = DHCPServerRecordId WHERE IsLocal = 1");
}

static void test_a_store_that_is_made_anew_knows_what_config_set_said_last(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "in the file");
    fake_server_file_put(two, 1, "in the file");
    assert_int_equal(fake_server_start(one, PARAMETERS), RESULT_OK);
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    pair_await_quiet();
    fake_server_file_put(one, 1, "set");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(fake_server_await(two, 1, "set", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(two, 1, "the partner's");
    assert_true(fake_server_await(one, 1, "the partner's", PAIR_SOON));
    pair_await_quiet();
    drop_log(fake_server_store(one));
    assert_int_equal(unlink(fake_server_store(one)), 0);
    await_filled(fake_server_store(one));
    pair_await_quiet();
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(fake_server_await(one, 1, "the partner's", 0));
    pair_await_quiet();
    assert_true(fake_server_await(two, 1, "the partner's", 0));
}

static void test_a_store_that_is_made_anew_knows_what_was_removed_though_the_file_has_it(void **state)
{
    (void)state;
    make_history();
    fake_server_command_put(two, 1, NULL);
    assert_true(fake_server_await(one, 1, "", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(one);
    assert_int_equal(fake_server_start(one, PARAMETERS), RESULT_OK);
    pair_await_quiet();
    drop_log(fake_server_store(one));
    assert_int_equal(unlink(fake_server_store(one)), 0);
    await_filled(fake_server_store(one));
    pair_await_quiet();
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    pair_await_quiet();
    assert_true(fake_server_await(one, 1, "", 0));
    assert_true(fake_server_await(two, 1, "", 0));
    /* Another text in the file is an edit, though. */
    fake_server_file_put(one, 1, "again");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 1, "again", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_store_that_is_emptied_while_nothing_happens_is_made_anew(void **state)
{
    (void)state;
    make_history();
    assert_int_equal(truncate(fake_server_store(one), 0), 0);
    await_filled(fake_server_store(one));
    pair_await_quiet();
    fake_server_command_put(one, 4, "afterwards");
    assert_true(fake_server_await(two, 4, "afterwards", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_removal_that_was_not_recorded_when_the_store_went_is_known(void **state)
{
    sqlite3 *other = NULL;

    (void)state;
    make_history();
    assert_int_equal(sqlite3_open(fake_server_store(one), &other), SQLITE_OK);
    sqlite3_busy_timeout(other, PAIR_SOON);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    fake_server_command_put(two, 1, NULL);
    assert_true(fake_server_await(one, 1, "", PAIR_SOON));
    drop_log(fake_server_store(one));
    assert_int_equal(unlink(fake_server_store(one)), 0);
    await_filled(fake_server_store(one));
    sqlite3_close(other);
    pair_await_quiet();
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    pair_await_quiet();
    assert_true(fake_server_await(one, 1, "", 0));
    assert_true(fake_server_await(two, 1, "", 0));
}

/* Server two starts without its store, and is given a configuration by config-set, in which scope 1 says `word` (or is
 * not, NULL), before the store is there again: what the file delivered is not known to it. */
static void come_back_after_config_set(const char *word)
{
    sqlite3 *other = NULL;

    fake_server_stop(two);
    drop_log(fake_server_store(two));
    assert_int_equal(unlink(fake_server_store(two)), 0);
    assert_int_equal(sqlite3_open(fake_server_store(two), &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(other, "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; CREATE TABLE x (y)", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    await_status_text(two, "unavailable");
    fake_server_file_put(two, 1, word);
    assert_int_equal(fake_server_reload(two, false), RESULT_OK);
    fake_server_file_put(two, 1, "file");
    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(other);
    await_status_text(two, "\"current\"");
    pair_await_quiet();
}

static void assert_file_is_in_history(struct fake_server *server)
{
    char *history = fake_server_command(server, "scope-history", "{\"subnet-id\": 1}");

    assert_non_null(history);
    assert_non_null(strstr(history, "not the file's"));
    free(history);
}

/* Nobody knows whether the file was edited since: it is not taken for an edit, but its words are to be had. */
static void test_a_removal_outlives_a_file_that_the_store_has_not_seen(void **state)
{
    (void)state;
    make_history();
    come_back_after_config_set("file");
    fake_server_command_put(one, 1, NULL);
    assert_true(fake_server_await(two, 1, "", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    pair_await_quiet();
    assert_true(fake_server_await(two, 1, "", 0));
    assert_true(fake_server_await(one, 1, "", 0));
    assert_file_is_in_history(two);
    /* Another text in the file is an edit from now on. */
    fake_server_file_put(two, 1, "again");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    assert_true(fake_server_await(one, 1, "again", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_removal_that_was_in_the_lost_store_outlives_a_file_that_the_new_one_has_not_seen(void **state)
{
    (void)state;
    make_history();
    fake_server_command_put(one, 1, NULL);
    assert_true(fake_server_await(two, 1, "", PAIR_SOON));
    pair_await_quiet();
    come_back_after_config_set(NULL);
    await_row(fake_server_store(two), "SELECT 1 FROM ObjectTombstones WHERE ObjectId = 1");
    assert_true(fake_server_await(two, 1, "", 0));
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    pair_await_quiet();
    assert_true(fake_server_await(two, 1, "", 0));
    assert_true(fake_server_await(one, 1, "", 0));
    assert_file_is_in_history(two);
    /* It is known from now on. */
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    pair_await_quiet();
    assert_true(fake_server_await(one, 1, "", 0));
}

static void test_a_restart_is_no_edit_though_the_store_has_not_seen_the_file(void **state)
{
    (void)state;
    make_history();
    come_back_after_config_set("newer");
    fake_server_stop(two);
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    assert_true(fake_server_await(two, 1, "newer", 0));
    pair_await_quiet();
    assert_true(fake_server_await(one, 1, "newer", 0));
    assert_file_is_in_history(two);
    /* Loaded again on purpose, the file reverts what was changed at run time here; nothing was. */
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    pair_await_quiet();
    fake_server_file_put(two, 1, "again");
    fake_server_stop(two);
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    assert_true(fake_server_await(one, 1, "again", PAIR_SOON));
    pair_await_quiet();
}

/* The one that is lost has not seen the file, and so has not the one that follows it. */
static void test_a_restart_is_no_edit_though_two_stores_in_turn_have_not_seen_the_file(void **state)
{
    (void)state;
    make_history();
    come_back_after_config_set("newer");
    drop_log(fake_server_store(two));
    assert_int_equal(unlink(fake_server_store(two)), 0);
    await_filled(fake_server_store(two));
    pair_await_quiet();
    fake_server_stop(two);
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    assert_true(fake_server_await(two, 1, "newer", 0));
    pair_await_quiet();
    assert_true(fake_server_await(one, 1, "newer", 0));
    assert_file_is_in_history(two);
}

/* The one that lost its store first has learnt of the removal from the other before that loses its own, too, although
 * the two agreed on every scope that there is. */
static void test_a_removal_outlives_the_loss_of_one_store_after_the_other(void **state)
{
    (void)state;
    make_history();
    fake_server_command_put(one, 1, NULL);
    fake_server_command_put(one, 2, NULL);
    assert_true(fake_server_await(two, 1, "", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(one);
    drop_log(fake_server_store(one));
    assert_int_equal(unlink(fake_server_store(one)), 0);
    fake_server_file_put(one, 1, NULL);
    assert_int_equal(fake_server_start(one, PARAMETERS), RESULT_OK);
    await_row(fake_server_store(one), "SELECT 1 FROM ObjectVersions WHERE ObjectId = 1 AND Removed = 1");
    pair_await_quiet();
    come_back_after_config_set(NULL);
    await_row(fake_server_store(two), "SELECT 1 FROM ObjectTombstones WHERE ObjectId = 1");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    pair_await_quiet();
    assert_true(fake_server_await(two, 1, "", 0));
    assert_true(fake_server_await(one, 1, "", 0));
    assert_file_is_in_history(two);
}

/* What the last load delivered is known to the server, though the lost store had not got to know it. */
static void test_a_restart_is_no_edit_though_its_load_was_recorded_in_no_store(void **state)
{
    (void)state;
    make_history();
    fake_server_stop(two);
    fake_server_file_put(two, 1, "edited");
    fake_server_file_put(two, 5, "added");
    fill_disk(fake_server_store(two));
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    assert_true(fake_server_await(two, 1, "edited", PAIR_SOON));
    await_status_text(two, "integer overflow");
    drop_log(fake_server_store(two));
    assert_int_equal(unlink(fake_server_store(two)), 0);
    await_filled(fake_server_store(two));
    assert_true(fake_server_await(one, 1, "edited", PAIR_SOON));
    assert_true(fake_server_await(one, 5, "added", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(one, 1, "again");
    fake_server_command_put(one, 5, "changed");
    assert_true(fake_server_await(two, 1, "again", PAIR_SOON));
    assert_true(fake_server_await(two, 5, "changed", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    pair_await_quiet();
    assert_true(fake_server_await(two, 1, "again", 0));
    assert_true(fake_server_await(one, 1, "again", 0));
    assert_true(fake_server_await(two, 5, "changed", 0));
    assert_true(fake_server_await(one, 5, "changed", 0));
}

/* The file is loaded, and then another configuration, while nothing can be recorded: the library that then can record
 * has not seen the file. */
static void load_without_record(const char *first, const char *second)
{
    fill_disk(fake_server_store(two));
    fake_server_file_put(two, 1, first);
    fake_server_file_put(two, 2, second);
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    await_status_text(two, "integer overflow");
    assert_int_equal(fake_server_reload(two, false), RESULT_OK);
    await_status_text(two, "integer overflow");
    run_sql(fake_server_store(two), "DROP INDEX full");
    assert_true(fake_server_await(one, 1, first == NULL ? "" : first, PAIR_SOON));
    assert_true(fake_server_await(one, 2, second, PAIR_SOON));
    pair_await_quiet();
}

static void test_a_restart_is_no_edit_though_a_load_of_the_file_was_not_recorded(void **state)
{
    (void)state;
    make_history();
    load_without_record("edited", "added");
    fake_server_command_put(one, 1, "again");
    fake_server_command_put(one, 2, "changed");
    assert_true(fake_server_await(two, 1, "again", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "changed", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    pair_await_quiet();
    assert_both_run(1, "again");
    assert_both_run(2, "changed");
    assert_file_is_in_history(two);
    /* Another text in the file is an edit from now on. */
    fake_server_file_put(two, 1, "at last");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    assert_true(fake_server_await(one, 1, "at last", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_restart_is_no_removal_though_a_load_of_the_file_was_not_recorded(void **state)
{
    (void)state;
    make_history();
    load_without_record(NULL, "added");
    fake_server_command_put(one, 1, "again");
    assert_true(fake_server_await(two, 1, "again", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(two);
    assert_int_equal(fake_server_start(two, PARAMETERS), RESULT_OK);
    pair_await_quiet();
    assert_both_run(1, "again");
}

static void test_a_file_that_is_no_store_is_left_alone(void **state)
{
    char command[300];
    FILE *file = fopen(fake_server_store(one), "w");

    (void)state;
    assert_non_null(file);
    fputs("somebody's diary", file);
    fclose(file);
    snprintf(command, sizeof command, "chmod 644 '%s'", fake_server_store(one));
    assert_int_equal(system(command), 0);
    assert_int_equal(fake_server_start(one, PARAMETERS), RESULT_OK);
    await_status_text(one, "name another file");
    snprintf(command, sizeof command, "grep -q diary '%s'", fake_server_store(one));
    assert_int_equal(system(command), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_store_that_is_locked_at_the_start_is_taken_up_later),
        TEST(test_a_damaged_store_is_set_aside_and_filled_again),
        TEST(test_a_store_whose_pages_are_damaged_is_set_aside_and_filled_again),
        TEST(test_a_store_that_is_deleted_while_the_server_runs_is_made_anew),
        TEST(test_a_store_that_is_overwritten_while_the_server_runs_is_set_aside_at_once),
        TEST(test_a_store_that_is_made_anew_knows_what_config_set_said_last),
        TEST(test_a_store_that_is_made_anew_knows_what_was_removed_though_the_file_has_it),
        TEST(test_a_store_that_is_emptied_while_nothing_happens_is_made_anew),
        TEST(test_a_removal_that_was_not_recorded_when_the_store_went_is_known),
        TEST(test_a_removal_outlives_a_file_that_the_store_has_not_seen),
        TEST(test_a_removal_that_was_in_the_lost_store_outlives_a_file_that_the_new_one_has_not_seen),
        TEST(test_a_removal_outlives_the_loss_of_one_store_after_the_other),
        TEST(test_a_restart_is_no_edit_though_the_store_has_not_seen_the_file),
        TEST(test_a_restart_is_no_edit_though_its_load_was_recorded_in_no_store),
        TEST(test_a_restart_is_no_edit_though_two_stores_in_turn_have_not_seen_the_file),
        TEST(test_a_restart_is_no_edit_though_a_load_of_the_file_was_not_recorded),
        TEST(test_a_restart_is_no_removal_though_a_load_of_the_file_was_not_recorded),
        TEST(test_a_file_that_is_no_store_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
