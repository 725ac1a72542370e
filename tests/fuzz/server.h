/* A server that is given lines of text, one command each: "range-get {...}". "put 5 words" is a change by Kea's own
 * commands, "put 5" a removal, "file 5 words" one of the file, "reload" and "restart" what they say. */
#ifndef FUZZ_SERVER_H
#define FUZZ_SERVER_H

#include "fuzz.h"

/* Once: the server, and a store with rows in it. */
void server_prepare(void);

/* The path of that store, which may be changed before the first input. */
const char *server_prepared(void);

/* The server's own store becomes a copy of it. */
void server_begin(void);
const char *server_store(void);

/* Starts the server, runs up to 16 lines, stops it. Options are bits: 1, only sealed requests are accepted from
 * partners; 2, conflicts are held. `ours`: nobody else has written to the store, so that answers are what the YANG
 * module says, and the tables are whole at the end; otherwise some questions more are asked, and every answer is one of
 * Kea's. */
void server_run(struct fuzz_input *input, unsigned options, bool ours);

#endif
