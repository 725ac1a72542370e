/* The file that a store is kept in: making it and its folders with the right modes, and telling from its header whether
 * it is one of ours, without changing a byte of a file that is not. */
#include "store_private.h"

#include <dirent.h>
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
#define HEADER_PAGE_SIZE      16 /* two bytes; 1: 65536 */
#define HEADER_PAGES          28
#define HEADER_USER_VERSION   60
#define HEADER_APPLICATION_ID 68
#define ASIDE_MARK            ".damaged-"
#define ASIDE_LAST            1000000000UL /* what has a larger number was not named by us */
static const char header_magic[16] = "SQLite format 3";

struct result store_file_foreign(const char *path, int64_t application_id)
{
    return result_error(RESULT_STORE,
                        "%.200s is a database of another program (application id %lld); name another file "
                        "for the store",
                        path, (long long)application_id);
}

struct result store_file_newer(const char *path, int64_t version, int newest)
{
    return result_error(RESULT_STORE,
                        "the store %.200s has schema version %lld, and this library knows versions up to "
                        "%d; install the library that wrote it, or name another file",
                        path, (long long)version, newest);
}

static struct result make_folder(const char *folder)
{
    struct stat status;

    if (stat(folder, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return result_ok();
        return result_error(RESULT_STORE,
                            "the folder %.200s of the store cannot be made: a file of that name is in the way; move it "
                            "away",
                            folder);
    }
    if (errno == ENOENT && mkdir(folder, 0750) == 0)
        return result_ok();
    if (errno == EEXIST || errno == ELOOP) {
        if (stat(folder, &status) == 0) /* another process was faster */
            return result_ok();
        return result_error(
            RESULT_STORE,
            "the folder %.200s of the store cannot be made: a symbolic link of that name leads nowhere; "
            "move it away",
            folder);
    }
    return result_error(RESULT_STORE,
                        "the folder %.200s of the store cannot be made: %s; make it, or let the server's user do so",
                        folder, strerror(errno));
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
        return result_error(RESULT_STORE,
                            "the store %.200s cannot be created: %s; let the server's user write to its folder", path,
                            strerror(errno));
    if (stat(path, &status) != 0)
        return result_error(RESULT_STORE, "the store %.200s cannot be used: %s%s; name a file", path, strerror(errno),
                            errno == ENOENT || errno == ELOOP ? " (a symbolic link that leads nowhere)" : "");
    if (!S_ISREG(status.st_mode))
        return result_error(RESULT_STORE, "the store %.200s is %s; name a file", path,
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

/* The files "NAME.damaged-NUMBER-TIME" beside a store. */
struct asides {
    char *folder; /* with the slash */
    char *name;   /* of the store in it */
    DIR *list;
};

static bool asides_open(struct asides *asides, const char *path)
{
    const char *slash = strrchr(path, '/');

    asides->folder = slash == NULL ? strdup("./") : strndup(path, (size_t)(slash - path) + 1);
    asides->name = strdup(slash == NULL ? path : slash + 1);
    asides->list = asides->folder == NULL || asides->name == NULL ? NULL : opendir(asides->folder);
    return asides->list != NULL;
}

static void asides_close(struct asides *asides)
{
    if (asides->list != NULL)
        (void)closedir(asides->list);
    free(asides->folder);
    free(asides->name);
}

/* The next of them, NULL after the last, with its number. */
static const char *asides_next(const struct asides *asides, unsigned long *number)
{
    const size_t length = strlen(asides->name);
    const struct dirent *entry;

    while ((entry = readdir(asides->list)) != NULL) {
        const char *ending = entry->d_name + length;
        char *after = NULL;

        if (strncmp(entry->d_name, asides->name, length) != 0 ||
            strncmp(ending, ASIDE_MARK, sizeof ASIDE_MARK - 1) != 0 || ending[sizeof ASIDE_MARK - 1] < '0' ||
            ending[sizeof ASIDE_MARK - 1] > '9')
            continue;
        *number = strtoul(ending + sizeof ASIDE_MARK - 1, &after, 10);
        if (*after == '-' && *number < ASIDE_LAST)
            return entry->d_name;
    }
    return NULL;
}

/* One more than the largest: the clock may have been set back since. */
static unsigned long next_number(const char *path)
{
    unsigned long number, largest = 0;
    struct asides asides;

    if (asides_open(&asides, path))
        while (asides_next(&asides, &number) != NULL)
            largest = number > largest ? number : largest;
    asides_close(&asides);
    return largest + 1;
}

static void remove_older(const char *path, unsigned long newest)
{
    struct asides asides;
    unsigned long number;
    const char *name;

    if (asides_open(&asides, path))
        while ((name = asides_next(&asides, &number)) != NULL)
            if (number + STORE_ASIDE_KEPT <= newest)
                (void)unlinkat(dirfd(asides.list), name, 0);
    asides_close(&asides);
}

struct result store_file_set_aside(const char *path, char aside[STORE_ASIDE_SIZE])
{
    static const char *const endings[] = {"-wal", "-shm", ""}; /* the file itself last: only then is it done */
    char when[32], from[STORE_ASIDE_SIZE], to[STORE_ASIDE_SIZE];
    const unsigned long number = next_number(path);
    time_t now = time(NULL);
    struct tm parts;

    aside[0] = '\0';
    if (gmtime_r(&now, &parts) == NULL || strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &parts) == 0 ||
        strlen(path) + 64 > STORE_ASIDE_SIZE)
        return result_error(RESULT_STORE, "the damaged store %.200s cannot be set aside: move it away", path);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        (void)snprintf(from, sizeof from, "%s%s", path, endings[i]);
        (void)snprintf(to, sizeof to, "%s%s%lu-%s%s", path, ASIDE_MARK, number, when, endings[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return result_error(RESULT_STORE, "the damaged store %.200s cannot be set aside: %s; move it away", path,
                                strerror(errno));
    }
    (void)snprintf(aside, STORE_ASIDE_SIZE, "%s", to);
    remove_older(path, number);
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

static int64_t page_size_of(const unsigned char header[HEADER_SIZE])
{
    const int64_t size = (int64_t)header[HEADER_PAGE_SIZE] << 8 | header[HEADER_PAGE_SIZE + 1];

    return size == 1 ? 65536 : size;
}

/* SQLite's own verdict, by a connection of its own, because the one in use may have everything in memory. What it
 * cannot tell now, for want of memory or because the file is busy, is no damage. */
static bool is_sound(const char *path, bool *known)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    const char *answer = NULL;
    bool sound = false;
    int code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    (void)sqlite3_busy_timeout(database, 0);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(database, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        answer = (const char *)sqlite3_column_text(statement, 0);
    sound = answer != NULL && strcmp(answer, "ok") == 0;
    *known = answer != NULL || (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return sound;
}

bool store_file_is_damaged(sqlite3 *database, struct store_face *face)
{
    const char *path = sqlite3_db_filename(database, "main");
    unsigned char header[HEADER_SIZE];
    struct stat status;
    sqlite3_int64 size;
    bool known = false, sound;

    if (read_header(database, header, &size) != SQLITE_OK)
        return false; /* the disk, perhaps: what needs the file will tell */
    if (size == 0)
        return true; /* SQLite would take it for a new one, without a table */
    /* The pages of a file whose end was cut off lie behind it. */
    if (memcmp(header, header_magic, sizeof header_magic) == 0 &&
        page_size_of(header) * header_integer(header + HEADER_PAGES) <= size)
        return false;
    if (path == NULL || stat(path, &status) != 0)
        return false;
    if (face->size == status.st_size && face->modified.tv_sec == status.st_mtim.tv_sec &&
        face->modified.tv_nsec == status.st_mtim.tv_nsec)
        return false;
    sound = is_sound(path, &known);
    if (sound)
        *face = (struct store_face){.size = status.st_size, .modified = status.st_mtim};
    return known && !sound;
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
        return result_error(RESULT_STORE,
                            "%.200s is not a database; name another file for the store, or move this one "
                            "away",
                            path);
    }
    application_id = header_integer(header + HEADER_APPLICATION_ID);
    version = header_integer(header + HEADER_USER_VERSION);
    if (application_id != STORE_APPLICATION_ID)
        return store_file_foreign(path, application_id);
    if (version > STORE_SCHEMA_VERSION)
        return store_file_newer(path, version, STORE_SCHEMA_VERSION);
    return result_ok();
}
