/* What a restart and a reload leave as it is: neither is an edit. Two libraries, without Kea. */
#include "pair_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_a_restart_is_not_an_edit(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "in the file");
    fake_server_file_put(two, 1, "in the file");
    start_both(NULL);
    assert_true(fake_server_await_status(one, "in-sync", 1, PAIR_SOON));
    assert_true(fake_server_await_status(two, "in-sync", 1, PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(one, 1, "newer");
    fake_server_command_put(one, 2, "never in a file");
    assert_true(fake_server_await(two, 1, "newer", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "never in a file", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(one);
    fake_server_stop(two);
    start_both(NULL);
    for (struct fake_server *server = one;; server = two) {
        assert_runs(server, 1, "newer");
        assert_runs(server, 2, "never in a file");
        if (server == two)
            break;
    }
    pair_await_quiet();
    assert_int_equal(fake_server_status(one, "scopes-sent"), 0);
    assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
}

static void test_a_scope_removed_at_run_time_stays_away_after_a_restart(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "in the file");
    fake_server_file_put(two, 1, "in the file");
    start_both(NULL);
    assert_true(fake_server_await_status(one, "in-sync", 1, PAIR_SOON));
    assert_true(fake_server_await_status(two, "in-sync", 1, PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(one, 1, NULL);
    assert_true(fake_server_await(two, 1, "", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(one);
    fake_server_stop(two);
    start_both(NULL);
    assert_runs(one, 1, "");
    assert_runs(two, 1, "");
    pair_await_quiet();
    assert_runs(one, 1, "");
    assert_runs(two, 1, "");
}

static void test_a_removal_outlives_the_words_that_it_has_outlived_before(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a");
    fake_server_file_put(two, 1, "a");
    start_both(NULL);
    pair_await_quiet();
    fake_server_file_put(one, 1, "b");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(fake_server_await(two, 1, "b", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(two, 1, NULL);
    assert_true(fake_server_await(one, 1, "", PAIR_SOON));
    pair_await_quiet();
    /* The file's words are as they were, and then so are those of config-set. */
    fake_server_file_put(one, 1, "a");
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_runs(one, 1, "");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_runs(one, 1, "");
    pair_await_quiet();
    assert_runs(two, 1, "");
}

static void test_words_that_were_gone_and_come_again_are_an_edit(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "a");
    fake_server_file_put(two, 1, "a");
    start_both(NULL);
    pair_await_quiet();
    fake_server_command_put(two, 1, NULL);
    assert_true(fake_server_await(one, 1, "", PAIR_SOON));
    pair_await_quiet();
    fake_server_file_put(one, 1, NULL);
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    fake_server_file_put(one, 1, "a");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_runs(one, 1, "a");
    assert_true(fake_server_await(two, 1, "a", PAIR_SOON));
    pair_await_quiet();
    /* The same for words that this server itself took out. */
    fake_server_file_put(one, 1, NULL);
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(fake_server_await(two, 1, "", PAIR_SOON));
    pair_await_quiet();
    fake_server_file_put(one, 1, "a");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(fake_server_await(two, 1, "a", PAIR_SOON));
}

static void test_an_edit_of_the_file_while_down_is_an_edit(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "first");
    fake_server_file_put(one, 2, "goes");
    start_both(NULL);
    assert_true(fake_server_await(two, 2, "goes", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(one);
    fake_server_file_put(one, 1, "second");
    fake_server_file_put(one, 2, NULL);
    assert_int_equal(fake_server_start(one, NULL), RESULT_OK);
    assert_true(fake_server_await(two, 1, "second", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_reload_reverts_this_servers_changes_and_keeps_the_partners(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(one, 2, "file");
    start_both(NULL);
    assert_true(fake_server_await(two, 2, "file", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(one, 1, "mine");
    assert_true(fake_server_await(two, 1, "mine", PAIR_SOON));
    fake_server_command_put(two, 2, "partner's");
    assert_true(fake_server_await(one, 2, "partner's", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_runs(one, 1, "file");
    assert_runs(one, 2, "partner's");
    assert_true(fake_server_await(two, 1, "file", PAIR_SOON));
    pair_await_quiet();
    assert_runs(two, 2, "partner's");
}

static void test_a_command_s_configuration_is_not_the_file(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "file");
    start_both(NULL);
    assert_true(fake_server_await(two, 1, "file", PAIR_SOON));
    pair_await_quiet();
    /* config-set with another text; at the next start the file still has the old one, and that is no edit. */
    fake_server_file_put(one, 1, "config-set");
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(fake_server_await(two, 1, "config-set", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(one);
    fake_server_file_put(one, 1, "file");
    assert_int_equal(fake_server_start(one, NULL), RESULT_OK);
    assert_runs(one, 1, "config-set");
    pair_await_quiet();
    assert_runs(two, 1, "config-set");
}

static void change_at_partner(const char *words)
{
    fake_server_command_put(one, 1, words);
    assert_true(fake_server_await(two, 1, words, PAIR_SOON));
    pair_await_quiet();
}

/* The partner may change or remove a scope after that. */
static void test_a_file_that_the_server_has_written_is_no_edit(void **state)
{
    (void)state;
    fake_server_file_put(two, 1, "first");
    fake_server_file_put(two, 2, "to be removed");
    start_both(NULL);
    assert_true(fake_server_await(one, 1, "first", PAIR_SOON));
    change_at_partner("second");
    fake_server_write(two);
    fake_server_command_put(one, 1, "third");
    fake_server_command_put(one, 2, NULL);
    assert_true(fake_server_await(two, 1, "third", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(two);
    assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
    pair_await_quiet();
    assert_both_run(1, "third");
    assert_both_run(2, "");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    pair_await_quiet();
    assert_both_run(1, "third");
    assert_both_run(2, "");
    assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
}

/* The file has all that a scope inherits among its words then, and the partner may change the scope after that. */
static void test_what_a_file_of_the_server_s_says_of_what_is_inherited_is_no_edit(void **state)
{
    (void)state;
    fake_server_inherit(one, " of one");
    fake_server_inherit(two, " of two");
    fake_server_file_put(two, 1, "first");
    start_both(NULL);
    assert_true(fake_server_await(one, 1, "first", PAIR_SOON));
    change_at_partner("second");
    fake_server_write(two);
    for (int i = 0; i < 2; i++) {
        const char *words = i == 0 ? "second" : "third";

        if (i > 0) {
            fake_server_command_put(one, 1, words);
            assert_true(fake_server_await(two, 1, words, PAIR_SOON));
            pair_await_quiet();
        }
        fake_server_stop(two);
        assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
        pair_await_quiet();
        assert_both_run(1, words);
        assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
        assert_int_equal(fake_server_reload(two, true), RESULT_OK);
        pair_await_quiet();
        assert_both_run(1, words);
        assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
    }
}

/* Somebody has asked for the configuration, the partner changed it, and then it was set as it had been. */
static void test_an_old_print_that_comes_back_is_no_edit(void **state)
{
    (void)state;
    fake_server_inherit(one, " of one");
    fake_server_inherit(two, " of two");
    fake_server_file_put(two, 1, "first");
    start_both(NULL);
    assert_true(fake_server_await(one, 1, "first", PAIR_SOON));
    pair_await_quiet();
    change_at_partner("second");
    fake_server_file_put(two, 1, "first of two");
    for (int i = 0; i < 2; i++) {
        if (i > 0)
            fake_server_stop(two);
        assert_int_equal(i > 0 ? fake_server_start(two, NULL) : fake_server_reload(two, true), RESULT_OK);
        pair_await_quiet();
        assert_both_run(1, "second");
        assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
    }
}

/* config-write is no load: what is set by config-set again and again has said nothing new after it. */
static void test_what_is_set_again_after_a_config_write_is_no_edit(void **state)
{
    (void)state;
    fake_server_inherit(two, " of two");
    fake_server_file_put(two, 1, "first");
    start_both(NULL);
    assert_int_equal(fake_server_reload(two, false), RESULT_OK);
    pair_await_quiet();
    fake_server_command_put(one, 1, "second");
    fake_server_command_put(one, 2, "new");
    assert_true(fake_server_await(two, 1, "second", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "new", PAIR_SOON));
    pair_await_quiet();
    fake_server_write(two);
    pair_await_quiet();
    fake_server_file_put(two, 1, "first");
    fake_server_file_put(two, 2, NULL);
    assert_int_equal(fake_server_reload(two, false), RESULT_OK);
    pair_await_quiet();
    assert_both_run(1, "second");
    assert_both_run(2, "new");
    assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
}

/* What config-write wrote, the partner changed since, and somebody sets again. */
static void test_what_a_config_write_wrote_is_no_edit_when_it_is_set(void **state)
{
    (void)state;
    fake_server_inherit(two, " of two");
    fake_server_file_put(two, 1, "first");
    start_both(NULL);
    assert_true(fake_server_await(one, 1, "first", PAIR_SOON));
    pair_await_quiet();
    change_at_partner("second");
    fake_server_write(two);
    pair_await_quiet();
    change_at_partner("third");
    fake_server_file_put(two, 1, "second of two");
    assert_int_equal(fake_server_reload(two, false), RESULT_OK);
    pair_await_quiet();
    assert_both_run(1, "third");
    assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
}

static void test_a_scope_that_comes_back_into_a_file_of_the_server_s_is_an_edit(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "first");
    fake_server_file_put(two, 1, "first");
    start_both(NULL);
    pair_await_quiet();
    fake_server_command_put(one, 1, NULL);
    assert_true(fake_server_await(two, 1, "", PAIR_SOON));
    pair_await_quiet();
    fake_server_write(two);
    pair_await_quiet();
    fake_server_file_put(two, 1, "first");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    assert_true(fake_server_await(one, 1, "first", PAIR_SOON));
    pair_await_quiet();
    assert_both_run(1, "first");
}

/* A file that the server has written says what a scope has, whatever it would inherit since. */
static void test_what_a_file_of_the_server_s_says_is_served(void **state)
{
    (void)state;
    fake_server_inherit(two, " of two");
    fake_server_file_put(two, 1, "first");
    start_both(NULL);
    assert_true(fake_server_await(one, 1, "first", PAIR_SOON));
    pair_await_quiet();
    fake_server_write(two);
    pair_await_quiet();
    fake_server_stop(two);
    fake_server_inherit(two, " of two since");
    assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
    assert_true(fake_server_await(one, 1, "first of two", PAIR_SOON));
    pair_await_quiet();
    assert_both_run(1, "first of two");
}

static void test_what_a_scope_inherits_is_no_edit_of_it(void **state)
{
    long long sent;

    (void)state;
    fake_server_file_put(one, 1, "words");
    fake_server_file_put(two, 1, "words");
    fake_server_inherit(two, " of two");
    start_both(NULL);
    pair_await_quiet();
    sent = fake_server_status(one, "scopes-sent"); /* at first contact */
    fake_server_stop(two);
    fake_server_inherit(two, " of two since");
    assert_int_equal(fake_server_start(two, NULL), RESULT_OK);
    pair_await_quiet();
    /* With the reload it is seen by what the file says: this one has other words, and the scope the same. */
    fake_server_file_put(two, 1, "words of two since");
    assert_int_equal(fake_server_reload(two, true), RESULT_OK);
    pair_await_quiet();
    assert_both_run(1, "words");
    assert_int_equal(fake_server_status(two, "scopes-sent"), 0);
    assert_int_equal(fake_server_status(one, "scopes-sent"), sent);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)
    const struct CMUnitTest tests[] = {
        TEST(test_a_restart_is_not_an_edit),
        TEST(test_a_scope_removed_at_run_time_stays_away_after_a_restart),
        TEST(test_a_removal_outlives_the_words_that_it_has_outlived_before),
        TEST(test_words_that_were_gone_and_come_again_are_an_edit),
        TEST(test_an_edit_of_the_file_while_down_is_an_edit),
        TEST(test_a_reload_reverts_this_servers_changes_and_keeps_the_partners),
        TEST(test_a_command_s_configuration_is_not_the_file),
        TEST(test_a_file_that_the_server_has_written_is_no_edit),
        TEST(test_what_a_file_of_the_server_s_says_of_what_is_inherited_is_no_edit),
        TEST(test_an_old_print_that_comes_back_is_no_edit),
        TEST(test_what_is_set_again_after_a_config_write_is_no_edit),
        TEST(test_what_a_config_write_wrote_is_no_edit_when_it_is_set),
        TEST(test_a_scope_that_comes_back_into_a_file_of_the_server_s_is_an_edit),
        TEST(test_what_a_file_of_the_server_s_says_is_served),
        TEST(test_what_a_scope_inherits_is_no_edit_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
