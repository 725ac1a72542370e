/* The second way: the subnet commands that each change becomes, and what they cannot carry. */
#include "way_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RESERVATION "[{'hw-address': '02:00:00:00:00:01'}]"
#define PARTNER                                                                                                        \
    "{'subnet4': [{'id': 1, 'subnet': '10.0.1.0/24', 'interface': 'eth7', 'reservations': []}, {'id': 2, 'subnet': "   \
    "'10.0.2.0/24', 'reservations': " RESERVATION "}], 'shared-networks': [{'name': 'one', 'valid-lifetime': 1, "      \
    "'interface': 'eth8', 'subnet4': [{'id': 11, 'subnet': '10.0.11.0/24', 'reservations': []}]}, {'name': 'two', "    \
    "'subnet4': [{'id': 21, 'subnet': '10.0.21.0/24', 'reservations': []}, {'id': 22, 'subnet': '10.0.22.0/24', "      \
    "'reservations': []}]}]}"

static void start(const char *self, const char *parameters)
{
    way_fixture_set_up(self, parameters);
    way_fixture_partner(PARTNER);
    kea.subnet_commands = true;
}

static int tear_down(void **state)
{
    (void)state;
    way_fixture_tear_down();
    return 0;
}

static struct batch_item *change(uint32_t id, const char *more, const char *network)
{
    char subnet[300], prefix[48];

    snprintf(prefix, sizeof prefix, "10.0.%u.0/24", id);
    snprintf(subnet, sizeof subnet, "{'id': %u, 'subnet': '%s', 'reservations': []%s}", id, prefix, more);
    return way_fixture_wish(id, prefix, subnet, network);
}

static void talk(enum way_next expected, const char *commands)
{
    char *given;

    assert_int_equal(way_fixture_talk(&way_subnet, NULL).next, expected);
    given = way_fixture_commands();
    assert_string_equal(given, commands);
    free(given);
}

static enum batch_outcome outcome(size_t i)
{
    return run.batch->items[i].outcome;
}

static const char *comment_of(uint32_t id)
{
    const char *comment = json_string_value(json_object_get(way_fixture_subnet(id), "comment"));

    return comment == NULL ? "" : comment;
}

/* What the partner shows now is the next base. */
static void assert_base_is_current(size_t i)
{
    const struct batch_item *item = &run.batch->items[i];

    assert_string_equal(way_fixture_fingerprint(object_subnet_id(item->wish.id)).hex, item->answered.hex);
}

static void test_a_change_is_an_update(void **state)
{
    (void)state;
    start("server1", NULL);
    change(1, ", 'comment': 'new', 'interface': 'eth0'", NULL);
    talk(WAY_DONE, "config-get subnet4-get subnet4-update subnet4-get");
    assert_int_equal(outcome(0), BATCH_APPLIED);
    assert_string_equal(comment_of(1), "new");
    assert_string_equal(json_string_value(json_object_get(way_fixture_subnet(1), "interface")), "eth7");
    assert_base_is_current(0);
}

static void test_a_new_scope_is_added_and_an_old_one_deleted(void **state)
{
    (void)state;
    start("server1", NULL);
    way_fixture_wish(1, "10.0.1.0/24", NULL, NULL);
    change(9, ", 'comment': 'new'", NULL);
    talk(WAY_DONE, "config-get subnet4-get subnet4-del subnet4-get subnet4-get subnet4-add subnet4-get");
    assert_int_equal(outcome(0), BATCH_APPLIED);
    assert_true(fingerprint_empty(run.batch->items[0].answered));
    assert_int_equal(outcome(1), BATCH_APPLIED);
    assert_null(way_fixture_subnet(1));
    assert_string_equal(comment_of(9), "new");
    assert_base_is_current(1);
}

/* The first of two makes the network, the second finds it there. */
static void test_a_new_shared_network_is_made_once(void **state)
{
    (void)state;
    start("server1", NULL);
    change(8, "", "{'name': 'new', 'valid-lifetime': 5, 'interface': 'eth0'}");
    change(9, "", "{'name': 'new', 'valid-lifetime': 5, 'interface': 'eth0'}");
    talk(WAY_DONE, "config-get subnet4-get network4-add subnet4-add network4-subnet-add subnet4-get network4-get "
                   "subnet4-get subnet4-add network4-subnet-add subnet4-get network4-get");
    assert_int_equal(outcome(0), BATCH_APPLIED);
    assert_int_equal(outcome(1), BATCH_APPLIED);
    assert_int_equal(json_array_size(json_object_get(way_fixture_network("new"), "subnet4")), 2);
    assert_int_equal(json_integer_value(json_object_get(way_fixture_network("new"), "valid-lifetime")), 5);
    assert_null(json_object_get(way_fixture_network("new"), "interface"));
    assert_base_is_current(0);
    assert_base_is_current(1);
}

static void test_a_scope_moves_and_an_emptied_network_is_deleted(void **state)
{
    (void)state;
    start("server1", NULL);
    change(11, ", 'comment': 'moved'", "{'name': 'two'}");
    change(22, "", NULL);
    talk(WAY_DONE, "config-get subnet4-get subnet4-update network4-subnet-del network4-subnet-add network4-del "
                   "subnet4-get network4-get subnet4-get subnet4-update network4-subnet-del subnet4-get");
    assert_int_equal(outcome(0), BATCH_APPLIED);
    assert_int_equal(outcome(1), BATCH_APPLIED);
    assert_null(way_fixture_network("one"));
    assert_int_equal(json_array_size(json_object_get(way_fixture_network("two"), "subnet4")), 2);
    assert_string_equal(comment_of(11), "moved");
    assert_base_is_current(0);
    assert_base_is_current(1);
}

static void test_the_last_scope_of_a_network_takes_it_along(void **state)
{
    (void)state;
    start("server1", NULL);
    way_fixture_wish(11, "10.0.11.0/24", NULL, NULL);
    talk(WAY_DONE, "config-get subnet4-get subnet4-del network4-del subnet4-get");
    assert_int_equal(outcome(0), BATCH_APPLIED);
    assert_null(way_fixture_network("one"));
}

static void test_what_the_commands_cannot_carry_is_set_as_a_configuration(void **state)
{
    (void)state;
    start("server1", NULL);
    change(1, ", 'comment': 'new'", NULL);
    way_fixture_wish(2, "10.0.2.0/24", "{'id': 2, 'subnet': '10.0.2.0/24', 'reservations': [], 'comment': 'x'}", NULL);
    change(21, "", "{'name': 'two', 'valid-lifetime': 9}");
    talk(WAY_DONE, "config-get subnet4-get subnet4-update subnet4-get config-get config-test config-set config-get");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(outcome(i), BATCH_APPLIED);
    assert_int_equal(json_array_size(json_object_get(way_fixture_subnet(2), "reservations")), 0);
    assert_int_equal(json_integer_value(json_object_get(way_fixture_network("two"), "valid-lifetime")), 9);
    assert_true(run.last_set != 0);
}

static void test_reservations_that_stay_are_no_obstacle(void **state)
{
    (void)state;
    start("server1", NULL);
    way_fixture_wish(2, "10.0.2.0/24",
                     "{'id': 2, 'subnet': '10.0.2.0/24', 'reservations': " RESERVATION ", 'comment': 'x'}", NULL);
    talk(WAY_DONE, "config-get subnet4-get subnet4-update subnet4-get");
    assert_int_equal(outcome(0), BATCH_APPLIED);
    assert_int_equal(json_array_size(json_object_get(way_fixture_subnet(2), "reservations")), 1);
    assert_base_is_current(0);
}

/* Another release prints the same reservations and networks otherwise. What is agreed on and has not changed since
 * needs no command. */
static void test_what_has_not_changed_since_it_was_agreed_is_no_obstacle(void **state)
{
    static const char network[] = "{'name': 'two', 'valid-lifetime': 3600}";
    static const char reservations[] = "'reservations': [{'hw-address': '02:00:00:00:00:01', 'hostname': ''}]";
    char folder[] = "/tmp/failover-sync-test-XXXXXX", path[80], command[80], subnet[300], agreed[500];
    struct server_row server = {.ha_name = "server2"};
    struct scope_row row = {.id = 2, .name = "10.0.2.0/24", .sync_status = "InSync"};
    json_t *definition;
    char *text;
    int64_t ignored;

    (void)state;
    start("server1", "{\"apply\": [\"subnet-commands\"]}");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store.db", folder);
    assert_int_equal(store_open(path, &run.plugin->store).code, RESULT_OK);
    assert_int_equal(server_store_put(run.plugin->store, &server, &row.server_record_id).code, RESULT_OK);
    run.plugin->relationships.list[0].server2.record_id = row.server_record_id;
    snprintf(agreed, sizeof agreed, "{'shared-network': %s, 'subnet4': {'id': 2, 'subnet': '10.0.2.0/24', %s}}",
             network, reservations);
    definition = way_fixture_json(agreed);
    row.definition = text = kea_text_print(definition);
    row.fingerprint = fingerprint_of(text, strlen(text));
    assert_int_equal(scope_store_put(run.plugin->store, &row, false, &ignored).code, RESULT_OK);

    way_fixture_partner("{'shared-networks': [{'name': 'two', 'subnet4': [{'id': 2, 'subnet': '10.0.2.0/24', "
                        "'reservations': " RESERVATION "}]}]}");
    snprintf(subnet, sizeof subnet, "{'id': 2, 'subnet': '10.0.2.0/24', 'comment': 'new', %s}", reservations);
    way_fixture_wish(2, "10.0.2.0/24", subnet, network);
    talk(WAY_DONE, "config-get subnet4-get subnet4-update subnet4-get network4-get");
    assert_int_equal(outcome(0), BATCH_APPLIED);
    assert_string_equal(comment_of(2), "new");

    /* One that did change is. */
    batch_clear(run.batch);
    snprintf(subnet, sizeof subnet, "{'id': 2, 'subnet': '10.0.2.0/24', 'reservations': []}");
    way_fixture_wish(2, "10.0.2.0/24", subnet, network);
    assert_int_equal(way_fixture_talk(&way_subnet, NULL).next, WAY_DONE);
    assert_int_equal(outcome(0), BATCH_FAILED);

    store_close(run.plugin->store);
    free(text);
    json_decref(definition);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void test_without_config_set_the_obstacle_is_named(void **state)
{
    (void)state;
    start("server1", "{\"apply\": [\"subnet-commands\"]}");
    way_fixture_wish(2, "10.0.2.0/24", "{'id': 2, 'subnet': '10.0.2.0/24', 'reservations': []}", NULL);
    change(11, "", "{'name': 'one', 'valid-lifetime': 9}");
    change(1, ", 'comment': 'new'", NULL);
    talk(WAY_DONE, "config-get subnet4-get subnet4-update subnet4-get");
    assert_int_equal(outcome(0), BATCH_FAILED);
    assert_string_equal(run.batch->items[0].text, "subnet commands cannot carry its reservations: load "
                                                  "libdhcp_failover_sync.so there, or allow config-set");
    assert_int_equal(outcome(1), BATCH_FAILED);
    assert_non_null(strstr(run.batch->items[1].text, "the parameters of its shared network"));
    assert_int_equal(outcome(2), BATCH_APPLIED);
}

static void test_a_change_that_fails_half_way_is_taken_back(void **state)
{
    (void)state;
    start("server1", NULL);
    kea.refused = "bad";
    kea.refusal = "spurious 'x' parameter";
    change(9, ", 'comment': 'bad'", "{'name': 'new'}");
    change(1, ", 'comment': 'good'", NULL);
    talk(WAY_DONE,
         "config-get subnet4-get network4-add subnet4-add network4-del subnet4-get subnet4-update subnet4-get");
    assert_int_equal(outcome(0), BATCH_FAILED);
    assert_string_equal(run.batch->items[0].text, "spurious 'x' parameter");
    assert_null(way_fixture_network("new"));
    assert_null(way_fixture_subnet(9));
    assert_int_equal(outcome(1), BATCH_APPLIED);
}

static void change_behind(struct simulated_kea *partner, const char *command)
{
    (void)partner;
    if (strcmp(command, "subnet4-get") == 0)
        json_object_set_new(way_fixture_subnet(1), "comment", json_string("behind"));
}

static void test_a_scope_that_changes_while_it_is_compared_is_left_alone(void **state)
{
    (void)state;
    start("server1", NULL);
    kea.between = change_behind;
    change(1, ", 'comment': 'ours'", NULL);
    talk(WAY_DONE, "config-get subnet4-get");
    assert_int_equal(outcome(0), BATCH_FAILED);
    assert_string_equal(comment_of(1), "behind");
}

static void test_conflicts_are_settled_by_the_rules(void **state)
{
    (void)state;
    start("server1", NULL);
    way_fixture_forget_agreement(change(1, ", 'comment': 'ours'", NULL));
    talk(WAY_DONE, "config-get subnet4-get subnet4-update subnet4-get");
    assert_int_equal(outcome(0), BATCH_APPLIED);
    assert_non_null(run.batch->items[0].there);
    way_fixture_tear_down();

    start("server2", NULL);
    way_fixture_forget_agreement(change(1, ", 'comment': 'ours'", NULL));
    talk(WAY_DONE, "config-get");
    assert_int_equal(outcome(0), BATCH_CONFLICT);
    assert_true(run.batch->items[0].take_over);
}

/* Somebody makes the partner's scope 2 the same as ours before it is read for the last way. */
static void agree_behind(struct simulated_kea *partner, const char *command)
{
    if (strcmp(command, "config-get") != 0 || json_array_size(partner->commands) == 1)
        return;
    json_object_set_new(way_fixture_subnet(2), "comment", json_string("x"));
    json_object_set_new(way_fixture_subnet(2), "reservations", json_array());
}

static void test_what_was_compared_first_does_not_count_when_it_is_compared_again(void **state)
{
    (void)state;
    start("server1", NULL);
    kea.between = agree_behind;
    way_fixture_forget_agreement(change(2, ", 'comment': 'x'", NULL));
    talk(WAY_DONE, "config-get config-get");
    assert_int_equal(outcome(0), BATCH_UNCHANGED);
    assert_null(run.batch->items[0].there);
}

static void lose_commands(struct simulated_kea *partner, const char *command)
{
    if (strcmp(command, "subnet4-update") == 0)
        partner->subnet_commands = false;
}

/* The scopes before that are settled; the others come again, another way. */
static void test_a_partner_that_loses_the_commands_keeps_what_was_done(void **state)
{
    (void)state;
    start("server1", NULL);
    way_fixture_wish(1, "10.0.1.0/24", NULL, NULL);
    change(21, ", 'comment': 'x'", "{'name': 'two'}");
    kea.between = lose_commands;
    talk(WAY_DONE, "config-get subnet4-get subnet4-del subnet4-get subnet4-get subnet4-update");
    assert_int_equal(run.batch->count, 1);
    assert_int_equal(outcome(0), BATCH_APPLIED);
}

static void test_a_partner_without_the_commands_says_so(void **state)
{
    (void)state;
    start("server1", NULL);
    kea.subnet_commands = false;
    change(1, ", 'comment': 'x'", NULL);
    talk(WAY_UNSUPPORTED, "config-get subnet4-get");
}

/* What was applied is settled before the rest is: an update takes long where there are many scopes. What the partner
 * has already is settled at once. */
static void test_a_hundred_scopes_are_applied_at_a_time(void **state)
{
    (void)state;
    start("server1", NULL);
    for (uint32_t id = 30; id < 180; id++)
        change(id, "", NULL);
    change(22, "", "{'name': 'two'}");
    assert_int_equal(way_fixture_talk(&way_subnet, NULL).next, WAY_DONE);
    assert_int_equal(run.batch->count, 101);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(outcome(i), BATCH_APPLIED);
    assert_int_equal(outcome(100), BATCH_UNCHANGED);
    assert_non_null(way_fixture_subnet(129));
    assert_null(way_fixture_subnet(130));
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
        change(1, ", 'comment': 'x'", NULL);
        assert_int_equal(way_fixture_talk_to_a_wall(&way_subnet, answers[i]).next, WAY_FAILED);
        way_fixture_tear_down();
    }
    start("server1", NULL);
}

static void test_a_lost_answer_is_a_failure(void **state)
{
    (void)state;
    start("server1", NULL);
    kea.lost = "subnet4-update";
    kea.lost_count = 1;
    change(1, ", 'comment': 'x'", NULL);
    talk(WAY_FAILED, "config-get subnet4-get subnet4-update");
    assert_int_equal(run.batch->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_change_is_an_update, tear_down),
        cmocka_unit_test_teardown(test_a_new_scope_is_added_and_an_old_one_deleted, tear_down),
        cmocka_unit_test_teardown(test_a_new_shared_network_is_made_once, tear_down),
        cmocka_unit_test_teardown(test_a_scope_moves_and_an_emptied_network_is_deleted, tear_down),
        cmocka_unit_test_teardown(test_the_last_scope_of_a_network_takes_it_along, tear_down),
        cmocka_unit_test_teardown(test_what_the_commands_cannot_carry_is_set_as_a_configuration, tear_down),
        cmocka_unit_test_teardown(test_reservations_that_stay_are_no_obstacle, tear_down),
        cmocka_unit_test_teardown(test_what_has_not_changed_since_it_was_agreed_is_no_obstacle, tear_down),
        cmocka_unit_test_teardown(test_without_config_set_the_obstacle_is_named, tear_down),
        cmocka_unit_test_teardown(test_a_change_that_fails_half_way_is_taken_back, tear_down),
        cmocka_unit_test_teardown(test_a_scope_that_changes_while_it_is_compared_is_left_alone, tear_down),
        cmocka_unit_test_teardown(test_conflicts_are_settled_by_the_rules, tear_down),
        cmocka_unit_test_teardown(test_what_was_compared_first_does_not_count_when_it_is_compared_again, tear_down),
        cmocka_unit_test_teardown(test_a_partner_that_loses_the_commands_keeps_what_was_done, tear_down),
        cmocka_unit_test_teardown(test_a_partner_without_the_commands_says_so, tear_down),
        cmocka_unit_test_teardown(test_a_hundred_scopes_are_applied_at_a_time, tear_down),
        cmocka_unit_test_teardown(test_nonsense_is_a_failure, tear_down),
        cmocka_unit_test_teardown(test_a_lost_answer_is_a_failure, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
