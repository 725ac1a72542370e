/* Two fake servers that are each other's partner, made anew for each test: server1, the primary, and server2. */
#ifndef PAIR_FIXTURE_H
#define PAIR_FIXTURE_H

#include "fake_server.h"

#define PAIR_SOON 30000 /* milliseconds before a wait is given up: for sanitizers on a busy machine */

extern struct fake_server *one, *two;
extern char pair_folder[64]; /* where their files are */

/* For cmocka's set-up and tear-down; the servers are not started. */
int pair_make(void **state);
int pair_drop(void **state);

/* Starts both with the same parameters of the library; NULL: none. */
void start_both(const char *parameters);

void assert_runs(struct fake_server *server, uint32_t subnet_id, const char *words);
void assert_both_run(uint32_t subnet_id, const char *words);

/* The version that a server has of scope 1, as it tells its partner; the caller frees it. */
char *pair_version_of_first(struct fake_server *server);

/* Every wish is gone and every scope agreed. */
void pair_await_quiet(void);

#endif
