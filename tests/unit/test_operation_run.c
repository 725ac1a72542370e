/* An operation on its way: who waits for it and how long, what operation-get tells of it, and that it is kept. */
#include "fake_server.h"

#include "failover_sync/model.h"
#include "failover_sync/operation_run.h"

#include <jansson.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define RANGE                                                                                                          \
    "\"address-family\": \"InterNetwork\", \"subnet-id\": \"10.0.5.0\", \"prefix-length\": 24, "                       \
    "\"address-assignment\": "                                                                                         \
    "\"Static\", \"address-category\": \"Private\", \"custom-field-values\": [{\"custom-field\": \"Managed by\", "     \
    "\"value\": \"IPAM\"}, {\"custom-field\": \"Managed by entity\", \"value\": \"Localhost\"}], "
#define RANGE_100_TO_110 "{" RANGE "\"start-ip-address\": \"10.0.5.100\", \"end-ip-address\": \"10.0.5.110\""

static struct fake_server *server, *partner;
static struct model *model;
static sqlite3 *other; /* the test's own look at the store */
static char folder[64];

static int start(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/failover-sync-test-XXXXXX");
    if (mkdtemp(folder) == NULL || model_new(&model).code != RESULT_OK)
        return -1;
    server = fake_server_new("server1", folder);
    partner = fake_server_new("server2", folder);
    fake_server_pair(server, fake_server_port(server), fake_server_port(partner));
    fake_server_pair(partner, fake_server_port(server), fake_server_port(partner));
    fake_server_file_put(server, 5, "five|10.0.5.10-10.0.5.20,10.0.5.30-10.0.5.40");
    fake_server_file_put(server, 7, "seven");
    if (fake_server_start(partner, NULL) != RESULT_OK || fake_server_start(server, NULL) != RESULT_OK)
        return -1;
    if (sqlite3_open(fake_server_store(server), &other) != SQLITE_OK)
        return -1;
    (void)sqlite3_busy_timeout(other, 10000); /* the server writes, too */
    return fake_server_await_status(server, "in-sync", 2, 10000) ? 0 : -1;
}

static int stop(void **state)
{
    char command[128];

    (void)state;
    sqlite3_close(other);
    fake_server_free(server);
    fake_server_free(partner);
    model_free(model);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void execute(const char *sql)
{
    char *error = NULL;

    if (sqlite3_exec(other, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
}

static int64_t ask(const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;

    assert_int_equal(sqlite3_prepare_v2(other, sql, -1, &statement, NULL), SQLITE_OK);
    if (sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

typedef char *(*caller)(struct fake_server *server, const char *name, const char *arguments);

/* Calls a command, checks the result code and that a success is the rpc's output. The caller frees the answer. */
static json_t *call_by(caller by, const char *name, const char *arguments, int expected)
{
    char *text = by(server, name, arguments);
    json_t *answer;

    assert_non_null(text);
    answer = json_loads(text, 0, NULL);
    assert_non_null(answer);
    if (json_integer_value(json_object_get(answer, "result")) != expected)
        fail_msg("%s %s answered %s", name, arguments, text);
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

static json_t *call(const char *name, const char *arguments, int expected)
{
    return call_by(fake_server_command, name, arguments, expected);
}

static json_t *at(const json_t *answer, const char *name)
{
    return json_object_get(json_object_get(answer, "arguments"), name);
}

static const char *text_at(const json_t *answer, const char *name)
{
    const char *text = json_string_value(at(answer, name));

    return text == NULL ? "" : text;
}

static const char *exception_of(const json_t *fault)
{
    const char *id = json_string_value(json_object_get(json_object_get(fault, "exception"), "exception-id"));

    return id == NULL ? "" : id;
}

/* operation-get; the caller frees the answer. */
static json_t *operation_of(const char *id)
{
    char arguments[128];

    snprintf(arguments, sizeof arguments, "{\"operation-id\": \"%s\"}", id);
    return call("operation-get", arguments, 0);
}

/* Waits until an operation has ended in `state`; the caller frees the answer. */
static json_t *await_state(const char *id, const char *state)
{
    for (int tries = 0; tries < 1000; tries++) {
        json_t *answer = operation_of(id);
        const char *now = json_string_value(json_object_get(at(answer, "operation"), "state"));

        if (strcmp(now, state) == 0)
            return answer;
        json_decref(answer);
        usleep(10000);
    }
    fail_msg("operation %s did not come to %s", id, state);
    return NULL;
}

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_an_operation_is_answered_with_its_end(void **state)
{
    json_t *answer = call("range-add", RANGE_100_TO_110 "}", 0), *operation;
    int64_t record_id = json_integer_value(at(answer, "record-id"));

    (void)state;
    assert_true(record_id > 0);
    assert_string_equal(text_at(answer, "state"), "CompletedWithSuccess");
    assert_int_equal(json_integer_value(at(answer, "percent")), 100);
    operation = operation_of(text_at(answer, "operation-id"));
    assert_string_equal(json_string_value(json_object_get(at(operation, "operation"), "command")), "range-add");
    assert_non_null(json_object_get(at(operation, "operation"), "ended-at"));
    json_decref(operation);
    json_decref(answer);
}

static void test_wait_false_answers_at_once_and_operation_get_has_the_output(void **state)
{
    json_t *answer =
        call("range-add",
             "{" RANGE "\"start-ip-address\": \"10.0.5.120\", \"end-ip-address\": \"10.0.5.121\", \"wait\": false}", 0);
    json_t *operation;

    (void)state;
    assert_null(at(answer, "record-id"));
    /* It may be over by then: the text must not say otherwise. */
    assert_null(strstr(json_string_value(json_object_get(answer, "text")), "in progress"));
    operation = await_state(text_at(answer, "operation-id"), "CompletedWithSuccess");
    assert_true(
        json_integer_value(json_object_get(json_object_get(at(operation, "operation"), "output"), "record-id")) > 0);
    json_decref(operation);
    json_decref(answer);
}

static void test_a_fault_is_the_answer_and_what_operation_get_tells(void **state)
{
    int64_t before = ask("SELECT count(*) FROM ADM_IPRangeTable");
    json_t *answer = call("range-add", RANGE_100_TO_110 ", \"wait\": false}", 0), *operation, *fault;

    (void)state;
    operation = await_state(text_at(answer, "operation-id"), "CompletedWithFailure");
    fault = json_object_get(at(operation, "operation"), "fault");
    assert_string_equal(exception_of(fault), "IpamApiNonadjustableConflictingRangesFound");
    json_decref(operation);
    json_decref(answer);
    answer = call("range-add", RANGE_100_TO_110 "}", 1);
    assert_string_equal(exception_of(at(answer, "fault")), "IpamApiNonadjustableConflictingRangesFound");
    json_decref(answer);
    assert_int_equal(ask("SELECT count(*) FROM ADM_IPRangeTable"), before);
}

static void test_the_main_thread_is_held_only_a_moment(void **state)
{
    json_t *answer, *operation;
    int64_t begun = milliseconds(), took;

    (void)state;
    execute("BEGIN IMMEDIATE"); /* the store is another's for a while */
    answer = call("custom-field-add", "{\"name\": \"slow\", \"type\": \"Freeform\"}", 0);
    took = milliseconds() - begun;
    execute("ROLLBACK");
    assert_in_range(took, 190, 1500);
    assert_string_equal(text_at(answer, "state"), "InProgress");
    operation = await_state(text_at(answer, "operation-id"), "CompletedWithSuccess");
    json_decref(operation);
    json_decref(answer);
    assert_int_equal(ask("SELECT count(*) FROM ADM_CustomFieldsTable WHERE Name = 'slow'"), 1);
}

/* HA's listener may be stopped by whoever changes the configuration, which waits for its threads, and DHCP with it. */
static void test_another_thread_is_held_only_a_moment(void **state)
{
    json_t *answer;
    int64_t begun = milliseconds(), took;

    (void)state;
    execute("BEGIN IMMEDIATE");
    answer = call_by(fake_server_command_elsewhere, "custom-field-add",
                     "{\"name\": \"slow too\", \"type\": \"Freeform\"}", 0);
    took = milliseconds() - begun;
    execute("ROLLBACK");
    assert_in_range(took, 190, 900);
    assert_string_equal(text_at(answer, "state"), "InProgress");
    json_decref(await_state(text_at(answer, "operation-id"), "CompletedWithSuccess"));
    json_decref(answer);
}

static void test_operations_go_on_while_the_mirror_waits_for_the_store(void **state)
{
    json_t *answer;

    (void)state;
    /* The mirror's job is refused again and again; the operations are not behind it. */
    execute("CREATE TRIGGER refuse BEFORE UPDATE ON ADM_DHCPScopesTable BEGIN SELECT RAISE(ABORT, 'refused'); END");
    fake_server_command_put(server, 7, "seven again");
    for (int tries = 0; tries < 500; tries++) {
        char *status = fake_server_command(server, "failover-status", NULL);
        bool unavailable = strstr(status, "unavailable") != NULL;

        free(status);
        if (unavailable)
            break;
        usleep(10000);
    }
    answer = call("custom-field-add", "{\"name\": \"beside\", \"type\": \"Freeform\"}", 0);
    assert_string_equal(text_at(answer, "state"), "CompletedWithSuccess");
    json_decref(answer);
    execute("DROP TRIGGER refuse");
    assert_true(fake_server_await(partner, 7, "seven again", 10000));
}

static void test_an_unknown_operation_is_not_found(void **state)
{
    (void)state;
    json_decref(call("operation-get", "{\"operation-id\": \"nobody-1\"}", 3));
    json_decref(call("operation-get", "{}", 1));
}

static void test_the_last_thousand_are_kept(void **state)
{
    char first[64], last[64] = "", arguments[128];

    (void)state;
    for (int i = 0; i < 1001; i++) {
        json_t *answer = call("scope-sync-reset", "{\"subnet-ids\": [7], \"wait\": false}", 0);

        snprintf(i == 0 ? first : last, sizeof last, "%s", text_at(answer, "operation-id"));
        json_decref(answer);
    }
    json_decref(await_state(last, "CompletedWithSuccess"));
    snprintf(arguments, sizeof arguments, "{\"operation-id\": \"%s\"}", first);
    json_decref(call("operation-get", arguments, 3));
}

static void test_operations_outlive_a_reload(void **state)
{
    json_t *answer = call("scope-sync-reset", "{\"subnet-ids\": [5, 7, 99]}", 0), *operation, *fault;
    json_t *failed = call("range-add", RANGE_100_TO_110 ", \"wait\": false}", 0);

    (void)state;
    assert_int_equal(json_integer_value(at(answer, "skipped")), 1);
    json_decref(await_state(text_at(failed, "operation-id"), "CompletedWithFailure"));
    assert_int_equal(fake_server_reload(server, true), RESULT_OK);
    operation = await_state(text_at(answer, "operation-id"), "CompletedWithSuccess");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(at(operation, "operation"), "output"), "skipped")), 1);
    json_decref(operation);
    operation = await_state(text_at(failed, "operation-id"), "CompletedWithFailure");
    fault = json_object_get(at(operation, "operation"), "fault");
    assert_string_equal(exception_of(fault), "IpamApiNonadjustableConflictingRangesFound");
    assert_string_equal(json_string_value(json_object_get(fault, "code")), "Sender");
    json_decref(operation);
    json_decref(answer);
    json_decref(failed);
    assert_int_equal(ask("SELECT count(*) FROM OperationLog"), 1000);
}

/* The first pool of scope 5, as a range. */
static int64_t pool_range(void)
{
    return ask(
        "SELECT RecordId FROM ADM_IPRangeTable WHERE StartIPAddress LIKE '10.0.5.1_' AND ScopeRecordId IS NOT NULL");
}

static json_t *move_pool(caller by, const char *start_address, const char *more, int expected)
{
    char arguments[300];

    snprintf(arguments, sizeof arguments,
             "{\"record-id\": %lld, \"modified-properties\": [\"start-ip-address\", \"owner\"], \"start-ip-address\": "
             "\"%s\", "
             "\"owner\": \"ops\"%s}",
             (long long)pool_range(), start_address, more);
    return call_by(by, "range-update", arguments, expected);
}

static void test_the_bounds_of_a_pool_change_in_the_server_and_at_the_partner(void **state)
{
    int64_t range = pool_range();
    json_t *answer = move_pool(fake_server_command, "10.0.5.11", "", 0);

    (void)state;
    assert_true(json_is_true(at(answer, "pool-change")));
    assert_string_equal(text_at(answer, "state"), "CompletedWithSuccess");
    json_decref(answer);
    assert_true(fake_server_await(server, 5, "five|10.0.5.11-10.0.5.20,10.0.5.30-10.0.5.40", 0));
    assert_true(fake_server_await(partner, 5, "five|10.0.5.11-10.0.5.20,10.0.5.30-10.0.5.40", 5000));
    assert_int_equal(pool_range(), range);
    assert_int_equal(ask("SELECT count(*) FROM ADM_IPRangeTable WHERE StartIPAddress = '10.0.5.11' AND Owner = 'ops'"),
                     1);
}

/* The main thread, to change the configuration, waits for that thread: it must not wait for the main one. */
static void test_another_thread_is_answered_before_the_pool_is_changed(void **state)
{
    int64_t started = milliseconds();
    json_t *answer = move_pool(fake_server_command_elsewhere, "10.0.5.12", "", 0);

    (void)state;
    assert_string_equal(text_at(answer, "state"), "InProgress");
    assert_true(milliseconds() - started < 5 * OPERATION_WAIT_MS);
    json_decref(await_state(text_at(answer, "operation-id"), "CompletedWithSuccess"));
    json_decref(answer);
    assert_true(fake_server_await(partner, 5, "five|10.0.5.12-10.0.5.20,10.0.5.30-10.0.5.40", 5000));
}

static void test_a_pool_is_changed_though_nobody_waits(void **state)
{
    json_t *answer = move_pool(fake_server_command, "10.0.5.13", ", \"wait\": false", 0);

    (void)state;
    json_decref(await_state(text_at(answer, "operation-id"), "CompletedWithSuccess"));
    json_decref(answer);
    assert_true(fake_server_await(partner, 5, "five|10.0.5.13-10.0.5.20,10.0.5.30-10.0.5.40", 5000));
}

static void test_a_pool_that_the_server_refuses_changes_nothing(void **state)
{
    json_t *answer = move_pool(fake_server_command, "10.0.5.66", "", 1);

    (void)state;
    json_decref(answer);
    execute("UPDATE ADM_IPRangeTable SET EndIPAddress = EndIPAddress"); /* nobody holds the store */
    assert_true(fake_server_await(server, 5, "five|10.0.5.13-10.0.5.20,10.0.5.30-10.0.5.40", 0));
    assert_int_equal(ask("SELECT count(*) FROM ADM_IPRangeTable WHERE StartIPAddress = '10.0.5.13'"), 1);
}

static void test_a_pool_that_cannot_be_recorded_is_taken_back(void **state)
{
    json_t *answer;

    (void)state;
    execute("CREATE TRIGGER refuse BEFORE UPDATE OF Fingerprint ON ADM_DHCPScopesTable BEGIN SELECT RAISE(ABORT, "
            "'refused'); END");
    answer = move_pool(fake_server_command, "10.0.5.14", "", 1);
    assert_string_equal(json_string_value(json_object_get(at(answer, "fault"), "code")), "Receiver");
    json_decref(answer);
    execute("DROP TRIGGER refuse");
    assert_true(fake_server_await(server, 5, "five|10.0.5.13-10.0.5.20,10.0.5.30-10.0.5.40", 0));
    assert_int_equal(ask("SELECT count(*) FROM ADM_IPRangeTable WHERE StartIPAddress = '10.0.5.13'"), 1);
}

static void test_a_range_of_dhcp_that_is_added_is_a_pool(void **state)
{
    char arguments[700];
    json_t *answer;

    (void)state;
    snprintf(arguments, sizeof arguments,
             "{\"address-family\": \"InterNetwork\", \"subnet-id\": \"10.0.5.0\", \"prefix-length\": 24, "
             "\"address-assignment\": \"Dynamic\", \"address-category\": \"Private\", \"scope-record-id\": %lld, "
             "\"owner\": \"new\", \"start-ip-address\": \"10.0.5.50\", \"end-ip-address\": \"10.0.5.59\", "
             "\"custom-field-values\": [{\"custom-field\": \"Managed by\", \"value\": \"DHCP\"}, "
             "{\"custom-field\": \"Managed by entity\", \"value\": \"server1\"}]}",
             (long long)ask("SELECT s.RecordId FROM ADM_DHCPScopesTable AS s JOIN ADM_DHCPServersTable AS d ON "
                            "d.RecordId = s.DHCPServerRecordId WHERE d.IsLocal AND s.SubnetId = 5"));
    answer = call("range-add", arguments, 0);
    assert_true(json_integer_value(at(answer, "record-id")) > 0);
    json_decref(answer);
    assert_true(
        fake_server_await(partner, 5, "five|10.0.5.13-10.0.5.20,10.0.5.30-10.0.5.40,10.0.5.50-10.0.5.59", 5000));
    assert_int_equal(ask("SELECT count(*) FROM ADM_IPRangeTable WHERE StartIPAddress = '10.0.5.50' AND Owner = 'new'"),
                     1);
}

/* The store is locked once it is decided that the pool may change, and refuses the record afterwards; in between the
 * scope is changed by a command. */
static void test_what_was_changed_meanwhile_is_not_taken_back_with_a_pool(void **state)
{
    json_t *answer;

    (void)state;
    fake_server_hold(server);
    answer = move_pool(fake_server_command_elsewhere, "10.0.5.15", ", \"wait\": false", 0);
    usleep(200000);
    execute("BEGIN IMMEDIATE");
    execute("CREATE TRIGGER refuse BEFORE UPDATE OF Fingerprint ON ADM_DHCPScopesTable BEGIN SELECT RAISE(ABORT, "
            "'refused'); END");
    fake_server_release(server);
    assert_true(fake_server_await(server, 5, "five|10.0.5.15-10.0.5.20,10.0.5.30-10.0.5.40,10.0.5.50-10.0.5.59", 1000));
    fake_server_command_put(server, 5, "five and more|10.0.5.15-10.0.5.20,10.0.5.30-10.0.5.44");
    execute("COMMIT");
    json_decref(await_state(text_at(answer, "operation-id"), "CompletedWithFailure"));
    json_decref(answer);
    execute("DROP TRIGGER refuse");
    assert_true(fake_server_await(server, 5, "five and more|10.0.5.13-10.0.5.20,10.0.5.30-10.0.5.44", 1000));
    assert_true(fake_server_await(partner, 5, "five and more|10.0.5.13-10.0.5.20,10.0.5.30-10.0.5.44", 5000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_operation_is_answered_with_its_end),
        cmocka_unit_test(test_wait_false_answers_at_once_and_operation_get_has_the_output),
        cmocka_unit_test(test_a_fault_is_the_answer_and_what_operation_get_tells),
        cmocka_unit_test(test_the_main_thread_is_held_only_a_moment),
        cmocka_unit_test(test_another_thread_is_held_only_a_moment),
        cmocka_unit_test(test_operations_go_on_while_the_mirror_waits_for_the_store),
        cmocka_unit_test(test_an_unknown_operation_is_not_found),
        cmocka_unit_test(test_the_last_thousand_are_kept),
        cmocka_unit_test(test_operations_outlive_a_reload),
        cmocka_unit_test(test_the_bounds_of_a_pool_change_in_the_server_and_at_the_partner),
        cmocka_unit_test(test_another_thread_is_answered_before_the_pool_is_changed),
        cmocka_unit_test(test_a_pool_is_changed_though_nobody_waits),
        cmocka_unit_test(test_a_pool_that_the_server_refuses_changes_nothing),
        cmocka_unit_test(test_a_pool_that_cannot_be_recorded_is_taken_back),
        cmocka_unit_test(test_a_range_of_dhcp_that_is_added_is_a_pool),
        cmocka_unit_test(test_what_was_changed_meanwhile_is_not_taken_back_with_a_pool),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
