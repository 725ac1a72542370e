/* GetOverlappingRanges and the flags it leads to: exclusions on both sides, enclosing ranges, UseForUtilization; and
 * that it asks indexes. */
#include "range_fixture.h"

#include "../../plugin/adm/store_private.h"

#define FLAGS                                                                                                          \
    "SELECT StartIPAddress, IsOverlapping, UseForUtilization FROM ADM_IPRangeTable WHERE ScopeRecordId IS NULL "       \
    "ORDER BY RecordId"
#define RESERVED(start, end)                                                                                           \
    ",\"reserved-ip-ranges\":[{\"start-ip-address\":\"" start "\",\"end-ip-address\":\"" end "\"}]"

static int64_t add(struct fixture *fixture, const char *properties)
{
    return run_id(fixture, "range-add", "{%s}", properties);
}

static void test_ranges_that_share_no_address_do_not_overlap(void **state)
{
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.9") "," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.10", "10.0.0.19") "," BY_IPAM);
    (void)add(*state, RANGE6("2001:db8::1", "2001:db8::9") "," BY_IPAM);
    assert_answer(*state, FLAGS, "10.0.0.1|0|1;10.0.0.10|0|1;2001:db8::1|0|1");
}

static void test_ranges_that_share_their_last_and_first_address_overlap(void **state)
{
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.10") "," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.10", "10.0.0.19") "," BY_VM);
    assert_answer(*state, FLAGS, "10.0.0.1|1|1;10.0.0.10|1|0");
}

static void test_a_range_of_one_address_overlaps(void **state)
{
    (void)add(*state, RANGE4("10.0.0.7", "10.0.0.7") "," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.7", "10.0.0.7") "," BY_VM);
    (void)add(*state, RANGE6("2001:db8::7", "2001:db8::7") "," BY_IPAM);
    (void)add(*state, RANGE6("2001:db8::7", "2001:db8::7") "," BY_VM);
    assert_answer(*state, FLAGS, "10.0.0.7|1|1;10.0.0.7|1|0;2001:db8::7|1|1;2001:db8::7|1|0");
}

static void test_an_enclosing_range_is_found_from_inside(void **state)
{
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.90") "," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.40", "10.0.0.50") "," BY_VM);
    (void)add(*state, RANGE6("2001:db8::", "2001:db8::ff") "," BY_IPAM);
    (void)add(*state, RANGE6("2001:db8::40", "2001:db8::50") "," BY_VM);
    assert_answer(*state, FLAGS, "10.0.0.1|1|1;10.0.0.40|1|0;2001:db8::|1|1;2001:db8::40|1|0");
}

static void test_an_enclosed_range_is_found_from_outside(void **state)
{
    (void)add(*state, RANGE4("10.0.0.40", "10.0.0.50") "," BY_VM);
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.90") "," BY_IPAM);
    assert_answer(*state, FLAGS, "10.0.0.40|1|1;10.0.0.1|1|0");
}

static void test_every_pair_of_bounds_is_judged_as_a_scan_would(void **state)
{
    struct fixture *fixture = *state;
    uint32_t seed = 1;

    for (int i = 0; i < 60; i++) {
        unsigned first, last;

        seed = seed * 1103515245 + 12345;
        first = seed >> 16 & 0xff;
        seed = seed * 1103515245 + 12345;
        last = seed >> 16 & 0xff;
        if (first > last) {
            unsigned swap = first;

            first = last;
            last = swap;
        }
        /* A manager of its own for each, so that all of them may overlap. */
        json_decref(run_ok(fixture, "custom-field-add",
                           "{\"name\":\"Managed by entity\",\"type\":\"Multivalued\",\"values\":[\"e%d\"]}", i));
        (void)run_id(fixture, "range-add",
                     "{\"address-family\":\"InterNetwork\",\"subnet-id\":\"10.0.1.0\",\"prefix-length\":24,"
                     "\"start-ip-address\":\"10.0.1.%u\",\"end-ip-address\":\"10.0.1.%u\",\"address-assignment\":"
                     "\"Static\",\"address-category\":\"Private\",\"custom-field-values\":[{\"custom-field\":\"Managed "
                     "by\",\"value\":\"IPAM\"},{\"custom-field\":\"Managed by entity\",\"value\":\"e%d\"}]}",
                     first, last, i);
        assert_answer(fixture,
                      "SELECT count(*) FROM ADM_IPRangeTable AS a WHERE IsOverlapping <> EXISTS (SELECT 1 FROM "
                      "ADM_IPRangeTable AS b WHERE b.RecordId <> a.RecordId AND b.StartKey <= a.EndKey AND b.EndKey >= "
                      "a.StartKey)",
                      "0");
    }
}

static void test_another_address_space_does_not_overlap(void **state)
{
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.9") "," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.9") ",\"address-space-record-id\":2," BY_IPAM);
    assert_answer(*state, FLAGS, "10.0.0.1|0|1;10.0.0.1|0|1");
}

/* ---- exclusions ---- */

static void test_an_overlap_only_through_exclusions_is_none(void **state)
{
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.20") RESERVED("10.0.0.10", "10.0.0.20") "," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.10", "10.0.0.30") "," BY_IPAM);
    assert_answer(*state, FLAGS, "10.0.0.1|0|1;10.0.0.10|0|1");
}

static void test_exclusions_of_both_sides_count(void **state)
{
    /* They share .10 to .20; one side leaves out the lower half of it, the other the upper. */
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.20") RESERVED("10.0.0.10", "10.0.0.15") "," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.10", "10.0.0.30") RESERVED("10.0.0.16", "10.0.0.20") "," BY_IPAM);
    assert_answer(*state, FLAGS, "10.0.0.1|0|1;10.0.0.10|0|1");
    refuse(*state, "range-add", "IpamApiNonadjustableConflictingRangesFound", "start-ip-address",
           "{" RANGE4("10.0.0.12", "10.0.0.17") RESERVED("10.0.0.12", "10.0.0.12") "," BY_IPAM "}");
}

static void test_exclusions_that_split_a_range_leave_a_gap_for_another(void **state)
{
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.90")
                          RESERVED("10.0.0.30", "10.0.0.40") ",\"reserved-ips\":[\"10.0.0.60\","
                                                             "\"10.0.0.41\",\"10.0.0.29\"]," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.29", "10.0.0.41") "," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.60", "10.0.0.60") "," BY_IPAM);
    assert_answer(*state, FLAGS, "10.0.0.1|0|1;10.0.0.29|0|1;10.0.0.60|0|1");
    refuse(*state, "range-add", "IpamApiNonadjustableConflictingRangesFound", "start-ip-address",
           "{" RANGE4("10.0.0.59", "10.0.0.60") "," BY_IPAM "}");
    refuse(*state, "range-add", "IpamApiNonadjustableConflictingRangesFound", "start-ip-address",
           "{" RANGE4("10.0.0.35", "10.0.0.42") "," BY_IPAM "}");
}

static void test_exclusions_in_ipv6(void **state)
{
    (void)add(*state, RANGE6("2001:db8::1", "2001:db8::90") RESERVED("2001:db8::30", "2001:db8::40") "," BY_IPAM);
    (void)add(*state, RANGE6("2001:db8::30", "2001:db8::40") "," BY_IPAM);
    assert_answer(*state, FLAGS, "2001:db8::1|0|1;2001:db8::30|0|1");
    refuse(*state, "range-add", "IpamApiNonadjustableConflictingRangesFound", "start-ip-address",
           "{" RANGE6("2001:db8::2f", "2001:db8::3f") "," BY_IPAM "}");
}

static void test_a_range_that_is_all_reserved_overlaps_nothing(void **state)
{
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.9") RESERVED("10.0.0.0", "10.0.0.255") "," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.9") "," BY_IPAM);
    assert_answer(*state, FLAGS, "10.0.0.1|0|1;10.0.0.1|0|1");
}

static void test_reserved_addresses_of_a_pool_count(void **state)
{
    struct fixture *fixture = *state;

    json_decref(run_ok(fixture, "range-update",
                       "{\"record-id\":%lld,\"modified-properties\":[\"reserved-ip-ranges\"],\"reserved-ip-ranges\":[{"
                       "\"start-ip-address\":\"10.0.0.140\",\"end-ip-address\":\"10.0.0.150\"}]}",
                       (long long)fixture->pool));
    (void)add(fixture, RANGE4("10.0.0.140", "10.0.0.160") "," BY_IPAM);
    assert_answer(fixture, FLAGS, "10.0.0.140|0|1");
}

/* ---- UseForUtilization ---- */

static void test_of_overlapping_ranges_the_first_counts_for_utilization(void **state)
{
    (void)add(*state, RANGE4("10.0.0.1", "10.0.0.20") "," BY_IPAM);
    (void)add(*state, RANGE4("10.0.0.10", "10.0.0.30") "," BY_VM);
    (void)add(*state, RANGE4("10.0.0.25", "10.0.0.40") "," BY_IPAM); /* its only overlap does not count */
    assert_answer(*state, FLAGS, "10.0.0.1|1|1;10.0.0.10|1|0;10.0.0.25|1|1");
}

/* ---- indexes ---- */

/* What may be gone through from end to end: results of a few rows, not tables. */
static bool is_result(const char *line)
{
    static const char *const results[] = {"SCAN given", "SCAN m", "SCAN CONSTANT ROW"};

    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        if (strcmp(line, results[i]) == 0)
            return true;
    }
    return false;
}

/* Nothing that was prepared on the store may go through a table. */
static void assert_no_scan(struct fixture *fixture)
{
    size_t searches = 0;

    for (sqlite3_stmt *used = sqlite3_next_stmt(fixture->store->database, NULL); used != NULL;
         used = sqlite3_next_stmt(fixture->store->database, used)) {
        char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(used));
        sqlite3_stmt *plan = NULL;

        assert_int_equal(sqlite3_prepare_v2(fixture->other, sql, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *line = (const char *)sqlite3_column_text(plan, 3);

            searches += strncmp(line, "SEARCH ", 7) == 0;
            /* By the field alone it would find the values of all objects. */
            if ((strncmp(line, "SCAN ", 5) == 0 && !is_result(line)) || strstr(line, "GivenByField") != NULL)
                fail_msg("%s: %s", line, sqlite3_sql(used));
        }
        (void)sqlite3_finalize(plan);
        sqlite3_free(sql);
    }
    assert_true(searches > 60);
}

static void test_no_update_scans_a_table(void **state)
{
    struct fixture *fixture = *state;
    int64_t range = add(fixture, RANGE4("10.0.0.1", "10.0.0.20") RESERVED("10.0.0.2", "10.0.0.3") "," BY_IPAM);

    (void)add(fixture, RANGE4("10.0.0.10", "10.0.0.30") "," BY_VM);
    (void)run_id(fixture, "address-add",
                 "{\"address-family\":\"InterNetwork\",\"ip-address\":\"10.0.0.7\"," BY_IPAM "}");
    json_decref(run_ok(fixture, "range-update",
                       "{\"record-id\":%lld,\"modified-properties\":[\"address-space-record-id\",\"owner\","
                       "\"custom-field-values\"],\"address-space-record-id\":2,\"owner\":\"me\"," BY_VM "}",
                       (long long)range));
    json_decref(run_ok(fixture, "range-get", "{\"record-id\":%lld}", (long long)range));
    assert_no_scan(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_ranges_that_share_no_address_do_not_overlap),
        TEST(test_ranges_that_share_their_last_and_first_address_overlap),
        TEST(test_a_range_of_one_address_overlaps),
        TEST(test_an_enclosing_range_is_found_from_inside),
        TEST(test_an_enclosed_range_is_found_from_outside),
        TEST(test_every_pair_of_bounds_is_judged_as_a_scan_would),
        TEST(test_another_address_space_does_not_overlap),
        TEST(test_an_overlap_only_through_exclusions_is_none),
        TEST(test_exclusions_of_both_sides_count),
        TEST(test_exclusions_that_split_a_range_leave_a_gap_for_another),
        TEST(test_exclusions_in_ipv6),
        TEST(test_a_range_that_is_all_reserved_overlaps_nothing),
        TEST(test_reserved_addresses_of_a_pool_count),
        TEST(test_of_overlapping_ranges_the_first_counts_for_utilization),
        TEST(test_no_update_scans_a_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
