/* A store that another process has locked: the main thread waits a second at most, memory does not grow, nothing is
 * lost, and both sides say how things are. */
#include "locked_fixture.h"

#include <jansson.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PARAMETERS "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}"
#define LOAD_MAX   2000 /* milliseconds: a second for the store, the rest for a busy machine */
#define EDITS      10

/* Scope 1 is in both files, scope 2 in none. */
static void make_history(void)
{
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(two, 1, "file");
    start_both(PARAMETERS);
    pair_await_quiet();
    fake_server_command_put(two, 1, "newer");
    fake_server_command_put(two, 2, "in no file");
    assert_true(fake_server_await(one, 1, "newer", PAIR_SOON));
    assert_true(fake_server_await(one, 2, "in no file", PAIR_SOON));
    pair_await_quiet();
}

static void assert_reloads_quickly(struct fake_server *server)
{
    const long long begun = now_ms();

    assert_int_equal(fake_server_reload(server, true), RESULT_OK);
    if (now_ms() - begun > LOAD_MAX)
        fail_msg("the load took %lld ms", now_ms() - begun);
}

static void test_a_load_waits_a_second_at_most_for_a_store_that_is_locked(void **state)
{
    sqlite3 *other;

    (void)state;
    make_history();
    other = lock_store(fake_server_store(one), LOCK_WRITING);
    for (uint32_t i = 0; i < EDITS; i++) {
        fake_server_command_put(one, 10 + i, "edited");
        fake_server_file_put(one, 10 + i, "edited");
    }
    assert_reloads_quickly(one);
    assert_reloads_quickly(one);
    /* What the store has newer than the file is served all the same. */
    assert_runs(one, 1, "newer");
    assert_runs(one, 2, "in no file");
    assert_runs(one, 10, "edited");
    unlock_store(other);
    for (uint32_t i = 0; i < EDITS; i++)
        assert_true(fake_server_await(two, 10 + i, "edited", PAIR_SOON));
    pair_await_quiet();
    assert_both_run(1, "newer");
    assert_both_run(2, "in no file");
    await_status_text(one, "\"current\"");
}

static void test_a_change_of_the_file_under_a_locked_store_is_found_afterwards(void **state)
{
    sqlite3 *other;

    (void)state;
    make_history();
    other = lock_store(fake_server_store(one), LOCK_WRITING);
    for (int i = 0; i < 3; i++) {
        char words[16];

        snprintf(words, sizeof words, "step %d", i);
        fake_server_file_put(one, 1, words);
        fake_server_file_put(one, 3, i == 1 ? NULL : words);
        assert_reloads_quickly(one);
    }
    unlock_store(other);
    assert_true(fake_server_await(two, 1, "step 2", PAIR_SOON));
    assert_true(fake_server_await(two, 3, "step 2", PAIR_SOON));
    pair_await_quiet();
    assert_both_run(2, "in no file");
    /* And it is recorded: a restart is no edit. */
    fake_server_command_put(two, 1, "the partner's");
    assert_true(fake_server_await(one, 1, "the partner's", PAIR_SOON));
    pair_await_quiet();
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    pair_await_quiet();
    assert_both_run(1, "the partner's");
}

static void test_leaving_a_locked_store_takes_a_second_at_most(void **state)
{
    sqlite3 *other;
    long long begun;

    (void)state;
    make_history();
    other = lock_store(fake_server_store(one), LOCK_WRITING);
    for (uint32_t i = 0; i < EDITS; i++)
        fake_server_command_put(one, 10 + i, "edited");
    begun = now_ms();
    fake_server_stop(one);
    assert_true(now_ms() - begun < LOAD_MAX);
    unlock_store(other);
}

static void test_what_is_served_without_a_store_is_said_on_both_sides(void **state)
{
    sqlite3 *other;

    (void)state;
    make_history();
    fake_server_stop(one);
    other = lock_store(fake_server_store(one), LOCK_ALL);
    assert_int_equal(fake_server_start(one, PARAMETERS), RESULT_OK);
    assert_reloads_quickly(one);
    assert_runs(one, 1, "file");
    await_status_text(one, "store unusable: ");
    await_status_text(one, "Clients are served from the configuration file; nothing is replicated");
    assert_false(status_has(one, "\"queued\""));
    assert_false(status_has(one, "\"in-sync\""));
    assert_false(status_has(one, "\"scopes\""));
    /* The partner does not say that it is in sync with older scopes. */
    await_status_text(two, "\"partner-error\"");
    assert_true(status_has(two, "served from the configuration file"));
    assert_false(status_has(two, "\"in-sync\""));
    unlock_store(other);
    assert_true(fake_server_await(one, 1, "newer", PAIR_SOON));
    pair_await_quiet();
    assert_false(status_has(two, "\"partner-error\""));
    assert_both_run(2, "in no file");
}

static void test_a_store_that_can_be_opened_and_not_written_is_not_taken_up_again_and_again(void **state)
{
    long long longest = 0, until;
    sqlite3 *other;

    (void)state;
    make_history();
    fake_server_stop(one);
    other = lock_store(fake_server_store(one), LOCK_ALL);
    assert_int_equal(fake_server_start(one, PARAMETERS), RESULT_OK);
    await_status_text(one, "unavailable");
    unlock_store(other);
    other = lock_store(fake_server_store(one), LOCK_WRITING);
    for (until = now_ms() + 4000; now_ms() < until;) {
        const long long begun = now_ms();

        free(fake_server_words(one, 1));
        if (now_ms() - begun > longest)
            longest = now_ms() - begun;
    }
    unlock_store(other);
    if (longest > 1000)
        fail_msg("the main thread was held for %lld ms", longest);
    assert_true(fake_server_await(one, 1, "newer", PAIR_SOON));
    pair_await_quiet();
}

static void test_what_is_not_known_before_the_configuration_is_mirrored_is_not_said(void **state)
{
    sqlite3 *other;

    (void)state;
    make_history();
    fake_server_stop(one);
    other = lock_store(fake_server_store(one), LOCK_WRITING);
    fake_server_file_put(one, 5, "waits to be mirrored");
    assert_int_equal(fake_server_start(one, PARAMETERS), RESULT_OK);
    assert_true(status_has(one, "\"starting\""));
    assert_false(status_has(one, "\"queued\""));
    assert_false(status_has(one, "\"out-of-sync\""));
    assert_false(status_has(one, "\"scopes\""));
    assert_true(status_has(one, "\"partner\""));
    await_status_text(one, "\"unavailable\"");
    assert_false(status_has(one, "\"queued\""));
    unlock_store(other);
    await_status_text(one, "\"current\"");
    assert_true(status_has(one, "\"queued\""));
    assert_true(fake_server_await(two, 5, "waits to be mirrored", PAIR_SOON));
    pair_await_quiet();
}

#define CHANGED 64   /* scopes */
#define CHANGES 2500 /* of them, in turn */
#define WORDS   20000

static void test_changes_that_wait_for_the_store_do_not_fill_the_memory(void **state)
{
    char *words = malloc(WORDS + 1);
    size_t before, grown;
    sqlite3 *other;

    (void)state;
    assert_non_null(words);
    memset(words, 'w', WORDS);
    words[WORDS] = '\0';
    make_history();
    other = lock_store(fake_server_store(one), LOCK_WRITING);
    before = mallinfo2().uordblks;
    for (int i = 0; i < CHANGES; i++) {
        char number[8];

        snprintf(number, sizeof number, "%06d", i);
        memcpy(words, number, 6);
        fake_server_command_put(one, 100 + (uint32_t)(i % CHANGED), words);
    }
    grown = mallinfo2().uordblks - before;
    /* Two texts each would be a hundred megabytes. */
    if (grown > 30000000)
        fail_msg("%zu bytes more are in use", grown);
    unlock_store(other);
    for (int i = CHANGES - CHANGED; i < CHANGES; i++) {
        char number[8];

        snprintf(number, sizeof number, "%06d", i);
        memcpy(words, number, 6);
        assert_true(fake_server_await(two, 100 + (uint32_t)(i % CHANGED), words, 3 * PAIR_SOON));
    }
    pair_await_quiet();
    /* And what changes then is kept as before. */
    fake_server_command_put(one, 1, "afterwards");
    assert_true(fake_server_await(two, 1, "afterwards", PAIR_SOON));
    pair_await_quiet();
    free(words);
}

#define REQUESTS 1200 /* more than may wait for the worker */

static void test_requests_that_wait_for_the_store_are_refused_at_some_number(void **state)
{
    static const char wanted[] =
        "{\"sender\": \"server2\", \"receiver\": \"server1\", \"wanted\": [{\"subnet-id\": 1}]}";
    int refused = 0;
    sqlite3 *other;

    (void)state;
    make_history();
    other = lock_store(fake_server_store(one), LOCK_WRITING);
    for (int i = 0; i < REQUESTS; i++) {
        char *answer = fake_server_command(one, "scope-digest", wanted);

        refused += strstr(answer, "try again later") != NULL;
        free(answer);
    }
    unlock_store(other);
    assert_in_range(refused, 1, REQUESTS - 1000);
    fake_server_command_put(one, 1, "afterwards");
    assert_true(fake_server_await(two, 1, "afterwards", PAIR_SOON));
    pair_await_quiet();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_load_waits_a_second_at_most_for_a_store_that_is_locked),
        TEST(test_a_change_of_the_file_under_a_locked_store_is_found_afterwards),
        TEST(test_leaving_a_locked_store_takes_a_second_at_most),
        TEST(test_what_is_served_without_a_store_is_said_on_both_sides),
        TEST(test_a_store_that_can_be_opened_and_not_written_is_not_taken_up_again_and_again),
        TEST(test_what_is_not_known_before_the_configuration_is_mirrored_is_not_said),
        TEST(test_changes_that_wait_for_the_store_do_not_fill_the_memory),
        TEST(test_requests_that_wait_for_the_store_are_refused_at_some_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
