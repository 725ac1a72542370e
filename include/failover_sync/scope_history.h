/* Reading the versions of scopes that a conflict replaced. */
#ifndef FAILOVER_SYNC_SCOPE_HISTORY_H
#define FAILOVER_SYNC_SCOPE_HISTORY_H

#include "failover_sync/fault.h"
#include "failover_sync/model.h"

#include <jansson.h>

struct store;

/* *output is the output of the rpc scope-history, the caller's; NULL on a fault. */
struct fault scope_history(struct store *store, const struct model_node *input, json_t **output);

#endif
