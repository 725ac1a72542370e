/* CreateDhcpFailover (MS-IPAMM2 3.19.4.4.1.23), step by step, and the corners of each step. */
#include "failover_fixture.h"

#include "failover_sync/relationship.h"

#define NOT_ADDED "IpamApiDhcpFailoverFailedToAddInIpamDatabase"
#define SCOPES    "\"subnet-ids\":[1]"

/* All that is stored of the relationship with server3. */
#define ROW                                                                                                            \
    "SELECT RelationshipName, Mode, MCLT, AutoStateTransition, StateSwitchInterval, Server1Percentage, "               \
    "SharedSecretEnabled, Server1Name, Server2Name, Server1PSName, Server2PSName, Server1IP, Server2IP, "              \
    "Server1State, Server2State, Origin, EditedProperties, KeaMode, ConfiguredProperties FROM "                        \
    "ADM_DhcpFailoverRelationTable WHERE RecordId = 2"

#define MEMBERS                                                                                                        \
    "SELECT s.SubnetId FROM ADM_DhcpScopeFailoverTable AS m JOIN ADM_DHCPScopesTable AS s ON s.RecordId = m.ScopeId "  \
    "WHERE m.FailoverRelationId = 2 ORDER BY 1"

static void add(struct fixture *fixture, const char *arguments)
{
    json_decref(run_ok(fixture, "failover-add", "{%s}", arguments));
}

/* ---- steps 1 and 2 ---- */

static void test_create_dhcp_failover_step_1_arguments_of_another_kind_are_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "relationship-name",
                 "{\"relationship-name\":7,\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":"
                 "\"server3\"," SCOPES "}");
    refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "auto-state-transition",
                 "{" BRANCH "," SCOPES ",\"auto-state-transition\":\"yes\"}");
    refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "server1-percentage",
                 "{" BRANCH "," SCOPES ",\"server1-percentage\":101}");
    refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "mclt", "{" BRANCH "," SCOPES ",\"mclt\":-1}");
    refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "control-url",
                 "{" BRANCH "," SCOPES ",\"control-url\":\"ftp://192.0.2.3/\"}");
}

static void test_create_dhcp_failover_step_2_a_relationship_that_is_not_given_is_refused(void **state)
{
    static const struct {
        const char *missing, *arguments;
    } cases[] = {
        {"relationship-name", "\"mode\":\"HotStandby\",\"server1-name\":\"a\",\"server2-name\":\"b\""},
        {"mode", "\"relationship-name\":\"r\",\"server1-name\":\"a\",\"server2-name\":\"b\""},
        {"server1-name", "\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server2-name\":\"b\""},
        {"server2-name", "\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"a\""},
    };
    struct fixture *fixture = *state;
    char arguments[256];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(arguments, sizeof arguments, "{%s," SCOPES "}", cases[i].arguments);
        refuse_input(fixture, "failover-add",
                     strcmp(cases[i].missing, "mode") == 0 ? "IpamApiInvalidEnumeration" : "IpamApiInvalidParameter",
                     cases[i].missing, arguments);
    }
}

static void test_create_dhcp_failover_step_2_no_scope_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "subnet-ids", "{" BRANCH "}");
    refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "subnet-ids", "{" BRANCH ",\"subnet-ids\":[]}");
    refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "subnet-ids[1]",
                 "{" BRANCH ",\"subnet-ids\":[0]}");
}

/* ---- ValidateDhcpFailover ---- */

static void test_validate_dhcp_failover_a_blank_name_is_refused(void **state)
{
    static const char *const blanks[] = {" ",       "\\t \\n", "\\u00a0\\u00a0",        "\\u2003", "\\u3000 ",
                                         "\\u1680", "\\u0085", "\\u2028\\u2029\\u202f", "\\u205f", "\\u200a "};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++)
        refuse(fixture, "failover-add", "IpamApiInvalidParameter", "relationship-name",
               "{\"relationship-name\":\"%s\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":"
               "\"server3\"," SCOPES "}",
               blanks[i]);
    refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "relationship-name",
                 "{\"relationship-name\":\"\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":"
                 "\"server3\"," SCOPES "}");
    add(fixture, "\"relationship-name\":\" \\u2003x\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\","
                 "\"server2-name\":\"server3\"," SCOPES);
}

static void test_validate_dhcp_failover_mode_none_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "failover-add", "IpamApiInvalidEnumeration", "mode",
           "{\"relationship-name\":\"branch\",\"mode\":\"None\",\"server1-name\":\"server1\",\"server2-name\":"
           "\"server3\"," SCOPES "}");
    refuse_input(fixture, "failover-add", "IpamApiInvalidEnumeration", "mode",
                 "{\"relationship-name\":\"branch\",\"mode\":\"Both\",\"server1-name\":\"server1\",\"server2-name\":"
                 "\"server3\"," SCOPES "}");
}

static void test_a_name_has_at_most_256_characters_not_bytes(void **state)
{
    static const char *const characters[] = {"x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x8c\x90"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        struct relation_row row = mirrored_relation(fixture);
        char *fits = long_name(characters[i], 256), *too_long = long_name(characters[i], 257);
        char arguments[1400];
        int64_t record_id;

        json_decref(run_ok(fixture, "failover-add",
                           "{\"relationship-name\":\"%s\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\","
                           "\"server2-name\":\"%.*s\",\"control-url\":\"http://192.0.2.9/\"," SCOPES "}",
                           fits, (int)strlen(fits) - (int)strlen(characters[i]), fits));
        assert_answer(fixture,
                      "SELECT length(RelationshipName), length(Server2Name) FROM ADM_DhcpFailoverRelationTable "
                      "WHERE Origin = 'Admin'",
                      "256|255");
        execute(fixture, "DELETE FROM ADM_DhcpFailoverRelationTable WHERE Origin = 'Admin'");
        (void)snprintf(arguments, sizeof arguments,
                       "{\"relationship-name\":\"%s\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\","
                       "\"server2-name\":\"server3\"," SCOPES "}",
                       too_long);
        refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "relationship-name", arguments);
        (void)snprintf(arguments, sizeof arguments,
                       "{\"relationship-name\":\"branch\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\","
                       "\"server2-name\":\"%s\"," SCOPES "}",
                       too_long);
        refuse_input(fixture, "failover-add", "IpamApiInvalidParameter", "server2-name", arguments);
        row.relationship_name = too_long;
        assert_int_equal(relation_store_add(fixture->store, &row, &record_id).code, RESULT_INVALID);
        free(fits);
        free(too_long);
    }
}

/* ---- step 3 ---- */

static void test_create_dhcp_failover_step_3_the_row_has_every_value_given(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = run_ok(fixture, "failover-add",
                            "{\"relationship-name\":\"branch offices\",\"mode\":\"LoadBalance\",\"mclt\":3600,"
                            "\"auto-state-transition\":true,\"state-switch-interval\":90,\"server1-percentage\":70,"
                            "\"server1-name\":\"server1\",\"server2-name\":\"server3\",\"subnet-ids\":[2,1]}");
    const json_t *failover = json_object_get(output, "failover");

    assert_answer(fixture, ROW,
                  "branch offices|LoadBalance|3600|1|90|70|1|server1|server3|server1|server3|192.0.2.1|192.0.2.3|"
                  "Unknown|Unknown|Admin|[]|null|{}");
    assert_answer(fixture,
                  "SELECT a.HaName, b.HaName, b.ServerName, b.ControlUrl, b.IsLocal FROM ADM_DhcpFailoverRelationTable "
                  "AS r JOIN ADM_DHCPServersTable AS a ON a.RecordId = r.Server1RecordId JOIN ADM_DHCPServersTable AS "
                  "b ON b.RecordId = r.Server2RecordId WHERE r.RecordId = 2",
                  "server1|server3|192.0.2.3|https://192.0.2.3:8000/|0");
    assert_int_equal(json_integer_value(json_object_get(failover, "record-id")), 2);
    assert_string_equal(json_string_value(json_object_get(failover, "relationship-name")), "branch offices");
    assert_string_equal(json_string_value(json_object_get(failover, "origin")), "Admin");
    assert_int_equal(json_integer_value(json_object_get(failover, "scopes")), 2);
    assert_int_equal(json_integer_value(json_object_get(failover, "server1-percentage")), 70);
    assert_null(json_object_get(failover, "kea-mode"));
    assert_change(fixture, FAILOVER_ADDED, 2, "server3", "2,1");
    json_decref(output);
}

static void test_create_dhcp_failover_step_3_what_is_not_given_is_null_or_the_default(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = run_ok(fixture, "failover-add", "{" BRANCH "," SCOPES "}");
    const json_t *failover = json_object_get(output, "failover");

    assert_answer(fixture, ROW,
                  "branch|HotStandby|null|0|null|50|1|server1|server3|server1|server3|192.0.2.1|192.0.2.3|Unknown|"
                  "Unknown|Admin|[]|null|{}");
    assert_null(json_object_get(failover, "mclt"));
    assert_null(json_object_get(failover, "state-switch-interval"));
    json_decref(output);
}

static void test_create_dhcp_failover_step_3_this_server_may_be_the_second(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "\"relationship-name\":\"branch\",\"mode\":\"HotStandby\",\"server1-name\":\"server3\","
                 "\"server2-name\":\"server1\"," SCOPES);
    assert_answer(fixture,
                  "SELECT a.HaName, b.HaName, r.Server1IP, r.Server2IP FROM ADM_DhcpFailoverRelationTable AS r JOIN "
                  "ADM_DHCPServersTable AS a ON a.RecordId = r.Server1RecordId JOIN ADM_DHCPServersTable AS b ON "
                  "b.RecordId = r.Server2RecordId WHERE r.RecordId = 2",
                  "server3|server1|192.0.2.3|192.0.2.1");
    assert_change(fixture, FAILOVER_ADDED, 2, "server3", "1");
}

static void test_create_dhcp_failover_step_3_this_server_under_another_name_is_the_same_server(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "\"relationship-name\":\"branch\",\"mode\":\"HotStandby\",\"server1-name\":\"hub\","
                 "\"server2-name\":\"server3\",\"this-server-name\":\"hub\"," SCOPES);
    assert_answer(fixture, "SELECT Server1RecordId, Server1Name FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 2",
                  "1|hub");
    assert_answer(fixture, "SELECT count(*) FROM ADM_DHCPServersTable WHERE HaName = 'hub'", "0");
}

static void test_a_relationship_that_this_server_is_not_in_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "this-server-name",
           "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"server3\",\"server2-name\":"
           "\"server4\"," SCOPES "}");
    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "this-server-name",
           "{" BRANCH ",\"this-server-name\":\"hub\"," SCOPES "}");
}

static void test_a_relationship_of_a_server_with_itself_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "server2-name",
           "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":"
           "\"server1\"," SCOPES "}");
    /* Its name in High Availability, as the partner's. */
    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "server1-name",
           "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":\"hub\","
           "\"this-server-name\":\"hub\",\"control-url\":\"http://192.0.2.9/\"," SCOPES "}");
    /* A name that it bears in another relationship. */
    add(fixture, "\"relationship-name\":\"branch\",\"mode\":\"HotStandby\",\"server1-name\":\"hub\","
                 "\"server2-name\":\"server3\",\"this-server-name\":\"hub\"," SCOPES);
    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "server2-name",
           "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":\"hub\","
           "\"control-url\":\"http://192.0.2.9/\"," SCOPES "}");
    /* The name of its row, when nothing else knows it. */
    execute(fixture, "DELETE FROM ADM_DhcpFailoverRelationTable");
    fixture->context.local_name = "hub";
    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "server1-name",
           "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":\"hub\","
           "\"control-url\":\"http://192.0.2.9/\"," SCOPES "}");
}

static void test_the_partners_url_is_the_clients_then_the_parameters_then_the_rows(void **state)
{
    static const char url[] = "SELECT ControlUrl, ServerName, (SELECT Server2IP FROM ADM_DhcpFailoverRelationTable "
                              "WHERE RecordId = 2) FROM ADM_DHCPServersTable WHERE HaName = '%s'";
    struct fixture *fixture = *state;
    struct server_row known = {.ha_name = "server9", .control_url = "http://192.0.2.9:8000/"};
    char sql[240];
    int64_t record_id;

    (void)snprintf(sql, sizeof sql, url, "server3");
    /* The parameters have credentials: those go to no other host. */
    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "control-url",
           "{" BRANCH ",\"control-url\":\"https://kea3.example.org:8443/\"," SCOPES "}");
    add(fixture, BRANCH "," SCOPES);
    assert_answer(fixture, sql, "https://192.0.2.3:8000/|192.0.2.3|192.0.2.3");
    execute(fixture, "DELETE FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 2");
    assert_ok(server_store_put(fixture->store, &known, &record_id));
    add(fixture, "\"relationship-name\":\"branch\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\","
                 "\"server2-name\":\"server9\"," SCOPES);
    (void)snprintf(sql, sizeof sql, url, "server9");
    assert_answer(fixture, sql, "http://192.0.2.9:8000/|192.0.2.9|192.0.2.9");
    assert_change(fixture, FAILOVER_ADDED, 2, "server9", "1");
    assert_true(fixture->failover.partner_record_id == record_id);
}

static void test_a_partner_whose_url_nobody_knows_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "control-url",
           "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":"
           "\"server9\"," SCOPES "}");
    fixture->parameters.partner_count = 0;
    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "control-url", "{" BRANCH "," SCOPES "}");
}

static void test_a_shared_secret_is_a_certificate_or_a_password_for_the_partner(void **state)
{
    struct partner_access partner = {
        .name = (char *)"server4", .url = (char *)"http://[2001:db8::4]:8000/", .basic_auth_user = (char *)"admin"};
    static const char secret[] = "SELECT SharedSecretEnabled, Server2IP FROM ADM_DhcpFailoverRelationTable "
                                 "WHERE RecordId = 2";
    static const char with_server4[] = "\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":"
                                       "\"server1\",\"server2-name\":\"server4\"," SCOPES;
    struct fixture *fixture = *state;

    add(fixture, with_server4);
    assert_answer(fixture, secret, "0|2001:db8::4");
    execute(fixture, "DELETE FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 2");
    fixture->parameters.partners = &partner;
    fixture->parameters.partner_count = 1;
    add(fixture, with_server4);
    assert_answer(fixture, secret, "1|2001:db8::4");
    execute(fixture, "DELETE FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 2");
    add(fixture, BRANCH ",\"control-url\":\"http://192.0.2.3/\"," SCOPES);
    assert_answer(fixture, secret, "0|192.0.2.3");
    execute(fixture, "DELETE FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 2");
    fixture->parameters.shared_secret_file = (char *)"/etc/kea/secret";
    add(fixture, BRANCH ",\"control-url\":\"http://192.0.2.3/\"," SCOPES);
    assert_answer(fixture, secret, "1|192.0.2.3");
    fixture->parameters.shared_secret_file = NULL;
}

static void test_credentials_go_to_no_host_but_their_own(void **state)
{
    struct partner_access partner = {.name = (char *)"server4", .basic_auth_user = (char *)"admin"};
    static const char elsewhere[] = "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":"
                                    "\"server1\",\"server2-name\":\"server4\","
                                    "\"control-url\":\"http://198.51.100.66:8000/\"," SCOPES "}";
    struct fixture *fixture = *state;

    fixture->parameters.partners = &partner;
    fixture->parameters.partner_count = 1;
    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "control-url", "%s", elsewhere);
    partner.url = (char *)"http://[2001:db8::4]:8000/";
    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "control-url", "%s", elsewhere);
    partner.basic_auth_user = NULL;
    partner.cert_file = (char *)"/etc/kea/cert";
    refuse(fixture, "failover-add", "IpamApiInvalidParameter", "control-url", "%s", elsewhere);
    partner.url = (char *)"http://198.51.100.66:8000/";
    json_decref(run_ok(fixture, "failover-add", "%s", elsewhere));
}

static void test_a_server_without_a_url_of_its_own_has_no_ip(void **state)
{
    struct fixture *fixture = *state;

    execute(fixture, "UPDATE ADM_DHCPServersTable SET ControlUrl = NULL WHERE HaName = 'server1'");
    add(fixture, BRANCH "," SCOPES);
    assert_answer(fixture, "SELECT Server1IP, Server2IP FROM ADM_DhcpFailoverRelationTable WHERE RecordId = 2",
                  "null|192.0.2.3");
    execute(fixture, "UPDATE ADM_DHCPServersTable SET ControlUrl = 'http://192.0.2.1:8000/' WHERE HaName = 'server1'");
}

static void test_a_partner_that_is_paired_already_is_refused(void **state)
{
    struct fixture *fixture = *state;

    /* By High Availability; in either order, and whatever this server calls itself. */
    refuse(fixture, "failover-add", NOT_ADDED, "server2-name",
           "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":"
           "\"server2\"," SCOPES "}");
    refuse(fixture, "failover-add", NOT_ADDED, "server1-name",
           "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"server2\",\"server2-name\":\"hub\","
           "\"this-server-name\":\"hub\"," SCOPES "}");
    /* By an admin. */
    (void)add_branch(fixture, "1");
    refuse(fixture, "failover-add", NOT_ADDED, "server2-name",
           "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\",\"server2-name\":"
           "\"server3\",\"subnet-ids\":[2]}");
}

static void test_the_same_relationship_twice_is_refused(void **state)
{
    struct fixture *fixture = *state;

    (void)add_branch(fixture, "1");
    refuse(fixture, "failover-add", NOT_ADDED, "relationship-name", "{" BRANCH "," SCOPES "}");
    refuse(fixture, "failover-add", NOT_ADDED, "relationship-name",
           "{\"relationship-name\":\"server1-server2\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\","
           "\"server2-name\":\"server2\"," SCOPES "}");
    /* The same name with another partner is another relationship. */
    add(fixture, "\"relationship-name\":\"branch\",\"mode\":\"HotStandby\",\"server1-name\":\"server1\","
                 "\"server2-name\":\"server4\"," SCOPES);
}

static void test_a_partner_that_high_availability_pairs_with_another_server_is_free(void **state)
{
    struct fixture *fixture = *state;
    struct server_row backup = {.ha_name = "server3", .control_url = "https://192.0.2.3:8000/"};
    struct relation_row row = mirrored_relation(fixture);

    assert_ok(server_store_put(fixture->store, &backup, &row.server1_record_id));
    row.relationship_name = "server2-server3";
    assert_int_equal(mirror(fixture, &row), 2);
    json_decref(run_ok(fixture, "failover-add", "{" BRANCH "," SCOPES "}"));
    assert_change(fixture, FAILOVER_ADDED, 3, "server3", "1");
}

static void test_more_relationships_than_are_possible_are_refused(void **state)
{
    struct fixture *fixture = *state;
    char sql[400];

    (void)snprintf(sql, sizeof sql,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO "
                   "ADM_DhcpFailoverRelationTable (RelationshipName, Mode, Server1Percentage, Origin) SELECT 'r' || i, "
                   "'HotStandby', 50, 'Admin' FROM n",
                   RELATIONSHIP_MAX - 1);
    execute(fixture, sql);
    refuse(fixture, "failover-add", NOT_ADDED, NULL, "{" BRANCH "," SCOPES "}");
    execute(fixture, "DELETE FROM ADM_DhcpFailoverRelationTable WHERE RelationshipName = 'r1'");
    json_decref(run_ok(fixture, "failover-add", "{" BRANCH "," SCOPES "}"));
}

/* ---- step 4 ---- */

static void test_create_dhcp_failover_step_4_1_a_scope_named_twice_counts_once(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = run_ok(fixture, "failover-add", "{" BRANCH ",\"subnet-ids\":[1,2,1,1,2]}");

    assert_answer(fixture, MEMBERS, "1;2");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(output, "failover"), "scopes")), 2);
    assert_change(fixture, FAILOVER_ADDED, 2, "server3", "1,2");
    json_decref(output);
}

static void test_create_dhcp_failover_step_4_2_a_missing_row_is_added(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, BRANCH ",\"subnet-ids\":[4,1]");
    assert_answer(fixture, MEMBERS, "1;4");
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpScopeFailoverTable WHERE FailoverRelationId = 1", "4");
}

static void test_create_dhcp_failover_step_4_2_each_scope_is_queued_for_the_partner(void **state)
{
    static const char queue[] = "SELECT q.RelationId, s.HaName, q.ObjectId, q.Name, q.Removal, q.Attempts, "
                                "q.EnqueuedAt, q.NextAttemptAt, q.Held FROM ReplicationQueue AS q JOIN "
                                "ADM_DHCPServersTable AS s ON s.RecordId = q.ServerRecordId ORDER BY q.ObjectId";
    struct fixture *fixture = *state;

    add(fixture, BRANCH ",\"subnet-ids\":[4,1]");
    assert_answer(fixture, queue,
                  "2|server3|1|10.0.0.0/24|0|0|1700000000000|1700000000000|0;"
                  "2|server3|4|2001:db8::/64|0|0|1700000000000|1700000000000|0");
}

static void test_create_dhcp_failover_step_4_2_nothing_is_queued_when_replication_is_manual(void **state)
{
    struct fixture *fixture = *state;

    fixture->parameters.replicate_on_change = false;
    add(fixture, BRANCH ",\"subnet-ids\":[4,1]");
    assert_answer(fixture, MEMBERS, "1;4");
    assert_answer(fixture, "SELECT count(*) FROM ReplicationQueue", "0");
    assert_change(fixture, FAILOVER_ADDED, 2, "server3", "4,1");
}

static void test_create_dhcp_failover_step_4_a_scope_that_is_not_there_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct scope_row theirs = {.server_record_id = server_id(fixture, "server2"),
                               .id = 77,
                               .name = "10.7.0.0/24",
                               .definition = "{\"subnet4\":{\"subnet\":\"10.7.0.0/24\"}}"};
    json_t *output = NULL;
    struct fault fault;
    int64_t record_id;

    refuse(fixture, "failover-add", "IpamApiDhcpScopeNotFoundInDB", "subnet-ids",
           "{" BRANCH ",\"subnet-ids\":[1,2,4711]}");
    fault = run_text(fixture, "failover-add", "{" BRANCH ",\"subnet-ids\":[1,4711,2]}", &output);
    assert_non_null(strstr(fault.message, "4711"));
    /* A partner's scope is not this server's. */
    assert_ok(scope_store_put(fixture->store, &theirs, false, &record_id));
    refuse(fixture, "failover-add", "IpamApiDhcpScopeNotFoundInDB", "subnet-ids", "{" BRANCH ",\"subnet-ids\":[77]}");
}

/* ---- all or nothing ---- */

static void test_a_creation_that_the_store_refuses_at_any_step_leaves_nothing(void **state)
{
    static const char *const tables[] = {"ADM_DHCPServersTable", "ADM_DhcpFailoverRelationTable",
                                         "ADM_DhcpScopeFailoverTable", "ReplicationQueue"};
    struct fixture *fixture = *state;
    char sql[200];

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        (void)snprintf(sql, sizeof sql,
                       "CREATE TRIGGER Full BEFORE INSERT ON %s BEGIN SELECT RAISE(ABORT, 'no room'); END", tables[i]);
        execute(fixture, sql);
        refuse_by_store(fixture, "failover-add", NOT_ADDED, "{" BRANCH ",\"subnet-ids\":[1,2]}");
        execute(fixture, "DROP TRIGGER Full");
    }
    execute(fixture, "BEGIN IMMEDIATE");
    refuse_by_store(fixture, "failover-add", NOT_ADDED, "{" BRANCH ",\"subnet-ids\":[1,2]}");
    execute(fixture, "ROLLBACK");
    json_decref(run_ok(fixture, "failover-add", "{" BRANCH ",\"subnet-ids\":[1,2]}"));
}

static void test_a_creation_joins_the_callers_transaction(void **state)
{
    struct fixture *fixture = *state;
    char *before = dump(fixture), *after;

    assert_ok(store_begin(fixture->store));
    json_decref(run_ok(fixture, "failover-add", "{" BRANCH "," SCOPES "}"));
    store_rollback(fixture->store);
    after = dump(fixture);
    assert_string_equal(before, after);
    sqlite3_free(before);
    sqlite3_free(after);
}

static void test_a_fault_about_a_long_name_can_be_answered(void **state)
{
    static const char *const characters[] = {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x8c\x90"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        char *name = long_name(characters[i], 256);
        char arguments[4096];
        json_t *output = NULL;
        struct fault fault;
        char *answer;

        (void)snprintf(arguments, sizeof arguments,
                       "{\"relationship-name\":\"r\",\"mode\":\"HotStandby\",\"server1-name\":\"%s\",\"server2-name\":"
                       "\"x%s\",\"this-server-name\":\"y%s\"," SCOPES "}",
                       name, name + strlen(characters[i]), name + strlen(characters[i]));
        fault = run_text(fixture, "failover-add", arguments, &output);
        assert_int_equal(fault.blame, FAULT_BY_SENDER);
        answer = fault_answer(&fault);
        assert_non_null(answer);
        assert_non_null(strstr(answer, "this-server-name"));
        free(answer);
        fault = fault_of_sender(EXCEPTION_INVALID_PARAMETER, NULL, "x%s", name);
        answer = fault_answer(&fault);
        assert_non_null(answer);
        free(answer);
        free(name);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_failover, tear_down_failover)
    const struct CMUnitTest tests[] = {
        TEST(test_create_dhcp_failover_step_1_arguments_of_another_kind_are_refused),
        TEST(test_create_dhcp_failover_step_2_a_relationship_that_is_not_given_is_refused),
        TEST(test_create_dhcp_failover_step_2_no_scope_is_refused),
        TEST(test_validate_dhcp_failover_a_blank_name_is_refused),
        TEST(test_validate_dhcp_failover_mode_none_is_refused),
        TEST(test_a_name_has_at_most_256_characters_not_bytes),
        TEST(test_create_dhcp_failover_step_3_the_row_has_every_value_given),
        TEST(test_create_dhcp_failover_step_3_what_is_not_given_is_null_or_the_default),
        TEST(test_create_dhcp_failover_step_3_this_server_may_be_the_second),
        TEST(test_create_dhcp_failover_step_3_this_server_under_another_name_is_the_same_server),
        TEST(test_a_relationship_that_this_server_is_not_in_is_refused),
        TEST(test_a_relationship_of_a_server_with_itself_is_refused),
        TEST(test_the_partners_url_is_the_clients_then_the_parameters_then_the_rows),
        TEST(test_a_partner_whose_url_nobody_knows_is_refused),
        TEST(test_a_shared_secret_is_a_certificate_or_a_password_for_the_partner),
        TEST(test_credentials_go_to_no_host_but_their_own),
        TEST(test_a_server_without_a_url_of_its_own_has_no_ip),
        TEST(test_a_partner_that_is_paired_already_is_refused),
        TEST(test_the_same_relationship_twice_is_refused),
        TEST(test_a_partner_that_high_availability_pairs_with_another_server_is_free),
        TEST(test_more_relationships_than_are_possible_are_refused),
        TEST(test_create_dhcp_failover_step_4_1_a_scope_named_twice_counts_once),
        TEST(test_create_dhcp_failover_step_4_2_a_missing_row_is_added),
        TEST(test_create_dhcp_failover_step_4_2_each_scope_is_queued_for_the_partner),
        TEST(test_create_dhcp_failover_step_4_2_nothing_is_queued_when_replication_is_manual),
        TEST(test_create_dhcp_failover_step_4_a_scope_that_is_not_there_is_named),
        TEST(test_a_creation_that_the_store_refuses_at_any_step_leaves_nothing),
        TEST(test_a_creation_joins_the_callers_transaction),
        TEST(test_a_fault_about_a_long_name_can_be_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
