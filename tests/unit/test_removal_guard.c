/* max-delete-percent at the receiver: server1 sends whatever is removed there, server2 takes a quarter and no more. */
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

#define SCOPES 8

static void start_eight(void)
{
    for (uint32_t i = 1; i <= SCOPES; i++) {
        fake_server_file_put(one, i, "x");
        fake_server_file_put(two, i, "x");
    }
    assert_int_equal(fake_server_start(one, "{\"max-delete-percent\": 100}"), RESULT_OK);
    assert_int_equal(fake_server_start(two, "{\"max-delete-percent\": 25}"), RESULT_OK);
    assert_true(fake_server_await_status(one, "in-sync", SCOPES, PAIR_SOON));
    assert_true(fake_server_await_status(two, "in-sync", SCOPES, PAIR_SOON));
    pair_await_quiet();
}

static void remove_at_once(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i <= to; i++)
        fake_server_file_put(one, i, NULL);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
}

static int left(struct fake_server *server)
{
    int count = 0;

    for (uint32_t i = 1; i <= SCOPES; i++) {
        char *words = fake_server_words(server, i);

        count += words[0] != '\0';
        free(words);
    }
    return count;
}

static void await_left(struct fake_server *server, int number)
{
    for (int tries = 0; tries < PAIR_SOON / 10 && left(server) != number; tries++)
        usleep(10000);
    assert_int_equal(left(server), number);
}

static void await_held(long long number)
{
    assert_true(fake_server_await_status(one, "held", number, PAIR_SOON));
    assert_true(fake_server_await_status(two, "received-held", number, PAIR_SOON));
    assert_true(fake_server_await_status(one, "queued", number, PAIR_SOON));
}

/* All that is removed at one server is at the other, and nobody holds anything. */
static void await_gone(int rest)
{
    await_left(one, rest);
    await_left(two, rest);
    await_held(0);
    pair_await_quiet();
}

static void force(struct fake_server *server)
{
    char arguments[200], *status = fake_server_command(server, "failover-status", NULL);
    json_t *root = json_loads(status, 0, NULL);
    const json_t *list = json_object_get(json_object_get(root, "arguments"), "relationships");
    char *answer;

    (void)snprintf(arguments, sizeof arguments, "{\"relationship-name\": \"%s\", \"force\": true}",
                   json_string_value(json_object_get(json_array_get(list, 0), "name")));
    json_decref(root);
    free(status);
    answer = fake_server_command(server, "failover-replicate", arguments);
    assert_non_null(answer);
    if (strstr(answer, "\"result\":0") == NULL)
        fail_msg("%s", answer);
    free(answer);
}

static void test_the_receiver_holds_what_is_beyond_its_bound(void **state)
{
    char *status;

    (void)state;
    start_eight();
    remove_at_once(1, 5);
    await_held(3);
    assert_int_equal(left(one), 3);
    assert_int_equal(left(two), 6);
    assert_int_equal(fake_server_status(two, "out-of-sync"), 3);
    status = fake_server_command(two, "failover-status", NULL);
    assert_non_null(strstr(status, "received-held-removals"));
    assert_non_null(strstr(status, "\"10.0.5.0/24\""));
    free(status);
}

static void test_what_comes_one_by_one_counts_together(void **state)
{
    (void)state;
    start_eight();
    for (uint32_t i = 1; i <= 4; i++) {
        fake_server_command_put(one, i, NULL);
        if (i <= 2)
            assert_true(fake_server_await(two, i, "", PAIR_SOON));
    }
    await_held(2);
    assert_int_equal(left(two), 6);
}

static void test_up_to_the_bound_they_are_taken(void **state)
{
    (void)state;
    start_eight();
    remove_at_once(1, 2);
    await_gone(6);
}

static void test_the_sender_releases_by_force(void **state)
{
    (void)state;
    start_eight();
    remove_at_once(1, 5);
    await_held(3);
    force(one);
    await_gone(3);
}

static void test_the_receiver_releases_by_force(void **state)
{
    (void)state;
    start_eight();
    remove_at_once(1, 5);
    await_held(3);
    force(two);
    await_gone(3);
}

static void test_a_removal_that_is_meant_passes_both_at_once(void **state)
{
    (void)state;
    start_eight();
    fake_server_stop(one);
    assert_int_equal(fake_server_start(one, "{\"max-delete-percent\": 25}"), RESULT_OK);
    pair_await_quiet();
    remove_at_once(1, 5);
    assert_true(fake_server_await_status(one, "held", 5, PAIR_SOON));
    assert_int_equal(left(two), 8);
    force(one);
    await_gone(3);
}

static void test_adding_the_scope_again_takes_its_removal_back(void **state)
{
    (void)state;
    start_eight();
    remove_at_once(1, 5);
    await_held(3);
    for (uint32_t i = 1; i <= 5; i++)
        fake_server_file_put(one, i, "x");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await_status(one, "in-sync", SCOPES, PAIR_SOON));
    await_gone(8);
    /* And they do not count any more. */
    remove_at_once(6, 7);
    await_gone(6);
}

static void test_a_held_scope_that_is_removed_here_too_is_held_no_more(void **state)
{
    (void)state;
    start_eight();
    remove_at_once(1, 5);
    await_held(3);
    for (uint32_t i = 1; i <= 5; i++)
        fake_server_command_put(two, i, NULL);
    await_left(two, 3);
    assert_true(fake_server_await_status(two, "received-held", 0, PAIR_SOON));
    assert_true(fake_server_await_status(two, "queued", 0, PAIR_SOON));
}

static void test_a_restart_of_the_receiver_forgets_nothing(void **state)
{
    (void)state;
    start_eight();
    remove_at_once(1, 5);
    await_held(3);
    fake_server_stop(two);
    for (uint32_t i = 1; i <= 2; i++)
        fake_server_file_put(two, i, NULL);
    assert_int_equal(fake_server_start(two, "{\"max-delete-percent\": 25}"), RESULT_OK);
    assert_true(fake_server_await_status(two, "received-held", 3, PAIR_SOON));
    fake_server_command_put(one, 6, NULL);
    await_held(4);
    assert_int_equal(left(two), 6);
    force(two);
    await_gone(2);
}

static void test_a_restart_of_the_sender_forgets_nothing(void **state)
{
    (void)state;
    start_eight();
    remove_at_once(1, 5);
    await_held(3);
    fake_server_stop(one);
    assert_int_equal(fake_server_start(one, "{\"max-delete-percent\": 100}"), RESULT_OK);
    await_held(3);
    usleep(500000);
    assert_int_equal(left(two), 6);
    force(one);
    await_gone(3);
}

static void test_a_forced_removal_uses_up_nothing(void **state)
{
    (void)state;
    start_eight();
    remove_at_once(1, 2);
    await_gone(6);
    fake_server_command_put(one, 3, NULL);
    await_held(1);
    force(one);
    await_gone(5);
}

static void test_a_relationship_that_is_not_there_is_named_with_those_that_are(void **state)
{
    char *answer;

    (void)state;
    start_eight();
    answer = fake_server_command(one, "failover-replicate", "{\"relationship-name\": \"nobody\"}");
    assert_non_null(answer);
    assert_non_null(strstr(answer, "there is no relationship nobody"));
    assert_non_null(strstr(answer, "there are: "));
    free(answer);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_receiver_holds_what_is_beyond_its_bound),
        TEST(test_what_comes_one_by_one_counts_together),
        TEST(test_up_to_the_bound_they_are_taken),
        TEST(test_the_sender_releases_by_force),
        TEST(test_the_receiver_releases_by_force),
        TEST(test_a_removal_that_is_meant_passes_both_at_once),
        TEST(test_adding_the_scope_again_takes_its_removal_back),
        TEST(test_a_held_scope_that_is_removed_here_too_is_held_no_more),
        TEST(test_a_restart_of_the_receiver_forgets_nothing),
        TEST(test_a_restart_of_the_sender_forgets_nothing),
        TEST(test_a_forced_removal_uses_up_nothing),
        TEST(test_a_relationship_that_is_not_there_is_named_with_those_that_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
