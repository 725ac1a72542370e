/* Names are looked up without anybody waiting, however long a name server takes. */
#include "plugin/replication/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_bool held; /* name servers keep silent */
static atomic_int asked, answered;

/* Knows names of digits, as addresses; is silent while it is held. */
static int look_up(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    struct addrinfo numeric = *hints;
    int error;

    asked++;
    while (held)
        usleep(1000);
    numeric.ai_flags = AI_NUMERICHOST;
    error = getaddrinfo(strncmp(host, "six", 3) == 0   ? "2001:db8::1"
                        : strncmp(host, "bad", 3) == 0 ? "?"
                                                       : "192.0.2.1",
                        service, &numeric, found);
    answered++;
    return error;
}

/* Until so many look-ups have begun, on threads that a busy machine may start late; then a moment longer, for one too
 * many. */
static void await_asked(int count)
{
    for (int i = 0; i < 1000 && asked < count; i++)
        usleep(10000);
    usleep(10000);
    assert_int_equal(asked, count);
}

static int set_up(void **state)
{
    (void)state;
    asked = answered = 0;
    held = false;
    resolve_set_lookup(look_up);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    held = false;
    for (int i = 0; i < 1000 && answered < asked; i++)
        usleep(10000);
    resolve_set_lookup(NULL);
    return 0;
}

static int64_t milliseconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The state once it is no longer pending; the caller frees the addresses. */
static enum resolve_state await(const char *host, char **addresses, char reason[RESOLVE_REASON_SIZE])
{
    for (int i = 0; i < 5000; i++) {
        enum resolve_state state = resolve_host(host, addresses, reason);

        if (state != RESOLVE_PENDING)
            return state;
        usleep(1000);
    }
    return RESOLVE_PENDING;
}

static void assert_found(const char *host, const char *expected)
{
    char reason[RESOLVE_REASON_SIZE], *addresses = NULL;

    assert_int_equal(await(host, &addresses, reason), RESOLVE_FOUND);
    assert_string_equal(addresses, expected);
    free(addresses);
}

static void test_what_was_found_is_used_without_another_lookup(void **state)
{
    (void)state;
    assert_found("a.example", "192.0.2.1");
    assert_found("a.example", "192.0.2.1");
    assert_int_equal(asked, 1);
    assert_found("six.example", "[2001:db8::1]");
}

static void test_a_name_that_is_not_known_is_a_failure_with_its_reason(void **state)
{
    char reason[RESOLVE_REASON_SIZE], *addresses = NULL;

    (void)state;
    assert_int_equal(await("bad.example", &addresses, reason), RESOLVE_FAILED);
    assert_non_null(strstr(reason, "not known"));
    assert_null(addresses);
}

static void test_a_silent_name_server_is_not_waited_for(void **state)
{
    char reason[RESOLVE_REASON_SIZE], *addresses = NULL;
    const int64_t begun = milliseconds();

    (void)state;
    held = true;
    for (int i = 0; i < 100; i++)
        assert_int_equal(resolve_host("silent.example", &addresses, reason), RESOLVE_PENDING);
    assert_true(milliseconds() - begun < 1000);
    await_asked(1);
    held = false;
    assert_found("silent.example", "192.0.2.1");
}

static void test_lookups_are_bounded_and_a_known_name_is_served_all_the_same(void **state)
{
    char reason[RESOLVE_REASON_SIZE], *addresses = NULL, host[32];
    int pending = 0, refused = 0;

    (void)state;
    held = true;
    for (int i = 0; i < 2 * RESOLVE_MAX; i++) {
        snprintf(host, sizeof host, "h%d.example", i);
        switch (resolve_host(host, &addresses, reason)) {
        case RESOLVE_PENDING:
            pending++;
            break;
        case RESOLVE_FAILED:
            refused++;
            assert_non_null(strstr(reason, "being looked up"));
            break;
        default:
            fail();
        }
    }
    assert_int_equal(pending, RESOLVE_MAX);
    assert_int_equal(refused, RESOLVE_MAX);
    await_asked(RESOLVE_MAX);
    held = false;
    assert_found("h0.example", "192.0.2.1");
    assert_found("later.example", "192.0.2.1");
}

static void test_doubted_addresses_are_used_until_better_ones_are_known(void **state)
{
    char reason[RESOLVE_REASON_SIZE], *addresses = NULL;

    (void)state;
    assert_found("moved.example", "192.0.2.1");
    held = true;
    resolve_doubt("moved.example");
    assert_int_equal(resolve_host("moved.example", &addresses, reason), RESOLVE_FOUND);
    free(addresses);
    await_asked(2);
}

static void test_a_name_that_is_none_is_not_looked_up(void **state)
{
    char reason[RESOLVE_REASON_SIZE], *addresses = NULL, host[400];

    (void)state;
    memset(host, 'x', sizeof host);
    host[sizeof host - 1] = '\0';
    assert_int_equal(resolve_host(host, &addresses, reason), RESOLVE_FAILED);
    assert_int_equal(resolve_host("", &addresses, reason), RESOLVE_FAILED);
    assert_int_equal(asked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_found_is_used_without_another_lookup, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_name_that_is_not_known_is_a_failure_with_its_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_silent_name_server_is_not_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lookups_are_bounded_and_a_known_name_is_served_all_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_doubted_addresses_are_used_until_better_ones_are_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_name_that_is_none_is_not_looked_up, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
