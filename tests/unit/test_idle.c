/* A reload with a parameter that is wrong: the library loads and replicates nothing, says so on both sides, and goes on
 * once it is mended. A first start is refused. */
#include "locked_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PARAMETERS "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}"
#define MISTYPED   "{\"reconcile-intervall\": 1}"

static void start_pair(void)
{
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(two, 1, "file");
    start_both(PARAMETERS);
    pair_await_quiet();
}

static void assert_refused(const char *command, const char *arguments)
{
    char *answer = fake_server_command(one, command, arguments);

    assert_non_null(answer);
    assert_non_null(strstr(answer, "\"result\":1"));
    assert_non_null(strstr(answer, "reconcile-intervall"));
    free(answer);
}

static void test_a_mistyped_parameter_at_a_reload_is_said_and_costs_only_replication(void **state)
{
    (void)state;
    start_pair();
    fake_server_set_parameters(one, MISTYPED);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_runs(one, 1, "file");
    assert_true(status_has(one, "\"unavailable\""));
    assert_true(status_has(one, "reconcile-intervall"));
    assert_refused("scope-get", "{\"subnet-id\": 1}");
    assert_refused("failover-get-all", NULL);
    await_status_text(two, "\"partner-error\"");
    assert_true(status_has(two, "reconcile-intervall"));
    assert_false(status_has(two, "\"in-sync\""));
    fake_server_command_put(two, 1, "changed meanwhile");
    fake_server_command_put(one, 3, "not heard");
    fake_server_file_put(one, 4, "in the file");
    fake_server_set_parameters(one, PARAMETERS);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    assert_true(fake_server_await(one, 1, "changed meanwhile", PAIR_SOON));
    assert_true(fake_server_await(two, 4, "in the file", PAIR_SOON));
    pair_await_quiet();
    assert_false(status_has(two, "\"partner-error\""));
}

static void test_a_mistyped_parameter_at_a_start_is_refused(void **state)
{
    (void)state;
    assert_int_equal(fake_server_start(one, MISTYPED), RESULT_INVALID);
}

static void test_every_command_of_an_idle_library_is_answered(void **state)
{
    (void)state;
    start_pair();
    fake_server_set_parameters(one, MISTYPED);
    assert_int_equal(fake_server_reload(one, true), RESULT_OK);
    for (size_t i = 0; i < plugin_command_count(); i++) {
        char *answer = fake_server_command(one, plugin_command_name(i), "{}");

        assert_non_null(answer);
        assert_non_null(strstr(answer, "reconcile-intervall"));
        free(answer);
    }
    assert_int_equal(fake_server_reload(one, false), RESULT_OK);
    assert_true(status_has(one, "reconcile-intervall"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_mistyped_parameter_at_a_reload_is_said_and_costs_only_replication),
        TEST(test_a_mistyped_parameter_at_a_start_is_refused),
        TEST(test_every_command_of_an_idle_library_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
