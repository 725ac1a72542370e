/* Commands come in and go, and whoever replaces what they look at waits until they are gone. */
#include "failover_sync/command_gate.h"

bool command_gate_init(struct command_gate *gate)
{
    if (pthread_mutex_init(&gate->lock, NULL) != 0)
        return false;
    if (pthread_cond_init(&gate->left, NULL) != 0) {
        (void)pthread_mutex_destroy(&gate->lock);
        return false;
    }
    return true;
}

void command_gate_destroy(struct command_gate *gate)
{
    (void)pthread_cond_destroy(&gate->left);
    (void)pthread_mutex_destroy(&gate->lock);
}

bool command_gate_enter(struct command_gate *gate)
{
    bool open;

    (void)pthread_mutex_lock(&gate->lock);
    open = gate->open;
    gate->inside += open;
    (void)pthread_mutex_unlock(&gate->lock);
    return open;
}

void command_gate_leave(struct command_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    if (--gate->inside == 0)
        (void)pthread_cond_broadcast(&gate->left);
    (void)pthread_mutex_unlock(&gate->lock);
}

void command_gate_open(struct command_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->open = true;
    (void)pthread_mutex_unlock(&gate->lock);
}

bool command_gate_close(struct command_gate *gate)
{
    bool empty;

    (void)pthread_mutex_lock(&gate->lock);
    gate->open = false;
    empty = gate->inside == 0;
    (void)pthread_mutex_unlock(&gate->lock);
    return empty;
}

void command_gate_wait(struct command_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    while (gate->inside > 0)
        (void)pthread_cond_wait(&gate->left, &gate->lock);
    (void)pthread_mutex_unlock(&gate->lock);
}
