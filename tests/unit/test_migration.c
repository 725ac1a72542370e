/* What the store promises of older files: a file of schema version 1 to 6 becomes one that a new file cannot be
 * told from, with all that was in it. */
#include "failover_sync/store.h"

#include <ftw.h>
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
};

static void assert_ok(struct result result)
{
    if (result_failed(result))
        fail_msg("code %d: %s", (int)result.code, result.message);
}

/* All rows, columns joined by "|", rows by ";". The caller frees. */
static char *ask(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    sqlite3_str *answer = sqlite3_str_new(NULL);

    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    for (int row = 0; sqlite3_step(statement) == SQLITE_ROW; row++) {
        for (int column = 0; column < sqlite3_column_count(statement); column++) {
            const char *text = (const char *)sqlite3_column_text(statement, column);

            sqlite3_str_appendf(answer, "%s%s", column > 0 ? "|" : row > 0 ? ";" : "", text == NULL ? "null" : text);
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return sqlite3_str_finish(answer);
}

static void assert_answer(const char *path, const char *sql, const char *expected)
{
    char *answer = ask(path, sql);

    assert_string_equal(answer == NULL ? "" : answer, expected);
    sqlite3_free(answer);
}

/* Makes a file with the schema of an older version, in tests/unit/data, and rows in it. */
static void make_old_file(const char *path, const char *schema, const char *rows)
{
    FILE *file = fopen(schema, "r");
    char *sql = calloc(1, 1 << 18);
    sqlite3 *database = NULL;

    assert_non_null(file);
    assert_non_null(sql);
    assert_true(fread(sql, 1, (1 << 18) - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(database, rows, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(database));
    (void)sqlite3_close(database);
    free(sql);
}

/* A scope, a relationship with the partner, ranges, addresses and a range of an admin. */
static void make_version_1(const char *path)
{
    static const char rows[] =
        "INSERT INTO ADM_DHCPServersTable (RecordId, ServerName, HaName, IsLocal) VALUES "
        "(1, '192.0.2.1', 'server1', 1), (2, '192.0.2.2', 'server2', 0);"
        "INSERT INTO ADM_DHCPScopesTable (RecordId, Af, DHCPServerRecordId, ScopeId, ScopeName, PrefixLength, "
        "StartAddress, EndAddress, ExclusionRanges, TotalNumberOfAddressesInScope, "
        "TotalNumberOfExcludedAddressesInScope, SubnetId, Prefix, Origin, ModifiedAt, HasParts, Definition) VALUES "
        "(5, 'InterNetwork', 1, '10.0.0.0', 'n', 24, '10.0.0.1', '10.0.0.9', '[]', 9, 0, 1, '10.0.0.0/24', "
        "'Configuration', 1, 1, '{}');"
        "INSERT INTO ADM_IPBlocksTable (RecordId, Af, NetworkId, PrefixLength, StartIPAddress, EndIPAddress, "
        "AddressSpaceRecordId, IsSubnet, Origin, StartKey, EndKey) VALUES (3, 'InterNetwork', '10.0.0.0', 24, "
        "'10.0.0.0', '10.0.0.255', 1, 1, 'Scope', x'00000000000000000000ffff0a000000', "
        "x'00000000000000000000ffff0a0000ff');"
        "INSERT INTO ADM_IPRangeTable (RecordId, Af, ParentIPBlockRecordId, AddressSpaceRecordId, ScopeRecordId, "
        "SubnetId, PrefixLength, StartIPAddress, EndIPAddress, AddressAssignment, AddressCategory, Owner, "
        "UtilizationCalculationType, StartKey, EndKey) VALUES "
        "(7, 'InterNetwork', 3, 1, 5, '10.0.0.0', 24, '10.0.0.1', '10.0.0.9', 'Dynamic', 'Private', 'an admin', "
        "'Auto', x'00000000000000000000ffff0a000001', x'00000000000000000000ffff0a000009'),"
        "(8, 'InterNetwork', 3, 1, NULL, '10.0.0.0', 24, '10.0.0.77', '10.0.0.77', 'Static', 'Private', NULL, "
        "'Auto', x'00000000000000000000ffff0a00004d', x'00000000000000000000ffff0a00004d');"
        "INSERT INTO ADM_IPAddressTable (RecordId, Af, RangeRecordId, AddressSpaceRecordId, ScopeRecordId, IpAddress, "
        "AddressKey, AddressAssignment) VALUES (9, 'InterNetwork', 7, 1, 5, '10.0.0.2', "
        "x'00000000000000000000ffff0a000002', 'Static');"
        "INSERT INTO ADM_DhcpFailoverRelationTable (RecordId, RelationshipName, Server1RecordId, Server2RecordId, "
        "Mode, Server1Percentage, Origin) VALUES (4, 'server1-server2', 1, 2, 'LoadBalance', 50, 'HaConfig');"
        "PRAGMA application_id = 0x4B465359; PRAGMA user_version = 1; PRAGMA journal_mode = WAL";

    make_old_file(path, TEST_DATA "/schema-1.sql", rows);
}

/* Relationships: one as it is mirrored, one that somebody edited in the tables, one of an admin with a scope in it. */
static void make_version_2(const char *path)
{
    static const char rows[] =
        "INSERT INTO ADM_DHCPServersTable (RecordId, ServerName, HaName, IsLocal) VALUES "
        "(1, '192.0.2.1', 'server1', 1), (2, '192.0.2.2', 'server2', 0), (3, '192.0.2.3', 'server3', 0);"
        "INSERT INTO ADM_DHCPScopesTable (RecordId, Af, DHCPServerRecordId, ScopeId, ScopeName, PrefixLength, "
        "StartAddress, EndAddress, ExclusionRanges, TotalNumberOfAddressesInScope, "
        "TotalNumberOfExcludedAddressesInScope, SubnetId, Prefix, Origin, ModifiedAt, HasParts, Definition) VALUES "
        "(5, 'InterNetwork', 1, '10.0.0.0', 'n', 24, '10.0.0.1', '10.0.0.9', '[]', 9, 0, 1, '10.0.0.0/24', "
        "'Configuration', 1, 1, '{}');"
        "INSERT INTO ADM_DhcpFailoverRelationTable (RecordId, RelationshipName, Server1RecordId, Server2RecordId, "
        "Mode, MCLT, StateSwitchInterval, Server1Percentage, Server1Name, Server2Name, Server1PSName, Server2PSName, "
        "Origin, EditedProperties, KeaMode) VALUES "
        "(1, 'server1-server2', 1, 2, 'LoadBalance', NULL, 60, 50, 'server1', 'server2', 'server1', 'server2', "
        "'HaConfig', '[]', 'load-balancing'),"
        "(2, 'server1-server3', 1, 3, 'HotStandby', 3600, 60, 50, 'server1', 'server3', 'server1', 'server3', "
        "'HaConfig', '[\"Mode\",\"MCLT\"]', 'load-balancing'),"
        "(3, 'of an admin', 1, NULL, 'HotStandby', 1800, NULL, 70, 'server1', 'elsewhere', NULL, NULL, 'Admin', '[]', "
        "NULL);"
        "INSERT INTO ADM_DhcpScopeFailoverTable (RecordId, FailoverRelationId, ScopeId) VALUES (11, 3, 5);"
        "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, SubnetId, Prefix, EnqueuedAt, NextAttemptAt) VALUES "
        "(1, 2, 1, '10.0.0.0/24', 1, 1);"
        "PRAGMA application_id = 0x4B465359; PRAGMA user_version = 2; PRAGMA journal_mode = WAL";

    make_old_file(path, TEST_DATA "/schema-2.sql", rows);
}

/* Scope 1 is agreed on, scope 2 was changed since, scope 3 is new, scope 4 was removed, and the last three wait. */
static void make_version_3(const char *path)
{
    static const char rows[] =
        "INSERT INTO ADM_DHCPServersTable (RecordId, ServerName, HaName, IsLocal) VALUES "
        "(1, '192.0.2.1', 'server1', 1), (2, '192.0.2.2', 'server2', 0);"
        "INSERT INTO ADM_DHCPScopesTable (RecordId, Af, DHCPServerRecordId, ScopeId, ScopeName, PrefixLength, "
        "StartAddress, EndAddress, ExclusionRanges, TotalNumberOfAddressesInScope, "
        "TotalNumberOfExcludedAddressesInScope, SubnetId, Prefix, Origin, Fingerprint, PartnerFingerprint, ModifiedAt, "
        "HasParts, Definition) SELECT id, 'InterNetwork', server, '10.0.' || subnet || '.0', 'n', 24, '10.0.0.1', "
        "'10.0.0.9', '[]', 9, 0, subnet, '10.0.' || subnet || '.0/24', 'Configuration', words, theirs, 7, 0, '{}' FROM "
        "(SELECT 1 AS id, 1 AS server, 1 AS subnet, 'same' AS words, NULL AS theirs UNION ALL "
        "SELECT 2, 1, 2, 'newer', NULL UNION ALL SELECT 3, 1, 3, 'new', NULL UNION ALL "
        "SELECT 4, 2, 1, 'same', 'same' UNION ALL SELECT 5, 2, 2, 'older', 'older' UNION ALL "
        "SELECT 6, 2, 4, 'there', 'there');"
        "INSERT INTO ADM_DhcpFailoverRelationTable (RecordId, RelationshipName, Server1RecordId, Server2RecordId, "
        "Mode, Server1Percentage, Origin) VALUES (4, 'server1-server2', 1, 2, 'LoadBalance', 50, 'HaConfig');"
        "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, SubnetId, Prefix, Removal, EnqueuedAt, "
        "NextAttemptAt) VALUES (4, 2, 2, '10.0.2.0/24', 0, 1, 1), (4, 2, 3, '10.0.3.0/24', 0, 1, 1), "
        "(4, 2, 4, '10.0.4.0/24', 1, 9, 1);"
        "PRAGMA application_id = 0x4B465359; PRAGMA user_version = 3; PRAGMA journal_mode = WAL";

    make_old_file(path, TEST_DATA "/schema-3.sql", rows);
}

/* Two scopes wait for the partner. */
static void make_version_4(const char *path)
{
    static const char rows[] =
        "INSERT INTO ADM_DHCPServersTable (RecordId, ServerName, HaName, IsLocal) VALUES "
        "(1, '192.0.2.1', 'server1', 1), (2, '192.0.2.2', 'server2', 0);"
        "INSERT INTO ADM_DhcpFailoverRelationTable (RecordId, RelationshipName, Server1RecordId, Server2RecordId, "
        "Mode, Server1Percentage, Origin) VALUES (4, 'server1-server2', 1, 2, 'LoadBalance', 50, 'HaConfig');"
        "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, SubnetId, Prefix, Removal, Attempts, EnqueuedAt, "
        "NextAttemptAt, Held, LastError) VALUES (4, 2, 2, '10.0.2.0/24', 0, 3, 1, 5, 0, 'not there'), "
        "(4, 2, 3, '10.0.3.0/24', 1, 0, 2, 2, 1, NULL);"
        "PRAGMA application_id = 0x4B465359; PRAGMA user_version = 4; PRAGMA journal_mode = WAL";

    make_old_file(path, TEST_DATA "/schema-4.sql", rows);
}

static void make_version_5(const char *path)
{
    static const char rows[] =
        "INSERT INTO ADM_DHCPServersTable (RecordId, ServerName, HaName, IsLocal, LastSeen) VALUES "
        "(1, '192.0.2.1', 'server1', 1, NULL), (2, '192.0.2.2', 'server2', 0, 17);"
        "PRAGMA application_id = 0x4B465359; PRAGMA user_version = 5; PRAGMA journal_mode = WAL";

    make_old_file(path, TEST_DATA "/schema-5.sql", rows);
}

/* Removals whose order only the clock knows, and the history. */
static void make_version_6(const char *path)
{
    static const char rows[] =
        "INSERT INTO ADM_DHCPServersTable (RecordId, ServerName, HaName, IsLocal) VALUES "
        "(1, '192.0.2.1', 'server1', 1), (2, '192.0.2.2', 'server2', 0);"
        "INSERT INTO ScopeVersions (ServerRecordId, SubnetId, Prefix, Version, Removed, ChangedAt) VALUES "
        "(1, 1, '10.0.1.0/24', '', 1, 30), (1, 2, '10.0.2.0/24', '', 0, 20), (1, 3, '10.0.3.0/24', '', 1, 10), "
        "(2, 1, '10.0.1.0/24', '', 0, 30);"
        "INSERT INTO ScopeHistory (RecordId, SubnetId, Prefix, Reason, ReplacedAt, Definition) VALUES "
        "(7, 1, '10.0.1.0/24', 'lost', 5, '{\"a\":\"ä\"}'), (9, 1, '10.0.1.0/24', NULL, 6, NULL);"
        "INSERT INTO ADM_DhcpFailoverRelationTable (RecordId, RelationshipName, Mode, Server1RecordId, "
        "Server2RecordId, Server1Name, Server2Name, Server1Percentage, Origin) VALUES (1, 'server1-server2', "
        "'LoadBalance', 1, 2, 'server1', 'server2', 50, 'HaConfig');"
        "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, SubnetId, Prefix, Removal, EnqueuedAt, "
        "NextAttemptAt, Held) VALUES (1, 2, 3, '10.0.3.0/24', 1, 2, 2, 1);"
        "PRAGMA application_id = 0x4B465359; PRAGMA user_version = 6; PRAGMA journal_mode = WAL";

    make_old_file(path, TEST_DATA "/schema-6.sql", rows);
}

static int set_up_folder(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (fixture == NULL)
        return -1;
    (void)strcpy(fixture->folder, "/tmp/test_migration.XXXXXX");
    if (mkdtemp(fixture->folder) == NULL) {
        free(fixture);
        return -1;
    }
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->folder);
    *state = fixture;
    return 0;
}

static int set_up(void **state)
{
    int failure = set_up_folder(state);

    if (failure == 0)
        make_version_1(((struct fixture *)*state)->path);
    return failure;
}

static int set_up_version_2(void **state)
{
    int failure = set_up_folder(state);

    if (failure == 0)
        make_version_2(((struct fixture *)*state)->path);
    return failure;
}

static int set_up_version_3(void **state)
{
    int failure = set_up_folder(state);

    if (failure == 0)
        make_version_3(((struct fixture *)*state)->path);
    return failure;
}

static int set_up_version_4(void **state)
{
    int failure = set_up_folder(state);

    if (failure == 0)
        make_version_4(((struct fixture *)*state)->path);
    return failure;
}

static int set_up_version_5(void **state)
{
    int failure = set_up_folder(state);

    if (failure == 0)
        make_version_5(((struct fixture *)*state)->path);
    return failure;
}

static int set_up_version_6(void **state)
{
    int failure = set_up_folder(state);

    if (failure == 0)
        make_version_6(((struct fixture *)*state)->path);
    return failure;
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
    assert_answer(fixture->path, "PRAGMA integrity_check", "ok");
    assert_answer(fixture->path, "SELECT count(*) FROM pragma_foreign_key_check", "0");
    (void)nftw(fixture->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

static void test_a_file_of_version_1_becomes_one_of_version_7(void **state)
{
    struct fixture *fixture = *state;

    assert_answer(fixture->path, "PRAGMA user_version", "1");
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path, "PRAGMA user_version", "7");
    assert_answer(fixture->path,
                  "SELECT RecordId, StartIPAddress, EndIPAddress, Owner, hex(ForkKey) FROM ADM_IPRangeTable",
                  "7|10.0.0.1|10.0.0.9|an admin|00000000000000000000FFFF0A000008;"
                  "8|10.0.0.77|10.0.0.77|null|00000000000000000000FFFF0A00004D");
    assert_answer(fixture->path, "SELECT RecordId, RangeRecordId, IpAddress FROM ADM_IPAddressTable", "9|7|10.0.0.2");
    assert_answer(fixture->path,
                  "SELECT RecordId, RelationshipName, Mode, EditedProperties, ConfiguredProperties "
                  "FROM ADM_DhcpFailoverRelationTable",
                  "4|server1-server2|LoadBalance|[]|{}");
}

static void test_a_file_of_version_2_becomes_one_of_version_7(void **state)
{
    struct fixture *fixture = *state;

    assert_answer(fixture->path, "PRAGMA user_version", "2");
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path, "PRAGMA user_version", "7");
    assert_answer(fixture->path,
                  "SELECT RecordId, RelationshipName, Server1RecordId, Server2RecordId, Mode, MCLT, "
                  "StateSwitchInterval, Server1Percentage, Server2Name, Origin, EditedProperties, KeaMode, "
                  "ConfiguredProperties FROM ADM_DhcpFailoverRelationTable",
                  "1|server1-server2|1|2|LoadBalance|null|60|50|server2|HaConfig|[]|load-balancing|{};"
                  "2|server1-server3|1|3|HotStandby|3600|60|50|server3|HaConfig|[\"Mode\",\"MCLT\"]|load-balancing|{};"
                  "3|of an admin|1|null|HotStandby|1800|null|70|elsewhere|Admin|[]|null|{}");
    assert_answer(fixture->path, "SELECT RecordId, FailoverRelationId, ScopeId FROM ADM_DhcpScopeFailoverTable",
                  "11|3|5");
    assert_answer(fixture->path, "SELECT RelationId, ServerRecordId, SubnetId FROM ReplicationQueue", "1|2|1");
    assert_answer(fixture->path, "SELECT count(*) FROM OperationLog", "0");
}

/* What the partner has not got is an edit of this server's, and what it has got is as both found it. */
static void test_a_file_of_version_3_becomes_one_of_version_7(void **state)
{
    struct fixture *fixture = *state;

    assert_answer(fixture->path, "PRAGMA user_version", "3");
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path, "PRAGMA user_version", "7");
    assert_answer(fixture->path, "SELECT SubnetId, Removal FROM ReplicationQueue ORDER BY SubnetId", "2|0;3|0;4|1");
    assert_answer(fixture->path,
                  "SELECT ServerRecordId, SubnetId, Prefix, replace(Version, substr(Writer, 1, 16), 'writer'), "
                  "Removed, ChangedAt FROM ScopeVersions, StoreIdentity ORDER BY 1, 2",
                  "1|1|10.0.1.0/24||0|7;1|2|10.0.2.0/24|writer:1|0|7;1|3|10.0.3.0/24|writer:1|0|7;"
                  "1|4|10.0.4.0/24|writer:1|1|9;2|1|10.0.1.0/24||0|7;2|2|10.0.2.0/24||0|7;2|4|10.0.4.0/24||0|7");
    assert_answer(fixture->path, "SELECT length(Writer), LastEdit, Filled, FileSeen FROM StoreIdentity", "32|0|1|1");
}

static void test_a_file_of_version_4_becomes_one_of_version_7(void **state)
{
    struct fixture *fixture = *state;

    assert_answer(fixture->path, "PRAGMA user_version", "4");
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path, "PRAGMA user_version", "7");
    assert_answer(fixture->path,
                  "SELECT SubnetId, Prefix, Removal, Attempts, EnqueuedAt, NextAttemptAt, Held, LastError FROM "
                  "ReplicationQueue ORDER BY SubnetId",
                  "2|10.0.2.0/24|0|3|1|5|0|not there;3|10.0.3.0/24|1|0|2|2|1|null");
}

/* What the partner has removed is asked for once. */
static void test_a_file_of_version_5_becomes_one_of_version_7(void **state)
{
    struct fixture *fixture = *state;

    assert_answer(fixture->path, "PRAGMA user_version", "5");
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path, "PRAGMA user_version", "7");
    assert_answer(fixture->path, "SELECT RecordId, HaName, LastSeen, Listed FROM ADM_DHCPServersTable",
                  "1|server1|null|0;2|server2|17|0");
}

/* It is nobody's until a server claims it, removals have the order that the clock gave them, and the history its sizes.
 */
static void test_a_file_of_version_6_becomes_one_of_version_7(void **state)
{
    struct fixture *fixture = *state;

    assert_answer(fixture->path, "PRAGMA user_version", "6");
    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path, "PRAGMA user_version", "7");
    assert_answer(fixture->path, "SELECT '[' || Server || '|' || Service || ']' FROM StoreIdentity", "[|]");
    assert_answer(fixture->path,
                  "SELECT ServerRecordId, SubnetId, Removed, RemovedOrder FROM ScopeVersions ORDER BY 1, 2",
                  "1|1|1|2;1|2|0|null;1|3|1|1;2|1|0|null");
    assert_answer(fixture->path, "SELECT RecordId, SubnetId, Reason, ReplacedAt, Bytes, Definition FROM ScopeHistory",
                  "7|1|lost|5|10|{\"a\":\"ä\"};9|1|null|6|0|null");
    /* A removal that is held is held here, and not forced. */
    assert_answer(fixture->path, "SELECT SubnetId, Removal, Held, HeldThere, Forced FROM ReplicationQueue",
                  "3|1|1|0|0");
    assert_answer(fixture->path, "SELECT COUNT(*) FROM ReceivedRemovals", "0");
}

static void test_triggers_of_others_do_nothing_to_an_upgrade(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database,
                                  "CREATE TRIGGER endless BEFORE UPDATE ON ScopeVersions BEGIN SELECT count(*) FROM "
                                  "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i FROM n); END",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    (void)sqlite3_close(database);
    alarm(60);
    assert_int_equal(store_open(fixture->path, &fixture->store).code, RESULT_STORE);
    alarm(0);
    assert_answer(fixture->path, "PRAGMA user_version", "7");
}

/* An older store has no note of what the configuration gave before an edit: what it gives first after the upgrade is
 * what the edit holds against. */
static void test_an_edit_of_version_2_holds_until_the_configuration_changes(void **state)
{
    struct fixture *fixture = *state;
    struct relation_row row = {
        .relationship_name = "server1-server3",
        .server1_record_id = 1,
        .server2_record_id = 3,
        .server1_name = "server1",
        .server2_name = "server3",
        .mode = "LoadBalance",
        .kea_mode = "load-balancing",
        .mclt = -1,
        .state_switch_interval = 60,
        .server1_percentage = 50,
    };
    static const char edited[] = "SELECT Mode, MCLT, EditedProperties FROM ADM_DhcpFailoverRelationTable "
                                 "WHERE RecordId = 2";
    int64_t record_id = 0;

    assert_ok(store_open(fixture->path, &fixture->store));
    for (int load = 0; load < 2; load++) {
        assert_ok(relation_store_put(fixture->store, &row, &record_id));
        assert_true(record_id == 2);
        assert_answer(fixture->path, edited, "HotStandby|3600|[\"Mode\",\"MCLT\"]");
    }
    row.mclt = 60;
    assert_ok(relation_store_put(fixture->store, &row, &record_id));
    assert_answer(fixture->path, edited, "HotStandby|60|[\"Mode\"]");
}

static void test_the_log_takes_the_states_of_operations_and_no_others(void **state)
{
    static const char *const states[] = {"NotStarted", "InProgress", "CompletedWithSuccess", "CompletedWithFailure"};
    struct fixture *fixture = *state;
    sqlite3 *database = NULL;
    char sql[240];

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(sql, sizeof sql,
                       "INSERT INTO OperationLog (OperationId, Sequence, Command, State, Percent, StartedAt) VALUES "
                       "('%d', %d, 'failover-add', '%s', 0, 1700000000000)",
                       i, i, states[i]);
        assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    }
    assert_int_equal(sqlite3_exec(database, "UPDATE OperationLog SET State = 'Done'", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    assert_int_equal(sqlite3_exec(database, "UPDATE OperationLog SET Sequence = 1", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    (void)sqlite3_close(database);
}

static void test_mirrored_rows_of_version_1_are_managed_by_their_server(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path,
                  "SELECT a.ObjectType, a.Af, a.UsedById, f.Name, v.Value FROM ADM_CustomFieldValuesAssociationTable "
                  "AS a JOIN ADM_CustomFieldsTable AS f ON f.RecordId = a.CustomFieldId JOIN "
                  "ADM_CustomFieldValuesTable AS v ON v.RecordId = a.CustomFieldValueId ORDER BY 1, 3, 4",
                  "IPAddress|InterNetwork|9|Managed by|DHCP;IPAddress|InterNetwork|9|Managed by entity|server1;"
                  "IPRange|InterNetwork|7|Managed by|DHCP;IPRange|InterNetwork|7|Managed by entity|server1");
}

/* Each table's columns, keys and indexes, each view, each trigger. The text of a table differs where a column was
 * added. */
static const char whole_schema[] =
    "SELECT group_concat(line, char(10)) FROM (SELECT t.name || '.' || c.name || ' ' || c.type || c.\"notnull\" || "
    "c.pk || coalesce(c.dflt_value, '') AS line FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = "
    "'table' UNION ALL SELECT t.name || ' refers to ' || f.\"table\" || f.\"from\" || f.on_delete || f.on_update FROM "
    "sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table' UNION ALL "
    "SELECT name || sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL UNION ALL "
    "SELECT t.name || i.name || i.\"unique\" FROM sqlite_schema AS t, pragma_index_list(t.name) AS i "
    "WHERE t.type = 'table' ORDER BY 1)";

static void test_an_upgraded_file_has_the_schema_of_a_new_one(void **state)
{
    struct fixture *fixture = *state;
    struct store *fresh = NULL;
    char path[160];
    char *wanted;

    (void)snprintf(path, sizeof path, "%s/new.db", fixture->folder);
    assert_ok(store_open(path, &fresh));
    store_close(fresh);
    assert_ok(store_open(fixture->path, &fixture->store));
    wanted = ask(path, whole_schema);
    assert_non_null(wanted);
    assert_non_null(strstr(wanted, "ADM_IPRangeTable.ForkKey BLOB"));
    assert_non_null(strstr(wanted, "ADM_DhcpFailoverRelationTable.ConfiguredProperties TEXT"));
    assert_non_null(strstr(wanted, "OperationLog.OperationId TEXT"));
    assert_answer(fixture->path, whole_schema, wanted);
    sqlite3_free(wanted);
    for (const char *const *table =
             (const char *const[]){"ADM_CustomFieldsTable", "ADM_AccessScopeTable", "ADM_AddressSpaceTable", NULL};
         *table != NULL; table++) {
        char sql[160];

        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s", *table);
        wanted = ask(path, sql);
        assert_answer(fixture->path, sql, wanted);
        sqlite3_free(wanted);
    }
}

static void test_the_provisioned_rows_are_there(void **state)
{
    struct fixture *fixture = *state;

    assert_ok(store_open(fixture->path, &fixture->store));
    assert_answer(fixture->path,
                  "SELECT CustomFieldRecordId, Value, BuiltInCustomFieldValueId FROM ADM_CustomFieldValuesTable "
                  "ORDER BY RecordId",
                  "8|IPAM|1;8|DHCP|2;8|other DHCP|3;8|VM manager|4;8|Others|5;9|Localhost|1;9|server1|null;"
                  "9|server2|null");
    assert_answer(fixture->path,
                  "SELECT RecordId, Name, BuiltinCustomFieldNumber, Origin, Type FROM ADM_CustomFieldsTable "
                  "WHERE RecordId IN (8, 9)",
                  "8|Managed by|8|Builtin|Multivalued;9|Managed by entity|9|Builtin|Multivalued");
    assert_answer(fixture->path, "SELECT AccessScopeId, Name, ParentId FROM ADM_AccessScopeTable", "1|Global|null");
}

static void test_a_failed_upgrade_leaves_the_file_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "CREATE TABLE ADM_AccessScopeTable (a)", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(database);
    assert_int_equal(store_open(fixture->path, &fixture->store).code, RESULT_STORE);
    assert_null(fixture->store);
    assert_answer(fixture->path, "PRAGMA user_version", "1");
    assert_answer(fixture->path, "SELECT count(*) FROM pragma_table_info('ADM_IPRangeTable') WHERE name = 'ForkKey'",
                  "0");
}

static void test_a_failed_upgrade_of_version_2_leaves_the_file_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "CREATE TABLE OperationLog (a)", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(database);
    assert_int_equal(store_open(fixture->path, &fixture->store).code, RESULT_STORE);
    assert_null(fixture->store);
    assert_answer(fixture->path, "PRAGMA user_version", "2");
    assert_answer(fixture->path,
                  "SELECT count(*) FROM pragma_table_info('ADM_DhcpFailoverRelationTable') "
                  "WHERE name = 'ConfiguredProperties'",
                  "0");
}

int main(void)
{
#define FROM_1(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define FROM_2(name) cmocka_unit_test_setup_teardown(name, set_up_version_2, tear_down)
#define FROM_3(name) cmocka_unit_test_setup_teardown(name, set_up_version_3, tear_down)
#define FROM_4(name) cmocka_unit_test_setup_teardown(name, set_up_version_4, tear_down)
#define FROM_6(name) cmocka_unit_test_setup_teardown(name, set_up_version_6, tear_down)
#define FROM_5(name) cmocka_unit_test_setup_teardown(name, set_up_version_5, tear_down)
    const struct CMUnitTest tests[] = {
        FROM_6(test_a_file_of_version_6_becomes_one_of_version_7),
        FROM_6(test_triggers_of_others_do_nothing_to_an_upgrade),
        FROM_6(test_an_upgraded_file_has_the_schema_of_a_new_one),
        FROM_5(test_a_file_of_version_5_becomes_one_of_version_7),
        FROM_5(test_an_upgraded_file_has_the_schema_of_a_new_one),
        FROM_4(test_a_file_of_version_4_becomes_one_of_version_7),
        FROM_4(test_an_upgraded_file_has_the_schema_of_a_new_one),
        FROM_3(test_a_file_of_version_3_becomes_one_of_version_7),
        FROM_3(test_an_upgraded_file_has_the_schema_of_a_new_one),
        FROM_1(test_a_file_of_version_1_becomes_one_of_version_7),
        FROM_2(test_a_file_of_version_2_becomes_one_of_version_7),
        FROM_2(test_an_edit_of_version_2_holds_until_the_configuration_changes),
        FROM_2(test_the_log_takes_the_states_of_operations_and_no_others),
        FROM_1(test_mirrored_rows_of_version_1_are_managed_by_their_server),
        FROM_1(test_an_upgraded_file_has_the_schema_of_a_new_one),
        FROM_2(test_an_upgraded_file_has_the_schema_of_a_new_one),
        FROM_1(test_the_provisioned_rows_are_there),
        FROM_1(test_a_failed_upgrade_leaves_the_file_as_it_was),
        FROM_2(test_a_failed_upgrade_of_version_2_leaves_the_file_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
