/* What all operations on the store share: the transaction around them, printing, and how a message shows a name. */
#ifndef OPERATION_OPERATION_PARTS_H
#define OPERATION_OPERATION_PARTS_H

#include "failover_sync/fault.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct store;

/* A transaction around an operation: begins one unless the caller has it open; ends it by the fault. `exception` is
 * what a refusal of the store is; the fault's path is completed for `command`. */
struct fault operation_begin(struct store *store, enum exception_id exception, bool *own);
struct fault operation_end(struct store *store, bool own, struct fault fault, enum exception_id exception,
                           const char *command);

/* Sets a member of a map, taking the value's reference; false for want of memory. A NULL text is left out. */
bool json_put(json_t *map, const char *name, json_t *value);
bool json_put_text(json_t *map, const char *name, const char *text);
bool json_put_id(json_t *map, const char *name, int64_t record_id); /* 0 is left out */

/* A name as a message shows it: a long one is cut after so many characters, never within one, since an answer is
 * UTF-8. */
#define SHOWN_CHARACTERS 40
struct shown_name {
    char text[(size_t)4 * SHOWN_CHARACTERS + sizeof "..."];
};
struct shown_name show_name(const char *name);

#endif
