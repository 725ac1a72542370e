/* Whom this server believes: which requests between partners (scope-receive, scope-digest) are carried out, and which
 * answers count. With a shared secret each message carries a seal over sender, receiver, command, a number that is used
 * once, and the text; the same envelope without a seal tells which answer belongs to which request.
 *
 * A number counts up from the sender's clock (microseconds since 1970). It counts within a session, which is one load
 * of the receiver's library: a request names the session that it is for, so that what was said to an earlier load,
 * whose numbers nobody remembers, counts for nothing. Whoever does not know the session, or has fallen behind in
 * numbers (because its clock was set back), is answered with both, sealed, and asks again. Nothing of it is in the
 * store.
 *
 * May be used by several threads at once. */
#ifndef FAILOVER_SYNC_TRUST_H
#define FAILOVER_SYNC_TRUST_H

#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plugin;
struct trust;
struct model_node;

#define TRUST_NUMBER_SIZE 20 /* up to 19 digits */
#define TRUST_SEAL_SIZE   65

struct result trust_new(struct trust **trust);
void trust_free(struct trust *trust); /* NULL is fine */

/* ---- the server that is asked ---- */

/* What the answer to a request has to refer to. */
struct trust_request {
    char number[TRUST_NUMBER_SIZE]; /* "": it has none */
    char seal[TRUST_SEAL_SIZE];     /* "": it is not sealed, nor is its answer */
    const char *secret_file;        /* of the partner; borrowed from its relationship */
    uint64_t largest;               /* 0, or the largest number seen: the asker has fallen behind */
};

/* Whether the command is between partners. */
bool trust_covers(const char *command);

/* Looks at a request before anybody else does. False: it is refused, counted, and *refusal is the whole answer (NULL
 * for want of memory). */
bool trust_admit(struct plugin *plugin, const char *command, const char *arguments, struct trust_request *request,
                 char **refusal);

/* Where no secret and nothing else demands the former: notes the number, once the request has been parsed. False: it is
 * sealed, which this server cannot judge. */
bool trust_note(struct plugin *plugin, const struct model_node *input, struct trust_request *request, char **refusal);

/* The answer in its envelope, in place of `answer`, which is taken. NULL for want of memory. */
char *trust_seal_answer(struct plugin *plugin, const char *command, const struct trust_request *request, char *answer);

/* ---- the server that asks; [worker] ---- */

/* What was sent, for its answer. */
struct trust_letter {
    char number[TRUST_NUMBER_SIZE];
    char session[17];
    char seal[TRUST_SEAL_SIZE]; /* "": unsealed */
};

/* Puts a command's text into its envelope for the partner of a relationship; *sealed is the caller's. RESULT_INVALID:
 * the secret cannot be used, with the reason and the remedy. */
struct result trust_seal(struct plugin *plugin, size_t relationship, const char *command, const char *text,
                         char **sealed, struct trust_letter *letter);

enum trust_verdict {
    TRUST_BELIEVED,
    TRUST_AGAIN, /* the partner does not know us in this session: seal it anew and send it again, at once */
    TRUST_STRAY, /* it is the answer to another request */
    TRUST_REFUSED
};

/* Judges an answer of `length` bytes and a NUL behind them; for the last two, *why is a sentence with the remedy. */
enum trust_verdict trust_judge(struct plugin *plugin, size_t relationship, const char *command,
                               const struct trust_letter *letter, const char *answer, size_t length,
                               struct result *why);

/* ---- what an administrator is shown ---- */

/* Requests that were refused, since the library was loaded. */
struct trust_refusals {
    uint32_t unsealed, wrong, repeated, misdirected;
    char last[240]; /* why, the last time; "" without one */
};

/* Those in the name of a partner; NULL: of nobody who is a partner. */
void trust_refusals(struct plugin *plugin, const char *partner, struct trust_refusals *refusals);

#endif
