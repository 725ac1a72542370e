/* How long a lock that another process has on the store is waited for. The server's main thread has a second for all
 * that it does with the store at a configuration load, the worker has two for each thing. */
#include "store_private.h"

#include "failover_sync/waiting.h"

#include <unistd.h>

#define BUSY_TIMEOUT_MS 2000
#define PAUSE_MAX_MS    20 /* between two attempts: a deadline that is set meanwhile is noticed so soon */

static int wait_for_lock(void *argument, int attempt)
{
    struct store *store = argument;
    const int64_t now = waiting_now(), deadline = store->deadline;
    int64_t end, pause = attempt < 5 ? INT64_C(1) << attempt : PAUSE_MAX_MS;

    if (attempt == 0)
        store->busy_since = now;
    end = store->busy_since + BUSY_TIMEOUT_MS;
    if (deadline != 0 && deadline < end)
        end = deadline;
    if (now >= end)
        return 0;
    if (pause > end - now)
        pause = end - now;
    (void)usleep((useconds_t)pause * 1000);
    return 1;
}

void store_wait_for_locks(struct store *store)
{
    (void)sqlite3_busy_handler(store->database, wait_for_lock, store);
}

void store_set_deadline(struct store *store, int64_t deadline)
{
    if (store != NULL)
        store->deadline = deadline;
}
