/* What happens when a server has lost its store or got an old one back: the two find out by themselves and agree again.
 */
#include "pair_fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void start(struct fake_server *server)
{
    assert_int_equal(
        fake_server_start(server, "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}"),
        RESULT_OK);
}

/* `how` says what is done with the three files of a server's store. */
static void with_store(struct fake_server *server, const char *how, const char *with)
{
    char command[700];
    const char *store = fake_server_store(server);

    snprintf(command, sizeof command, "for s in '' -wal -shm; do %s '%s'$s %s%s || true; done 2>/dev/null", how, store,
             with, with[0] == '\0' ? "" : "$s");
    assert_int_equal(system(command), 0);
}

static void drop_store(struct fake_server *server)
{
    with_store(server, "rm -f", "");
}

/* Scope 1 is in both files as "file"; its version is then "newer" on both, and scope 2 is on both but in no file. */
static void make_history(struct fake_server *editor)
{
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(two, 1, "file");
    start(one);
    start(two);
    pair_await_quiet();
    fake_server_command_put(editor, 1, "newer");
    fake_server_command_put(editor, 2, "in no file");
    assert_true(fake_server_await(editor == one ? two : one, 1, "newer", PAIR_SOON));
    assert_true(fake_server_await(editor == one ? two : one, 2, "in no file", PAIR_SOON));
    pair_await_quiet();
}

static void assert_history_is_back(void)
{
    assert_true(fake_server_await(one, 1, "newer", PAIR_SOON));
    assert_true(fake_server_await(two, 1, "newer", PAIR_SOON));
    assert_true(fake_server_await(one, 2, "in no file", PAIR_SOON));
    assert_true(fake_server_await(two, 2, "in no file", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_secondary_that_lost_its_store_gets_it_back_from_its_partner(void **state)
{
    (void)state;
    make_history(one);
    fake_server_stop(two);
    drop_store(two);
    start(two);
    assert_history_is_back();
}

static void test_a_primary_that_lost_its_store_gets_it_back_from_its_partner(void **state)
{
    (void)state;
    make_history(two);
    fake_server_stop(one);
    drop_store(one);
    start(one);
    assert_history_is_back();
}

/* Both versions wait for a person; then the partner has another one than the one that this server knows. */
static void test_a_conflict_that_waits_is_told_to_a_partner_that_lost_its_store(void **state)
{
    static const char parameters[] =
        "{\"conflict\": \"hold\", \"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}";

    (void)state;
    fake_server_file_put(one, 1, "of one");
    fake_server_file_put(two, 1, "of two");
    start_both(parameters);
    fake_server_command_put(two, 1, "newer");
    assert_true(fake_server_await_status(one, "out-of-sync", 1, PAIR_SOON));
    assert_true(fake_server_await_status(two, "out-of-sync", 1, PAIR_SOON));
    (void)usleep(1500000); /* each has the other's version by then: they compare once a second */
    fake_server_stop(two);
    drop_store(two);
    assert_int_equal(fake_server_start(two, parameters), RESULT_OK);
    /* Once each has told the other, there is nothing left to tell. */
    assert_false(fake_server_await_status(one, "scopes-received", 6, 6000));
    assert_runs(one, 1, "of one");
    assert_runs(two, 1, "of two");
}

static void test_a_removal_that_was_forgotten_is_no_conflict_with_what_comes_after_it(void **state)
{
    (void)state;
    make_history(one);
    fake_server_command_put(one, 2, NULL);
    assert_true(fake_server_await(two, 2, "", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(two);
    drop_store(two);
    start(two);
    assert_true(fake_server_await(two, 1, "newer", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(two, 2, "again");
    assert_true(fake_server_await(one, 2, "again", PAIR_SOON));
    pair_await_quiet();
    assert_true(fake_server_await(two, 2, "again", 0));
}

/* The same, but the partner that remembers the removal is the one that finds the difference. */
static void test_a_removal_that_was_forgotten_is_not_made_again(void **state)
{
    (void)state;
    make_history(one);
    fake_server_command_put(one, 2, NULL);
    assert_true(fake_server_await(two, 2, "", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(two);
    drop_store(two);
    start(two);
    assert_true(fake_server_await(two, 1, "newer", PAIR_SOON));
    pair_await_quiet();
    fake_server_set_reachable(one, false);
    fake_server_command_put(two, 2, "again");
    assert_false(fake_server_await(two, 2, "", 2500)); /* two comparisons */
    fake_server_set_reachable(one, true);
    assert_true(fake_server_await(one, 2, "again", PAIR_SOON));
    pair_await_quiet();
    assert_runs(two, 2, "again");
}

static void test_both_stores_lost_leave_what_the_files_say(void **state)
{
    (void)state;
    make_history(one);
    fake_server_stop(one);
    fake_server_stop(two);
    drop_store(one);
    drop_store(two);
    start(one);
    start(two);
    assert_true(fake_server_await(one, 1, "file", PAIR_SOON));
    assert_true(fake_server_await(two, 1, "file", PAIR_SOON));
    pair_await_quiet();
}

static void test_an_edit_after_the_loss_is_not_taken_back(void **state)
{
    (void)state;
    make_history(two);
    fake_server_stop(one);
    fake_server_stop(two);
    drop_store(one);
    start(one);
    fake_server_command_put(one, 1, "edited since");
    start(two);
    /* Both have a version of their own now: one of them counts on both, and the other is kept. */
    pair_await_quiet();
    for (int tries = 0; tries < 200; tries++) {
        char *first = fake_server_words(one, 1), *second = fake_server_words(two, 1);
        bool same = strcmp(first, second) == 0;

        free(first);
        free(second);
        if (same)
            return;
        usleep(50000);
    }
    fail_msg("the two do not agree");
}

static void test_an_old_store_that_was_put_back_is_found_and_settled(void **state)
{
    char old[128];

    (void)state;
    snprintf(old, sizeof old, "%s/old.db", pair_folder);
    make_history(one);
    fake_server_stop(two);
    with_store(two, "cp", old);
    start(two);
    pair_await_quiet();
    fake_server_command_put(one, 1, "newest");
    fake_server_command_put(one, 3, "third");
    assert_true(fake_server_await(two, 1, "newest", PAIR_SOON));
    assert_true(fake_server_await(two, 3, "third", PAIR_SOON));
    pair_await_quiet();
    fake_server_stop(two);
    drop_store(two);
    snprintf(old, sizeof old, "%s", pair_folder);
    {
        char command[500];

        snprintf(command, sizeof command,
                 "for s in '' -wal -shm; do test ! -e '%s/old.db'$s || cp '%s/old.db'$s '%s'$s; done", pair_folder,
                 pair_folder, fake_server_store(two));
        assert_int_equal(system(command), 0);
    }
    start(two);
    assert_true(fake_server_await(two, 1, "newest", PAIR_SOON));
    assert_true(fake_server_await(two, 3, "third", PAIR_SOON));
    assert_true(fake_server_await(one, 1, "newest", PAIR_SOON));
    pair_await_quiet();
}

static void test_a_removal_is_not_undone_by_a_partner_that_was_away(void **state)
{
    (void)state;
    make_history(one);
    fake_server_set_reachable(two, false);
    fake_server_command_put(one, 2, NULL);
    usleep(1500000); /* time for two reconciliations that must not bring it back */
    fake_server_set_reachable(two, true);
    assert_true(fake_server_await(two, 2, "", PAIR_SOON));
    assert_true(fake_server_await(one, 2, "", PAIR_SOON));
    pair_await_quiet();
}

/* What it finds configured is older than what both had when the partner removed the scope, whoever is asked first. */
static void test_a_removal_is_not_undone_by_a_primary_that_lost_its_store(void **state)
{
    (void)state;
    make_history(one);
    fake_server_stop(one);
    drop_store(one);
    fake_server_file_put(one, 1, "newer"); /* what both had, but nobody's edit any more */
    fake_server_set_reachable(one, false);
    fake_server_command_put(two, 1, NULL);
    assert_true(fake_server_await_status(two, "queued", 1, PAIR_SOON));
    start(one);
    assert_runs(one, 1, "newer");
    assert_true(fake_server_await_status(one, "queued", 0, PAIR_SOON));
    assert_runs(two, 1, "");
    fake_server_set_reachable(one, true);
    assert_true(fake_server_await(one, 1, "", PAIR_SOON));
    pair_await_quiet();
    assert_runs(two, 1, "");
}

static void execute(struct fake_server *server, const char *sql)
{
    sqlite3 *store = NULL;

    assert_int_equal(sqlite3_open(fake_server_store(server), &store), SQLITE_OK);
    if (sqlite3_exec(store, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(store));
    (void)sqlite3_close(store);
}

/* However it came to that: the primary says which it is. */
static void test_a_scope_that_is_there_and_removed_in_one_version_is_settled(void **state)
{
    struct fake_server *removers[] = {two, one};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        start(one);
        start(two);
        fake_server_command_put(one, 1, "there");
        assert_true(fake_server_await(two, 1, "there", PAIR_SOON));
        pair_await_quiet();
        fake_server_stop(one);
        fake_server_stop(two);
        execute(removers[i], "UPDATE ObjectVersions SET Removed = 1 WHERE ObjectId = 1 AND ServerRecordId = "
                             "(SELECT RecordId FROM ADM_DHCPServersTable WHERE IsLocal = 1)");
        execute(removers[i], "DELETE FROM ADM_DHCPScopesTable WHERE SubnetId = 1 AND DHCPServerRecordId = "
                             "(SELECT RecordId FROM ADM_DHCPServersTable WHERE IsLocal = 1)");
        start(one);
        start(two);
        assert_runs(removers[i], 1, "");
        assert_true(fake_server_await(removers[1 - i], 1, i == 0 ? "there" : "", PAIR_SOON));
        assert_true(fake_server_await(removers[i], 1, i == 0 ? "there" : "", PAIR_SOON));
        pair_await_quiet();
        fake_server_stop(one);
        fake_server_stop(two);
    }
}

static void test_two_that_agree_exchange_a_digest_and_nothing_else(void **state)
{
    long long pushes;

    (void)state;
    make_history(one);
    pushes = fake_server_status(one, "pushes") + fake_server_status(two, "pushes");
    usleep(2500000);
    assert_int_equal(fake_server_status(one, "pushes") + fake_server_status(two, "pushes"), pushes);
}

static atomic_int pages; /* of a list without an end that were asked for */

/* A partner whose list has no scopes, but always one page more. */
static char *answer_with_an_empty_page(char *answer)
{
    free(answer);
    pages++;
    return strdup("{\"result\": 0, \"text\": \"\", \"arguments\": {\"equal\": false, \"next\": 4294967295}}");
}

/* The same with one scope on the first page, so that the list is not empty. */
static char *answer_with_one_scope(char *answer)
{
    free(answer);
    return strdup(pages++ < 2
                      ? "{\"result\": 0, \"text\": \"\", \"arguments\": {\"equal\": false, \"next\": 2, \"scopes\": "
                        "[{\"subnet-id\": 1, \"prefix\": \"10.0.1.0/24\", \"removed\": false}]}}"
                      : "{\"result\": 0, \"text\": \"\", \"arguments\": {\"equal\": false, \"next\": 2}}");
}

static void test_a_list_without_an_end_is_not_read_for_ever(void **state)
{
    fake_server_tamper *const lists[] = {answer_with_an_empty_page, answer_with_one_scope};

    (void)state;
    make_history(one);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        pages = 0;
        fake_server_set_tamper(two, lists[i]);
        for (int waited = 0; pages < 3 && waited < PAIR_SOON; waited += 5)
            usleep(5000);
        usleep(500000);
        assert_in_range(pages, 3, 12);
        fake_server_set_tamper(two, NULL);
        fake_server_command_put(one, 1, lists[i] == answer_with_one_scope ? "after one scope" : "after none");
        assert_true(
            fake_server_await(two, 1, lists[i] == answer_with_one_scope ? "after one scope" : "after none", PAIR_SOON));
        pair_await_quiet();
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)
    const struct CMUnitTest tests[] = {
        TEST(test_a_secondary_that_lost_its_store_gets_it_back_from_its_partner),
        TEST(test_a_primary_that_lost_its_store_gets_it_back_from_its_partner),
        TEST(test_a_removal_that_was_forgotten_is_no_conflict_with_what_comes_after_it),
        TEST(test_a_removal_that_was_forgotten_is_not_made_again),
        TEST(test_a_conflict_that_waits_is_told_to_a_partner_that_lost_its_store),
        TEST(test_both_stores_lost_leave_what_the_files_say),
        TEST(test_an_edit_after_the_loss_is_not_taken_back),
        TEST(test_an_old_store_that_was_put_back_is_found_and_settled),
        TEST(test_a_removal_is_not_undone_by_a_partner_that_was_away),
        TEST(test_a_removal_is_not_undone_by_a_primary_that_lost_its_store),
        TEST(test_a_scope_that_is_there_and_removed_in_one_version_is_settled),
        TEST(test_two_that_agree_exchange_a_digest_and_nothing_else),
        TEST(test_a_list_without_an_end_is_not_read_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
