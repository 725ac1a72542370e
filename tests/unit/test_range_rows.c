/* The operations around UpdateRange: adding and listing ranges, addresses and custom fields, access scopes, and whose
 * fault a failing store is. */
#include "range_fixture.h"

static const char *text_of(const json_t *map, const char *name)
{
    const char *text = json_string_value(json_object_get(map, name));

    return text == NULL ? "(none)" : text;
}

static int64_t id_of(const json_t *map, const char *name)
{
    return json_integer_value(json_object_get(map, name));
}

/* ---- ranges ---- */

static void test_an_added_range_is_got_as_it_was_given(void **state)
{
    struct fixture *fixture = *state;
    int64_t record_id = run_id(
        fixture, "range-add",
        "{" RANGE6("2001:DB8::0:10", "2001:db8::20") ",\"owner\":\"me\",\"utilization-calculation-type\":\"Static\","
                                                     "\"utilization-statistics\":{\"total-assigned-addresses\":\"17\","
                                                     "\"total-available-addresses\":\"17\","
                                                     "\"total-utilized-addresses\":"
                                                     "\"340282366920938463463374607431768211455\"},\"vip-ranges\":[{"
                                                     "\"start-ip-address\":\"2001:db8::12\",\"end-ip-address\":\"2001:"
                                                     "db8::13\"}],\"dns-suffixes\":[\"a\",\"b\"]," BY_IPAM "}");
    json_t *output = run_ok(fixture, "range-get", "{\"record-id\":%lld}", (long long)record_id);
    const json_t *range = json_object_get(output, "range");

    assert_true(id_of(range, "record-id") == record_id);
    assert_string_equal(text_of(range, "address-family"), "InterNetworkV6");
    assert_string_equal(text_of(range, "start-ip-address"), "2001:db8::10");
    assert_string_equal(text_of(range, "owner"), "me");
    assert_string_equal(text_of(range, "description"), "(none)");
    assert_string_equal(text_of(range, "last-change-date"), "2023-11-14T22:13:20Z");
    assert_string_equal(text_of(json_object_get(range, "utilization-statistics"), "total-utilized-addresses"),
                        "340282366920938463463374607431768211455");
    assert_string_equal(text_of(json_array_get(json_object_get(range, "vip-ranges"), 0), "end-ip-address"),
                        "2001:db8::13");
    assert_int_equal(json_array_size(json_object_get(range, "dns-suffixes")), 2);
    assert_true(json_is_true(json_object_get(range, "use-for-utilization")));
    json_decref(output);
}

static void test_a_range_that_is_not_there_is_not_got(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "range-get", "IpamApiObjectNotFoundInDatabase", "record-id", "{\"record-id\":4711}");
    refuse(fixture, "range-get", "IpamApiObjectNotFoundInDatabase", "record-id",
           "{\"record-id\":%lld,\"address-family\":\"InterNetworkV6\"}", (long long)fixture->pool);
}

static void test_a_range_without_a_subnet_is_added_only_when_asked_to_create_it(void **state)
{
    static const char range[] =
        "\"address-family\":\"InterNetwork\",\"subnet-id\":\"192.168.3.0\",\"prefix-length\":24,"
        "\"start-ip-address\":\"192.168.3.1\",\"end-ip-address\":\"192.168.3.9\","
        "\"address-assignment\":\"Static\",\"address-category\":\"Private\"," BY_IPAM;
    static const char subnet[] = "SELECT NetworkId, b.PrefixLength, b.StartIPAddress, b.EndIPAddress, IsSubnet, Origin "
                                 "FROM ADM_IPBlocksTable AS b JOIN ADM_IPRangeTable AS r ON r.ParentIPBlockRecordId = "
                                 "b.RecordId WHERE r.ScopeRecordId IS NULL";
    struct fixture *fixture = *state;

    refuse(fixture, "range-add", "IpamApiRemapRangeFailedNoParentBlock", "subnet-id", "{%s}", range);
    (void)run_id(fixture, "range-add", "{%s,\"create-subnet\":true}", range);
    assert_answer(fixture, subnet, "192.168.3.0|24|192.168.3.0|192.168.3.255|1|Admin");
}

static void test_ranges_are_listed_in_pages(void **state)
{
    struct fixture *fixture = *state;
    int64_t from = 0;
    size_t pages = 0, ranges = 0;

    for (int i = 0; i < 5; i++)
        (void)run_id(fixture, "range-add",
                     "{\"address-family\":\"InterNetwork\",\"subnet-id\":\"10.0.1.0\",\"prefix-length\":24,"
                     "\"start-ip-address\":\"10.0.1.%d\",\"end-ip-address\":\"10.0.1.%d\",\"address-assignment\":"
                     "\"Static\",\"address-category\":\"Private\"," BY_IPAM "}",
                     i, i);
    do {
        json_t *output = from == 0 ? run_ok(fixture, "range-get-all", "{\"limit\":3}")
                                   : run_ok(fixture, "range-get-all", "{\"limit\":3,\"from\":%lld}", (long long)from);

        ranges += json_array_size(json_object_get(output, "ranges"));
        from = id_of(output, "next");
        json_decref(output);
        pages++;
    } while (from != 0 && pages < 10);
    assert_int_equal(pages, 3);
    assert_int_equal(ranges, 7);
}

static void assert_listed(struct fixture *fixture, const char *filter, size_t count)
{
    json_t *output = run_ok(fixture, "range-get-all", "{%s}", filter);

    assert_int_equal(json_array_size(json_object_get(output, "ranges")), count);
    json_decref(output);
}

static void test_ranges_are_listed_by_space_scope_and_subnet(void **state)
{
    struct fixture *fixture = *state;
    char filter[96];

    (void)run_id(fixture, "range-add",
                 "{" RANGE4("10.0.0.1", "10.0.0.9") ",\"address-space-record-id\":2," BY_IPAM "}");
    (void)run_id(fixture, "range-add", "{" RANGE4("10.0.0.1", "10.0.0.9") "," BY_IPAM "}");
    assert_listed(fixture, "", 4);
    assert_listed(fixture, "\"address-space-record-id\":2", 1);
    (void)snprintf(filter, sizeof filter, "\"scope-record-id\":%lld", (long long)fixture->scope);
    assert_listed(fixture, filter, 1);
    (void)snprintf(filter, sizeof filter, "\"scope-record-id\":%lld,\"address-space-record-id\":2",
                   (long long)fixture->scope);
    assert_listed(fixture, filter, 0);
    (void)snprintf(filter, sizeof filter, "\"parent-block-record-id\":%lld",
                   (long long)ask_integer(fixture, "SELECT ParentIPBlockRecordId FROM ADM_IPRangeTable WHERE "
                                                   "StartIPAddress = '10.0.0.100'"));
    assert_listed(fixture, filter, 2);
    assert_listed(fixture, "\"scope-record-id\":4711", 0);
}

/* ---- addresses ---- */

static void test_an_address_maps_to_the_range_of_the_same_manager(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = run_id(fixture, "range-add", "{" RANGE4("10.0.0.90", "10.0.0.120") "," BY_IPAM "}");
    json_t *output =
        run_ok(fixture, "address-add",
               "{\"address-family\":\"InterNetwork\",\"ip-address\":\"10.0.0.110\",\"notes\":\"n\"," BY_IPAM "}");

    assert_true(id_of(output, "range-record-id") == range);
    json_decref(output);
    output = run_ok(fixture, "address-add",
                    "{\"address-family\":\"InterNetwork\",\"ip-address\":\"10.0.0.110\"," BY_DHCP "}");
    assert_true(id_of(output, "range-record-id") == fixture->pool);
    json_decref(output);
    output =
        run_ok(fixture, "address-add", "{\"address-family\":\"InterNetwork\",\"ip-address\":\"10.0.0.110\"," BY_VM "}");
    assert_null(json_object_get(output, "range-record-id"));
    json_decref(output);
    assert_answer(fixture, "SELECT IsDuplicate, AddressCategory FROM ADM_IPAddressTable WHERE IpAddress = '10.0.0.110'",
                  "1|Private;1|Private;1|Private");
}

static void test_an_ipv6_address_is_listed_as_it_was_given(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = run_id(fixture, "range-add", "{" RANGE6("2001:db8::1", "2001:db8::9") "," BY_IPAM "}");
    json_t *output;
    const json_t *address;

    (void)run_id(fixture, "address-add",
                 "{\"address-family\":\"InterNetworkV6\",\"ip-address\":\"2001:db8::5\",\"duid\":\"00:03\",\"iaid\":0,"
                 "\"device-name\":\"d\",\"owner\":\"o\",\"asset-tag\":\"a\",\"serial-number\":\"s\",\"mac-address\":"
                 "\"m\",\"virtualization-type\":\"Virtual\",\"address-assignment\":\"Reserved\"," BY_IPAM "}");
    output = run_ok(fixture, "address-get-all", "{\"range-record-id\":%lld,\"address-space-record-id\":1}",
                    (long long)range);
    assert_int_equal(json_array_size(json_object_get(output, "addresses")), 1);
    address = json_array_get(json_object_get(output, "addresses"), 0);
    assert_string_equal(text_of(address, "ip-address"), "2001:db8::5");
    assert_string_equal(text_of(address, "duid"), "00:03");
    assert_true(json_is_integer(json_object_get(address, "iaid")));
    assert_string_equal(text_of(address, "address-category"), "GlobalIPv6Unicast");
    assert_string_equal(text_of(address, "address-assignment"), "Reserved");
    assert_string_equal(text_of(address, "serial-number"), "s");
    assert_true(json_is_false(json_object_get(address, "is-duplicate")));
    json_decref(output);
    output = run_ok(fixture, "address-get-all", "{\"limit\":2}");
    assert_int_equal(json_array_size(json_object_get(output, "addresses")), 2);
    assert_true(id_of(output, "next") > 0);
    json_decref(output);
}

static void test_addresses_that_nothing_can_have_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const v4[] = {"0.0.0.1",         "127.0.0.1", "169.254.1.1",
                                     "255.255.255.255", "224.0.0.1", "2001:db8::"};
    static const char *const v6[] = {"::", "::1", "fe80::1", "fec0::1", "ff02::1", "10.0.0.1"};

    for (size_t i = 0; i < sizeof v4 / sizeof v4[0]; i++) {
        refuse(fixture, "address-add", "IpamApiInvalidParameter", "ip-address",
               "{\"address-family\":\"InterNetwork\",\"ip-address\":\"%s\"," BY_IPAM "}", v4[i]);
        refuse(fixture, "address-add", "IpamApiInvalidParameter", "ip-address",
               "{\"address-family\":\"InterNetworkV6\",\"ip-address\":\"%s\"," BY_IPAM "}", v6[i]);
    }
}

static void test_faults_of_address_add(void **state)
{
    struct fixture *fixture = *state;
    static const char address[] = "\"address-family\":\"InterNetwork\",\"ip-address\":\"10.0.0.7\"";

    refuse(fixture, "address-add", "IpamApiCustomFieldValueCannotBeNull", "custom-field-values", "{%s}", address);
    refuse(fixture, "address-add", "IpamApiInvalidAddressAssignment", "address-assignment",
           "{%s,\"address-assignment\":\"None\"," BY_IPAM "}", address);
    refuse(fixture, "address-add", "IpamApiInvalidParameter", "duid", "{%s,\"duid\":\"00:01\"," BY_IPAM "}", address);
    refuse(fixture, "address-add", "IpamApiObjectNotFoundInDatabase", "address-space-record-id",
           "{%s,\"address-space-record-id\":9," BY_IPAM "}", address);
    refuse(fixture, "address-add", "IpamApiCustomFieldValueForMultiValueCustomFieldDoesntExist",
           "custom-field-values[custom-field='Managed by']", "{%s," MANAGED("me", "Localhost") "}", address);
    (void)run_id(fixture, "address-add", "{%s," BY_IPAM "}", address);
    refuse(fixture, "address-add", "IpamApiInvalidParameter", "ip-address", "{%s," BY_IPAM "}", address);
    /* A reservation is managed by DHCP, too. */
    refuse(fixture, "address-add", "IpamApiInvalidParameter", "ip-address",
           "{\"address-family\":\"InterNetwork\",\"ip-address\":\"10.0.0.101\"," BY_DHCP "}");
}

/* ---- custom fields ---- */

static const json_t *field_named(const json_t *output, const char *name)
{
    json_t *field;
    size_t index;

    json_array_foreach(json_object_get(output, "custom-fields"), index, field)
    {
        if (strcmp(text_of(field, "name"), name) == 0)
            return field;
    }
    return NULL;
}

static void test_custom_fields_are_listed_with_their_values(void **state)
{
    struct fixture *fixture = *state;
    int64_t record_id = run_id(fixture, "custom-field-add",
                               "{\"name\":\"Floor\",\"type\":\"Multivalued\",\"values\":[\"2\",\"1\",\"2\"]}");
    json_t *output;
    const json_t *field;

    assert_true(run_id(fixture, "custom-field-add",
                       "{\"name\":\"Floor\",\"type\":\"Multivalued\",\"values\":[\"3\"]}") == record_id);
    (void)run_id(fixture, "custom-field-add", "{\"name\":\"Remark\",\"type\":\"Freeform\"}");
    output = run_ok(fixture, "custom-field-get-all", "{}");
    assert_int_equal(json_array_size(json_object_get(output, "custom-fields")), 20);
    field = field_named(output, "Floor");
    assert_string_equal(text_of(field, "origin"), "UserDefined");
    assert_int_equal(json_array_size(json_object_get(field, "values")), 3);
    field = field_named(output, "Managed by");
    assert_true(id_of(field, "built-in-custom-field-number") == 8);
    assert_int_equal(json_array_size(json_object_get(field, "values")), 5);
    assert_null(json_object_get(field_named(output, "Remark"), "values"));
    json_decref(output);
}

static void test_faults_of_custom_field_add(void **state)
{
    struct fixture *fixture = *state;

    refuse(fixture, "custom-field-add", "IpamApiInvalidEnumeration", "type", "{\"name\":\"ab\",\"type\":\"None\"}");
    refuse(fixture, "custom-field-add", "IpamApiInvalidParameter", "values",
           "{\"name\":\"ab\",\"type\":\"Freeform\",\"values\":[\"1\"]}");
    refuse(fixture, "custom-field-add", "IpamApiCustomFieldValueCannotBeNull", "values",
           "{\"name\":\"ab\",\"type\":\"Multivalued\",\"values\":[\"1\",\"\"]}");
    refuse(fixture, "custom-field-add", "IpamApiInvalidUpdate", "name", "{\"name\":\"RIR\",\"type\":\"Freeform\"}");
    refuse(fixture, "custom-field-add", "IpamApiInvalidUpdate", "name",
           "{\"name\":\"Managed by\",\"type\":\"Multivalued\",\"values\":[\"me\"]}");
    refuse_input(fixture, "custom-field-add", "IpamApiInvalidParameter", "name",
                 "{\"name\":\"a\",\"type\":\"Freeform\"}");
    for (int i = 0; i < 128; i++)
        (void)run_id(fixture, "custom-field-add", "{\"name\":\"field %d\",\"type\":\"Freeform\"}", i);
    refuse(fixture, "custom-field-add", "IpamApiInvalidUpdate", "name",
           "{\"name\":\"one more\",\"type\":\"Freeform\"}");
}

/* ---- access scopes ---- */

static void test_a_range_inherits_its_subnets_access_scope(void **state)
{
    struct fixture *fixture = *state;
    int64_t range;

    execute(fixture, "INSERT INTO ADM_AccessScopeTable (AccessScopeId, Name, ParentId) VALUES (7, 'Berlin', 1);"
                     "INSERT INTO ADM_AccessScopeAssociationTable (AssociationId, ObjectId, ObjectType, AccessScopeId, "
                     "InheritanceId, IsInheriting) SELECT 50, ParentIPBlockRecordId, 'IPv4Subnet', 7, 50, 0 FROM "
                     "ADM_IPRangeTable WHERE StartIPAddress = '10.0.0.100'");
    range = run_id(fixture, "range-add", "{" RANGE4("10.0.0.1", "10.0.0.9") "," BY_IPAM "}");
    assert_answer(fixture,
                  "SELECT ObjectType, AccessScopeId, InheritanceId, IsInheriting FROM ADM_AccessScopeAssociationTable "
                  "WHERE AssociationId <> 50",
                  "IPv4Range|7|50|1");
    for (int i = 0; i < 2; i++) {
        /* The pool has no association of its own; the range has. */
        json_t *output =
            run_ok(fixture, "range-get", "{\"record-id\":%lld}", (long long)(i == 0 ? fixture->pool : range));

        assert_true(id_of(json_object_get(output, "range"), "access-scope-id") == 7);
        json_decref(output);
    }
}

static void test_an_association_is_handed_on_to_those_who_inherited_the_same(void **state)
{
    struct fixture *fixture = *state;
    int64_t subnet;

    execute(fixture, "INSERT INTO ADM_AccessScopeTable (AccessScopeId, Name, ParentId) VALUES (7, 'Berlin', 1);"
                     "INSERT INTO ADM_AccessScopeAssociationTable (AssociationId, ObjectId, ObjectType, AccessScopeId, "
                     "InheritanceId, IsInheriting) VALUES (50, 1, 'IPv4AddressSpace', 7, 50, 0)");
    (void)run_id(fixture, "range-add", "{" RANGE4("10.0.0.1", "10.0.0.9") "," BY_IPAM "}");
    assert_answer(fixture, "SELECT InheritanceId FROM ADM_AccessScopeAssociationTable WHERE ObjectType = 'IPv4Range'",
                  "50");
    subnet =
        ask_integer(fixture, "SELECT ParentIPBlockRecordId FROM ADM_IPRangeTable WHERE StartIPAddress = '10.0.0.1'");
    assert_ok(access_scope_associate(fixture->store, "IPv4Subnet", subnet));
    assert_ok(access_scope_associate(fixture->store, "IPv4Subnet", subnet)); /* nothing: there is one */
    assert_answer(fixture,
                  "SELECT ObjectType, AccessScopeId, InheritanceId = 50 FROM ADM_AccessScopeAssociationTable ORDER BY "
                  "AssociationId DESC LIMIT 2",
                  "IPv4Subnet|7|1;IPv4Range|7|0");
    /* With the range gone and then its subnet, nobody inherits from what is not there. */
    execute(fixture, "UPDATE ADM_IPRangeTable SET ParentIPBlockRecordId = NULL WHERE ScopeRecordId IS NULL");
    assert_ok(scope_store_remove(fixture->store, fixture->server, 1));
    assert_answer(fixture,
                  "SELECT ObjectType, InheritanceId = AssociationId FROM ADM_AccessScopeAssociationTable WHERE "
                  "AssociationId <> 50",
                  "IPv4Range|1");
}

/* ---- the store ---- */

static void test_a_store_that_cannot_be_written_is_the_receivers_fault(void **state)
{
    struct fixture *fixture = *state;
    struct model_tree *tree = NULL;
    json_t *output = NULL;
    struct fault fault;
    char *answer;

    assert_ok(
        model_parse_input(fixture->model, "custom-field-add", "{\"name\":\"ab\",\"type\":\"Freeform\"}", &tree, NULL));
    execute(fixture, "BEGIN IMMEDIATE");
    fault = custom_field_add(fixture->store, model_root(tree), &output);
    execute(fixture, "ROLLBACK");
    model_tree_free(tree);
    assert_null(output);
    assert_int_equal(fault.blame, FAULT_BY_RECEIVER);
    assert_string_equal(exception_name(fault.exception), "IpamApiFailedToUpdateRange");
    assert_string_equal(fault.path, "");
    assert_non_null(strstr(fault.message, "another process"));
    answer = fault_answer(&fault);
    assert_non_null(strstr(answer, "\"Receiver\""));
    assert_non_null(strstr(answer, "\"exception-id\":\"IpamApiFailedToUpdateRange\""));
    assert_null(strstr(answer, "\"path\""));
    free(answer);
}

static void test_an_operation_joins_the_callers_transaction(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(store_begin(fixture->store));
    (void)run_id(fixture, "custom-field-add", "{\"name\":\"ab\",\"type\":\"Freeform\"}");
    assert_answer(fixture, "SELECT count(*) FROM ADM_CustomFieldsTable WHERE Name = 'ab'", "0");
    store_rollback(fixture->store);
    assert_answer(fixture, "SELECT count(*) FROM ADM_CustomFieldsTable WHERE Name = 'ab'", "0");
}

static void test_every_exception_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 1; i < EXCEPTION_COUNT; i++) {
        assert_int_equal(strncmp(exception_name((enum exception_id)i), "IpamApi", 7), 0);
        for (int j = 1; j < i; j++)
            assert_string_not_equal(exception_name((enum exception_id)i), exception_name((enum exception_id)j));
    }
    assert_string_equal(exception_name(EXCEPTION_COUNT), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_an_added_range_is_got_as_it_was_given),
        TEST(test_a_range_that_is_not_there_is_not_got),
        TEST(test_a_range_without_a_subnet_is_added_only_when_asked_to_create_it),
        TEST(test_ranges_are_listed_in_pages),
        TEST(test_ranges_are_listed_by_space_scope_and_subnet),
        TEST(test_an_address_maps_to_the_range_of_the_same_manager),
        TEST(test_an_ipv6_address_is_listed_as_it_was_given),
        TEST(test_addresses_that_nothing_can_have_are_refused),
        TEST(test_faults_of_address_add),
        TEST(test_custom_fields_are_listed_with_their_values),
        TEST(test_faults_of_custom_field_add),
        TEST(test_a_range_inherits_its_subnets_access_scope),
        TEST(test_an_association_is_handed_on_to_those_who_inherited_the_same),
        TEST(test_a_store_that_cannot_be_written_is_the_receivers_fault),
        TEST(test_an_operation_joins_the_callers_transaction),
        TEST(test_every_exception_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
