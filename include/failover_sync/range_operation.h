/* The operations on ranges, addresses and custom fields (MS-IPAMM2 3.3.4): pure functions on a store. */
#ifndef FAILOVER_SYNC_RANGE_OPERATION_H
#define FAILOVER_SYNC_RANGE_OPERATION_H

#include "failover_sync/address.h"
#include "failover_sync/fault.h"
#include "failover_sync/model.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct store;

/* What a pool of the running configuration must become: the bounds of a range that a DHCP server owns are its pool's,
 * so an operation does not write them. The caller changes the pool in the server, and mirroring brings the rows. */
struct pool_change {
    bool wanted;
    int64_t scope_record_id;
    int64_t range_record_id;    /* 0: a pool is to be added */
    struct address_span before; /* the pool as it is; only with a range_record_id */
    struct address_span after;
};

/* Each operation takes the validated input of the rpc of its name, and `now` in seconds since 1970 where it writes. It
 * runs in one transaction, which it begins unless the caller has one open. On a fault nothing is changed - in the
 * caller's transaction: once the caller has rolled back - and *output is NULL. Otherwise *output is the rpc's output,
 * the caller's. */

/* SaveRange (3.3.4.132). A range managed by DHCP is not written but wanted as a pool. */
struct fault range_add(struct store *store, const struct model_node *input, int64_t now, struct pool_change *pool,
                       json_t **output);

/* After the pool of a range that was added is mirrored as the range `record_id`: writes what else the input of
 * range-add said of it. */
struct fault range_add_complete(struct store *store, const struct model_node *input, int64_t record_id, int64_t now);

/* UpdateRange (3.3.4.152). */
struct fault range_update(struct store *store, const struct model_node *input, int64_t now, struct pool_change *pool,
                          json_t **output);

/* After the pool was changed in the server and before the change is mirrored: gives the range its new bounds, so that
 * mirroring finds it and it keeps its RecordId and all that was noted on it. */
struct fault range_follow_pool(struct store *store, const struct pool_change *pool, int64_t now);

/* GetIPRangeById (3.3.4.82) and its list. */
struct fault range_get(struct store *store, const struct model_node *input, json_t **output);
struct fault range_get_all(struct store *store, const struct model_node *input, json_t **output);

struct fault address_add(struct store *store, const struct model_node *input, json_t **output);
struct fault address_get_all(struct store *store, const struct model_node *input, json_t **output);

/* SaveCustomField (3.3.4.128). */
struct fault custom_field_add(struct store *store, const struct model_node *input, json_t **output);
struct fault custom_field_get_all(struct store *store, const struct model_node *input, json_t **output);

#endif
