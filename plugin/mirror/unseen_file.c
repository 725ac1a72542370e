/* Loads of the configuration file that no store has recorded yet. The server unloads the library at each load, and with
 * it goes what was still to be recorded; this outlives it, for as long as the process lives. */
#include "failover_sync/store_life.h"

#include "failover_sync/fingerprint.h"

#include <pthread.h>
#include <string.h>

#define STORES 16 /* of one process: Kea has one */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t unseen[STORES]; /* by the store's path; 0: none */

static uint64_t number_of(const char *store)
{
    const uint64_t number = fingerprint_number(fingerprint_of(store, strlen(store)));

    return number == 0 ? 1 : number;
}

/* Where the store is noted; NULL: it is not. Under the lock. */
static uint64_t *find(uint64_t number)
{
    for (size_t i = 0; i < STORES; i++)
        if (unseen[i] == number)
            return &unseen[i];
    return NULL;
}

void unseen_file_note(const char *store)
{
    const uint64_t number = number_of(store);

    (void)pthread_mutex_lock(&lock);
    if (find(number) == NULL) {
        uint64_t *place = find(0);

        *(place == NULL ? &unseen[0] : place) = number;
    }
    (void)pthread_mutex_unlock(&lock);
}

bool unseen_file_is_noted(const char *store)
{
    bool noted;

    (void)pthread_mutex_lock(&lock);
    noted = find(number_of(store)) != NULL;
    (void)pthread_mutex_unlock(&lock);
    return noted;
}

void unseen_file_forget(const char *store)
{
    uint64_t *place;

    (void)pthread_mutex_lock(&lock);
    place = find(number_of(store));
    if (place != NULL)
        *place = 0;
    (void)pthread_mutex_unlock(&lock);
}
