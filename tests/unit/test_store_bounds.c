/* Every bound that plugin/adm/README.md states, reached: what grows with use has an end, counted by numbers and bytes,
 * whatever the clock says. */
#include "failover_sync/queue.h"
#include "failover_sync/receive.h"
#include "failover_sync/statement.h"
#include "failover_sync/store.h"
#include "failover_sync/version_store.h"

#include <ftw.h>
#include <jansson.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MEGABYTE   (1 << 20)
#define YEAR_MS    (INT64_C(365) * 24 * 3600 * 1000)
#define LOG_KEPT   (16 * MEGABYTE)
#define LOG_MAX    (256 * MEGABYTE)
#define HISTORY_MB 64

struct fixture {
    char folder[64], path[128], log[140];
    struct store *store;
    int64_t server;
};

static void assert_ok(struct result result)
{
    if (result_failed(result))
        fail_msg("code %d: %s", (int)result.code, result.message);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const struct server_row row = {.ha_name = "server1", .server_name = "192.0.2.1", .is_local = true};

    if (fixture == NULL)
        return -1;
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/test_store_bounds.XXXXXX");
    if (mkdtemp(fixture->folder) == NULL)
        return -1;
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->folder);
    (void)snprintf(fixture->log, sizeof fixture->log, "%s-wal", fixture->path);
    if (result_failed(store_open(fixture->path, &fixture->store)) ||
        result_failed(server_store_put(fixture->store, &row, &fixture->server)))
        return -1;
    *state = fixture;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    store_close(fixture->store);
    (void)nftw(fixture->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

static int64_t ask(struct fixture *fixture, const char *sql)
{
    struct statement *statement;
    int64_t value = -1;

    assert_ok(statement_get(fixture->store, sql, &statement));
    assert_ok(statement_read_integer(statement, &value));
    return value;
}

static off_t log_size(const struct fixture *fixture)
{
    struct stat status;

    return stat(fixture->log, &status) == 0 ? status.st_size : 0;
}

/* ---- the write-ahead log ---- */

static struct result change(struct fixture *fixture, size_t bytes)
{
    static char text[4 * MEGABYTE];
    const struct history_row row = {.id = 1, .name = "192.0.2.0/24", .definition = text, .replaced_at = 1};

    assert_true(bytes < sizeof text);
    memset(text, 'x', bytes);
    text[bytes] = '\0';
    return history_store_add(fixture->store, &row);
}

static sqlite3 *begin_reading(const struct fixture *fixture)
{
    sqlite3 *reader = NULL;

    assert_int_equal(sqlite3_open_v2(fixture->path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM ObjectHistory", NULL, NULL, NULL), SQLITE_OK);
    return reader;
}

static void test_the_log_is_cut_when_a_reader_that_made_it_grow_has_ended(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *reader = begin_reading(fixture);

    for (int i = 0; i < 40; i++)
        assert_ok(change(fixture, MEGABYTE));
    assert_true(log_size(fixture) > 40 * MEGABYTE);
    assert_false(store_is_lost(fixture->store)); /* as the worker asks every second */
    assert_true(log_size(fixture) > 40 * MEGABYTE);
    sqlite3_close(reader);
    assert_false(store_is_lost(fixture->store));
    assert_true(log_size(fixture) <= LOG_KEPT);
}

static void test_the_log_is_cut_by_the_next_changes_though_nobody_looks_after_it(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *reader = begin_reading(fixture);

    for (int i = 0; i < 40; i++)
        assert_ok(change(fixture, MEGABYTE));
    sqlite3_close(reader);
    for (int i = 0; i < 3; i++)
        assert_ok(change(fixture, 100));
    assert_true(log_size(fixture) <= LOG_KEPT);
}

static void test_beyond_its_bound_nothing_is_written_until_the_reader_has_ended(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *reader = begin_reading(fixture);
    struct result result = result_ok();
    int64_t changes = 0, before;
    off_t size;

    while (!result_failed(result = change(fixture, 3 * MEGABYTE)) && changes < 200)
        changes++;
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, fixture->path));
    assert_non_null(strstr(result.message, "256 MB"));
    assert_non_null(strstr(result.message, "end that process"));
    size = log_size(fixture);
    assert_true(size > LOG_MAX && size < LOG_MAX + 8 * MEGABYTE); /* one transaction more */
    before = ask(fixture, "SELECT max(RecordId) FROM ObjectHistory");
    /* Nor by a statement outside of a transaction. */
    assert_int_equal(server_store_seen(fixture->store, fixture->server, 1).code, RESULT_STORE);
    assert_true(log_size(fixture) == size);
    assert_true(ask(fixture, "SELECT max(RecordId) FROM ObjectHistory") == before);
    sqlite3_close(reader);
    assert_ok(change(fixture, 100));
    assert_true(log_size(fixture) <= LOG_KEPT);
}

/* ---- the history ---- */

static void test_the_history_has_a_bound_by_bytes_and_keeps_the_newest(void **state)
{
    struct fixture *fixture = *state;
    static char text[MEGABYTE + 1];
    struct history_row row = {.name = "192.0.2.0/24", .definition = text, .replaced_at = 1};

    memset(text, 'x', MEGABYTE);
    for (row.id = 1; row.id <= HISTORY_MB + 6; row.id++)
        assert_ok(history_store_add(fixture->store, &row));
    assert_int_equal(ask(fixture, "SELECT count(*) FROM ObjectHistory"), HISTORY_MB);
    assert_int_equal(ask(fixture, "SELECT min(ObjectId) FROM ObjectHistory"), 7);
    assert_int_equal(ask(fixture, "SELECT sum(length(Definition)) FROM ObjectHistory"), HISTORY_MB * MEGABYTE);
}

static void test_the_last_version_is_in_the_history_though_it_alone_is_too_large(void **state)
{
    struct fixture *fixture = *state;
    struct history_row row = {.id = 2, .name = "192.0.2.0/24", .replaced_at = 1};

    assert_ok(history_store_add(fixture->store, &row));
    assert_ok(store_begin(fixture->store));
    assert_ok(change(fixture, 100));
    assert_ok(store_commit(fixture->store));
    {
        struct statement *statement;

        assert_ok(statement_get(fixture->store, "UPDATE ObjectHistory SET Bytes = 100000000", &statement));
        assert_ok(statement_run(statement));
    }
    row.id = 3;
    row.definition = "newest";
    assert_ok(history_store_add(fixture->store, &row));
    assert_int_equal(ask(fixture, "SELECT count(*) FROM ObjectHistory"), 1);
    assert_int_equal(ask(fixture, "SELECT ObjectId FROM ObjectHistory"), 3);
}

static void test_the_history_has_a_bound_by_number(void **state)
{
    struct fixture *fixture = *state;
    struct history_row row = {.name = "192.0.2.0/24", .replaced_at = 1};

    assert_ok(store_begin(fixture->store));
    {
        struct statement *statement;

        assert_ok(statement_get(fixture->store,
                                "INSERT INTO ObjectHistory (ObjectId, Name, ReplacedAt, Bytes) WITH RECURSIVE n (i) "
                                "AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20005) SELECT i, '', 1, 0 FROM n",
                                &statement));
        assert_ok(statement_run(statement));
    }
    row.id = 30000;
    assert_ok(history_store_add(fixture->store, &row));
    assert_ok(store_commit(fixture->store));
    assert_int_equal(ask(fixture, "SELECT count(*) FROM ObjectHistory"), 20000);
    assert_int_equal(ask(fixture, "SELECT max(ObjectId) FROM ObjectHistory"), 30000);
    assert_int_equal(ask(fixture, "SELECT min(ObjectId) FROM ObjectHistory"), 7);
}

static void test_no_clock_takes_anything_out_of_the_history(void **state)
{
    static const int64_t clocks[] = {1, 50 * YEAR_MS, 2, 80 * YEAR_MS, 3};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        const struct history_row row = {.id = 1, .name = "192.0.2.0/24", .definition = "{}", .replaced_at = clocks[i]};

        assert_ok(history_store_add(fixture->store, &row));
        assert_int_equal(ask(fixture, "SELECT count(*) FROM ObjectHistory"), (int)i + 1);
    }
}

/* ---- removals ---- */

static void put_removal(struct fixture *fixture, uint32_t subnet_id, int64_t when)
{
    struct version_row row = {
        .server_record_id = fixture->server, .id = subnet_id, .removed = true, .changed_at = when};

    (void)snprintf(row.name, sizeof row.name, "10.0.0.0/24");
    assert_ok(version_store_put(fixture->store, &row));
}

static void prune(struct fixture *fixture, size_t expected)
{
    int64_t *ids = NULL;
    size_t count = 0;

    assert_ok(version_store_prune(fixture->store, fixture->server, &ids, &count));
    assert_int_equal(count, expected);
    free(ids);
}

static void test_of_removals_the_last_are_kept_whatever_the_clock_said(void **state)
{
    struct fixture *fixture = *state;
    const uint32_t count = VERSION_REMOVED_KEPT + 10;

    assert_ok(store_begin(fixture->store));
    /* The first ones were made while the clock was years ahead. */
    for (uint32_t i = 1; i <= count; i++)
        put_removal(fixture, i, i <= 5 ? 50 * YEAR_MS : i);
    prune(fixture, 10);
    assert_ok(store_commit(fixture->store));
    assert_int_equal(ask(fixture, "SELECT count(*) FROM ObjectVersions"), VERSION_REMOVED_KEPT);
    assert_int_equal(ask(fixture, "SELECT min(ObjectId) FROM ObjectVersions"), 11);
    prune(fixture, 0);
    /* One that is made again is the last one. */
    put_removal(fixture, 11, 1);
    put_removal(fixture, count + 1, 1);
    prune(fixture, 1);
    assert_int_equal(ask(fixture, "SELECT min(ObjectId) FROM ObjectVersions"), 11);
}

static void test_an_old_removal_is_not_forgotten_because_the_clock_is_ahead(void **state)
{
    struct fixture *fixture = *state;

    put_removal(fixture, 1, 1);
    put_removal(fixture, 2, 50 * YEAR_MS);
    prune(fixture, 0);
    assert_int_equal(ask(fixture, "SELECT count(*) FROM ObjectVersions"), 2);
}

static void test_nonsense_in_the_order_of_removals_is_no_end_of_it(void **state)
{
    struct fixture *fixture = *state;
    struct statement *statement;

    put_removal(fixture, 1, 1);
    assert_ok(
        statement_get(fixture->store, "UPDATE ObjectVersions SET RemovedOrder = 9223372036854775807", &statement));
    assert_ok(statement_run(statement));
    put_removal(fixture, 2, 1);
    put_removal(fixture, 3, 1);
    prune(fixture, 0);
}

/* ---- tickets ---- */

static bool is_known(struct tickets *tickets, const char *name)
{
    json_t *description = tickets_describe(tickets, name);
    const bool known = description != NULL;

    json_decref(description);
    return known;
}

static json_t *answer_of(size_t bytes)
{
    char *text = calloc(1, bytes + 1);
    json_t *outcomes = json_object();

    assert_non_null(text);
    memset(text, 'x', bytes);
    assert_int_equal(json_object_set_new(outcomes, "scopes", json_string(text)), 0);
    free(text);
    return outcomes;
}

static void test_tickets_have_a_bound_by_bytes_and_the_last_is_known(void **state)
{
    char names[24][TICKET_NAME_SIZE];
    struct tickets *tickets = NULL;

    (void)state;
    assert_ok(tickets_new(&tickets));
    for (int i = 0; i < 24; i++) {
        tickets_issue(tickets, "instance", names[i]);
        tickets_set(tickets, names[i], TICKET_APPLIED, NULL, answer_of(MEGABYTE));
    }
    for (int i = 0; i < 24; i++)
        assert_int_equal(is_known(tickets, names[i]), i >= 24 - TICKETS_MAX_BYTES / MEGABYTE + 1);
    tickets_set(tickets, names[23], TICKET_RECORDED, NULL, answer_of(3 * TICKETS_MAX_BYTES));
    assert_true(is_known(tickets, names[23]));
    assert_false(is_known(tickets, names[22]));
    tickets_free(tickets);
}

static void test_tickets_have_a_bound_by_number(void **state)
{
    char first[TICKET_NAME_SIZE], last[TICKET_NAME_SIZE];
    struct tickets *tickets = NULL;

    (void)state;
    assert_ok(tickets_new(&tickets));
    tickets_issue(tickets, "instance", first);
    for (int i = 0; i < TICKETS_KEPT; i++)
        tickets_issue(tickets, "instance", last);
    assert_false(is_known(tickets, first));
    assert_true(is_known(tickets, last));
    tickets_free(tickets);
}

/* ---- what somebody wrote into it ---- */

static void test_a_text_that_is_longer_than_any_of_ours_is_an_error_and_no_memory(void **state)
{
    struct fixture *fixture = *state;
    struct history_filter filter = {.limit = 10};
    sqlite3 *other = NULL;
    struct result result;

    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other,
                                  "INSERT INTO ObjectHistory (ObjectId, Name, ReplacedAt, Bytes, Definition) VALUES "
                                  "(1, '', 1, 0, printf('%.*c', 40000000, 'x'))",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    (void)sqlite3_close(other);
    result = history_store_each(fixture->store, &filter, NULL, NULL);
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, "remove the row"));
}

static void test_what_is_in_the_file_cannot_call_or_write_what_it_should_not(void **state)
{
    struct fixture *fixture = *state;
    struct statement *statement;
    sqlite3 *other = NULL;
    struct result result;
    bool row;

    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(other, "CREATE VIEW evil AS SELECT load_extension('/tmp/evil.so') AS x", NULL, NULL, NULL),
        SQLITE_OK);
    (void)sqlite3_close(other);
    result = statement_get(fixture->store, "SELECT x FROM evil", &statement);
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, "unsafe use"));
    assert_ok(statement_get(fixture->store, "PRAGMA writable_schema = ON", &statement));
    (void)statement_step(statement, &row);
    statement_done(statement);
    result = statement_get(fixture->store, "DELETE FROM sqlite_schema", &statement);
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, "may not be modified"));
    result = statement_get(fixture->store, "ATTACH '/tmp/other.db' AS other", &statement);
    if (!result_failed(result))
        result = statement_step(statement, &row);
    assert_int_equal(result.code, RESULT_STORE);
}

static void test_a_statement_that_takes_too_long_ends(void **state)
{
    struct fixture *fixture = *state;
    struct statement *statement;
    struct result result;
    bool row;

    assert_ok(statement_get(fixture->store,
                            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
                            &statement));
    alarm(60);
    result = statement_step(statement, &row);
    alarm(0);
    assert_int_equal(result.code, RESULT_STORE);
    assert_non_null(strstr(result.message, "ten seconds"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_log_is_cut_when_a_reader_that_made_it_grow_has_ended),
        TEST(test_the_log_is_cut_by_the_next_changes_though_nobody_looks_after_it),
        TEST(test_beyond_its_bound_nothing_is_written_until_the_reader_has_ended),
        TEST(test_the_history_has_a_bound_by_bytes_and_keeps_the_newest),
        TEST(test_the_last_version_is_in_the_history_though_it_alone_is_too_large),
        TEST(test_the_history_has_a_bound_by_number),
        TEST(test_no_clock_takes_anything_out_of_the_history),
        TEST(test_of_removals_the_last_are_kept_whatever_the_clock_said),
        TEST(test_an_old_removal_is_not_forgotten_because_the_clock_is_ahead),
        TEST(test_nonsense_in_the_order_of_removals_is_no_end_of_it),
        TEST(test_a_text_that_is_longer_than_any_of_ours_is_an_error_and_no_memory),
        TEST(test_what_is_in_the_file_cannot_call_or_write_what_it_should_not),
        TEST(test_a_statement_that_takes_too_long_ends),
        cmocka_unit_test(test_tickets_have_a_bound_by_bytes_and_the_last_is_known),
        cmocka_unit_test(test_tickets_have_a_bound_by_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
