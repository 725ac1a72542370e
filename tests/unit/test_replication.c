/* Two libraries replicate to each other, over HTTP on loopback and with a real store each, without Kea. */
#include "pair_fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_a_scope_in_the_file_reaches_the_partner(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "from the file");
    start_both(NULL);
    assert_true(fake_server_await(two, 1, "from the file", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_status(one, "in-sync"), 1);
    assert_int_equal(fake_server_status(two, "in-sync"), 1);
}

static void test_nothing_is_pushed_back(void **state)
{
    (void)state;
    start_both(NULL);
    fake_server_command_put(one, 1, "a");
    assert_true(fake_server_await(two, 1, "a", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_status(one, "scopes-sent"), 1);
    assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
    fake_server_command_put(two, 1, "b");
    assert_true(fake_server_await(one, 1, "b", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_status(one, "scopes-sent"), 1);
    assert_int_equal(fake_server_status(two, "scopes-sent"), 1);
}

static void test_one_change_among_many_moves_one(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 1000; i++) {
        fake_server_file_put(one, i, "same");
        fake_server_file_put(two, i, "same");
    }
    start_both(NULL);
    assert_true(fake_server_await_status(one, "in-sync", 1000, PAIR_SOON));
    assert_true(fake_server_await_status(two, "in-sync", 1000, PAIR_SOON));
    pair_await_quiet();
    long long sent = fake_server_status(one, "scopes-sent");

    fake_server_file_put(one, 500, "changed");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 500, "changed", PAIR_SOON));
    pair_await_quiet();
    /* The counter starts with the library, which a reload loads anew. */
    assert_int_equal(fake_server_status(one, "scopes-sent"), 1);
    assert_true(sent >= 1);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await_status(one, "in-sync", 1000, PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_status(one, "scopes-sent"), 0);
}

static void test_a_removal_travels(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a");
    fake_server_file_put(one, 2, "b");
    start_both(NULL);
    assert_true(fake_server_await(two, 2, "b", PAIR_SOON));
    pair_await_quiet();
    fake_server_file_put(one, 1, NULL);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 1, "", PAIR_SOON));
    pair_await_quiet();
    assert_runs(two, 2, "b");
}

static void test_many_removals_at_once_wait_for_an_administrator(void **state)
{
    char *answer;

    (void)state;
    for (uint32_t i = 1; i <= 8; i++)
        fake_server_file_put(one, i, "x");
    start_both(NULL);
    assert_true(fake_server_await(two, 8, "x", PAIR_SOON));
    pair_await_quiet();
    for (uint32_t i = 1; i <= 3; i++) /* of 8: more than a quarter */
        fake_server_file_put(one, i, NULL);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await_status(one, "held", 3, PAIR_SOON));
    fake_server_file_put(one, 9, "another change goes ahead");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 9, "another change goes ahead", PAIR_SOON));
    assert_runs(two, 1, "x");
    answer = fake_server_command(one, "failover-replicate", "{\"record-id\": 1, \"force\": true}");
    assert_non_null(answer);
    free(answer);
    assert_true(fake_server_await(two, 1, "", PAIR_SOON));
    assert_true(fake_server_await(two, 3, "", PAIR_SOON));
    pair_await_quiet();
}

static void test_few_removals_at_once_travel(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 8; i++)
        fake_server_file_put(one, i, "x");
    start_both(NULL);
    assert_true(fake_server_await(two, 8, "x", PAIR_SOON));
    pair_await_quiet();
    fake_server_file_put(one, 1, NULL);
    fake_server_file_put(one, 2, NULL); /* of 8: a quarter and no more */
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 2, "", PAIR_SOON));
    pair_await_quiet();
}

static void test_what_comes_from_the_partner_is_written_to_the_file(void **state)
{
    (void)state;
    start_both("{\"persist\": \"config-write\"}");
    fake_server_command_put(one, 1, "received");
    assert_true(fake_server_await(two, 1, "received", PAIR_SOON));
    for (int tries = 0; tries < 500 && fake_server_writes(two) == 0; tries++)
        usleep(10000);
    assert_int_equal(fake_server_writes(two), 1);
    usleep(1500000); /* nothing more has come: nothing is written */
    assert_int_equal(fake_server_writes(two), 1);
    assert_int_equal(fake_server_writes(one), 0);
}

static void test_removals_stay_at_home_when_deletes_is_false(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a");
    start_both("{\"deletes\": false}");
    assert_true(fake_server_await(two, 1, "a", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(one, 1, NULL);
    fake_server_command_put(one, 2, "later");
    assert_true(fake_server_await(two, 2, "later", PAIR_SOON));
    pair_await_quiet();
    assert_runs(two, 1, "a");
}

static void test_what_changed_while_the_partner_was_away_arrives(void **state)
{
    (void)state;
    start_both(NULL);
    fake_server_command_put(one, 1, "before");
    assert_true(fake_server_await(two, 1, "before", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(two);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "meanwhile");
    fake_server_command_put(one, 2, "new");
    assert_true(fake_server_await_status(one, "queued", 2, PAIR_SOON));
    assert_int_equal(fake_server_status(one, "out-of-sync"), 2);
    fake_server_stop(one); /* the queue outlives the sender too */
    assert_int_equal(fake_server_start(one, NULL), RESULT_OK);
    assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await(two, 1, "meanwhile", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "new", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_refused_scope_does_not_keep_the_others(void **state)
{
    (void)state;
    start_both(NULL);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "fine");
    fake_server_command_put(one, 2, "refuse this");
    fake_server_command_put(one, 3, "fine too");
    assert_true(fake_server_await_status(one, "queued", 3, PAIR_SOON));
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await(two, 1, "fine", PAIR_SOON));
    assert_true(fake_server_await(two, 3, "fine too", PAIR_SOON));
    assert_true(fake_server_await_status(one, "out-of-sync", 1, PAIR_SOON));
    char *answer = fake_server_command(one, "scope-get", "{\"subnet-id\": 2}");

    assert_non_null(strstr(answer, "\"OutOfSync\""));
    assert_non_null(strstr(answer, "the fake server refuses this scope"));
    free(answer);
    fake_server_command_put(one, 2, "mended");
    assert_true(fake_server_await(two, 2, "mended", PAIR_SOON));
    pair_await_quiet();
}

static void test_manual_replication_waits_for_the_command(void **state)
{
    (void)state;
    start_both("{\"replicate\": \"manual\"}");
    fake_server_command_put(one, 1, "a");
    assert_true(fake_server_await_status(one, "out-of-sync", 1, PAIR_SOON));
    assert_int_equal(fake_server_status(one, "queued"), 0);
    assert_int_equal(fake_server_status(one, "pushes"), 0);
    char *answer = fake_server_command(one, "scope-replicate", "{\"subnet-ids\": [1]}");

    assert_non_null(strstr(answer, "\"result\":0"));
    free(answer);
    assert_true(fake_server_await(two, 1, "a", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_scope_that_leaves_before_it_was_sent_leaves_no_trace(void **state)
{
    (void)state;
    start_both(NULL);
    for (int i = 0; i < 50; i++) {
        fake_server_command_put(one, 1, "here");
        if (i % 2 == 0)
            usleep((useconds_t)i * 200);
        fake_server_command_put(one, 1, NULL);
    }
    fake_server_command_put(one, 2, "the last change");
    assert_true(fake_server_await(two, 2, "the last change", PAIR_SOON));
    pair_await_quiet();
    assert_runs(two, 1, "");
}

static void test_changes_on_both_sides_at_once_end_in_agreement(void **state)
{
    (void)state;
    start_both("{\"retry\": {\"min-ms\": 10, \"max-ms\": 100}}");
    for (int i = 0; i < 300; i++) {
        char words[32];

        snprintf(words, sizeof words, "change %d", i);
        fake_server_command_put(i % 3 == 0 ? two : one, (uint32_t)(1 + i % 7), i % 11 == 10 ? NULL : words);
    }
    fake_server_command_put(one, 8, "one's last");
    fake_server_command_put(two, 9, "two's last");
    assert_true(fake_server_await(two, 8, "one's last", PAIR_SOON));
    assert_true(fake_server_await(one, 9, "two's last", PAIR_SOON));
    pair_await_quiet();
    for (uint32_t id = 1; id <= 7; id++) {
        char *first = fake_server_words(one, id), *second = fake_server_words(two, id);

        assert_string_equal(first, second);
        free(first);
        free(second);
    }
}

/* Whether a member of what `server` says of the relationship, or else of the scope with id 5, is `text`. */
static bool says(struct fake_server *server, const char *command, const char *member, const char *text)
{
    char *answer = fake_server_command(server, command, command[0] == 's' ? "{\"subnet-id\": 5}" : NULL);
    json_t *root = json_loads(answer, 0, NULL), *arguments = json_object_get(root, "arguments");
    const json_t *map = json_object_get(arguments, "scope");
    const char *said;
    bool same;

    if (map == NULL)
        map = json_array_get(json_object_get(arguments, "relationships"), 0);
    said = json_string_value(json_object_get(map, member));
    same = said != NULL && strcmp(said, text) == 0;
    json_decref(root);
    free(answer);
    return same;
}

static bool comes_to_say(struct fake_server *server, const char *command, const char *member, const char *text)
{
    for (int waited = 0; !says(server, command, member, text); waited += 5) {
        if (waited > PAIR_SOON)
            return false;
        usleep(5000);
    }
    return true;
}

/* The partner runs, but not this library: nothing is lost, and both the relationship and the scope say what to do. */
static void test_a_partner_that_knows_no_way_is_waited_for(void **state)
{
    static const char reason[] = "server2 does not know scope-receive, subnet4-update, config-set: load "
                                 "libdhcp_failover_sync.so there";

    (void)state;
    fake_server_file_put(one, 5, "waits");
    assert_int_equal(fake_server_start(one, "{\"retry\": {\"min-ms\": 10, \"max-ms\": 100}}"), RESULT_OK);
    assert_true(comes_to_say(one, "failover-status", "way", "none"));
    assert_true(comes_to_say(one, "failover-status", "last-error", reason));
    assert_true(comes_to_say(one, "scope-get", "sync-reason", reason));
    assert_true(says(one, "scope-get", "sync-status", "OutOfSync"));
    assert_int_equal(fake_server_status(one, "queued"), 1);
    assert_int_equal(fake_server_status(one, "scopes-sent"), 0);

    assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
    assert_true(fake_server_await(two, 5, "waits", PAIR_SOON));
    pair_await_quiet();
    assert_true(says(one, "failover-status", "way", "scope-receive"));
    assert_true(says(one, "scope-get", "sync-status", "InSync"));
    assert_false(says(one, "failover-status", "last-error", reason));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)
    const struct CMUnitTest tests[] = {
        TEST(test_a_scope_in_the_file_reaches_the_partner),
        TEST(test_nothing_is_pushed_back),
        TEST(test_one_change_among_many_moves_one),
        TEST(test_a_removal_travels),
        TEST(test_removals_stay_at_home_when_deletes_is_false),
        TEST(test_many_removals_at_once_wait_for_an_administrator),
        TEST(test_few_removals_at_once_travel),
        TEST(test_what_comes_from_the_partner_is_written_to_the_file),
        TEST(test_what_changed_while_the_partner_was_away_arrives),
        TEST(test_a_refused_scope_does_not_keep_the_others),
        TEST(test_manual_replication_waits_for_the_command),
        TEST(test_a_scope_that_leaves_before_it_was_sent_leaves_no_trace),
        TEST(test_changes_on_both_sides_at_once_end_in_agreement),
        TEST(test_a_partner_that_knows_no_way_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
