/* What adm-get promises of its pages: every row once, whatever the limit, at a cost that does not grow with the tables,
 * and an answer whatever the rows hold. */
#include "adm_fixture.h"

#include "failover_sync/adm_get.h"
#include "failover_sync/data_tree.h"

#include <pthread.h>

static const char *next_of(const json_t *output)
{
    return json_string_value(json_object_get(output, "next"));
}

static json_t *everything(struct fixture *fixture)
{
    size_t pages = 0;
    json_t *all = get_all_pages(fixture, "\"limit\":1000", &pages);

    assert_int_equal(pages, 1);
    return all;
}

static size_t rows_in(const json_t *all)
{
    size_t rows = 0;

    for (size_t i = 0; i < ADM_TABLES; i++)
        rows += json_array_size(json_object_get(all, adm_tables[i].list));
    return rows;
}

static void test_pages_of_any_length_show_every_row_once(void **state)
{
    static const int limits[] = {1, 2, 3, 7, 10, 64, 99};
    struct fixture *fixture = *state;
    json_t *whole = everything(fixture);
    size_t rows = rows_in(whole);

    assert_true(rows > 70);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        char arguments[32];
        size_t pages = 0;
        json_t *all;

        (void)snprintf(arguments, sizeof arguments, "\"limit\":%d", limits[i]);
        all = get_all_pages(fixture, arguments, &pages);
        assert_true(json_equal(all, whole));
        assert_int_equal(pages, (rows + (size_t)limits[i] - 1) / (size_t)limits[i]);
        json_decref(all);
    }
    json_decref(whole);
}

static void test_the_pages_of_a_list_are_of_that_list(void **state)
{
    struct fixture *fixture = *state;
    json_t *whole = everything(fixture);

    for (size_t i = 0; i < ADM_TABLES; i++) {
        const char *list = adm_tables[i].list;
        char arguments[96];
        size_t pages = 0;
        json_t *all;

        (void)snprintf(arguments, sizeof arguments, "\"path\":\"/adm/%s\",\"limit\":1", list);
        all = get_all_pages(fixture, arguments, &pages);
        assert_true(json_equal(json_object_get(all, list), json_object_get(whole, list)));
        assert_int_equal(rows_in(all), json_array_size(json_object_get(whole, list)));
        assert_int_equal(pages, rows_in(all));
        json_decref(all);
    }
    json_decref(whole);
}

static void test_the_default_page_has_a_hundred_rows(void **state)
{
    struct fixture *fixture = *state;
    json_t *output;

    execute(fixture, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 101) "
                     "INSERT INTO ADM_AddressSpaceTable (Name, Type) SELECT 'space ' || i, 'Customer' FROM n");
    output = run_ok(fixture, "adm-get", "{\"path\":\"/adm/address-spaces\"}");
    assert_int_equal(count_rows(output), 100);
    assert_string_equal(next_of(output), "address-spaces/100");
    json_decref(output);
    output = run_ok(fixture, "adm-get", "{\"path\":\"/adm/address-spaces\",\"from\":\"address-spaces/100\"}");
    assert_int_equal(count_rows(output), 3);
    assert_null(next_of(output));
    json_decref(output);
}

static void test_rows_that_go_or_come_between_pages_disturb_no_others(void **state)
{
    struct fixture *fixture = *state;
    json_t *first, *second;

    execute(fixture, "INSERT INTO ADM_AddressSpaceTable (RecordId, Name, Type) VALUES (3, 'c', 'Customer'), "
                     "(4, 'd', 'Customer')");
    first = run_ok(fixture, "adm-get", "{\"path\":\"/adm/address-spaces\",\"limit\":3}");
    assert_string_equal(next_of(first), "address-spaces/3");
    execute(fixture, "DELETE FROM ADM_AddressSpaceTable WHERE RecordId = 3;"
                     "INSERT INTO ADM_AddressSpaceTable (RecordId, Name, Type) VALUES (5, 'e', 'Customer')");
    second = run_ok(fixture, "adm-get", "{\"path\":\"/adm/address-spaces\",\"from\":\"%s\"}", next_of(first));
    assert_int_equal(count_rows(second), 2);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(list_of(second, "address-spaces"), 0), "record-id")), 4);
    json_decref(first);
    json_decref(second);
}

static void test_an_empty_list_is_an_empty_page(void **state)
{
    struct fixture *fixture = *state;
    json_t *output;

    execute(fixture, "DELETE FROM ADM_DhcpScopeFailoverTable");
    output = run_ok(fixture, "adm-get", "{\"path\":\"/adm/dhcp-scope-failovers\"}");
    assert_int_equal(json_integer_value(json_object_get(output, "count")), 0);
    assert_null(next_of(output));
    json_decref(output);
}

/* The view that a reader of the store has computes them one way, adm-get another. */
static void test_computed_associations_are_those_of_the_view(void **state)
{
    struct fixture *fixture = *state;
    json_t *all;
    size_t pages = 0;

    /* Ranges and addresses that no scope owns lie between those that one does. */
    for (int i = 0; i < 40; i++) {
        char sql[640];

        (void)snprintf(sql, sizeof sql,
                       "INSERT INTO ADM_IPAddressTable (RecordId, Af, AddressSpaceRecordId, AddressAssignment, "
                       "ScopeRecordId) VALUES (%d, 'InterNetwork', 1, 'Static', %s);"
                       "INSERT INTO ADM_IPRangeTable (RecordId, Af, AddressSpaceRecordId, ScopeRecordId, SubnetId, "
                       "PrefixLength, StartIPAddress, EndIPAddress, AddressAssignment, AddressCategory, "
                       "UtilizationCalculationType, StartKey, EndKey, ForkKey) VALUES (%d, 'InterNetwork', 1, %s, "
                       "'10.0.0.0', 24, '10.0.0.1', '10.0.0.2', 'Static', 'Private', 'Auto', randomblob(16), "
                       "randomblob(16), randomblob(16))",
                       100 + i * 7, i % 3 == 0 ? "NULL" : "1", 100 + i * 5, i % 4 == 0 ? "NULL" : "1");
        execute(fixture, sql);
    }
    all = get_all_pages(fixture, "\"path\":\"/adm/custom-field-value-associations\",\"limit\":3", &pages);
    assert_int_equal(rows_in(all), ask_integer(fixture, "SELECT count(*) FROM ADM_CustomFieldValuesAssociationTable"));
    assert_true(rows_in(all) > 100);
    for (size_t i = 0; i < rows_in(all); i++) {
        const json_t *row = json_array_get(json_object_get(all, "custom-field-value-associations"), i);
        char sql[320];

        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*) FROM ADM_CustomFieldValuesAssociationTable WHERE RecordId = %s AND ObjectType "
                       "= '%s' AND UsedById = %lld AND CustomFieldId = %lld AND coalesce(CustomFieldValueId, 0) = %lld",
                       json_string_value(json_object_get(row, "record-id")),
                       json_string_value(json_object_get(row, "object-type")),
                       (long long)json_integer_value(json_object_get(row, "used-by-id")),
                       (long long)json_integer_value(json_object_get(row, "custom-field-id")),
                       (long long)json_integer_value(json_object_get(row, "custom-field-value-id")));
        assert_int_equal(ask_integer(fixture, sql), 1);
    }
    json_decref(all);
}

/* A page is found by the table's key, however many rows there are before it. */
static void test_no_table_is_scanned_for_a_page(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ADM_TABLES; i++) {
        char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", adm_tables[i].sql);
        sqlite3_stmt *plan = NULL;
        size_t searches = 0;

        assert_int_equal(sqlite3_prepare_v2(fixture->other, sql, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);

            /* A subquery that is scanned was searched for as many rows as the page has. */
            if (strncmp(step, "SCAN ", 5) == 0 && strstr(step, "subquery") == NULL)
                fail_msg("%s: %s", adm_tables[i].list, step);
            searches += strstr(step, "USING INTEGER PRIMARY KEY (rowid>?)") != NULL;
        }
        assert_true(searches > 0);
        (void)sqlite3_finalize(plan);
        sqlite3_free(sql);
    }
}

/* ---- what rows may hold ---- */

static void set_text(struct fixture *fixture, const char *sql, const char *bytes, size_t length)
{
    sqlite3_stmt *statement = NULL;

    assert_int_equal(sqlite3_prepare_v2(fixture->other, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 1, bytes, (int)length, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    (void)sqlite3_finalize(statement);
}

static void test_text_that_yang_cannot_hold_is_replaced(void **state)
{
#define R "\xef\xbf\xbd"
    static const struct {
        const char *stored;
        const char *shown;
    } texts[] = {
        {"tab\tline\nreturn\r\x7f", "tab\tline\nreturn\r\x7f"},
        {"a\x01z\x1f", "a" R "z" R},
        {"\xff\xfe", R R},
        {"\xc3", R},                                         /* ends within a character */
        {"\xc3(", R "("},                                    /* does not go on */
        {"\xc0\xaf", R R},                                   /* written longer than it need be */
        {"\xe0\x80\xaf", R R R},                             /* the same */
        {"\xed\xa0\x80", R},                                 /* half a surrogate pair */
        {"\xef\xb7\x90\xef\xbf\xbe\xf0\x9f\xbf\xbf", R R R}, /* no characters */
        {"\xf4\x90\x80\x80", R},                             /* above the last */
        {"Z\u00fcrich \xf0\x9f\x96\xa8", "Z\u00fcrich \xf0\x9f\x96\xa8"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        static const char path[] = "\"path\":\"/adm/dhcp-scopes[record-id='1']/sync-reason\"";
        json_t *output;

        set_text(fixture, "UPDATE ADM_DHCPScopesTable SET SyncReason = ?1 WHERE RecordId = 1", texts[i].stored,
                 strlen(texts[i].stored));
        output = run_ok(fixture, "adm-get", "{%s}", path);
        assert_string_equal(
            json_string_value(json_object_get(json_array_get(list_of(output, "dhcp-scopes"), 0), "sync-reason")),
            texts[i].shown);
        json_decref(output);
        output = run_ok(fixture, "adm-get", "{%s,\"format\":\"xml\"}", path);
        if (strchr(texts[i].shown, '\r') == NULL)
            assert_non_null(strstr(json_string_value(json_object_get(output, "xml")), texts[i].shown));
        json_decref(output);
    }
}

/* Gives the scopes up to a RecordId a definition of so many characters. */
static void grow_definitions(struct fixture *fixture, int last, int length)
{
    char sql[160];

    (void)snprintf(sql, sizeof sql,
                   "UPDATE ADM_DHCPScopesTable SET Definition = replace(hex(zeroblob(%d)), '00', 'x') "
                   "WHERE RecordId <= %d",
                   length, last);
    execute(fixture, sql);
}

static void test_a_page_of_long_rows_ends_early(void **state)
{
    struct fixture *fixture = *state;
    json_t *first, *rest;

    grow_definitions(fixture, 3, 1500000);
    first = run_ok(fixture, "adm-get", "{\"path\":\"/adm/dhcp-scopes\",\"limit\":1000}");
    assert_int_equal(count_rows(first), 2);
    assert_string_equal(next_of(first), "dhcp-scopes/2");
    rest = run_ok(fixture, "adm-get", "{\"path\":\"/adm/dhcp-scopes\",\"limit\":1000,\"from\":\"%s\"}", next_of(first));
    assert_int_equal(count_rows(rest), 4);
    assert_null(next_of(rest));
    json_decref(first);
    json_decref(rest);

    /* What is not shown does not count. */
    first = run_ok(fixture, "adm-get", "{\"path\":\"/adm/dhcp-scopes\",\"depth\":1}");
    assert_int_equal(count_rows(first), 6);
    json_decref(first);
}

static void test_a_row_longer_than_a_page_is_a_page(void **state)
{
    struct fixture *fixture = *state;
    size_t pages = 0;
    json_t *all;

    grow_definitions(fixture, 1, 4500000);
    all = get_all_pages(fixture, "\"path\":\"/adm/dhcp-scopes\",\"limit\":1000", &pages);
    assert_int_equal(rows_in(all), 6);
    assert_int_equal(pages, 2);
    json_decref(all);
}

static void test_rows_of_sixteen_kibibytes_come_in_pages_of_four_mebibytes(void **state)
{
    struct fixture *fixture = *state;
    char from[80] = "start";
    size_t rows = 0, pages = 0;

    execute(
        fixture,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
        "INSERT INTO ADM_DhcpSuperscopeTable (ServerRecordId, Name, Definition) SELECT 1, 'network ' || i, '{\"a\":\"'"
        " || replace(hex(zeroblob(16384)), '00', 'x') || '\"}' FROM n");
    while (from[0] != '\0') {
        json_t *output =
            run_ok(fixture, "adm-get", "{\"path\":\"/adm/dhcp-superscopes\",\"limit\":1000,\"from\":\"%s\"}", from);
        char *text = json_dumps(output, JSON_COMPACT);

        assert_in_range(strlen(text), 1, 4194304);
        if (next_of(output) != NULL)
            assert_true(strlen(text) > 4100000);
        free(text);
        rows += count_rows(output);
        pages++;
        (void)snprintf(from, sizeof from, "%s", next_of(output) == NULL ? "" : next_of(output));
        json_decref(output);
    }
    assert_int_equal(rows, 302);
    assert_int_equal(pages, 2);
}

static void test_a_damaged_list_in_a_column_is_named(void **state)
{
    static const char *const damaged[] = {"{", "{}", "7", "[7]", "[{\"start\":\"10.0.0.1\"}]", "[\"\xff\"]"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        struct model_tree *tree = NULL;
        json_t *output = NULL;
        struct fault fault;

        set_text(fixture, "UPDATE ADM_DHCPScopesTable SET ExclusionRanges = ?1 WHERE RecordId = 1", damaged[i],
                 strlen(damaged[i]));
        assert_ok(model_parse_input(fixture->model, "adm-get", "{\"path\":\"/adm/dhcp-scopes\"}", &tree, NULL));
        fault = adm_get(fixture->store, fixture->model, model_root(tree), &output);
        model_tree_free(tree);
        assert_null(output);
        assert_int_equal(fault.blame, FAULT_BY_RECEIVER);
        assert_non_null(strstr(fault.message, "ADM_DHCPScopesTable has a row 1 "));
        assert_non_null(strstr(fault.message, "exclusion-ranges"));
    }
}

/* ---- threads and memory ---- */

struct reader {
    struct fixture *fixture;
    size_t rows;
    int surprises;
};

/* Reads with a store of its own and the model of all. */
static void *read_often(void *context)
{
    struct reader *reader = context;
    struct store *store = NULL;

    if (result_failed(store_open(reader->fixture->path, &store))) {
        reader->surprises++;
        return NULL;
    }
    for (int i = 0; i < 40; i++) {
        struct model_tree *tree = NULL;
        json_t *output = NULL;
        struct fault fault;

        if (result_failed(model_parse_input(reader->fixture->model, "adm-get",
                                            i % 2 == 0 ? "{\"limit\":1000}" : "{\"limit\":1000,\"format\":\"xml\"}",
                                            &tree, NULL))) {
            reader->surprises++;
            break;
        }
        fault = adm_get(store, reader->fixture->model, model_root(tree), &output);
        if (fault_raised(&fault) || json_integer_value(json_object_get(output, "count")) != (json_int_t)reader->rows)
            reader->surprises++;
        json_decref(output);
        model_tree_free(tree);
    }
    store_close(store);
    return NULL;
}

static void test_threads_share_the_model(void **state)
{
    struct fixture *fixture = *state;
    json_t *whole = everything(fixture);
    struct reader readers[4];
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        readers[i] = (struct reader){.fixture = fixture, .rows = rows_in(whole)};
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, &readers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(readers[i].surprises, 0);
    }
    json_decref(whole);
}

static long allocations_left;

static void *limited_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void test_a_failed_allocation_is_a_fault(void **state)
{
    struct fixture *fixture = *state;
    struct model_tree *tree = NULL;
    json_t *output = NULL;
    struct fault fault;
    long allowed = 0;

    assert_ok(model_parse_input(fixture->model, "adm-get", "{\"path\":\"/adm/dhcp-scopes\",\"limit\":2}", &tree, NULL));
    json_set_alloc_funcs(limited_malloc, free);
    do {
        allocations_left = allowed++;
        fault = adm_get(fixture->store, fixture->model, model_root(tree), &output);
        assert_true(fault_raised(&fault) == (output == NULL));
        assert_true(!fault_raised(&fault) || fault.blame == FAULT_BY_RECEIVER);
    } while (fault_raised(&fault) && allowed < 10000);
    json_set_alloc_funcs(malloc, free);
    assert_false(fault_raised(&fault));
    assert_true(allowed > 20);
    assert_int_equal(count_rows(output), 2);
    json_decref(output);
    model_tree_free(tree);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_adm, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_pages_of_any_length_show_every_row_once),
        TEST(test_the_pages_of_a_list_are_of_that_list),
        TEST(test_the_default_page_has_a_hundred_rows),
        TEST(test_rows_that_go_or_come_between_pages_disturb_no_others),
        TEST(test_an_empty_list_is_an_empty_page),
        TEST(test_computed_associations_are_those_of_the_view),
        TEST(test_no_table_is_scanned_for_a_page),
        TEST(test_text_that_yang_cannot_hold_is_replaced),
        TEST(test_a_page_of_long_rows_ends_early),
        TEST(test_a_row_longer_than_a_page_is_a_page),
        TEST(test_rows_of_sixteen_kibibytes_come_in_pages_of_four_mebibytes),
        TEST(test_a_damaged_list_in_a_column_is_named),
        TEST(test_threads_share_the_model),
        TEST(test_a_failed_allocation_is_a_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
