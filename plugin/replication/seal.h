/* The seal of a message between partners: an HMAC-SHA-256 with a secret that both have, over a text that both print
 * alike. Who may say what, and when, is in trust.c.
 *
 *   seal   = HMAC-SHA-256(secret, kind NUL command NUL about NUL text), 64 hexadecimal digits
 *   kind   = "kea-failover-sync request" or "kea-failover-sync answer": neither passes for the other
 *   about  = "" for a request, the request's seal for an answer: an answer belongs to one request
 *   text   = the request's arguments, or the whole answer, without the seal itself: JSON with the members of maps in
 * the order of their names, no blanks, everything above ASCII escaped. Sender, receiver and number are in it. */
#ifndef REPLICATION_SEAL_H
#define REPLICATION_SEAL_H

#include "failover_sync/result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define SEAL_SIZE    65 /* with its NUL */
#define SECRETS_MAX  2
#define SECRET_LEAST 16 /* bytes: what is shorter can be guessed from one message */
#define SECRET_MOST  1024

/* The secrets of one file: all are accepted, the first seals. */
struct secrets {
    char text[SECRETS_MAX][SECRET_MOST + 1];
    size_t count;
};

/* Reads the file, as it is now: one secret a line, of this user or of root, closed to everybody else. RESULT_INVALID
 * says what is wrong with it and what to do. */
struct result secrets_read(const char *path, struct secrets *secrets);

/* Forgets them, so that nothing of them is left in memory. */
void secrets_wipe(struct secrets *secrets);

enum seal_kind { SEAL_REQUEST, SEAL_ANSWER };

/* What is sealed. */
struct seal_text {
    enum seal_kind kind;
    const char *command, *about, *text;
};

/* Seals with the first secret; false for want of memory. */
bool seal_make(const struct secrets *secrets, const struct seal_text *sealed, char seal[SEAL_SIZE]);

/* Whether `seal` was made with one of the secrets; takes as long whichever it was, if any. */
bool seal_check(const struct secrets *secrets, const struct seal_text *sealed, const char *seal);

/* The text of a message, as it is sealed. The caller frees it; NULL for want of memory. */
char *seal_print(const json_t *message);

#endif
