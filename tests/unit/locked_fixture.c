/* Another process that has a store locked. */
#include "locked_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

sqlite3 *lock_store(const char *path, enum lock lock)
{
    sqlite3 *other = NULL;

    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    sqlite3_busy_timeout(other, PAIR_SOON);
    assert_int_equal(sqlite3_exec(other,
                                  lock == LOCK_ALL
                                      ? "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; CREATE TABLE x (y)"
                                      : "BEGIN IMMEDIATE",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    return other;
}

void unlock_store(sqlite3 *other)
{
    (void)sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool status_has(struct fake_server *server, const char *text)
{
    char *status = fake_server_command(server, "failover-status", NULL);
    bool has = status != NULL && strstr(status, text) != NULL;

    free(status);
    return has;
}

void await_status_text(struct fake_server *server, const char *text)
{
    for (int tries = 0; tries < PAIR_SOON / 10 && !status_has(server, text); tries++)
        usleep(10000);
    if (!status_has(server, text)) {
        char *status = fake_server_command(server, "failover-status", NULL);

        fail_msg("no %s in %s", text, status);
    }
}
