/* Answers to commands in Kea's format: {"result": 0|1|3, "text": ..., "arguments": {...}}, as JSON text. */
#ifndef FAILOVER_SYNC_ANSWER_H
#define FAILOVER_SYNC_ANSWER_H

#include "failover_sync/result.h"

#include <jansson.h>

/* Kea's result codes. */
#define ANSWER_SUCCESS 0
#define ANSWER_ERROR   1
#define ANSWER_EMPTY   3 /* the command is right, but there is nothing to find */

/* Who is to blame, in a SOAP fault's words (MS-IPAMM2 2.2.2.1). */
#define FAULT_SENDER   "Sender"
#define FAULT_RECEIVER "Receiver"

/* Each returns text the caller frees, or NULL for want of memory. `arguments` may be NULL; its reference is taken. */
char *answer_success(json_t *arguments, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *answer_empty(json_t *arguments, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An error whose arguments are given. */
char *answer_error(json_t *arguments, const char *text);

#endif
