/* UpdateRange (MS-IPAMM2 3.3.4.152), step by step, and the corners of each step. */
#include "range_fixture.h"

/* A row's overlap columns. */
#define FLAGS "SELECT IsOverlapping, UseForUtilization FROM ADM_IPRangeTable WHERE StartIPAddress = "

static json_t *update(struct fixture *fixture, int64_t range, const char *modified, const char *properties)
{
    return run_ok(fixture, "range-update", "{\"record-id\":%lld,\"modified-properties\":[%s]%s%s}", (long long)range,
                  modified, properties[0] == '\0' ? "" : ",", properties);
}

/* Updates and compares changed-properties, joined by ",". */
static void update_changes(struct fixture *fixture, int64_t range, const char *modified, const char *properties,
                           const char *changed)
{
    json_t *output = update(fixture, range, modified, properties);
    char names[512] = "";
    json_t *name;
    size_t index;

    json_array_foreach(json_object_get(output, "changed-properties"), index, name)
    {
        size_t length = strlen(names);

        (void)snprintf(names + length, sizeof names - length, "%s%s", index > 0 ? "," : "", json_string_value(name));
    }
    assert_string_equal(names, changed);
    json_decref(output);
}

static int64_t add(struct fixture *fixture, const char *properties)
{
    return run_id(fixture, "range-add", "{%s}", properties);
}

static int64_t add_address(struct fixture *fixture, const char *family, const char *address, const char *managed)
{
    return run_id(fixture, "address-add", "{\"address-family\":\"%s\",\"ip-address\":\"%s\",%s}", family, address,
                  managed);
}

/* ---- steps 1 and 2 ---- */

static void test_update_range_step_1_only_named_properties_are_taken(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") ",\"owner\":\"before\"," BY_IPAM);

    update_changes(fixture, range, "\"description\"",
                   "\"description\":\"new\",\"owner\":\"not named\",\"end-ip-address\":\"10.0.0.99\"", "description");
    assert_answer(fixture,
                  "SELECT Owner, Description, EndIPAddress FROM ADM_IPRangeTable WHERE StartIPAddress = '10.0.0.10'",
                  "before|new|10.0.0.20");
}

static void test_update_range_step_2_no_modified_property_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);
    int64_t version = ask_integer(fixture, "PRAGMA data_version");

    update_changes(fixture, range, "", "\"end-ip-address\":\"10.0.0.30\"", "");
    json_decref(run_ok(fixture, "range-update", "{\"record-id\":%lld}", (long long)range));
    json_decref(run_ok(fixture, "range-update", "{\"record-id\":4711}"));
    assert_true(ask_integer(fixture, "PRAGMA data_version") == version);
}

/* ---- step 3: the rest is in test_range_validate.c ---- */

static void test_update_range_step_3_an_invalid_range_is_refused(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);

    refuse(fixture, "range-update", "IpamApiInvalidStartIPAddress", "start-ip-address",
           "{\"record-id\":%lld,\"modified-properties\":[\"start-ip-address\"],\"start-ip-address\":\"10.0.0.21\"}",
           (long long)range);
    refuse(fixture, "range-update", "IpamApiEndIpAddressOutOfRange", "end-ip-address",
           "{\"record-id\":%lld,\"modified-properties\":[\"end-ip-address\"],\"end-ip-address\":\"10.0.1.1\"}",
           (long long)range);
    refuse(fixture, "range-update", "IpamApiInvalidStartIPAddress", "start-ip-address",
           "{\"record-id\":%lld,\"modified-properties\":[\"start-ip-address\"],\"start-ip-address\":\"2001:db8::1\"}",
           (long long)range);
}

static void test_update_range_step_3_what_is_named_and_not_given_is_cleared_or_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *property, *exception;
    } not_null[] = {
        {"subnet-id", "IpamApiInvalidParameter"},
        {"prefix-length", "IpamApiInvalidPrefixLength"},
        {"start-ip-address", "IpamApiInvalidStartIPAddress"},
        {"end-ip-address", "IpamApiEndIpAddressOutOfRange"},
        {"address-space-record-id", "IpamApiInvalidParameter"},
        {"address-assignment", "IpamApiInvalidAddressAssignment"},
        {"address-category", "IpamApiInvalidEnumeration"},
        {"utilization-calculation-type", "IpamApiInvalidUtilizationCalculationType"},
        {"custom-field-values", "IpamApiCustomFieldValueCannotBeNull"},
    };
    int64_t range = add(
        fixture, RANGE4("10.0.0.10", "10.0.0.20") ",\"owner\":\"o\",\"description\":\"d\","
                                                  "\"virtualization-type\":\"Fabric\",\"reserved-ips\":[\"10.0.0.11\"],"
                                                  "\"connection-specific-dns-suffix\":\"example.org\"," BY_IPAM);

    for (size_t i = 0; i < sizeof not_null / sizeof not_null[0]; i++)
        refuse(fixture, "range-update", not_null[i].exception, not_null[i].property,
               "{\"record-id\":%lld,\"modified-properties\":[\"%s\"]}", (long long)range, not_null[i].property);
    update_changes(fixture, range,
                   "\"owner\",\"description\",\"virtualization-type\",\"reserved-ips\","
                   "\"connection-specific-dns-suffix\",\"vips\"",
                   "", "owner,description,connection-specific-dns-suffix,virtualization-type,reserved-ips");
    assert_answer(fixture,
                  "SELECT Owner, Description, VirtualizationType, ConnectionSpecificDNSSuffix, (SELECT count(*) FROM "
                  "ADM_IPRangeMultivaluedPropertiesTable) FROM ADM_IPRangeTable WHERE StartIPAddress = '10.0.0.10'",
                  "null|null|null|null|0");
}

/* ---- steps 4 to 6 ---- */

static void test_update_range_step_4_a_range_that_is_not_there_is_refused(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "range-update", "IpamApiObjectNotFoundInDatabase", "record-id",
           "{\"record-id\":4711,\"modified-properties\":[\"owner\"],\"owner\":\"me\"}");
    refuse(fixture, "range-update", "IpamApiObjectNotFoundInDatabase", "record-id",
           "{\"record-id\":%lld,\"address-family\":\"InterNetworkV6\",\"modified-properties\":[\"owner\"]}",
           (long long)fixture->pool);
}

static void test_update_range_step_6_values_that_are_so_already_are_not_written(void **state)
{
    struct fixture *fixture = *state;
    int64_t range =
        add(fixture, RANGE4("10.0.0.10", "10.0.0.20") ",\"owner\":\"me\",\"dns-servers\":[\"10.0.0.1\"]," BY_IPAM);
    int64_t version = ask_integer(fixture, "PRAGMA data_version");

    update_changes(fixture, range,
                   "\"owner\",\"start-ip-address\",\"end-ip-address\",\"dns-servers\",\"custom-field-values\","
                   "\"address-space-record-id\"",
                   "\"owner\":\"me\",\"start-ip-address\":\"10.0.0.10\",\"end-ip-address\":\"10.0.0.20\","
                   "\"dns-servers\":[\"10.0.0.1\"],\"address-space-record-id\":1," BY_IPAM,
                   "");
    assert_true(ask_integer(fixture, "PRAGMA data_version") == version);
}

/* ---- step 7 and 8 ---- */

static void test_update_range_step_7_each_mapping_property_remaps(void **state)
{
    static const struct {
        const char *modified, *properties, *changed;
    } cases[] = {
        {"\"end-ip-address\"", "\"end-ip-address\":\"10.0.0.5\"", "end-ip-address"},
        {"\"start-ip-address\"", "\"start-ip-address\":\"10.0.0.9\"", "start-ip-address"},
        {"\"prefix-length\"", "\"prefix-length\":25", "prefix-length"},
        {"\"custom-field-values\"", BY_VM, "custom-field-values"},
        {"\"custom-field-values\"", MANAGED("IPAM", "server1"), "custom-field-values"},
    };
    struct fixture *fixture = *state;

    execute(fixture, "INSERT INTO ADM_IPBlocksTable (Af, NetworkId, PrefixLength, StartIPAddress, EndIPAddress, "
                     "AddressSpaceRecordId, IsSubnet, Origin, StartKey, EndKey) VALUES ('InterNetwork', '10.0.0.0', 25,"
                     "'10.0.0.0', '10.0.0.127', 1, 1, 'Admin', x'00000000000000000000ffff0a000000', "
                     "x'00000000000000000000ffff0a00007f')");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t range = add(fixture, RANGE4("10.0.0.1", "10.0.0.20") "," BY_IPAM);
        int64_t address = add_address(fixture, "InterNetwork", "10.0.0.7", BY_IPAM);

        assert_answer(fixture, "SELECT RangeRecordId IS NOT NULL FROM ADM_IPAddressTable WHERE IpAddress = '10.0.0.7'",
                      "1");
        update_changes(fixture, range, cases[i].modified, cases[i].properties, cases[i].changed);
        /* Only the second change of a bound and the change of the subnet leave the address where it is. */
        assert_answer(fixture, "SELECT RangeRecordId IS NOT NULL FROM ADM_IPAddressTable WHERE IpAddress = '10.0.0.7'",
                      i == 2 ? "1" : "0");
        assert_answer(fixture, "SELECT count(*) FROM ADM_AccessScopeAssociationTable", "1");
        execute(fixture, "DELETE FROM ADM_IPAddressTable WHERE IpAddress = '10.0.0.7'");
        execute(fixture, "DELETE FROM ADM_IPRangeTable WHERE ScopeRecordId IS NULL");
        assert_true(address > 0);
    }
}

static void test_update_range_step_8_1_address_space_change_remaps(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);

    (void)add_address(fixture, "InterNetwork", "10.0.0.11", BY_IPAM);
    (void)add_address(fixture, "InterNetwork", "10.0.0.20", BY_IPAM);
    update_changes(fixture, range, "\"address-space-record-id\",\"virtualization-type\"",
                   "\"address-space-record-id\":2,\"virtualization-type\":\"Virtual\"",
                   "address-space-record-id,virtualization-type");
    assert_answer(fixture,
                  "SELECT a.IpAddress, a.AddressSpaceRecordId, a.VirtualizationType, r.StartIPAddress, "
                  "r.AddressSpaceRecordId, b.AddressSpaceRecordId, r.NumberOfChildAddresses FROM ADM_IPAddressTable AS "
                  "a JOIN ADM_IPRangeTable AS r ON r.RecordId = a.RangeRecordId JOIN ADM_IPBlocksTable AS b ON "
                  "b.RecordId = r.ParentIPBlockRecordId WHERE a.ScopeRecordId IS NULL ORDER BY 1",
                  "10.0.0.11|2|Virtual|10.0.0.10|2|2|2;10.0.0.20|2|Virtual|10.0.0.10|2|2|2");
}

static void test_update_range_step_8_1_in_ipv6(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE6("2001:db8::10", "2001:db8::20") "," BY_IPAM);

    (void)add_address(fixture, "InterNetworkV6", "2001:db8::11", BY_IPAM);
    update_changes(fixture, range, "\"address-space-record-id\"", "\"address-space-record-id\":2",
                   "address-space-record-id");
    assert_answer(fixture,
                  "SELECT IpAddress, AddressSpaceRecordId, RangeRecordId IS NOT NULL FROM ADM_IPAddressTable WHERE "
                  "IpAddress = '2001:db8::11'",
                  "2001:db8::11|2|1");
}

static void test_update_range_step_8_1_2_2_addresses_of_others_or_outside_stay(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);
    int64_t others;

    (void)add_address(fixture, "InterNetwork", "10.0.0.11", BY_IPAM);
    (void)add_address(fixture, "InterNetwork", "10.0.0.18", BY_IPAM);
    others = add_address(fixture, "InterNetwork", "10.0.0.12", BY_IPAM);
    /* Mapped once, and managed by somebody else since. */
    execute(fixture, "UPDATE CustomFieldValuesGiven SET CustomFieldValueId = 4 WHERE CustomFieldId = 8 AND ObjectType "
                     "= 'IPAddress' AND UsedById = (SELECT RecordId FROM ADM_IPAddressTable WHERE IpAddress = "
                     "'10.0.0.12')");
    update_changes(fixture, range, "\"address-space-record-id\",\"end-ip-address\"",
                   "\"address-space-record-id\":2,\"end-ip-address\":\"10.0.0.15\"",
                   "end-ip-address,address-space-record-id");
    assert_answer(fixture,
                  "SELECT IpAddress, AddressSpaceRecordId, RangeRecordId IS NOT NULL FROM ADM_IPAddressTable WHERE "
                  "ScopeRecordId IS NULL ORDER BY AddressKey",
                  "10.0.0.11|2|1;10.0.0.12|1|0;10.0.0.18|1|0");
    assert_true(others > 0);
}

static void test_update_range_step_8_2_the_only_overlap_of_a_neighbour_goes(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);
    int64_t second = add(fixture, RANGE4("10.0.0.15", "10.0.0.30") "," BY_VM);

    assert_answer(fixture, FLAGS "'10.0.0.10'", "1|1");
    assert_answer(fixture, FLAGS "'10.0.0.15'", "1|0");
    update_changes(fixture, first, "\"end-ip-address\"", "\"end-ip-address\":\"10.0.0.14\"", "end-ip-address");
    assert_answer(fixture, FLAGS "'10.0.0.10'", "0|1");
    assert_answer(fixture, FLAGS "'10.0.0.15'", "0|1");
    assert_true(second > 0);
}

static void test_update_range_step_8_2_a_neighbour_that_overlaps_another_keeps_its_flag(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);

    (void)add(fixture, RANGE4("10.0.0.15", "10.0.0.30") "," BY_VM);
    (void)add(fixture, RANGE4("10.0.0.25", "10.0.0.40") "," BY_IPAM);
    update_changes(fixture, first, "\"end-ip-address\"", "\"end-ip-address\":\"10.0.0.14\"", "end-ip-address");
    assert_answer(fixture, FLAGS "'10.0.0.10'", "0|1");
    assert_answer(fixture, FLAGS "'10.0.0.15'", "1|0");
    assert_answer(fixture, FLAGS "'10.0.0.25'", "1|1");
}

static void test_update_range_step_8_2_and_8_3_unmap_and_map_addresses(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);

    (void)add_address(fixture, "InterNetwork", "10.0.0.11", BY_IPAM);
    (void)add_address(fixture, "InterNetwork", "10.0.0.25", BY_IPAM);
    (void)add_address(fixture, "InterNetwork", "10.0.0.26", BY_VM);
    update_changes(fixture, range, "\"start-ip-address\",\"end-ip-address\"",
                   "\"start-ip-address\":\"10.0.0.15\",\"end-ip-address\":\"10.0.0.30\"",
                   "start-ip-address,end-ip-address");
    assert_answer(fixture,
                  "SELECT IpAddress, RangeRecordId IS NOT NULL FROM ADM_IPAddressTable WHERE ScopeRecordId IS NULL "
                  "ORDER BY AddressKey",
                  "10.0.0.11|0;10.0.0.25|1;10.0.0.26|0");
    assert_answer(fixture,
                  "SELECT StartIPAddress, EndIPAddress, NumberOfChildAddresses, hex(ForkKey) FROM ADM_IPRangeTable "
                  "WHERE ScopeRecordId IS NULL",
                  "10.0.0.15|10.0.0.30|1|00000000000000000000FFFF0A000010");
}

static void test_update_range_step_8_3_overlap_flags_go_both_ways(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);

    update_changes(fixture, range, "\"end-ip-address\"", "\"end-ip-address\":\"10.0.0.100\"", "end-ip-address");
    assert_answer(fixture, FLAGS "'10.0.0.10'", "1|0");
    assert_answer(fixture, FLAGS "'10.0.0.100'", "1|1");
    update_changes(fixture, range, "\"end-ip-address\"", "\"end-ip-address\":\"10.0.0.99\"", "end-ip-address");
    assert_answer(fixture, FLAGS "'10.0.0.10'", "0|1");
    assert_answer(fixture, FLAGS "'10.0.0.100'", "0|1");
}

static void test_update_range_step_8_3_flags_in_ipv6(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE6("2001:db8::1", "2001:db8::20") "," BY_IPAM);

    update_changes(fixture, range, "\"end-ip-address\"", "\"end-ip-address\":\"2001:db8::ffff:0\"", "end-ip-address");
    assert_answer(fixture, FLAGS "'2001:db8::1'", "1|0");
    assert_answer(fixture, FLAGS "'2001:db8::100'", "1|1");
}

static void test_update_range_step_8_3_an_overlap_of_the_same_manager_is_refused(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);

    (void)add(fixture, RANGE4("10.0.0.30", "10.0.0.40") "," BY_IPAM);
    refuse(fixture, "range-update", "IpamApiNonadjustableConflictingRangesFound", "start-ip-address",
           "{\"record-id\":%lld,\"modified-properties\":[\"end-ip-address\"],\"end-ip-address\":\"10.0.0.35\"}",
           (long long)range);
    /* An enclosing range starts and ends outside of the other. */
    refuse(fixture, "range-update", "IpamApiNonadjustableConflictingRangesFound", "start-ip-address",
           "{\"record-id\":%lld,\"modified-properties\":[\"end-ip-address\"],\"end-ip-address\":\"10.0.0.50\"}",
           (long long)range);
}

static void test_update_range_step_8_3_a_range_moves_to_another_subnet(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);

    update_changes(fixture, range, "\"subnet-id\",\"start-ip-address\",\"end-ip-address\"",
                   "\"subnet-id\":\"10.0.1.0\",\"start-ip-address\":\"10.0.1.1\",\"end-ip-address\":\"10.0.1.9\"",
                   "subnet-id,start-ip-address,end-ip-address");
    assert_answer(fixture,
                  "SELECT r.SubnetId, b.NetworkId, b.PrefixLength FROM ADM_IPRangeTable AS r JOIN ADM_IPBlocksTable AS "
                  "b ON b.RecordId = r.ParentIPBlockRecordId WHERE r.StartIPAddress = '10.0.1.1'",
                  "10.0.1.0|10.0.1.0|24");
}

static void test_update_range_step_8_3_the_most_specific_subnet_wins(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);

    /* A network with no subnet of its own belongs to 10.0.0.0/16. */
    update_changes(fixture, range, "\"subnet-id\",\"start-ip-address\",\"end-ip-address\"",
                   "\"subnet-id\":\"10.0.2.0\",\"start-ip-address\":\"10.0.2.1\",\"end-ip-address\":\"10.0.2.9\"",
                   "subnet-id,start-ip-address,end-ip-address");
    assert_answer(fixture,
                  "SELECT b.NetworkId, b.PrefixLength FROM ADM_IPRangeTable AS r JOIN ADM_IPBlocksTable AS b ON "
                  "b.RecordId = r.ParentIPBlockRecordId WHERE r.StartIPAddress = '10.0.2.1'",
                  "10.0.0.0|16");
}

static void test_update_range_step_8_3_a_range_that_moves_to_no_subnet_is_refused(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);
    int64_t range6 = add(fixture, RANGE6("2001:db8::10", "2001:db8::20") "," BY_IPAM);

    (void)add_address(fixture, "InterNetwork", "10.0.0.11", BY_IPAM);
    refuse(fixture, "range-update", "IpamApiRemapRangeFailedNoParentBlock", "subnet-id",
           "{\"record-id\":%lld,\"modified-properties\":[\"subnet-id\",\"start-ip-address\",\"end-ip-address\"],"
           "\"subnet-id\":\"10.9.0.0\",\"start-ip-address\":\"10.9.0.1\",\"end-ip-address\":\"10.9.0.9\"}",
           (long long)range);
    /* A subnet of a longer prefix than the range says does not include it. */
    refuse(fixture, "range-update", "IpamApiRemapRangeFailedNoParentBlock", "subnet-id",
           "{\"record-id\":%lld,\"modified-properties\":[\"subnet-id\",\"prefix-length\"],"
           "\"subnet-id\":\"10.0.0.0\",\"prefix-length\":15}",
           (long long)range);
    refuse(fixture, "range-update", "IpamApiRemapRangeFailedNoParentBlock", "subnet-id",
           "{\"record-id\":%lld,\"modified-properties\":[\"subnet-id\",\"start-ip-address\",\"end-ip-address\"],"
           "\"subnet-id\":\"2001:db9::\",\"start-ip-address\":\"2001:db9::1\",\"end-ip-address\":\"2001:db9::9\"}",
           (long long)range6);
}

/* ---- step 9 ---- */

static void test_update_range_step_9_plain_properties_are_written(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") ",\"dns-servers\":[\"10.0.0.1\"],\"gateways\":"
                                                                  "[\"10.0.0.2\"]," BY_IPAM);

    update_changes(fixture, range,
                   "\"owner\",\"description\",\"address-assignment\",\"connection-specific-dns-suffix\","
                   "\"virtualization-type\",\"utilization-calculation-type\",\"utilization-statistics\","
                   "\"dns-servers\",\"wins-servers\",\"vips\",\"vip-ranges\",\"dns-suffixes\",\"reserved-ips\","
                   "\"reserved-ip-ranges\"",
                   "\"owner\":\"o\",\"description\":\"d\",\"address-assignment\":\"VIP\","
                   "\"connection-specific-dns-suffix\":\"example.org\",\"virtualization-type\":\"Fabric\","
                   "\"utilization-calculation-type\":\"Static\",\"utilization-statistics\":{"
                   "\"total-assigned-addresses\":\"11\",\"total-available-addresses\":\"11\","
                   "\"total-utilized-addresses\":\"3\"},\"dns-servers\":[\"10.0.0.4\",\"10.0.0.3\"],"
                   "\"wins-servers\":[\"10.0.0.5\"],\"vips\":[\"10.0.0.12\"],\"vip-ranges\":[{\"start-ip-address\":"
                   "\"10.0.0.13\",\"end-ip-address\":\"10.0.0.14\"}],\"dns-suffixes\":[\"a.example\"],"
                   "\"reserved-ips\":[\"10.0.0.15\"],\"reserved-ip-ranges\":[{\"start-ip-address\":\"10.0.0.16\","
                   "\"end-ip-address\":\"10.0.0.17\"}]",
                   "address-assignment,owner,description,utilization-calculation-type,utilization-statistics,"
                   "connection-specific-dns-suffix,virtualization-type,dns-servers,wins-servers,vips,vip-ranges,"
                   "dns-suffixes,reserved-ips,reserved-ip-ranges");
    assert_answer(fixture,
                  "SELECT Owner, Description, AddressAssignment, ConnectionSpecificDNSSuffix, VirtualizationType, "
                  "UtilizationCalculationType, UtilizationStatistics, LastChangeDate FROM ADM_IPRangeTable WHERE "
                  "StartIPAddress = '10.0.0.10'",
                  "o|d|VIP|example.org|Fabric|Static|{\"total-assigned-addresses\":\"11\","
                  "\"total-available-addresses\":\"11\",\"total-utilized-addresses\":\"3\"}|1700000000");
    assert_answer(fixture,
                  "SELECT PropertyId, PropertyValue FROM ADM_IPRangeMultivaluedPropertiesTable ORDER BY PropertyId, "
                  "RecordId",
                  "1|10.0.0.4;1|10.0.0.3;2|10.0.0.5;3|10.0.0.2;4|10.0.0.12;5|10.0.0.13-10.0.0.14;6|a.example;"
                  "7|10.0.0.15;8|10.0.0.16-10.0.0.17");
}

/* ---- step 10 ---- */

static void test_update_range_step_10_custom_field_values_are_replaced(void **state)
{
    struct fixture *fixture = *state;
    int64_t range;

    (void)run_id(fixture, "custom-field-add", "{\"name\":\"Floor\",\"type\":\"Multivalued\",\"values\":[\"1\",\"2\"]}");
    (void)run_id(fixture, "custom-field-add", "{\"name\":\"Remark\",\"type\":\"Freeform\"}");
    range =
        add(fixture,
            RANGE4("10.0.0.10",
                   "10.0.0.20") ",\"custom-field-values\":[{\"custom-field\":\"Managed by\","
                                "\"value\":\"IPAM\"},{\"custom-field\":\"Managed by entity\",\"value\":\"Localhost\"},"
                                "{\"custom-field\":\"Floor\",\"value\":\"1\"}]");
    update_changes(fixture, range, "\"custom-field-values\"",
                   "\"custom-field-values\":[{\"custom-field\":\"Managed by\",\"value\":\"IPAM\"},{\"custom-field\":"
                   "\"Managed by entity\",\"value\":\"Localhost\"},{\"custom-field\":\"Remark\",\"value\":\"any\"}]",
                   "custom-field-values");
    assert_answer(fixture,
                  "SELECT f.Name, v.Value, a.Value FROM ADM_CustomFieldValuesAssociationTable AS a JOIN "
                  "ADM_CustomFieldsTable AS f ON f.RecordId = a.CustomFieldId LEFT JOIN ADM_CustomFieldValuesTable AS "
                  "v ON v.RecordId = a.CustomFieldValueId WHERE a.ObjectType = 'IPRange' AND a.UsedById = (SELECT "
                  "RecordId FROM ADM_IPRangeTable WHERE StartIPAddress = '10.0.0.10') ORDER BY f.RecordId",
                  "Managed by|IPAM|null;Managed by entity|Localhost|null;Remark|null|any");
}

static void test_update_range_step_10_values_and_fields_that_do_not_exist_are_refused(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);

    refuse(fixture, "range-update", "IpamApiCustomFieldValueForMultiValueCustomFieldDoesntExist",
           "custom-field-values[custom-field='Managed by entity']",
           "{\"record-id\":%lld,\"modified-properties\":[\"custom-field-values\"]," MANAGED("IPAM", "nobody") "}",
           (long long)range);
    refuse(fixture, "range-update", "IpamApiObjectNotFoundInDatabase", "custom-field-values[custom-field='Floor']",
           "{\"record-id\":%lld,\"modified-properties\":[\"custom-field-values\"],\"custom-field-values\":["
           "{\"custom-field\":\"Managed by\",\"value\":\"IPAM\"},{\"custom-field\":\"Managed by entity\",\"value\":"
           "\"Localhost\"},{\"custom-field\":\"Floor\",\"value\":\"1\"}]}",
           (long long)range);
    refuse(fixture, "range-update", "IpamApiCustomFieldValueCannotBeNull", "custom-field-values",
           "{\"record-id\":%lld,\"modified-properties\":[\"custom-field-values\"]," MANAGED("", "Localhost") "}",
           (long long)range);
}

/* ---- step 11 ---- */

static void test_update_range_step_11_the_access_scope_is_associated_once(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.10", "10.0.0.20") "," BY_IPAM);
    static const char associations[] = "SELECT ObjectType, AccessScopeId, InheritanceId = AssociationId, IsInheriting "
                                       "FROM ADM_AccessScopeAssociationTable";

    execute(fixture, "DELETE FROM ADM_AccessScopeAssociationTable");
    update_changes(fixture, range, "\"owner\"", "\"owner\":\"me\"", "owner");
    assert_answer(fixture, associations, "");
    for (int end = 21; end <= 22; end++) {
        char properties[64];

        (void)snprintf(properties, sizeof properties, "\"end-ip-address\":\"10.0.0.%d\"", end);
        update_changes(fixture, range, "\"end-ip-address\"", properties, "end-ip-address");
        assert_answer(fixture, associations, "IPv4Range|1|1|1");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_update_range_step_1_only_named_properties_are_taken),
        TEST(test_update_range_step_2_no_modified_property_changes_nothing),
        TEST(test_update_range_step_3_an_invalid_range_is_refused),
        TEST(test_update_range_step_3_what_is_named_and_not_given_is_cleared_or_refused),
        TEST(test_update_range_step_4_a_range_that_is_not_there_is_refused),
        TEST(test_update_range_step_6_values_that_are_so_already_are_not_written),
        TEST(test_update_range_step_7_each_mapping_property_remaps),
        TEST(test_update_range_step_8_1_address_space_change_remaps),
        TEST(test_update_range_step_8_1_in_ipv6),
        TEST(test_update_range_step_8_1_2_2_addresses_of_others_or_outside_stay),
        TEST(test_update_range_step_8_2_the_only_overlap_of_a_neighbour_goes),
        TEST(test_update_range_step_8_2_a_neighbour_that_overlaps_another_keeps_its_flag),
        TEST(test_update_range_step_8_2_and_8_3_unmap_and_map_addresses),
        TEST(test_update_range_step_8_3_overlap_flags_go_both_ways),
        TEST(test_update_range_step_8_3_flags_in_ipv6),
        TEST(test_update_range_step_8_3_an_overlap_of_the_same_manager_is_refused),
        TEST(test_update_range_step_8_3_a_range_moves_to_another_subnet),
        TEST(test_update_range_step_8_3_the_most_specific_subnet_wins),
        TEST(test_update_range_step_8_3_a_range_that_moves_to_no_subnet_is_refused),
        TEST(test_update_range_step_9_plain_properties_are_written),
        TEST(test_update_range_step_10_custom_field_values_are_replaced),
        TEST(test_update_range_step_10_values_and_fields_that_do_not_exist_are_refused),
        TEST(test_update_range_step_11_the_access_scope_is_associated_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
