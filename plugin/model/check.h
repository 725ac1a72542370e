/* A JSON map held against the schema of an rpc. libyang has the last word on what is valid; this finds the first fault
 * in the words of the person who wrote the JSON, and keeps from libyang's parser whatever it handles differently from
 * release to release. */
#ifndef PLUGIN_MODEL_CHECK_H
#define PLUGIN_MODEL_CHECK_H

#include "failover_sync/result.h"

#include <jansson.h>
#include <libyang/libyang.h>
#include <stdbool.h>

/* Holds `map` against the input or, with `output`, the output of `rpc`. RESULT_INVALID names the node, what was
 * expected and what was found; `path`, if not NULL, then receives the YANG path of the node (the caller frees it), or
 * NULL. The content of anydata is free and is emptied in `map`: libyang cannot hold nested or empty lists there. */
struct result check_arguments(const struct ly_ctx *context, const struct lysc_node *rpc, bool output, json_t *map,
                              char **path);

#endif
