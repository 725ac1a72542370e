/* JSON texts from outside are measured before anything parses them. */
#include "failover_sync/engine.h"
#include "failover_sync/json_bounds.h"
#include "failover_sync/json_load.h"
#include "failover_sync/trust.h"

#include "pair_fixture.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct json_bounds wide = {.depth = 1000000, .values = 100000000, .bytes = 100000000};

static struct json_bounds measured(const char *text)
{
    struct json_bounds found;

    assert_true(json_measure(text, strlen(text), &wide, &found));
    return found;
}

/* `count` copies of `part` between `begin` and `end`. */
static char *repeated(const char *begin, const char *part, size_t count, const char *end)
{
    const size_t length = strlen(part);
    char *text = malloc(strlen(begin) + length * count + strlen(end) + 1);
    char *at = text;

    assert_non_null(text);
    at = stpcpy(at, begin);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, part);
    (void)stpcpy(at, end);
    return text;
}

static void test_what_stands_in_strings_is_not_counted(void **state)
{
    (void)state;
    assert_int_equal(measured("{\"a\": \"[[[[,,,,{{\"}").depth, 1);
    assert_int_equal(measured("[\"\\\"[[[,,,\"]").depth, 1);
    assert_int_equal(measured("[\"\\\\\", [1]]").depth, 2);
    assert_int_equal(measured("[[], [[]], {\"a\": [{}]}]").depth, 4);
    assert_int_equal(measured("\"[[[").depth, 0); /* it never ends */
    assert_int_equal(measured("\"\\").depth, 0);
    assert_int_equal(measured("").depth, 0);
}

static void test_no_text_has_more_values_than_are_counted(void **state)
{
    static const struct {
        const char *text;
        size_t values;
    } cases[] = {
        {"1", 1}, {"[1, 2, 3]", 4}, {"[[1], [2]]", 5}, {"{\"a\": {\"b\": 1}, \"c\": \",[{\"}", 4}, {"[[[[1]]]]", 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(measured(cases[i].text).values, cases[i].values);
    assert_true(measured("[[], {}, []]").values >= 4);
}

static void test_a_text_beyond_a_bound_is_not_read_to_its_end(void **state)
{
    char *lists = repeated("[", "[],", (size_t)5 * 1024 * 1024, "[]]");
    char *deep = repeated("", "[", (size_t)15 * 1024 * 1024, "");
    struct json_bounds found;

    (void)state;
    assert_false(json_measure(lists, strlen(lists), &json_batch_bounds, &found));
    assert_int_equal(found.values, json_batch_bounds.values + 1);
    assert_false(json_measure(deep, strlen(deep), &json_batch_bounds, &found));
    assert_int_equal(found.depth, json_batch_bounds.depth + 1);
    assert_null(json_load(lists, 0, &json_arguments_bounds, NULL));
    assert_null(json_load(deep, 0, &json_kea_bounds, NULL));
    free(lists);
    free(deep);
}

static void test_twenty_thousand_reservations_are_within_bounds(void **state)
{
    static const char reservation[] =
        "{\"boot-file-name\": \"\", \"client-classes\": [], \"hostname\": \"h\", \"hw-address\": "
        "\"00:00:00:00:00:01\", "
        "\"ip-address\": \"10.0.0.1\", \"next-server\": \"0.0.0.0\", \"option-data\": [{\"always-send\": false, "
        "\"code\": 6, \"csv-format\": true, \"data\": \"10.0.0.1\", \"name\": \"domain-name-servers\", "
        "\"never-send\": false, \"space\": \"dhcp4\"}], \"server-hostname\": \"\"},";
    char *text = repeated("{\"subnet4\": {\"id\": 1, \"reservations\": [", reservation, 20000, "{}]}}");
    struct json_bounds found;

    (void)state;
    assert_true(json_measure(text, strlen(text), &json_batch_bounds, &found));
    free(text);
}

static void test_a_configuration_of_fifty_thousand_scopes_is_within_bounds(void **state)
{
    static const char scope[] =
        "{\"4o6-interface\": \"\", \"4o6-interface-id\": \"\", \"4o6-subnet\": \"\", \"allocator\": \"iterative\", "
        "\"calculate-tee-times\": false, \"ddns-generated-prefix\": \"myhost\", \"ddns-override-client-update\": "
        "false, "
        "\"ddns-override-no-update\": false, \"ddns-qualifying-suffix\": \"\", \"ddns-replace-client-name\": "
        "\"never\", "
        "\"ddns-send-updates\": true, \"ddns-update-on-renew\": false, \"ddns-use-conflict-resolution\": true, "
        "\"hostname-char-replacement\": \"\", \"hostname-char-set\": \"[^A-Za-z0-9.-]\", \"id\": 1, "
        "\"max-valid-lifetime\": 7200, \"min-valid-lifetime\": 7200, \"option-data\": [{\"always-send\": false, "
        "\"code\": 3, \"csv-format\": true, \"data\": \"10.0.0.1\", \"name\": \"routers\", \"space\": \"dhcp4\"}], "
        "\"pools\": [{\"option-data\": [], \"pool\": \"10.0.0.10-10.0.0.200\"}], \"rebind-timer\": 0, "
        "\"relay\": {\"ip-addresses\": []}, \"renew-timer\": 0, \"reservations\": [], \"store-extended-info\": false, "
        "\"subnet\": \"10.0.0.0/24\", \"t1-percent\": 0.5, \"t2-percent\": 0.875, \"valid-lifetime\": 7200},";
    char *text = repeated("[{\"arguments\": {\"Dhcp4\": {\"subnet4\": [", scope, 50000, "{}]}}}]");
    struct json_bounds found;

    (void)state;
    assert_true(json_measure(text, strlen(text), &json_kea_bounds, &found));
    free(text);
}

static void test_a_refusal_says_what_is_too_much(void **state)
{
    const struct json_bounds small = {.depth = 2, .values = 4, .bytes = 1024 * 1024};
    char *long_text = repeated("\"", "x", 1024 * 1024, "\"");
    struct result result = json_bounds_check("a text", "[[[]]]", 6, &small);

    (void)state;
    assert_string_equal(result.message, "a text: expected JSON nested at most 2 deep, found deeper");
    result = json_bounds_check("a text", "[1, 2, 3, 4]", 12, &small);
    assert_string_equal(result.message, "a text: expected JSON of at most 4 values, found more");
    result = json_bounds_check("a text", long_text, strlen(long_text), &small);
    assert_string_equal(result.message, "a text: expected at most 1 MiB of JSON, found more");
    free(long_text);
}

/* ---- what another server sends ---- */

static char *received(char *const *definitions, size_t count)
{
    json_t *scopes = json_array();
    char *answer, *text;
    json_t *arguments;

    for (size_t i = 0; i < count; i++) {
        char prefix[32];

        (void)snprintf(prefix, sizeof prefix, "10.0.%zu.0/24", i + 1);
        assert_int_equal(json_array_append_new(
                             scopes, json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "subnet-id", (json_int_t)(i + 1), "prefix",
                                               prefix, "base", "", "fingerprint", "00000000000000000000000000000001",
                                               "version", "0000000000000002:5", "definition", definitions[i])),
                         0);
    }
    arguments = json_pack("{s:s,s:s,s:o}", "sender", "server2", "receiver", "server1", "scopes", scopes);
    text = json_dumps(arguments, JSON_COMPACT);
    json_decref(arguments);
    assert_non_null(text);
    assert_int_equal(fake_server_start(one, NULL), RESULT_OK);
    assert_true(fake_server_await_status(one, "queued", 0, PAIR_SOON)); /* what was loaded is recorded */
    answer = fake_server_command(one, "scope-receive", text);
    free(text);
    assert_non_null(answer);
    return answer;
}

static void assert_refused(char *answer, const char *why)
{
    if (strstr(answer, "\"failed\"") == NULL || strstr(answer, why) == NULL)
        fail_msg("expected \"%s\" in %.400s", why, answer);
    free(answer);
}

static void test_a_definition_is_bounded_like_its_surroundings(void **state)
{
    char *deep = repeated("{\"subnet4\": ", "[", 30000, "");
    char *lists = repeated("{\"subnet4\": [", "[],", 2500000, "[]]}");

    (void)state;
    assert_refused(received(&deep, 1), "the definition of 10.0.1.0/24: expected JSON nested at most 94 deep");
    fake_server_stop(one);
    assert_refused(received(&lists, 1), "of at most 500000 values");
    assert_runs(one, 1, "");
    free(deep);
    free(lists);
}

static void test_the_definitions_of_a_batch_are_bounded_together(void **state)
{
    char *half = repeated("{\"subnet4\": [", "[],", 150000, "[]]}");
    char *both[] = {half, half};

    (void)state;
    assert_refused(received(both, 2),
                   "the definition of 10.0.2.0/24 and those before it: expected JSON of at most 500000 values");
    assert_runs(one, 1, "");
    free(half);
}

/* What an answer says of itself is not looked for in one that is beyond its bounds: nothing parses it. */
static void test_an_answer_beyond_its_bounds_is_not_judged_by_what_is_in_it(void **state)
{
    static const char high_availability[] =
        "[{\"this-server-name\": \"server1\", \"mode\": \"load-balancing\", \"peers\": ["
        "{\"name\": \"server1\", \"url\": \"http://192.0.2.1/\", \"role\": \"primary\"},"
        "{\"name\": \"server2\", \"url\": \"http://192.0.2.2/\", \"role\": \"secondary\"}]}]";
    const struct trust_letter letter = {.number = "7"};
    struct plugin plugin = {.server = NULL};
    const size_t counts[] = {10, 5000000};
    const enum trust_verdict verdicts[] = {TRUST_STRAY, TRUST_BELIEVED}; /* the second: whoever reads it refuses it */
    struct result why;

    (void)state;
    assert_int_equal(parameters_parse(NULL, "dhcp4", &plugin.parameters).code, RESULT_OK);
    assert_int_equal(relationships_parse(high_availability, &plugin.parameters, &plugin.relationships).code, RESULT_OK);
    for (size_t i = 0; i < 2; i++) {
        char *answer = repeated("{\"result\": 0, \"arguments\": {\"envelope\": {\"number\": \"5\"}, \"x\": [", "1,",
                                counts[i], "1]}}");

        assert_int_equal(trust_judge(&plugin, 0, "scope-digest", &letter, answer, strlen(answer), &why), verdicts[i]);
        free(answer);
    }
    relationships_clear(&plugin.relationships);
    parameters_clear(&plugin.parameters);
}

#define TEST(function) cmocka_unit_test(function)
#define PAIR(function) cmocka_unit_test_setup_teardown(function, pair_make, pair_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_stands_in_strings_is_not_counted),
        TEST(test_no_text_has_more_values_than_are_counted),
        TEST(test_a_text_beyond_a_bound_is_not_read_to_its_end),
        TEST(test_twenty_thousand_reservations_are_within_bounds),
        TEST(test_a_configuration_of_fifty_thousand_scopes_is_within_bounds),
        TEST(test_a_refusal_says_what_is_too_much),
        TEST(test_an_answer_beyond_its_bounds_is_not_judged_by_what_is_in_it),
        PAIR(test_a_definition_is_bounded_like_its_surroundings),
        PAIR(test_the_definitions_of_a_batch_are_bounded_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
