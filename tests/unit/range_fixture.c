#include "range_fixture.h"

#include "failover_sync/adm_get.h"
#include "failover_sync/model.h"

#include <unistd.h>

void assert_ok(struct result result)
{
    if (result_failed(result))
        fail_msg("code %d: %s", (int)result.code, result.message);
}

static char *answer_of(struct fixture *fixture, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_str *answer = sqlite3_str_new(NULL);

    if (sqlite3_prepare_v2(fixture->other, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(fixture->other));
    for (int row = 0; sqlite3_step(statement) == SQLITE_ROW; row++) {
        for (int column = 0; column < sqlite3_column_count(statement); column++) {
            const char *text = (const char *)sqlite3_column_text(statement, column);

            sqlite3_str_appendf(answer, "%s%s", column > 0 ? "|" : row > 0 ? ";" : "", text == NULL ? "null" : text);
        }
    }
    (void)sqlite3_finalize(statement);
    return sqlite3_str_finish(answer);
}

void assert_answer(struct fixture *fixture, const char *sql, const char *expected)
{
    char *answer = answer_of(fixture, sql);

    assert_string_equal(answer == NULL ? "" : answer, expected);
    sqlite3_free(answer);
}

int64_t ask_integer(struct fixture *fixture, const char *sql)
{
    char *answer = answer_of(fixture, sql);
    int64_t value = answer == NULL ? 0 : strtoll(answer, NULL, 10);

    sqlite3_free(answer);
    return value;
}

void execute(struct fixture *fixture, const char *sql)
{
    if (sqlite3_exec(fixture->other, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(fixture->other));
}

/* One value, so that no two different ones look the same. */
static void append_value(sqlite3_str *text, sqlite3_stmt *statement, int column)
{
    const unsigned char *bytes = sqlite3_column_blob(statement, column);
    int length = sqlite3_column_bytes(statement, column);

    sqlite3_str_appendf(text, "%d:", sqlite3_column_type(statement, column));
    if (sqlite3_column_type(statement, column) == SQLITE_BLOB) {
        for (int i = 0; i < length; i++)
            sqlite3_str_appendf(text, "%02x", bytes[i]);
    } else {
        sqlite3_str_appendf(text, "%Q", sqlite3_column_text(statement, column));
    }
    sqlite3_str_appendall(text, "|");
}

char *dump(struct fixture *fixture)
{
    sqlite3_str *text = sqlite3_str_new(NULL);
    sqlite3_stmt *tables = NULL, *rows = NULL;

    assert_int_equal(sqlite3_prepare_v2(fixture->other,
                                        "SELECT 'SELECT * FROM \"' || name || '\" ORDER BY rowid', name "
                                        "FROM sqlite_schema WHERE type = 'table' ORDER BY name",
                                        -1, &tables, NULL),
                     SQLITE_OK);
    while (sqlite3_step(tables) == SQLITE_ROW) {
        sqlite3_str_appendf(text, "%s:\n", sqlite3_column_text(tables, 1));
        assert_int_equal(
            sqlite3_prepare_v2(fixture->other, (const char *)sqlite3_column_text(tables, 0), -1, &rows, NULL),
            SQLITE_OK);
        while (sqlite3_step(rows) == SQLITE_ROW) {
            for (int column = 0; column < sqlite3_column_count(rows); column++)
                append_value(text, rows, column);
            sqlite3_str_appendall(text, "\n");
        }
        (void)sqlite3_finalize(rows);
    }
    (void)sqlite3_finalize(tables);
    return sqlite3_str_finish(text);
}

static int64_t put_scope(struct fixture *fixture, uint32_t subnet_id, const char *prefix, const char *definition)
{
    struct scope_row row = {.server_record_id = fixture->server,
                            .id = subnet_id,
                            .name = prefix,
                            .definition = definition,
                            .modified_at = 1};
    int64_t record_id = 0;

    assert_ok(scope_store_put(fixture->store, &row, true, &record_id));
    return record_id;
}

int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct server_row server = {.ha_name = "server1", .server_name = "192.0.2.1", .is_local = true};

    if (fixture == NULL)
        return -1;
    (void)strcpy(fixture->folder, "/tmp/test_range.XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) {
        free(fixture);
        return -1;
    }
    *state = fixture;
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->folder);
    assert_ok(model_new(&fixture->model));
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_ok(server_store_put(fixture->store, &server, &fixture->server));
    fixture->scope =
        put_scope(fixture, 1, "10.0.0.0/24",
                  "{\"subnet4\":{\"subnet\":\"10.0.0.0/24\",\"pools\":[{\"pool\":\"10.0.0.100-10.0.0.150\"}"
                  "],\"reservations\":[{\"hw-address\":\"01\",\"ip-address\":\"10.0.0.101\"},"
                  "{\"hw-address\":\"02\",\"ip-address\":\"10.0.0.200\"}],\"user-context\":{\"name\":"
                  "\"Offices\"}}}");
    fixture->other_scope = put_scope(fixture, 2, "10.0.1.0/24", "{\"subnet4\":{\"subnet\":\"10.0.1.0/24\"}}");
    (void)put_scope(fixture, 3, "10.0.0.0/16", "{\"subnet4\":{\"subnet\":\"10.0.0.0/16\"}}");
    fixture->scope6 = put_scope(fixture, 4, "2001:db8::/64",
                                "{\"subnet6\":{\"subnet\":\"2001:db8::/64\",\"pools\":[{\"pool\":\"2001:db8::100-"
                                "2001:db8::1ff\"}]}}");
    fixture->parameters.replicate_on_change = true;
    fixture->context = (struct failover_context){.parameters = &fixture->parameters,
                                                 .local_server_record_id = fixture->server,
                                                 .local_name = "server1",
                                                 .now_ms = NOW * 1000};
    assert_int_equal(sqlite3_open(fixture->path, &fixture->other), SQLITE_OK);
    execute(fixture, "PRAGMA foreign_keys = ON");
    execute(fixture, "INSERT INTO ADM_AddressSpaceTable (RecordId, Name, Type) VALUES (2, 'customer', 'Customer');"
                     "INSERT INTO ADM_IPBlocksTable (Af, NetworkId, PrefixLength, StartIPAddress, EndIPAddress, "
                     "AddressSpaceRecordId, IsSubnet, Origin, StartKey, EndKey) SELECT Af, NetworkId, PrefixLength, "
                     "StartIPAddress, EndIPAddress, 2, 1, 'Admin', StartKey, EndKey FROM ADM_IPBlocksTable WHERE "
                     "NetworkId IN ('10.0.0.0', '2001:db8::') AND PrefixLength IN (24, 64)");
    fixture->pool = ask_integer(fixture, "SELECT RecordId FROM ADM_IPRangeTable WHERE StartIPAddress = '10.0.0.100'");
    fixture->pool6 =
        ask_integer(fixture, "SELECT RecordId FROM ADM_IPRangeTable WHERE StartIPAddress = '2001:db8::100'");
    return 0;
}

int tear_down(void **state)
{
    static const char *const parts[] = {"", "-wal", "-shm", "-lock"};
    char path[160];
    struct fixture *fixture = *state;

    assert_answer(fixture, "PRAGMA integrity_check", "ok");
    assert_answer(fixture, "SELECT count(*) FROM pragma_foreign_key_check", "0");
    assert_answer(fixture,
                  "SELECT count(*) FROM CustomFieldValuesGiven WHERE ObjectType = 'IPRange' AND UsedById NOT "
                  "IN (SELECT RecordId FROM ADM_IPRangeTable)",
                  "0");
    assert_answer(fixture,
                  "SELECT count(*) FROM ADM_IPRangeTable AS r WHERE NumberOfChildAddresses <> (SELECT count(*) "
                  "FROM ADM_IPAddressTable WHERE RangeRecordId = r.RecordId)",
                  "0");
    failover_change_clear(&fixture->failover);
    (void)sqlite3_close(fixture->other);
    store_close(fixture->store);
    model_free(fixture->model);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", fixture->path, parts[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

struct fault run_input(struct fixture *fixture, const char *command, const struct model_node *input, json_t **output)
{
    static const struct {
        const char *command;
        struct fault (*run)(struct store *, const struct failover_context *, const struct model_node *,
                            struct failover_change *, json_t **);
    } writing[] = {
        {"failover-add", failover_add},
        {"failover-update", failover_update},
        {"failover-scope-add", failover_scope_add},
        {"failover-scope-del", failover_scope_del},
        {"failover-del", failover_del},
    };
    struct store *store = fixture->store;

    fixture->change = (struct pool_change){.wanted = false};
    failover_change_clear(&fixture->failover);
    for (size_t i = 0; i < sizeof writing / sizeof writing[0]; i++) {
        if (strcmp(command, writing[i].command) == 0)
            return writing[i].run(store, &fixture->context, input, &fixture->failover, output);
    }
    if (strcmp(command, "failover-get") == 0)
        return failover_get(store, input, output);
    if (strcmp(command, "failover-get-all") == 0)
        return failover_get_all(store, input, output);
    if (strcmp(command, "range-add") == 0)
        return range_add(store, input, NOW, &fixture->change, output);
    if (strcmp(command, "range-update") == 0)
        return range_update(store, input, NOW, &fixture->change, output);
    if (strcmp(command, "range-get") == 0)
        return range_get(store, input, output);
    if (strcmp(command, "range-get-all") == 0)
        return range_get_all(store, input, output);
    if (strcmp(command, "address-add") == 0)
        return address_add(store, input, output);
    if (strcmp(command, "address-get-all") == 0)
        return address_get_all(store, input, output);
    if (strcmp(command, "custom-field-add") == 0)
        return custom_field_add(store, input, output);
    if (strcmp(command, "adm-get") == 0)
        return adm_get(store, fixture->model, input, output);
    return custom_field_get_all(store, input, output);
}

struct fault run_text(struct fixture *fixture, const char *command, const char *arguments, json_t **output)
{
    struct model_tree *tree = NULL;
    struct fault fault;
    struct result result = model_parse_input(fixture->model, command, arguments, &tree, NULL);

    if (result_failed(result))
        fail_msg("%s %s: %s", command, arguments, result.message);
    fault = run_input(fixture, command, model_root(tree), output);
    model_tree_free(tree);
    return fault;
}

static json_t *run_ok_text(struct fixture *fixture, const char *command, const char *arguments)
{
    struct model_tree *tree = NULL;
    json_t *output = NULL;
    char *text;
    struct fault fault = run_text(fixture, command, arguments, &output);

    if (fault_raised(&fault))
        fail_msg("%s %s: %s: %s", command, arguments, exception_name(fault.exception), fault.message);
    assert_non_null(output);
    text = json_dumps(output, 0);
    assert_non_null(text);
    assert_ok(model_parse_output(fixture->model, command, text, &tree));
    model_tree_free(tree);
    free(text);
    return output;
}

static char *format_text(const char *format, va_list values)
{
    char *text = sqlite3_vmprintf(format, values);

    assert_non_null(text);
    return text;
}

json_t *run_ok(struct fixture *fixture, const char *command, const char *format, ...)
{
    va_list values;
    char *arguments;
    json_t *output;

    va_start(values, format);
    arguments = format_text(format, values);
    va_end(values);
    output = run_ok_text(fixture, command, arguments);
    sqlite3_free(arguments);
    return output;
}

int64_t run_id(struct fixture *fixture, const char *command, const char *format, ...)
{
    va_list values;
    char *arguments;
    json_t *output;
    int64_t record_id;

    va_start(values, format);
    arguments = format_text(format, values);
    va_end(values);
    output = run_ok_text(fixture, command, arguments);
    record_id = json_integer_value(json_object_get(output, "record-id"));
    json_decref(output);
    sqlite3_free(arguments);
    return record_id;
}

/* What a fault leaves behind, whoever is to blame. */
static void refuse_text(struct fixture *fixture, const char *command, enum fault_blame blame, const char *exception,
                        const char *path, const char *arguments)
{
    int64_t version = ask_integer(fixture, "PRAGMA data_version");
    char *before = dump(fixture), *after;
    json_t *output = NULL;
    struct fault fault = run_text(fixture, command, arguments, &output);

    after = dump(fixture);
    assert_null(output);
    assert_false(fixture->change.wanted);
    assert_int_equal(fixture->failover.kind, FAILOVER_UNCHANGED);
    assert_null(fixture->failover.subnet_ids);
    if (strcmp(exception_name(fault.exception), exception) != 0)
        fail_msg("%s %s: %s: %s", command, arguments, exception_name(fault.exception), fault.message);
    assert_int_equal(fault.blame, blame);
    assert_string_equal(fault.path, path);
    assert_true(strlen(fault.message) > 20);
    assert_string_equal(before, after);
    assert_true(ask_integer(fixture, "PRAGMA data_version") == version);
    sqlite3_free(before);
    sqlite3_free(after);
}

void refuse(struct fixture *fixture, const char *command, const char *exception, const char *node, const char *format,
            ...)
{
    va_list values;
    char *arguments;
    char path[300] = "";

    va_start(values, format);
    arguments = format_text(format, values);
    va_end(values);
    if (node != NULL)
        (void)snprintf(path, sizeof path, "/kea-failover-sync:%s/%s", command, node);
    refuse_text(fixture, command, FAULT_BY_SENDER, exception, path, arguments);
    sqlite3_free(arguments);
}

void refuse_by_store(struct fixture *fixture, const char *command, const char *exception, const char *format, ...)
{
    va_list values;
    char *arguments;

    va_start(values, format);
    arguments = format_text(format, values);
    va_end(values);
    refuse_text(fixture, command, FAULT_BY_RECEIVER, exception, "", arguments);
    sqlite3_free(arguments);
}

void refuse_input(struct fixture *fixture, const char *command, const char *exception, const char *node,
                  const char *arguments)
{
    struct model_tree *tree = NULL;
    char *path = NULL;
    char wanted[300];
    struct fault fault;
    struct result result = model_parse_input(fixture->model, command, arguments, &tree, &path);

    assert_true(result_failed(result));
    fault = fault_of_input(&result, path);
    (void)snprintf(wanted, sizeof wanted, "/kea-failover-sync:%s/%s", command, node);
    assert_string_equal(fault.path, wanted);
    assert_string_equal(exception_name(fault.exception), exception);
    assert_int_equal(fault.blame, FAULT_BY_SENDER);
    free(path);
}
