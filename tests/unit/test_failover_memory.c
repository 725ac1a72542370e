/* Operations on relationships for which there is no memory, at whichever allocation of SQLite's or of Jansson's it
 * ends: nothing is changed, and once there is memory again the store is as usable as before. */
#include "failover_fixture.h"

#include <stdbool.h>

static sqlite3_mem_methods sqlite_memory;
static long allocations_left = -1; /* negative: no limit */
static bool only_one_fails;
static long failed;

static bool no_memory(void)
{
    if (allocations_left != 0) {
        allocations_left -= allocations_left > 0;
        return false;
    }
    failed++;
    if (only_one_fails)
        allocations_left = -1;
    return true;
}

static void *sqlite_malloc(int size)
{
    return no_memory() ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *memory, int size)
{
    return no_memory() ? NULL : sqlite_memory.xRealloc(memory, size);
}

static void *jansson_malloc(size_t size)
{
    return no_memory() ? NULL : malloc(size);
}

/* Before anything of SQLite is used. */
static int limit_memory(void **state)
{
    sqlite3_mem_methods limited;

    (void)state;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory) != SQLITE_OK)
        return -1;
    limited = sqlite_memory;
    limited.xMalloc = sqlite_malloc;
    limited.xRealloc = sqlite_realloc;
    json_set_alloc_funcs(jansson_malloc, free);
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &limited) == SQLITE_OK ? 0 : -1;
}

/* Runs the operation with one more allocation each time, until it needs no more. */
static void starve(struct fixture *fixture, const char *command, const struct model_node *input)
{
    char *before = dump(fixture);
    bool done = false;
    long faults = 0;

    while (!done) {
        json_t *output = NULL;
        struct fault fault;
        char *after;

        failed = 0;
        allocations_left = faults;
        fault = run_input(fixture, command, input, &output);
        allocations_left = -1;
        done = !fault_raised(&fault);
        if (done) {
            assert_non_null(output);
            json_decref(output);
            continue;
        }
        faults++;
        assert_true(failed > 0);
        assert_true(faults < 10000); /* else the store has become unusable */
        assert_null(output);
        assert_int_equal(fault.blame, FAULT_BY_RECEIVER);
        assert_non_null(strstr(fault.message, "memory"));
        assert_int_equal(fixture->failover.kind, FAILOVER_UNCHANGED);
        assert_null(fixture->failover.subnet_ids);
        after = dump(fixture);
        assert_string_equal(before, after);
        sqlite3_free(after);
    }
    assert_true(faults > 20); /* else nothing was limited */
    sqlite3_free(before);
}

static void starve_operation(struct fixture *fixture, const char *command, const char *arguments)
{
    struct model_tree *tree = NULL;

    assert_ok(model_parse_input(fixture->model, command, arguments, &tree, NULL));
    starve(fixture, command, model_root(tree));
    model_tree_free(tree);
}

/* The operations one after the other, each on what the one before left. */
static void starve_all(struct fixture *fixture)
{
    starve_operation(fixture, "failover-add", "{" BRANCH ",\"subnet-ids\":[1,2]}");
    put_partner_scope(fixture, server_id(fixture, "server3"), 1);
    starve_operation(fixture, "failover-update",
                     "{" MIRRORED ",\"modified-properties\":[\"relationship-name\",\"mclt\"],\"relationship-name\":"
                     "\"offices\",\"mclt\":60}");
    starve_operation(fixture, "failover-scope-add", "{\"record-id\":2,\"subnet-ids\":[2,3,4]}");
    starve_operation(fixture, "failover-scope-del", "{\"record-id\":2,\"subnet-ids\":[1,4]}");
    put_partner_scope(fixture, server_id(fixture, "server3"), 2);
    starve_operation(fixture, "failover-get", "{\"record-id\":2}");
    starve_operation(fixture, "failover-get-all", "{\"server-name\":\"server1\"}");
    starve_operation(fixture, "failover-del", "{\"record-id\":2}");
    assert_answer(fixture, "SELECT RecordId, RelationshipName, MCLT FROM ADM_DhcpFailoverRelationTable",
                  "1|offices|60");
}

static void test_an_operation_without_memory_leaves_nothing(void **state)
{
    only_one_fails = false;
    starve_all(*state);
}

static void test_an_operation_that_one_allocation_fails_leaves_nothing(void **state)
{
    only_one_fails = true;
    starve_all(*state);
}

/* What a load of the configuration does, at each allocation. */
static void test_mirroring_without_memory_loses_no_edit(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = mirrored_relation(fixture);
    struct result result;
    long faults = 0;

    only_one_fails = false;
    json_decref(run_ok(fixture, "failover-update",
                       "{" MIRRORED ",\"modified-properties\":[\"relationship-name\",\"mode\",\"mclt\"],"
                       "\"relationship-name\":\"offices\",\"mode\":\"HotStandby\",\"mclt\":60}"));
    row.mclt = 3600;
    do {
        int64_t record_id;

        assert_answer(fixture, "SELECT RelationshipName, Mode, MCLT FROM ADM_DhcpFailoverRelationTable",
                      "offices|HotStandby|60");
        allocations_left = faults++;
        result = relation_store_put(fixture->store, &row, &record_id);
        allocations_left = -1;
        assert_true(faults < 10000);
    } while (result_failed(result));
    assert_true(faults > 10);
    assert_answer(fixture, "SELECT RelationshipName, Mode, MCLT FROM ADM_DhcpFailoverRelationTable",
                  "offices|HotStandby|3600");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_failover, tear_down_failover)
    const struct CMUnitTest tests[] = {
        TEST(test_an_operation_without_memory_leaves_nothing),
        TEST(test_an_operation_that_one_allocation_fails_leaves_nothing),
        TEST(test_mirroring_without_memory_loses_no_edit),
    };

    return cmocka_run_group_tests(tests, limit_memory, NULL);
}
