/* Looking up host names without waiting for them. Each lookup has a thread of its own, which nobody ever joins: a name
 * server that does not answer holds up nothing but the partner whose name it is. What was found is kept for a while. */
#ifndef REPLICATION_RESOLVE_H
#define REPLICATION_RESOLVE_H

#include <netdb.h>
#include <stddef.h>

#define RESOLVE_MAX         64    /* names remembered, and lookups under way at once, of all loads of the library */
#define RESOLVE_FRESH_MS    30000 /* what was found is looked up anew after this, and used until that has ended */
#define RESOLVE_FAILED_MS   1000  /* for how long a failure is told without another lookup */
#define RESOLVE_REASON_SIZE 160

enum resolve_state { RESOLVE_FOUND, RESOLVE_PENDING, RESOLVE_FAILED };

/* What is known of `host` now; starts a lookup if one is due. RESOLVE_FOUND: *addresses is a list such as
 * "192.0.2.1,[2001:db8::1]", the caller's. RESOLVE_PENDING: ask again soon. RESOLVE_FAILED: `reason` says why. Any
 * thread may call it; it never blocks. */
enum resolve_state resolve_host(const char *host, char **addresses, char reason[RESOLVE_REASON_SIZE]);

/* The addresses of `host` did not lead to it: the next resolve_host looks it up anew. */
void resolve_doubt(const char *host);

/* For tests: looks up instead of getaddrinfo, whose contract it has (freeaddrinfo frees what it gives). */
typedef int resolve_lookup(const char *host, const char *service, const struct addrinfo *hints,
                           struct addrinfo **found);
void resolve_set_lookup(resolve_lookup *lookup);

#endif
