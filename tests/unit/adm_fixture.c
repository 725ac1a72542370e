#include "adm_fixture.h"

#define FULL_DEFINITION                                                                                                \
    "{\"shared-network\":{\"name\":\"floor\",\"option-data\":[{\"code\":6,\"data\":\"192.0.2.53\",\"space\":"          \
    "\"dhcp4\"}]},\"subnet4\":{\"id\":9,\"subnet\":\"192.0.2.0/24\",\"valid-lifetime\":3600,\"ddns-send-updates\":"    \
    "true,\"option-data\":[{\"code\":3,\"data\":\"192.0.2.1\",\"space\":\"dhcp4\"}],\"pools\":[{\"pool\":"             \
    "\"192.0.2.10-192.0.2.20\",\"client-class\":\"phones\",\"option-data\":[{\"code\":66,\"data\":\"<&\\\"\"}]},{"     \
    "\"pool\":\"192.0.2.30-192.0.2.40\"}],\"reservations\":[{\"hw-address\":\"01:02\",\"ip-address\":\"192.0.2.11\","  \
    "\"hostname\":\"printer\"},{\"client-id\":\"0A\"}],\"user-context\":{\"name\":\"Z\u00fcrich\",\"comment\":\"<a> "  \
    "& \\\"b\\\"\"}}}"

static void add_scopes(struct fixture *fixture, int64_t partner)
{
    struct scope_row scope = {.server_record_id = fixture->server,
                              .id = FULL_SUBNET_ID,
                              .name = "192.0.2.0/24",
                              .definition = FULL_DEFINITION,
                              .origin = SCOPE_FROM_PARTNER,
                              .sync_status = "OutOfSync",
                              .sync_reason = "the partner is away",
                              .modified_at = INT64_C(1700000000123)};
    struct relation_row relation = {.relationship_name = "server1-server2",
                                    .server1_record_id = fixture->server,
                                    .server2_record_id = partner,
                                    .server1_name = "server1",
                                    .server2_name = "server2",
                                    .server1_ip = "192.0.2.1",
                                    .server2_ip = "192.0.2.2",
                                    .mode = "HotStandby",
                                    .kea_mode = "hot-standby",
                                    .mclt = 60,
                                    .auto_state_transition = true,
                                    .state_switch_interval = -1,
                                    .server1_percentage = 100,
                                    .server1_state = "Normal"};
    int64_t record_id = 0, relation_id = 0;

    scope.fingerprint = fingerprint_of("1", 1);
    scope.partner_fingerprint = fingerprint_of("2", 1);
    scope.file.fingerprint = fingerprint_of("3", 1);
    scope.configuration.fingerprint = fingerprint_of("4", 1);
    assert_ok(scope_store_put(fixture->store, &scope, true, &record_id));
    assert_ok(relation_store_put(fixture->store, &relation, &relation_id));
    assert_ok(membership_store_set(fixture->store, record_id, &relation_id, 1));
    assert_ok(membership_store_set(fixture->store, fixture->scope, &relation_id, 1));
    scope.server_record_id = partner;
    assert_ok(scope_store_put(fixture->store, &scope, false, &record_id));
    execute(fixture, "UPDATE ADM_DhcpFailoverRelationTable SET EditedProperties = '[\"MCLT\",\"Server1Percentage\"]'");
}

static void add_ranges(struct fixture *fixture)
{
    (void)run_id(fixture, "range-add",
                 "{" RANGE6("2001:db8::10", "2001:db8::20") ",\"owner\":\"me\",\"description\":\"d\","
                                                            "\"utilization-calculation-type\":\"Static\","
                                                            "\"utilization-statistics\":{\"total-assigned-addresses\":"
                                                            "\"17\",\"total-available-addresses\":\"17\","
                                                            "\"total-utilized-addresses\":\"1\"},"
                                                            "\"connection-specific-dns-suffix\":\"example\","
                                                            "\"virtualization-type\":\"Virtual\",\"gateways\":["
                                                            "\"2001:db8::1\"],\"vip-ranges\":[{\"start-ip-address\":"
                                                            "\"2001:db8::12\",\"end-ip-address\":\"2001:db8::13\"}],"
                                                            "\"dns-suffixes\":[\"a\",\"b\"]," BY_IPAM "}");
    (void)run_id(fixture, "address-add",
                 "{\"address-family\":\"InterNetworkV6\",\"ip-address\":\"2001:db8::15\",\"duid\":\"00:03\",\"iaid\":0,"
                 "\"device-name\":\"d\",\"owner\":\"o\",\"asset-tag\":\"a\",\"serial-number\":\"s\",\"mac-address\":"
                 "\"m\",\"notes\":\"n\",\"virtualization-type\":\"Fabric\"," BY_IPAM "}");
    execute(fixture, "UPDATE ADM_IPAddressTable SET AssignedDate = 1, ExpiryDate = 4102444800 WHERE Duid = '00:03';"
                     "UPDATE ADM_IPRangeTable SET LastAssignedDate = 1700000000 WHERE Owner = 'me'");
    (void)run_id(fixture, "custom-field-add", "{\"name\":\"Remark\",\"type\":\"Freeform\"}");
    execute(fixture,
            "INSERT INTO CustomFieldValuesGiven (ObjectType, Af, UsedById, CustomFieldId, Value) SELECT 'IPRange', "
            "'InterNetworkV6', r.RecordId, f.RecordId, 'free' FROM ADM_IPRangeTable AS r, ADM_CustomFieldsTable AS f "
            "WHERE r.Owner = 'me' AND f.Name = 'Remark'");
}

int set_up_adm(void **state)
{
    struct server_row partner = {.ha_name = "server2",
                                 .server_name = "192.0.2.2",
                                 .control_url = "https://192.0.2.2:8000/",
                                 .server_version = "2.2.0"};
    struct fixture *fixture;
    int64_t record_id = 0;

    if (set_up(state) != 0)
        return -1;
    fixture = *state;
    assert_ok(server_store_put(fixture->store, &partner, &record_id));
    assert_ok(server_store_seen(fixture->store, record_id, NOW));
    add_scopes(fixture, record_id);
    execute(fixture, "INSERT INTO ADM_AccessScopeTable (AccessScopeId, Name, ParentId) VALUES (7, 'Berlin', 1);"
                     "INSERT INTO ADM_AccessScopeAssociationTable (AssociationId, ObjectId, ObjectType, AccessScopeId, "
                     "InheritanceId, IsInheriting) VALUES (50, 1, 'IPv6AddressSpace', 7, 50, 0)");
    add_ranges(fixture);
    return 0;
}

const json_t *list_of(const json_t *output, const char *list)
{
    return json_object_get(json_object_get(json_object_get(output, "data"), "kea-failover-sync:adm"), list);
}

size_t count_rows(const json_t *output)
{
    size_t rows = 0;

    for (size_t i = 0; i < ADM_TABLES; i++)
        rows += json_array_size(list_of(output, adm_tables[i].list));
    return rows;
}

/* Appends the rows of a page; none may be there yet. */
static void collect(json_t *all, const json_t *output)
{
    for (size_t i = 0; i < ADM_TABLES; i++) {
        const char *list = adm_tables[i].list;
        json_t *rows = json_object_get(all, list);
        const json_t *row;
        size_t index;

        if (rows == NULL) {
            rows = json_array();
            assert_int_equal(json_object_set_new(all, list, rows), 0);
        }
        json_array_foreach(list_of(output, list), index, row)
        {
            for (size_t j = 0; j < json_array_size(rows); j++)
                assert_false(json_equal(json_array_get(rows, j), row));
            assert_int_equal(json_array_append(rows, (json_t *)row), 0);
        }
    }
}

json_t *get_all_pages(struct fixture *fixture, const char *arguments, size_t *pages)
{
    json_t *all = json_object();
    char from[80] = "start";
    bool more = true;

    for (*pages = 0; more; ++*pages) {
        json_t *output =
            run_ok(fixture, "adm-get", "{\"from\":\"%s\"%s%s}", from, *arguments == '\0' ? "" : ",", arguments);
        const char *next = json_string_value(json_object_get(output, "next"));

        assert_int_equal(json_integer_value(json_object_get(output, "count")), count_rows(output));
        assert_true(*pages < 1000);
        collect(all, output);
        more = next != NULL;
        if (more)
            (void)snprintf(from, sizeof from, "%s", next);
        json_decref(output);
    }
    return all;
}
