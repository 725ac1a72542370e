/* adm-get: the tables of the abstract data model (MS-IPAMM2 3.1.1.1) as data of the YANG module, a page at a time. */
#ifndef FAILOVER_SYNC_ADM_GET_H
#define FAILOVER_SYNC_ADM_GET_H

#include "failover_sync/fault.h"
#include "failover_sync/model.h"

#include <jansson.h>

struct store;

/* Takes the validated input of the rpc adm-get and gives its output, the caller's; NULL on a fault. Only reads: needs
 * no transaction, and what is written between two of its pages, or two of its tables, shows in the later one. A page
 * has at most about 4 MiB of text unless its only row is longer. */
struct fault adm_get(struct store *store, const struct model *model, const struct model_node *input, json_t **output);

#endif
