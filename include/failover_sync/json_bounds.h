/* How deep, how long and of how many values a JSON text from outside may be. The parsers of all that read it recurse,
 * and take memory for each value: so it is measured first, in one pass without recursion and without memory. */
#ifndef FAILOVER_SYNC_JSON_BOUNDS_H
#define FAILOVER_SYNC_JSON_BOUNDS_H

#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a text has, or may have. Maps and lists are values, too; so is what is in them. */
struct json_bounds {
    size_t depth, values, bytes;
};

/* A command's arguments, and what a partner's library answers: at most 10,000 subnet ids, or 1,000 scopes of some
 * leaves each, in which a definition is one string. The bytes are those of all the definitions that one command
 * carries. */
extern const struct json_bounds json_arguments_bounds;

/* All definitions of a batch together, since the main thread parses them in one go. 20,000 reservations as Kea prints
 * them have 200,000 values, and 360,000 with an option each.
 * Depth: Kea's own bound, since 2.6.5 and 3.0.3, is 100 levels for whatever it reads and prints. A definition has its
 * subnet on level 2; a control agent's answer to config-get, [{"arguments": {"Dhcp4": {"shared-networks": [{"subnet4":
 * [{, has it on level 8. That leaves 94. */
extern const struct json_bounds json_batch_bounds;

/* What a Kea server prints: its configuration, in which 50,000 scopes have some 2,500,000 values, or a part of it; also
 * what this server has stored of its own. Before Kea's bound a server may have deeper texts in its file; 1,000 levels
 * take the parsers 300 KiB of a thread's stack, which has 2 MiB at least. */
extern const struct json_bounds json_kea_bounds;

/* A definition from this server's store: as deep as one of a batch, as large as the server's configuration can be. */
extern const struct json_bounds json_stored_bounds;

/* The parameters of this library and of High Availability. */
extern const struct json_bounds json_parameters_bounds;

/* Measures `length` bytes; false as soon as a bound is passed, and `found` is then what was counted so far. Whether the
 * text is JSON is not looked at: no parser gets further into one that is not than has been counted. */
bool json_measure(const char *text, size_t length, const struct json_bounds *bounds, struct json_bounds *found);

/* The refusal of what was found beyond the bounds: RESULT_INVALID with "WHAT: expected ..., found ...". */
struct result json_bounds_refusal(const char *what, const struct json_bounds *bounds, const struct json_bounds *found);

/* Both in one. */
struct result json_bounds_check(const char *what, const char *text, size_t length, const struct json_bounds *bounds);

#ifdef __cplusplus
}
#endif

#endif
