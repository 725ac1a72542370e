/* A lock and a condition to wait on for a bounded time, by a clock that nobody sets. */
#ifndef FAILOVER_SYNC_WAITING_H
#define FAILOVER_SYNC_WAITING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Makes both; false, and neither is made, for want of memory. */
bool waiting_init(pthread_mutex_t *lock, pthread_cond_t *moved);
void waiting_destroy(pthread_mutex_t *lock, pthread_cond_t *moved);

/* Milliseconds by that clock. */
int64_t waiting_now(void);

/* The end of a wait of `ms` milliseconds that begins now, for pthread_cond_timedwait on such a condition. */
struct timespec waiting_until(int64_t ms);

#endif
