/* How a partner is let to be reached: its URL, TLS files and credentials on a curl handle, and what a person is told
 * when that fails. The files are read anew for each request, so that a mended one counts at once. */
#ifndef REPLICATION_ACCESS_H
#define REPLICATION_ACCESS_H

#include "failover_sync/parameters.h"
#include "failover_sync/result.h"

#include "resolve.h"

#include <curl/curl.h>
#include <stdbool.h>

struct access {
    CURL *easy;
    const struct partner_access *partner;
    struct curl_slist *headers, *connect_to, *resolved;
    char *lookup, *port;          /* the name in the URL, and where; NULL if it has an address */
    char detail[CURL_ERROR_SIZE]; /* curl's words for the last failure */
};

/* Makes a curl handle for requests to a partner, which must outlive it. */
struct result access_open(const struct partner_access *partner, struct access *access);
void access_close(struct access *access); /* one that is all zero is fine */

/* Before each request: the password as its file has it now. RESULT_INVALID names the file that cannot be used, or says
 * why the partner is not to be spoken to. */
struct result access_prepare(struct access *access);

/* Then: the addresses of the name in its URL. RESOLVE_PENDING: they are being looked up, and with `last_chance` that is
 * a failure, too. *why names the partner and the remedy. */
enum resolve_state access_resolve(struct access *access, bool last_chance, struct result *why);

/* The addresses led nowhere. */
void access_doubt(const struct access *access);

/* Whether a password travels to the partner as anybody can read it, and nobody was told of it: true once for each URL,
 * however often the library is loaded. */
bool access_warns(const struct partner_access *partner);

/* How the request went: ok only with HTTP status 200. Else a sentence that names the partner and the remedy. */
struct result access_judge(const struct access *access, CURLcode code);

#endif
