/* The way in for commands of ours. They look at the relationships and the index on whatever thread they come in on, and
 * nobody replaces those while one is inside. */
#ifndef FAILOVER_SYNC_COMMAND_GATE_H
#define FAILOVER_SYNC_COMMAND_GATE_H

#include <pthread.h>
#include <stdbool.h>

struct command_gate {
    pthread_mutex_t lock;
    pthread_cond_t left;
    unsigned inside;
    bool open;
};

/* A gate that is closed; false for want of memory. */
bool command_gate_init(struct command_gate *gate);
void command_gate_destroy(struct command_gate *gate);

/* False: it is closed, and the command is to be given again later. */
bool command_gate_enter(struct command_gate *gate);
void command_gate_leave(struct command_gate *gate);

void command_gate_open(struct command_gate *gate);

/* From now on nobody comes in. True if nobody is inside any more. */
bool command_gate_close(struct command_gate *gate);

/* Waits until nobody is inside one that is closed: as long as a command waits for an answer, a fifth of a second, and
 * not even that once the worker has stopped. */
void command_gate_wait(struct command_gate *gate);

#endif
