/* What the library does from its start to its end, in one process that ends everything it began, so that leaks can be
 * told. A call that fails, once, may fail what it was made for; tried again, everything must be as if it had not. */
#include "plugin/adm/store_private.h"
#include "tests/unit/fake_server.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOON 9000 /* milliseconds: more than any back-off, on a busy machine */

static struct fake_server *one, *two;
static char folder[64];
static int broken;

static void check(bool promise, const char *what)
{
    if (promise)
        return;
    broken = 1;
    fprintf(stderr, "scenario: not so: %s\n", what);
}

/* ---- what is done again if it failed ---- */

static int result_of(const char *answer)
{
    json_t *root = answer == NULL ? NULL : json_loads(answer, 0, NULL);
    const json_t *result = json_object_get(root, "result");
    int code = json_is_integer(result) ? (int)json_integer_value(result) : -1;

    json_decref(root);
    return code;
}

/* A worker thread that could not be started is there after the next load, and so is what a reload had no memory for. */
static void reload_again(struct fake_server *server, bool from_file)
{
    char *answer = fake_server_command(server, "failover-status", NULL);

    if (answer != NULL && (strstr(answer, "is taking up a configuration") != NULL ||
                           strstr(answer, "load the configuration again") != NULL))
        check(fake_server_reload(server, from_file) == RESULT_OK, "a load can be tried again");
    free(answer);
}

/* What could not be opened or written is within seconds. */
static void await_mirror(struct fake_server *server)
{
    for (int waited = 0;; waited += 20) {
        char *answer = fake_server_command(server, "failover-status", NULL);
        bool current = answer != NULL && strstr(answer, "\"mirror\":\"current\"") != NULL;

        if (!current && waited >= SOON)
            fprintf(stderr, "%s\n", answer == NULL ? "no status" : answer);
        free(answer);
        if (current || waited >= SOON) {
            check(current, "the mirror comes back");
            return;
        }
        usleep(20000);
    }
}

static void start(struct fake_server *server)
{
    static const char parameters[] = "{\"reconcile-interval\": 1, \"retry\": {\"min-ms\": 50, \"max-ms\": 200}}";

    if (fake_server_start(server, parameters) != RESULT_OK)
        check(fake_server_start(server, parameters) == RESULT_OK, "a second start succeeds");
    reload_again(server, true);
    await_mirror(server);
}

static void reload(struct fake_server *server, bool from_file)
{
    if (fake_server_reload(server, from_file) != RESULT_OK)
        check(fake_server_reload(server, from_file) == RESULT_OK, "a second reload succeeds");
    reload_again(server, from_file);
    await_mirror(server);
}

/* An answer that was lost, or that says so, is asked for again. */
static void call(const char *name, const char *arguments)
{
    for (int i = 0; i < 2; i++) {
        char *answer = fake_server_command(one, name, arguments);
        int code = result_of(answer);

        if (i == 1 && code != 0 && code != 3)
            fprintf(stderr, "%s: %s\n", name, answer == NULL ? "no answer" : answer);
        free(answer);
        if (code == 0 || code == 3)
            return;
    }
}

/* ---- what must be so in the end ---- */

static void await(struct fake_server *server, uint32_t subnet_id, const char *words)
{
    if (!fake_server_await(server, subnet_id, words, SOON)) {
        char *has = fake_server_words(server, subnet_id),
             *status = fake_server_command(server, "failover-status", NULL);

        fprintf(stderr, "scope %u is '%s', not '%s': %s\n", subnet_id, has, words, status == NULL ? "" : status);
        free(has);
        free(status);
        check(false, "nothing is lost");
    }
}

static void await_quiet(void)
{
    struct fake_server *const both[] = {one, two};

    for (size_t i = 0; i < 2; i++) {
        bool quiet = fake_server_await_status(both[i], "queued", 0, SOON) &&
                     fake_server_await_status(both[i], "out-of-sync", 0, SOON);

        if (!quiet) {
            char *status = fake_server_command(both[i], "failover-status", NULL);

            fprintf(stderr, "%s\n", status == NULL ? "no status" : status);
            free(status);
        }
        check(quiet, "both agree in the end");
    }
}

static int print_row(void *context, int count, char **values, char **names)
{
    bool *found = context;

    (void)names;
    *found = true;
    fprintf(stderr, "%s\n", count > 0 && values[0] != NULL ? values[0] : "");
    return 0;
}

/* A number out of the first server's store; 0 if there is none. */
static long long number(const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    long long found = 0;

    if (sqlite3_open_v2(fake_server_store(one), &database, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        found = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return found;
}

/* `sql` finds what must not be in a server's store. */
static void check_none(struct fake_server *server, const char *sql)
{
    sqlite3 *database = NULL;
    bool found = false;

    check(sqlite3_open_v2(fake_server_store(server), &database, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
              sqlite3_exec(database, sql, print_row, &found, NULL) == SQLITE_OK,
          "the store can be read");
    check(!found, sql);
    (void)sqlite3_close(database);
}

static void stop(struct fake_server *server)
{
    fake_server_stop(server);
    if (access(fake_server_store(server), F_OK) != 0)
        return;
    check_none(server, "PRAGMA foreign_key_check");
    check_none(server, "SELECT quick_check FROM pragma_quick_check WHERE quick_check <> 'ok'");
}

/* ---- the scenarios ---- */

static void start_and_stop(void)
{
    fake_server_file_put(one, 5, "five");
    fake_server_file_put(one, 7, "seven|10.0.7.10-10.0.7.20");
    fake_server_file_put(one, 9, "nine@campus:wide");
    start(one);
    call("failover-status", NULL);
    call("scope-get-all", "{}");
    stop(one);
    start(one);
    await(one, 5, "five");
    stop(one);
}

/* Changes on both that reach the other: a scope changed, made, removed, in a network, with pools. */
static void replicate(void)
{
    for (uint32_t id = 1; id <= 3; id++) {
        fake_server_file_put(one, id, "file");
        fake_server_file_put(two, id, "file");
    }
    start(one);
    start(two);
    await_quiet();
    fake_server_command_put(one, 1, "changed");
    fake_server_command_put(one, 2, NULL);
    fake_server_command_put(two, 4, "made@campus:wide");
    fake_server_command_put(one, 5, "pools|10.0.5.10-10.0.5.20");
    await(two, 1, "changed");
    await(two, 2, "");
    await(one, 4, "made@campus:wide");
    await(two, 5, "pools|10.0.5.10-10.0.5.20");
    await(one, 3, "file");
    await_quiet();
    stop(one);
    stop(two);
}

/* A restart is not an edit, and a reload takes what the file has changed. */
static void reload_and_restart(void)
{
    for (uint32_t id = 1; id <= 2; id++) {
        fake_server_file_put(one, id, "file");
        fake_server_file_put(two, id, "file");
    }
    start(one);
    start(two);
    await_quiet();
    fake_server_command_put(one, 1, "newer");
    await(two, 1, "newer");
    await_quiet();
    stop(two);
    start(two);
    await(two, 1, "newer");
    fake_server_file_put(two, 2, "edited in the file");
    reload(two, true);
    await(one, 2, "edited in the file");
    await(two, 2, "edited in the file");
    await(two, 1, "newer");
    await(one, 1, "newer");
    await_quiet();
    stop(one);
    stop(two);
}

/* A server that has lost its store gets everything back. */
static void reconcile(void)
{
    char name[300];

    fake_server_file_put(one, 1, "file");
    fake_server_file_put(two, 1, "file");
    start(one);
    start(two);
    await_quiet();
    fake_server_command_put(one, 1, "newer");
    fake_server_command_put(one, 2, "in no file");
    await(two, 2, "in no file");
    await(two, 1, "newer");
    await_quiet();
    stop(two);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s%s", fake_server_store(two), (const char *const[]){"", "-wal", "-shm"}[i]);
        (void)unlink(name);
    }
    start(two);
    await(two, 1, "newer");
    await(two, 2, "in no file");
    await(one, 2, "in no file");
    await_quiet();
    stop(one);
    stop(two);
}

#define OF_SCOPE_5 "\"address-family\": \"InterNetwork\", \"subnet-id\": \"10.0.5.0\", \"prefix-length\": 24, "
#define MANAGED_BY(service, entity)                                                                                    \
    "\"custom-field-values\": [{\"custom-field\": \"Managed by\", \"value\": \"" service                               \
    "\"}, {\"custom-field\": \"Managed by entity\", \"value\": \"" entity "\"}]"

/* Ranges, pools among them, and what belongs to them: done once, whatever failed. */
static void ranges(void)
{
    char arguments[600];

    fake_server_file_put(one, 5, "five|10.0.5.10-10.0.5.20");
    start(one);
    call("custom-field-add", "{\"name\": \"Floor\", \"type\": \"Freeform\"}");
    call("custom-field-add", "{\"name\": \"Color\", \"type\": \"Multivalued\", \"values\": [\"red\", \"blue\"]}");
    call("range-add", "{" OF_SCOPE_5 "\"address-assignment\": \"Static\", \"address-category\": \"Private\", "
                      "\"start-ip-address\": \"10.0.5.100\", \"end-ip-address\": \"10.0.5.110\", " MANAGED_BY(
                          "IPAM", "Localhost") "}");
    call("address-add",
         "{\"address-family\": \"InterNetwork\", \"ip-address\": \"10.0.5.102\", " MANAGED_BY("IPAM", "Localhost") "}");
    (void)snprintf(arguments, sizeof arguments,
                   "{" OF_SCOPE_5 "\"address-assignment\": \"Dynamic\", \"address-category\": \"Private\", "
                   "\"start-ip-address\": \"10.0.5.50\", \"end-ip-address\": \"10.0.5.59\", \"scope-record-id\": "
                   "%lld, " MANAGED_BY("DHCP", "server1") "}",
                   number("SELECT RecordId FROM ADM_DHCPScopesTable WHERE SubnetId = 5"));
    call("range-add", arguments);
    await(one, 5, "five|10.0.5.10-10.0.5.20,10.0.5.50-10.0.5.59");
    (void)snprintf(arguments, sizeof arguments,
                   "{\"record-id\": %lld, \"modified-properties\": [\"start-ip-address\", \"owner\"], "
                   "\"start-ip-address\": \"10.0.5.11\", \"owner\": \"ops\"}",
                   number("SELECT RecordId FROM ADM_IPRangeTable WHERE StartIPAddress LIKE '10.0.5.1_'"));
    call("range-update", arguments);
    call("range-get-all", "{}");
    call("address-get-all", "{}");
    call("custom-field-get-all", "{}");
    await(one, 5, "five|10.0.5.11-10.0.5.20,10.0.5.50-10.0.5.59");
    stop(one);
    check_none(one, "SELECT 'ranges: ' || group_concat(StartIPAddress) FROM ADM_IPRangeTable HAVING count(*) <> 3");
    check_none(one, "SELECT 'addresses: ' || count(*) FROM ADM_IPAddressTable WHERE IpAddress = '10.0.5.102' "
                    "HAVING count(*) <> 1");
}

/* Relationships of an administrator, from the first operation to the last. */
static void relationships(void)
{
    static const char add[] =
        "{\"relationship-name\": \"own\", \"mode\": \"HotStandby\", \"server1-name\": \"server1\", \"server2-name\": "
        "\"server3\", \"control-url\": \"http://127.0.0.1:1/\", \"subnet-ids\": [5]}";

    fake_server_file_put(one, 5, "five");
    fake_server_file_put(one, 6, "six");
    fake_server_file_put(one, 7, "seven");
    start(one);
    call("failover-add", add);
    call("failover-scope-add", "{\"record-id\": 2, \"subnet-ids\": [6, 7]}");
    call("failover-update", "{\"record-id\": 2, \"modified-properties\": [\"mclt\"], \"mclt\": 60}");
    call("failover-scope-del", "{\"record-id\": 2, \"subnet-ids\": [7]}");
    call("failover-get", "{\"record-id\": 2}");
    call("failover-get-all", "{\"server-name\": \"server1\"}");
    call("scope-sync-reset", "{\"subnet-ids\": [5]}");
    stop(one);
    check_none(one, "SELECT 'relationships: ' || count(*) FROM ADM_DhcpFailoverRelationTable "
                    "WHERE RelationshipName = 'own' AND MCLT = 60 HAVING count(*) <> 1");
    start(one);
    call("failover-del", "{\"record-id\": 2}");
    stop(one);
    check_none(one, "SELECT RelationshipName FROM ADM_DhcpFailoverRelationTable WHERE RelationshipName = 'own'");
}

/* ReplicateScope and its kin, as an administrator asks for them, and the reading of what there is. */
static void scope_commands(void)
{
    fake_server_file_put(one, 1, "file");
    fake_server_file_put(two, 1, "file");
    start(one);
    start(two);
    await_quiet();
    fake_server_command_put(one, 1, "changed");
    call("scope-replicate", "{\"subnet-ids\": [1]}");
    await(two, 1, "changed");
    call("failover-replicate", "{\"record-id\": 1}");
    call("server-replicate", "{}");
    call("scope-get", "{\"subnet-id\": 1}");
    call("scope-history", "{}");
    await_quiet();
    stop(one);
    stop(two);
}

/* A store is brought to made-up schema versions. */
static void migration(void)
{
    static const char *const add_note[] = {
        "ALTER TABLE ObjectHistory ADD COLUMN Note TEXT;\n",
        "UPDATE ObjectHistory SET Note = Reason;\n",
        NULL,
    };
    static const char *const move_notes[] = {
        "CREATE TABLE Notes (HistoryId INTEGER PRIMARY KEY, Note TEXT) STRICT;\n",
        "INSERT INTO Notes SELECT RecordId, Note FROM ObjectHistory;\n",
        NULL,
    };
    static const struct migration made_up[] = {{2, add_note}, {3, move_notes}, {0, NULL}};
    const char *path = fake_server_store(one);
    struct store *store = NULL;
    sqlite3 *database = NULL;

    if (result_failed(store_open(path, &store)))
        check(!result_failed(store_open(path, &store)), "a store that could not be opened is opened now");
    if (store == NULL)
        return;
    if (sqlite3_open(path, &database) != SQLITE_OK ||
        sqlite3_exec(database,
                     "INSERT INTO ObjectHistory (RecordId, ObjectId, Name, Reason, ReplacedAt, Bytes) VALUES "
                     "(7, 1, '10.0.0.0/24', 'kept', 5, 0)",
                     NULL, NULL, NULL) != SQLITE_OK)
        abort();
    (void)sqlite3_close(database);
    if (result_failed(store_migrate(store, made_up))) {
        check_none(one, "SELECT 'version ' || user_version FROM pragma_user_version WHERE user_version <> 1");
        check_none(one, "SELECT name FROM pragma_table_info('ObjectHistory') WHERE name = 'Note'");
        check(!result_failed(store_migrate(store, made_up)), "a second upgrade succeeds");
    }
    store_close(store);
    check_none(one, "SELECT 'version ' || user_version FROM pragma_user_version WHERE user_version <> 3");
    check_none(one,
               "SELECT 'notes: ' || count(*) FROM Notes WHERE HistoryId = 7 AND Note = 'kept' HAVING count(*) <> 1");
    stop(one);
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"start-and-stop", start_and_stop}, {"replicate", replicate}, {"reload-and-restart", reload_and_restart},
    {"reconcile", reconcile},           {"ranges", ranges},       {"relationships", relationships},
    {"scope-commands", scope_commands}, {"migration", migration},
};

static int run(void (*scenario)(void))
{
    char command[128];

    (void)snprintf(folder, sizeof folder, "/tmp/failover-sync-sweep-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 2;
    one = fake_server_new("server1", folder);
    two = fake_server_new("server2", folder);
    fake_server_pair(one, fake_server_port(one), fake_server_port(two));
    fake_server_pair(two, fake_server_port(one), fake_server_port(two));
    scenario();
    fake_server_free(one);
    fake_server_free(two);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? broken : 2;
}

int main(int count, char **arguments)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (count < 2)
            puts(scenarios[i].name);
        else if (strcmp(scenarios[i].name, arguments[1]) == 0)
            return run(scenarios[i].run);
    }
    return count < 2 ? 0 : 2;
}
