/* The list of relationships is read anew while something waits that came in by one of them: what waits goes by the
 * partner, not by the number that its relationship had. */
#include "locked_fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PARAMETERS "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}"

static json_t *ask(const char *name, const char *arguments, bool elsewhere)
{
    char *text =
        elsewhere ? fake_server_command_elsewhere(one, name, arguments) : fake_server_command(one, name, arguments);
    json_t *answer = text == NULL ? NULL : json_loads(text, 0, NULL);

    assert_non_null(answer);
    if (json_integer_value(json_object_get(answer, "result")) != 0)
        fail_msg("%s: %s", name, text);
    free(text);
    return answer;
}

static void add_relationship(const char *name, const char *partner)
{
    char arguments[300];

    snprintf(arguments, sizeof arguments,
             "{\"relationship-name\": \"%s\", \"mode\": \"HotStandby\", \"server1-name\": \"server1\", "
             "\"server2-name\": \"%s\", \"control-url\": \"http://127.0.0.1:1/\", \"subnet-ids\": [1]}",
             name, partner);
    json_decref(ask("failover-add", arguments, false));
}

/* A batch of one scope, from a thread of a listener while the main thread is busy; the ticket is the caller's. */
static char *send_batch(const char *sender, unsigned subnet_id, const char *words)
{
    char arguments[600];
    json_t *answer;
    char *ticket;

    snprintf(arguments, sizeof arguments,
             "{\"sender\": \"%s\", \"receiver\": \"server1\", \"scopes\": [{\"subnet-id\": %u, \"prefix\": "
             "\"10.0.%u.0/24\", \"base\": \"\", \"fingerprint\": \"00000000000000000000000000000001\", \"definition\": "
             "\"{\\\"subnet4\\\": {\\\"user-context\\\": {\\\"words\\\": \\\"%s\\\"}}}\"}]}",
             sender, subnet_id, subnet_id, words);
    answer = ask("scope-receive", arguments, true);
    ticket = strdup(json_string_value(json_object_get(json_object_get(answer, "arguments"), "ticket")));
    json_decref(answer);
    return ticket;
}

static void start_with_branches(void)
{
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(two, 1, "file");
    start_both(PARAMETERS);
    pair_await_quiet();
    add_relationship("three", "server3");
    add_relationship("four", "server4");
    await_status_text(one, "\"server4\"");
}

/* Runs a shell command in which $s is the store. */
static void run(const char *text)
{
    char command[700];

    snprintf(command, sizeof command, "s='%s'; %s", fake_server_store(one), text);
    assert_int_equal(system(command), 0);
}

static void copy_store(void)
{
    sqlite3 *database = NULL;
    char sql[400];

    snprintf(sql, sizeof sql, "VACUUM INTO '%s.copy'", fake_server_store(one));
    assert_int_equal(sqlite3_open(fake_server_store(one), &database), SQLITE_OK);
    sqlite3_busy_timeout(database, PAIR_SOON);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

/* The worker notices within a second, and has the main thread take the store up. */
#define NOTICED_US 2500000

static void test_a_batch_of_a_relationship_that_went_with_the_store_is_dropped(void **state)
{
    char *ticket;

    (void)state;
    start_with_branches();
    fake_server_hold(one);
    run("rm -f $s $s-wal $s-shm");
    usleep(NOTICED_US);
    ticket = send_batch("server4", 9, "nine");
    fake_server_release(one);
    await_status_text(one, "\"current\"");
    assert_false(status_has(one, "\"server4\""));
    /* It is alive, and takes what its other partner sends. */
    fake_server_command_put(two, 1, "newer");
    assert_true(fake_server_await(one, 1, "newer", PAIR_SOON));
    assert_runs(one, 9, "");
    free(ticket);
}

static void await_recorded(const char *sender, const char *ticket)
{
    char arguments[200];
    bool recorded = false;

    snprintf(arguments, sizeof arguments, "{\"sender\": \"%s\", \"receiver\": \"server1\", \"ticket\": \"%s\"}", sender,
             ticket);
    for (int tries = 0; tries < PAIR_SOON / 10 && !recorded; tries++) {
        char *text = fake_server_command(one, "scope-receive", arguments);

        recorded = strstr(text, "\"recorded\"") != NULL;
        free(text);
        usleep(10000);
    }
    assert_true(recorded);
}

/* The store is replaced by a copy of itself; the relationship before the last is deleted, and the last has its number
 * when they are read anew. */
static void test_a_batch_of_a_relationship_that_has_another_number_is_its_partners_all_the_same(void **state)
{
    char *ticket;

    (void)state;
    start_with_branches();
    json_decref(ask("failover-del", "{\"record-id\": 2}", false));
    fake_server_hold(one);
    copy_store();
    run("rm -f $s-wal $s-shm; mv $s.copy $s");
    usleep(NOTICED_US);
    ticket = send_batch("server4", 9, "nine");
    fake_server_release(one);
    assert_true(fake_server_await(one, 9, "nine", PAIR_SOON));
    await_recorded("server4", ticket);
    free(ticket);
    /* The way is free for the next one, and for those of others. */
    ticket = send_batch("server4", 9, "again");
    assert_true(fake_server_await(one, 9, "again", PAIR_SOON));
    await_recorded("server4", ticket);
    free(ticket);
    fake_server_command_put(two, 1, "newer");
    assert_true(fake_server_await(one, 1, "newer", PAIR_SOON));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_batch_of_a_relationship_that_went_with_the_store_is_dropped),
        TEST(test_a_batch_of_a_relationship_that_has_another_number_is_its_partners_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
