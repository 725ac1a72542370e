/* Which way a partner is served: the best it can do of what is allowed, and what is said when there is none. */
#include "way_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ANY_KEA "'config-get', 'config-set', 'config-test', 'list-commands', 'version-get'"
#define SUBNET_COMMANDS                                                                                                \
    ", 'subnet4-get', 'subnet4-list', 'subnet4-add', 'subnet4-update', 'subnet4-del', 'network4-get', "                \
    "'network4-add', "                                                                                                 \
    "'network4-del', 'network4-subnet-add', 'network4-subnet-del'"

static int set_up(void **state)
{
    (void)state;
    way_fixture_set_up("server1", NULL);
    run.choice = (struct way_choice){.chosen = APPLY_WAYS};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    way_fixture_tear_down();
    return 0;
}

/* Asks, and is told `answer` (JSON with ' for "). */
static enum way_next ask(const char *answer)
{
    const struct way_input begin = {.event = WAY_BEGIN};
    json_t *value = way_fixture_json(answer), *request;
    char *text = json_dumps(value, 0);
    struct way_input input = {.event = WAY_ANSWERED, .text = text, .length = strlen(text)};
    struct way_step step = way_ask.advance(&run, &begin);

    assert_int_equal(step.next, WAY_SEND);
    request = json_loads(step.request, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(request, "command")), "list-commands");
    json_decref(request);
    free(step.request);
    step = way_ask.advance(&run, &input);
    json_decref(value);
    free(text);
    return step.next;
}

/* The word of the way that is picked, or "none". */
static const char *picked(const char *apply, struct result *why)
{
    char text[200];
    struct parameters parameters;
    enum apply_way way;

    snprintf(text, sizeof text, "{\"apply\": %s}", apply);
    assert_int_equal(parameters_parse(apply == NULL ? NULL : text, "dhcp4", &parameters).code, RESULT_OK);
    way = way_pick(&parameters, &run.choice, "server2", why);
    parameters_clear(&parameters);
    return way == APPLY_WAYS ? "none" : parameters_apply_word(way);
}

static void test_the_best_way_that_is_known_there_is_taken(void **state)
{
    struct result why;

    (void)state;
    assert_int_equal(ask("[{'result': 0, 'arguments': [" ANY_KEA SUBNET_COMMANDS ", 'scope-receive']}]"), WAY_DONE);
    assert_true(run.choice.asked && run.choice.listed);
    assert_string_equal(picked(NULL, &why), "scope-receive");
    assert_int_equal(ask("[{'result': 0, 'arguments': [" ANY_KEA SUBNET_COMMANDS "]}]"), WAY_DONE);
    assert_string_equal(picked(NULL, &why), "subnet-commands");
    assert_int_equal(ask("{'result': 0, 'arguments': [" ANY_KEA "]}"), WAY_DONE);
    assert_string_equal(picked(NULL, &why), "config-set");
}

static void test_half_a_library_is_none(void **state)
{
    struct result why;

    (void)state;
    assert_int_equal(ask("[{'result': 0, 'arguments': [" ANY_KEA ", 'subnet4-get', 'subnet4-add', 'subnet4-del']}]"),
                     WAY_DONE);
    assert_string_equal(picked(NULL, &why), "config-set");
}

static void test_what_is_left_out_is_forbidden(void **state)
{
    struct result why;

    (void)state;
    assert_int_equal(ask("[{'result': 0, 'arguments': [" ANY_KEA SUBNET_COMMANDS ", 'scope-receive']}]"), WAY_DONE);
    assert_string_equal(picked("[\"subnet-commands\", \"config-set\"]", &why), "subnet-commands");
    /* The order in which they are written says nothing. */
    assert_string_equal(picked("[\"config-set\", \"subnet-commands\"]", &why), "subnet-commands");
    assert_string_equal(picked("[\"config-set\"]", &why), "config-set");
}

static void test_without_a_way_the_reason_names_what_is_lacking_and_the_remedy(void **state)
{
    struct result why;

    (void)state;
    assert_int_equal(ask("[{'result': 0, 'arguments': [" ANY_KEA "]}]"), WAY_DONE);
    assert_string_equal(picked("[\"scope-receive\"]", &why), "none");
    assert_string_equal(why.message,
                        "server2 does not know scope-receive: load libdhcp_failover_sync.so there, or allow "
                        "config-set");
    assert_string_equal(picked("[\"scope-receive\", \"subnet-commands\"]", &why), "none");
    assert_string_equal(why.message,
                        "server2 does not know scope-receive, subnet4-update: load libdhcp_failover_sync.so "
                        "there, or allow config-set");
    assert_int_equal(ask("[{'result': 0, 'arguments': [" ANY_KEA SUBNET_COMMANDS "]}]"), WAY_DONE);
    assert_string_equal(picked("[\"scope-receive\"]", &why), "none");
    assert_non_null(strstr(why.message, "or allow subnet-commands"));
    assert_int_equal(ask("[{'result': 0, 'arguments': ['list-commands']}]"), WAY_DONE);
    assert_string_equal(picked(NULL, &why), "none");
    assert_string_equal(why.message, "server2 does not know scope-receive, subnet4-update, config-set: load "
                                     "libdhcp_failover_sync.so there");
}

/* A listener may keep list-commands to itself, and take scope-receive all the same. */
static void test_a_partner_that_does_not_tell_is_tried_the_best_way(void **state)
{
    const struct result forbidden = result_error(RESULT_REFUSED, "HTTP 403"), gone = result_error(RESULT_NETWORK, "x");
    const struct way_input refused = {.event = WAY_LOST, .why = &forbidden, .http_status = 403};
    const struct way_input wrong = {.event = WAY_LOST, .why = &forbidden, .http_status = 401};
    const struct way_input lost = {.event = WAY_LOST, .why = &gone};
    struct result why;

    (void)state;
    assert_int_equal(ask("[{'result': 2, 'text': 'not supported'}]"), WAY_DONE);
    assert_string_equal(picked(NULL, &why), "scope-receive");
    assert_int_equal(ask("[{'result': 0, 'arguments': {'a': 1}}]"), WAY_DONE);
    assert_string_equal(picked(NULL, &why), "scope-receive");
    run.choice.asked = false;
    assert_int_equal(way_ask.advance(&run, &refused).next, WAY_DONE);
    assert_true(run.choice.asked);
    assert_string_equal(picked(NULL, &why), "scope-receive");
    assert_string_equal(picked("[\"config-set\"]", &why), "none");
    run.choice.refused[APPLY_SCOPE_RECEIVE] = true;
    assert_string_equal(picked(NULL, &why), "none");

    run.choice.asked = false;
    assert_int_equal(way_ask.advance(&run, &lost).next, WAY_FAILED);
    assert_int_equal(way_ask.advance(&run, &wrong).next, WAY_FAILED);
    assert_false(run.choice.asked);
}

static void test_a_way_that_failed_is_not_taken_again(void **state)
{
    struct result why;

    (void)state;
    assert_int_equal(ask("[{'result': 0, 'arguments': [" ANY_KEA SUBNET_COMMANDS ", 'scope-receive']}]"), WAY_DONE);
    run.choice.refused[APPLY_SCOPE_RECEIVE] = true;
    assert_string_equal(picked(NULL, &why), "subnet-commands");
    run.choice.refused[APPLY_SUBNET_COMMANDS] = true;
    assert_string_equal(picked(NULL, &why), "config-set");
}

/* A control agent speaks for a server that is down. */
static void test_what_is_no_answer_is_a_failure(void **state)
{
    (void)state;
    assert_int_equal(ask("[{'result': 1, 'text': 'The server is likely to be offline.'}]"), WAY_FAILED);
    assert_int_equal(ask("[]"), WAY_FAILED);
    assert_int_equal(ask("{'arguments': []}"), WAY_FAILED);
    assert_int_equal(ask("[{'result': 'x'}]"), WAY_FAILED);
    assert_false(run.choice.asked);
}

/* Whoever gets between the two could answer a config-get. */
static void test_with_a_secret_only_what_is_sealed_is_spoken(void **state)
{
    struct result why;

    (void)state;
    run.choice.sealed = true;
    assert_int_equal(ask("{'result': 0, 'arguments': [" ANY_KEA SUBNET_COMMANDS "]}"), WAY_DONE);
    assert_string_equal(picked(NULL, &why), "none");
    assert_non_null(strstr(why.message, "shared-secret-file"));
    assert_int_equal(ask("{'result': 0, 'arguments': [" ANY_KEA ", 'scope-receive']}"), WAY_DONE);
    assert_string_equal(picked(NULL, &why), "scope-receive");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_best_way_that_is_known_there_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_half_a_library_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_left_out_is_forbidden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_way_the_reason_names_what_is_lacking_and_the_remedy, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_partner_that_does_not_tell_is_tried_the_best_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_way_that_failed_is_not_taken_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_answer_is_a_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_with_a_secret_only_what_is_sealed_is_spoken, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
