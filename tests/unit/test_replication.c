/* Two libraries replicate to each other, over HTTP on loopback and with a real store each, without Kea. */
#include "fake_server.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SOON 10000 /* milliseconds: generous, for sanitizers on a busy machine */

static struct fake_server *one, *two;
static char folder[64];

static int make_pair(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/failover-sync-test-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    one = fake_server_new("server1", folder);
    two = fake_server_new("server2", folder);
    fake_server_pair(one, fake_server_port(one), fake_server_port(two));
    fake_server_pair(two, fake_server_port(one), fake_server_port(two));
    return 0;
}

static int drop_pair(void **state)
{
    char command[128];

    (void)state;
    fake_server_free(one);
    fake_server_free(two);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void start_both(const char *parameters)
{
    assert_int_equal(fake_server_start(one, parameters), RESULT_OK);
    assert_int_equal(fake_server_start(two, parameters), RESULT_OK);
}

static void assert_runs(struct fake_server *server, uint32_t subnet_id, const char *words)
{
    char *has = fake_server_words(server, subnet_id);

    assert_string_equal(has, words);
    free(has);
}

/* Every wish is gone and every scope agreed. */
static void await_quiet(void)
{
    assert_true(fake_server_await_status(one, "queued", 0, SOON));
    assert_true(fake_server_await_status(two, "queued", 0, SOON));
    assert_true(fake_server_await_status(one, "out-of-sync", 0, SOON));
    assert_true(fake_server_await_status(two, "out-of-sync", 0, SOON));
}

static void test_a_scope_in_the_file_reaches_the_partner(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "from the file");
    start_both(NULL);
    assert_true(fake_server_await(two, 1, "from the file", SOON));
    await_quiet();
    assert_int_equal(fake_server_status(one, "in-sync"), 1);
    assert_int_equal(fake_server_status(two, "in-sync"), 1);
}

static void test_nothing_is_pushed_back(void **state)
{
    (void)state;
    start_both(NULL);
    fake_server_command_put(one, 1, "a");
    assert_true(fake_server_await(two, 1, "a", SOON));
    await_quiet();
    assert_int_equal(fake_server_status(one, "scopes-sent"), 1);
    assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
    fake_server_command_put(two, 1, "b");
    assert_true(fake_server_await(one, 1, "b", SOON));
    await_quiet();
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
    assert_true(fake_server_await_status(one, "in-sync", 1000, SOON));
    assert_true(fake_server_await_status(two, "in-sync", 1000, SOON));
    await_quiet();
    long long sent = fake_server_status(one, "scopes-sent");

    fake_server_file_put(one, 500, "changed");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 500, "changed", SOON));
    await_quiet();
    /* The counter starts with the library, which a reload loads anew. */
    assert_int_equal(fake_server_status(one, "scopes-sent"), 1);
    assert_true(sent >= 1);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await_status(one, "in-sync", 1000, SOON));
    await_quiet();
    assert_int_equal(fake_server_status(one, "scopes-sent"), 0);
}

static void test_a_removal_travels(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a");
    fake_server_file_put(one, 2, "b");
    start_both(NULL);
    assert_true(fake_server_await(two, 2, "b", SOON));
    await_quiet();
    fake_server_file_put(one, 1, NULL);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 1, "", SOON));
    await_quiet();
    assert_runs(two, 2, "b");
}

static void test_many_removals_at_once_wait_for_an_administrator(void **state)
{
    char *answer;

    (void)state;
    for (uint32_t i = 1; i <= 8; i++)
        fake_server_file_put(one, i, "x");
    start_both(NULL);
    assert_true(fake_server_await(two, 8, "x", SOON));
    await_quiet();
    for (uint32_t i = 1; i <= 3; i++) /* of 8: more than a quarter */
        fake_server_file_put(one, i, NULL);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await_status(one, "held", 3, SOON));
    fake_server_file_put(one, 9, "another change goes ahead");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 9, "another change goes ahead", SOON));
    assert_runs(two, 1, "x");
    answer = fake_server_command(one, "failover-replicate", "{\"record-id\": 1, \"force\": true}");
    assert_non_null(answer);
    free(answer);
    assert_true(fake_server_await(two, 1, "", SOON));
    assert_true(fake_server_await(two, 3, "", SOON));
    await_quiet();
}

static void test_few_removals_at_once_travel(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 8; i++)
        fake_server_file_put(one, i, "x");
    start_both(NULL);
    assert_true(fake_server_await(two, 8, "x", SOON));
    await_quiet();
    fake_server_file_put(one, 1, NULL);
    fake_server_file_put(one, 2, NULL); /* of 8: a quarter and no more */
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 2, "", SOON));
    await_quiet();
}

static void test_what_comes_from_the_partner_is_written_to_the_file(void **state)
{
    (void)state;
    start_both("{\"persist\": \"config-write\"}");
    fake_server_command_put(one, 1, "received");
    assert_true(fake_server_await(two, 1, "received", SOON));
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
    assert_true(fake_server_await(two, 1, "a", SOON));
    await_quiet();
    fake_server_command_put(one, 1, NULL);
    fake_server_command_put(one, 2, "later");
    assert_true(fake_server_await(two, 2, "later", SOON));
    await_quiet();
    assert_runs(two, 1, "a");
}

static void test_a_restart_is_not_an_edit(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "in the file");
    fake_server_file_put(two, 1, "in the file");
    start_both(NULL);
    assert_true(fake_server_await_status(one, "in-sync", 1, SOON));
    assert_true(fake_server_await_status(two, "in-sync", 1, SOON));
    await_quiet();
    fake_server_command_put(one, 1, "newer");
    fake_server_command_put(one, 2, "never in a file");
    assert_true(fake_server_await(two, 1, "newer", SOON));
    assert_true(fake_server_await(two, 2, "never in a file", SOON));
    await_quiet();
    fake_server_stop(one);
    fake_server_stop(two);
    start_both(NULL);
    for (struct fake_server *server = one;; server = two) {
        assert_runs(server, 1, "newer");
        assert_runs(server, 2, "never in a file");
        if (server == two)
            break;
    }
    await_quiet();
    assert_int_equal(fake_server_status(one, "scopes-sent"), 0);
    assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
}

static void test_a_scope_removed_at_run_time_stays_away_after_a_restart(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "in the file");
    fake_server_file_put(two, 1, "in the file");
    start_both(NULL);
    assert_true(fake_server_await_status(one, "in-sync", 1, SOON));
    assert_true(fake_server_await_status(two, "in-sync", 1, SOON));
    await_quiet();
    fake_server_command_put(one, 1, NULL);
    assert_true(fake_server_await(two, 1, "", SOON));
    await_quiet();
    fake_server_stop(one);
    fake_server_stop(two);
    start_both(NULL);
    assert_runs(one, 1, "");
    assert_runs(two, 1, "");
    await_quiet();
    assert_runs(one, 1, "");
    assert_runs(two, 1, "");
}

static void test_a_removal_outlives_the_words_that_it_has_outlived_before(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a");
    fake_server_file_put(two, 1, "a");
    start_both(NULL);
    await_quiet();
    fake_server_file_put(one, 1, "b");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(fake_server_await(two, 1, "b", SOON));
    await_quiet();
    fake_server_command_put(two, 1, NULL);
    assert_true(fake_server_await(one, 1, "", SOON));
    await_quiet();
    /* The file's words are as they were, and then so are those of config-set. */
    fake_server_file_put(one, 1, "a");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_runs(one, 1, "");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_runs(one, 1, "");
    await_quiet();
    assert_runs(two, 1, "");
}

static void test_words_that_were_gone_and_come_again_are_an_edit(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a");
    fake_server_file_put(two, 1, "a");
    start_both(NULL);
    await_quiet();
    fake_server_command_put(two, 1, NULL);
    assert_true(fake_server_await(one, 1, "", SOON));
    await_quiet();
    fake_server_file_put(one, 1, NULL);
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    fake_server_file_put(one, 1, "a");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_runs(one, 1, "a");
    assert_true(fake_server_await(two, 1, "a", SOON));
    await_quiet();
    /* The same for words that this server itself took out. */
    fake_server_file_put(one, 1, NULL);
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(fake_server_await(two, 1, "", SOON));
    await_quiet();
    fake_server_file_put(one, 1, "a");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(fake_server_await(two, 1, "a", SOON));
}

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
    await_quiet();
    fake_server_file_put(two, 1, "a@campus:new");
    fake_server_file_put(two, 2, "newer@campus:new");
    fake_server_file_put(two, 3, "c@campus:new");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    assert_true(fake_server_await(one, 2, "newer@campus:new", SOON));
    await_quiet();
    /* Scope 1 goes back to the file's words, and is in the network that the partner sent all the same. */
    fake_server_command_put(one, 1, "changed@campus:new");
    assert_true(fake_server_await(two, 1, "changed@campus:new", SOON));
    await_quiet();
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(two, 1, "a@campus:new", SOON));
    await_quiet();
    for (struct fake_server *server = one;; server = two) {
        assert_runs(server, 1, "a@campus:new");
        assert_runs(server, 2, "newer@campus:new");
        assert_runs(server, 3, "c@campus:new");
        if (server == two)
            break;
    }
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    await_quiet();
    assert_runs(one, 1, "a@campus:new");
    assert_int_equal(fake_server_status(one, "scopes-sent"), 0);
}

static void test_an_edit_of_a_network_in_the_file_counts_for_what_the_partner_sent_into_it(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a@campus:old");
    fake_server_file_put(two, 1, "a@campus:old");
    start_both(NULL);
    await_quiet();
    fake_server_command_put(two, 2, "b@campus:old");
    assert_true(fake_server_await(one, 2, "b@campus:old", SOON));
    await_quiet();
    fake_server_file_put(one, 1, "a@campus:new");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_runs(one, 1, "a@campus:new");
    assert_runs(one, 2, "b@campus:new");
    assert_true(fake_server_await(two, 2, "b@campus:new", SOON));
    await_quiet();
    assert_runs(two, 1, "a@campus:new");
}

static void test_what_the_partner_sent_stays_the_partners_when_its_network_changes(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a@campus:old");
    fake_server_file_put(two, 1, "a@campus:old");
    start_both(NULL);
    await_quiet();
    fake_server_command_put(two, 1, "the partner's@campus:old");
    assert_true(fake_server_await(one, 1, "the partner's@campus:old", SOON));
    await_quiet();
    /* With a new scope the network's new parameters come, and with them the first scope changes. */
    fake_server_command_put(two, 2, "b@campus:new");
    assert_true(fake_server_await(one, 1, "the partner's@campus:new", SOON));
    fake_server_command_put(two, 1, "the partner's@campus:new"); /* as a server has it then */
    await_quiet();
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_runs(one, 1, "the partner's@campus:new");
    await_quiet();
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
    await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "primary's@campus:old");
    for (uint32_t i = 1; i <= 3; i++)
        fake_server_command_put(two, i, "a@campus:new");
    assert_true(fake_server_await_status(one, "queued", 1, SOON));
    assert_true(fake_server_await_status(two, "queued", 3, SOON));
    fake_server_set_reachable(one, true);
    fake_server_set_reachable(two, true);
    await_quiet();
    for (uint32_t i = 1; i <= 3; i++)
        assert_same_words(i);
}

static void assert_the_networks_change_outlives_a_new_scope(struct fake_server *editor, struct fake_server *adder)
{
    fake_server_file_put(one, 1, "a@campus:old");
    fake_server_file_put(two, 1, "a@campus:old");
    start_both(NULL);
    await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(adder, 2, "b@campus:old");
    fake_server_file_put(editor, 1, "a@campus:new");
    assert_int_equal(fake_server_reload(editor, true), RESULT_OK);
    /* The scope comes first, if it can. */
    fake_server_set_reachable(editor, true);
    (void)fake_server_await(editor, 2, "b@campus:new", 1000);
    fake_server_set_reachable(adder, true);
    assert_true(fake_server_await(adder, 2, "b@campus:new", SOON));
    await_quiet();
    for (struct fake_server *server = one;; server = two) {
        assert_runs(server, 1, "a@campus:new");
        assert_runs(server, 2, "b@campus:new");
        if (server == two)
            break;
    }
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

static void test_an_edit_of_the_file_while_down_is_an_edit(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "first");
    fake_server_file_put(one, 2, "goes");
    start_both(NULL);
    assert_true(fake_server_await(two, 2, "goes", SOON));
    await_quiet();
    fake_server_stop(one);
    fake_server_file_put(one, 1, "second");
    fake_server_file_put(one, 2, NULL);
    assert_int_equal(fake_server_start(one, NULL), RESULT_OK);
    assert_true(fake_server_await(two, 1, "second", SOON));
    assert_true(fake_server_await(two, 2, "", SOON));
    await_quiet();
}

static void test_a_reload_reverts_this_servers_changes_and_keeps_the_partners(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(one, 2, "file");
    start_both(NULL);
    assert_true(fake_server_await(two, 2, "file", SOON));
    await_quiet();
    fake_server_command_put(one, 1, "mine");
    assert_true(fake_server_await(two, 1, "mine", SOON));
    fake_server_command_put(two, 2, "partner's");
    assert_true(fake_server_await(one, 2, "partner's", SOON));
    await_quiet();
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_runs(one, 1, "file");
    assert_runs(one, 2, "partner's");
    assert_true(fake_server_await(two, 1, "file", SOON));
    await_quiet();
    assert_runs(two, 2, "partner's");
}

static void test_a_command_s_configuration_is_not_the_file(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "file");
    start_both(NULL);
    assert_true(fake_server_await(two, 1, "file", SOON));
    await_quiet();
    /* config-set with another text; at the next start the file still has the old one, and that is no edit. */
    fake_server_file_put(one, 1, "config-set");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(fake_server_await(two, 1, "config-set", SOON));
    await_quiet();
    fake_server_stop(one);
    fake_server_file_put(one, 1, "file");
    assert_int_equal(fake_server_start(one, NULL), RESULT_OK);
    assert_runs(one, 1, "config-set");
    await_quiet();
    assert_runs(two, 1, "config-set");
}

static void test_what_changed_while_the_partner_was_away_arrives(void **state)
{
    (void)state;
    start_both(NULL);
    fake_server_command_put(one, 1, "before");
    assert_true(fake_server_await(two, 1, "before", SOON));
    await_quiet();
    fake_server_stop(two);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "meanwhile");
    fake_server_command_put(one, 2, "new");
    assert_true(fake_server_await_status(one, "queued", 2, SOON));
    assert_int_equal(fake_server_status(one, "out-of-sync"), 2);
    fake_server_stop(one); /* the queue outlives the sender too */
    assert_int_equal(fake_server_start(one, NULL), RESULT_OK);
    assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await(two, 1, "meanwhile", SOON));
    assert_true(fake_server_await(two, 2, "new", SOON));
    await_quiet();
}

static void test_the_primary_wins_when_both_changed(void **state)
{
    (void)state;
    start_both("{\"retry\": {\"min-ms\": 50, \"max-ms\": 200}}");
    fake_server_command_put(one, 1, "old");
    assert_true(fake_server_await(two, 1, "old", SOON));
    await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "primary's");
    fake_server_command_put(two, 1, "secondary's");
    assert_true(fake_server_await_status(one, "queued", 1, SOON));
    assert_true(fake_server_await_status(two, "queued", 1, SOON));
    fake_server_set_reachable(one, true); /* the secondary's version arrives first */
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await(two, 1, "primary's", SOON));
    await_quiet();
    assert_runs(one, 1, "primary's");
}

static void test_hold_keeps_both_versions(void **state)
{
    (void)state;
    start_both("{\"conflict\": \"hold\", \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}");
    fake_server_command_put(one, 1, "old");
    assert_true(fake_server_await(two, 1, "old", SOON));
    await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "primary's");
    fake_server_command_put(two, 1, "secondary's");
    assert_true(fake_server_await_status(two, "queued", 1, SOON));
    fake_server_set_reachable(one, true);
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await_status(one, "out-of-sync", 1, SOON));
    fake_server_command_put(one, 2, "another");
    assert_true(fake_server_await(two, 2, "another", SOON));
    assert_true(fake_server_await_status(one, "out-of-sync", 1, SOON));
    assert_true(fake_server_await_status(two, "out-of-sync", 1, SOON));
    assert_runs(one, 1, "primary's");
    assert_runs(two, 1, "secondary's");
    /* The way out that the README gives. */
    fake_server_command_put(two, 1, "primary's");
    assert_true(fake_server_await_status(one, "in-sync", 2, SOON));
    await_quiet();
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
    assert_true(fake_server_await(two, 1, "old", SOON));
    await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, ones);
    fake_server_command_put(two, 1, twos);
    assert_true(fake_server_await_status(one, "queued", 1, SOON));
    assert_true(fake_server_await_status(two, "queued", 1, SOON));
    fake_server_set_reachable(one, true);
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await_status(one, "held", 1, SOON));
    assert_true(fake_server_await_status(two, "held", 1, SOON));
}

static void test_an_administrator_decides_a_held_conflict_on_either_server(void **state)
{
    (void)state;
    make_held_conflict("primary's", "secondary's");
    assert_command(two, "scope-replicate", "{\"subnet-ids\": [1]}"); /* without force it stays */
    assert_true(fake_server_await_status(two, "held", 1, SOON));
    assert_runs(one, 1, "primary's");
    assert_command(two, "scope-replicate", "{\"subnet-ids\": [1], \"force\": true}");
    assert_true(fake_server_await(one, 1, "secondary's", SOON));
    await_quiet();
    assert_runs(two, 1, "secondary's");
    assert_in_history(one, "primary's");
}

static void test_an_administrator_decides_a_held_conflict_with_a_removal(void **state)
{
    (void)state;
    make_held_conflict("primary's", NULL);
    assert_runs(one, 1, "primary's");
    assert_command(one, "scope-replicate", "{\"subnet-ids\": [1], \"force\": true}");
    assert_true(fake_server_await(two, 1, "primary's", SOON));
    await_quiet();
}

static void test_an_administrator_decides_for_a_removal(void **state)
{
    (void)state;
    make_held_conflict("primary's", NULL);
    assert_command(two, "failover-replicate", "{\"record-id\": 1, \"force\": true}");
    assert_true(fake_server_await(one, 1, "", SOON));
    await_quiet();
    assert_in_history(one, "primary's");
}

static void test_a_refused_scope_does_not_keep_the_others(void **state)
{
    (void)state;
    start_both(NULL);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 1, "fine");
    fake_server_command_put(one, 2, "refuse this");
    fake_server_command_put(one, 3, "fine too");
    assert_true(fake_server_await_status(one, "queued", 3, SOON));
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await(two, 1, "fine", SOON));
    assert_true(fake_server_await(two, 3, "fine too", SOON));
    assert_true(fake_server_await_status(one, "out-of-sync", 1, SOON));
    char *answer = fake_server_command(one, "scope-get", "{\"subnet-id\": 2}");

    assert_non_null(strstr(answer, "\"OutOfSync\""));
    assert_non_null(strstr(answer, "the fake server refuses this scope"));
    free(answer);
    fake_server_command_put(one, 2, "mended");
    assert_true(fake_server_await(two, 2, "mended", SOON));
    await_quiet();
}

static void test_manual_replication_waits_for_the_command(void **state)
{
    (void)state;
    start_both("{\"replicate\": \"manual\"}");
    fake_server_command_put(one, 1, "a");
    assert_true(fake_server_await_status(one, "out-of-sync", 1, SOON));
    assert_int_equal(fake_server_status(one, "queued"), 0);
    assert_int_equal(fake_server_status(one, "pushes"), 0);
    char *answer = fake_server_command(one, "scope-replicate", "{\"subnet-ids\": [1]}");

    assert_non_null(strstr(answer, "\"result\":0"));
    free(answer);
    assert_true(fake_server_await(two, 1, "a", SOON));
    await_quiet();
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
    assert_true(fake_server_await(two, 2, "the last change", SOON));
    await_quiet();
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
    assert_true(fake_server_await(two, 8, "one's last", SOON));
    assert_true(fake_server_await(one, 9, "two's last", SOON));
    await_quiet();
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
        if (waited > SOON)
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
    assert_true(fake_server_await(two, 5, "waits", SOON));
    await_quiet();
    assert_true(says(one, "failover-status", "way", "scope-receive"));
    assert_true(says(one, "scope-get", "sync-status", "InSync"));
    assert_false(says(one, "failover-status", "last-error", reason));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_pair, drop_pair)
    const struct CMUnitTest tests[] = {
        TEST(test_a_scope_in_the_file_reaches_the_partner),
        TEST(test_nothing_is_pushed_back),
        TEST(test_one_change_among_many_moves_one),
        TEST(test_a_removal_travels),
        TEST(test_removals_stay_at_home_when_deletes_is_false),
        TEST(test_many_removals_at_once_wait_for_an_administrator),
        TEST(test_few_removals_at_once_travel),
        TEST(test_what_comes_from_the_partner_is_written_to_the_file),
        TEST(test_a_restart_is_not_an_edit),
        TEST(test_a_scope_removed_at_run_time_stays_away_after_a_restart),
        TEST(test_a_removal_outlives_the_words_that_it_has_outlived_before),
        TEST(test_words_that_were_gone_and_come_again_are_an_edit),
        TEST(test_a_network_that_the_partner_changed_is_the_same_for_all_its_scopes_after_a_reload),
        TEST(test_what_the_partner_sent_stays_the_partners_when_its_network_changes),
        TEST(test_a_network_is_the_same_on_both_after_a_conflict_over_a_scope_in_it),
        TEST(test_a_new_scope_does_not_undo_the_primarys_change_of_its_network),
        TEST(test_a_new_scope_does_not_undo_the_secondarys_change_of_its_network),
        TEST(test_an_edit_of_a_network_in_the_file_counts_for_what_the_partner_sent_into_it),
        TEST(test_an_edit_of_the_file_while_down_is_an_edit),
        TEST(test_a_reload_reverts_this_servers_changes_and_keeps_the_partners),
        TEST(test_a_command_s_configuration_is_not_the_file),
        TEST(test_what_changed_while_the_partner_was_away_arrives),
        TEST(test_the_primary_wins_when_both_changed),
        TEST(test_hold_keeps_both_versions),
        TEST(test_an_administrator_decides_a_held_conflict_on_either_server),
        TEST(test_an_administrator_decides_a_held_conflict_with_a_removal),
        TEST(test_an_administrator_decides_for_a_removal),
        TEST(test_a_refused_scope_does_not_keep_the_others),
        TEST(test_manual_replication_waits_for_the_command),
        TEST(test_a_scope_that_leaves_before_it_was_sent_leaves_no_trace),
        TEST(test_changes_on_both_sides_at_once_end_in_agreement),
        TEST(test_a_partner_that_knows_no_way_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
