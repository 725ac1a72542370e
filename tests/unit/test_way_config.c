/* The last way: what is asked of the partner, and what comes of each scope, whatever it answers. */
#include "way_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PARTNER                                                                                                        \
    "{'hooks-libraries': [{'parameters': {'basic-auth-password': 'fido'}}], 'subnet4': [{'id': 1, 'subnet': "          \
    "'10.0.1.0/24', 'reservations': []}, {'id': 2, 'subnet': '10.0.2.0/24', 'reservations': []}]}"

static void start(const char *self, const char *parameters)
{
    way_fixture_set_up(self, parameters);
    way_fixture_partner(PARTNER);
}

static int tear_down(void **state)
{
    (void)state;
    way_fixture_tear_down();
    return 0;
}

static struct batch_item *change(uint32_t id, const char *comment)
{
    char subnet[200], prefix[48];

    snprintf(prefix, sizeof prefix, "10.0.%u.0/24", id);
    snprintf(subnet, sizeof subnet, "{'id': %u, 'subnet': '%s', 'reservations': [], 'comment': '%s'}", id, prefix,
             comment);
    return way_fixture_wish(id, prefix, subnet, NULL);
}

static void assert_commands(const char *expected)
{
    char *commands = way_fixture_commands();

    assert_string_equal(commands, expected);
    free(commands);
}

static const char *comment_of(uint32_t id)
{
    const char *comment = json_string_value(json_object_get(way_fixture_subnet(id), "comment"));

    return comment == NULL ? "" : comment;
}

static void test_a_batch_is_one_config_set(void **state)
{
    (void)state;
    start("server1", NULL);
    change(1, "a");
    change(7, "b");
    way_fixture_wish(2, "10.0.2.0/24", NULL, NULL);
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    assert_commands("config-get config-test config-set config-get");
    assert_string_equal(comment_of(1), "a");
    assert_string_equal(comment_of(7), "b");
    assert_null(way_fixture_subnet(2));
    for (size_t i = 0; i < run.batch->count; i++)
        assert_int_equal(run.batch->items[i].outcome, BATCH_APPLIED);
    assert_true(fingerprint_equal(run.batch->items[0].answered, run.batch->items[0].pushed));
    assert_true(fingerprint_empty(run.batch->items[2].answered));
}

static void test_what_the_partner_has_already_sets_nothing(void **state)
{
    struct batch_item *same;

    (void)state;
    start("server1", NULL);
    same = way_fixture_wish(1, "10.0.1.0/24", "{'id': 1, 'subnet': '10.0.1.0/24', 'reservations': []}", NULL);
    way_fixture_forget_agreement(same);
    way_fixture_wish(9, "10.0.9.0/24", NULL, NULL);
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    assert_commands("config-get");
    assert_int_equal(run.batch->items[0].outcome, BATCH_UNCHANGED);
    assert_true(fingerprint_equal(run.batch->items[0].answered, run.batch->items[0].pushed));
    assert_int_equal(run.batch->items[1].outcome, BATCH_UNCHANGED);
}

/* Of many scopes the refused ones are found, with the partner's words, and the others are set, at once. */
static void test_a_bad_scope_does_not_hold_up_the_others(void **state)
{
    (void)state;
    start("server1", NULL);
    kea.refused = "bad";
    kea.refusal = "spurious 'allocator' parameter";
    for (uint32_t id = 1; id <= 40; id++)
        change(id, id == 3 || id == 39 ? "bad" : "good");
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    for (size_t i = 0; i < 40; i++) {
        const struct batch_item *item = &run.batch->items[i];

        if (item->wish.id == 3 || item->wish.id == 39) {
            assert_int_equal(item->outcome, BATCH_FAILED);
            assert_string_equal(item->text, "spurious 'allocator' parameter");
        } else {
            assert_int_equal(item->outcome, BATCH_APPLIED);
            assert_string_equal(comment_of(object_subnet_id(item->wish.id)), "good");
        }
    }
    assert_null(way_fixture_subnet(39));
    assert_string_equal(comment_of(3), "");
    assert_true(json_array_size(kea.commands) < 30);
    assert_string_equal(json_string_value(json_array_get(kea.commands, json_array_size(kea.commands) - 2)),
                        "config-set");
}

static void test_only_bad_scopes_set_nothing(void **state)
{
    (void)state;
    start("server1", NULL);
    kea.refused = "bad";
    change(1, "bad");
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    assert_commands("config-get config-test config-test");
    assert_int_equal(run.batch->items[0].outcome, BATCH_FAILED);
    assert_int_equal(run.last_set, 0);
}

/* However many are bad, the tests have an end; what was not told apart is tried with the next batch. */
static void test_the_tests_of_a_batch_are_bounded(void **state)
{
    size_t applied = 0;

    (void)state;
    start("server1", NULL);
    kea.refused = "bad";
    for (uint32_t id = 1; id <= 200; id++)
        change(id, id % 2 == 0 ? "bad" : "good");
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    assert_true(json_array_size(kea.commands) < 70);
    for (size_t i = 0; i < 200; i++) {
        assert_true(run.batch->items[i].outcome == BATCH_APPLIED || run.batch->items[i].outcome == BATCH_FAILED);
        applied += run.batch->items[i].outcome == BATCH_APPLIED;
    }
    assert_true(applied > 10);
}

/* As where the partner's release does not know a keyword that every scope has. */
static void test_where_nothing_passes_it_is_not_tested_for_long(void **state)
{
    (void)state;
    start("server1", NULL);
    kea.refused = "bad";
    kea.refusal = "spurious 'allocator' parameter";
    for (uint32_t id = 1; id <= 250; id++)
        change(id, "bad");
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    assert_true(json_array_size(kea.commands) < 30);
    for (size_t i = 0; i < 250; i++) {
        assert_int_equal(run.batch->items[i].outcome, BATCH_FAILED);
        assert_non_null(strstr(run.batch->items[i].text, "spurious 'allocator' parameter"));
    }
    assert_int_equal(run.last_set, 0);
}

static void test_a_partner_that_refuses_its_own_configuration_blames_no_scope(void **state)
{
    struct way_step step;

    (void)state;
    start("server1", NULL);
    kea.refuses = "config-test";
    kea.refusal = "no such interface";
    change(1, "a");
    change(2, "b");
    step = way_fixture_talk(&way_config, NULL);
    assert_int_equal(step.next, WAY_FAILED);
    assert_int_equal(step.why.code, RESULT_REFUSED);
    assert_non_null(strstr(step.why.message, "its own configuration"));
    assert_non_null(strstr(step.why.message, "no such interface"));
    assert_commands("config-get config-test config-test");
}

static void test_no_password_gets_into_a_reason(void **state)
{
    (void)state;
    start("server1", NULL);
    kea.refused = "bad";
    kea.refusal = "bad value in { \"basic-auth-password\": \"fido\" }";
    change(1, "bad");
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    assert_int_equal(run.batch->items[0].outcome, BATCH_FAILED);
    assert_null(strstr(run.batch->items[0].text, "fido"));
}

static void test_a_change_on_both_is_the_primarys(void **state)
{
    struct batch_item *item;

    (void)state;
    start("server1", NULL);
    item = change(1, "ours");
    way_fixture_partner("{'subnet4': [{'id': 1, 'subnet': '10.0.1.0/24', 'reservations': [], 'comment': 'theirs'}]}");
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    item = &run.batch->items[0];
    assert_int_equal(item->outcome, BATCH_APPLIED);
    assert_string_equal(comment_of(1), "ours");
    assert_non_null(strstr(item->there, "theirs"));
    assert_false(item->take_over);
}

static void test_a_change_on_both_is_taken_over_from_a_primary(void **state)
{
    struct batch_item *item;

    (void)state;
    start("server2", NULL);
    change(1, "ours");
    way_fixture_partner("{'subnet4': [{'id': 1, 'subnet': '10.0.1.0/24', 'reservations': [], 'comment': 'theirs'}]}");
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    item = &run.batch->items[0];
    assert_int_equal(item->outcome, BATCH_CONFLICT);
    assert_true(item->take_over);
    assert_non_null(strstr(item->there, "theirs"));
    assert_non_null(strstr(item->text, "server1, the primary"));
    assert_string_equal(comment_of(1), "theirs");
    assert_commands("config-get");
}

static void test_a_change_on_both_is_held_if_so_wished(void **state)
{
    (void)state;
    start("server1", "{\"conflict\": \"hold\"}");
    change(1, "ours");
    way_fixture_partner("{'subnet4': [{'id': 1, 'subnet': '10.0.1.0/24', 'reservations': [], 'comment': 'theirs'}]}");
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    assert_int_equal(run.batch->items[0].outcome, BATCH_CONFLICT);
    assert_false(run.batch->items[0].take_over);
    assert_string_equal(comment_of(1), "theirs");
}

/* It was agreed on and is not there: such a partner forgets at a restart what its file has not got. */
static void test_a_scope_that_the_partner_has_forgotten_is_added_again(void **state)
{
    (void)state;
    start("server2", NULL);
    change(1, "ours");
    way_fixture_partner("{'subnet4': []}");
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    assert_int_equal(run.batch->items[0].outcome, BATCH_APPLIED);
    assert_string_equal(comment_of(1), "ours");
}

static void test_the_same_prefix_under_another_id_is_its_own_case(void **state)
{
    (void)state;
    start("server1", NULL);
    way_fixture_wish(5, "10.0.2.0/24", "{'id': 5, 'subnet': '10.0.2.0/24', 'reservations': []}", NULL);
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    assert_int_equal(run.batch->items[0].outcome, BATCH_ID_MISMATCH);
    assert_string_equal(run.batch->items[0].text,
                        "10.0.2.0/24 has subnet id 2 on server2 and 5 here: configure the same id on both servers");
    assert_null(way_fixture_subnet(5));
}

static void test_a_prefix_may_change_its_id_with_its_old_scope_removed(void **state)
{
    (void)state;
    start("server1", NULL);
    way_fixture_wish(2, "10.0.2.0/24", NULL, NULL);
    way_fixture_wish(5, "10.0.2.0/24", "{'id': 5, 'subnet': '10.0.2.0/24', 'reservations': []}", NULL);
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_DONE);
    assert_int_equal(run.batch->items[0].outcome, BATCH_APPLIED);
    assert_int_equal(run.batch->items[1].outcome, BATCH_APPLIED);
    assert_null(way_fixture_subnet(2));
    assert_non_null(way_fixture_subnet(5));
}

/* The connection ends with the configuration that it belongs to: what runs then is what counts. */
static void test_a_lost_answer_to_config_set_is_looked_up(void **state)
{
    int64_t waited = 0;

    (void)state;
    start("server1", NULL);
    kea.lost = "config-set";
    kea.lost_count = 1;
    change(1, "a");
    assert_int_equal(way_fixture_talk(&way_config, &waited).next, WAY_DONE);
    assert_commands("config-get config-test config-set config-get");
    assert_int_equal(run.batch->items[0].outcome, BATCH_APPLIED);
    assert_true(waited > 0);
}

static void test_a_lost_config_set_is_a_failure(void **state)
{
    struct way_step step;

    (void)state;
    start("server1", NULL);
    kea.lost = "config-set";
    kea.lost_count = 1;
    kea.lost_before = true;
    change(1, "a");
    step = way_fixture_talk(&way_config, NULL);
    assert_int_equal(step.next, WAY_FAILED);
    assert_string_equal(step.why.message, "gone");
}

/* The partner may be opening its sockets anew. */
static void test_the_question_what_was_set_is_repeated(void **state)
{
    int64_t waited = 0;

    (void)state;
    start("server1", NULL);
    change(1, "a");
    kea.lost = "config-get";
    kea.lost_skip = 1;
    kea.lost_count = 4;
    assert_int_equal(way_fixture_talk(&way_config, &waited).next, WAY_DONE);
    assert_commands("config-get config-test config-set config-get config-get config-get config-get config-get");
    assert_int_equal(run.batch->items[0].outcome, BATCH_APPLIED);
    assert_true(waited >= 1000);
}

static void test_it_is_not_asked_for_ever(void **state)
{
    (void)state;
    start("server1", NULL);
    change(1, "a");
    kea.lost = "config-get";
    kea.lost_skip = 1;
    kea.lost_count = 1000;
    assert_int_equal(way_fixture_talk(&way_config, NULL).next, WAY_FAILED);
    assert_true(json_array_size(kea.commands) < 50);
}

static void test_configurations_are_not_set_more_often_than_every_five_seconds(void **state)
{
    int64_t waited = 0;

    (void)state;
    start("server1", NULL);
    change(1, "a");
    assert_int_equal(way_fixture_talk(&way_config, &waited).next, WAY_DONE);
    assert_int_equal(waited, 0);
    batch_clear(run.batch);
    change(1, "b");
    assert_int_equal(way_fixture_talk(&way_config, &waited).next, WAY_DONE);
    assert_true(waited > 4000 && waited <= 5000);
    assert_string_equal(comment_of(1), "b");
}

static void test_nonsense_is_a_failure(void **state)
{
    static const char *const answers[] = {
        "",
        "{]",
        "[]",
        "5",
        "[{'result': '0'}]",
        "[{'result': 0}]",
        "[{'result': 0, 'arguments': []}]",
        "[{'result': 0, 'arguments': {'Dhcp4': 5}}]",
        "[{'result': 0, 'arguments': {'Dhcp4': {'subnet4': [{'id': -1, 'subnet': 'x'}]}}}]",
        "[{'result': 1, 'text': 'no'}]",
        "[{'result': 3, 'text': 'nothing'}]",
        ("{'result': 0, 'text': 7, 'arguments': {'Dhcp4': {'shared-networks': "
         "[[], {'subnet4': {'id': 1}}, {'subnet4': [1]}]}}}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        start("server1", NULL);
        change(1, "x");
        assert_int_equal(way_fixture_talk_to_a_wall(&way_config, answers[i]).next, WAY_FAILED);
        way_fixture_tear_down();
    }
    start("server1", NULL);
}

static void test_the_listener_of_ha_is_named_as_the_cause(void **state)
{
    static const char *const commands[] = {"config-test", "config-set"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct way_step step;

        start("server1", NULL);
        change(1, "a");
        kea.refusal = "invalid thread pool state change to paused performed by worker thread";
        kea.refuses = commands[i];
        step = way_fixture_talk(&way_config, NULL);
        assert_int_equal(step.next, WAY_FAILED);
        assert_non_null(strstr(step.why.message, "HA's dedicated listener cannot take it: give 'partners' an url"));
        way_fixture_tear_down();
    }
    start("server1", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_batch_is_one_config_set, tear_down),
        cmocka_unit_test_teardown(test_what_the_partner_has_already_sets_nothing, tear_down),
        cmocka_unit_test_teardown(test_a_bad_scope_does_not_hold_up_the_others, tear_down),
        cmocka_unit_test_teardown(test_only_bad_scopes_set_nothing, tear_down),
        cmocka_unit_test_teardown(test_the_tests_of_a_batch_are_bounded, tear_down),
        cmocka_unit_test_teardown(test_where_nothing_passes_it_is_not_tested_for_long, tear_down),
        cmocka_unit_test_teardown(test_a_partner_that_refuses_its_own_configuration_blames_no_scope, tear_down),
        cmocka_unit_test_teardown(test_no_password_gets_into_a_reason, tear_down),
        cmocka_unit_test_teardown(test_a_change_on_both_is_the_primarys, tear_down),
        cmocka_unit_test_teardown(test_a_change_on_both_is_taken_over_from_a_primary, tear_down),
        cmocka_unit_test_teardown(test_a_change_on_both_is_held_if_so_wished, tear_down),
        cmocka_unit_test_teardown(test_a_scope_that_the_partner_has_forgotten_is_added_again, tear_down),
        cmocka_unit_test_teardown(test_the_same_prefix_under_another_id_is_its_own_case, tear_down),
        cmocka_unit_test_teardown(test_a_prefix_may_change_its_id_with_its_old_scope_removed, tear_down),
        cmocka_unit_test_teardown(test_a_lost_answer_to_config_set_is_looked_up, tear_down),
        cmocka_unit_test_teardown(test_a_lost_config_set_is_a_failure, tear_down),
        cmocka_unit_test_teardown(test_the_question_what_was_set_is_repeated, tear_down),
        cmocka_unit_test_teardown(test_it_is_not_asked_for_ever, tear_down),
        cmocka_unit_test_teardown(test_configurations_are_not_set_more_often_than_every_five_seconds, tear_down),
        cmocka_unit_test_teardown(test_nonsense_is_a_failure, tear_down),
        cmocka_unit_test_teardown(test_the_listener_of_ha_is_named_as_the_cause, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
