/* AddDhcpFailoverScopes and RemoveDhcpFailoverScopes (MS-IPAMM2 3.19.4.4.1.25 and 3.19.4.4.1.26), step by step. */
#include "failover_fixture.h"

#define NOT_ADDED   "IpamApiDhcpFailoverFailedToAddScopesInIpamDatabase"
#define NOT_REMOVED "IpamApiDhcpFailoverFailedToRemoveScopesFromIpamDatabase"

#define MEMBERS                                                                                                        \
    "SELECT s.SubnetId FROM ADM_DhcpScopeFailoverTable AS m JOIN ADM_DHCPScopesTable AS s ON s.RecordId = m.ScopeId "  \
    "WHERE m.FailoverRelationId = 2 ORDER BY 1"
#define QUEUE                                                                                                          \
    "SELECT s.HaName, q.RelationId, q.ObjectId, q.Name, q.EnqueuedAt FROM ReplicationQueue AS q JOIN "                 \
    "ADM_DHCPServersTable AS s ON s.RecordId = q.ServerRecordId ORDER BY s.HaName, q.ObjectId"
#define SCOPES_OF(server)                                                                                              \
    "SELECT s.SubnetId FROM ADM_DHCPScopesTable AS s JOIN ADM_DHCPServersTable AS d ON d.RecordId = "                  \
    "s.DHCPServerRecordId WHERE d.HaName = '" server "' ORDER BY 1"

/* Runs one of the two for "branch" and returns how many scopes it says it changed. */
static int change_scopes(struct fixture *fixture, const char *command, const char *subnet_ids)
{
    bool adds = strcmp(command, "failover-scope-add") == 0;
    json_t *output = run_ok(fixture, command, "{\"record-id\":2,\"subnet-ids\":[%s]}", subnet_ids);
    const json_t *changed = json_object_get(output, adds ? "added" : "removed");
    int count = (int)json_integer_value(changed);

    assert_true(json_is_integer(changed));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(output, "failover"), "record-id")), 2);
    json_decref(output);
    return count;
}

static int scope_add(struct fixture *fixture, const char *subnet_ids)
{
    return change_scopes(fixture, "failover-scope-add", subnet_ids);
}

static int scope_del(struct fixture *fixture, const char *subnet_ids)
{
    return change_scopes(fixture, "failover-scope-del", subnet_ids);
}

/* ---- AddDhcpFailoverScopes ---- */

static void test_add_dhcp_failover_scopes_step_1_arguments_of_another_kind_are_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse_input(fixture, "failover-scope-add", "IpamApiInvalidParameter", "record-id",
                 "{\"record-id\":\"branch\",\"subnet-ids\":[1]}");
    refuse_input(fixture, "failover-scope-add", "IpamApiInvalidParameter", "subnet-ids",
                 "{\"record-id\":2,\"subnet-ids\":1}");
    refuse_input(fixture, "failover-scope-add", "IpamApiInvalidParameter", "subnet-ids[2]",
                 "{\"record-id\":2,\"subnet-ids\":[1,4294967295]}");
}

static void test_add_dhcp_failover_scopes_step_2_no_relationship_or_no_scope_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse_input(fixture, "failover-scope-add", "IpamApiInvalidParameter", "record-id", "{\"subnet-ids\":[1]}");
    refuse_input(fixture, "failover-scope-add", "IpamApiInvalidParameter", "subnet-ids", "{\"record-id\":2}");
    refuse_input(fixture, "failover-scope-add", "IpamApiInvalidParameter", "subnet-ids",
                 "{\"record-id\":2,\"subnet-ids\":[]}");
}

static void test_add_dhcp_failover_scopes_step_3_a_relationship_that_is_not_there_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "failover-scope-add", "IpamApiObjectNotFoundInDatabase", "record-id",
           "{\"record-id\":4711,\"subnet-ids\":[1]}");
}

static void test_add_dhcp_failover_scopes_step_3_a_mirrored_relationship_is_refused(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = NULL;
    struct fault fault;

    refuse(fixture, "failover-scope-add", NOT_ADDED, "record-id", "{" MIRRORED ",\"subnet-ids\":[1]}");
    fault = run_text(fixture, "failover-scope-add", "{" MIRRORED ",\"subnet-ids\":[1]}", &output);
    assert_non_null(strstr(fault.message, "ha-server-name"));
}

static void test_add_dhcp_failover_scopes_step_4_1_a_scope_already_in_it_is_not_added_twice(void **state)
{
    struct fixture *fixture = *state;
    int64_t version;

    (void)add_branch(fixture, "1");
    execute(fixture, "DELETE FROM ReplicationQueue");
    version = ask_integer(fixture, "PRAGMA data_version");
    assert_int_equal(scope_add(fixture, "1"), 0);
    assert_change(fixture, FAILOVER_UNCHANGED, 0, NULL, "");
    assert_null(fixture->failover.subnet_ids);
    assert_true(ask_integer(fixture, "PRAGMA data_version") == version);
    assert_int_equal(scope_add(fixture, "1,2,2"), 1);
    assert_change(fixture, FAILOVER_SCOPES_ADDED, 2, "server3", "2");
    assert_answer(fixture, MEMBERS, "1;2");
    assert_answer(fixture, QUEUE, "server3|2|2|10.0.1.0/24|1700000000000");
}

static void test_add_dhcp_failover_scopes_step_4_2_a_missing_row_is_added(void **state)
{
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    fixture->context.now_ms++;
    assert_int_equal(scope_add(fixture, "4,3"), 2);
    assert_change(fixture, FAILOVER_SCOPES_ADDED, 2, "server3", "4,3");
    assert_answer(fixture, MEMBERS, "1;3;4");
    assert_answer(fixture, QUEUE,
                  "server3|2|1|10.0.0.0/24|1700000000000;server3|2|3|10.0.0.0/16|1700000000001;"
                  "server3|2|4|2001:db8::/64|1700000000001");
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpScopeFailoverTable WHERE FailoverRelationId = 1", "4");
}

static void test_add_dhcp_failover_scopes_step_4_2_a_removal_that_waits_is_replaced(void **state)
{
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    execute(fixture, "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, ObjectId, Name, Removal, Held, "
                     "EnqueuedAt, NextAttemptAt) SELECT 2, RecordId, 2, '10.0.1.0/24', 1, 1, 5, 6 FROM "
                     "ADM_DHCPServersTable WHERE HaName = 'server3'");
    assert_int_equal(scope_add(fixture, "2"), 1);
    assert_answer(fixture, "SELECT Removal, Held, NextAttemptAt FROM ReplicationQueue WHERE ObjectId = 2",
                  "0|0|1700000000000");
}

static void test_add_dhcp_failover_scopes_step_4_2_nothing_is_queued_when_replication_is_manual(void **state)
{
    struct fixture *fixture = *state;

    fixture->parameters.replicate_on_change = false;
    (void)add_branch(fixture, "1");
    assert_int_equal(scope_add(fixture, "2"), 1);
    assert_answer(fixture, MEMBERS, "1;2");
    assert_answer(fixture, QUEUE, "");
}

static void test_add_dhcp_failover_scopes_step_4_a_scope_that_is_not_there_is_named(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = NULL;
    struct fault fault;

    (void)add_branch(fixture, "1");
    refuse(fixture, "failover-scope-add", "IpamApiDhcpScopeNotFoundInDB", "subnet-ids",
           "{\"record-id\":2,\"subnet-ids\":[2,4711]}");
    fault = run_text(fixture, "failover-scope-add", "{\"record-id\":2,\"subnet-ids\":[4711]}", &output);
    assert_non_null(strstr(fault.message, "4711"));
}

static void test_add_dhcp_failover_scopes_step_5_the_updated_relationship_is_answered(void **state)
{
    struct fixture *fixture = *state;
    json_t *output;

    (void)add_branch(fixture, "1");
    output = run_ok(fixture, "failover-scope-add", "{\"record-id\":2,\"subnet-ids\":[2,4]}");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(output, "failover"), "scopes")), 3);
    json_decref(output);
}

static void test_scopes_of_a_relationship_that_this_server_left_are_refused(void **state)
{
    struct fixture *fixture = *state;

    /* High Availability calls this server otherwise now, and that name has a row of its own. */
    (void)add_branch(fixture, "1");
    execute(fixture, "INSERT INTO ADM_DHCPServersTable (RecordId, ServerName, HaName, IsLocal) VALUES (99, 'x', "
                     "'renamed', 1)");
    fixture->context.local_server_record_id = 99;
    fixture->context.local_name = "renamed";
    refuse(fixture, "failover-scope-add", NOT_ADDED, "record-id", "{\"record-id\":2,\"subnet-ids\":[2]}");
    refuse(fixture, "failover-scope-del", NOT_REMOVED, "record-id", "{\"record-id\":2,\"subnet-ids\":[1]}");
    json_decref(run_ok(fixture, "failover-del", "{\"record-id\":2}"));
    assert_answer(fixture, "SELECT HaName FROM ADM_DHCPServersTable ORDER BY 1", "renamed;server1;server2");
    assert_answer(fixture, SCOPES_OF("server1"), "1;2;3;4");
}

static void test_an_addition_of_scopes_that_the_store_refuses_leaves_nothing(void **state)
{
    static const char *const tables[] = {"ADM_DhcpScopeFailoverTable", "ReplicationQueue"};
    struct fixture *fixture = *state;
    char sql[200];

    (void)add_branch(fixture, "1");
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(sql, sizeof sql,
                       "CREATE TRIGGER Full BEFORE INSERT ON %s WHEN (SELECT count(*) FROM ADM_DhcpScopeFailoverTable "
                       "WHERE FailoverRelationId = 2) >= 2 BEGIN SELECT RAISE(ABORT, 'no room'); END",
                       tables[i]);
        execute(fixture, sql);
        refuse_by_store(fixture, "failover-scope-add", NOT_ADDED, "{\"record-id\":2,\"subnet-ids\":[2,3,4]}");
        execute(fixture, "DROP TRIGGER Full");
    }
    execute(fixture, "BEGIN IMMEDIATE");
    refuse_by_store(fixture, "failover-scope-add", NOT_ADDED, "{\"record-id\":2,\"subnet-ids\":[2]}");
    execute(fixture, "ROLLBACK");
    assert_int_equal(scope_add(fixture, "2,3,4"), 3);
}

static void test_an_addition_and_a_removal_join_the_callers_transaction(void **state)
{
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    assert_ok(store_begin(fixture->store));
    assert_int_equal(scope_add(fixture, "2"), 1);
    assert_int_equal(scope_del(fixture, "1"), 1);
    assert_answer(fixture, MEMBERS, "1");
    store_rollback(fixture->store);
    assert_answer(fixture, MEMBERS, "1");
    assert_ok(store_begin(fixture->store));
    assert_int_equal(scope_add(fixture, "2"), 1);
    assert_int_equal(scope_del(fixture, "1"), 1);
    assert_ok(store_commit(fixture->store));
    assert_answer(fixture, MEMBERS, "2");
}

static void test_ten_thousand_scopes_are_added_at_once(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 80000;
    char *arguments = calloc(1, size);
    size_t length;

    assert_non_null(arguments);
    (void)add_branch(fixture, "1");
    length = (size_t)snprintf(arguments, size, "{\"record-id\":2,\"subnet-ids\":[2");
    for (int i = 1; i < 10000; i++)
        length += (size_t)snprintf(arguments + length, size - length, ",%d", i % 4 + 1);
    (void)snprintf(arguments + length, size - length, ",2]}");
    refuse_input(fixture, "failover-scope-add", "IpamApiInvalidParameter", "subnet-ids", arguments);
    (void)snprintf(arguments + length, size - length, "]}");
    json_decref(run_ok(fixture, "failover-scope-add", "%s", arguments));
    assert_answer(fixture, MEMBERS, "1;2;3;4");
    free(arguments);
}

/* ---- RemoveDhcpFailoverScopes ---- */

static void test_remove_dhcp_failover_scopes_step_1_arguments_of_another_kind_are_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse_input(fixture, "failover-scope-del", "IpamApiInvalidParameter", "record-id",
                 "{\"record-id\":-1,\"subnet-ids\":[1]}");
    refuse_input(fixture, "failover-scope-del", "IpamApiInvalidParameter", "subnet-ids[1]",
                 "{\"record-id\":2,\"subnet-ids\":[\"10.0.0.0/24\"]}");
}

static void test_remove_dhcp_failover_scopes_step_2_no_relationship_or_no_scope_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse_input(fixture, "failover-scope-del", "IpamApiInvalidParameter", "record-id", "{\"subnet-ids\":[1]}");
    refuse_input(fixture, "failover-scope-del", "IpamApiInvalidParameter", "subnet-ids", "{\"record-id\":2}");
    refuse(fixture, "failover-scope-del", "IpamApiObjectNotFoundInDatabase", "record-id",
           "{\"record-id\":4711,\"subnet-ids\":[1]}");
}

static void test_remove_dhcp_failover_scopes_of_a_mirrored_relationship_is_refused(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = NULL;
    struct fault fault;

    refuse(fixture, "failover-scope-del", NOT_REMOVED, "record-id", "{" MIRRORED ",\"subnet-ids\":[1]}");
    fault = run_text(fixture, "failover-scope-del", "{" MIRRORED ",\"subnet-ids\":[1]}", &output);
    assert_non_null(strstr(fault.message, "ha-server-name"));
}

static void test_remove_dhcp_failover_scopes_step_3_1_the_row_of_that_relationship_is_deleted(void **state)
{
    struct fixture *fixture = *state;
    json_t *output;

    (void)add_branch(fixture, "1,2,4");
    output = run_ok(fixture, "failover-scope-del", "{\"record-id\":2,\"subnet-ids\":[4,1,4]}");
    assert_int_equal(json_integer_value(json_object_get(output, "removed")), 2);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(output, "failover"), "scopes")), 1);
    json_decref(output);
    assert_change(fixture, FAILOVER_SCOPES_REMOVED, 2, "server3", "4,1");
    assert_answer(fixture, MEMBERS, "2");
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpScopeFailoverTable WHERE FailoverRelationId = 1", "4");
}

static void test_remove_dhcp_failover_scopes_forgets_what_was_agreed_on_with_the_partner(void **state)
{
    struct fixture *fixture = *state;
    int64_t server2 = server_id(fixture, "server2"), server3;

    (void)add_branch(fixture, "1,2");
    server3 = server_id(fixture, "server3");
    for (uint32_t subnet_id = 1; subnet_id <= 2; subnet_id++) {
        put_partner_scope(fixture, server2, subnet_id);
        put_partner_scope(fixture, server3, subnet_id);
    }
    execute(fixture, "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, ObjectId, Name, EnqueuedAt, "
                     "NextAttemptAt) SELECT 1, RecordId, 1, '10.0.0.0/24', 5, 6 FROM ADM_DHCPServersTable WHERE "
                     "HaName = 'server2'");
    assert_int_equal(scope_del(fixture, "1"), 1);
    assert_answer(fixture, SCOPES_OF("server3"), "2");
    assert_answer(fixture, SCOPES_OF("server2"), "1;2");
    assert_answer(fixture, SCOPES_OF("server1"), "1;2;3;4");
    assert_answer(fixture, QUEUE, "server2|1|1|10.0.0.0/24|5;server3|2|2|10.0.1.0/24|1700000000000");
}

static void test_remove_dhcp_failover_scopes_leaves_what_high_availability_agreed_on(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);

    (void)add_branch(fixture, "1,2");
    put_partner_scope(fixture, server_id(fixture, "server3"), 1);
    /* High Availability has come to pair the same two servers. */
    row.relationship_name = "server1-server3";
    row.server2_record_id = server_id(fixture, "server3");
    assert_int_equal(mirror(fixture, &row), 3);
    assert_int_equal(scope_del(fixture, "1"), 1);
    assert_answer(fixture, MEMBERS, "2");
    assert_answer(fixture, SCOPES_OF("server3"), "1");
    assert_answer(fixture, "SELECT count(*) FROM ReplicationQueue", "2");
}

static void test_remove_dhcp_failover_scopes_a_scope_that_is_not_in_it_is_not_touched(void **state)
{
    struct fixture *fixture = *state;
    int64_t version;

    (void)add_branch(fixture, "1");
    put_partner_scope(fixture, server_id(fixture, "server3"), 2);
    version = ask_integer(fixture, "PRAGMA data_version");
    assert_int_equal(scope_del(fixture, "2,3"), 0);
    assert_change(fixture, FAILOVER_UNCHANGED, 0, NULL, "");
    assert_true(ask_integer(fixture, "PRAGMA data_version") == version);
    assert_answer(fixture, SCOPES_OF("server3"), "2");
}

static void test_remove_dhcp_failover_scopes_a_scope_that_is_not_there_is_named(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = NULL;
    struct fault fault;

    (void)add_branch(fixture, "1");
    refuse(fixture, "failover-scope-del", "IpamApiDhcpScopeNotFoundInDB", "subnet-ids",
           "{\"record-id\":2,\"subnet-ids\":[1,4711]}");
    fault = run_text(fixture, "failover-scope-del", "{\"record-id\":2,\"subnet-ids\":[4711]}", &output);
    assert_non_null(strstr(fault.message, "4711"));
}

static void test_a_removal_of_scopes_that_the_store_refuses_leaves_nothing(void **state)
{
    static const char *const tables[] = {"ADM_DhcpScopeFailoverTable", "ADM_DHCPScopesTable", "ReplicationQueue"};
    struct fixture *fixture = *state;
    char sql[200];

    (void)add_branch(fixture, "1,2");
    put_partner_scope(fixture, server_id(fixture, "server3"), 1);
    put_partner_scope(fixture, server_id(fixture, "server3"), 2);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        (void)snprintf(sql, sizeof sql,
                       "CREATE TRIGGER Full BEFORE DELETE ON %s BEGIN SELECT RAISE(ABORT, 'no room'); END", tables[i]);
        execute(fixture, sql);
        refuse_by_store(fixture, "failover-scope-del", NOT_REMOVED, "{\"record-id\":2,\"subnet-ids\":[1,2]}");
        execute(fixture, "DROP TRIGGER Full");
    }
    assert_int_equal(scope_del(fixture, "1,2"), 2);
    assert_answer(fixture, SCOPES_OF("server3"), "");
    assert_answer(fixture, QUEUE, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_failover, tear_down_failover)
    const struct CMUnitTest tests[] = {
        TEST(test_add_dhcp_failover_scopes_step_1_arguments_of_another_kind_are_refused),
        TEST(test_add_dhcp_failover_scopes_step_2_no_relationship_or_no_scope_is_refused),
        TEST(test_add_dhcp_failover_scopes_step_3_a_relationship_that_is_not_there_is_refused),
        TEST(test_add_dhcp_failover_scopes_step_3_a_mirrored_relationship_is_refused),
        TEST(test_add_dhcp_failover_scopes_step_4_1_a_scope_already_in_it_is_not_added_twice),
        TEST(test_add_dhcp_failover_scopes_step_4_2_a_missing_row_is_added),
        TEST(test_add_dhcp_failover_scopes_step_4_2_a_removal_that_waits_is_replaced),
        TEST(test_add_dhcp_failover_scopes_step_4_2_nothing_is_queued_when_replication_is_manual),
        TEST(test_add_dhcp_failover_scopes_step_4_a_scope_that_is_not_there_is_named),
        TEST(test_add_dhcp_failover_scopes_step_5_the_updated_relationship_is_answered),
        TEST(test_scopes_of_a_relationship_that_this_server_left_are_refused),
        TEST(test_an_addition_of_scopes_that_the_store_refuses_leaves_nothing),
        TEST(test_an_addition_and_a_removal_join_the_callers_transaction),
        TEST(test_ten_thousand_scopes_are_added_at_once),
        TEST(test_remove_dhcp_failover_scopes_step_1_arguments_of_another_kind_are_refused),
        TEST(test_remove_dhcp_failover_scopes_step_2_no_relationship_or_no_scope_is_refused),
        TEST(test_remove_dhcp_failover_scopes_of_a_mirrored_relationship_is_refused),
        TEST(test_remove_dhcp_failover_scopes_step_3_1_the_row_of_that_relationship_is_deleted),
        TEST(test_remove_dhcp_failover_scopes_forgets_what_was_agreed_on_with_the_partner),
        TEST(test_remove_dhcp_failover_scopes_leaves_what_high_availability_agreed_on),
        TEST(test_remove_dhcp_failover_scopes_a_scope_that_is_not_in_it_is_not_touched),
        TEST(test_remove_dhcp_failover_scopes_a_scope_that_is_not_there_is_named),
        TEST(test_a_removal_of_scopes_that_the_store_refuses_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
