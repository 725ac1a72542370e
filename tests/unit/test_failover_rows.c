/* DeleteDhcpFailover (MS-IPAMM2 3.19.4.4.1.27) step by step, GetDhcpFailoverById and GetAllDhcpFailoverByServerId
 * (3.1.1.1.44.2), and the enumerations of all operations on relationships. */
#include "failover_fixture.h"

#define NOT_DELETED "IpamApiDhcpFailoverFailedToDeleteInIpamDatabase"
#define SCOPES_OF(server)                                                                                              \
    "SELECT s.SubnetId FROM ADM_DHCPScopesTable AS s JOIN ADM_DHCPServersTable AS d ON d.RecordId = "                  \
    "s.DHCPServerRecordId WHERE d.HaName = '" server "' ORDER BY 1"
#define SERVERS "SELECT HaName FROM ADM_DHCPServersTable ORDER BY HaName"

static void delete_branch(struct fixture *fixture)
{
    json_t *output = run_ok(fixture, "failover-del", "{\"record-id\":2}");

    assert_int_equal(json_object_size(output), 0);
    json_decref(output);
}

/* ---- DeleteDhcpFailover ---- */

static void test_delete_dhcp_failover_step_1_arguments_of_another_kind_are_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse_input(fixture, "failover-del", "IpamApiInvalidParameter", "record-id", "{\"record-id\":[]}");
    refuse_input(fixture, "failover-del", "IpamApiInvalidParameter", "wait", "{\"record-id\":2,\"wait\":1}");
}

static void test_delete_dhcp_failover_step_2_no_relationship_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse_input(fixture, "failover-del", "IpamApiInvalidParameter", "record-id", "{}");
}

static void test_delete_dhcp_failover_step_3_a_relationship_that_is_not_there_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "failover-del", "IpamApiObjectNotFoundInDatabase", "record-id", "{\"record-id\":4711}");
}

static void test_delete_dhcp_failover_step_3_a_mirrored_relationship_is_refused(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = NULL;
    struct fault fault;

    refuse(fixture, "failover-del", NOT_DELETED, "record-id", "{" MIRRORED "}");
    fault = run_text(fixture, "failover-del", "{" MIRRORED "}", &output);
    assert_non_null(strstr(fault.message, "High Availability"));
}

static void test_delete_dhcp_failover_step_4_the_row_goes_with_memberships_and_wishes(void **state)
{
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "4,1");
    execute(fixture, "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, ObjectId, Name, EnqueuedAt, "
                     "NextAttemptAt) SELECT 1, RecordId, 1, '10.0.0.0/24', 5, 6 FROM ADM_DHCPServersTable WHERE "
                     "HaName = 'server2'");
    delete_branch(fixture);
    assert_int_equal(fixture->failover.kind, FAILOVER_DELETED);
    assert_int_equal(fixture->failover.count, 2);
    assert_true(fixture->failover.subnet_ids[0] == 1 && fixture->failover.subnet_ids[1] == 4);
    assert_true(fixture->failover.relation_record_id == 2 && fixture->failover.partner_record_id > 0);
    assert_answer(fixture, "SELECT RecordId FROM ADM_DhcpFailoverRelationTable", "1");
    assert_answer(fixture, "SELECT DISTINCT FailoverRelationId, count(*) FROM ADM_DhcpScopeFailoverTable", "1|4");
    assert_answer(fixture, "SELECT RelationId, ObjectId FROM ReplicationQueue", "1|1");
    refuse(fixture, "failover-del", "IpamApiObjectNotFoundInDatabase", "record-id", "{\"record-id\":2}");
}

static void test_delete_dhcp_failover_step_4_the_partner_goes_with_its_scopes(void **state)
{
    struct fixture *fixture = *state;
    int64_t server2 = server_id(fixture, "server2");
    struct scope_row alone = {.id = 77,
                              .name = "10.7.0.0/24",
                              .definition = "{\"shared-network\":{\"name\":\"floor\"},\"subnet4\":{\"subnet\":"
                                            "\"10.7.0.0/24\"}}"};
    int64_t record_id;

    (void)add_branch(fixture, "1,2");
    alone.server_record_id = server_id(fixture, "server3");
    put_partner_scope(fixture, alone.server_record_id, 1);
    put_partner_scope(fixture, alone.server_record_id, 2);
    put_partner_scope(fixture, server2, 1);
    assert_ok(scope_store_put(fixture->store, &alone, false, &record_id)); /* ours was removed since */
    assert_answer(fixture, SCOPES_OF("server3"), "1;2;77");
    delete_branch(fixture);
    assert_answer(fixture, SERVERS, "server1;server2");
    assert_answer(fixture, SCOPES_OF("server2"), "1");
    assert_answer(fixture, "SELECT count(*) FROM ADM_DHCPScopesTable", "5");
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpSuperscopeTable", "0");
    assert_answer(fixture, "SELECT count(*) FROM ADM_IPBlocksTable WHERE NetworkId = '10.7.0.0'", "0");
    assert_answer(fixture, "SELECT count(*) FROM ADM_IPBlocksTable WHERE NetworkId = '10.0.1.0'", "1");
    /* It can be added again. */
    assert_true(add_branch(fixture, "1") == 2);
    assert_answer(fixture, SERVERS, "server1;server2;server3");
}

static void test_delete_dhcp_failover_step_4_a_partner_of_other_relationships_stays(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);

    (void)add_branch(fixture, "1");
    put_partner_scope(fixture, server_id(fixture, "server3"), 1);
    /* server3 is the backup of server2, which is nothing to this server: nothing is agreed on any more. */
    row.relationship_name = "server2-server3";
    row.server1_record_id = server_id(fixture, "server2");
    row.server2_record_id = server_id(fixture, "server3");
    assert_int_equal(mirror(fixture, &row), 3);
    delete_branch(fixture);
    assert_answer(fixture, SERVERS, "server1;server2;server3");
    assert_answer(fixture, SCOPES_OF("server3"), "");
}

static void test_delete_dhcp_failover_step_4_what_high_availability_agreed_on_stays(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);

    (void)add_branch(fixture, "1");
    put_partner_scope(fixture, server_id(fixture, "server3"), 1);
    row.relationship_name = "server1-server3";
    row.server2_record_id = server_id(fixture, "server3");
    assert_int_equal(mirror(fixture, &row), 3);
    delete_branch(fixture);
    assert_answer(fixture, SERVERS, "server1;server2;server3");
    assert_answer(fixture, SCOPES_OF("server3"), "1");
    assert_answer(fixture, "SELECT RecordId FROM ADM_DhcpFailoverRelationTable", "1;3");
}

static void test_a_deletion_that_the_store_refuses_leaves_nothing(void **state)
{
    static const char *const tables[] = {"ADM_DhcpFailoverRelationTable", "ADM_DHCPScopesTable",
                                         "ADM_DHCPServersTable"};
    struct fixture *fixture = *state;
    char sql[200];

    (void)add_branch(fixture, "1,2");
    put_partner_scope(fixture, server_id(fixture, "server3"), 1);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        (void)snprintf(sql, sizeof sql,
                       "CREATE TRIGGER Full BEFORE DELETE ON %s BEGIN SELECT RAISE(ABORT, 'no room'); END", tables[i]);
        execute(fixture, sql);
        refuse_by_store(fixture, "failover-del", NOT_DELETED, "{\"record-id\":2}");
        execute(fixture, "DROP TRIGGER Full");
    }
    execute(fixture, "BEGIN IMMEDIATE");
    refuse_by_store(fixture, "failover-del", NOT_DELETED, "{\"record-id\":2}");
    execute(fixture, "ROLLBACK");
    delete_branch(fixture);
}

static void test_a_deletion_joins_the_callers_transaction(void **state)
{
    struct fixture *fixture = *state;
    char *before, *after;

    (void)add_branch(fixture, "1,2");
    before = dump(fixture);
    assert_ok(store_begin(fixture->store));
    delete_branch(fixture);
    store_rollback(fixture->store);
    after = dump(fixture);
    assert_string_equal(before, after);
    sqlite3_free(before);
    sqlite3_free(after);
}

/* ---- GetDhcpFailoverById ---- */

static void test_get_dhcp_failover_by_id_every_column_is_answered(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);
    json_t *output, *expected;

    row.mclt = 3600;
    row.shared_secret_enabled = true;
    row.server1_state = "Normal";
    row.server2_state = "PartnerDown";
    assert_int_equal(mirror(fixture, &row), 1);
    execute(fixture, "UPDATE ADM_DhcpFailoverRelationTable SET Server1PSName = 'ps1', Server2PSName = 'ps2', "
                     "EditedProperties = '[\"MCLT\",\"Server1PSName\"]'");
    output = run_ok(fixture, "failover-get", "{" MIRRORED "}");
    expected =
        json_pack("{s:{s:i,s:s,s:s,s:i,s:b,s:i,s:i,s:s,s:b,s:i,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:[s],s:i}}",
                  "failover", "record-id", 1, "relationship-name", "server1-server2", "mode", "LoadBalance", "mclt",
                  3600, "auto-state-transition", 1, "state-switch-interval", 60, "server1-percentage", 50, "kea-mode",
                  "load-balancing", "shared-secret-enabled", 1, "server1-record-id", 1, "server2-record-id",
                  (json_int_t)server_id(fixture, "server2"), "server1-name", "server1", "server2-name", "server2",
                  "server1-ps-name", "ps1", "server2-ps-name", "ps2", "server1-ip", "192.0.2.1", "server2-ip",
                  "192.0.2.2", "server1-state", "Normal", "server2-state", "PartnerDown", "origin", "HaConfig",
                  "edited-properties", "mclt", "scopes", 4);
    assert_non_null(expected);
    assert_true(json_equal(output, expected));
    json_decref(output);
    json_decref(expected);
}

static void test_get_dhcp_failover_by_id_what_is_null_or_0_is_left_out(void **state)
{
    static const char *const absent[] = {
        "mclt",         "state-switch-interval", "kea-mode",        "server1-record-id", "server2-record-id",
        "server1-name", "server2-name",          "server1-ps-name", "server2-ps-name",   "server1-ip",
        "server2-ip"};
    struct fixture *fixture = *state;
    json_t *output;

    execute(fixture, "INSERT INTO ADM_DhcpFailoverRelationTable (RecordId, RelationshipName, Mode, Server1Percentage, "
                     "Origin) VALUES (9, 'bare', 'None', 0, 'Admin')");
    output = run_ok(fixture, "failover-get", "{\"record-id\":9}");
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        assert_null(json_object_get(json_object_get(output, "failover"), absent[i]));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(output, "failover"), "scopes")), 0);
    json_decref(output);
}

static void test_get_dhcp_failover_by_id_counts_this_servers_scopes(void **state)
{
    struct fixture *fixture = *state;
    json_t *output;

    put_partner_scope(fixture, server_id(fixture, "server2"), 1);
    execute(fixture, "INSERT INTO ADM_DhcpScopeFailoverTable (FailoverRelationId, ScopeId) SELECT 1, RecordId FROM "
                     "ADM_DHCPScopesTable WHERE DHCPServerRecordId <> 1");
    output = run_ok(fixture, "failover-get", "{" MIRRORED "}");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(output, "failover"), "scopes")), 4);
    json_decref(output);
}

static void test_get_dhcp_failover_by_id_a_relationship_that_is_not_there_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "failover-get", "IpamApiObjectNotFoundInDatabase", "record-id", "{\"record-id\":4711}");
    refuse_input(fixture, "failover-get", "IpamApiInvalidParameter", "record-id", "{}");
}

static void test_a_relationship_is_read_while_another_process_writes(void **state)
{
    struct fixture *fixture = *state;

    execute(fixture, "BEGIN IMMEDIATE");
    json_decref(run_ok(fixture, "failover-get", "{" MIRRORED "}"));
    json_decref(run_ok(fixture, "failover-get-all", "{}"));
    execute(fixture, "ROLLBACK");
}

static void test_relationships_that_cannot_be_read_are_the_receivers_fault(void **state)
{
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    execute(fixture, "DROP TABLE ADM_DhcpScopeFailoverTable");
    refuse_by_store(fixture, "failover-get", "IpamApiDhcpFailoverFailedToFetchFromIpamDatabase", "{" MIRRORED "}");
    refuse_by_store(fixture, "failover-get-all", "IpamApiDhcpFailoverFailedToFetchFromIpamDatabase", "{}");
}

/* ---- GetAllDhcpFailoverByServerId ---- */

/* The names of the relationships of a server, or of all, joined by ";". */
static void assert_listed(struct fixture *fixture, const char *server_name, const char *expected)
{
    json_t *output = run_ok(fixture, "failover-get-all", server_name == NULL ? "{}" : "{\"server-name\":\"%s\"}",
                            server_name == NULL ? "" : server_name);
    const json_t *list = json_object_get(output, "relationships");
    char names[256] = "";

    assert_true(json_is_array(list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        size_t length = strlen(names);

        (void)snprintf(names + length, sizeof names - length, "%s%s", i > 0 ? ";" : "",
                       json_string_value(json_object_get(json_array_get(list, i), "relationship-name")));
    }
    assert_string_equal(names, expected);
    json_decref(output);
}

static void test_get_all_dhcp_failover_by_server_id_lists_a_servers_relationships(void **state)
{
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    json_decref(run_ok(fixture, "failover-add",
                       "{\"relationship-name\":\"hub\",\"mode\":\"HotStandby\",\"server1-name\":\"server4\","
                       "\"server2-name\":\"centre\",\"this-server-name\":\"centre\",\"subnet-ids\":[2]}"));
    assert_listed(fixture, NULL, "server1-server2;branch;hub");
    assert_listed(fixture, "server1", "server1-server2;branch;hub");
    assert_listed(fixture, "centre", "hub"); /* what this server is called in that one alone */
    assert_listed(fixture, "server2", "server1-server2");
    assert_listed(fixture, "server3", "branch");
    assert_listed(fixture, "server4", "hub");
    assert_listed(fixture, "nobody", "");
}

static void test_get_all_dhcp_failover_by_server_id_answers_what_get_answers(void **state)
{
    struct fixture *fixture = *state;
    json_t *all, *one;

    (void)add_branch(fixture, "1,2");
    all = run_ok(fixture, "failover-get-all", "{}");
    for (int i = 0; i < 2; i++) {
        one = run_ok(fixture, "failover-get", "{\"record-id\":%d}", i + 1);
        assert_true(json_equal(json_object_get(one, "failover"),
                               json_array_get(json_object_get(all, "relationships"), (size_t)i)));
        json_decref(one);
    }
    json_decref(all);
}

static void test_get_all_dhcp_failover_by_server_id_of_an_empty_table_is_an_empty_list(void **state)
{
    struct fixture *fixture = *state;

    execute(fixture, "DELETE FROM ADM_DhcpFailoverRelationTable");
    assert_listed(fixture, NULL, "");
    assert_listed(fixture, "server1", "");
}

/* ---- enumerations ---- */

static void test_an_invalid_value_of_each_enumeration_is_named_so(void **state)
{
    static const struct {
        const char *command, *node, *arguments;
    } cases[] = {
        {"failover-add", "mode",
         "{\"relationship-name\":\"r\",\"server1-name\":\"a\",\"server2-name\":\"b\",\"subnet-ids\":[1],\"mode\":%s}"},
        {"failover-update", "mode", "{\"record-id\":1,\"mode\":%s}"},
        {"failover-update", "modified-properties[1]", "{\"record-id\":1,\"modified-properties\":[%s]}"},
        {"scope-get-all", "sync-status", "{\"sync-status\":%s}"},
        {"range-add", "address-family", "{" BY_IPAM ",\"address-family\":%s}"},
        {"custom-field-add", "type", "{\"name\":\"floor\",\"type\":%s}"},
    };
    static const char *const values[] = {"\"unheard-of\"", "\"\"", "\"loadbalance\"", "1", "null", "[]", "{}", "true"};
    struct fixture *fixture = *state;
    char arguments[300];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            (void)snprintf(arguments, sizeof arguments, cases[i].arguments, values[j]);
            refuse_input(fixture, cases[i].command, "IpamApiInvalidEnumeration", cases[i].node, arguments);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_failover, tear_down_failover)
    const struct CMUnitTest tests[] = {
        TEST(test_delete_dhcp_failover_step_1_arguments_of_another_kind_are_refused),
        TEST(test_delete_dhcp_failover_step_2_no_relationship_is_refused),
        TEST(test_delete_dhcp_failover_step_3_a_relationship_that_is_not_there_is_refused),
        TEST(test_delete_dhcp_failover_step_3_a_mirrored_relationship_is_refused),
        TEST(test_delete_dhcp_failover_step_4_the_row_goes_with_memberships_and_wishes),
        TEST(test_delete_dhcp_failover_step_4_the_partner_goes_with_its_scopes),
        TEST(test_delete_dhcp_failover_step_4_a_partner_of_other_relationships_stays),
        TEST(test_delete_dhcp_failover_step_4_what_high_availability_agreed_on_stays),
        TEST(test_a_deletion_that_the_store_refuses_leaves_nothing),
        TEST(test_a_deletion_joins_the_callers_transaction),
        TEST(test_get_dhcp_failover_by_id_every_column_is_answered),
        TEST(test_get_dhcp_failover_by_id_what_is_null_or_0_is_left_out),
        TEST(test_get_dhcp_failover_by_id_counts_this_servers_scopes),
        TEST(test_get_dhcp_failover_by_id_a_relationship_that_is_not_there_is_refused),
        TEST(test_a_relationship_is_read_while_another_process_writes),
        TEST(test_relationships_that_cannot_be_read_are_the_receivers_fault),
        TEST(test_get_all_dhcp_failover_by_server_id_lists_a_servers_relationships),
        TEST(test_get_all_dhcp_failover_by_server_id_answers_what_get_answers),
        TEST(test_get_all_dhcp_failover_by_server_id_of_an_empty_table_is_an_empty_list),
        TEST(test_an_invalid_value_of_each_enumeration_is_named_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
