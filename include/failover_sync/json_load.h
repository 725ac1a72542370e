/* Reading JSON texts that come from outside, the store included: the one way to jansson's parser. */
#ifndef FAILOVER_SYNC_JSON_LOAD_H
#define FAILOVER_SYNC_JSON_LOAD_H

#include "failover_sync/json_bounds.h"

#include <jansson.h>

/* json_loads for a text within its bounds; NULL, and why in *error (may be NULL), for any other. The caller's
 * reference. */
json_t *json_load(const char *text, size_t flags, const struct json_bounds *bounds, json_error_t *error);

/* The same of `length` bytes, which may hold a NUL. */
json_t *json_load_bytes(const char *text, size_t length, size_t flags, const struct json_bounds *bounds,
                        json_error_t *error);

#endif
