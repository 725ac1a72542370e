/* Pools in the text of a scope's definition. */
#ifndef FAILOVER_SYNC_POOL_TEXT_H
#define FAILOVER_SYNC_POOL_TEXT_H

#include "failover_sync/address.h"
#include "failover_sync/result.h"

/* Gives the pool with the bounds `before` the bounds `after`, adds a pool (`before` NULL) or removes one (`after`
 * NULL), in `definition`, canonical JSON as in kea.h; *changed is the same with that change, the caller's.
 * RESULT_NOT_FOUND: no pool has those bounds. */
struct result pool_text_change(const char *definition, const struct address_span *before,
                               const struct address_span *after, char **changed);

#endif
