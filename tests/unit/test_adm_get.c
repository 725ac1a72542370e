/* What adm-get promises of the data: every table and column is there as it is stored, paths and depths show what they
 * name, and both formats are data of the module for a tool that is not ours, too. */
#include "adm_fixture.h"

#include "failover_sync/adm_get.h"
#include "failover_sync/data_tree.h"

#include <ctype.h>
#include <time.h>
#include <unistd.h>

/* What is of no use outside of the store: keys as bytes, and what tells an edit from a reload. */
static bool stays_inside(const char *column)
{
    static const char *const names[] = {
        "StartKey",    "EndKey",   "ForkKey",           "AddressKey",           "FileText",
        "FilePrinted", "HasParts", "ConfigurationText", "ConfigurationPrinted", "ConfiguredProperties"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], column) == 0)
            return true;
    }
    return false;
}

/* Whether the name of a leaf is the column's: the same letters, and parts as a reader would see them. */
static bool is_named(const char *leaf, const char *column)
{
    for (; *leaf != '\0'; leaf++) {
        if (*leaf == '-')
            continue;
        if (*leaf != tolower((unsigned char)*column))
            return false;
        column++;
    }
    return *column == '\0';
}

static bool find_leaf(struct fixture *fixture, const char *list, const char *column, struct data_leaf *leaf)
{
    for (size_t i = 0; data_leaf_at(fixture->model, "adm", list, i, leaf); i++) {
        if (is_named(leaf->name, column))
            return true;
    }
    return false;
}

static sqlite3_stmt *prepare(struct fixture *fixture, const char *format, const char *table)
{
    char *sql = sqlite3_mprintf(format, table);
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(fixture->other, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(fixture->other));
    sqlite3_free(sql);
    return statement;
}

/* libyang prints in the module's order, whatever the order in which the tables were read. */
static void test_the_tables_are_read_in_the_order_of_the_module(void **state)
{
    json_t *output = run_ok(*state, "adm-get", "{\"limit\":1000}");
    const char *list;
    json_t *rows;
    size_t count = 0;

    json_object_foreach(json_object_get(json_object_get(output, "data"), "kea-failover-sync:adm"), list, rows)
    {
        assert_true(count < ADM_TABLES);
        assert_string_equal(list, adm_tables[count++].list);
    }
    assert_int_equal(count, ADM_TABLES);
    json_decref(output);
}

static void test_every_column_of_every_table_is_a_leaf(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ADM_TABLES; i++) {
        sqlite3_stmt *columns = prepare(fixture, "SELECT name FROM pragma_table_info(%Q)", adm_tables[i].table);
        size_t shown = 0, leaves = 0;
        struct data_leaf leaf;

        while (sqlite3_step(columns) == SQLITE_ROW) {
            const char *column = (const char *)sqlite3_column_text(columns, 0);

            if (stays_inside(column))
                continue;
            if (!find_leaf(fixture, adm_tables[i].list, column, &leaf))
                fail_msg("%s has no leaf for %s.%s", adm_tables[i].list, adm_tables[i].table, column);
            shown++;
        }
        (void)sqlite3_finalize(columns);
        while (data_leaf_at(fixture->model, "adm", adm_tables[i].list, leaves, &leaf))
            leaves++;
        assert_true(shown > 1);
        assert_int_equal(leaves, shown);
    }
    assert_true(find_leaf(fixture, "dhcp-failover-relations", "Server1PSName", &(struct data_leaf){0}));
}

/* ---- every value beside what SQL says ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), ends = strlen(end);

    return length >= ends && strcmp(text + length - ends, end) == 0;
}

/* "2023-11-14T22:13:20.123Z" as milliseconds since 1970. */
static int64_t milliseconds_of(const char *text)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    int64_t seconds = (int64_t)timegm(&parts);

    assert_non_null(rest);
    if (strcmp(rest, "Z") == 0)
        return seconds * 1000;
    assert_int_equal(strlen(rest), strlen(".123Z"));
    return seconds * 1000 + strtoll(rest + 1, NULL, 10);
}

static void assert_value(const char *leaf, const json_t *value, sqlite3_stmt *row, int column)
{
    static const char *const properties[] = {"",          "dns-server", "wins-server", "gateway",          "vip",
                                             "vip-range", "dns-suffix", "reserved-ip", "reserved-ip-range"};
    const char *stored = (const char *)sqlite3_column_text(row, column);
    int64_t number = sqlite3_column_int64(row, column);

    if (stored == NULL) {
        assert_null(value);
    } else if (value == NULL) {
        fail_msg("%s is missing: %s", leaf, stored);
    } else if (strcmp(leaf, "property-id") == 0) {
        assert_string_equal(json_string_value(value), properties[number]);
    } else if (strcmp(leaf, "modified-at") == 0) {
        assert_true(milliseconds_of(json_string_value(value)) == number);
    } else if (ends_with(leaf, "-date") || strcmp(leaf, "last-seen") == 0) {
        assert_true(milliseconds_of(json_string_value(value)) == number * 1000);
    } else if (json_is_boolean(value)) {
        assert_string_equal(stored, json_is_true(value) ? "1" : "0");
    } else if (json_is_integer(value)) {
        assert_int_equal(sqlite3_column_type(row, column), SQLITE_INTEGER);
        assert_true(json_integer_value(value) == number);
    } else {
        assert_string_equal(json_string_value(value), stored);
    }
}

/* The row's entry in the list, and every column of it in the entry; nothing else is in the entry. */
static void assert_entry(struct fixture *fixture, const char *list, const json_t *entry, sqlite3_stmt *row)
{
    size_t members = 0;

    for (int i = 0; i < sqlite3_column_count(row); i++) {
        const char *column = sqlite3_column_name(row, i);
        struct data_leaf leaf;
        const json_t *value;

        if (stays_inside(column))
            continue;
        assert_true(find_leaf(fixture, list, column, &leaf));
        value = json_object_get(entry, leaf.name);
        members += value != NULL;
        if (!leaf.many)
            assert_value(leaf.name, value, row, i);
    }
    assert_int_equal(json_object_size(entry), members);
}

static void test_every_row_is_shown_as_it_is_stored(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = run_ok(fixture, "adm-get", "{\"limit\":1000}");

    assert_null(json_object_get(output, "next"));
    for (size_t i = 0; i < ADM_TABLES; i++) {
        const json_t *rows = list_of(output, adm_tables[i].list);
        sqlite3_stmt *stored = prepare(fixture, "SELECT * FROM %s ORDER BY 1", adm_tables[i].table);
        size_t count = 0;

        while (sqlite3_step(stored) == SQLITE_ROW) {
            if (count >= json_array_size(rows))
                fail_msg("%s has more rows than %s shows", adm_tables[i].table, adm_tables[i].list);
            assert_entry(fixture, adm_tables[i].list, json_array_get(rows, count++), stored);
        }
        (void)sqlite3_finalize(stored);
        assert_int_equal(json_array_size(rows), count);
        if (count == 0)
            fail_msg("%s is empty: the test says nothing of it", adm_tables[i].table);
    }
    json_decref(output);
}

static void assert_texts(const json_t *list, const char *first, const char *second)
{
    assert_int_equal(json_array_size(list), second == NULL ? 1 : 2);
    assert_string_equal(json_string_value(json_array_get(list, 0)), first);
    if (second != NULL)
        assert_string_equal(json_string_value(json_array_get(list, 1)), second);
}

static int64_t id_where(struct fixture *fixture, const char *sql)
{
    int64_t record_id = ask_integer(fixture, sql);

    assert_true(record_id > 0);
    return record_id;
}

static void test_values_are_in_the_words_of_the_module(void **state)
{
    struct fixture *fixture = *state;
    json_t *output = run_ok(fixture, "adm-get", "{\"path\":\"/adm/dhcp-scopes[record-id='%lld']\"}",
                            (long long)id_where(fixture, "SELECT " FULL_SCOPE));
    const json_t *scope = json_array_get(list_of(output, "dhcp-scopes"), 0);
    const json_t *relation;

    assert_int_equal(json_integer_value(json_object_get(output, "count")), 1);
    assert_texts(json_object_get(scope, "exclusion-ranges"), "192.0.2.21-192.0.2.29", NULL);
    assert_string_equal(json_string_value(json_object_get(scope, "modified-at")), "2023-11-14T22:13:20.123Z");
    assert_string_equal(json_string_value(json_object_get(scope, "scope-name")), "Z\u00fcrich");
    assert_string_equal(json_string_value(json_object_get(scope, "total-number-of-addresses-in-scope")), "31");
    assert_string_equal(json_string_value(json_object_get(scope, "origin")), "Partner");
    assert_int_equal(json_integer_value(json_object_get(scope, "prefix-length")), 24);
    json_decref(output);

    output = run_ok(fixture, "adm-get", "{\"path\":\"/adm/dhcp-failover-relations\"}");
    relation = json_array_get(list_of(output, "dhcp-failover-relations"), 0);
    assert_texts(json_object_get(relation, "edited-properties"), "mclt", "server1-percentage");
    assert_true(json_is_true(json_object_get(relation, "auto-state-transition")));
    assert_true(json_is_false(json_object_get(relation, "shared-secret-enabled")));
    assert_string_equal(json_string_value(json_object_get(relation, "server2-ps-name")), "server2");
    assert_null(json_object_get(relation, "state-switch-interval"));
    json_decref(output);
}

/* ---- paths and depths ---- */

/* The answer to this path and depth (0: none given) shows one row of the list: `row`, members sorted. */
static void assert_row(struct fixture *fixture, const char *path, int depth, const char *list, const char *row)
{
    char given[32] = "";
    json_t *output;
    char *text;

    if (depth > 0)
        (void)snprintf(given, sizeof given, ",\"depth\":%d", depth);
    output = run_ok(fixture, "adm-get", "{\"path\":\"%s\"%s}", path, given);
    assert_int_equal(json_integer_value(json_object_get(output, "count")), 1);
    assert_int_equal(count_rows(output), 1);
    assert_null(json_object_get(output, "next"));
    text = json_dumps(json_array_get(list_of(output, list), 0), JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, row);
    free(text);
    json_decref(output);
}

static void test_a_path_leads_to_a_list_an_entry_or_a_leaf(void **state)
{
    static const char entry[] = "{\"access-scope-id\":7,\"name\":\"Berlin\",\"parent-id\":1}";
    static const char leaf[] = "{\"access-scope-id\":7,\"name\":\"Berlin\"}";
    static const char key[] = "{\"access-scope-id\":7}";
    struct fixture *fixture = *state;
    json_t *output;

    assert_row(fixture, "/kea-failover-sync:adm/access-scopes[access-scope-id='7']", 0, "access-scopes", entry);
    assert_row(fixture, "/adm/access-scopes[access-scope-id='7']", 0, "access-scopes", entry);
    assert_row(fixture, "/adm/access-scopes[access-scope-id=\\\"7\\\"]", 0, "access-scopes", entry);
    assert_row(fixture,
               "/kea-failover-sync:adm/kea-failover-sync:access-scopes[kea-failover-sync:access-scope-id='7']/"
               "kea-failover-sync:name",
               0, "access-scopes", leaf);
    assert_row(fixture, "/adm/access-scopes[access-scope-id='7']/access-scope-id", 0, "access-scopes", key);
    assert_row(fixture, "/adm/dhcp-failover-relations[record-id='1']/edited-properties", 0, "dhcp-failover-relations",
               "{\"edited-properties\":[\"mclt\",\"server1-percentage\"],\"record-id\":1}");
    /* What is computed of a range has a negative id, and RFC 7951 writes 64 bits as text. */
    assert_row(fixture, "/adm/custom-field-value-associations[record-id='-4']", 0, "custom-field-value-associations",
               "{\"af\":\"InterNetwork\",\"custom-field-id\":8,\"custom-field-value-id\":2,\"object-type\":\"IPRange\","
               "\"record-id\":\"-4\",\"used-by-id\":1}");

    output = run_ok(fixture, "adm-get", "{\"path\":\"/adm/access-scopes\"}");
    assert_int_equal(count_rows(output), 2);
    assert_int_equal(json_array_size(list_of(output, "access-scopes")), 2);
    json_decref(output);
}

/* With RESTCONF's depth, 1 is the node of the path itself. */
static void test_depth_counts_from_the_node_of_the_path(void **state)
{
    static const char space[] = "/adm/address-spaces[record-id='2']";
    static const char key[] = "{\"record-id\":2}";
    static const char all[] = "{\"name\":\"customer\",\"record-id\":2,\"type\":\"Customer\"}";
    struct fixture *fixture = *state;
    json_t *whole = run_ok(fixture, "adm-get", "{\"limit\":1000}");
    json_t *output;

    assert_row(fixture, space, 1, "address-spaces", key);
    assert_row(fixture, space, 2, "address-spaces", all);
    assert_row(fixture, space, 255, "address-spaces", all);
    assert_row(fixture, "/adm/address-spaces[record-id='2']/name", 1, "address-spaces",
               "{\"name\":\"customer\",\"record-id\":2}");

    output = run_ok(fixture, "adm-get", "{\"path\":\"/adm/address-spaces\",\"depth\":1}");
    assert_int_equal(count_rows(output), 2);
    assert_int_equal(json_object_size(json_array_get(list_of(output, "address-spaces"), 0)), 1);
    json_decref(output);

    output = run_ok(fixture, "adm-get", "{\"depth\":1}");
    assert_int_equal(json_integer_value(json_object_get(output, "count")), 0);
    assert_null(json_object_get(output, "next"));
    assert_true(json_is_object(json_object_get(json_object_get(output, "data"), "kea-failover-sync:adm")));
    assert_int_equal(count_rows(output), 0);
    json_decref(output);

    output = run_ok(fixture, "adm-get", "{\"depth\":2,\"limit\":1000}");
    assert_int_equal(count_rows(output), count_rows(whole));
    for (size_t i = 0; i < ADM_TABLES; i++)
        assert_int_equal(json_object_size(json_array_get(list_of(output, adm_tables[i].list), 0)), 1);
    json_decref(output);

    output = run_ok(fixture, "adm-get", "{\"depth\":3,\"limit\":1000}");
    assert_true(json_equal(output, whole));
    json_decref(output);
    json_decref(whole);
}

/* ---- formats, judged by libyang's own tool ---- */

#define MODULE TEST_YANG

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* What yanglint makes of a file with data, as JSON; fails the test if it finds anything wrong with it. */
static json_t *yanglint(struct fixture *fixture, const char *path)
{
    char *command =
        sqlite3_mprintf("yanglint -D -t get -f json '%s' '%s' 2>'%s/errors'", MODULE, path, fixture->folder);
    char errors[96];
    FILE *pipe = popen(command, "r");
    json_error_t error;
    json_t *data;

    assert_non_null(pipe);
    data = json_loadf(pipe, 0, &error);
    (void)snprintf(errors, sizeof errors, "%s/errors", fixture->folder);
    if (pclose(pipe) != 0 || data == NULL)
        fail_msg("yanglint (Debian's libyang2-tools or libyang-tools) refused %s; what it said is in %s", path, errors);
    assert_int_equal(unlink(errors), 0);
    sqlite3_free(command);
    return data;
}

static void test_yanglint_reads_both_formats_and_finds_the_same_in_them(void **state)
{
    static const char *const arguments[] = {"\"limit\":1000", "\"depth\":2,\"limit\":1000", "\"depth\":1",
                                            "\"limit\":20",
                                            "\"path\":\"/adm/dhcp-failover-relations[record-id='1']/mclt\""};
    struct fixture *fixture = *state;
    char path[2][96];

    (void)snprintf(path[0], sizeof path[0], "%s/data.json", fixture->folder);
    (void)snprintf(path[1], sizeof path[1], "%s/data.xml", fixture->folder);
    for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
        json_t *json = run_ok(fixture, "adm-get", "{%s}", arguments[i]);
        json_t *xml = run_ok(fixture, "adm-get", "{%s,\"format\":\"xml\"}", arguments[i]);
        const json_t *data = json_object_get(json, "data");
        char *text = json_dumps(data, 0);

        assert_null(json_object_get(json, "xml"));
        assert_null(json_object_get(xml, "data"));
        assert_true(json_equal(json_object_get(json, "count"), json_object_get(xml, "count")));
        assert_true(json_equal(json_object_get(json, "next"), json_object_get(xml, "next")) ||
                    (json_object_get(json, "next") == NULL && json_object_get(xml, "next") == NULL));
        write_file(path[0], text);
        write_file(path[1], json_string_value(json_object_get(xml, "xml")));
        for (size_t j = 0; j < 2; j++) {
            json_t *read = yanglint(fixture, path[j]);

            /* The tool shows no empty container. */
            assert_true(json_object_size(read) == 0 ? count_rows(json) == 0 : json_equal(read, data));
            assert_int_equal(unlink(path[j]), 0);
            json_decref(read);
        }
        free(text);
        json_decref(json);
        json_decref(xml);
    }
}

static void test_yanglint_refuses_what_is_no_data_of_the_module(void **state)
{
    static const char wrong[] = "{\"kea-failover-sync:adm\":{\"dhcp-scopes\":[{\"record-id\":0}]}}";
    struct fixture *fixture = *state;
    char path[96];
    char *command;

    (void)snprintf(path, sizeof path, "%s/wrong.json", fixture->folder);
    write_file(path, wrong);
    command = sqlite3_mprintf("yanglint -D -t get -f json '%s' '%s' >/dev/null 2>&1", MODULE, path);
    assert_int_not_equal(system(command), 0);
    sqlite3_free(command);
    assert_int_equal(unlink(path), 0);
}

static void test_xml_escapes_what_markup_cannot_hold(void **state)
{
    struct fixture *fixture = *state;
    json_t *output =
        run_ok(fixture, "adm-get", "{\"format\":\"xml\",\"path\":\"/adm/dhcp-scopes[record-id='%lld']/description\"}",
               (long long)id_where(fixture, "SELECT " FULL_SCOPE));

    assert_non_null(strstr(json_string_value(json_object_get(output, "xml")),
                           "<adm xmlns=\"urn:kea-failover-sync:yang:kea-failover-sync\"><dhcp-scopes><record-id>"));
    assert_non_null(strstr(json_string_value(json_object_get(output, "xml")),
                           "<description>&lt;a&gt; &amp; \"b\"</description></dhcp-scopes></adm>"));
    json_decref(output);
}

/* ---- faults ---- */

static void test_a_wrong_path_is_named(void **state)
{
    static const char *const paths[] = {
        "adm",
        "/",
        "/adm/",
        "//adm",
        "/admin",
        "/kfs:adm",
        "/kea-failover-sync:kea-failover-sync:adm",
        "/adm/no-such-list",
        "/adm/dhcp-scopes/",
        "/adm/dhcp-scopes/scope-name",
        "/adm/dhcp-scopes[record-id='1'",
        "/adm/dhcp-scopes[record-id='1\\\"]",
        "/adm/dhcp-scopes[record-id=1]",
        "/adm/dhcp-scopes[record-id='01']",
        "/adm/dhcp-scopes[record-id='+1']",
        "/adm/dhcp-scopes[record-id='']",
        "/adm/dhcp-scopes[record-id='1 ']",
        "/adm/dhcp-scopes[record-id='9223372036854775808']",
        "/adm/dhcp-scopes[record-id='1e1']",
        "/adm/dhcp-scopes[scope-id='1']",
        "/adm/dhcp-scopes[1]",
        "/adm/dhcp-scopes[record-id='1'][record-id='1']",
        "/adm/dhcp-scopes[record-id='1']/",
        "/adm/dhcp-scopes[record-id='1']/no-such-leaf",
        "/adm/dhcp-scopes[record-id='1']/file-text",
        "/adm/dhcp-scopes[record-id='1']/scope-name/x",
        "/adm/dhcp-scopes[record-id='1'] ",
        "/adm/access-scopes[record-id='1']",
    };

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        refuse(*state, "adm-get", "IpamApiInvalidParameter", "path", "{\"path\":\"%s\"}", paths[i]);
    refuse_input(*state, "adm-get", "IpamApiInvalidParameter", "path", "{\"path\":\"/adm/\u00fc\"}");
    refuse_input(*state, "adm-get", "IpamApiInvalidParameter", "path", "{\"path\":\"\"}");
}

static void test_what_does_not_exist_is_named(void **state)
{
    static const char *const paths[] = {
        "/adm/dhcp-scopes[record-id='4711']",
        "/adm/dhcp-scopes[record-id='0']",
        "/adm/dhcp-scopes[record-id='-1']",
        "/adm/dhcp-scopes[record-id='4711']/scope-name",
        "/adm/custom-field-value-associations[record-id='-9223372036854775808']",
        "/adm/custom-field-value-associations[record-id='9223372036854775807']",
        "/adm/custom-field-value-associations[record-id='-5000']",
        "/adm/access-scopes[access-scope-id='1']/parent-id",
    };

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        refuse(*state, "adm-get", "IpamApiObjectNotFoundInDatabase", "path", "{\"path\":\"%s\"}", paths[i]);
}

static void test_a_token_of_no_page_is_named(void **state)
{
    static const char *const tokens[] = {
        "dhcp-scopes",
        "dhcp-scopes/",
        "dhcp-scopes/0",
        "dhcp-scopes/-1",
        "dhcp-scopes/01",
        "/dhcp-scopes/1",
        "dhcp-scopes/1/",
        "dhcp-scopes/9223372036854775808",
        "no-such-list/1",
        "starts",
        "1",
        "custom-field-value-associations/-9223372036854775808",
        "dhcp-scopes/-",
    };

    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        refuse(*state, "adm-get", "IpamApiInvalidParameter", "from", "{\"from\":\"%s\"}", tokens[i]);
    refuse(*state, "adm-get", "IpamApiInvalidParameter", "from",
           "{\"path\":\"/adm/dhcp-options\",\"from\":\"dhcp-scopes/1\"}");
    refuse(*state, "adm-get", "IpamApiInvalidParameter", "from",
           "{\"path\":\"/adm/dhcp-scopes[record-id='1']\",\"from\":\"dhcp-scopes/1\"}");
    refuse_input(*state, "adm-get", "IpamApiInvalidParameter", "from", "{\"from\":\"\"}");
    refuse_input(*state, "adm-get", "IpamApiInvalidParameter", "from", "{\"from\":\"dhcp-scopes/1 OR 1\"}");
}

static void test_numbers_and_formats_are_bounded(void **state)
{
    refuse_input(*state, "adm-get", "IpamApiInvalidParameter", "depth", "{\"depth\":0}");
    refuse_input(*state, "adm-get", "IpamApiInvalidParameter", "depth", "{\"depth\":256}");
    refuse_input(*state, "adm-get", "IpamApiInvalidParameter", "limit", "{\"limit\":0}");
    refuse_input(*state, "adm-get", "IpamApiInvalidParameter", "limit", "{\"limit\":1001}");
    refuse_input(*state, "adm-get", "IpamApiInvalidParameter", "format", "{\"format\":\"lyb\"}");
}

static void test_a_row_that_the_module_does_not_allow_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct model_tree *tree = NULL;
    json_t *output = NULL;
    struct fault fault;

    execute(fixture, "UPDATE ADM_IPRangeTable SET AddressAssignment = 'Gift' WHERE RecordId = 1");
    assert_ok(model_parse_input(fixture->model, "adm-get", "{\"path\":\"/adm/ip-ranges\"}", &tree, NULL));
    fault = adm_get(fixture->store, fixture->model, model_root(tree), &output);
    model_tree_free(tree);
    assert_null(output);
    assert_int_equal(fault.blame, FAULT_BY_RECEIVER);
    assert_string_equal(exception_name(fault.exception), "IpamApiDhcpFailoverFailedToFetchFromIpamDatabase");
    assert_string_equal(fault.path, "");
    assert_non_null(strstr(fault.message, "ADM_IPRangeTable has a row 1 "));
    assert_non_null(strstr(fault.message, "ip-ranges[1]/address-assignment: the YANG module does not allow \"Gift\""));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_adm, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_the_tables_are_read_in_the_order_of_the_module),
        TEST(test_every_column_of_every_table_is_a_leaf),
        TEST(test_every_row_is_shown_as_it_is_stored),
        TEST(test_values_are_in_the_words_of_the_module),
        TEST(test_a_path_leads_to_a_list_an_entry_or_a_leaf),
        TEST(test_depth_counts_from_the_node_of_the_path),
        TEST(test_yanglint_reads_both_formats_and_finds_the_same_in_them),
        TEST(test_yanglint_refuses_what_is_no_data_of_the_module),
        TEST(test_xml_escapes_what_markup_cannot_hold),
        TEST(test_a_wrong_path_is_named),
        TEST(test_what_does_not_exist_is_named),
        TEST(test_a_token_of_no_page_is_named),
        TEST(test_numbers_and_formats_are_bounded),
        TEST(test_a_row_that_the_module_does_not_allow_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
