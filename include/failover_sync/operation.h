/* The operations of MS-IPAMM2, one file each, and the commands that read what they leave behind. */
#ifndef FAILOVER_SYNC_OPERATION_H
#define FAILOVER_SYNC_OPERATION_H

#include "failover_sync/batch.h"
#include "failover_sync/engine.h"

#include <jansson.h>

/* ReplicateScope (MS-IPAMM2 3.19.4.4.1.29), steps 3.1 to 3.4 for one scope and one of its relationships: finds the
 * relationship and the partner, clones the scope for it, and tells from the partner's row what to build on. Fills
 * item->definition, ->effective, ->before, ->pushed and ->base. RESULT_NOT_FOUND: the scope or its membership is gone;
 * skip it. */
struct result replicate_scope_prepare(struct plugin *plugin, size_t relationship, struct batch_item *item);

/* The commands that need no store. Each takes the validated input of its rpc and returns the whole answer as JSON text
 * the caller frees, or NULL for want of memory. They run on the thread that the command came in on and touch only
 * memory. */
char *command_failover_status(struct plugin *plugin, const struct model_node *input);
char *command_scope_get(struct plugin *plugin, const struct model_node *input);
char *command_scope_get_all(struct plugin *plugin, const struct model_node *input);
char *command_scope_receive(struct plugin *plugin, const struct model_node *input);
char *command_scope_digest(struct plugin *plugin, const struct model_node *input);
char *command_operation_get(struct plugin *plugin, const struct model_node *input);

/* The part of a scope's answer that scope-get and scope-get-all share; NULL for want of memory. */
json_t *scope_state_json(const struct plugin *plugin, const struct scope_entry *entry);

#endif
