/* What is no scope replicates like one: client classes between two fake servers, over HTTP and with a real store each.
 */
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

static void test_a_class_in_the_file_reaches_the_partner(void **state)
{
    (void)state;
    fake_server_file_put(one, FAKE_CLASS(0), "phones");
    fake_server_file_put(one, 1, "a scope");
    start_both(NULL);
    assert_true(fake_server_await(two, FAKE_CLASS(0), "phones", PAIR_SOON));
    assert_true(fake_server_await(two, 1, "a scope", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_status(one, "scopes"), 1);
    assert_int_equal(fake_server_status(one, "objects"), 1);
    assert_int_equal(fake_server_status(one, "objects-in-sync"), 1);
    assert_int_equal(fake_server_status(two, "objects-in-sync"), 1);
    assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
}

static void test_a_change_at_run_time_travels_both_ways(void **state)
{
    (void)state;
    start_both(NULL);
    fake_server_command_put(one, FAKE_CLASS(3), "first");
    assert_true(fake_server_await(two, FAKE_CLASS(3), "first", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(two, FAKE_CLASS(3), "second");
    assert_true(fake_server_await(one, FAKE_CLASS(3), "second", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_status(one, "pushes"), 1);
    assert_int_equal(fake_server_status(two, "pushes"), 1);
    assert_int_equal(fake_server_status(one, "scopes-sent"), 0);
}

static void test_a_removal_travels_and_stays(void **state)
{
    (void)state;
    fake_server_file_put(one, FAKE_CLASS(1), "a");
    fake_server_file_put(two, FAKE_CLASS(1), "a");
    fake_server_file_put(one, FAKE_CLASS(2), "b");
    start_both(NULL);
    assert_true(fake_server_await(two, FAKE_CLASS(2), "b", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(one, FAKE_CLASS(1), NULL);
    assert_true(fake_server_await(two, FAKE_CLASS(1), "", PAIR_SOON));
    pair_await_quiet();
    /* Both files still have it. */
    fake_server_stop(two);
    assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
    pair_await_quiet();
    assert_both_run(FAKE_CLASS(1), "");
    assert_both_run(FAKE_CLASS(2), "b");
}

static void test_a_restart_is_no_edit_and_what_came_stays(void **state)
{
    (void)state;
    fake_server_file_put(one, FAKE_CLASS(1), "of the file");
    start_both(NULL);
    assert_true(fake_server_await(two, FAKE_CLASS(1), "of the file", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(two, FAKE_CLASS(1), "of the partner");
    assert_true(fake_server_await(one, FAKE_CLASS(1), "of the partner", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(one);
    assert_int_equal(fake_server_start(one, NULL), RESULT_OK);
    assert_runs(one, FAKE_CLASS(1), "of the partner");
    fake_server_stop(two);
    assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
    assert_runs(two, FAKE_CLASS(1), "of the partner");
    pair_await_quiet();
    assert_both_run(FAKE_CLASS(1), "of the partner");
}

static void test_what_both_have_in_the_same_words_is_not_sent(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        fake_server_file_put(one, FAKE_CLASS(i), "same");
        fake_server_file_put(two, FAKE_CLASS(i), "same");
    }
    start_both(NULL);
    assert_true(fake_server_await_status(one, "objects-in-sync", 8, PAIR_SOON));
    assert_true(fake_server_await_status(two, "objects-in-sync", 8, PAIR_SOON));
    pair_await_quiet();
    assert_both_run(FAKE_CLASS(7), "same");
}

static void test_the_primarys_version_of_a_class_counts(void **state)
{
    (void)state;
    fake_server_file_put(one, FAKE_CLASS(5), "the primary's");
    fake_server_file_put(two, FAKE_CLASS(5), "the secondary's");
    start_both(NULL);
    assert_true(fake_server_await(two, FAKE_CLASS(5), "the primary's", PAIR_SOON));
    pair_await_quiet();
    assert_both_run(FAKE_CLASS(5), "the primary's");
}

static void test_one_that_is_refused_is_named_with_its_reason_and_holds_up_nothing(void **state)
{
    char *answer;
    const char *reason;
    json_t *root, *list;

    (void)state;
    start_both(NULL);
    fake_server_command_put(one, FAKE_CLASS(4), "refuse this");
    fake_server_command_put(one, 9, "a scope");
    fake_server_command_put(one, FAKE_CLASS(6), "good");
    assert_true(fake_server_await(two, 9, "a scope", PAIR_SOON));
    assert_true(fake_server_await(two, FAKE_CLASS(6), "good", PAIR_SOON));
    assert_true(fake_server_await_status(one, "objects-in-sync", 1, PAIR_SOON));
    answer = fake_server_command(one, "failover-status", NULL);
    root = json_loads(answer, 0, NULL);
    list = json_object_get(json_array_get(json_object_get(json_object_get(root, "arguments"), "relationships"), 0),
                           "objects-out-of-sync");
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "kind")), "client-class");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "name")), "class4");
    reason = json_string_value(json_object_get(json_array_get(list, 0), "reason"));
    if (strstr(reason, "refuses") == NULL)
        fail_msg("%s", reason);
    json_decref(root);
    free(answer);
}

static void test_many_removals_of_classes_are_held_by_themselves(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++)
        fake_server_file_put(one, FAKE_CLASS(i), "x");
    for (uint32_t i = 1; i <= 40; i++)
        fake_server_file_put(one, i, "x");
    start_both(NULL);
    assert_true(fake_server_await(two, FAKE_CLASS(7), "x", PAIR_SOON));
    assert_true(fake_server_await(two, 40, "x", PAIR_SOON));
    pair_await_quiet();
    for (unsigned i = 0; i < 3; i++) /* of 8: more than a quarter, though of 48 objects it is not */
        fake_server_file_put(one, FAKE_CLASS(i), NULL);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await_status(one, "held", 3, PAIR_SOON));
    assert_runs(two, FAKE_CLASS(0), "x");
}

static void test_a_lost_store_finds_the_classes_again(void **state)
{
    (void)state;
    start_both(NULL);
    fake_server_command_put(one, FAKE_CLASS(0), "made at run time");
    assert_true(fake_server_await(two, FAKE_CLASS(0), "made at run time", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(two);
    assert_int_equal(remove(fake_server_store(two)), 0);
    assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
    assert_true(fake_server_await(two, FAKE_CLASS(0), "made at run time", PAIR_SOON));
    pair_await_quiet();
    assert_both_run(FAKE_CLASS(0), "made at run time");
}

static void test_classes_that_run_are_known_again_when_the_store_is_lost_meanwhile(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++)
        fake_server_file_put(one, FAKE_CLASS(i), "x");
    start_both("{\"reconcile-interval\": 1}");
    assert_true(fake_server_await(two, FAKE_CLASS(7), "x", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(truncate(fake_server_store(one), 0), 0);
    assert_true(fake_server_await_status(one, "objects-in-sync", 8, PAIR_SOON));
    fake_server_command_put(one, FAKE_CLASS(1), "y");
    assert_true(fake_server_await(two, FAKE_CLASS(1), "y", PAIR_SOON));
    pair_await_quiet();
    for (unsigned i = 0; i < 8; i++)
        assert_both_run(FAKE_CLASS(i), i == 1 ? "y" : "x");
    assert_true(fake_server_await_status(one, "objects-in-sync", 8, PAIR_SOON));
    assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_class_in_the_file_reaches_the_partner),
        TEST(test_a_change_at_run_time_travels_both_ways),
        TEST(test_a_removal_travels_and_stays),
        TEST(test_a_restart_is_no_edit_and_what_came_stays),
        TEST(test_what_both_have_in_the_same_words_is_not_sent),
        TEST(test_the_primarys_version_of_a_class_counts),
        TEST(test_one_that_is_refused_is_named_with_its_reason_and_holds_up_nothing),
        TEST(test_many_removals_of_classes_are_held_by_themselves),
        TEST(test_a_lost_store_finds_the_classes_again),
        TEST(test_classes_that_run_are_known_again_when_the_store_is_lost_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
