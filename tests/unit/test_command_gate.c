/* Commands on other threads while the main thread takes up a store or a configuration: they are answered, or told to
 * come again, and nobody looks at what is being replaced. Of most use with ThreadSanitizer. */
#include "locked_fixture.h"

#include "failover_sync/command_gate.h"

#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PARAMETERS "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}"
#define CALLERS    4
#define ROUNDS     6

static atomic_bool calling;
static atomic_int answered, sent_away, wrong;

static const char *const commands[][2] = {
    {"failover-status", NULL},
    {"scope-get-all", NULL},
    {"scope-digest", "{\"sender\": \"server2\", \"receiver\": \"server1\", \"from\": 0}"},
    {"failover-get-all", NULL},
    {"scope-receive", "{\"sender\": \"server2\", \"receiver\": \"server1\", \"scopes\": [{\"subnet-id\": 9, "
                      "\"prefix\": \"10.0.9.0/24\", "
                      "\"base\": \"\", \"fingerprint\": \"00000000000000000000000000000001\"}]}"},
};

static void *call_all(void *argument)
{
    (void)argument;
    for (size_t i = 0; calling; i = (i + 1) % (sizeof commands / sizeof commands[0])) {
        char *text = fake_server_command_elsewhere(one, commands[i][0], commands[i][1]);

        if (text == NULL)
            wrong++;
        else if (strstr(text, "in a moment; try again") != NULL)
            sent_away++;
        else
            answered++;
        free(text);
        usleep(500);
    }
    return NULL;
}

static void start_calling(pthread_t threads[CALLERS])
{
    calling = true;
    answered = sent_away = wrong = 0;
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_all, NULL), 0);
}

static void end_calling(pthread_t threads[CALLERS])
{
    calling = false;
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(wrong, 0);
    assert_true(answered > 0);
}

static void drop_store(void)
{
    char command[600];

    snprintf(command, sizeof command, "s='%s'; rm -f $s $s-wal $s-shm", fake_server_store(one));
    assert_int_equal(system(command), 0);
}

static void test_commands_meet_a_store_that_is_taken_up(void **state)
{
    pthread_t threads[CALLERS];

    (void)state;
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(two, 1, "file");
    start_both(PARAMETERS);
    pair_await_quiet();
    start_calling(threads);
    for (int round = 0; round < ROUNDS; round++) {
        drop_store();
        for (int tries = 0; tries < PAIR_SOON / 10 && access(fake_server_store(one), F_OK) != 0; tries++)
            usleep(10000);
        usleep(300000);
    }
    end_calling(threads);
    pair_await_quiet();
    fake_server_command_put(one, 1, "afterwards");
    assert_true(fake_server_await(two, 1, "afterwards", PAIR_SOON));
}

static void test_commands_meet_a_configuration_that_is_loaded(void **state)
{
    pthread_t threads[CALLERS];

    (void)state;
    fake_server_file_put(one, 1, "file");
    start_both(PARAMETERS);
    pair_await_quiet();
    start_calling(threads);
    for (int round = 0; round < 10 * ROUNDS; round++) {
        assert_int_equal(fake_server_load_again(one), RESULT_OK);
        usleep(20000);
    }
    end_calling(threads);
    assert_true(sent_away > 0);
    await_status_text(one, "\"current\"");
}

static void test_nobody_comes_in_while_the_last_one_leaves(void **state)
{
    struct command_gate gate = {.open = false};

    (void)state;
    assert_true(command_gate_init(&gate));
    assert_false(command_gate_enter(&gate));
    command_gate_open(&gate);
    assert_true(command_gate_enter(&gate));
    assert_true(command_gate_enter(&gate));
    assert_false(command_gate_close(&gate));
    assert_false(command_gate_enter(&gate));
    command_gate_leave(&gate);
    assert_false(command_gate_close(&gate));
    command_gate_leave(&gate);
    assert_true(command_gate_close(&gate));
    command_gate_wait(&gate);
    command_gate_destroy(&gate);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_commands_meet_a_store_that_is_taken_up),
        TEST(test_commands_meet_a_configuration_that_is_loaded),
        cmocka_unit_test(test_nobody_comes_in_while_the_last_one_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
