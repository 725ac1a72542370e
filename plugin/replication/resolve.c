/* Lookups of host names on threads of their own. The threads and the table belong to the process, not to one load of
 * the library: they touch nothing of a plugin, and the library stays mapped when Kea unloads it (it is linked with
 * -z nodelete), so that a thread may end whenever the name server lets it. */
#include "resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOST_SIZE     256
#define ADDRESSES_MAX 8 /* of one name */
#define LIST_SIZE     (ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3))

struct entry {
    char host[HOST_SIZE]; /* "": free */
    bool pending;         /* a thread is at it: the entry keeps its place */
    char addresses[LIST_SIZE];
    char failure[RESOLVE_REASON_SIZE]; /* of the last lookup; "" if it went well */
    int64_t ended_at;                  /* when that was; 0: never, or its outcome is doubted */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct entry table[RESOLVE_MAX];
static resolve_lookup *look_up = getaddrinfo;

/* Clocks that are set do not matter here. */
static int64_t monotonic_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

static struct entry *find(const char *host)
{
    for (size_t i = 0; i < RESOLVE_MAX; i++)
        if (strcmp(table[i].host, host) == 0)
            return &table[i];
    return NULL;
}

/* The entry of `host`, in place of the one that is longest of no use; NULL if lookups are under way for all. */
static struct entry *find_or_add(const char *host)
{
    struct entry *entry = find(host);

    if (entry != NULL)
        return entry;
    for (size_t i = 0; i < RESOLVE_MAX; i++)
        if (!table[i].pending && (entry == NULL || table[i].ended_at < entry->ended_at))
            entry = &table[i];
    if (entry == NULL)
        return NULL;
    *entry = (struct entry){.host = ""};
    (void)snprintf(entry->host, sizeof entry->host, "%s", host);
    return entry;
}

static void print_addresses(const struct addrinfo *found, char list[LIST_SIZE])
{
    size_t used = 0, count = 0;

    list[0] = '\0';
    for (; found != NULL && count < ADDRESSES_MAX; found = found->ai_next) {
        char text[INET6_ADDRSTRLEN];
        const bool v6 = found->ai_family == AF_INET6;
        const void *address = v6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)found->ai_addr)->sin6_addr
                                 : (const void *)&((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_addr;

        if ((!v6 && found->ai_family != AF_INET) || inet_ntop(found->ai_family, address, text, sizeof text) == NULL)
            continue;
        used += (size_t)snprintf(list + used, (size_t)LIST_SIZE - used, v6 ? "%s[%s]" : "%s%s", count == 0 ? "" : ",",
                                 text);
        count++;
    }
}

static void *run_lookup(void *argument)
{
    char *host = argument, list[LIST_SIZE] = "", failure[RESOLVE_REASON_SIZE] = "";
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    resolve_lookup *lookup;
    struct entry *entry;
    int error;

    (void)pthread_mutex_lock(&lock);
    lookup = look_up;
    (void)pthread_mutex_unlock(&lock);
    error = lookup(host, NULL, &hints, &found);
    if (error == 0) {
        print_addresses(found, list);
        freeaddrinfo(found);
        if (list[0] == '\0')
            (void)snprintf(failure, sizeof failure, "it has no address");
    } else {
        char words[96] = "";

        (void)snprintf(failure, sizeof failure, "%.120s",
                       error == EAI_SYSTEM ? strerror_r(errno, words, sizeof words) : gai_strerror(error));
    }
    (void)pthread_mutex_lock(&lock);
    entry = find(host);
    if (entry != NULL) {
        entry->pending = false;
        entry->ended_at = monotonic_ms();
        memcpy(entry->failure, failure, sizeof failure);
        if (failure[0] == '\0') /* what was found before is better than nothing */
            memcpy(entry->addresses, list, sizeof list);
    }
    (void)pthread_mutex_unlock(&lock);
    free(host);
    return NULL;
}

/* A detached thread on which no signal is handled: those are the server's business. */
static int start_thread(char *host)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);

    if (error != 0)
        return error;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, run_lookup, host);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return error;
}

static void begin_lookup(struct entry *entry)
{
    char *host = strdup(entry->host);

    entry->pending = host != NULL && start_thread(host) == 0;
    if (entry->pending)
        return;
    free(host);
    entry->ended_at = monotonic_ms();
    (void)snprintf(entry->failure, sizeof entry->failure, "no thread can be started for it");
}

static bool is_due(const struct entry *entry)
{
    const int64_t age = monotonic_ms() - entry->ended_at;

    return !entry->pending &&
           (entry->ended_at == 0 || age >= (entry->failure[0] == '\0' ? RESOLVE_FRESH_MS : RESOLVE_FAILED_MS));
}

enum resolve_state resolve_host(const char *host, char **addresses, char reason[RESOLVE_REASON_SIZE])
{
    enum resolve_state state = RESOLVE_FAILED;
    struct entry *entry;

    *addresses = NULL;
    reason[0] = '\0';
    if (host[0] == '\0' || strlen(host) >= HOST_SIZE) {
        (void)snprintf(reason, RESOLVE_REASON_SIZE, "a name has 1 to %d characters", HOST_SIZE - 1);
        return RESOLVE_FAILED;
    }
    (void)pthread_mutex_lock(&lock);
    entry = find_or_add(host);
    if (entry == NULL) {
        (void)snprintf(reason, RESOLVE_REASON_SIZE, "%d other names are being looked up, and none is answered",
                       RESOLVE_MAX);
    } else {
        if (is_due(entry))
            begin_lookup(entry);
        if (entry->addresses[0] != '\0')
            *addresses = strdup(entry->addresses);
        if (*addresses != NULL)
            state = RESOLVE_FOUND;
        else if (entry->pending)
            state = RESOLVE_PENDING;
        else
            (void)snprintf(reason, RESOLVE_REASON_SIZE, "%s",
                           entry->failure[0] == '\0' ? "out of memory" : entry->failure);
    }
    (void)pthread_mutex_unlock(&lock);
    return state;
}

void resolve_doubt(const char *host)
{
    struct entry *entry;

    (void)pthread_mutex_lock(&lock);
    entry = find(host);
    if (entry != NULL)
        entry->ended_at = 0;
    (void)pthread_mutex_unlock(&lock);
}

void resolve_set_lookup(resolve_lookup *lookup)
{
    (void)pthread_mutex_lock(&lock);
    look_up = lookup == NULL ? getaddrinfo : lookup;
    (void)pthread_mutex_unlock(&lock);
}
