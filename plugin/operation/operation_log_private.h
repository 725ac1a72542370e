/* What the two files of the operation log share. */
#ifndef OPERATION_LOG_PRIVATE_H
#define OPERATION_LOG_PRIVATE_H

#include "failover_sync/operation_log.h"

#include <pthread.h>

struct logged_operation {
    char id[OPERATION_ID_SIZE];
    char command[32];
    int64_t sequence; /* ascending in the order of the calls; 0: this place is free */
    enum operation_state state;
    unsigned percent;
    int64_t started_at, ended_at; /* milliseconds since 1970; 0: not yet */
    struct fault fault;
    char *output; /* JSON text; NULL: none */
    bool changed; /* since it was written to the store */
};

struct operation_log {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t ended; /* one of them, or the reading of what the store keeps */
    bool loaded;          /* what the store keeps has been read, as far as it could be */
    uint64_t begun;
    int64_t last_sequence;
    struct logged_operation *kept; /* in no order */
    size_t used, capacity;         /* how many places there are, OPERATIONS_KEPT at most, and for how many is memory */
};

/* With the lock held: the operation of that name, or NULL. */
struct logged_operation *operation_log_find(struct operation_log *log, const char *id);

/* With the lock held: a place for an operation of that sequence, free or of an older one; NULL if all are newer,
 * or without memory. What was found before may have moved. */
struct logged_operation *operation_log_place(struct operation_log *log, int64_t sequence);

#endif
