/* What the store promises of scopes: the columns and the rows in other tables that a definition gives, replacing,
 * finding and removing. */
#include "failover_sync/store.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    char path[128];
    struct store *store;
    sqlite3 *other; /* the test's own look at the file */
    int64_t local, partner;
};

static void assert_ok(struct result result)
{
    if (result_failed(result))
        fail_msg("code %d: %s", (int)result.code, result.message);
}

/* The first row's columns, joined by "|"; further rows follow after ";". */
static void assert_answer(struct fixture *fixture, const char *sql, const char *expected)
{
    sqlite3_stmt *statement = NULL;
    char answer[2048] = "";

    if (sqlite3_prepare_v2(fixture->other, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(fixture->other));
    for (int row = 0; sqlite3_step(statement) == SQLITE_ROW; row++) {
        for (int column = 0; column < sqlite3_column_count(statement); column++) {
            const char *text = (const char *)sqlite3_column_text(statement, column);
            const char *before = column > 0 ? "|" : row > 0 ? ";" : "";
            size_t length = strlen(answer);

            (void)snprintf(answer + length, sizeof answer - length, "%s%s", before, text == NULL ? "null" : text);
        }
    }
    (void)sqlite3_finalize(statement);
    assert_string_equal(answer, expected);
}

static void execute(struct fixture *fixture, const char *sql)
{
    if (sqlite3_exec(fixture->other, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(fixture->other));
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct server_row server = {.ha_name = "server1", .server_name = "192.0.2.1", .is_local = true};

    if (fixture == NULL)
        return -1;
    (void)strcpy(fixture->folder, "/tmp/test_scope.XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) {
        free(fixture);
        return -1;
    }
    *state = fixture;
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->folder);
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_ok(server_store_put(fixture->store, &server, &fixture->local));
    server = (struct server_row){.ha_name = "server2", .server_name = "192.0.2.2"};
    assert_ok(server_store_put(fixture->store, &server, &fixture->partner));
    assert_int_equal(sqlite3_open(fixture->path, &fixture->other), SQLITE_OK);
    execute(fixture, "PRAGMA foreign_keys = ON");
    return 0;
}

static int tear_down(void **state)
{
    static const char *const parts[] = {"", "-wal", "-shm", "-lock"};
    char path[160];
    struct fixture *fixture = *state;

    assert_answer(fixture, "PRAGMA integrity_check", "ok");
    assert_answer(fixture, "SELECT count(*) FROM pragma_foreign_key_check", "0");
    (void)sqlite3_close(fixture->other);
    store_close(fixture->store);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", fixture->path, parts[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

static struct result try_put(struct fixture *fixture, int64_t server, uint32_t subnet_id, const char *definition,
                             int64_t *record_id)
{
    struct scope_row row = {.server_record_id = server,
                            .id = subnet_id,
                            .name = "a prefix",
                            .definition = definition,
                            .modified_at = 1700000000123};

    return scope_store_put(fixture->store, &row, server == fixture->local, record_id);
}

static int64_t put(struct fixture *fixture, int64_t server, uint32_t subnet_id, const char *definition)
{
    int64_t record_id = 0;

    assert_ok(try_put(fixture, server, subnet_id, definition, &record_id));
    assert_true(record_id > 0);
    return record_id;
}

static const char full_scope[] =
    "{\"shared-network\": {\"name\": \"floor\", \"valid-lifetime\": 7200, \"option-data\": [{\"code\": 42, \"space\": "
    "\"dhcp4\", \"data\": \"192.0.2.3\"}]}, \"subnet4\": {\"id\": 1, \"subnet\": \"192.0.2.0/24\", "
    "\"valid-lifetime\": 3600, \"ddns-send-updates\": true, "
    "\"user-context\": {\"name\": \"Offices\", \"comment\": \"first floor\"}, "
    "\"pools\": [{\"pool\": \"192.0.2.100 - 192.0.2.120\", \"client-class\": \"phones\", \"option-data\": [{\"code\": "
    "66, "
    "\"space\": \"dhcp4\", \"data\": \"tftp\", \"always-send\": true}], \"user-context\": {\"comment\": \"phones\"}}, "
    "{\"pool\": \"192.0.2.16/28\"}, {\"pool\": \"192.0.2.32-192.0.2.40\"}], "
    "\"option-data\": [{\"name\": \"routers\", \"code\": 3, \"space\": \"dhcp4\", \"data\": \"192.0.2.1\"}, "
    "{\"name\": \"named-only\", \"data\": \"x\"}], "
    "\"reservations\": [{\"hw-address\": \"00:00:5e:00:53:01\", \"ip-address\": \"192.0.2.110\", \"hostname\": "
    "\"desk\"}, "
    "{\"client-id\": \"01:02\", \"ip-address\": \"192.0.2.200\"}, {\"circuit-id\": \"c1\", \"hostname\": \"nowhere\"}, "
    "{\"duid\": \"00:03\", \"ip-address\": \"192.0.2.17\"}, {\"flex-id\": \"f1\", \"ip-address\": \"192.0.2.18\"}]}}";

static void test_the_columns_come_from_the_definition(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1, full_scope);
    assert_answer(
        fixture,
        "SELECT Af, ScopeId, ScopeName, Description, PrefixLength, SubnetMask, StartAddress, EndAddress, "
        "Status, LeaseDuration, LeaseDurationType, ServingClientsType, DnsUpdateType, NumberOfActiveLeases, "
        "FailoverConfigSyncStatus, SubnetId, Prefix, ValidLeaseTime FROM ADM_DHCPScopesTable",
        "InterNetwork|192.0.2.0|Offices|first floor|24|255.255.255.0|192.0.2.16|192.0.2.120|Active|3600|Limited|"
        "DHCP|Always|null|Unknown|1|a prefix|null");
    assert_answer(fixture,
                  "SELECT ExclusionRanges, TotalNumberOfAddressesInScope, TotalNumberOfExcludedAddressesInScope "
                  "FROM ADM_DHCPScopesTable",
                  "[{\"start\":\"192.0.2.41\",\"end\":\"192.0.2.99\"}]|105|59");
}

static void test_a_bare_scope_takes_its_hosts_and_its_prefix_for_a_name(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1, "{\"subnet4\":{\"subnet\":\"10.1.0.0/16\"}}");
    (void)put(fixture, fixture->local, 2,
              "{\"subnet4\":{\"subnet\":\"10.2.0.0/31\",\"valid-lifetime\":4294967295,\"ddns-send-updates\":false}}");
    (void)put(fixture, fixture->local, 3, "{\"subnet4\":{\"subnet\":\"0.0.0.0/0\",\"valid-lifetime\":-1}}");
    (void)put(fixture, fixture->local, 4,
              "{\"shared-network\":{\"name\":\"n\",\"valid-lifetime\":60},\"subnet4\":{\"subnet\":\"10.4.0.7/32\"}}");
    assert_answer(fixture,
                  "SELECT ScopeName, ScopeId, SubnetMask, StartAddress, EndAddress, TotalNumberOfAddressesInScope, "
                  "ExclusionRanges, LeaseDuration, LeaseDurationType, DnsUpdateType, Description "
                  "FROM ADM_DHCPScopesTable ORDER BY SubnetId",
                  "a prefix|10.1.0.0|255.255.0.0|10.1.0.1|10.1.255.254|65534|[]|null|null|null|null;"
                  "a prefix|10.2.0.0|255.255.255.254|10.2.0.0|10.2.0.1|2|[]|4294967295|Unlimited|Never|null;"
                  "a prefix|0.0.0.0|0.0.0.0|0.0.0.1|255.255.255.254|4294967294|[]|null|null|null|null;"
                  "a prefix|10.4.0.7|255.255.255.255|10.4.0.7|10.4.0.7|1|[]|60|Limited|null|null");
}

static void test_pools_that_touch_or_overlap_leave_no_gap(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1,
              "{\"subnet4\":{\"subnet\":\"10.0.0.0/8\",\"pools\":[{\"pool\":\"10.0.0.10-10.0.0.19\"},"
              "{\"pool\":\"10.0.0.20-10.0.0.29\"},{\"pool\":\"10.0.0.12-10.0.0.14\"},{\"pool\":\"10.255.255.255/32\"},"
              "{\"pool\":\"10.0.0.31-10.0.0.31\"},{\"pool\":\"10.0.0.10-10.0.0.19\"}]}}");
    assert_answer(fixture, "SELECT ExclusionRanges FROM ADM_DHCPScopesTable",
                  "[{\"start\":\"10.0.0.30\",\"end\":\"10.0.0.30\"},"
                  "{\"start\":\"10.0.0.32\",\"end\":\"10.255.255.254\"}]");
    assert_answer(fixture, "SELECT count(*) FROM ADM_IPRangeTable", "5");
}

static void test_pools_become_ranges_in_address_order(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1, full_scope);
    assert_answer(fixture,
                  "SELECT StartIPAddress, EndIPAddress, SubnetId, r.PrefixLength, AddressAssignment, AddressCategory, "
                  "UtilizationCalculationType, Description, NumberOfChildAddresses, LastChangeDate, "
                  "AddressSpaceRecordId FROM ADM_IPRangeTable AS r ORDER BY StartKey",
                  "192.0.2.16|192.0.2.31|192.0.2.0|24|Dynamic|Public|Auto|null|2|1700000000|1;"
                  "192.0.2.32|192.0.2.40|192.0.2.0|24|Dynamic|Public|Auto|null|0|1700000000|1;"
                  "192.0.2.100|192.0.2.120|192.0.2.0|24|Dynamic|Public|Auto|phones|1|1700000000|1");
    assert_answer(fixture,
                  "SELECT NetworkId, b.PrefixLength, b.StartIPAddress, b.EndIPAddress, IsSubnet, count(*) "
                  "FROM ADM_IPBlocksTable AS b JOIN ADM_IPRangeTable AS r ON r.ParentIPBlockRecordId = b.RecordId",
                  "192.0.2.0|24|192.0.2.0|192.0.2.255|1|3");
}

static void test_reservations_of_every_kind_become_addresses(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1, full_scope);
    assert_answer(fixture,
                  "SELECT IpAddress, a.AddressAssignment, a.AddressCategory, MacAddress, Duid, DeviceName, Notes, "
                  "ReservationType, StartIPAddress FROM ADM_IPAddressTable AS a LEFT JOIN ADM_IPRangeTable AS r "
                  "ON r.RecordId = a.RangeRecordId ORDER BY a.RecordId",
                  "192.0.2.110|Static|Public|00:00:5e:00:53:01|null|desk|null|DHCP|192.0.2.100;"
                  "192.0.2.200|Static|Public|null|null|null|client-id 01:02|DHCP|null;"
                  "null|Static|null|null|null|nowhere|circuit-id c1|DHCP|null;"
                  "192.0.2.17|Static|Public|null|00:03|null|null|DHCP|192.0.2.16;"
                  "192.0.2.18|Static|Public|null|null|null|flex-id f1|DHCP|192.0.2.16");
}

static void test_what_hangs_on_a_scope_is_managed_by_its_server(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1, full_scope);
    assert_answer(fixture,
                  "SELECT a.ObjectType, a.Af, f.Name, v.Value, count(*) FROM ADM_CustomFieldValuesAssociationTable AS "
                  "a JOIN ADM_CustomFieldsTable AS f ON f.RecordId = a.CustomFieldId JOIN ADM_CustomFieldValuesTable "
                  "AS v ON v.RecordId = a.CustomFieldValueId GROUP BY 1, 2, 3, 4",
                  "IPAddress|InterNetwork|Managed by|DHCP|5;IPAddress|InterNetwork|Managed by entity|server1|5;"
                  "IPRange|InterNetwork|Managed by|DHCP|3;IPRange|InterNetwork|Managed by entity|server1|3");
}

static void test_options_of_scope_pool_and_shared_network_are_told_apart(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1, full_scope);
    assert_answer(
        fixture,
        "SELECT OptionDefinitionRecordId, OptionOwnerType, UserClassRecordId, \"Values\", StartIPAddress "
        "FROM ADM_DhcpOptionsTable AS o LEFT JOIN ADM_IPRangeTable AS r ON r.RecordId = o.RangeRecordId "
        "ORDER BY OptionOwnerType, OptionDefinitionRecordId",
        "dhcp4/66|Pool|phones|{\"always-send\":true,\"code\":66,\"data\":\"tftp\",\"space\":\"dhcp4\"}|"
        "192.0.2.100;"
        "dhcp4/3|Scope|null|{\"code\":3,\"data\":\"192.0.2.1\",\"name\":\"routers\",\"space\":\"dhcp4\"}|null;"
        "dhcp4/named-only|Scope|null|{\"data\":\"x\",\"name\":\"named-only\"}|null;"
        "dhcp4/42|SharedNetwork|null|{\"code\":42,\"data\":\"192.0.2.3\",\"space\":\"dhcp4\"}|null");
}

static void test_private_addresses_are_told_from_public_ones(void **state)
{
    struct fixture *fixture = *state;

    (void)put(
        fixture, fixture->local, 1,
        "{\"subnet4\":{\"subnet\":\"0.0.0.0/0\",\"pools\":[{\"pool\":\"10.0.0.0/32\"},{\"pool\":\"172.15.0.0/32\"},"
        "{\"pool\":\"172.31.0.0/32\"},{\"pool\":\"192.168.0.0/32\"},{\"pool\":\"192.169.0.0/32\"}]}}");
    assert_answer(fixture, "SELECT group_concat(AddressCategory) FROM ADM_IPRangeTable ORDER BY StartKey",
                  "Private,Public,Private,Private,Public");
}

static void test_an_ipv6_scope_is_understood(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1,
              "{\"subnet6\":{\"subnet\":\"2001:db8::/32\",\"valid-lifetime\":600,\"preferred-lifetime\":500,"
              "\"pools\":[{\"pool\":\"2001:db8:2::/64\"},{\"pool\":\"2001:db8:1::1-2001:db8:1::ffff\"}],"
              "\"reservations\":[{\"duid\":\"01:02\",\"ip-addresses\":[\"2001:db8:2::5\",\"2001:db8::9\"]},"
              "{\"duid\":\"03\"}]}}");
    (void)put(fixture, fixture->local, 2,
              "{\"subnet6\":{\"subnet\":\"fd00::/64\",\"pools\":[{\"pool\":\"fd00::/80\"}]}}");
    assert_answer(fixture,
                  "SELECT Af, ScopeId, PrefixLength, SubnetMask, StartAddress, EndAddress, PreferredLeaseTime, "
                  "ValidLeaseTime, TotalNumberOfAddressesInScope FROM ADM_DHCPScopesTable WHERE SubnetId = 1",
                  "InterNetworkV6|2001:db8::|32|null|2001:db8:1::1|2001:db8:2:0:ffff:ffff:ffff:ffff|500|600|"
                  "9223372036854775807");
    assert_answer(fixture, "SELECT StartIPAddress, AddressCategory FROM ADM_IPRangeTable ORDER BY StartKey",
                  "2001:db8:1::1|GlobalIPv6Unicast;2001:db8:2::|GlobalIPv6Unicast;fd00::|Private");
    assert_answer(fixture, "SELECT IpAddress, Duid, RangeRecordId IS NULL FROM ADM_IPAddressTable",
                  "2001:db8:2::5|01:02|0;2001:db8::9|01:02|1;null|03|1");
}

static void test_replacing_keeps_the_row_its_memberships_and_the_ranges_that_stay(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row relation = {.relationship_name = "r", .mode = "LoadBalance", .server1_percentage = 50};
    int64_t record_id = put(fixture, fixture->local, 1, full_scope);
    int64_t relation_id;

    assert_ok(relation_store_put(fixture->store, &relation, &relation_id));
    assert_ok(membership_store_set(fixture->store, record_id, &relation_id, 1));
    execute(fixture,
            "UPDATE ADM_IPRangeTable SET RecordId = 4711, Owner = 'an admin' WHERE StartIPAddress = '192.0.2.32'");
    execute(fixture, "INSERT INTO ADM_IPAddressTable (Af, AddressSpaceRecordId, IpAddress, AddressAssignment, "
                     "RangeRecordId) VALUES ('InterNetwork', 1, '192.0.2.33', 'Static', 4711)");
    assert_true(put(fixture, fixture->local, 1,
                    "{\"subnet4\":{\"subnet\":\"192.0.2.0/24\",\"pools\":[{\"pool\":\"192.0.2.32-192.0.2.40\"},"
                    "{\"pool\":\"192.0.2.50-192.0.2.60\"}],\"reservations\":[{\"hw-address\":\"01\","
                    "\"ip-address\":\"192.0.2.34\"}]}}") == record_id);
    assert_answer(fixture,
                  "SELECT RecordId = 4711, StartIPAddress, Owner, NumberOfChildAddresses FROM ADM_IPRangeTable "
                  "ORDER BY StartKey",
                  "1|192.0.2.32|an admin|2;0|192.0.2.50|null|0");
    assert_answer(fixture, "SELECT IpAddress, RangeRecordId FROM ADM_IPAddressTable ORDER BY IpAddress",
                  "192.0.2.33|4711;192.0.2.34|4711");
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpOptionsTable", "0");
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpScopeFailoverTable", "1");
    assert_answer(fixture, "SELECT SuperscopeId FROM ADM_DHCPScopesTable", "null");
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpSuperscopeTable", "0"); /* it was the last in it */
}

static void test_an_unchanged_scope_is_not_written(void **state)
{
    struct fixture *fixture = *state;
    int64_t record_id = put(fixture, fixture->local, 1, full_scope);
    sqlite3_stmt *version = NULL;
    int before;

    assert_int_equal(sqlite3_prepare_v2(fixture->other, "PRAGMA data_version", -1, &version, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(version), SQLITE_ROW);
    before = sqlite3_column_int(version, 0);
    (void)sqlite3_reset(version);
    assert_true(put(fixture, fixture->local, 1, full_scope) == record_id);
    assert_ok(scope_store_set_sync(fixture->store, record_id, "Unknown", NULL));
    assert_int_equal(sqlite3_step(version), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(version, 0), before);
    (void)sqlite3_finalize(version);
}

static void test_a_scope_that_moves_takes_its_block_along(void **state)
{
    (void)put(*state, ((struct fixture *)*state)->local, 1, full_scope);
    (void)put(*state, ((struct fixture *)*state)->local, 1, "{\"subnet4\":{\"subnet\":\"198.51.100.0/24\"}}");
    assert_answer(*state, "SELECT group_concat(NetworkId) FROM ADM_IPBlocksTable", "198.51.100.0");
}

static void test_the_partners_row_has_columns_but_no_parts(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->partner, 1, full_scope);
    assert_answer(fixture,
                  "SELECT ScopeName, Name FROM ADM_DHCPScopesTable AS s JOIN ADM_DhcpSuperscopeTable AS n "
                  "ON n.RecordId = s.SuperscopeId",
                  "Offices|floor");
    assert_answer(fixture,
                  "SELECT (SELECT count(*) FROM ADM_IPRangeTable) + (SELECT count(*) FROM ADM_IPAddressTable) + "
                  "(SELECT count(*) FROM ADM_DhcpOptionsTable) + (SELECT count(*) FROM ADM_IPBlocksTable)",
                  "0");
}

static void test_removing_takes_all_that_hangs_on_the_scope(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row relation = {.relationship_name = "r", .mode = "LoadBalance", .server1_percentage = 50};
    int64_t record_id = put(fixture, fixture->local, 1, full_scope);
    int64_t relation_id;

    assert_ok(relation_store_put(fixture->store, &relation, &relation_id));
    assert_ok(membership_store_set(fixture->store, record_id, &relation_id, 1));
    assert_ok(scope_store_remove(fixture->store, fixture->local, 1));
    assert_answer(fixture,
                  "SELECT (SELECT count(*) FROM ADM_DHCPScopesTable) + (SELECT count(*) FROM ADM_IPRangeTable) + "
                  "(SELECT count(*) FROM ADM_IPAddressTable) + (SELECT count(*) FROM ADM_DhcpOptionsTable) + "
                  "(SELECT count(*) FROM ADM_IPBlocksTable) + (SELECT count(*) FROM ADM_DhcpSuperscopeTable) + "
                  "(SELECT count(*) FROM ADM_DhcpScopeFailoverTable)",
                  "0");
    assert_ok(scope_store_remove(fixture->store, fixture->local, 1));
}

static void test_a_block_goes_with_the_last_server_that_has_the_scope(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1, full_scope);
    (void)put(fixture, fixture->partner, 1, full_scope);
    assert_ok(scope_store_remove(fixture->store, fixture->local, 1));
    assert_answer(fixture, "SELECT count(*) FROM ADM_IPBlocksTable", "1");
    assert_ok(scope_store_remove(fixture->store, fixture->partner, 1));
    assert_answer(fixture, "SELECT count(*) FROM ADM_IPBlocksTable", "0");
}

static void test_a_block_of_an_admin_or_with_ranges_of_its_own_stays(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1, full_scope);
    execute(fixture, "UPDATE ADM_IPBlocksTable SET Origin = 'Admin', IsSubnet = 0");
    (void)put(fixture, fixture->local, 2,
              "{\"subnet4\":{\"subnet\":\"10.0.0.0/8\",\"pools\":[{\"pool\":\"10.0.0.0/9\"}]}}");
    execute(fixture, "INSERT INTO ADM_IPRangeTable (Af, ParentIPBlockRecordId, AddressSpaceRecordId, SubnetId, "
                     "PrefixLength, StartIPAddress, EndIPAddress, AddressAssignment, AddressCategory, "
                     "UtilizationCalculationType, StartKey, EndKey, ForkKey) SELECT Af, RecordId, 1, '10.0.0.0', 8, "
                     "'10.0.0.1', '10.0.0.2', 'Static', 'Private', 'Auto', StartKey, EndKey, StartKey FROM "
                     "ADM_IPBlocksTable WHERE NetworkId = '10.0.0.0'");
    (void)put(fixture, fixture->local, 3, full_scope); /* the same prefix: the one block serves again, as a subnet */
    assert_answer(fixture, "SELECT NetworkId, IsSubnet FROM ADM_IPBlocksTable ORDER BY StartKey",
                  "10.0.0.0|1;192.0.2.0|1");
    for (uint32_t subnet_id = 1; subnet_id <= 3; subnet_id++)
        assert_ok(scope_store_remove(fixture->store, fixture->local, subnet_id));
    assert_answer(fixture, "SELECT group_concat(NetworkId) FROM (SELECT * FROM ADM_IPBlocksTable ORDER BY StartKey)",
                  "10.0.0.0,192.0.2.0");
}

static void test_a_superscope_stays_while_a_scope_is_in_it(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, fixture->local, 1, full_scope);
    (void)put(fixture, fixture->local, 2,
              "{\"shared-network\":{\"name\":\"floor\"},\"subnet4\":{\"subnet\":\"10.0.0.0/8\"}}");
    assert_answer(fixture, "SELECT Name, Definition FROM ADM_DhcpSuperscopeTable", "floor|{\"name\":\"floor\"}");
    assert_ok(scope_store_remove(fixture->store, fixture->local, 1));
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpSuperscopeTable", "1");
    assert_ok(scope_store_remove(fixture->store, fixture->local, 2));
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpSuperscopeTable", "0");
}

static void test_a_definition_that_is_none_is_refused_and_nothing_is_written(void **state)
{
    static const struct {
        const char *definition, *words;
    } cases[] = {
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/24\"", "not JSON"},
        {"", "not JSON"},
        {"[]", "no subnet"},
        {"{\"subnet4\": 7}", "no subnet"},
        {"{\"subnet4\": {\"id\": 1}}", "\"subnet\""},
        {"{\"subnet4\": {\"subnet\": 5}}", "\"subnet\""},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0\"}}", "192.0.2.0"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/33\"}}", "/33"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/99999999999999999999\"}}", "prefix"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/\"}}", "prefix"},
        {"{\"subnet4\": {\"subnet\": \"2001:db8::/32\"}}", "IPv4"},
        {"{\"shared-network\": {}, \"subnet4\": {\"subnet\": \"192.0.2.0/24\"}}", "shared network"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/24\", \"pools\": {}}}", "pools"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/24\", \"pools\": [3]}}", "pools"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/24\", \"pools\": [{}]}}", "pool"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/24\", \"pools\": [{\"pool\": \"192.0.2.9-192.0.2.8\"}]}}",
         "192.0.2.9-"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/24\", \"pools\": [{\"pool\": \"-\"}]}}", "pool"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/24\", \"option-data\": \"x\"}}", "option-data"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/24\", \"reservations\": [null]}}", "reservations"},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/24\", \"reservations\": [{\"ip-address\": \"x\"}]}}", "\"x\""},
        {"{\"subnet4\": {\"subnet\": \"192.0.2.0/24\", \"valid-lifetime\": 99999999999999999999}}", "not JSON"},
        {NULL, "definition"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t record_id;
        struct result result = try_put(fixture, fixture->local, 1, cases[i].definition, &record_id);

        assert_int_equal(result.code, RESULT_INVALID);
        if (strstr(result.message, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].definition, result.message);
    }
    assert_answer(fixture,
                  "SELECT (SELECT count(*) FROM ADM_DHCPScopesTable) + (SELECT count(*) FROM ADM_IPBlocksTable)", "0");
    (void)put(fixture, fixture->local, 1,
              "{\"subnet4\": {\"subnet\": \"192.0.2.0/24\", \"valid-lifetime\": \"long\", "
              "\"user-context\": 3, \"reservations\": [{\"hostname\": 4}]}}");
}

static struct scope_row a_row(struct fixture *fixture)
{
    return (struct scope_row){
        .server_record_id = fixture->local,
        .id = UINT32_MAX,
        .name = "192.0.2.0/24",
        .definition = full_scope,
        .fingerprint = fingerprint_of("1", 1),
        .partner_fingerprint = fingerprint_of("2", 1),
        .file = {fingerprint_of("3", 1), fingerprint_of("8", 1), fingerprint_of("6", 1)},
        .configuration = {fingerprint_of("4", 1), fingerprint_of("9", 1), fingerprint_of("5", 1)},
        .origin = SCOPE_FROM_PARTNER,
        .sync_status = "OutOfSync",
        .sync_reason = "the partner is away",
        .modified_at = 1700000000123,
    };
}

static void assert_row(const struct scope_row *row, const struct scope_row *expected)
{
    assert_true(row->record_id == expected->record_id);
    assert_true(row->server_record_id == expected->server_record_id);
    assert_true(row->id == expected->id);
    assert_string_equal(row->name, expected->name);
    assert_string_equal(row->fingerprint.hex, expected->fingerprint.hex);
    assert_string_equal(row->partner_fingerprint.hex, expected->partner_fingerprint.hex);
    assert_true(delivery_same(&row->file, &expected->file));
    assert_true(delivery_same(&row->configuration, &expected->configuration));
    assert_int_equal(row->origin, expected->origin);
    assert_string_equal(row->sync_status, expected->sync_status);
    assert_string_equal(row->sync_reason ? row->sync_reason : "", expected->sync_reason ? expected->sync_reason : "");
    assert_true(row->modified_at == expected->modified_at);
}

static struct result compare_row(void *context, const struct scope_row *row)
{
    assert_row(row, context);
    assert_null(row->definition);
    return result_error(RESULT_REFUSED, "seen");
}

static void test_every_field_of_a_row_is_read_back(void **state)
{
    struct fixture *fixture = *state;
    struct scope_row row = a_row(fixture);
    struct scope_row found;

    for (int i = 0; i < 2; i++) {
        assert_ok(scope_store_put(fixture->store, &row, true, &row.record_id));
        assert_ok(scope_store_find(fixture->store, row.server_record_id, object_subnet_id(row.id), &found));
        assert_row(&found, &row);
        assert_string_equal(found.definition, full_scope);
        scope_row_clear(&found);
        assert_ok(scope_store_find_by_id(fixture->store, row.record_id, &found));
        assert_row(&found, &row);
        assert_string_equal(found.definition, full_scope);
        scope_row_clear(&found);
        assert_string_equal(scope_store_each(fixture->store, row.server_record_id, compare_row, &row).message, "seen");
        /* The second time with the least that a row can say, and an unchanged definition. */
        row = (struct scope_row){.record_id = row.record_id,
                                 .server_record_id = row.server_record_id,
                                 .id = row.id,
                                 .name = row.name,
                                 .definition = full_scope,
                                 .sync_status = "Unknown"};
    }
    assert_int_equal(scope_store_find(fixture->store, row.server_record_id, 5, &found).code, RESULT_NOT_FOUND);
    assert_null(found.name);
    assert_int_equal(scope_store_find_by_id(fixture->store, 4711, &found).code, RESULT_NOT_FOUND);
    scope_row_clear(&found);
}

static struct result next_id(void *context, const struct scope_row *row)
{
    uint32_t *last = context;

    assert_true(row->id > *last);
    *last = object_subnet_id(row->id);
    return result_ok();
}

static void test_each_goes_through_the_scopes_of_one_server_in_order(void **state)
{
    struct fixture *fixture = *state;
    uint32_t last = 0;

    (void)put(fixture, fixture->local, 30, "{\"subnet4\":{\"subnet\":\"10.3.0.0/16\"}}");
    (void)put(fixture, fixture->local, 10, "{\"subnet4\":{\"subnet\":\"10.1.0.0/16\"}}");
    (void)put(fixture, fixture->partner, 99, "{\"subnet4\":{\"subnet\":\"10.9.0.0/16\"}}");
    (void)put(fixture, fixture->local, 20, "{\"subnet4\":{\"subnet\":\"10.2.0.0/16\"}}");
    assert_ok(scope_store_each(fixture->store, fixture->local, next_id, &last));
    assert_int_equal(last, 30);
}

static void test_sync_and_delivery_change_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    struct scope_row row = a_row(fixture);
    struct scope_row found;

    assert_ok(scope_store_put(fixture->store, &row, true, &row.record_id));
    row.sync_status = "InSync";
    row.sync_reason = NULL;
    assert_ok(scope_store_set_sync(fixture->store, row.record_id, row.sync_status, row.sync_reason));
    row.file = (struct delivery){fingerprint_of("7", 1), fingerprint_of("8", 1), fingerprint_of("9", 1)};
    row.configuration = (struct delivery){.text = fingerprint_parse("")};
    assert_ok(scope_store_set_delivery(fixture->store, &row));
    assert_ok(scope_store_set_delivery(fixture->store, &row));
    assert_ok(scope_store_find_by_id(fixture->store, row.record_id, &found));
    assert_row(&found, &row);
    scope_row_clear(&found);
    assert_int_equal(scope_store_set_sync(fixture->store, row.record_id, "Nonsense", NULL).code, RESULT_STORE);
    assert_int_equal(scope_store_set_sync(fixture->store, 4711, "InSync", NULL).code, RESULT_NOT_FOUND);
    row.record_id = 4711;
    assert_int_equal(scope_store_set_delivery(fixture->store, &row).code, RESULT_NOT_FOUND);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_the_columns_come_from_the_definition),
        TEST(test_a_bare_scope_takes_its_hosts_and_its_prefix_for_a_name),
        TEST(test_pools_that_touch_or_overlap_leave_no_gap),
        TEST(test_pools_become_ranges_in_address_order),
        TEST(test_reservations_of_every_kind_become_addresses),
        TEST(test_what_hangs_on_a_scope_is_managed_by_its_server),
        TEST(test_options_of_scope_pool_and_shared_network_are_told_apart),
        TEST(test_private_addresses_are_told_from_public_ones),
        TEST(test_an_ipv6_scope_is_understood),
        TEST(test_replacing_keeps_the_row_its_memberships_and_the_ranges_that_stay),
        TEST(test_an_unchanged_scope_is_not_written),
        TEST(test_a_scope_that_moves_takes_its_block_along),
        TEST(test_the_partners_row_has_columns_but_no_parts),
        TEST(test_removing_takes_all_that_hangs_on_the_scope),
        TEST(test_a_block_goes_with_the_last_server_that_has_the_scope),
        TEST(test_a_block_of_an_admin_or_with_ranges_of_its_own_stays),
        TEST(test_a_superscope_stays_while_a_scope_is_in_it),
        TEST(test_a_definition_that_is_none_is_refused_and_nothing_is_written),
        TEST(test_every_field_of_a_row_is_read_back),
        TEST(test_each_goes_through_the_scopes_of_one_server_in_order),
        TEST(test_sync_and_delivery_change_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
