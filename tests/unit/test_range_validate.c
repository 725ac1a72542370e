/* ValidateIPRange (MS-IPAMM2 3.1.4.5): each rule, through range-add and, where it can be broken there, range-update;
 * and what the schema refuses before any operation runs. */
#include "range_fixture.h"

static void test_prefix_length_must_be_of_the_family(void **state)
{
    struct fixture *fixture = *state;
    static const int lengths[] = {0, 31, 32, 128};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        refuse(fixture, "range-add", "IpamApiInvalidPrefixLength", "prefix-length",
               "{\"address-family\":\"InterNetwork\",\"subnet-id\":\"10.0.0.0\",\"prefix-length\":%d,"
               "\"start-ip-address\":\"10.0.0.1\",\"end-ip-address\":\"10.0.0.1\",\"address-assignment\":\"Static\","
               "\"address-category\":\"Private\"," BY_IPAM "}",
               lengths[i]);
    refuse(fixture, "range-add", "IpamApiInvalidPrefixLength", "prefix-length",
           "{\"address-family\":\"InterNetworkV6\",\"subnet-id\":\"2001:db8::\",\"prefix-length\":128,"
           "\"start-ip-address\":\"2001:db8::\",\"end-ip-address\":\"2001:db8::\",\"address-assignment\":\"Static\","
           "\"address-category\":\"GlobalIPv6Unicast\"," BY_IPAM "}");
}

static void test_addresses_must_be_of_the_family(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "range-add", "IpamApiInvalidStartIPAddress", "start-ip-address",
           "{" RANGE4("2001:db8::1", "10.0.0.1") "," BY_IPAM "}");
    refuse(fixture, "range-add", "IpamApiEndIpAddressOutOfRange", "end-ip-address",
           "{" RANGE6("2001:db8::1", "10.0.0.1") "," BY_IPAM "}");
    refuse(fixture, "range-add", "IpamApiInvalidStartIPAddress", "start-ip-address",
           "{" RANGE4("10.0.0.256", "10.0.0.1") "," BY_IPAM "}");
    refuse(fixture, "range-add", "IpamApiInvalidParameter", "wins-servers",
           "{" RANGE6("2001:db8::1", "2001:db8::2") ",\"wins-servers\":[\"2001:db8::3\"]," BY_IPAM "}");
    refuse(fixture, "range-add", "IpamApiInvalidAddressRange", "reserved-ip-ranges",
           "{" RANGE4("10.0.0.1", "10.0.0.9") ",\"reserved-ip-ranges\":[{\"start-ip-address\":\"10.0.0.3\","
                                              "\"end-ip-address\":\"10.0.0.2\"}]," BY_IPAM "}");
    refuse(fixture, "range-add", "IpamApiInvalidParameter", "reserved-ips",
           "{" RANGE4("10.0.0.1", "10.0.0.9") ",\"reserved-ips\":[\"2001:db8::3\"]," BY_IPAM "}");
}

static void test_address_assignment_must_not_be_none(void **state)
{
    refuse(*state, "range-add", "IpamApiInvalidAddressAssignment", "address-assignment",
           "{\"address-family\":\"InterNetwork\",\"subnet-id\":\"10.0.0.0\",\"prefix-length\":24,"
           "\"start-ip-address\":\"10.0.0.1\",\"end-ip-address\":\"10.0.0.1\",\"address-assignment\":\"None\","
           "\"address-category\":\"Private\"," BY_IPAM "}");
}

static void test_managed_by_and_entity_must_be_given(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "range-add", "IpamApiCustomFieldValueCannotBeNull", "custom-field-values",
           "{" RANGE4("10.0.0.1", "10.0.0.9") "}");
    refuse(fixture, "range-add", "IpamApiCustomFieldValueCannotBeNull", "custom-field-values",
           "{" RANGE4("10.0.0.1", "10.0.0.9") ",\"custom-field-values\":[{\"custom-field\":\"Managed by\",\"value\":"
                                              "\"IPAM\"}]}");
    refuse(fixture, "range-add", "IpamApiCustomFieldValueCannotBeNull", "custom-field-values",
           "{" RANGE4("10.0.0.1", "10.0.0.9") ",\"custom-field-values\":[{\"custom-field\":\"Managed by entity\","
                                              "\"value\":\"Localhost\"},{\"custom-field\":\"Managed by\"}]}");
}

static void test_a_range_of_dhcp_has_a_scope(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "range-add", "IpamApiDynamicRangeHasNoAssociatedScope", "scope-record-id",
           "{" RANGE4("10.0.0.1", "10.0.0.9") "," BY_DHCP "}");
    refuse(fixture, "range-add", "IpamApiDhcpScopeNotFoundInDB", "scope-record-id",
           "{" RANGE4("10.0.0.1", "10.0.0.9") ",\"scope-record-id\":4711," BY_DHCP "}");
}

static void test_a_range_of_dhcp_is_of_its_scopes_server(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "range-add", "IpamApiInvalidParameter", "dhcp-server-name",
           "{" RANGE4("10.0.0.1", "10.0.0.9") ",\"scope-record-id\":%lld," MANAGED("DHCP", "Localhost") "}",
           (long long)fixture->scope);
    refuse(fixture, "range-add", "IpamApiInvalidParameter", "dhcp-server-name",
           "{" RANGE4("10.0.0.1", "10.0.0.9") ",\"scope-record-id\":%lld,\"dhcp-server-name\":\"server2\"," BY_DHCP "}",
           (long long)fixture->scope);
    refuse(fixture, "range-add", "IpamApiInvalidParameter", "dhcp-scope-name",
           "{" RANGE4("10.0.0.1", "10.0.0.9") ",\"scope-record-id\":%lld,\"dhcp-scope-name\":\"other\"," BY_DHCP "}",
           (long long)fixture->scope);
}

static void test_a_range_of_dhcp_is_dynamic_and_calculated(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "range-add", "IpamApiInvalidUtilizationCalculationType", "utilization-calculation-type",
           "{" RANGE4("10.0.0.1",
                      "10.0.0.9") ",\"scope-record-id\":%lld,\"utilization-calculation-type\":\"Static\"," BY_DHCP "}",
           (long long)fixture->scope);
    refuse(fixture, "range-update", "IpamApiInvalidUtilizationCalculationType", "utilization-calculation-type",
           "{\"record-id\":%lld,\"modified-properties\":[\"utilization-calculation-type\"],"
           "\"utilization-calculation-type\":\"Static\"}",
           (long long)fixture->pool);
    refuse(fixture, "range-add", "IpamApiInvalidAddressAssignment", "address-assignment",
           "{" RANGE4("10.0.0.1", "10.0.0.9") ",\"scope-record-id\":%lld," BY_DHCP "}", (long long)fixture->scope);
}

static void test_dhcp_data_of_a_range_that_is_not_dhcps_is_refused(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = run_id(fixture, "range-add", "{" RANGE4("10.0.0.1", "10.0.0.9") "," BY_IPAM "}");

    refuse(fixture, "range-add", "IpamApiDhcpDataSpecifiedForStaticRange", "scope-record-id",
           "{" RANGE4("10.0.0.11", "10.0.0.19") ",\"scope-record-id\":%lld," BY_IPAM "}", (long long)fixture->scope);
    refuse(fixture, "range-add", "IpamApiDhcpDataSpecifiedForStaticRange", "dhcp-scope-name",
           "{" RANGE4("10.0.0.11", "10.0.0.19") ",\"dhcp-scope-name\":\"Offices\"," BY_IPAM "}");
    refuse(fixture, "range-update", "IpamApiDhcpDataSpecifiedForStaticRange", "dhcp-server-name",
           "{\"record-id\":%lld,\"modified-properties\":[\"dhcp-server-name\"],\"dhcp-server-name\":\"server1\"}",
           (long long)range);
    refuse(fixture, "range-update", "IpamApiDynamicRangeHasNoAssociatedScope", "scope-record-id",
           "{\"record-id\":%lld,\"modified-properties\":[\"custom-field-values\"]," BY_DHCP "}", (long long)range);
}

static void test_the_subnet_id_is_a_networks_address(void **state)
{
    refuse(*state, "range-add", "IpamApiInvalidParameter", "subnet-id",
           "{\"address-family\":\"InterNetwork\",\"subnet-id\":\"10.0.0.1\",\"prefix-length\":24,"
           "\"start-ip-address\":\"10.0.0.1\",\"end-ip-address\":\"10.0.0.1\",\"address-assignment\":\"Static\","
           "\"address-category\":\"Private\"," BY_IPAM "}");
}

static void test_start_is_not_after_end(void **state)
{
    refuse(*state, "range-add", "IpamApiInvalidStartIPAddress", "start-ip-address",
           "{" RANGE4("10.0.0.2", "10.0.0.1") "," BY_IPAM "}");
    refuse(*state, "range-add", "IpamApiInvalidStartIPAddress", "start-ip-address",
           "{" RANGE6("2001:db8::2", "2001:db8::1") "," BY_IPAM "}");
    (void)run_id(*state, "range-add", "{" RANGE4("10.0.0.2", "10.0.0.2") "," BY_IPAM "}");
}

static void test_start_and_end_are_in_the_subnet(void **state)
{
    refuse(*state, "range-add", "IpamApiInvalidStartIPAddress", "start-ip-address",
           "{" RANGE4("9.255.255.255", "10.0.0.1") "," BY_IPAM "}");
    refuse(*state, "range-add", "IpamApiEndIpAddressOutOfRange", "end-ip-address",
           "{" RANGE4("10.0.0.1", "10.0.1.0") "," BY_IPAM "}");
    refuse(*state, "range-add", "IpamApiEndIpAddressOutOfRange", "end-ip-address",
           "{" RANGE6("2001:db8::1", "2001:db8:0:1::") "," BY_IPAM "}");
    /* From the network's first address to its last. */
    (void)run_id(*state, "range-add", "{" RANGE4("10.0.0.0", "10.0.0.255") "," BY_IPAM "}");
}

static void test_static_utilization_brings_its_statistics(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = run_id(
        fixture, "range-add",
        "{" RANGE4(
            "10.0.0.1",
            "10.0.0.9") ",\"utilization-calculation-type\":\"Static\","
                        "\"utilization-statistics\":{\"total-assigned-addresses\":\"9\",\"total-available-addresses\""
                        ":\"9\",\"total-utilized-addresses\":\"1\"}," BY_IPAM "}");

    refuse(fixture, "range-add", "IpamApiUtilizationDataNotSpecifiedForStaticRange", "utilization-statistics",
           "{" RANGE4("10.0.0.11", "10.0.0.19") ",\"utilization-calculation-type\":\"Static\"," BY_IPAM "}");
    refuse(fixture, "range-update", "IpamApiUtilizationDataNotSpecifiedForStaticRange", "utilization-statistics",
           "{\"record-id\":%lld,\"modified-properties\":[\"utilization-statistics\"]}", (long long)range);
}

static void refuse_category(struct fixture *fixture, const char *exception, const char *node, const char *subnet,
                            int length, const char *start, const char *end, const char *category)
{
    refuse(fixture, "range-add", exception, node,
           "{\"address-family\":\"%s\",\"subnet-id\":\"%s\",\"prefix-length\":%d,\"start-ip-address\":\"%s\","
           "\"end-ip-address\":\"%s\",\"address-assignment\":\"Static\",\"address-category\":\"%s\","
           "\"create-subnet\":true," BY_IPAM "}",
           strchr(subnet, ':') == NULL ? "InterNetwork" : "InterNetworkV6", subnet, length, start, end, category);
}

static void test_the_address_category_is_the_computed_one(void **state)
{
    static const char wrong[] = "IpamApiInvalidParameter", none[] = "IpamApiInvalidAddressRange";
    static const char category[] = "address-category", start[] = "start-ip-address";

    refuse_category(*state, wrong, category, "10.0.0.0", 24, "10.0.0.1", "10.0.0.2", "Public");
    refuse_category(*state, wrong, category, "10.0.0.0", 24, "10.0.0.1", "10.0.0.2", "None");
    refuse_category(*state, wrong, category, "192.0.2.0", 24, "192.0.2.1", "192.0.2.2", "Private");
    refuse_category(*state, wrong, category, "2001:db8::", 64, "2001:db8::1", "2001:db8::2", "Public");
    /* Public at both ends, private between. */
    refuse_category(*state, none, start, "8.0.0.0", 5, "9.0.0.0", "11.0.0.0", "Public");
    refuse_category(*state, none, start, "8.0.0.0", 5, "9.0.0.0", "10.0.0.0", "Public");
    refuse_category(*state, none, start, "224.0.0.0", 24, "224.0.0.1", "224.0.0.2", "Public");
    refuse_category(*state, none, start, "ff02::", 64, "ff02::1", "ff02::2", "GlobalIPv6Unicast");
}

static void test_the_address_space_exists(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = run_id(fixture, "range-add", "{" RANGE4("10.0.0.1", "10.0.0.9") "," BY_IPAM "}");

    refuse(fixture, "range-add", "IpamApiObjectNotFoundInDatabase", "address-space-record-id",
           "{" RANGE4("10.0.0.11", "10.0.0.19") ",\"address-space-record-id\":9," BY_IPAM "}");
    refuse(fixture, "range-update", "IpamApiObjectNotFoundInDatabase", "address-space-record-id",
           "{\"record-id\":%lld,\"modified-properties\":[\"address-space-record-id\"],\"address-space-record-id\":9}",
           (long long)range);
}

/* ---- what the schema refuses ---- */

static void test_every_enumerations_invalid_value_is_refused(void **state)
{
    static const struct {
        const char *command, *node, *exception;
    } enumerations[] = {
        {"range-add", "address-family", "IpamApiInvalidEnumeration"},
        {"range-add", "address-assignment", "IpamApiInvalidAddressAssignment"},
        {"range-add", "address-category", "IpamApiInvalidEnumeration"},
        {"range-add", "utilization-calculation-type", "IpamApiInvalidUtilizationCalculationType"},
        {"range-add", "virtualization-type", "IpamApiInvalidEnumeration"},
        {"range-update", "address-family", "IpamApiInvalidEnumeration"},
        {"range-update", "address-assignment", "IpamApiInvalidAddressAssignment"},
        {"range-update", "address-category", "IpamApiInvalidEnumeration"},
        {"range-update", "utilization-calculation-type", "IpamApiInvalidUtilizationCalculationType"},
        {"range-update", "virtualization-type", "IpamApiInvalidEnumeration"},
        {"range-get", "address-family", "IpamApiInvalidEnumeration"},
        {"address-add", "address-family", "IpamApiInvalidEnumeration"},
        {"address-add", "address-assignment", "IpamApiInvalidAddressAssignment"},
        {"address-add", "virtualization-type", "IpamApiInvalidEnumeration"},
        {"custom-field-add", "type", "IpamApiInvalidEnumeration"},
    };

    for (size_t i = 0; i < sizeof enumerations / sizeof enumerations[0]; i++) {
        char arguments[128];

        (void)snprintf(arguments, sizeof arguments, "{\"%s\":\"Nonsense\"}", enumerations[i].node);
        refuse_input(*state, enumerations[i].command, enumerations[i].exception, enumerations[i].node, arguments);
    }
    refuse_input(*state, "range-update", "IpamApiInvalidEnumeration", "modified-properties[1]",
                 "{\"record-id\":1,\"modified-properties\":[\"nonsense\"]}");
}

static void test_the_schema_refuses_what_is_missing_or_of_another_type(void **state)
{
    refuse_input(*state, "range-update", "IpamApiInvalidParameter", "record-id", "{}");
    refuse_input(*state, "range-update", "IpamApiInvalidParameter", "record-id", "{\"record-id\":0}");
    refuse_input(*state, "range-update", "IpamApiInvalidPrefixLength", "prefix-length",
                 "{\"record-id\":1,\"prefix-length\":129}");
    refuse_input(*state, "range-update", "IpamApiInvalidStartIPAddress", "start-ip-address",
                 "{\"record-id\":1,\"start-ip-address\":\"localhost\"}");
    refuse_input(*state, "range-update", "IpamApiInvalidParameter", "owner", "{\"record-id\":1,\"owner\":[]}");
    refuse_input(*state, "range-add", "IpamApiInvalidParameter", "subnet-id",
                 "{\"address-family\":\"InterNetwork\",\"prefix-length\":24}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_prefix_length_must_be_of_the_family),
        TEST(test_addresses_must_be_of_the_family),
        TEST(test_address_assignment_must_not_be_none),
        TEST(test_managed_by_and_entity_must_be_given),
        TEST(test_a_range_of_dhcp_has_a_scope),
        TEST(test_a_range_of_dhcp_is_of_its_scopes_server),
        TEST(test_a_range_of_dhcp_is_dynamic_and_calculated),
        TEST(test_dhcp_data_of_a_range_that_is_not_dhcps_is_refused),
        TEST(test_the_subnet_id_is_a_networks_address),
        TEST(test_start_is_not_after_end),
        TEST(test_start_and_end_are_in_the_subnet),
        TEST(test_static_utilization_brings_its_statistics),
        TEST(test_the_address_category_is_the_computed_one),
        TEST(test_the_address_space_exists),
        TEST(test_every_enumerations_invalid_value_is_refused),
        TEST(test_the_schema_refuses_what_is_missing_or_of_another_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
