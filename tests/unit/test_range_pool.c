/* Ranges that are pools of a DHCP server: what of them is written here, what is handed over to the server, and what is
 * refused. */
#include "range_fixture.h"

static void assert_span(const struct address_span *span, const char *first, const char *last)
{
    assert_string_equal(address_print(&span->first).text, first);
    assert_string_equal(address_print(&span->last).text, last);
}

static void test_a_mirrored_pool_is_managed_by_dhcp_and_its_server(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = run_ok(fixture, "range-get", "{\"record-id\":%lld,\"address-family\":\"InterNetwork\"}",
                            (long long)fixture->pool);
    const json_t *range = json_object_get(output, "range");
    const json_t *values = json_object_get(range, "custom-field-values");

    assert_string_equal(json_string_value(json_object_get(json_array_get(values, 0), "value")), "DHCP");
    assert_string_equal(json_string_value(json_object_get(json_array_get(values, 1), "value")), "server1");
    assert_string_equal(json_string_value(json_object_get(range, "dhcp-server-name")), "server1");
    assert_string_equal(json_string_value(json_object_get(range, "dhcp-scope-name")), "Offices");
    assert_true(json_integer_value(json_object_get(range, "scope-record-id")) == fixture->scope);
    assert_true(json_integer_value(json_object_get(range, "access-scope-id")) == 1);
    json_decref(output);
    assert_answer(fixture, "SELECT count(*) FROM CustomFieldValuesGiven", "0");
}

static void test_a_mirrored_reservation_is_managed_by_dhcp_and_its_server(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = run_ok(fixture, "address-get-all", "{\"range-record-id\":%lld}", (long long)fixture->pool);
    const json_t *address = json_array_get(json_object_get(output, "addresses"), 0);
    const json_t *values = json_object_get(address, "custom-field-values");

    assert_int_equal(json_array_size(json_object_get(output, "addresses")), 1);
    assert_string_equal(json_string_value(json_object_get(address, "ip-address")), "10.0.0.101");
    assert_string_equal(json_string_value(json_object_get(json_array_get(values, 0), "value")), "DHCP");
    assert_string_equal(json_string_value(json_object_get(json_array_get(values, 1), "value")), "server1");
    json_decref(output);
}

static void test_the_manager_of_a_pool_cannot_be_changed(void **state)
{
    struct fixture *fixture = *state;
    static const char *const managed[] = {BY_IPAM, MANAGED("DHCP", "Localhost"), MANAGED("IPAM", "server1"),
                                          MANAGED("other DHCP", "server1")};

    for (size_t i = 0; i < sizeof managed / sizeof managed[0]; i++)
        refuse(fixture, "range-update", "IpamApiCannotUpdateManagedByValueForMsDhcpRange", "custom-field-values",
               "{\"record-id\":%lld,\"modified-properties\":[\"custom-field-values\"],%s}", (long long)fixture->pool,
               managed[i]);
    refuse(fixture, "range-update", "IpamApiCannotUpdateManagedByValueForMsDhcpRange", "custom-field-values",
           "{\"record-id\":%lld,\"modified-properties\":[\"custom-field-values\"]," BY_IPAM "}",
           (long long)fixture->pool6);
    refuse(fixture, "range-update", "IpamApiCustomFieldValueCannotBeNull", "custom-field-values",
           "{\"record-id\":%lld,\"modified-properties\":[\"custom-field-values\"],\"custom-field-values\":["
           "{\"custom-field\":\"Managed by\",\"value\":\"DHCP\"}]}",
           (long long)fixture->pool);
}

static void test_the_bounds_of_a_pool_are_handed_over_and_not_written(void **state)
{
    struct fixture *fixture = *state;
    json_t *output;
    int64_t version = ask_integer(fixture, "PRAGMA data_version");

    output = run_ok(fixture, "range-update",
                    "{\"record-id\":%lld,\"modified-properties\":[\"start-ip-address\",\"end-ip-address\"],"
                    "\"start-ip-address\":\"10.0.0.90\",\"end-ip-address\":\"10.0.0.150\"}",
                    (long long)fixture->pool);
    assert_true(json_is_true(json_object_get(output, "pool-change")));
    assert_int_equal(json_array_size(json_object_get(output, "changed-properties")), 1);
    json_decref(output);
    assert_true(fixture->change.wanted);
    assert_true(fixture->change.scope_record_id == fixture->scope);
    assert_true(fixture->change.range_record_id == fixture->pool);
    assert_span(&fixture->change.before, "10.0.0.100", "10.0.0.150");
    assert_span(&fixture->change.after, "10.0.0.90", "10.0.0.150");
    assert_true(ask_integer(fixture, "PRAGMA data_version") == version);
}

static void test_the_bounds_of_an_ipv6_pool_are_handed_over(void **state)
{
    struct fixture *fixture = *state;

    json_decref(run_ok(fixture, "range-update",
                       "{\"record-id\":%lld,\"modified-properties\":[\"end-ip-address\"],\"end-ip-address\":"
                       "\"2001:db8::2ff\"}",
                       (long long)fixture->pool6));
    assert_true(fixture->change.wanted);
    assert_span(&fixture->change.after, "2001:db8::100", "2001:db8::2ff");
}

static void test_bounds_that_are_so_already_are_not_handed_over(void **state)
{
    struct fixture *fixture = *state;

    json_decref(run_ok(fixture, "range-update",
                       "{\"record-id\":%lld,\"modified-properties\":[\"end-ip-address\"],\"end-ip-address\":"
                       "\"10.0.0.150\"}",
                       (long long)fixture->pool));
    assert_false(fixture->change.wanted);
}

static void test_bounds_of_a_pool_are_validated_first(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "range-update", "IpamApiEndIpAddressOutOfRange", "end-ip-address",
           "{\"record-id\":%lld,\"modified-properties\":[\"end-ip-address\"],\"end-ip-address\":\"10.0.1.1\"}",
           (long long)fixture->pool);
}

static void test_the_rest_of_a_pools_range_is_written(void **state)
{
    struct fixture *fixture = *state;

    (void)run_id(fixture, "custom-field-add", "{\"name\":\"Remark\",\"type\":\"Freeform\"}");
    json_decref(run_ok(fixture, "range-update",
                       "{\"record-id\":%lld,\"modified-properties\":[\"owner\",\"description\",\"dns-servers\","
                       "\"custom-field-values\",\"end-ip-address\"],\"owner\":\"me\",\"description\":\"d\","
                       "\"end-ip-address\":\"10.0.0.160\",\"dns-servers\":[\"10.0.0.1\"],\"custom-field-values\":["
                       "{\"custom-field\":\"Managed by\",\"value\":\"DHCP\"},{\"custom-field\":\"Managed by entity\","
                       "\"value\":\"server1\"},{\"custom-field\":\"Remark\",\"value\":\"x\"}]}",
                       (long long)fixture->pool));
    assert_answer(fixture,
                  "SELECT Owner, Description, EndIPAddress, PropertyValue FROM ADM_IPRangeTable AS r JOIN "
                  "ADM_IPRangeMultivaluedPropertiesTable AS p ON p.RangeId = r.RecordId",
                  "me|d|10.0.0.150|10.0.0.1");
    assert_answer(fixture, "SELECT CustomFieldId > 18, Value FROM CustomFieldValuesGiven", "1|x");
    assert_true(fixture->change.wanted);
}

static void test_the_subnet_and_the_space_of_a_pool_are_its_scopes(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *property, *value;
    } fixed[] = {{"subnet-id", "\"10.0.1.0\""}, {"prefix-length", "16"},          {"address-space-record-id", "2"},
                 {"scope-record-id", "2"},      {"dhcp-scope-name", "\"other\""}, {"dhcp-server-name", "\"other\""}};

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        refuse(fixture, "range-update", "IpamApiInvalidUpdate", fixed[i].property,
               "{\"record-id\":%lld,\"modified-properties\":[\"%s\"],\"%s\":%s}", (long long)fixture->pool,
               fixed[i].property, fixed[i].property, fixed[i].value);
}

static void test_a_range_that_follows_its_pool_keeps_what_was_noted_on_it(void **state)
{
    struct fixture *fixture = *state;
    struct scope_row scope = {.server_record_id = fixture->server,
                              .id = 1,
                              .name = "10.0.0.0/24",
                              .definition = "{\"subnet4\":{\"subnet\":\"10.0.0.0/24\",\"pools\":[{\"pool\":"
                                            "\"10.0.0.90-10.0.0.120\"}]}}",
                              .modified_at = 2};
    struct fault fault;
    int64_t record_id;

    (void)run_id(fixture, "range-add", "{" RANGE4("10.0.0.80", "10.0.0.95") "," BY_IPAM "}");
    json_decref(
        run_ok(fixture, "range-update",
               "{\"record-id\":%lld,\"modified-properties\":[\"owner\",\"start-ip-address\",\"end-ip-address\"],"
               "\"owner\":\"me\",\"start-ip-address\":\"10.0.0.90\",\"end-ip-address\":\"10.0.0.120\"}",
               (long long)fixture->pool));
    fault = range_follow_pool(fixture->store, &fixture->change, NOW);
    assert_false(fault_raised(&fault));
    assert_answer(fixture,
                  "SELECT StartIPAddress, EndIPAddress, IsOverlapping, UseForUtilization, Owner, "
                  "NumberOfChildAddresses FROM ADM_IPRangeTable WHERE AddressSpaceRecordId = 1 AND Af = 'InterNetwork' "
                  "ORDER BY StartKey",
                  "10.0.0.80|10.0.0.95|1|1|null|0;10.0.0.90|10.0.0.120|1|0|me|1");
    /* Mirroring then finds the range as it is. */
    assert_ok(scope_store_put(fixture->store, &scope, true, &record_id));
    assert_true(ask_integer(fixture, "SELECT RecordId FROM ADM_IPRangeTable WHERE Owner = 'me'") == fixture->pool);
}

static void test_a_range_of_dhcp_that_is_added_is_a_pool_to_add(void **state)
{
    struct fixture *fixture = *state;
    int64_t version = ask_integer(fixture, "PRAGMA data_version");
    json_t *output =
        run_ok(fixture, "range-add",
               "{\"address-family\":\"InterNetwork\",\"subnet-id\":\"10.0.1.0\",\"prefix-length\":24,"
               "\"start-ip-address\":\"10.0.1.10\",\"end-ip-address\":\"10.0.1.20\",\"address-assignment\":"
               "\"Dynamic\",\"address-category\":\"Private\",\"scope-record-id\":%lld," BY_DHCP "}",
               (long long)fixture->other_scope);

    assert_true(json_is_true(json_object_get(output, "pool-change")));
    assert_null(json_object_get(output, "record-id"));
    json_decref(output);
    assert_true(fixture->change.wanted);
    assert_true(fixture->change.range_record_id == 0);
    assert_true(fixture->change.scope_record_id == fixture->other_scope);
    assert_span(&fixture->change.after, "10.0.1.10", "10.0.1.20");
    assert_true(ask_integer(fixture, "PRAGMA data_version") == version);
}

static void test_pools_may_overlap_each_other_and_share_addresses_out(void **state)
{
    struct fixture *fixture = *state;
    struct scope_row scope = {.server_record_id = fixture->server,
                              .id = 3,
                              .name = "10.0.0.0/16",
                              .definition = "{\"subnet4\":{\"subnet\":\"10.0.0.0/16\",\"pools\":[{\"pool\":"
                                            "\"10.0.0.90-10.0.0.98\"}]}}",
                              .modified_at = 2};
    struct pool_change change = {.wanted = true};
    struct fault fault;
    int64_t record_id;

    assert_ok(scope_store_put(fixture->store, &scope, true, &record_id));
    change.range_record_id =
        ask_integer(fixture, "SELECT RecordId FROM ADM_IPRangeTable WHERE StartIPAddress = '10.0.0.90'");
    assert_true(pool_parse("10.0.0.90-10.0.0.105", false, &change.after));
    fault = range_follow_pool(fixture->store, &change, NOW);
    assert_false(fault_raised(&fault));
    assert_answer(fixture,
                  "SELECT StartIPAddress, NumberOfChildAddresses, IsOverlapping, UseForUtilization FROM "
                  "ADM_IPRangeTable WHERE Af = 'InterNetwork' ORDER BY StartKey",
                  "10.0.0.90|1|1|0;10.0.0.100|0|1|1");
}

static void test_mirroring_a_pool_sets_the_flags_of_the_ranges_it_meets(void **state)
{
    struct fixture *fixture = *state;
    struct scope_row scope = {.server_record_id = fixture->server,
                              .id = 1,
                              .name = "10.0.0.0/24",
                              .definition = "{\"subnet4\":{\"subnet\":\"10.0.0.0/24\",\"pools\":[{\"pool\":"
                                            "\"10.0.0.10-10.0.0.20\"},{\"pool\":\"10.0.0.30-10.0.0.40\"}]}}",
                              .modified_at = 2};
    static const char flags[] =
        "SELECT StartIPAddress, IsOverlapping, UseForUtilization FROM ADM_IPRangeTable WHERE Af "
        "= 'InterNetwork' ORDER BY StartKey";
    int64_t record_id;

    (void)run_id(fixture, "range-add", "{" RANGE4("10.0.0.15", "10.0.0.35") "," BY_IPAM "}");
    (void)run_id(fixture, "range-add", "{" RANGE4("10.0.0.140", "10.0.0.160") "," BY_IPAM "}");
    assert_answer(fixture, flags, "10.0.0.15|0|1;10.0.0.100|1|1;10.0.0.140|1|0");
    assert_ok(scope_store_put(fixture->store, &scope, true, &record_id));
    assert_answer(fixture, flags, "10.0.0.10|1|0;10.0.0.15|1|1;10.0.0.30|1|0;10.0.0.140|0|1");
    scope.definition = "{\"subnet4\":{\"subnet\":\"10.0.0.0/24\",\"pools\":[{\"pool\":\"10.0.0.30-10.0.0.40\"}]}}";
    assert_ok(scope_store_put(fixture->store, &scope, true, &record_id));
    assert_answer(fixture, flags, "10.0.0.15|1|1;10.0.0.30|1|0;10.0.0.140|0|1");
    assert_ok(scope_store_remove(fixture->store, fixture->server, 1));
    assert_answer(fixture, flags, "10.0.0.15|0|1;10.0.0.140|0|1");
}

static void test_what_was_given_to_a_range_goes_with_it(void **state)
{
    struct fixture *fixture = *state;

    (void)run_id(fixture, "custom-field-add", "{\"name\":\"Remark\",\"type\":\"Freeform\"}");
    json_decref(run_ok(fixture, "range-update",
                       "{\"record-id\":%lld,\"modified-properties\":[\"custom-field-values\",\"vips\"],\"vips\":["
                       "\"10.0.0.111\"],\"custom-field-values\":[{\"custom-field\":\"Managed by\",\"value\":\"DHCP\"},"
                       "{\"custom-field\":\"Managed by entity\",\"value\":\"server1\"},{\"custom-field\":\"Remark\","
                       "\"value\":\"x\"}]}",
                       (long long)fixture->pool));
    assert_ok(scope_store_remove(fixture->store, fixture->server, 1));
    assert_answer(fixture,
                  "SELECT (SELECT count(*) FROM CustomFieldValuesGiven) + (SELECT count(*) FROM "
                  "ADM_IPRangeMultivaluedPropertiesTable)",
                  "0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_mirrored_pool_is_managed_by_dhcp_and_its_server),
        TEST(test_a_mirrored_reservation_is_managed_by_dhcp_and_its_server),
        TEST(test_the_manager_of_a_pool_cannot_be_changed),
        TEST(test_the_bounds_of_a_pool_are_handed_over_and_not_written),
        TEST(test_the_bounds_of_an_ipv6_pool_are_handed_over),
        TEST(test_bounds_that_are_so_already_are_not_handed_over),
        TEST(test_bounds_of_a_pool_are_validated_first),
        TEST(test_the_rest_of_a_pools_range_is_written),
        TEST(test_the_subnet_and_the_space_of_a_pool_are_its_scopes),
        TEST(test_a_range_that_follows_its_pool_keeps_what_was_noted_on_it),
        TEST(test_a_range_of_dhcp_that_is_added_is_a_pool_to_add),
        TEST(test_pools_may_overlap_each_other_and_share_addresses_out),
        TEST(test_mirroring_a_pool_sets_the_flags_of_the_ranges_it_meets),
        TEST(test_what_was_given_to_a_range_goes_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
