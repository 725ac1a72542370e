/* The commands' answers: Kea's format, and what the YANG module says is in them. */
#include "fake_server.h"

#include "failover_sync/model.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fake_server *server;
static struct model *model;
static char folder[64];

static int start(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/failover-sync-test-XXXXXX");
    if (mkdtemp(folder) == NULL || model_new(&model).code != RESULT_OK)
        return -1;
    server = fake_server_new("server1", folder);
    fake_server_pair(server, fake_server_port(server), 1); /* nobody listens at port 1 */
    fake_server_file_put(server, 5, "five");
    fake_server_file_put(server, 7, "seven");
    if (fake_server_start(server, NULL) != RESULT_OK)
        return -1;
    return fake_server_await_status(server, "scopes", 2, 5000) ? 0 : -1;
}

static int stop(void **state)
{
    char command[128];

    (void)state;
    fake_server_free(server);
    model_free(model);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Calls a command, checks the result code and that the answer's arguments are the rpc's output. */
static json_t *call(const char *name, const char *arguments, int expected)
{
    char *text = fake_server_command(server, name, arguments);
    json_t *answer;

    assert_non_null(text);
    answer = json_loads(text, 0, NULL);
    assert_non_null(answer);
    if (json_integer_value(json_object_get(answer, "result")) != expected)
        fail_msg("%s %s answered %s", name, arguments == NULL ? "" : arguments, text);
    assert_true(json_is_string(json_object_get(answer, "text")));
    if (expected == 0) {
        char *output = json_dumps(json_object_get(answer, "arguments"), 0);
        struct model_tree *tree = NULL;
        struct result result = model_parse_output(model, name, output, &tree);

        if (result.code != RESULT_OK)
            fail_msg("%s: %s: %s", name, result.message, output);
        model_tree_free(tree);
        free(output);
    }
    free(text);
    return answer;
}

static json_t *at(json_t *answer, const char *name)
{
    return json_object_get(json_object_get(answer, "arguments"), name);
}

static void test_status_tells_what_waits_and_why(void **state)
{
    json_t *answer, *relationship;

    (void)state;
    assert_true(fake_server_await_status(server, "pushes", 2, 5000)); /* tried, and tried again */
    answer = call("failover-status", NULL, 0);
    relationship = json_array_get(at(answer, "relationships"), 0);
    assert_string_equal(json_string_value(at(answer, "server")), "server1");
    assert_string_equal(json_string_value(at(answer, "mirror")), "current");
    assert_int_equal(json_integer_value(json_object_get(relationship, "queued")), 2);
    assert_int_equal(json_integer_value(json_object_get(relationship, "out-of-sync")), 2);
    assert_non_null(
        strstr(json_string_value(json_object_get(relationship, "last-error")), "server2 cannot be reached"));
    json_decref(answer);
}

static void test_relationships_are_listed(void **state)
{
    json_t *answer = call("failover-get-all", "{}", 0);
    json_t *relationship = json_array_get(at(answer, "relationships"), 0);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(relationship, "relationship-name")), "server1-server2");
    assert_int_equal(json_integer_value(json_object_get(relationship, "scopes")), 2);
    json_decref(answer);
}

static void test_a_scope_is_shown_with_its_definition(void **state)
{
    json_t *answer = call("scope-get", "{\"subnet-id\": 5}", 0);
    json_t *scope = at(answer, "scope");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(scope, "sync-status")), "OutOfSync");
    assert_true(json_is_true(json_object_get(scope, "in-file")));
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json_object_get(scope, "definition"), "subnet4"), "subnet")),
        "10.0.5.0/24");
    json_decref(answer);
    json_decref(call("scope-get", "{\"subnet-id\": 6}", 3));
}

static void test_scopes_are_listed_and_filtered(void **state)
{
    json_t *answer = call("scope-get-all", NULL, 0);

    (void)state;
    assert_int_equal(json_array_size(at(answer, "scopes")), 2);
    json_decref(answer);
    answer = call("scope-get-all", "{\"sync-status\": \"OutOfSync\", \"relationship\": \"server1-server2\"}", 0);
    assert_int_equal(json_array_size(at(answer, "scopes")), 2);
    json_decref(answer);
    json_decref(call("scope-get-all", "{\"sync-status\": \"InSync\"}", 3));
    json_decref(call("scope-get-all", "{\"relationship\": \"nobody\"}", 3));
}

static void test_a_scope_that_does_not_exist_replicates_nothing(void **state)
{
    json_t *answer = call("scope-replicate", "{\"subnet-ids\": [5, 6]}", 1);
    json_t *exception = json_object_get(at(answer, "fault"), "exception");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(exception, "exception-id")), "IpamApiDhcpScopeNotFoundInDB");
    json_decref(answer);
    answer = call("scope-replicate", "{\"subnet-ids\": [5]}", 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(at(answer, "scopes"), 0), "result")),
                        "queued");
    json_decref(answer);
}

static void test_wrong_arguments_are_faults_with_a_path(void **state)
{
    static const struct {
        const char *command, *arguments, *names;
    } wrong[] = {
        {"scope-get", NULL, "subnet-id"},
        {"scope-get", "{\"subnet-id\": \"x\"}", "subnet-id"},
        {"scope-get", "{\"subnet-id\": 0}", "subnet-id"},
        {"scope-get", "{\"subnet\": 5}", "subnet"},
        {"scope-get", "[]", "map"},
        {"scope-get", "{", ""},
        {"scope-get-all", "{\"sync-status\": \"Insync\"}", "sync-status"},
        {"scope-replicate", "{}", "subnet-ids"},
        {"scope-replicate", "{\"subnet-ids\": []}", "subnet-ids"},
        {"scope-receive", "{}", "sender"},
        {"scope-receive", "{\"sender\": \"server2\", \"receiver\": \"server1\"}", ""},
        {"scope-receive", "{\"sender\": \"server2\", \"receiver\": \"server1\", \"scopes\": []}", "scopes"},
        {"scope-receive",
         "{\"sender\": \"server2\", \"receiver\": \"server1\", \"scopes\": [{\"subnet-id\": 1, \"prefix\": "
         "\"10.0.0.0\","
         "\"base\": \"\", \"fingerprint\": \"\"}]}",
         "prefix"},
        {"failover-status", "{\"verbose\": true}", "verbose"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_t *answer = call(wrong[i].command, wrong[i].arguments, 1);
        json_t *fault = at(answer, "fault");

        assert_string_equal(json_string_value(json_object_get(fault, "code")), "Sender");
        if (strstr(json_string_value(json_object_get(answer, "text")), wrong[i].names) == NULL)
            fail_msg("%s: %s", wrong[i].arguments, json_string_value(json_object_get(answer, "text")));
        json_decref(answer);
    }
}

static void test_scopes_from_a_stranger_are_refused(void **state)
{
    static const char *const strangers[] = {
        "{\"sender\": \"server3\", \"receiver\": \"server1\", \"ticket\": \"x\"}",
        "{\"sender\": \"server2\", \"receiver\": \"server3\", \"ticket\": \"x\"}",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        json_t *answer = call("scope-receive", strangers[i], 1);

        assert_non_null(strstr(json_string_value(json_object_get(answer, "text")), "server3"));
        json_decref(answer);
    }
    json_decref(call("scope-receive", "{\"sender\": \"server2\", \"receiver\": \"server1\", \"ticket\": \"x\"}", 3));
}

static void test_a_received_scope_is_answered_one_by_one(void **state)
{
    json_t *answer = call("scope-receive",
                          "{\"sender\": \"server2\", \"receiver\": \"server1\", \"scopes\": ["
                          "{\"subnet-id\": 9, \"prefix\": \"10.0.9.0/24\", \"base\": \"\", \"fingerprint\": "
                          "\"00000000000000000000000000000001\", \"definition\": "
                          "\"{\\\"subnet4\\\": {\\\"user-context\\\": {\\\"words\\\": \\\"nine\\\"}}}\"},"
                          "{\"subnet-id\": 10, \"prefix\": \"10.0.7.0/24\", \"base\": \"\", \"fingerprint\": "
                          "\"00000000000000000000000000000002\", \"definition\": \"{}\"},"
                          "{\"subnet-id\": 11, \"prefix\": \"10.0.11.0/24\", \"base\": \"\", \"fingerprint\": "
                          "\"00000000000000000000000000000003\", \"definition\": \"garbage\"}]}",
                          0);
    json_t *scopes = at(answer, "scopes");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(json_array_get(scopes, 0), "result")), "applied");
    assert_string_equal(json_string_value(json_object_get(json_array_get(scopes, 1), "result")), "id-mismatch");
    assert_string_equal(json_string_value(json_object_get(json_array_get(scopes, 2), "result")), "failed");
    assert_true(fake_server_await(server, 9, "nine", 1000));
    json_decref(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_tells_what_waits_and_why),
        cmocka_unit_test(test_relationships_are_listed),
        cmocka_unit_test(test_a_scope_is_shown_with_its_definition),
        cmocka_unit_test(test_scopes_are_listed_and_filtered),
        cmocka_unit_test(test_a_scope_that_does_not_exist_replicates_nothing),
        cmocka_unit_test(test_wrong_arguments_are_faults_with_a_path),
        cmocka_unit_test(test_scopes_from_a_stranger_are_refused),
        cmocka_unit_test(test_a_received_scope_is_answered_one_by_one),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
