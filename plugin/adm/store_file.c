/* The file that a store is kept in: making it and its folders with the right modes, and telling from its header whether
 * it is one of ours, without changing a byte of a file that is not. */
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* SQLite's file format, section 1.3: the first 100 bytes. */
#define HEADER_SIZE           100
#define HEADER_USER_VERSION   60
#define HEADER_APPLICATION_ID 68
static const char header_magic[16] = "SQLite format 3";

struct result store_file_foreign(const char *path, int64_t application_id)
{
    return result_error(RESULT_INVALID,
                        "%.200s is a database of another program (application id %lld); name another file "
                        "for the store",
                        path, (long long)application_id);
}

struct result store_file_newer(const char *path, int64_t version)
{
    return result_error(RESULT_INVALID,
                        "the store %.200s has schema version %lld, and this library knows versions up to "
                        "%d; install the library that wrote it, or name another file",
                        path, (long long)version, STORE_SCHEMA_VERSION);
}

static struct result make_folder(const char *folder)
{
    struct stat status;

    if (stat(folder, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return result_ok();
        return result_error(RESULT_INVALID,
                            "the folder %.200s of the store cannot be made: a file of that name is in the "
                            "way",
                            folder);
    }
    /* EEXIST: another process was faster. */
    if (errno == ENOENT && (mkdir(folder, 0750) == 0 || errno == EEXIST))
        return result_ok();
    return result_error(RESULT_INVALID, "the folder %.200s of the store cannot be made: %s", folder, strerror(errno));
}

static struct result make_folders(const char *path)
{
    struct result result = result_ok();
    char *folder = strdup(path);

    if (folder == NULL)
        return result_no_memory("the folders of the store");
    for (char *slash = strchr(folder, '/'); slash != NULL && !result_failed(result); slash = strchr(slash + 1, '/')) {
        if (slash == folder || slash[-1] == '/')
            continue;
        *slash = '\0';
        result = make_folder(folder);
        *slash = '/';
    }
    free(folder);
    return result;
}

struct result store_file_prepare(const char *path)
{
    struct result result;
    struct stat status;
    int file;

    if (path == NULL || path[0] == '\0')
        return result_error(RESULT_INVALID, "the store has no path; name a file");
    if (path[strlen(path) - 1] == '/')
        return result_error(RESULT_INVALID, "the store %.200s is the name of a folder; name a file", path);
    result = make_folders(path);
    if (result_failed(result))
        return result;
    file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0) {
        (void)close(file);
        return result_ok();
    }
    if (errno != EEXIST)
        return result_error(RESULT_STORE, "the store %.200s cannot be created: %s", path, strerror(errno));
    if (stat(path, &status) != 0)
        return result_error(RESULT_STORE, "the store %.200s cannot be used: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return result_error(RESULT_INVALID, "the store %.200s is %s; name a file", path,
                            S_ISDIR(status.st_mode) ? "a folder" : "no regular file");
    /* Not by opening it: closing a descriptor would drop the locks that this process may hold on the file. */
    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
        return result_error(RESULT_STORE,
                            "the store %.200s cannot be used: %s; let the server's user read and write it", path,
                            strerror(errno));
    return result;
}

/* A rollback journal beside the file means that its bytes say nothing before SQLite has recovered it. */
static bool has_journal(const char *path)
{
    struct stat status;
    char *journal = sqlite3_mprintf("%s-journal", path);
    bool found = journal != NULL && stat(journal, &status) == 0 && status.st_size > 0;

    sqlite3_free(journal);
    return found;
}

static int64_t header_integer(const unsigned char *bytes)
{
    uint32_t value = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];

    return value > INT32_MAX ? (int64_t)value - INT64_C(0x100000000) : (int64_t)value;
}

/* Whether a file that is no database was one of ours before something was written over it: it has the name, the mode
 * and the owner of one. Anything else is somebody's, named here by mistake, and is left alone. */
static bool looks_like_a_store(const char *path)
{
    struct stat status;
    const char *ending = strrchr(path, '.');

    return ending != NULL && strcmp(ending, ".db") == 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
           (status.st_mode & 0777) == 0600 && status.st_uid == geteuid();
}

struct result store_file_set_aside(const char *path, char aside[STORE_ASIDE_SIZE])
{
    static const char *const endings[] = {"-wal", "-shm", ""}; /* the file itself last: only then is it done */
    char when[32], from[STORE_ASIDE_SIZE], to[STORE_ASIDE_SIZE];
    time_t now = time(NULL);
    struct tm parts;

    aside[0] = '\0';
    if (gmtime_r(&now, &parts) == NULL || strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &parts) == 0 ||
        strlen(path) + 48 > STORE_ASIDE_SIZE)
        return result_error(RESULT_STORE, "the damaged store %.200s cannot be set aside: move it away", path);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        (void)snprintf(from, sizeof from, "%s%s", path, endings[i]);
        (void)snprintf(to, sizeof to, "%s.damaged-%s%s", path, when, endings[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return result_error(RESULT_STORE, "the damaged store %.200s cannot be set aside: %s; move it away", path,
                                strerror(errno));
    }
    (void)snprintf(aside, STORE_ASIDE_SIZE, "%s", to);
    return result_ok();
}

/* The header, by the handle that SQLite has: closing another one would take its locks away. Zeros if the file is
 * shorter. */
static int read_header(sqlite3 *database, unsigned char header[HEADER_SIZE], sqlite3_int64 *size)
{
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);

    memset(header, 0, HEADER_SIZE);
    *size = 0;
    if (code == SQLITE_OK && (file == NULL || file->pMethods == NULL))
        code = SQLITE_CANTOPEN;
    if (code == SQLITE_OK)
        code = file->pMethods->xFileSize(file, size);
    if (code == SQLITE_OK && *size >= HEADER_SIZE)
        code = file->pMethods->xRead(file, header, HEADER_SIZE, 0);
    return code;
}

bool store_file_is_overwritten(sqlite3 *database)
{
    unsigned char header[HEADER_SIZE];
    sqlite3_int64 size;

    return read_header(database, header, &size) == SQLITE_OK && size > 0 &&
           memcmp(header, header_magic, sizeof header_magic) != 0;
}

struct result store_file_check_header(sqlite3 *database, const char *path, bool *damaged)
{
    unsigned char header[HEADER_SIZE];
    sqlite3_int64 size;
    int64_t application_id, version;
    int code = read_header(database, header, &size);

    if (code == SQLITE_OK && size == 0)
        return result_ok(); /* new */
    if (code != SQLITE_OK)
        return result_error(RESULT_STORE, "the store %.200s cannot be read: %s; check the file and its disk", path,
                            sqlite3_errstr(code));
    if (memcmp(header, header_magic, sizeof header_magic) != 0) {
        if (has_journal(path))
            return result_ok();
        *damaged = looks_like_a_store(path);
        return result_error(*damaged ? RESULT_STORE : RESULT_INVALID,
                            "%.200s is not a database; name another file for the store, or move this one "
                            "away",
                            path);
    }
    application_id = header_integer(header + HEADER_APPLICATION_ID);
    version = header_integer(header + HEADER_USER_VERSION);
    if (application_id != STORE_APPLICATION_ID)
        return store_file_foreign(path, application_id);
    if (version > STORE_SCHEMA_VERSION)
        return store_file_newer(path, version);
    return result_ok();
}
