/* Scopes of which the server does not print all: they are out of sync, stay where they are, and stop nothing else. */
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

#define QUICK  "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}"
#define REASON "Kea does not print its \"$\" as it is: 24"

static void test_the_reason_is_found_in_front_alone(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"{ \"incomplete\": \"Kea does not print x as it is: 1\", \"subnet4\": {} }",
         "Kea does not print x as it is: 1"},
        {"{ \"incomplete\": \"a \\\"b\\\" c\\\\\" }", "a \"b\" c\\"},
        {"{ \"incomplete\": \"not ended", "not ended"},
        {"{ \"incomplete\": 1 }", NULL},
        {"{ \"subnet4\": { \"user-context\": { \"incomplete\": \"x\" } } }", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    char reason[KEA_UNPRINTED_SIZE], longer[400] = "{ \"incomplete\": \"";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(kea_object_unprinted(cases[i].text, reason), cases[i].reason != NULL);
        assert_string_equal(reason, cases[i].reason == NULL ? "" : cases[i].reason);
    }
    memset(longer + strlen(longer), 'x', 300);
    assert_true(kea_object_unprinted(longer, reason));
    assert_int_equal(strlen(reason), KEA_UNPRINTED_SIZE - 1);
}

static void test_what_kea_prints_is_accepted_or_not(void **state)
{
    static const char *const good[] = {"1.5", "\"a\\u0000b\"", "\"\\u00c3\"", "{ \"a\": true }", "[  ]", "null"};
    static const char *const bad[] = {
        "1e-07.0", "{ \"a\"b\": true }", "{ \"a\\u0000\": true }", "123456789012345678901", "inf", ""};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(kea_json_accepted(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(kea_json_accepted(bad[i]));
}

/* What scope-get shows of a scope, "STATUS: REASON"; the caller frees it. */
static char *state_of(struct fake_server *server, int subnet_id)
{
    char arguments[40], *answer, *text = NULL;
    const json_t *scope;
    json_t *root;

    snprintf(arguments, sizeof arguments, "{\"subnet-id\": %d}", subnet_id);
    answer = fake_server_command(server, "scope-get", arguments);
    root = json_loads(answer, 0, NULL);
    scope = json_object_get(json_object_get(root, "arguments"), "scope");
    if (asprintf(&text, "%s: %s", json_string_value(json_object_get(scope, "sync-status")),
                 json_string_value(json_object_get(scope, "sync-reason"))) < 0)
        abort();
    json_decref(root);
    free(answer);
    return text;
}

static void await_state(struct fake_server *server, int subnet_id, const char *wanted)
{
    char *state = NULL;

    for (int waited = 0; waited < PAIR_SOON; waited += 20) {
        free(state);
        state = state_of(server, subnet_id);
        if (strcmp(state, wanted) == 0)
            break;
        usleep(20000);
    }
    assert_string_equal(state, wanted);
    free(state);
}

static void test_it_is_not_sent_and_both_say_why(void **state)
{
    char *batch;

    (void)state;
    fake_server_file_put(one, 1, "whole");
    start_both(QUICK);
    assert_true(fake_server_await(two, 1, "whole", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(one, 1, "more $");
    fake_server_command_put(one, 2, "beside it");
    assert_true(fake_server_await(two, 2, "beside it", PAIR_SOON));
    await_state(one, 1, "OutOfSync: " REASON);
    await_state(two, 1, "OutOfSync: server1: " REASON);
    assert_runs(two, 1, "whole");
    batch = fake_server_batch(two);
    assert_non_null(batch);
    assert_null(strstr(batch, "more $"));
    free(batch);
    fake_server_command_put(one, 1, "whole again");
    assert_true(fake_server_await(two, 1, "whole again", PAIR_SOON));
    pair_await_quiet();
}

static void test_the_partner_neither_overwrites_nor_removes_it(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "whole");
    start_both(QUICK);
    assert_true(fake_server_await(two, 1, "whole", PAIR_SOON));
    pair_await_quiet();
    fake_server_command_put(two, 1, "more $");
    await_state(two, 1, "OutOfSync: " REASON);
    fake_server_command_put(one, 1, "other");
    await_state(one, 1, "OutOfSync: server2 refused it: server2 keeps the version that it has: " REASON);
    assert_runs(two, 1, "more $");
    fake_server_command_put(one, 1, NULL);
    usleep(500000);
    assert_runs(two, 1, "more $");
    await_state(two, 1, "OutOfSync: " REASON);
}

static void test_a_restart_neither_puts_it_back_nor_forgets_why(void **state)
{
    (void)state;
    fake_server_file_put(one, 1, "more $");
    fake_server_file_put(one, 2, "whole");
    start_both(QUICK);
    await_state(one, 1, "OutOfSync: " REASON);
    fake_server_command_put(one, 2, "more $ at run time");
    await_state(one, 2, "OutOfSync: " REASON);
    fake_server_stop(one);
    assert_int_equal(fake_server_start(one, QUICK), RESULT_OK);
    await_state(one, 1, "OutOfSync: " REASON);
    assert_runs(one, 2, "whole");
    assert_runs(two, 1, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_reason_is_found_in_front_alone),
        cmocka_unit_test(test_what_kea_prints_is_accepted_or_not),
        cmocka_unit_test_setup_teardown(test_it_is_not_sent_and_both_say_why, pair_make, pair_drop),
        cmocka_unit_test_setup_teardown(test_the_partner_neither_overwrites_nor_removes_it, pair_make, pair_drop),
        cmocka_unit_test_setup_teardown(test_a_restart_neither_puts_it_back_nor_forgets_why, pair_make, pair_drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
