/* The operations on failover relationships (MS-IPAMM2 3.19.4.4.1.23 to 3.19.4.4.1.27): pure functions on a store. */
#ifndef FAILOVER_SYNC_FAILOVER_OPERATION_H
#define FAILOVER_SYNC_FAILOVER_OPERATION_H

#include "failover_sync/fault.h"
#include "failover_sync/model.h"
#include "failover_sync/parameters.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct store;

enum failover_change_kind {
    FAILOVER_UNCHANGED,
    FAILOVER_ADDED,
    FAILOVER_UPDATED,
    FAILOVER_SCOPES_ADDED,
    FAILOVER_SCOPES_REMOVED,
    FAILOVER_DELETED
};

/* What the running engine has to follow once the transaction is committed. */
struct failover_change {
    enum failover_change_kind kind;
    int64_t relation_record_id;
    int64_t partner_record_id; /* row of the other server; 0 if this server is not one of the two */
    uint32_t *subnet_ids;      /* scopes whose membership changed; freed by failover_change_clear */
    size_t count;
};

/* Frees what a change holds and makes it FAILOVER_UNCHANGED. */
void failover_change_clear(struct failover_change *change);

/* What an operation has to know of the running engine; borrowed. */
struct failover_context {
    const struct parameters *parameters;
    int64_t local_server_record_id;
    const char *local_name; /* this server's name in HA's parameters */
    int64_t now_ms;         /* milliseconds since 1970 */
};

/* Each operation takes the validated input of the rpc of its name. It runs in one transaction, which it begins unless
 * the caller has one open. On a fault nothing is changed - in the caller's transaction: once the caller has rolled back
 * - *output is NULL and *change FAILOVER_UNCHANGED. Otherwise *output is the caller's: the rpc's output without
 * operation-id, state and percent; and the caller clears *change. An operation that found everything to be so already
 * writes nothing and leaves FAILOVER_UNCHANGED. */

/* CreateDhcpFailover (3.19.4.4.1.23). */
struct fault failover_add(struct store *store, const struct failover_context *context, const struct model_node *input,
                          struct failover_change *change, json_t **output);

/* EditDhcpFailover (3.19.4.4.1.24). */
struct fault failover_update(struct store *store, const struct failover_context *context,
                             const struct model_node *input, struct failover_change *change, json_t **output);

/* AddDhcpFailoverScopes (3.19.4.4.1.25) and RemoveDhcpFailoverScopes (3.19.4.4.1.26). */
struct fault failover_scope_add(struct store *store, const struct failover_context *context,
                                const struct model_node *input, struct failover_change *change, json_t **output);
struct fault failover_scope_del(struct store *store, const struct failover_context *context,
                                const struct model_node *input, struct failover_change *change, json_t **output);

/* DeleteDhcpFailover (3.19.4.4.1.27). */
struct fault failover_del(struct store *store, const struct failover_context *context, const struct model_node *input,
                          struct failover_change *change, json_t **output);

/* GetDhcpFailoverById (3.1.1.1.44.2.1) and GetAllDhcpFailoverByServerId (3.1.1.1.44.2.2). */
struct fault failover_get(struct store *store, const struct model_node *input, json_t **output);
struct fault failover_get_all(struct store *store, const struct model_node *input, json_t **output);

#endif
