/* See the header. */
#include "server.h"

#include "failover_sync/json_bounds.h"
#include "failover_sync/model.h"

#include "tests/unit/fake_server.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMANDS_MAX 16
#define SCOPES_MAX   4096 /* the fake server's */

static struct fake_server *server;
static struct model *model;
static char prepared[96], secret[96]; /* the store that each input begins with, and a file */
static bool rows_are_ours;            /* nobody else has written to the store */

/* ---- one YANG module for all: reading it takes longer than an input ---- */

struct result __real_model_new(struct model **model);
struct result __wrap_model_new(struct model **model);
void __wrap_model_free(struct model *model);

struct result __wrap_model_new(struct model **wanted)
{
    *wanted = model;
    return result_ok();
}

void __wrap_model_free(struct model *unwanted)
{
    (void)unwanted;
}

/* ---- the store ---- */

static void copy_file(const char *from, const char *to)
{
    static char buffer[1 << 16];
    FILE *source = fopen(from, "rb"), *target = fopen(to, "wb");
    size_t got;

    if (source == NULL || target == NULL)
        abort();
    while ((got = fread(buffer, 1, sizeof buffer, source)) > 0)
        if (fwrite(buffer, 1, got, target) != got)
            abort();
    (void)fclose(source);
    if (fclose(target) != 0)
        abort();
}

static void forget_store(const char *path)
{
    static const char *const more[] = {"", "-wal", "-shm", ".unseen", ".lock"};
    char name[300];

    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, more[i]);
        (void)unlink(name);
    }
}

static int expect_ok(void *context, int count, char **values, char **names)
{
    (void)context;
    (void)names;
    FUZZ_CHECK(count > 0 && values[0] != NULL && strcmp(values[0], "ok") == 0);
    return 0;
}

static int expect_none(void *context, int count, char **values, char **names)
{
    (void)context;
    (void)names;
    (void)count;
    fprintf(stderr, "a row of %s refers to nothing\n", values[0]);
    FUZZ_CHECK(false);
    return 0;
}

static void check_store(const char *path)
{
    sqlite3 *database = NULL;

    FUZZ_CHECK(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    FUZZ_CHECK(sqlite3_exec(database, "PRAGMA quick_check", expect_ok, NULL, NULL) == SQLITE_OK);
    FUZZ_CHECK(sqlite3_exec(database, "PRAGMA foreign_key_check", expect_none, NULL, NULL) == SQLITE_OK);
    (void)sqlite3_close(database);
}

/* ---- answers ---- */

/* Kea's format, and what the module says is in it. */
static void check_answer(const char *name, const char *text)
{
    json_t *answer = json_loads(text, 0, NULL), *arguments = json_object_get(answer, "arguments");
    const json_int_t code = json_integer_value(json_object_get(answer, "result"));
    const char *sentence = json_string_value(json_object_get(answer, "text"));

    FUZZ_CHECK(json_is_object(answer) && json_is_integer(json_object_get(answer, "result")));
    FUZZ_CHECK(code == 0 || code == 1 || code == 3);
    FUZZ_CHECK(sentence != NULL && sentence[0] != '\0');
    if (code == 1)
        FUZZ_CHECK(json_object_get(arguments, "fault") != NULL || json_object_get(arguments, "envelope") != NULL);
    if (code == 0 && rows_are_ours) {
        char *output = json_dumps(arguments, 0);
        struct model_tree *tree = NULL;
        struct result result = model_parse_output(model, name, output, &tree);

        if (result_failed(result))
            fprintf(stderr, "%s: %s: %s\n", name, result.message, output);
        FUZZ_CHECK(!result_failed(result));
        model_tree_free(tree);
        free(output);
    }
    json_decref(answer);
}

static void call(const char *name, const char *arguments)
{
    struct json_bounds found;
    char *answer;

    /* As the server's side does. */
    if (arguments != NULL && !json_measure(arguments, strlen(arguments), &json_arguments_bounds, &found)) {
        struct result why = json_bounds_refusal(name, &json_arguments_bounds, &found);

        answer = plugin_command_refused(&why);
    } else {
        answer = fake_server_command(server, name, arguments);
    }
    FUZZ_CHECK(answer != NULL);
    check_answer(name, answer);
    free(answer);
}

/* ---- lines ---- */

static void start(unsigned options)
{
    char parameters[300], sealed[150] = "";

    if ((options & 1) != 0)
        (void)snprintf(sealed, sizeof sealed, ", \"shared-secret-file\": \"%s\", \"accept-from\": \"partners\"",
                       secret);
    (void)snprintf(parameters, sizeof parameters, "{\"retry\": {\"min-ms\": 5000, \"max-ms\": 5000}%s%s}", sealed,
                   (options & 2) != 0 ? ", \"conflict\": \"hold\"" : "");
    FUZZ_CHECK(fake_server_start(server, parameters) == RESULT_OK);
}

/* Kea prints ASCII. */
static bool is_ascii(const char *text)
{
    while (*text >= ' ' && *text <= '~')
        text++;
    return *text == '\0';
}

static void put(const char *rest, bool in_file)
{
    char *words;
    const unsigned long id = strtoul(rest, &words, 10);

    if (id == 0 || id >= SCOPES_MAX || strchr(words, '@') != NULL || !is_ascii(words))
        return;
    (in_file ? fake_server_file_put : fake_server_command_put)(server, (uint32_t)id, *words == '\0' ? NULL : words + 1);
}

static void run_line(char *line, unsigned options)
{
    char *rest = strchr(line, ' ');

    if (rest != NULL)
        *rest++ = '\0';
    if (strcmp(line, "put") == 0 && rest != NULL) {
        put(rest, false);
    } else if (strcmp(line, "file") == 0 && rest != NULL) {
        put(rest, true);
    } else if (strcmp(line, "reload") == 0) {
        FUZZ_CHECK(fake_server_reload(server, true) == RESULT_OK);
    } else if (strcmp(line, "restart") == 0) {
        fake_server_stop(server);
        start(options);
    } else {
        call(line, rest);
    }
}

const char *server_store(void)
{
    return fake_server_store(server);
}

void server_begin(void)
{
    forget_store(fake_server_store(server));
    copy_file(prepared, fake_server_store(server));
}

static void check_all_answers(void)
{
    static const char *const questions[][2] = {
        {"failover-status", "{}"},
        {"scope-get-all", "{}"},
        {"scope-get", "{\"subnet-id\": 5}"},
        {"scope-history", "{}"},
        {"failover-get-all", "{}"},
        {"range-get-all", "{}"},
        {"address-get-all", "{}"},
        {"custom-field-get-all", "{}"},
        {"scope-digest", "{\"sender\": \"server2\", \"receiver\": \"server1\", \"from\": 0}"},
    };

    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        call(questions[i][0], questions[i][1]);
}

void server_run(struct fuzz_input *input, unsigned options, bool ours)
{
    rows_are_ours = ours;
    fake_server_file_put(server, 5, "five");
    fake_server_file_put(server, 7, "seven|10.0.7.10-10.0.7.20");
    fake_server_file_put(server, 9, "nine@campus:wide");
    start(options);
    for (int i = 0; i < COMMANDS_MAX && input->length > 0; i++) {
        char *line = fuzz_line(input);

        run_line(line, options);
        free(line);
    }
    if (!ours) {
        check_all_answers();
        fake_server_command_put(server, 5, "changed at last");
    }
    fake_server_stop(server);
    for (uint32_t id = 1; id < 16; id++)
        fake_server_file_put(server, id, NULL);
    if (ours)
        check_store(fake_server_store(server));
}

#define MANAGED_BY_IPAM                                                                                                \
    "\"custom-field-values\": [{\"custom-field\": \"Managed by\", \"value\": \"IPAM\"}, "                              \
    "{\"custom-field\": \"Managed by entity\", \"value\": \"Localhost\"}]"

/* Rows in as many tables as commands can fill. */
static const char rows[] =
    "range-add {\"address-family\": \"InterNetwork\", \"subnet-id\": \"10.0.5.0\", \"prefix-length\": 24, "
    "\"start-ip-address\": \"10.0.5.100\", \"end-ip-address\": \"10.0.5.110\", \"create-subnet\": true, "
    "\"address-assignment\": \"Static\", \"address-category\": \"Private\", " MANAGED_BY_IPAM "}\n"
    "range-add {\"address-family\": \"InterNetwork\", \"subnet-id\": \"10.9.0.0\", \"prefix-length\": 24, "
    "\"start-ip-address\": \"10.9.0.1\", \"end-ip-address\": \"10.9.0.9\", \"create-subnet\": true, "
    "\"address-assignment\": \"Static\", \"address-category\": \"Private\", " MANAGED_BY_IPAM "}\n"
    "address-add {\"address-family\": \"InterNetwork\", \"ip-address\": \"10.9.0.2\", " MANAGED_BY_IPAM "}\n"
    "custom-field-add {\"name\": \"Floor\", \"type\": \"Freeform\"}\n"
    "custom-field-add {\"name\": \"Color\", \"type\": \"Multivalued\", \"values\": [\"red\"]}\n"
    "failover-add {\"relationship-name\": \"own\", \"mode\": \"HotStandby\", \"server1-name\": \"server1\", "
    "\"server2-name\": \"server3\", \"control-url\": \"http://127.0.0.1:1/\", \"subnet-ids\": [5]}\n"
    "put 11 eleven\n"
    "put 11\n"
    "put 5 changed\n"
    "scope-receive {\"sender\": \"server2\", \"receiver\": \"server1\", \"scopes\": [{\"subnet-id\": 5, \"prefix\": "
    "\"10.0.5.0/24\", \"base\": \"\", \"fingerprint\": \"0123456789abcdef0123456789abcdef\", \"version\": "
    "\"0000000100000000:1a3185c5000\", \"definition\": \"{\\\"subnet4\\\":{\\\"id\\\":5,\\\"subnet\\\":"
    "\\\"10.0.5.0/24\\\",\\\"user-context\\\":{\\\"words\\\":\\\"theirs\\\"}}}\"}]}\n"
    "put 12 twelve\n";

/* Tables that have rows then. */
static const char *const filled[] = {"ADM_DHCPScopesTable",   "ADM_IPRangeTable", "ADM_IPAddressTable",
                                     "ADM_CustomFieldsTable", "ReplicationQueue", "ObjectVersions"};

static bool has_rows(const char *path, const char *table)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    char sql[100];
    bool has;

    (void)snprintf(sql, sizeof sql, "SELECT 1 FROM %s LIMIT 1", table);
    has = sqlite3_open(path, &database) == SQLITE_OK &&
          sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW;
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return has;
}

void server_prepare(void)
{
    struct fuzz_input input = {.bytes = (const uint8_t *)rows, .length = sizeof rows - 1};
    FILE *file;

    (void)snprintf(prepared, sizeof prepared, "%s/prepared", fuzz_folder());
    (void)snprintf(secret, sizeof secret, "%s/secret", fuzz_folder());
    file = fopen(secret, "w");
    if (file == NULL || fputs("a secret of the fuzzer's\n", file) < 0 || fclose(file) != 0 ||
        chmod(secret, 0600) != 0 || result_failed(__real_model_new(&model)))
        abort();
    server = fake_server_new("server1", fuzz_folder());
    fake_server_pair(server, fake_server_port(server), 1); /* nobody listens at port 1 */
    server_run(&input, 0, true);
    copy_file(fake_server_store(server), prepared);
    for (size_t i = 0; i < sizeof filled / sizeof filled[0]; i++)
        if (!has_rows(prepared, filled[i])) {
            fprintf(stderr, "the prepared store has no rows in %s\n", filled[i]);
            abort();
        }
}

const char *server_prepared(void)
{
    return prepared;
}
