/* What the store promises of servers, relationships, memberships, tombstones and the history. */
#include "failover_sync/queue.h"
#include "failover_sync/statement.h"
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
    int64_t server1, server2;
};

static void assert_ok(struct result result)
{
    if (result_failed(result))
        fail_msg("code %d: %s", (int)result.code, result.message);
}

static char *ask(struct fixture *fixture, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    const char *text;
    char *answer;

    if (sqlite3_prepare_v2(fixture->other, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(fixture->other));
    answer = NULL;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        text = (const char *)sqlite3_column_text(statement, 0);
        answer = strdup(text == NULL ? "(null)" : text);
    } else {
        answer = strdup("(no row)");
    }
    (void)sqlite3_finalize(statement);
    assert_non_null(answer);
    return answer;
}

static void assert_answer(struct fixture *fixture, const char *sql, const char *expected)
{
    char *answer = ask(fixture, sql);

    assert_string_equal(answer, expected);
    free(answer);
}

static void execute(struct fixture *fixture, const char *sql)
{
    if (sqlite3_exec(fixture->other, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(fixture->other));
}

/* Changes whenever another connection commits something. */
static char *version_of(struct fixture *fixture)
{
    return ask(fixture, "PRAGMA data_version");
}

static void assert_nothing_written(struct fixture *fixture, char *version_before)
{
    assert_answer(fixture, "PRAGMA data_version", version_before);
    free(version_before);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct server_row server = {.ha_name = "server1", .server_name = "192.0.2.1", .is_local = true};

    if (fixture == NULL)
        return -1;
    (void)strcpy(fixture->folder, "/tmp/test_rows.XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) {
        free(fixture);
        return -1;
    }
    *state = fixture;
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->folder);
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_ok(server_store_put(fixture->store, &server, &fixture->server1));
    server = (struct server_row){.ha_name = "server2", .server_name = "192.0.2.2"};
    assert_ok(server_store_put(fixture->store, &server, &fixture->server2));
    assert_int_equal(sqlite3_open(fixture->path, &fixture->other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(fixture->other, "PRAGMA foreign_keys = ON", NULL, NULL, NULL), SQLITE_OK);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    assert_answer(fixture, "PRAGMA integrity_check", "ok");
    assert_answer(fixture, "SELECT count(*) FROM pragma_foreign_key_check", "0");
    (void)sqlite3_close(fixture->other);
    store_close(fixture->store);
    (void)unlink(fixture->path);
    (void)rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static struct relation_row a_relation(struct fixture *fixture)
{
    return (struct relation_row){
        .relationship_name = "server1-server2",
        .server1_record_id = fixture->server1,
        .server2_record_id = fixture->server2,
        .server1_name = "server1",
        .server2_name = "server2",
        .server1_ip = "192.0.2.1",
        .server2_ip = "192.0.2.2",
        .mode = "LoadBalance",
        .kea_mode = "load-balancing",
        .mclt = -1,
        .auto_state_transition = true,
        .state_switch_interval = 60,
        .server1_percentage = 50,
        .shared_secret_enabled = true,
    };
}

static int64_t put_relation(struct fixture *fixture, const struct relation_row *row)
{
    int64_t record_id = 0;

    assert_ok(relation_store_put(fixture->store, row, &record_id));
    assert_true(record_id > 0);
    return record_id;
}

static int64_t put_scope(struct fixture *fixture, uint32_t subnet_id)
{
    char prefix[32], definition[96];
    struct scope_row row = {.server_record_id = fixture->server1, .id = subnet_id};
    int64_t record_id = 0;

    (void)snprintf(prefix, sizeof prefix, "10.%u.%u.0/24", (subnet_id >> 8) & 0xff, subnet_id & 0xff);
    (void)snprintf(definition, sizeof definition, "{\"subnet4\":{\"subnet\":\"%s\"}}", prefix);
    row.name = prefix;
    row.definition = definition;
    assert_ok(scope_store_put(fixture->store, &row, true, &record_id));
    return record_id;
}

/* ---- servers ---- */

static void test_a_server_is_known_by_its_ha_name(void **state)
{
    struct fixture *fixture = *state;
    struct server_row row = {.ha_name = "server2",
                             .server_name = "kea2.example.org",
                             .control_url = "https://kea2.example.org:8000/",
                             .server_version = "2.2.0"};
    int64_t record_id;

    assert_ok(server_store_put(fixture->store, &row, &record_id));
    assert_true(record_id == fixture->server2);
    assert_answer(fixture,
                  "SELECT ServerName || ' ' || ControlUrl || ' ' || ServerVersion || ' ' || IsLocal || ' ' || Af "
                  "FROM ADM_DHCPServersTable WHERE HaName = 'server2'",
                  "kea2.example.org https://kea2.example.org:8000/ 2.2.0 0 InterNetwork");
    row.server_version = NULL;
    row.server_name = "192.0.2.2";
    assert_ok(server_store_put(fixture->store, &row, &record_id));
    assert_answer(fixture,
                  "SELECT ServerName || ' ' || ServerVersion FROM ADM_DHCPServersTable WHERE HaName = 'server2'",
                  "192.0.2.2 2.2.0");
    row.ha_name = NULL;
    assert_int_equal(server_store_put(fixture->store, &row, &record_id).code, RESULT_INVALID);
}

static void test_an_unchanged_server_is_not_written(void **state)
{
    struct fixture *fixture = *state;
    struct server_row row = {.ha_name = "server1", .server_name = "192.0.2.1", .is_local = true};
    char *version = version_of(fixture);
    int64_t record_id;

    assert_ok(server_store_put(fixture->store, &row, &record_id));
    assert_true(record_id == fixture->server1);
    assert_nothing_written(fixture, version);
}

static void test_a_server_seen_is_noted(void **state)
{
    struct fixture *fixture = *state;
    int64_t when;

    assert_ok(server_store_seen(fixture->store, fixture->server2, 1700000000));
    assert_answer(fixture, "SELECT LastSeen FROM ADM_DHCPServersTable WHERE HaName = 'server2'", "1700000000");
    assert_ok(server_store_last_seen(fixture->store, fixture->server2, &when));
    assert_int_equal(when, 1700000000);
    assert_ok(server_store_last_seen(fixture->store, fixture->server1, &when));
    assert_int_equal(when, 0);
    assert_ok(server_store_last_seen(fixture->store, 99, &when));
    assert_int_equal(when, 0);
    assert_int_equal(server_store_seen(fixture->store, 99, 1).code, RESULT_NOT_FOUND);
}

static void test_a_server_is_found_by_its_name_and_by_its_id(void **state)
{
    struct fixture *fixture = *state;
    struct server_row put = {.ha_name = "server2",
                             .server_name = "kea2.example.org",
                             .control_url = "https://kea2.example.org:8000/",
                             .server_version = "2.2.0"};
    struct server_row found;
    int64_t record_id;

    assert_ok(server_store_put(fixture->store, &put, &record_id));
    assert_ok(server_store_find(fixture->store, "server2", &record_id, &found));
    assert_true(record_id == fixture->server2);
    assert_string_equal(found.ha_name, put.ha_name);
    assert_string_equal(found.server_name, put.server_name);
    assert_string_equal(found.control_url, put.control_url);
    assert_string_equal(found.server_version, put.server_version);
    assert_false(found.is_local);
    server_row_clear(&found);
    assert_ok(server_store_find_by_id(fixture->store, fixture->server1, &found));
    assert_string_equal(found.ha_name, "server1");
    assert_null(found.control_url);
    assert_null(found.server_version);
    assert_true(found.is_local);
    server_row_clear(&found);
    assert_int_equal(server_store_find_by_id(fixture->store, 99, &found).code, RESULT_NOT_FOUND);
    assert_int_equal(server_store_find(fixture->store, "server9", &record_id, &found).code, RESULT_NOT_FOUND);
    assert_true(record_id == 0);
}

static void test_only_another_server_that_no_relationship_has_is_removed(void **state)
{
    static const char names[] = "SELECT group_concat(HaName) FROM ADM_DHCPServersTable";
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t relation;

    assert_ok(server_store_remove_unused(fixture->store, fixture->server1));
    row.server1_record_id = 0;
    relation = put_relation(fixture, &row);
    assert_ok(server_store_remove_unused(fixture->store, fixture->server2));
    assert_answer(fixture, names, "server1,server2");
    assert_ok(relation_store_remove(fixture->store, relation));
    assert_ok(relation_store_remove(fixture->store, relation));
    assert_ok(server_store_remove_unused(fixture->store, fixture->server2));
    assert_answer(fixture, names, "server1");
}

/* ---- relationships ---- */

static struct result compare_relation(void *context, const struct relation_row *row)
{
    const struct relation_row *expected = context;

    assert_string_equal(row->relationship_name, expected->relationship_name);
    assert_true(row->server1_record_id == expected->server1_record_id);
    assert_true(row->server2_record_id == expected->server2_record_id);
    assert_string_equal(row->server1_name, expected->server1_name);
    assert_string_equal(row->server2_name, expected->server2_name);
    assert_string_equal(row->server1_ip, expected->server1_ip);
    assert_string_equal(row->server2_ip, expected->server2_ip);
    assert_string_equal(row->mode, expected->mode);
    assert_string_equal(row->kea_mode, expected->kea_mode);
    assert_int_equal(row->mclt, expected->mclt);
    assert_int_equal(row->auto_state_transition, expected->auto_state_transition);
    assert_int_equal(row->state_switch_interval, expected->state_switch_interval);
    assert_int_equal(row->server1_percentage, expected->server1_percentage);
    assert_int_equal(row->shared_secret_enabled, expected->shared_secret_enabled);
    assert_string_equal(row->server1_state, expected->server1_state);
    assert_string_equal(row->server2_state, expected->server2_state);
    return result_error(RESULT_REFUSED, "seen");
}

static void test_every_property_of_a_relationship_is_read_back(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t record_id = put_relation(fixture, &row);

    row.server1_state = row.server2_state = "Unknown"; /* of a new one */
    assert_string_equal(relation_store_each(fixture->store, compare_relation, &row).message, "seen");
    row.mclt = 3600;
    row.state_switch_interval = -1;
    row.server1_state = "Normal";
    row.server2_state = "PartnerDown";
    assert_true(put_relation(fixture, &row) == record_id);
    assert_string_equal(relation_store_each(fixture->store, compare_relation, &row).message, "seen");
    assert_answer(fixture, "SELECT Server1PSName || Server2PSName || Origin FROM ADM_DhcpFailoverRelationTable",
                  "server1server2HaConfig");
    assert_answer(fixture, "SELECT StateSwitchInterval FROM ADM_DhcpFailoverRelationTable", "(null)");
}

static void test_an_unchanged_relationship_is_not_written(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t record_id = put_relation(fixture, &row);
    char *version = version_of(fixture);

    assert_true(put_relation(fixture, &row) == record_id);
    assert_ok(relation_store_keep_only(fixture->store, &record_id, 1));
    assert_nothing_written(fixture, version);
}

static void test_a_relationship_without_servers_is_still_one_row(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);

    row.server1_record_id = row.server2_record_id = 0;
    assert_true(put_relation(fixture, &row) == put_relation(fixture, &row));
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpFailoverRelationTable", "1");
}

static void test_what_an_admin_edited_stays(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t record_id = put_relation(fixture, &row);

    execute(fixture, "UPDATE ADM_DhcpFailoverRelationTable SET Mode = 'HotStandby', MCLT = 1800, Server1IP = 'edited', "
                     "EditedProperties = '[\"Mode\", \"MCLT\", 7, \"Server1IP\"]'");
    row.mclt = 60;
    row.server1_percentage = 70;
    row.server2_ip = "198.51.100.2";
    assert_true(put_relation(fixture, &row) == record_id);
    assert_answer(fixture,
                  "SELECT Mode || ' ' || MCLT || ' ' || Server1IP || ' ' || Server1Percentage || ' ' || Server2IP "
                  "FROM ADM_DhcpFailoverRelationTable",
                  "HotStandby 1800 edited 70 198.51.100.2");
}

static void test_a_relationship_that_an_admin_renamed_is_not_doubled(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t record_id = put_relation(fixture, &row);

    execute(fixture, "UPDATE ADM_DhcpFailoverRelationTable SET RelationshipName = 'branch offices', "
                     "EditedProperties = '[\"RelationshipName\"]'");
    assert_true(put_relation(fixture, &row) == record_id);
    assert_answer(fixture, "SELECT RelationshipName FROM ADM_DhcpFailoverRelationTable", "branch offices");
}

static void test_damaged_edited_properties_hold_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t record_id = put_relation(fixture, &row);

    execute(fixture, "UPDATE ADM_DhcpFailoverRelationTable SET EditedProperties = '[\"Mode'");
    row.mode = "HotStandby";
    assert_true(put_relation(fixture, &row) == record_id);
    assert_answer(fixture, "SELECT Mode FROM ADM_DhcpFailoverRelationTable", "HotStandby");
}

static void test_relationships_of_an_admin_survive_mirroring(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t dropped = put_relation(fixture, &row);
    int64_t admins, scope;

    row.relationship_name = "of an admin";
    admins = put_relation(fixture, &row);
    execute(fixture,
            "UPDATE ADM_DhcpFailoverRelationTable SET Origin = 'Admin' WHERE RelationshipName = 'of an admin'");
    scope = put_scope(fixture, 1);
    assert_ok(membership_store_set(fixture->store, scope, (int64_t[]){dropped, admins}, 2));
    assert_ok(relation_store_keep_only(fixture->store, NULL, 0));
    assert_answer(fixture, "SELECT group_concat(RelationshipName) FROM ADM_DhcpFailoverRelationTable", "of an admin");
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpScopeFailoverTable", "1"); /* the other's went with it */
    row.mode = "HotStandby";
    assert_true(put_relation(fixture, &row) == admins);
    assert_answer(fixture, "SELECT Mode || Origin FROM ADM_DhcpFailoverRelationTable", "LoadBalanceAdmin");
}

static void test_states_tell_whether_they_changed(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t record_id = put_relation(fixture, &row);
    bool changed = false;

    assert_ok(relation_store_set_states(fixture->store, record_id, "Normal", "Startup", &changed));
    assert_true(changed);
    assert_ok(relation_store_set_states(fixture->store, record_id, "Normal", "Startup", &changed));
    assert_false(changed);
    assert_int_equal(relation_store_set_states(fixture->store, 99, "Normal", "Normal", &changed).code,
                     RESULT_NOT_FOUND);
    assert_true(put_relation(fixture, &row) == record_id); /* has no states: keeps these */
    assert_answer(fixture, "SELECT Server1State || Server2State FROM ADM_DhcpFailoverRelationTable", "NormalStartup");
}

static void test_a_relationship_that_cannot_be_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    char name[2 * 257 + 1] = "";
    int64_t record_id;

    for (int i = 0; i < 256; i++)
        (void)strcat(name, "\xc3\xa4"); /* 256 characters in 512 bytes */
    row.relationship_name = name;
    (void)put_relation(fixture, &row);
    (void)strcat(name, "x");
    assert_int_equal(relation_store_put(fixture->store, &row, &record_id).code, RESULT_INVALID);
    row.relationship_name = "";
    assert_int_equal(relation_store_put(fixture->store, &row, &record_id).code, RESULT_INVALID);
    row = a_relation(fixture);
    row.server1_percentage = 101;
    assert_int_equal(relation_store_put(fixture->store, &row, &record_id).code, RESULT_INVALID);
    row = a_relation(fixture);
    row.mode = NULL;
    assert_int_equal(relation_store_put(fixture->store, &row, &record_id).code, RESULT_INVALID);
    row.mode = "Unheard-of";
    assert_int_equal(relation_store_put(fixture->store, &row, &record_id).code, RESULT_STORE);
}

/* ---- memberships ---- */

static void test_memberships_become_exactly_the_mirrored_ones_and_an_admins_stay(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t first = put_relation(fixture, &row);
    int64_t second, admins, scope;
    int64_t *relations = NULL;
    size_t count = 0;
    char *version;

    row.relationship_name = "second";
    second = put_relation(fixture, &row);
    row.relationship_name = "of an admin";
    admins = put_relation(fixture, &row);
    execute(fixture,
            "UPDATE ADM_DhcpFailoverRelationTable SET Origin = 'Admin' WHERE RelationshipName = 'of an admin'");
    scope = put_scope(fixture, 1);
    assert_ok(membership_store_find(fixture->store, scope, &relations, &count));
    assert_null(relations);
    assert_int_equal(count, 0);
    assert_ok(membership_store_set(fixture->store, scope, (int64_t[]){admins, first}, 2));
    assert_ok(membership_store_set(fixture->store, scope, (int64_t[]){second, second}, 2));
    version = version_of(fixture);
    assert_ok(membership_store_set(fixture->store, scope, (int64_t[]){second}, 1));
    assert_nothing_written(fixture, version);
    assert_ok(membership_store_find(fixture->store, scope, &relations, &count));
    assert_int_equal(count, 2);
    assert_true(relations[0] == second && relations[1] == admins);
    free(relations);
    assert_ok(membership_store_set(fixture->store, scope, NULL, 0));
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpScopeFailoverTable", "1");
}

static void test_a_membership_in_nothing_is_refused_as_a_whole(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t relation = put_relation(fixture, &row);
    int64_t scope = put_scope(fixture, 1);

    assert_int_equal(membership_store_set(fixture->store, scope, (int64_t[]){relation, 99}, 2).code, RESULT_STORE);
    assert_answer(fixture, "SELECT count(*) FROM ADM_DhcpScopeFailoverTable", "0");
    assert_int_equal(membership_store_set(fixture->store, 99, &relation, 1).code, RESULT_STORE);
}

/* ---- tombstones, history ---- */

static struct result compare_tombstone(void *context, const struct tombstone_row *row)
{
    const struct tombstone_row *expected = context;

    assert_int_equal(row->id, expected->id);
    assert_string_equal(row->name, expected->name);
    assert_true(delivery_same(&row->buried.file, &expected->buried.file));
    assert_true(delivery_same(&row->buried.configuration, &expected->buried.configuration));
    assert_int_equal(row->buried.origin, expected->buried.origin);
    return result_error(RESULT_REFUSED, "seen");
}

static void test_tombstones_are_replaced_read_back_and_removed(void **state)
{
    struct fixture *fixture = *state;
    struct tombstone_row row = {.id = UINT32_MAX, .name = "192.0.2.0/24"};

    assert_ok(tombstone_store_each(fixture->store, compare_tombstone, &row));
    assert_ok(tombstone_store_put(fixture->store, &row, 1700000000000));
    assert_string_equal(tombstone_store_each(fixture->store, compare_tombstone, &row).message, "seen");
    row.name = "198.51.100.0/24";
    row.buried.file = (struct delivery){fingerprint_of("1", 1), fingerprint_of("5", 1), fingerprint_of("3", 1)};
    row.buried.configuration =
        (struct delivery){fingerprint_of("2", 1), fingerprint_of("6", 1), fingerprint_of("4", 1)};
    row.buried.origin = SCOPE_FROM_PARTNER;
    assert_ok(tombstone_store_put(fixture->store, &row, 1700000000001));
    assert_string_equal(tombstone_store_each(fixture->store, compare_tombstone, &row).message, "seen");
    assert_answer(fixture, "SELECT count(*) || ' ' || max(RemovedAt) FROM ObjectTombstones", "1 1700000000001");
    assert_ok(tombstone_store_remove(fixture->store, UINT32_MAX));
    assert_ok(tombstone_store_remove(fixture->store, UINT32_MAX));
    assert_answer(fixture, "SELECT count(*) FROM ObjectTombstones", "0");
}

static void test_history_keeps_the_newest_versions_of_each_scope(void **state)
{
    struct fixture *fixture = *state;
    struct history_row row = {.id = 1,
                              .name = "192.0.2.0/24",
                              .definition = "{\"subnet4\":{}}",
                              .fingerprint = fingerprint_of("1", 1),
                              .reason = "the primary wins"};

    assert_ok(history_store_add(fixture->store, &row));
    assert_answer(fixture,
                  "SELECT ObjectId || Name || Definition || Reason || ReplacedAt || length(Fingerprint) "
                  "FROM ObjectHistory",
                  "1192.0.2.0/24{\"subnet4\":{}}the primary wins032");
    row.definition = NULL; /* a removal lost */
    row.id = 2;
    for (row.replaced_at = 1; row.replaced_at <= 130; row.replaced_at++)
        assert_ok(history_store_add(fixture->store, &row));
    assert_answer(fixture,
                  "SELECT count(*) || ' ' || min(ReplacedAt) || ' ' || max(ReplacedAt) FROM ObjectHistory "
                  "WHERE ObjectId = 2 AND Definition IS NULL",
                  "100 31 130");
    assert_answer(fixture, "SELECT count(*) FROM ObjectHistory WHERE ObjectId = 1", "1");
}

static void test_the_queue_holds_one_wish_per_scope_and_partner(void **state)
{
    static const char insert[] =
        "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, ObjectId, Name, EnqueuedAt, "
        "NextAttemptAt) VALUES (?1, ?2, 7, '192.0.2.0/24', 1, 1)";
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t relation = put_relation(fixture, &row);
    struct statement *statement;
    int64_t record_id;

    for (int i = 0; i < 2; i++) {
        assert_ok(statement_get(fixture->store, insert, &statement));
        statement_bind_id(statement, 1, relation);
        statement_bind_id(statement, 2, fixture->server2);
        assert_int_equal(statement_insert(statement, &record_id).code, i == 0 ? RESULT_OK : RESULT_STORE);
    }
    assert_answer(fixture, "SELECT Removal || Attempts || Held FROM ReplicationQueue", "000");
    assert_ok(relation_store_keep_only(fixture->store, NULL, 0));
    assert_answer(fixture, "SELECT count(*) FROM ReplicationQueue", "0");
}

/* A batch of scopes is bounded and of one kind; whoever wants everything gets it, removals first. */
static void test_all_that_is_due_can_be_taken_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    struct queue_item wish = {.relation_record_id = put_relation(fixture, &row), .server_record_id = fixture->server2};
    struct queue_item *items = NULL;
    size_t count = 0;

    snprintf(wish.name, sizeof wish.name, "192.0.2.0/24");
    for (wish.id = 1; wish.id <= 1202; wish.id++) {
        wish.removal = wish.id > 1200;
        assert_ok(queue_put(fixture->store, &wish, wish.id == 5 ? 100 : 10));
    }
    assert_ok(queue_take_due(fixture->store, fixture->server2, fixture->server1, 50, 100, &items, &count));
    assert_int_equal(count, 2);
    assert_true(items[0].removal && items[1].removal);
    free(items);
    assert_ok(queue_take_due(fixture->store, fixture->server2, fixture->server1, 50, QUEUE_TAKE_ALL, &items, &count));
    assert_int_equal(count, 1201);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(items[i].removal, i < 2);
        assert_int_not_equal(items[i].id, 5);
    }
    free(items);
}

static void put_wish(struct fixture *fixture, int64_t relation, uint32_t subnet_id, bool removal, int64_t now)
{
    struct queue_item wish = {
        .relation_record_id = relation, .server_record_id = fixture->server2, .id = subnet_id, .removal = removal};

    snprintf(wish.name, sizeof wish.name, "10.0.%u.0/24", subnet_id);
    assert_ok(queue_put(fixture->store, &wish, now));
}

/* The subnet ids of the next batch, in its order. */
static void assert_taken(struct fixture *fixture, int64_t now, size_t limit, const char *expected)
{
    struct queue_item *items = NULL;
    size_t count = 0;
    char text[200] = "";

    assert_ok(queue_take_due(fixture->store, fixture->server2, fixture->server1, now, limit, &items, &count));
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u", i == 0 ? "" : " ",
                 object_subnet_id(items[i].id));
    free(items);
    assert_string_equal(text, expected);
}

static void test_the_oldest_wishes_go_first(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t relation = put_relation(fixture, &row);

    put_wish(fixture, relation, 3, false, 10);
    put_wish(fixture, relation, 1, false, 11);
    put_wish(fixture, relation, 2, false, 9);
    put_wish(fixture, relation, 4, false, 60);
    put_wish(fixture, relation, 3, false, 40); /* changed again: it keeps its age */
    assert_taken(fixture, 50, 2, "2 3");
    assert_taken(fixture, 50, 10, "2 3 1");
    assert_taken(fixture, 60, 10, "2 3 1 4");
    put_wish(fixture, relation, 1, true, 70);
    assert_taken(fixture, 70, 10, "1");
    assert_taken(fixture, 70, QUEUE_TAKE_ALL, "1 2 3 4");
}

/* Each carries the network's parameters: if the partner has others, they change there for all of them at once. */
static void test_the_scopes_of_a_network_that_changed_go_together(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = a_relation(fixture);
    int64_t relation = put_relation(fixture, &row);

    for (uint32_t id = 1; id <= 8; id++)
        put_wish(fixture, relation, id, false, 10 + id);
    assert_taken(fixture, 50, 3, "1 2 3");
    execute(
        fixture,
        "INSERT INTO ADM_DhcpSuperscopeTable (RecordId, ServerRecordId, Name, Definition) VALUES "
        "(1, 1, 'north', '{}'), (2, 1, 'south', '{}'), (3, 2, 'north', '{\"old\":1}'), (4, 2, 'south', '{\"old\":1}')");
    /* Scopes 2, 4, 6 and 8 are in the north, 3 and 7 in the south; where the partner has them counts for nothing. */
    execute(fixture,
            "WITH RECURSIVE ids (id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM ids WHERE id < 8) "
            "INSERT INTO ADM_DHCPScopesTable (Af, DHCPServerRecordId, ScopeId, ScopeName, PrefixLength, StartAddress, "
            "EndAddress, ExclusionRanges, TotalNumberOfAddressesInScope, TotalNumberOfExcludedAddressesInScope, "
            "SubnetId, Prefix, Origin, ModifiedAt, HasParts, Definition, Effective, SuperscopeId) "
            "SELECT 'InterNetwork', server, '10.0.' || id || '.0', '', 24, '10.0.0.1', '10.0.0.9', '[]', 9, 0, id, "
            "'10.0.' || id || '.0/24', 'Configuration', 1, 0, '{}', '{}', CASE WHEN server = 2 THEN 3 WHEN id % 2 = 0 "
            "THEN 1 WHEN id % 4 = 3 THEN 2 END FROM ids, (SELECT 1 AS server UNION ALL SELECT 2)");
    assert_taken(fixture, 50, 1, "1");
    assert_taken(fixture, 50, 2, "1 2 4 6 8");
    assert_taken(fixture, 50, 6, "1 2 4 6 8 3 7");
    assert_taken(fixture, 50, 8, "1 2 4 6 8 3 7 5");
    /* What is held, or not due, stays where it is; a removal needs no company. */
    execute(fixture, "UPDATE ReplicationQueue SET Held = 1 WHERE ObjectId = 2");
    put_wish(fixture, relation, 6, true, 60);
    assert_taken(fixture, 50, 2, "1 3 7");
    assert_taken(fixture, 60, 2, "6");
    assert_ok(queue_remove(fixture->store, fixture->server2, 6));
    assert_taken(fixture, 13, 9, "1 3");
    assert_taken(fixture, 60, 4, "1 3 7 4 8");
    /* A network that the partner has as it is, or has not, does not change there. */
    execute(fixture, "UPDATE ADM_DhcpSuperscopeTable SET Definition = '{}' WHERE RecordId = 3");
    execute(fixture, "UPDATE ADM_DhcpSuperscopeTable SET Name = 'west' WHERE RecordId = 4");
    assert_taken(fixture, 60, 2, "1 3");
    assert_taken(fixture, 60, 4, "1 3 7 4");
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_server_is_known_by_its_ha_name),
        TEST(test_an_unchanged_server_is_not_written),
        TEST(test_a_server_seen_is_noted),
        TEST(test_a_server_is_found_by_its_name_and_by_its_id),
        TEST(test_only_another_server_that_no_relationship_has_is_removed),
        TEST(test_every_property_of_a_relationship_is_read_back),
        TEST(test_an_unchanged_relationship_is_not_written),
        TEST(test_a_relationship_without_servers_is_still_one_row),
        TEST(test_what_an_admin_edited_stays),
        TEST(test_a_relationship_that_an_admin_renamed_is_not_doubled),
        TEST(test_damaged_edited_properties_hold_nothing),
        TEST(test_relationships_of_an_admin_survive_mirroring),
        TEST(test_states_tell_whether_they_changed),
        TEST(test_a_relationship_that_cannot_be_is_refused),
        TEST(test_memberships_become_exactly_the_mirrored_ones_and_an_admins_stay),
        TEST(test_a_membership_in_nothing_is_refused_as_a_whole),
        TEST(test_tombstones_are_replaced_read_back_and_removed),
        TEST(test_history_keeps_the_newest_versions_of_each_scope),
        TEST(test_the_queue_holds_one_wish_per_scope_and_partner),
        TEST(test_all_that_is_due_can_be_taken_at_once),
        TEST(test_the_oldest_wishes_go_first),
        TEST(test_the_scopes_of_a_network_that_changed_go_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
