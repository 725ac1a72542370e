/* EditDhcpFailover (MS-IPAMM2 3.19.4.4.1.24, UpdateDhcpFailoverDelegate), step by step, and the corners of each step.
 * How long an edit of a mirrored relationship holds is in test_failover_edits.c. */
#include "failover_fixture.h"

#define NOT_UPDATED "IpamApiDhcpFailoverFailedToUpdateInIpamDatabase"

/* What a client can edit. */
#define ROW                                                                                                            \
    "SELECT RelationshipName, Mode, MCLT, AutoStateTransition, StateSwitchInterval, Server1Percentage FROM "           \
    "ADM_DhcpFailoverRelationTable WHERE RecordId = 2"

/* Updates "branch" and compares changed-properties, joined by ",". */
static void update_changes(struct fixture *fixture, const char *modified, const char *properties, const char *changed)
{
    json_t *output = run_ok(fixture, "failover-update", "{\"record-id\":2,\"modified-properties\":[%s]%s%s}", modified,
                            properties[0] == '\0' ? "" : ",", properties);
    char names[256] = "";
    json_t *name;
    size_t index;

    json_array_foreach(json_object_get(output, "changed-properties"), index, name)
    {
        size_t length = strlen(names);

        (void)snprintf(names + length, sizeof names - length, "%s%s", index > 0 ? "," : "", json_string_value(name));
    }
    assert_string_equal(names, changed);
    if (changed[0] == '\0')
        assert_change(fixture, FAILOVER_UNCHANGED, 0, NULL, "");
    else
        assert_change(fixture, FAILOVER_UPDATED, 2, "server3", "");
    json_decref(output);
}

/* ---- steps 1 to 4 ---- */

static void test_update_dhcp_failover_step_1_arguments_of_another_kind_are_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse_input(fixture, "failover-update", "IpamApiInvalidEnumeration", "modified-properties[1]",
                 "{\"record-id\":2,\"modified-properties\":[\"server1-name\"]}");
    refuse_input(fixture, "failover-update", "IpamApiInvalidEnumeration", "mode",
                 "{\"record-id\":2,\"modified-properties\":[\"mode\"],\"mode\":\"hot-standby\"}");
    refuse_input(fixture, "failover-update", "IpamApiInvalidParameter", "server1-percentage",
                 "{\"record-id\":2,\"modified-properties\":[\"server1-percentage\"],\"server1-percentage\":101}");
    refuse_input(fixture, "failover-update", "IpamApiInvalidParameter", "state-switch-interval",
                 "{\"record-id\":2,\"state-switch-interval\":4294967296}");
}

static void test_update_dhcp_failover_step_2_no_relationship_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse_input(fixture, "failover-update", "IpamApiInvalidParameter", "record-id",
                 "{\"modified-properties\":[\"mclt\"]}");
    refuse_input(fixture, "failover-update", "IpamApiInvalidParameter", "record-id", "{\"record-id\":0}");
}

static void test_update_dhcp_failover_step_3_a_relationship_that_is_not_there_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "failover-update", "IpamApiObjectNotFoundInDatabase", "record-id",
           "{\"record-id\":4711,\"modified-properties\":[\"mclt\"]}");
    refuse(fixture, "failover-update", "IpamApiObjectNotFoundInDatabase", "record-id", "{\"record-id\":4711}");
}

static void test_update_dhcp_failover_step_4_no_modified_property_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    char *before, *after;
    int64_t version;

    (void)add_branch(fixture, "1");
    before = dump(fixture);
    version = ask_integer(fixture, "PRAGMA data_version");
    update_changes(fixture, "", "\"mclt\":60,\"mode\":\"LoadBalance\",\"relationship-name\":\"other\"", "");
    json_decref(run_ok(fixture, "failover-update", "{\"record-id\":2,\"mode\":\"None\"}"));
    after = dump(fixture);
    assert_string_equal(before, after);
    assert_true(ask_integer(fixture, "PRAGMA data_version") == version);
    sqlite3_free(before);
    sqlite3_free(after);
}

/* ---- step 5 ---- */

static void test_update_dhcp_failover_step_5_each_property_is_updated(void **state)
{
    static const struct {
        const char *name, *value, *row;
    } cases[] = {
        {"relationship-name", "\"ost\"", "ost|HotStandby|null|0|null|50"},
        {"mode", "\"LoadBalance\"", "ost|LoadBalance|null|0|null|50"},
        {"mclt", "0", "ost|LoadBalance|0|0|null|50"},
        {"auto-state-transition", "true", "ost|LoadBalance|0|1|null|50"},
        {"state-switch-interval", "4294967295", "ost|LoadBalance|0|1|4294967295|50"},
        {"server1-percentage", "0", "ost|LoadBalance|0|1|4294967295|0"},
    };
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char modified[64], properties[64];

        (void)snprintf(modified, sizeof modified, "\"%s\"", cases[i].name);
        (void)snprintf(properties, sizeof properties, "\"%s\":%s", cases[i].name, cases[i].value);
        update_changes(fixture, modified, properties, cases[i].name);
        assert_answer(fixture, ROW, cases[i].row);
    }
    assert_answer(fixture,
                  "SELECT Server1RecordId, Server1Name, Server2PSName, Server2IP, SharedSecretEnabled, Origin, "
                  "EditedProperties, ConfiguredProperties FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 2",
                  "1|server1|server3|192.0.2.3|1|Admin|[]|{}");
    assert_answer(fixture,
                  "SELECT RelationshipName, Mode, EditedProperties FROM ADM_DhcpFailoverRelationTable "
                  "WHERE RecordId = 1",
                  "server1-server2|LoadBalance|[]");
}

static void test_update_dhcp_failover_step_5_only_named_properties_are_taken(void **state)
{
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    update_changes(fixture, "\"mclt\",\"mclt\"", "\"mclt\":60,\"mode\":\"LoadBalance\",\"server1-percentage\":1",
                   "mclt");
    assert_answer(fixture, ROW, "branch|HotStandby|60|0|null|50");
}

static void test_update_dhcp_failover_step_5_what_is_named_and_not_given_is_cleared_or_refused(void **state)
{
    static const struct {
        const char *property, *exception;
    } not_null[] = {
        {"relationship-name", "IpamApiInvalidParameter"},
        {"mode", "IpamApiInvalidEnumeration"},
        {"auto-state-transition", "IpamApiInvalidParameter"},
        {"server1-percentage", "IpamApiInvalidParameter"},
    };
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    for (size_t i = 0; i < sizeof not_null / sizeof not_null[0]; i++)
        refuse(fixture, "failover-update", not_null[i].exception, not_null[i].property,
               "{\"record-id\":2,\"modified-properties\":[\"mclt\",\"%s\"],\"mclt\":60}", not_null[i].property);
    update_changes(fixture, "\"mclt\",\"state-switch-interval\"", "\"mclt\":60,\"state-switch-interval\":90",
                   "mclt,state-switch-interval");
    update_changes(fixture, "\"mclt\",\"state-switch-interval\"", "", "mclt,state-switch-interval");
    assert_answer(fixture, ROW, "branch|HotStandby|null|0|null|50");
}

static void test_update_dhcp_failover_step_5_values_that_are_so_already_are_not_written(void **state)
{
    struct fixture *fixture = *state;
    int64_t version;

    (void)add_branch(fixture, "1");
    update_changes(fixture, "\"mclt\"", "\"mclt\":60", "mclt");
    version = ask_integer(fixture, "PRAGMA data_version");
    update_changes(fixture,
                   "\"relationship-name\",\"mode\",\"mclt\",\"auto-state-transition\",\"state-switch-interval\","
                   "\"server1-percentage\"",
                   "\"relationship-name\":\"branch\",\"mode\":\"HotStandby\",\"mclt\":60,\"auto-state-transition\":"
                   "false,\"server1-percentage\":50",
                   "");
    assert_true(ask_integer(fixture, "PRAGMA data_version") == version);
    update_changes(fixture, "\"mode\",\"server1-percentage\"", "\"mode\":\"HotStandby\",\"server1-percentage\":51",
                   "server1-percentage");
}

static void test_update_dhcp_failover_step_5_the_relationship_as_it_is_now_is_answered(void **state)
{
    struct fixture *fixture = *state;
    const json_t *failover;
    json_t *output;

    (void)add_branch(fixture, "1,2");
    output = run_ok(fixture, "failover-update",
                    "{\"record-id\":2,\"modified-properties\":[\"relationship-name\",\"mclt\"],\"relationship-name\":"
                    "\"B\\u00fcro\",\"mclt\":60}");
    failover = json_object_get(output, "failover");
    assert_string_equal(json_string_value(json_object_get(failover, "relationship-name")), "B\xc3\xbcro");
    assert_int_equal(json_integer_value(json_object_get(failover, "mclt")), 60);
    assert_int_equal(json_integer_value(json_object_get(failover, "scopes")), 2);
    assert_int_equal(json_array_size(json_object_get(failover, "edited-properties")), 0);
    json_decref(output);
}

static void test_update_dhcp_failover_the_result_must_be_valid(void **state)
{
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    refuse(fixture, "failover-update", "IpamApiInvalidParameter", "relationship-name",
           "{\"record-id\":2,\"modified-properties\":[\"relationship-name\"],\"relationship-name\":\" \\u00a0\"}");
    refuse(fixture, "failover-update", "IpamApiInvalidEnumeration", "mode",
           "{\"record-id\":2,\"modified-properties\":[\"mclt\",\"mode\"],\"mclt\":60,\"mode\":\"None\"}");
    /* What another client left in the table does not become valid by an edit beside it. */
    execute(fixture, "UPDATE ADM_DhcpFailoverRelationTable SET Mode = 'None' WHERE RecordId = 2");
    refuse(fixture, "failover-update", "IpamApiInvalidEnumeration", "mode",
           "{\"record-id\":2,\"modified-properties\":[\"mclt\"],\"mclt\":60}");
}

static void test_update_dhcp_failover_a_name_has_at_most_256_characters_not_bytes(void **state)
{
    static const char *const characters[] = {"x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x8c\x90"};
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        char *fits = long_name(characters[i], 256), *too_long = long_name(characters[i], 257);
        char arguments[1400];

        (void)snprintf(arguments, sizeof arguments, "\"relationship-name\":\"%s\"", fits);
        update_changes(fixture, "\"relationship-name\"", arguments, "relationship-name");
        (void)snprintf(arguments, sizeof arguments,
                       "{\"record-id\":2,\"modified-properties\":[\"relationship-name\"],\"relationship-name\":\"%s\"}",
                       too_long);
        refuse_input(fixture, "failover-update", "IpamApiInvalidParameter", "relationship-name", arguments);
        assert_answer(fixture, "SELECT length(RelationshipName) FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 2",
                      "256");
        free(fits);
        free(too_long);
    }
}

static void test_update_dhcp_failover_a_name_of_the_same_servers_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);

    (void)add_branch(fixture, "1");
    /* High Availability has come to pair the same servers, the other way round. */
    row.relationship_name = "server3-server1";
    row.server1_record_id = server_id(fixture, "server3");
    row.server2_record_id = fixture->server;
    assert_int_equal(mirror(fixture, &row), 3);
    refuse(fixture, "failover-update", NOT_UPDATED, "relationship-name",
           "{\"record-id\":2,\"modified-properties\":[\"relationship-name\"],\"relationship-name\":"
           "\"server3-server1\"}");
    refuse(fixture, "failover-update", NOT_UPDATED, "relationship-name",
           "{\"record-id\":3,\"modified-properties\":[\"relationship-name\"],\"relationship-name\":\"branch\"}");
    /* Of other servers it may be. */
    update_changes(fixture, "\"relationship-name\"", "\"relationship-name\":\"server1-server2\"", "relationship-name");
}

static void test_an_update_that_the_store_refuses_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const char update[] = "{\"record-id\":2,\"modified-properties\":[\"mclt\"],\"mclt\":60}";

    (void)add_branch(fixture, "1");
    execute(fixture, "CREATE TRIGGER Full BEFORE UPDATE ON ADM_DhcpFailoverRelationTable BEGIN SELECT RAISE(ABORT, "
                     "'no room'); END");
    refuse_by_store(fixture, "failover-update", NOT_UPDATED, "%s", update);
    execute(fixture, "DROP TRIGGER Full");
    execute(fixture, "BEGIN IMMEDIATE");
    refuse_by_store(fixture, "failover-update", NOT_UPDATED, "%s", update);
    execute(fixture, "ROLLBACK");
    json_decref(run_ok(fixture, "failover-update", "%s", update));
}

static void test_an_update_joins_the_callers_transaction(void **state)
{
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    assert_ok(store_begin(fixture->store));
    update_changes(fixture, "\"mclt\"", "\"mclt\":60", "mclt");
    store_rollback(fixture->store);
    assert_answer(fixture, ROW, "branch|HotStandby|null|0|null|50");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_failover, tear_down_failover)
    const struct CMUnitTest tests[] = {
        TEST(test_update_dhcp_failover_step_1_arguments_of_another_kind_are_refused),
        TEST(test_update_dhcp_failover_step_2_no_relationship_is_refused),
        TEST(test_update_dhcp_failover_step_3_a_relationship_that_is_not_there_is_refused),
        TEST(test_update_dhcp_failover_step_4_no_modified_property_changes_nothing),
        TEST(test_update_dhcp_failover_step_5_each_property_is_updated),
        TEST(test_update_dhcp_failover_step_5_only_named_properties_are_taken),
        TEST(test_update_dhcp_failover_step_5_what_is_named_and_not_given_is_cleared_or_refused),
        TEST(test_update_dhcp_failover_step_5_values_that_are_so_already_are_not_written),
        TEST(test_update_dhcp_failover_step_5_the_relationship_as_it_is_now_is_answered),
        TEST(test_update_dhcp_failover_the_result_must_be_valid),
        TEST(test_update_dhcp_failover_a_name_has_at_most_256_characters_not_bytes),
        TEST(test_update_dhcp_failover_a_name_of_the_same_servers_is_refused),
        TEST(test_an_update_that_the_store_refuses_leaves_nothing),
        TEST(test_an_update_joins_the_callers_transaction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
