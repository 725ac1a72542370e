/* What becomes of a scope that both servers have changed. Two libraries, without Kea. */
#include "pair_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_the_primary_wins_when_both_changed(void **state)
{
    (void)state;
    start_both("{\"retry\": {\"min-ms\": 50, \"max-ms\": 200}}");
    fake_server_command_put(one, 1, "old");
    assert_true(fake_server_await(two, 1, "old", PAIR_SOON));
    pair_await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "primary's");
    fake_server_command_put(two, 1, "secondary's");
    assert_true(fake_server_await_status(one, "queued", 1, PAIR_SOON));
    assert_true(fake_server_await_status(two, "queued", 1, PAIR_SOON));
    fake_server_set_reachable(one, true); /* the secondary's version arrives first */
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await(two, 1, "primary's", PAIR_SOON));
    pair_await_quiet();
    assert_runs(one, 1, "primary's");
}

static void test_hold_keeps_both_versions(void **state)
{
    (void)state;
    start_both("{\"conflict\": \"hold\", \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}");
    fake_server_command_put(one, 1, "old");
    assert_true(fake_server_await(two, 1, "old", PAIR_SOON));
    pair_await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "primary's");
    fake_server_command_put(two, 1, "secondary's");
    assert_true(fake_server_await_status(two, "queued", 1, PAIR_SOON));
    fake_server_set_reachable(one, true);
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await_status(one, "out-of-sync", 1, PAIR_SOON));
    fake_server_command_put(one, 2, "another");
    assert_true(fake_server_await(two, 2, "another", PAIR_SOON));
    assert_true(fake_server_await_status(one, "out-of-sync", 1, PAIR_SOON));
    assert_true(fake_server_await_status(two, "out-of-sync", 1, PAIR_SOON));
    assert_runs(one, 1, "primary's");
    assert_runs(two, 1, "secondary's");
    /* The way out that the README gives. */
    fake_server_command_put(two, 1, "primary's");
    assert_true(fake_server_await_status(one, "in-sync", 2, PAIR_SOON));
    pair_await_quiet();
}

static void assert_command(struct fake_server *server, const char *name, const char *arguments)
{
    char *answer = fake_server_command(server, name, arguments);

    if (strstr(answer, "\"result\":0") == NULL)
        fail_msg("%s", answer);
    free(answer);
}

static void assert_in_history(struct fake_server *server, const char *words)
{
    char *answer = fake_server_command(server, "scope-history", "{}");

    if (strstr(answer, words) == NULL)
        fail_msg("\"%s\" is not in %s", words, answer);
    free(answer);
}

/* Scope 1 was changed on both, and both know. */
static void make_held_conflict(const char *ones, const char *twos)
{
    start_both("{\"conflict\": \"hold\", \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}");
    fake_server_command_put(one, 1, "old");
    assert_true(fake_server_await(two, 1, "old", PAIR_SOON));
    pair_await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, ones);
    fake_server_command_put(two, 1, twos);
    assert_true(fake_server_await_status(one, "queued", 1, PAIR_SOON));
    assert_true(fake_server_await_status(two, "queued", 1, PAIR_SOON));
    fake_server_set_reachable(one, true);
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await_status(one, "held", 1, PAIR_SOON));
    assert_true(fake_server_await_status(two, "held", 1, PAIR_SOON));
}

static void test_an_administrator_decides_a_held_conflict_on_either_server(void **state)
{
    (void)state;
    make_held_conflict("primary's", "secondary's");
    assert_command(two, "scope-replicate", "{\"subnet-ids\": [1]}"); /* without force it stays */
    assert_true(fake_server_await_status(two, "held", 1, PAIR_SOON));
    assert_runs(one, 1, "primary's");
    assert_command(two, "scope-replicate", "{\"subnet-ids\": [1], \"force\": true}");
    assert_true(fake_server_await(one, 1, "secondary's", PAIR_SOON));
    pair_await_quiet();
    assert_runs(two, 1, "secondary's");
    assert_in_history(one, "primary's");
}

static void test_an_administrator_decides_a_held_conflict_with_a_removal(void **state)
{
    (void)state;
    make_held_conflict("primary's", NULL);
    assert_runs(one, 1, "primary's");
    assert_command(one, "scope-replicate", "{\"subnet-ids\": [1], \"force\": true}");
    assert_true(fake_server_await(two, 1, "primary's", PAIR_SOON));
    pair_await_quiet();
}

static void test_an_administrator_decides_for_a_removal(void **state)
{
    (void)state;
    make_held_conflict("primary's", NULL);
    assert_command(two, "failover-replicate", "{\"record-id\": 1, \"force\": true}");
    assert_true(fake_server_await(one, 1, "", PAIR_SOON));
    pair_await_quiet();
    assert_in_history(one, "primary's");
}

/* The partner of a server says that it has another text of the version that the server has of scope 1. */
static void send_other_text(struct fake_server *server, const char *names)
{
    char *version = pair_version_of_first(server);
    char arguments[1200];

    snprintf(arguments, sizeof arguments,
             "{%s, \"scopes\": [{\"subnet-id\": 1, \"prefix\": \"10.0.1.0/24\", \"base\": \"\", "
             "\"fingerprint\": \"00112233445566778899aabbccddeeff\", \"version\": \"%s\", \"definition\": "
             "\"{\\\"subnet4\\\":{\\\"id\\\":1,\\\"subnet\\\":\\\"10.0.1.0/24\\\",\\\"user-context\\\":"
             "{\\\"words\\\":\\\"the other text\\\"}}}\"}]}",
             names, version);
    free(version);
    assert_command(server, "scope-receive", arguments);
}

/* Else each server would take the other's, and so on for ever. */
static void test_two_texts_of_one_version_are_a_conflict(void **state)
{
    static const char to_primary[] = "\"sender\": \"server2\", \"receiver\": \"server1\"";
    static const char to_secondary[] = "\"sender\": \"server1\", \"receiver\": \"server2\"";
    char *before, *after;

    (void)state;
    start_both("{\"retry\": {\"min-ms\": 50, \"max-ms\": 200}}");
    fake_server_command_put(one, 1, "the text");
    assert_true(fake_server_await(two, 1, "the text", PAIR_SOON));
    pair_await_quiet();

    before = pair_version_of_first(one);
    send_other_text(one, to_primary);
    assert_true(fake_server_await_status(two, "scopes-received", 2, PAIR_SOON));
    pair_await_quiet();
    assert_runs(one, 1, "the text");
    assert_in_history(one, "the other text");
    after = pair_version_of_first(one);
    assert_string_not_equal(before, after);
    free(before);
    free(after);

    send_other_text(two, to_secondary);
    assert_true(fake_server_await(two, 1, "the other text", PAIR_SOON));
    assert_in_history(two, "the text");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)
    const struct CMUnitTest tests[] = {
        TEST(test_the_primary_wins_when_both_changed),
        TEST(test_hold_keeps_both_versions),
        TEST(test_an_administrator_decides_a_held_conflict_on_either_server),
        TEST(test_an_administrator_decides_a_held_conflict_with_a_removal),
        TEST(test_an_administrator_decides_for_a_removal),
        TEST(test_two_texts_of_one_version_are_a_conflict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
