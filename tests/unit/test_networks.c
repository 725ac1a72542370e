/* Scopes bring the parameters of their shared network with them, which are one for all its scopes. Two libraries,
 * without Kea. */
#include "pair_fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_a_network_that_the_partner_changed_is_the_same_for_all_its_scopes_after_a_reload(void **state)
{
    (void)state;
    for (struct fake_server *server = one;; server = two) {
        fake_server_file_put(server, 1, "a@campus:old");
        fake_server_file_put(server, 2, "b@campus:old");
        fake_server_file_put(server, 3, "c@campus:old");
        if (server == two)
            break;
    }
    start_both(NULL);
    pair_await_quiet();
    fake_server_file_put(two, 1, "a@campus:new");
    fake_server_file_put(two, 2, "newer@campus:new");
    fake_server_file_put(two, 3, "c@campus:new");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    assert_true(fake_server_await(one, 2, "newer@campus:new", PAIR_SOON));
    pair_await_quiet();
    /* Scope 1 goes back to the file's words, and is in the network that the partner sent all the same. */
    fake_server_command_put(one, 1, "changed@campus:new");
    assert_true(fake_server_await(two, 1, "changed@campus:new", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 1, "a@campus:new", PAIR_SOON));
    pair_await_quiet();
    assert_both_run(1, "a@campus:new");
    assert_both_run(2, "newer@campus:new");
    assert_both_run(3, "c@campus:new");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    pair_await_quiet();
    assert_runs(one, 1, "a@campus:new");
    assert_int_equal(fake_server_status(one, "scopes-sent"), 0);
}

static void test_an_edit_of_a_network_in_the_file_counts_for_what_the_partner_sent_into_it(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a@campus:old");
    fake_server_file_put(two, 1, "a@campus:old");
    start_both(NULL);
    pair_await_quiet();
    fake_server_command_put(two, 2, "b@campus:old");
    assert_true(fake_server_await(one, 2, "b@campus:old", PAIR_SOON));
    pair_await_quiet();
    fake_server_file_put(one, 1, "a@campus:new");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_runs(one, 1, "a@campus:new");
    assert_runs(one, 2, "b@campus:new");
    assert_true(fake_server_await(two, 2, "b@campus:new", PAIR_SOON));
    pair_await_quiet();
    assert_runs(two, 1, "a@campus:new");
}

static void test_what_the_partner_sent_stays_the_partners_when_its_network_changes(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a@campus:old");
    fake_server_file_put(two, 1, "a@campus:old");
    start_both(NULL);
    pair_await_quiet();
    fake_server_command_put(two, 1, "the partner's@campus:old");
    assert_true(fake_server_await(one, 1, "the partner's@campus:old", PAIR_SOON));
    pair_await_quiet();
    /* With a new scope the network's new parameters come, and with them the first scope changes. */
    fake_server_command_put(two, 2, "b@campus:new");
    assert_true(fake_server_await(one, 1, "the partner's@campus:new", PAIR_SOON));
    fake_server_command_put(two, 1, "the partner's@campus:new"); /* as a server has it then */
    pair_await_quiet();
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_runs(one, 1, "the partner's@campus:new");
    pair_await_quiet();
    assert_runs(two, 1, "the partner's@campus:new");
}

static void assert_same_words(uint32_t subnet_id)
{
    char *words = fake_server_words(one, subnet_id);

    assert_runs(two, subnet_id, words);
    free(words);
}

/* A conflict over one scope of a network whose parameters the other server has changed for all of them. */
static void test_a_network_is_the_same_on_both_after_a_conflict_over_a_scope_in_it(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 3; i++) {
        fake_server_file_put(one, i, "a@campus:old");
        fake_server_file_put(two, i, "a@campus:old");
    }
    start_both(NULL);
    pair_await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "primary's@campus:old");
    for (uint32_t i = 1; i <= 3; i++)
        fake_server_command_put(two, i, "a@campus:new");
    assert_true(fake_server_await_status(one, "queued", 1, PAIR_SOON));
    assert_true(fake_server_await_status(two, "queued", 3, PAIR_SOON));
    fake_server_set_reachable(one, true);
    fake_server_set_reachable(two, true);
    pair_await_quiet();
    for (uint32_t i = 1; i <= 3; i++)
        assert_same_words(i);
}

static void assert_the_networks_change_outlives_a_new_scope(struct fake_server *editor, struct fake_server *adder)
{
    fake_server_file_put(one, 1, "a@campus:old");
    fake_server_file_put(two, 1, "a@campus:old");
    start_both(NULL);
    pair_await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(adder, 2, "b@campus:old");
    fake_server_file_put(editor, 1, "a@campus:new");
    assert_int_equal(fake_server_reload(editor, true), RESULT_OK);
    /* The scope comes first, if it can. */
    fake_server_set_reachable(editor, true);
    (void)fake_server_await(editor, 2, "b@campus:new", 1000);
    fake_server_set_reachable(adder, true);
    assert_true(fake_server_await(adder, 2, "b@campus:new", PAIR_SOON));
    pair_await_quiet();
    assert_both_run(1, "a@campus:new");
    assert_both_run(2, "b@campus:new");
}

static void test_a_new_scope_does_not_undo_the_primarys_change_of_its_network(void **state)
{
    (void)state;
    assert_the_networks_change_outlives_a_new_scope(one, two);
}

static void test_a_new_scope_does_not_undo_the_secondarys_change_of_its_network(void **state)
{
    (void)state;
    assert_the_networks_change_outlives_a_new_scope(two, one);
}

#define LEAVER 11 /* there is no room for it in the first batch beside the others */

static void agree_on_many_in_campus(void)
{
    for (uint32_t id = 1; id <= LEAVER; id++) {
        fake_server_file_put(one, id, "a@campus:old");
        fake_server_file_put(two, id, "a@campus:old");
    }
    start_both(NULL);
    pair_await_quiet();
}

/* What it leaves it leaves before the network changes there, or it would have changed there with the network. */
static void test_a_scope_that_leaves_its_network_is_no_conflict_with_what_changes_in_there(void **state)
{
    (void)state;
    agree_on_many_in_campus();
    for (uint32_t id = 1; id < LEAVER; id++)
        fake_server_file_put(two, id, "a@campus:new");
    fake_server_file_put(two, LEAVER, "alone");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    assert_true(fake_server_await(one, 1, "a@campus:new", PAIR_SOON));
    pair_await_quiet();
    assert_both_run(LEAVER, "alone");
}

/* A scope that only went along when its network changed was edited by nobody. */
static void test_a_scope_that_leaves_its_network_after_a_change_of_it_is_no_conflict(void **state)
{
    (void)state;
    agree_on_many_in_campus();
    fake_server_set_reachable(one, false);
    for (uint32_t id = 1; id <= LEAVER; id++)
        fake_server_file_put(two, id, "a@campus:new");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    fake_server_file_put(two, LEAVER, "b@airport:new");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    assert_true(fake_server_await_status(two, "queued", LEAVER, PAIR_SOON));
    fake_server_set_reachable(one, true);
    assert_true(fake_server_await(one, 1, "a@campus:new", PAIR_SOON));
    pair_await_quiet();
    assert_both_run(LEAVER, "b@airport:new");
}

/* Scope 1 is in the network on both; its version. */
static char *agree_on_campus(void)
{
    fake_server_file_put(one, 1, "a@campus:old");
    fake_server_file_put(two, 1, "a@campus:old");
    start_both(NULL);
    pair_await_quiet();
    return pair_version_of_first(one);
}

/* The partner sends scope 2 into the network, as the network was when it knew that version of scope 1. */
static void send_into_campus(const char *network_words, const char *known)
{
    char *definition = NULL, *arguments = NULL, *answer;
    json_t *scopes, *words;

    assert_true(asprintf(&definition,
                         "{\"shared-network\":{\"name\":\"campus\",\"user-context\":{\"words\":\"%s\"}},"
                         "\"subnet4\":{\"id\":2,\"subnet\":\"10.0.2.0/24\",\"user-context\":{\"words\":\"b\"}}}",
                         network_words) > 0);
    words = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "subnet-id", 2, "prefix", "10.0.2.0/24", "base", "",
                      "fingerprint", "00112233445566778899aabbccddeeff", "version", "0000000000000005:19a3c2f00d1",
                      "network-version", known, "definition", definition);
    scopes = json_pack("{s:s,s:s,s:[o]}", "sender", "server2", "receiver", "server1", "scopes", words);
    arguments = json_dumps(scopes, JSON_COMPACT);
    answer = fake_server_command(one, "scope-receive", arguments);
    if (strstr(answer, "\"result\": 0") == NULL && strstr(answer, "\"result\":0") == NULL)
        fail_msg("%s", answer);
    json_decref(scopes);
    free(arguments);
    free(definition);
    free(answer);
}

/* It was sent before its sender took the change, and comes when the two have agreed on that. */
static void test_a_scope_that_comes_late_does_not_undo_the_change_of_its_network(void **state)
{
    char *known = agree_on_campus();

    (void)state;
    fake_server_file_put(one, 1, "a@campus:new");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 1, "a@campus:new", PAIR_SOON));
    pair_await_quiet();
    send_into_campus("old", known);
    assert_true(fake_server_await(two, 2, "b@campus:new", PAIR_SOON));
    pair_await_quiet();
    assert_runs(one, 1, "a@campus:new");
    assert_runs(one, 2, "b@campus:new");
    assert_runs(two, 1, "a@campus:new");
    free(known);
}

static void test_a_scope_that_comes_with_a_later_change_of_its_network_makes_it(void **state)
{
    char *known = agree_on_campus();

    (void)state;
    send_into_campus("newest", known);
    assert_true(fake_server_await(one, 1, "a@campus:newest", PAIR_SOON));
    assert_runs(one, 2, "b@campus:newest");
    free(known);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)
    const struct CMUnitTest tests[] = {
        TEST(test_a_network_that_the_partner_changed_is_the_same_for_all_its_scopes_after_a_reload),
        TEST(test_what_the_partner_sent_stays_the_partners_when_its_network_changes),
        TEST(test_a_network_is_the_same_on_both_after_a_conflict_over_a_scope_in_it),
        TEST(test_a_new_scope_does_not_undo_the_primarys_change_of_its_network),
        TEST(test_a_new_scope_does_not_undo_the_secondarys_change_of_its_network),
        TEST(test_a_scope_that_leaves_its_network_is_no_conflict_with_what_changes_in_there),
        TEST(test_a_scope_that_leaves_its_network_after_a_change_of_it_is_no_conflict),
        TEST(test_a_scope_that_comes_late_does_not_undo_the_change_of_its_network),
        TEST(test_a_scope_that_comes_with_a_later_change_of_its_network_makes_it),
        TEST(test_an_edit_of_a_network_in_the_file_counts_for_what_the_partner_sent_into_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
