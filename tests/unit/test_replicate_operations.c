/* ReplicateScope step by step, ReplicateRelation and ReplicateServer: what is sent to whom, what is skipped, and how
 * the operation ends. Replication is manual here, so that nothing travels but on command. */
#include "fake_server.h"

#include "failover_sync/model.h"

#include <jansson.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct fake_server *server, *partner;
static char folder[64];

static int start(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/failover-sync-test-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    server = fake_server_new("server1", folder);
    partner = fake_server_new("server2", folder);
    fake_server_pair(server, fake_server_port(server), fake_server_port(partner));
    fake_server_pair(partner, fake_server_port(server), fake_server_port(partner));
    fake_server_file_put(server, 5, "five");
    fake_server_file_put(server, 7, "seven");
    if (fake_server_start(partner, "{\"replicate\": \"manual\"}") != RESULT_OK ||
        fake_server_start(server, "{\"replicate\": \"manual\"}") != RESULT_OK)
        return -1;
    return fake_server_await_status(server, "out-of-sync", 2, 10000) ? 0 : -1;
}

static int stop(void **state)
{
    char command[128];

    (void)state;
    fake_server_free(server);
    fake_server_free(partner);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void execute(const char *sql)
{
    sqlite3 *other = NULL;
    char *error = NULL;

    assert_int_equal(sqlite3_open(fake_server_store(server), &other), SQLITE_OK);
    sqlite3_busy_timeout(other, 2000);
    if (sqlite3_exec(other, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    sqlite3_close(other);
}

/* The caller frees the answer. */
static json_t *call(const char *name, const char *arguments, int expected)
{
    char *text = fake_server_command(server, name, arguments);
    json_t *answer = text == NULL ? NULL : json_loads(text, 0, NULL);

    assert_non_null(answer);
    if (json_integer_value(json_object_get(answer, "result")) != expected)
        fail_msg("%s %s answered %s", name, arguments, text);
    free(text);
    return answer;
}

static json_t *at(const json_t *answer, const char *name)
{
    return json_object_get(json_object_get(answer, "arguments"), name);
}

static long long number_at(const json_t *answer, const char *name)
{
    json_t *value = at(answer, name);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* The exception of a fault, and the path it names; "" for what is not there. */
static void assert_exception(const json_t *fault, const char *id, const char *path)
{
    const json_t *exception = json_object_get(fault, "exception");
    const char *is = json_string_value(json_object_get(exception, "exception-id"));
    const char *at_path = json_string_value(json_object_get(exception, "path"));

    assert_string_equal(is == NULL ? "" : is, id);
    assert_string_equal(at_path == NULL ? "" : at_path, path);
}

/* What operation-get tells of the operation of an answer once it has ended; frees the answer. The caller frees what it
 * returns. */
static json_t *end_of(json_t *answer)
{
    char arguments[128];

    snprintf(arguments, sizeof arguments, "{\"operation-id\": \"%s\"}", json_string_value(at(answer, "operation-id")));
    json_decref(answer);
    for (int tries = 0; tries < 1000; tries++) {
        json_t *told = call("operation-get", arguments, 0);
        json_t *operation = json_incref(at(told, "operation"));

        json_decref(told);
        if (json_object_get(operation, "ended-at") != NULL)
            return operation;
        json_decref(operation);
        usleep(10000);
    }
    fail_msg("an operation did not end");
    return NULL;
}

static const char *state_of(const json_t *operation)
{
    return json_string_value(json_object_get(operation, "state"));
}

static void assert_result(const json_t *scopes, size_t which, const char *result, const char *text)
{
    const json_t *scope = json_array_get(scopes, which);
    const char *has = json_string_value(json_object_get(scope, "text"));

    assert_string_equal(json_string_value(json_object_get(scope, "result")), result);
    if (text != NULL && (has == NULL || strstr(has, text) == NULL))
        fail_msg("\"%s\" says nothing of \"%s\"", has == NULL ? "" : has, text);
}

static void test_replicate_scope_step_1_parameters_of_another_type_are_a_fault(void **state)
{
    json_t *answer = call("scope-replicate", "{\"subnet-ids\": \"all\"}", 1);

    (void)state;
    assert_exception(at(answer, "fault"), "IpamApiInvalidParameter", "/kea-failover-sync:scope-replicate/subnet-ids");
    json_decref(answer);
}

static void test_replicate_scope_step_2_no_scopes_are_a_fault(void **state)
{
    static const char *const none[] = {NULL, "{}", "{\"subnet-ids\": []}"};

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        json_t *answer = call("scope-replicate", none[i], 1);

        assert_exception(at(answer, "fault"), "IpamApiInvalidParameter",
                         "/kea-failover-sync:scope-replicate/subnet-ids");
        json_decref(answer);
    }
}

static void test_replicate_scope_step_2_a_scope_that_does_not_exist_is_a_fault(void **state)
{
    json_t *answer = call("scope-replicate", "{\"subnet-ids\": [5, 99]}", 1);

    (void)state;
    assert_exception(at(answer, "fault"), "IpamApiDhcpScopeNotFoundInDB",
                     "/kea-failover-sync:scope-replicate/subnet-ids");
    json_decref(answer);
    assert_int_equal(fake_server_status(server, "queued"), 0);
    assert_false(fake_server_await(partner, 5, "five", 300));
}

static void test_replicate_scope_step_3_4_a_scope_that_the_partner_has_not_is_created_there(void **state)
{
    json_t *answer = call("scope-replicate", "{\"subnet-ids\": [5, 5]}", 0), *operation;

    (void)state;
    assert_int_equal(json_array_size(at(answer, "scopes")), 1);
    assert_result(at(answer, "scopes"), 0, "queued", NULL);
    operation = end_of(answer);
    assert_string_equal(state_of(operation), "CompletedWithSuccess");
    assert_result(json_object_get(json_object_get(operation, "output"), "scopes"), 0, "replicated", NULL);
    json_decref(operation);
    assert_true(fake_server_await(partner, 5, "five", 0));
    assert_false(fake_server_await(partner, 7, "seven", 0));
}

static void test_replicate_scope_step_3_2_the_destination_is_the_other_server(void **state)
{
    json_t *answer;

    (void)state;
    fake_server_command_put(server, 5, "five of server1");
    assert_true(fake_server_await_status(server, "out-of-sync", 2, 5000));
    answer = call("scope-replicate", "{\"subnet-ids\": [5]}", 0);
    json_decref(end_of(answer));
    /* The erratum: to the letter, the destination would be the scope's own server, and the partner would not have it.
     */
    assert_true(fake_server_await(partner, 5, "five of server1", 0));
    assert_true(fake_server_await(server, 5, "five of server1", 0));
}

static void test_replicate_scope_step_3_4_a_scope_that_the_partner_has_is_updated_there(void **state)
{
    json_t *operation;

    (void)state;
    fake_server_command_put(server, 5, "five, updated");
    assert_true(fake_server_await_status(server, "out-of-sync", 2, 5000));
    operation = end_of(call("scope-replicate", "{\"subnet-ids\": [5]}", 0));
    /* Step 3.5 */
    assert_string_equal(state_of(operation), "CompletedWithSuccess");
    assert_int_equal(json_integer_value(json_object_get(operation, "percent")), 100);
    json_decref(operation);
    assert_true(fake_server_await(partner, 5, "five, updated", 0));
}

static void test_replicate_scope_step_3_4_a_refused_update_is_the_update_s_fault(void **state)
{
    json_t *operation, *scopes;

    (void)state;
    fake_server_command_put(server, 5, "refuse this");
    operation = end_of(call("scope-replicate", "{\"subnet-ids\": [5, 7]}", 0));
    assert_string_equal(state_of(operation), "CompletedWithFailure");
    assert_exception(json_object_get(operation, "fault"), "IpamApiDhcpScopeFailedToUpdateInRemoteServer", "");
    assert_null(json_object_get(operation, "output"));
    json_decref(operation);
    /* The other scope has arrived. */
    assert_true(fake_server_await(partner, 7, "seven", 0));
    scopes = call("scope-get", "{\"subnet-id\": 5}", 0);
    assert_string_equal(json_string_value(json_object_get(at(scopes, "scope"), "sync-status")), "OutOfSync");
    json_decref(scopes);
}

static void test_replicate_scope_step_3_4_a_refused_creation_is_the_creation_s_fault(void **state)
{
    json_t *operation;

    (void)state;
    fake_server_command_put(server, 9, "refuse this one");
    assert_true(fake_server_await_status(server, "scopes", 3, 5000));
    operation = end_of(call("scope-replicate", "{\"subnet-ids\": [9]}", 0));
    assert_exception(json_object_get(operation, "fault"), "IpamApiDhcpScopeFailedToAddInRemoteServer", "");
    json_decref(operation);
}

static void test_a_partner_that_cannot_be_reached_ends_the_operation_and_not_the_replication(void **state)
{
    json_t *operation;

    (void)state;
    fake_server_command_put(server, 5, "five, later");
    fake_server_command_put(server, 9, "nine");
    assert_true(fake_server_await_status(server, "out-of-sync", 2, 5000));
    fake_server_set_reachable(partner, false);
    operation = end_of(call("scope-replicate", "{\"subnet-ids\": [5, 9]}", 0));
    assert_exception(json_object_get(operation, "fault"), "IpamApiDhcpFailoverFailedToReplicateScopes", "");
    json_decref(operation);
    operation = end_of(call("server-replicate", "{}", 0));
    assert_exception(json_object_get(operation, "fault"), "IpamApiDhcpFailoverFailedToReplicateServer", "");
    json_decref(operation);
    operation = end_of(call("failover-replicate", "{\"record-id\": 1}", 0));
    assert_exception(json_object_get(operation, "fault"), "IpamApiDhcpFailoverFailedToReplicateRelation", "");
    json_decref(operation);
    assert_true(fake_server_status(server, "queued") > 0);
    fake_server_set_reachable(partner, true);
    assert_true(fake_server_await(partner, 5, "five, later", 10000));
    assert_true(fake_server_await(partner, 9, "nine", 10000));
}

static void test_a_client_on_another_thread_hears_what_the_partner_said(void **state)
{
    char *text = fake_server_command_elsewhere(server, "scope-replicate", "{\"subnet-ids\": [5]}");
    json_t *answer = json_loads(text, 0, NULL);

    (void)state;
    assert_result(at(answer, "scopes"), 0, "replicated", NULL);
    assert_string_equal(json_string_value(at(answer, "state")), "CompletedWithSuccess");
    json_decref(answer);
    free(text);
}

static void test_replicate_relation_sends_all_its_scopes(void **state)
{
    json_t *answer = call("failover-replicate", "{\"record-id\": 1}", 0), *operation;

    (void)state;
    assert_int_equal(number_at(answer, "queued"), 3);
    operation = end_of(answer);
    assert_string_equal(state_of(operation), "CompletedWithSuccess");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(operation, "output"), "replicated")), 3);
    json_decref(operation);
    answer = call("failover-replicate", "{\"record-id\": 77}", 1);
    assert_exception(at(answer, "fault"), "IpamApiObjectNotFoundInDatabase",
                     "/kea-failover-sync:failover-replicate/record-id");
    json_decref(answer);
}

static void test_replicate_relation_of_other_servers_is_not_applicable(void **state)
{
    json_t *answer;

    (void)state;
    execute("INSERT INTO ADM_DHCPServersTable (RecordId, HaName, ServerName) VALUES (88, 'a', 'a'), (89, 'b', 'b');"
            "INSERT INTO ADM_DhcpFailoverRelationTable (RecordId, RelationshipName, Server1RecordId, Server2RecordId, "
            "Mode, "
            "Server1Percentage, Origin) VALUES (88, 'a-b', 88, 89, 'HotStandby', 50, 'Admin')");
    answer = call("failover-replicate", "{\"record-id\": 88}", 1);
    assert_exception(at(answer, "fault"), "IpamApiReplicationScopeNotApplicable",
                     "/kea-failover-sync:failover-replicate/record-id");
    json_decref(answer);
}

static void test_replicate_server_sends_its_own_scopes_only(void **state)
{
    json_t *answer = call("server-replicate", "{\"server-name\": \"server2\"}", 1), *operation;

    (void)state;
    assert_exception(at(answer, "fault"), "IpamApiReplicationScopeNotApplicable",
                     "/kea-failover-sync:server-replicate/server-name");
    json_decref(answer);
    answer = call("server-replicate", "{\"server-name\": \"server1\"}", 0);
    assert_int_equal(number_at(answer, "queued"), 3);
    operation = end_of(answer);
    assert_string_equal(state_of(operation), "CompletedWithSuccess");
    json_decref(operation);
}

static void test_replicate_scope_step_3_1_a_scope_without_membership_is_skipped(void **state)
{
    json_t *answer, *operation;

    (void)state;
    execute("DELETE FROM ADM_DhcpScopeFailoverTable WHERE ScopeId IN "
            "(SELECT RecordId FROM ADM_DHCPScopesTable WHERE SubnetId = 7)");
    answer = call("scope-replicate", "{\"subnet-ids\": [5, 7]}", 0);
    assert_result(at(answer, "scopes"), 0, "queued", NULL);
    assert_result(at(answer, "scopes"), 1, "skipped", "belongs to no failover relationship");
    operation = end_of(answer);
    assert_string_equal(state_of(operation), "CompletedWithSuccess");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(operation, "output"), "skipped")), 1);
    json_decref(operation);
}

static void test_replicate_scope_step_3_1_a_membership_without_its_relation_is_skipped(void **state)
{
    json_t *answer;

    (void)state;
    /* No foreign keys on this connection: the memberships stay and lead nowhere. */
    execute("PRAGMA foreign_keys = OFF; UPDATE ADM_DhcpScopeFailoverTable SET FailoverRelationId = 4711");
    answer = call("scope-replicate", "{\"subnet-ids\": [5]}", 0);
    assert_result(at(answer, "scopes"), 0, "skipped", "belongs to no failover relationship");
    assert_string_equal(json_string_value(at(answer, "state")), "CompletedWithSuccess");
    json_decref(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replicate_scope_step_1_parameters_of_another_type_are_a_fault),
        cmocka_unit_test(test_replicate_scope_step_2_no_scopes_are_a_fault),
        cmocka_unit_test(test_replicate_scope_step_2_a_scope_that_does_not_exist_is_a_fault),
        cmocka_unit_test(test_replicate_scope_step_3_4_a_scope_that_the_partner_has_not_is_created_there),
        cmocka_unit_test(test_replicate_scope_step_3_2_the_destination_is_the_other_server),
        cmocka_unit_test(test_replicate_scope_step_3_4_a_scope_that_the_partner_has_is_updated_there),
        cmocka_unit_test(test_replicate_scope_step_3_4_a_refused_update_is_the_update_s_fault),
        cmocka_unit_test(test_replicate_scope_step_3_4_a_refused_creation_is_the_creation_s_fault),
        cmocka_unit_test(test_a_partner_that_cannot_be_reached_ends_the_operation_and_not_the_replication),
        cmocka_unit_test(test_a_client_on_another_thread_hears_what_the_partner_said),
        cmocka_unit_test(test_replicate_relation_sends_all_its_scopes),
        cmocka_unit_test(test_replicate_relation_of_other_servers_is_not_applicable),
        cmocka_unit_test(test_replicate_server_sends_its_own_scopes_only),
        cmocka_unit_test(test_replicate_scope_step_3_1_a_scope_without_membership_is_skipped),
        cmocka_unit_test(test_replicate_scope_step_3_1_a_membership_without_its_relation_is_skipped),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
