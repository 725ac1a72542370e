/* Another process that has a store locked, and how long the server's main thread is held meanwhile. */
#ifndef LOCKED_FIXTURE_H
#define LOCKED_FIXTURE_H

#include "pair_fixture.h"

#include <sqlite3.h>

enum lock {
    LOCK_WRITING, /* nobody else can write */
    LOCK_ALL      /* nor read */
};

sqlite3 *lock_store(const char *path, enum lock lock);
void unlock_store(sqlite3 *other);

/* Milliseconds by a clock that nobody sets. */
long long now_ms(void);

/* Whether failover-status has this text somewhere; waiting for it. */
bool status_has(struct fake_server *server, const char *text);
void await_status_text(struct fake_server *server, const char *text);

#endif
