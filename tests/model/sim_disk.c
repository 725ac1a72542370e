/* SQLite's files in memory, as a default file system of its own: what was written but not synced is lost in a crash,
 * the disk may be full, and it may go away in the middle of a transaction. */
#include "sim.h"

#include "failover_sync/statement.h"
#include "failover_sync/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES         8
#define SHM_REGIONS   8
#define WRITER_LENGTH 32
#define CACHE_PAGES   256
#define CACHE_PAGE    (4096 + 512) /* with what SQLite keeps beside each */

/* What a write that is not synced replaced. */
struct undo {
    size_t offset, length, size_before;
    unsigned char *bytes;
    struct undo *older;
};

struct disk_file {
    char name[160]; /* "": a free place */
    unsigned char *bytes;
    size_t size, capacity;
    struct undo *undo;
    void *shm[SHM_REGIONS];
};

struct open_file {
    sqlite3_file base;
    struct disk_file *file;
    bool temporary, remove;
};

struct disk {
    char path[128]; /* of the store; its other names begin with it */
    enum sim_disk_state state;
    unsigned writes_left;
};

static struct disk_file files[FILES];
static struct disk disks[SERVERS];
static unsigned char *template_bytes;
static size_t template_size;
static char template_writer[64];

static struct disk *disk_of(const char *name)
{
    for (size_t i = 0; name != NULL && i < SERVERS; i++)
        if (disks[i].path[0] != '\0' && strncmp(disks[i].path, name, strlen(disks[i].path)) == 0)
            return &disks[i];
    return NULL;
}

static void forget_undo(struct disk_file *file)
{
    while (file->undo != NULL) {
        struct undo *undo = file->undo;

        file->undo = undo->older;
        free(undo->bytes);
        free(undo);
    }
}

static void forget_shm(struct disk_file *file)
{
    for (size_t i = 0; i < SHM_REGIONS; i++) {
        free(file->shm[i]);
        file->shm[i] = NULL;
    }
}

/* The memory is kept for the next file: a schedule makes and removes many. */
static void remove_file(struct disk_file *file)
{
    forget_undo(file);
    forget_shm(file);
    file->name[0] = '\0';
    file->size = 0;
}

static struct disk_file *find_file(const char *name, bool create)
{
    struct disk_file *place = NULL;

    for (size_t i = 0; i < FILES; i++) {
        if (files[i].name[0] == '\0')
            place = place == NULL ? &files[i] : place;
        else if (strcmp(files[i].name, name) == 0)
            return &files[i];
    }
    if (!create)
        return NULL;
    if (place == NULL)
        abort();
    snprintf(place->name, sizeof place->name, "%s", name);
    return place;
}

static void make_room(struct disk_file *file, size_t size)
{
    if (size > file->capacity) {
        size_t capacity = file->capacity == 0 ? 65536 : file->capacity;

        while (capacity < size)
            capacity *= 2;
        file->bytes = realloc(file->bytes, capacity);
        if (file->bytes == NULL)
            abort();
        file->capacity = capacity;
    }
    if (size > file->size) {
        memset(file->bytes + file->size, 0, size - file->size);
        file->size = size;
    }
}

/* Whether the disk takes a change now. */
static int check_disk(const struct open_file *open)
{
    struct disk *disk = open->temporary ? NULL : disk_of(open->file->name);

    if (disk == NULL)
        return SQLITE_OK;
    if (disk->writes_left > 0 && --disk->writes_left == 0)
        disk->state = SIM_DISK_GONE;
    return disk->state == SIM_DISK_FULL ? SQLITE_FULL : disk->state == SIM_DISK_GONE ? SQLITE_IOERR : SQLITE_OK;
}

static void remember(struct open_file *open, size_t offset, size_t length)
{
    struct disk_file *file = open->file;
    struct undo *undo;

    if (open->temporary)
        return;
    undo = calloc(1, sizeof *undo);
    if (undo == NULL)
        abort();
    undo->offset = offset;
    undo->size_before = file->size;
    undo->length = offset >= file->size ? 0 : file->size - offset < length ? file->size - offset : length;
    undo->bytes = malloc(undo->length + 1);
    if (undo->bytes == NULL)
        abort();
    if (undo->length > 0)
        memcpy(undo->bytes, file->bytes + offset, undo->length);
    undo->older = file->undo;
    file->undo = undo;
}

/* ---- SQLite's methods of a file ---- */

static int disk_close(sqlite3_file *base)
{
    struct open_file *open = (struct open_file *)base;

    if (open->temporary) {
        free(open->file->bytes);
        free(open->file);
    } else if (open->remove) {
        remove_file(open->file);
    }
    return SQLITE_OK;
}

static int disk_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset)
{
    const struct disk_file *file = ((struct open_file *)base)->file;
    size_t length = (size_t)count, at = (size_t)offset, have = at >= file->size ? 0 : file->size - at;

    if (have > length)
        have = length;
    if (have > 0)
        memcpy(bytes, file->bytes + at, have);
    if (have == length)
        return SQLITE_OK;
    memset((char *)bytes + have, 0, length - have);
    return SQLITE_IOERR_SHORT_READ;
}

static int disk_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset)
{
    struct open_file *open = (struct open_file *)base;
    int code = check_disk(open);

    if (code != SQLITE_OK)
        return code == SQLITE_IOERR ? SQLITE_IOERR_WRITE : code;
    remember(open, (size_t)offset, (size_t)count);
    make_room(open->file, (size_t)(offset + count));
    memcpy(open->file->bytes + offset, bytes, (size_t)count);
    return SQLITE_OK;
}

static int disk_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct open_file *open = (struct open_file *)base;
    int code = check_disk(open);

    if (code != SQLITE_OK)
        return SQLITE_IOERR_TRUNCATE;
    remember(open, (size_t)size, SIZE_MAX / 2);
    if ((size_t)size < open->file->size)
        open->file->size = (size_t)size;
    return SQLITE_OK;
}

static int disk_sync(sqlite3_file *base, int flags)
{
    struct open_file *open = (struct open_file *)base;
    int code = check_disk(open);

    (void)flags;
    if (code == SQLITE_IOERR)
        return SQLITE_IOERR_FSYNC;
    forget_undo(open->file);
    return SQLITE_OK;
}

static int disk_size(sqlite3_file *base, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)((struct open_file *)base)->file->size;
    return SQLITE_OK;
}

/* One connection per store: locks are always had. */
static int disk_lock(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int disk_check_lock(sqlite3_file *base, int *reserved)
{
    (void)base;
    *reserved = 0;
    return SQLITE_OK;
}

static int disk_control(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int disk_sector_size(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int disk_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int disk_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **memory)
{
    struct disk_file *file = ((struct open_file *)base)->file;

    *memory = NULL;
    if (region >= SHM_REGIONS)
        return SQLITE_IOERR_SHMMAP;
    if (file->shm[region] == NULL && extend)
        file->shm[region] = calloc(1, (size_t)size);
    *memory = file->shm[region];
    return SQLITE_OK;
}

static int disk_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
    (void)base;
    (void)offset;
    (void)count;
    (void)flags;
    return SQLITE_OK;
}

static void disk_shm_barrier(sqlite3_file *base)
{
    (void)base;
}

static int disk_shm_unmap(sqlite3_file *base, int remove)
{
    (void)remove;
    forget_shm(((struct open_file *)base)->file);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_lock,
    .xCheckReservedLock = disk_check_lock,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector_size,
    .xDeviceCharacteristics = disk_characteristics,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

/* ---- SQLite's methods of a file system ---- */

static int fs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
    struct open_file *open = (struct open_file *)base;

    (void)vfs;
    *open = (struct open_file){.base.pMethods = &methods, .temporary = name == NULL};
    open->remove = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    open->file = name == NULL ? calloc(1, sizeof *open->file) : find_file(name, true);
    if (open->file == NULL)
        abort();
    if (out_flags != NULL)
        *out_flags = flags;
    return SQLITE_OK;
}

static int fs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct disk_file *file = find_file(name, false);
    struct disk *disk = disk_of(name);

    (void)vfs;
    (void)sync;
    if (disk != NULL && disk->state == SIM_DISK_GONE)
        return SQLITE_IOERR_DELETE;
    if (file == NULL)
        return SQLITE_IOERR_DELETE_NOENT;
    remove_file(file);
    return SQLITE_OK;
}

static int fs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    const struct disk_file *file = find_file(name, false);

    (void)vfs;
    (void)flags;
    *result = file != NULL && (file->size > 0 || strstr(name, "-wal") == NULL);
    return SQLITE_OK;
}

static int fs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *path)
{
    (void)vfs;
    (void)snprintf(path, (size_t)size, "%s", name);
    return SQLITE_OK;
}

static int fs_randomness(sqlite3_vfs *vfs, int count, char *bytes)
{
    (void)vfs;
    for (int i = 0; i < count; i++)
        bytes[i] = (char)(i * 37 + 11);
    return count;
}

static int fs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int fs_time(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
    (void)vfs;
    *now = sim_now + INT64_C(210866760000000); /* Julian milliseconds */
    return SQLITE_OK;
}

static int fs_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    (void)vfs;
    (void)size;
    (void)text;
    return 0;
}

static sqlite3_vfs file_system = {
    .iVersion = 2,
    .szOsFile = sizeof(struct open_file),
    .mxPathname = 150,
    .zName = "simulated",
    .xOpen = fs_open,
    .xDelete = fs_delete,
    .xAccess = fs_access,
    .xFullPathname = fs_full_path,
    .xRandomness = fs_randomness,
    .xSleep = fs_sleep,
    .xCurrentTimeInt64 = fs_time,
    .xGetLastError = fs_last_error,
};

/* ---- SQLite's memory ---- */

/* The C library's own allocator, which a sanitizer does not watch: only for many schedules, since it hides what is
 * wrong with memory that SQLite lent us. */
extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

#define MEMORY_HEADER 16 /* holds the size, and keeps the alignment */

static int memory_size(void *memory)
{
    int size;

    memcpy(&size, (char *)memory - MEMORY_HEADER, sizeof size);
    return size;
}

static void *sized(char *block, int size)
{
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    return block + MEMORY_HEADER;
}

static void *memory_take(int size)
{
    return sized(__libc_malloc((size_t)size + MEMORY_HEADER), size);
}

static void *memory_resize(void *memory, int size)
{
    return sized(__libc_realloc((char *)memory - MEMORY_HEADER, (size_t)size + MEMORY_HEADER), size);
}

static void memory_give(void *memory)
{
    if (memory != NULL)
        __libc_free((char *)memory - MEMORY_HEADER);
}

static int memory_round(int size)
{
    return (size + 7) & ~7;
}

static int memory_begin(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void memory_end(void *unused)
{
    (void)unused;
}

static const sqlite3_mem_methods unwatched = {
    .xMalloc = memory_take,
    .xFree = memory_give,
    .xRealloc = memory_resize,
    .xSize = memory_size,
    .xRoundup = memory_round,
    .xInit = memory_begin,
    .xShutdown = memory_end,
};

void sim_disk_begin(void)
{
    static _Alignas(8) unsigned char cache[CACHE_PAGES * CACHE_PAGE];

    if (getenv("FAILOVER_SYNC_SQLITE_UNWATCHED") != NULL &&
        sqlite3_config(SQLITE_CONFIG_MALLOC, &unwatched) != SQLITE_OK)
        abort();
    /* Statistics cost a lock with each allocation, and a cache of its own in each connection a mapping. */
    if (sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_PAGECACHE, cache, CACHE_PAGE, CACHE_PAGES) != SQLITE_OK ||
        sqlite3_vfs_register(&file_system, 1) != SQLITE_OK)
        abort();
}

/* ---- what happens to a disk ---- */

static struct disk *find_disk(const char *path)
{
    for (size_t i = 0; i < SERVERS; i++) {
        if (disks[i].path[0] == '\0')
            snprintf(disks[i].path, sizeof disks[i].path, "%s", path);
        if (strcmp(disks[i].path, path) == 0)
            return &disks[i];
    }
    abort();
}

/* A new store, but for the name of its writer: made once, because a schema costs more than most schedules. */
static void make_template(const char *path)
{
    struct store *store = NULL;
    struct statement *statement = NULL;
    bool found = false;

    if (result_failed(store_open(path, &store)) ||
        result_failed(statement_get(store, "SELECT Writer FROM StoreIdentity", &statement)) ||
        result_failed(statement_step(statement, &found)) || !found)
        abort();
    snprintf(template_writer, sizeof template_writer, "%s", statement_text(statement, 0));
    statement_done(statement);
    store_close(store);
    template_size = find_file(path, true)->size;
    template_bytes = malloc(template_size);
    if (template_bytes == NULL || strlen(template_writer) != WRITER_LENGTH)
        abort();
    memcpy(template_bytes, find_file(path, true)->bytes, template_size);
}

static void remove_files(const struct disk *disk)
{
    for (size_t i = 0; i < FILES; i++)
        if (disk_of(files[i].name) == disk)
            remove_file(&files[i]);
}

void sim_disk_reset(const char *path, unsigned number)
{
    struct disk *disk = find_disk(path);
    char writer[WRITER_LENGTH + 1];
    struct disk_file *file;
    unsigned char *place;

    remove_files(disk);
    disk->state = SIM_DISK_GOOD;
    disk->writes_left = 0;
    if (template_size == 0) {
        make_template(path);
        remove_files(disk);
    }
    file = find_file(path, true);
    make_room(file, template_size);
    memcpy(file->bytes, template_bytes, template_size);
    place = memmem(file->bytes, file->size, template_writer, WRITER_LENGTH);
    if (place == NULL)
        abort();
    (void)snprintf(writer, sizeof writer, "%0*x", WRITER_LENGTH, number + 1);
    memcpy(place, writer, WRITER_LENGTH);
}

void sim_disk_set(const char *path, enum sim_disk_state state)
{
    struct disk *disk = find_disk(path);

    disk->state = state;
    disk->writes_left = 0;
}

void sim_disk_go_after(const char *path, unsigned writes)
{
    find_disk(path)->writes_left = writes;
}

enum sim_disk_state sim_disk_state(const char *path)
{
    return find_disk(path)->state;
}

void sim_disk_crash(const char *path)
{
    struct disk *disk = find_disk(path);

    for (size_t i = 0; i < FILES; i++) {
        struct disk_file *file = &files[i];

        if (file->name[0] == '\0' || disk_of(file->name) != disk)
            continue;
        while (file->undo != NULL) {
            struct undo *undo = file->undo;

            file->undo = undo->older;
            make_room(file, undo->offset + undo->length);
            memcpy(file->bytes + undo->offset, undo->bytes, undo->length);
            file->size = undo->size_before;
            free(undo->bytes);
            free(undo);
        }
        forget_shm(file);
    }
    disk->state = SIM_DISK_GOOD;
    disk->writes_left = 0;
}
