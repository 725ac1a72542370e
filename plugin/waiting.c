/* Waiting for a bounded time. */
#include "failover_sync/waiting.h"

bool waiting_init(pthread_mutex_t *lock, pthread_cond_t *moved)
{
    pthread_condattr_t attributes;
    bool made;

    if (pthread_condattr_init(&attributes) != 0)
        return false;
    made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(moved, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    if (made && pthread_mutex_init(lock, NULL) != 0) {
        (void)pthread_cond_destroy(moved);
        made = false;
    }
    return made;
}

void waiting_destroy(pthread_mutex_t *lock, pthread_cond_t *moved)
{
    (void)pthread_cond_destroy(moved);
    (void)pthread_mutex_destroy(lock);
}

int64_t waiting_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct timespec waiting_until(int64_t ms)
{
    struct timespec when;

    (void)clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_nsec += (long)(ms % 1000) * 1000000;
    when.tv_sec += (time_t)(ms / 1000 + when.tv_nsec / 1000000000);
    when.tv_nsec %= 1000000000;
    return when;
}
