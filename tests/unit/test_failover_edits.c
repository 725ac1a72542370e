/* An admin's edit of a mirrored relationship is kept, listed, and holds until that property's value in the server's
 * configuration itself changes. */
#include "failover_fixture.h"

#define ROW                                                                                                            \
    "SELECT RelationshipName, Mode, MCLT, AutoStateTransition, StateSwitchInterval, Server1Percentage, "               \
    "EditedProperties FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 1"
#define HELD "SELECT EditedProperties, ConfiguredProperties FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 1"

/* Edits the mirrored relationship. */
static void edit(struct fixture *fixture, const char *property, const char *value)
{
    json_decref(run_ok(fixture, "failover-update", "{" MIRRORED ",\"modified-properties\":[\"%s\"]%s%s%s%s}", property,
                       value == NULL ? "" : ",\"", value == NULL ? "" : property,
                       value == NULL ? "" : "\":", value == NULL ? "" : value));
}

/* Each property that can be edited: an edit, a value that the configuration comes to give, and the row's columns after
 * each. */
static const struct {
    const char *property, *column, *edit, *edited, *configured;
} properties[] = {
    {"relationship-name", "RelationshipName", "\"branch offices\"", "branch offices", "renamed"},
    {"mode", "Mode", "\"HotStandby\"", "HotStandby", "None"},
    {"mclt", "MCLT", "1800", "1800", "60"},
    {"auto-state-transition", "AutoStateTransition", "false", "0", "1"},
    {"state-switch-interval", "StateSwitchInterval", "7", "7", "90"},
    {"server1-percentage", "Server1Percentage", "70", "70", "100"},
};
#define PROPERTIES (sizeof properties / sizeof properties[0])

static void configure(struct relation_row *row, size_t property)
{
    switch (property) {
    case 0:
        row->relationship_name = "renamed";
        break;
    case 1:
        row->mode = "None";
        break;
    case 2:
        row->mclt = 60;
        break;
    case 3:
        row->auto_state_transition = !row->auto_state_transition;
        break;
    case 4:
        row->state_switch_interval = 90;
        break;
    default:
        row->server1_percentage = 100;
        break;
    }
}

static void assert_column(struct fixture *fixture, const char *column, const char *value, const char *edited)
{
    char sql[200], expected[200];

    (void)snprintf(sql, sizeof sql, "SELECT %s, EditedProperties FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 1",
                   column);
    (void)snprintf(expected, sizeof expected, "%s|%s", value, edited);
    assert_answer(fixture, sql, expected);
}

static void test_an_edit_of_each_property_holds_while_the_configuration_is_loaded_again(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);
    char edited[64];

    for (size_t i = 0; i < PROPERTIES; i++) {
        execute(fixture, "UPDATE ADM_DhcpFailoverRelationTable SET (RelationshipName, Mode, MCLT, AutoStateTransition, "
                         "StateSwitchInterval, Server1Percentage, EditedProperties, ConfiguredProperties) = "
                         "('server1-server2', 'LoadBalance', NULL, 1, 60, 50, '[]', '{}')");
        edit(fixture, properties[i].property, properties[i].edit);
        assert_change(fixture, FAILOVER_UPDATED, 1, "server2", "");
        (void)snprintf(edited, sizeof edited, "[\"%s\"]", properties[i].column);
        assert_column(fixture, properties[i].column, properties[i].edited, edited);
        for (int load = 0; load < 2; load++) {
            assert_int_equal(mirror(fixture, &row), 1);
            assert_column(fixture, properties[i].column, properties[i].edited, edited);
        }
    }
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpFailoverRelationTable", "1");
}

static void test_an_edit_of_each_property_ends_when_the_configurations_value_changes(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < PROPERTIES; i++) {
        struct relation_row row = mirrored_relation(fixture);
        char edited[64];

        /* The configuration gives true first, so that false can be an edit and true no news; then the other way. */
        row.auto_state_transition = i != 3;
        execute(fixture, "UPDATE ADM_DhcpFailoverRelationTable SET RelationshipName = 'server1-server2', "
                         "EditedProperties = '[]', ConfiguredProperties = '{}'");
        assert_int_equal(mirror(fixture, &row), 1);
        edit(fixture, properties[i].property, i == 3 ? "true" : properties[i].edit);
        (void)snprintf(edited, sizeof edited, "[\"%s\"]", properties[i].column);
        assert_int_equal(mirror(fixture, &row), 1);
        assert_column(fixture, properties[i].column, i == 3 ? "1" : properties[i].edited, edited);
        configure(&row, i);
        assert_int_equal(mirror(fixture, &row), 1);
        assert_column(fixture, properties[i].column, properties[i].configured, "[]");
        assert_answer(fixture, HELD, "[]|{}");
    }
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpFailoverRelationTable", "1");
}

static void test_one_edit_ends_and_the_others_hold(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);

    for (size_t i = 0; i < PROPERTIES; i++)
        edit(fixture, properties[i].property, properties[i].edit);
    row.state_switch_interval = 90;
    assert_int_equal(mirror(fixture, &row), 1);
    assert_answer(fixture, ROW,
                  "branch offices|HotStandby|1800|0|90|70|[\"Mode\",\"MCLT\",\"AutoStateTransition\","
                  "\"Server1Percentage\",\"RelationshipName\"]");
    row.relationship_name = "renamed";
    row.mclt = 3600;
    assert_int_equal(mirror(fixture, &row), 1);
    assert_answer(fixture, ROW,
                  "renamed|HotStandby|3600|0|90|70|[\"Mode\",\"AutoStateTransition\",\"Server1Percentage\"]");
}

static void test_an_edit_that_has_ended_does_not_come_back(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);

    edit(fixture, "mode", "\"HotStandby\"");
    row.mode = "None";
    (void)mirror(fixture, &row);
    row.mode = "LoadBalance";
    (void)mirror(fixture, &row);
    assert_answer(fixture, ROW, "server1-server2|LoadBalance|null|1|60|50|[]");
}

static void test_an_edit_ends_even_when_the_configuration_comes_to_give_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);

    edit(fixture, "mclt", "1800");
    row.mclt = 1800;
    (void)mirror(fixture, &row);
    assert_answer(fixture, ROW, "server1-server2|LoadBalance|1800|1|60|50|[]");
    row.mclt = 60;
    (void)mirror(fixture, &row);
    assert_answer(fixture, ROW, "server1-server2|LoadBalance|60|1|60|50|[]");
}

static void test_what_the_configuration_gave_is_kept_beside_the_edits(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);

    edit(fixture, "mclt", "1800");
    edit(fixture, "mode", "\"HotStandby\"");
    edit(fixture, "mclt", "3600"); /* a second edit is against the same */
    assert_answer(fixture, HELD, "[\"Mode\",\"MCLT\"]|{\"MCLT\":null,\"Mode\":\"LoadBalance\"}");
    (void)mirror(fixture, &row);
    assert_answer(fixture, HELD, "[\"Mode\",\"MCLT\"]|{\"MCLT\":null,\"Mode\":\"LoadBalance\"}");
    edit(fixture, "state-switch-interval", NULL); /* cleared is edited, too */
    assert_answer(fixture, ROW,
                  "server1-server2|HotStandby|3600|1|null|50|[\"Mode\",\"MCLT\",\"StateSwitchInterval\"]");
    (void)mirror(fixture, &row);
    assert_answer(fixture, HELD,
                  "[\"Mode\",\"MCLT\",\"StateSwitchInterval\"]|{\"MCLT\":null,\"Mode\":\"LoadBalance\","
                  "\"StateSwitchInterval\":60}");
}

static void test_an_edit_back_to_the_configurations_value_is_none(void **state)
{
    struct fixture *fixture = *state;

    edit(fixture, "mode", "\"HotStandby\"");
    edit(fixture, "mclt", "1800");
    edit(fixture, "mode", "\"LoadBalance\"");
    assert_answer(fixture, HELD, "[\"MCLT\"]|{\"MCLT\":null}");
    edit(fixture, "mclt", NULL);
    assert_answer(fixture, HELD, "[]|{}");
    edit(fixture, "mode", "\"LoadBalance\""); /* so already */
    assert_answer(fixture, HELD, "[]|{}");
    assert_change(fixture, FAILOVER_UNCHANGED, 0, NULL, "");
}

static void test_edits_are_shown_by_the_clients_names(void **state)
{
    struct fixture *fixture = *state;
    json_t *output;
    char *text;

    edit(fixture, "relationship-name", "\"branch offices\"");
    edit(fixture, "mode", "\"HotStandby\"");
    /* One that no operation can make is held, but not a client's to name. */
    execute(fixture, "UPDATE ADM_DhcpFailoverRelationTable SET EditedProperties = "
                     "'[\"Server1IP\",\"Mode\",\"RelationshipName\"]'");
    output = run_ok(fixture, "failover-get", "{" MIRRORED "}");
    text = json_dumps(json_object_get(json_object_get(output, "failover"), "edited-properties"), JSON_COMPACT);
    assert_string_equal(text, "[\"relationship-name\",\"mode\"]");
    free(text);
    json_decref(output);
}

static void test_a_load_that_changes_nothing_writes_nothing_beside_edits(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);
    int64_t version;

    edit(fixture, "mode", "\"HotStandby\"");
    edit(fixture, "relationship-name", "\"branch offices\"");
    (void)mirror(fixture, &row);
    version = ask_integer(fixture, "PRAGMA data_version");
    (void)mirror(fixture, &row);
    assert_true(ask_integer(fixture, "PRAGMA data_version") == version);
}

/* Somebody may have written to the table, or spoilt the note of what the configuration gave before. */
static void test_an_edit_without_a_note_holds_against_what_the_configuration_gives_next(void **state)
{
    static const char *const notes[] = {"{}", "{\"Mode", "[]", "{\"MCLT\":7}"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        struct relation_row row = mirrored_relation(fixture);
        char sql[300];

        (void)snprintf(
            sql, sizeof sql,
            "UPDATE ADM_DhcpFailoverRelationTable SET RelationshipName = 'branch offices', Mode = "
            "'HotStandby', EditedProperties = '[\"Mode\",\"RelationshipName\"]', ConfiguredProperties = '%s'",
            notes[i]);
        execute(fixture, sql);
        for (int load = 0; load < 2; load++) {
            assert_int_equal(mirror(fixture, &row), 1);
            assert_answer(fixture, HELD,
                          "[\"Mode\",\"RelationshipName\"]|{\"Mode\":\"LoadBalance\",\"RelationshipName\":"
                          "\"server1-server2\"}");
        }
        row.mode = "None";
        assert_int_equal(mirror(fixture, &row), 1);
        assert_column(fixture, "RelationshipName || Mode", "branch officesNone", "[\"RelationshipName\"]");
        row.mode = "LoadBalance";
        row.relationship_name = "renamed";
        assert_int_equal(mirror(fixture, &row), 1);
        assert_column(fixture, "RelationshipName || Mode", "renamedLoadBalance", "[]");
    }
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpFailoverRelationTable", "1");
}

static void test_of_two_renamed_relationships_of_the_same_servers_each_keeps_its_name(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture), second = row;

    second.relationship_name = "hub-server2";
    assert_int_equal(mirror(fixture, &second), 2);
    edit(fixture, "relationship-name", "\"first\"");
    json_decref(run_ok(fixture, "failover-update",
                       "{\"record-id\":2,\"modified-properties\":[\"relationship-name\"],\"relationship-name\":"
                       "\"second\"}"));
    assert_int_equal(mirror(fixture, &second), 2);
    assert_int_equal(mirror(fixture, &row), 1);
    assert_answer(fixture, "SELECT RecordId, RelationshipName FROM ADM_DhcpFailoverRelationTable ORDER BY 1",
                  "1|first;2|second");
}

static void test_a_relationship_of_an_admin_has_no_edits_and_is_not_mirrored_over(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);
    int64_t branch = add_branch(fixture, "1");

    json_decref(run_ok(fixture, "failover-update", "{\"record-id\":2,\"modified-properties\":[\"mclt\"],\"mclt\":60}"));
    row.relationship_name = "branch";
    row.server2_record_id = server_id(fixture, "server3");
    assert_true(mirror(fixture, &row) == branch);
    assert_answer(fixture,
                  "SELECT Mode, MCLT, Origin, EditedProperties, ConfiguredProperties FROM "
                  "ADM_DhcpFailoverRelationTable WHERE RecordId = 2",
                  "HotStandby|60|Admin|[]|{}");
}

static void test_an_edit_of_a_relationship_without_this_server_has_no_partner(void **state)
{
    struct fixture *fixture = *state;
    struct server_row backup = {.ha_name = "server9", .control_url = "http://192.0.2.9:8000/"};
    struct relation_row row = mirrored_relation(fixture);

    /* What a secondary mirrors of its primary and the primary's backup. */
    row.server1_record_id = row.server2_record_id;
    assert_ok(server_store_put(fixture->store, &backup, &row.server2_record_id));
    row.relationship_name = "server2-server9";
    assert_int_equal(mirror(fixture, &row), 2);
    json_decref(run_ok(fixture, "failover-update", "{\"record-id\":2,\"modified-properties\":[\"mclt\"],\"mclt\":60}"));
    assert_change(fixture, FAILOVER_UPDATED, 2, NULL, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_failover, tear_down_failover)
    const struct CMUnitTest tests[] = {
        TEST(test_an_edit_of_each_property_holds_while_the_configuration_is_loaded_again),
        TEST(test_an_edit_of_each_property_ends_when_the_configurations_value_changes),
        TEST(test_one_edit_ends_and_the_others_hold),
        TEST(test_an_edit_that_has_ended_does_not_come_back),
        TEST(test_an_edit_ends_even_when_the_configuration_comes_to_give_the_same),
        TEST(test_what_the_configuration_gave_is_kept_beside_the_edits),
        TEST(test_an_edit_back_to_the_configurations_value_is_none),
        TEST(test_edits_are_shown_by_the_clients_names),
        TEST(test_a_load_that_changes_nothing_writes_nothing_beside_edits),
        TEST(test_an_edit_without_a_note_holds_against_what_the_configuration_gives_next),
        TEST(test_of_two_renamed_relationships_of_the_same_servers_each_keeps_its_name),
        TEST(test_a_relationship_of_an_admin_has_no_edits_and_is_not_mirrored_over),
        TEST(test_an_edit_of_a_relationship_without_this_server_has_no_partner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
