/* JSON as Kea prints it, into jansson's values and back. Kea escapes every byte above ASCII by itself (\u00c3\u00bc),
 * so a byte is one character here, and what is printed again is what was read, whether or not it is UTF-8. */
#ifndef REPLICATION_KEA_TEXT_H
#define REPLICATION_KEA_TEXT_H

#include "failover_sync/result.h"

#include <jansson.h>
#include <stddef.h>

/* The value of a JSON text; NULL if it is none, or for want of memory. The caller's reference. */
json_t *kea_text_parse(const char *text, size_t length);

/* The text that Kea prints for the value, to the letter, with the members of maps in the order of their names; the
 * caller frees it. NULL for want of memory. */
char *kea_text_print(const json_t *value);

/* A command with its arguments, whose reference is taken (NULL: none), as text the caller frees; NULL for want of
 * memory. */
char *kea_text_command(const char *command, const char *service, json_t *arguments);

/* Kea's own result codes. */
#define KEA_CODE_SUCCESS     0
#define KEA_CODE_ERROR       1
#define KEA_CODE_UNSUPPORTED 2
#define KEA_CODE_EMPTY       3 /* there is no such thing */

/* An answer out of its envelope. */
struct kea_answer {
    json_t *root;            /* what the others point into; kea_answer_clear drops it */
    const json_t *arguments; /* NULL without any */
    json_int_t code;
    char text[200]; /* what Kea said, without control characters; cut */
};

/* Reads an answer of `length` bytes. RESULT_NETWORK, with a sentence that names the partner: it is none of Kea's. */
struct result kea_answer_read(const char *partner, const char *text, size_t length, struct kea_answer *answer);
void kea_answer_clear(struct kea_answer *answer);

#endif
