/* One process uses a store at a time: the lock of a file beside it. Not of the store itself, because closing a
 * descriptor of that would drop the locks that SQLite has on it; so whoever reads the store is not kept from it. */
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLDER_SIZE 96
#define RACES_MAX   3 /* times that the file was removed while it was being locked */

/* A store that is opened again in this process, while the library is loaded anew or because the file is another one,
 * shares the lock. */
struct store_lock {
    char *path;
    dev_t device;
    ino_t inode;
    int file;
    unsigned users;
    struct store_lock *next;
};

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct store_lock *first;

/* The file that `path` leads to may have several names: all have one lock. */
static char *lock_path(const char *path)
{
    char *real = realpath(path, NULL), *name = NULL;

    if (asprintf(&name, "%s-lock", real == NULL ? path : real) < 0)
        name = NULL;
    free(real);
    return name;
}

static struct result cannot_lock(const char *name, int error)
{
    return result_error(RESULT_STORE,
                        "the lock %.200s of the store cannot be had: %s; let the server's user write to it and to its "
                        "folder on a local disk, and if it is no file, move it away",
                        name, strerror(error));
}

/* Who says in the file that it is locked; what cannot be shown is left out. */
static void read_holder(int file, char holder[HOLDER_SIZE])
{
    ssize_t length = pread(file, holder, HOLDER_SIZE - 1, 0);
    size_t kept = 0;

    for (ssize_t i = 0; i < length && holder[i] != '\n'; i++)
        if (holder[i] >= ' ' && holder[i] <= '~')
            holder[kept++] = holder[i];
    holder[kept] = '\0';
}

static void write_holder(const struct store_lock *lock, const char *server)
{
    char text[HOLDER_SIZE];
    const int length = server == NULL ? snprintf(text, sizeof text, "%ld\n", (long)getpid())
                                      : snprintf(text, sizeof text, "%ld (%.60s)\n", (long)getpid(), server);

    /* It is for people: a disk without room for it is no reason to go without the store. */
    if (length > 0 && ftruncate(lock->file, 0) == 0)
        (void)!pwrite(lock->file, text, (size_t)length, 0);
}

static bool is_at_path(const char *path, const struct stat *status)
{
    struct stat now;

    return lstat(path, &now) == 0 && now.st_dev == status->st_dev && now.st_ino == status->st_ino;
}

/* With the guard held; NULL if this process has not locked the file. */
static struct store_lock *find(const struct stat *status)
{
    for (struct store_lock *lock = first; lock != NULL; lock = lock->next)
        if (lock->device == status->st_dev && lock->inode == status->st_ino)
            return lock;
    return NULL;
}

/* With the guard held. `file` is the new lock's. */
static struct store_lock *keep(const char *name, int file, const struct stat *status)
{
    struct store_lock *lock = calloc(1, sizeof *lock);

    if (lock != NULL)
        lock->path = strdup(name);
    if (lock == NULL || lock->path == NULL) {
        free(lock);
        return NULL;
    }
    lock->device = status->st_dev;
    lock->inode = status->st_ino;
    lock->file = file;
    lock->users = 1;
    lock->next = first;
    first = lock;
    return lock;
}

/* With the guard held. *again: the file was removed meanwhile. */
static struct result try_lock(const char *path, const char *name, struct store_lock **lock, bool *again)
{
    struct result result = result_ok();
    char holder[HOLDER_SIZE];
    struct stat status;
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    *again = false;
    if (file < 0 || fstat(file, &status) != 0) {
        result = cannot_lock(name, errno);
        goto done;
    }
    *lock = find(&status);
    if (*lock != NULL) {
        (*lock)->users++;
        goto done;
    }
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        read_holder(file, holder);
        result = errno != EWOULDBLOCK
                     ? cannot_lock(name, errno)
                     : result_error(RESULT_STORE,
                                    "the store %.180s is in use by process %s; give each server a `store` of its own, "
                                    "or end that process",
                                    path, holder[0] == '\0' ? "unknown" : holder);
        goto done;
    }
    *again = !is_at_path(name, &status);
    if (*again)
        goto done;
    *lock = keep(name, file, &status);
    if (*lock == NULL) {
        result = result_no_memory("the lock of the store");
        goto done;
    }
    file = -1;
    write_holder(*lock, NULL);
done:
    if (file >= 0)
        (void)close(file);
    return result;
}

struct result store_lock_take(const char *path, struct store_lock **lock)
{
    char *name = lock_path(path);
    struct result result = result_ok();
    bool again = true;

    *lock = NULL;
    if (name == NULL)
        return result_no_memory("the lock of the store");
    (void)pthread_mutex_lock(&guard);
    for (int i = 0; i < RACES_MAX && again && !result_failed(result); i++)
        result = try_lock(path, name, lock, &again);
    (void)pthread_mutex_unlock(&guard);
    if (!result_failed(result) && again)
        result = cannot_lock(name, EAGAIN);
    free(name);
    return result;
}

void store_lock_release(struct store_lock *lock)
{
    if (lock == NULL)
        return;
    (void)pthread_mutex_lock(&guard);
    if (--lock->users == 0) {
        struct store_lock **link = &first;

        while (*link != lock)
            link = &(*link)->next;
        *link = lock->next;
        (void)close(lock->file);
        free(lock->path);
        free(lock);
    }
    (void)pthread_mutex_unlock(&guard);
}

void store_lock_name(struct store_lock *lock, const char *server)
{
    (void)pthread_mutex_lock(&guard);
    write_holder(lock, server);
    (void)pthread_mutex_unlock(&guard);
}

bool store_lock_is_in_place(const struct store_lock *lock)
{
    const struct stat status = {.st_dev = lock->device, .st_ino = lock->inode};

    return is_at_path(lock->path, &status);
}
