/* The counting calls of sweep.h. One call fails, the FAILOVER_SYNC_FAIL_AT-th, as the library behind it fails when
 * there is no memory; with FAILOVER_SYNC_FAIL_TOLD its place is printed. At exit the number of calls is written to the
 * file that FAILOVER_SYNC_COUNT_TO names. */
#define SWEEP_ITSELF
#include "tests/sweep/sweep.h"

#include <dlfcn.h>
#include <sanitizer/common_interface_defs.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_ulong calls;
static unsigned long fail_at; /* 0: none */
static bool told;
static _Thread_local bool starved; /* the libraries' own allocations of this thread fail */

bool sweep_fails(void)
{
    if (atomic_fetch_add(&calls, 1) + 1 != fail_at)
        return false;
    if (told) {
        fprintf(stderr, "sweep: call %lu fails:\n", fail_at);
        __sanitizer_print_stack_trace();
    }
    errno = ENOMEM;
    return true;
}

/* Begins and ends a call of a library whose allocations can be made to fail. */
static void enter(void)
{
    starved = sweep_fails();
}

static void leave(void)
{
    starved = false;
}

/* ---- the test's end ---- */

#define FOLDERS 16

/* In front of libcmocka's and of the C library's. */
#define INSTEAD __attribute__((visibility("default")))
INSTEAD _Noreturn void _fail(const char *file, int line);
INSTEAD char *mkdtemp(char *template);

static char folders[FOLDERS][64];

static void remove_folders(void)
{
    char *arguments[FOLDERS + 4] = {"rm", "-rf", "--"};
    size_t count = 3;
    pid_t child;

    for (size_t i = 0; i < FOLDERS && folders[i][0] != '\0'; i++)
        arguments[count++] = folders[i];
    if (count > 3 && posix_spawnp(&child, "rm", NULL, NULL, arguments, environ) == 0)
        (void)waitpid(child, NULL, 0);
}

/* cmocka's for an assertion that failed. It would leave the test as it is and go on with the next, in which what this
 * one has left running is no fault of the library's. */
_Noreturn void _fail(const char *file, int line)
{
    fprintf(stderr, "%s:%d: an assertion failed\n", file, line);
    remove_folders();
    _exit(1);
}

char *mkdtemp(char *template)
{
    void *const found = dlsym(RTLD_NEXT, "mkdtemp");
    char *(*real)(char *) = NULL;
    char *folder;

    memcpy(&real, &found, sizeof real);
    folder = real == NULL ? NULL : real(template);

    for (size_t i = 0; folder != NULL && i < FOLDERS; i++) {
        if (folders[i][0] != '\0')
            continue;
        (void)snprintf(folders[i], sizeof folders[i], "%s", folder);
        break;
    }
    return folder;
}

/* ---- the libraries' allocations ---- */

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int size)
{
    return starved ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *memory, int size)
{
    return starved ? NULL : sqlite_memory.xRealloc(memory, size);
}

static void *jansson_malloc(size_t size)
{
    return starved ? NULL : malloc(size);
}

static void write_count(void)
{
    FILE *file = fopen(getenv("FAILOVER_SYNC_COUNT_TO"), "w");

    if (file == NULL || fprintf(file, "%lu\n", atomic_load(&calls)) < 0 || fclose(file) != 0)
        perror("FAILOVER_SYNC_COUNT_TO");
}

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FAILOVER_SYNC_FAIL_AT");
    sqlite3_mem_methods starving;

    fail_at = at == NULL ? 0 : strtoul(at, NULL, 10);
    told = getenv("FAILOVER_SYNC_FAIL_TOLD") != NULL;
    if (getenv("FAILOVER_SYNC_COUNT_TO") != NULL && atexit(write_count) != 0)
        abort();
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory) != SQLITE_OK)
        abort();
    starving = sqlite_memory;
    starving.xMalloc = sqlite_malloc;
    starving.xRealloc = sqlite_realloc;
    /* Without lookaside every allocation of SQLite's comes by. */
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &starving) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
        abort();
    json_set_alloc_funcs(jansson_malloc, free);
}

/* ---- jansson ---- */

/* name(arguments) with or without memory. */
#define STARVABLE(type, call)                                                                                          \
    do {                                                                                                               \
        type sweep_result;                                                                                             \
                                                                                                                       \
        enter();                                                                                                       \
        sweep_result = (call);                                                                                         \
        leave();                                                                                                       \
        return sweep_result;                                                                                           \
    } while (0)

json_t *sweep_json_object(void)
{
    STARVABLE(json_t *, json_object());
}

json_t *sweep_json_array(void)
{
    STARVABLE(json_t *, json_array());
}

json_t *sweep_json_string(const char *text)
{
    STARVABLE(json_t *, json_string(text));
}

json_t *sweep_json_stringn(const char *text, size_t length)
{
    STARVABLE(json_t *, json_stringn(text, length));
}

json_t *sweep_json_integer(json_int_t value)
{
    STARVABLE(json_t *, json_integer(value));
}

json_t *sweep_json_real(double value)
{
    STARVABLE(json_t *, json_real(value));
}

json_t *sweep_json_pack(const char *format, ...)
{
    va_list arguments;
    json_t *packed;

    va_start(arguments, format);
    enter();
    packed = json_vpack_ex(NULL, 0, format, arguments);
    leave();
    va_end(arguments);
    return packed;
}

json_t *sweep_json_sprintf(const char *format, ...)
{
    va_list arguments;
    json_t *text;

    va_start(arguments, format);
    enter();
    text = json_vsprintf(format, arguments);
    leave();
    va_end(arguments);
    return text;
}

json_t *sweep_json_loads(const char *text, size_t flags, json_error_t *error)
{
    STARVABLE(json_t *, json_loads(text, flags, error));
}

json_t *sweep_json_loadb(const char *text, size_t length, size_t flags, json_error_t *error)
{
    STARVABLE(json_t *, json_loadb(text, length, flags, error));
}

char *sweep_json_dumps(const json_t *json, size_t flags)
{
    STARVABLE(char *, json_dumps(json, flags));
}

size_t sweep_json_dumpb(const json_t *json, char *buffer, size_t size, size_t flags)
{
    STARVABLE(size_t, json_dumpb(json, buffer, size, flags));
}

json_t *sweep_json_copy(json_t *json)
{
    STARVABLE(json_t *, json_copy(json));
}

json_t *sweep_json_deep_copy(const json_t *json)
{
    STARVABLE(json_t *, json_deep_copy(json));
}

int sweep_json_object_set_new(json_t *object, const char *key, json_t *value)
{
    STARVABLE(int, json_object_set_new(object, key, value));
}

int sweep_json_object_set(json_t *object, const char *key, json_t *value)
{
    STARVABLE(int, json_object_set(object, key, value));
}

int sweep_json_object_update(json_t *object, json_t *other)
{
    STARVABLE(int, json_object_update(object, other));
}

/* An array has room for its first elements: made to fail all the same, for the sake of longer ones. */
int sweep_json_array_append_new(json_t *array, json_t *value)
{
    if (sweep_fails()) {
        json_decref(value);
        return -1;
    }
    return json_array_append_new(array, value);
}

int sweep_json_array_append(json_t *array, json_t *value)
{
    return sweep_fails() ? -1 : json_array_append(array, value);
}

/* ---- SQLite ---- */

/* The connection has met SQLITE_NOMEM, as its error code tells. */
static int run_out(sqlite3 *database)
{
    sqlite3_stmt *statement = NULL;
    int code;

    starved = true;
    code = sqlite3_prepare_v2(database, "SELECT 1", -1, &statement, NULL);
    starved = false;
    (void)sqlite3_finalize(statement);
    if (code != SQLITE_NOMEM)
        abort();
    return code;
}

int sweep_sqlite3_open_v2(const char *path, sqlite3 **database, int flags, const char *vfs)
{
    STARVABLE(int, sqlite3_open_v2(path, database, flags, vfs));
}

int sweep_sqlite3_prepare_v2(sqlite3 *database, const char *sql, int length, sqlite3_stmt **statement,
                             const char **tail)
{
    STARVABLE(int, sqlite3_prepare_v2(database, sql, length, statement, tail));
}

int sweep_sqlite3_prepare_v3(sqlite3 *database, const char *sql, int length, unsigned flags, sqlite3_stmt **statement,
                             const char **tail)
{
    STARVABLE(int, sqlite3_prepare_v3(database, sql, length, flags, statement, tail));
}

/* Fails before it has done anything. */
int sweep_sqlite3_step(sqlite3_stmt *statement)
{
    return sweep_fails() ? run_out(sqlite3_db_handle(statement)) : sqlite3_step(statement);
}

int sweep_sqlite3_exec(sqlite3 *database, const char *sql, int (*row)(void *, int, char **, char **), void *context,
                       char **message)
{
    STARVABLE(int, sqlite3_exec(database, sql, row, context, message));
}

int sweep_sqlite3_bind_text64(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 length,
                              void (*drop)(void *), unsigned char encoding)
{
    STARVABLE(int, sqlite3_bind_text64(statement, index, text, length, drop, encoding));
}

int sweep_sqlite3_bind_blob64(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 length,
                              void (*drop)(void *))
{
    STARVABLE(int, sqlite3_bind_blob64(statement, index, bytes, length, drop));
}

/* A column that holds NULL needs no memory. */
const unsigned char *sweep_sqlite3_column_text(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL || !sweep_fails())
        return sqlite3_column_text(statement, column);
    (void)run_out(sqlite3_db_handle(statement));
    return NULL;
}

int sweep_sqlite3_create_function(sqlite3 *database, const char *name, int arguments, int flags, void *context,
                                  void (*call)(sqlite3_context *, int, sqlite3_value **),
                                  void (*step)(sqlite3_context *, int, sqlite3_value **),
                                  void (*final)(sqlite3_context *))
{
    STARVABLE(int, sqlite3_create_function(database, name, arguments, flags, context, call, step, final));
}

char *sweep_sqlite3_mprintf(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    enter();
    text = sqlite3_vmprintf(format, arguments);
    leave();
    va_end(arguments);
    return text;
}

sqlite3_str *sweep_sqlite3_str_new(sqlite3 *database)
{
    STARVABLE(sqlite3_str *, sqlite3_str_new(database));
}

char *sweep_sqlite3_str_finish(sqlite3_str *text)
{
    char *finished = sqlite3_str_finish(text);

    if (!sweep_fails())
        return finished;
    sqlite3_free(finished);
    return NULL;
}

int sweep_sqlite3_wal_checkpoint_v2(sqlite3 *database, const char *name, int mode, int *log, int *done)
{
    STARVABLE(int, sqlite3_wal_checkpoint_v2(database, name, mode, log, done));
}

bool sweep_curl_option_fails(int option)
{
    switch (option) {
    case CURLOPT_URL:
    case CURLOPT_CAPATH:
    case CURLOPT_CAINFO:
    case CURLOPT_SSLCERT:
    case CURLOPT_SSLKEY:
    case CURLOPT_KEYPASSWD:
    case CURLOPT_PROTOCOLS_STR:
    case CURLOPT_PROXY:
    case CURLOPT_USERNAME:
    case CURLOPT_PASSWORD:
        return sweep_fails();
    default:
        return false;
    }
}
