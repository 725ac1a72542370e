/* The operations that need a running plugin and not only its store; operation_table.c names their commands. All but
 * pool_apply and pool_undo run on the worker. */
#ifndef OPERATION_ENGINE_OPERATION_H
#define OPERATION_ENGINE_OPERATION_H

#include "failover_sync/operation_run.h"

#include <stddef.h>
#include <stdint.h>

struct fault scope_replicate_run(struct operation_context *context);
struct fault failover_replicate_run(struct operation_context *context);
struct fault server_replicate_run(struct operation_context *context);
struct fault scope_sync_reset_run(struct operation_context *context);

struct fault failover_add_run(struct operation_context *context);
struct fault failover_update_run(struct operation_context *context);
struct fault failover_scope_add_run(struct operation_context *context);
struct fault failover_scope_del_run(struct operation_context *context);
struct fault failover_del_run(struct operation_context *context);

struct fault range_add_run(struct operation_context *context);
struct fault range_update_run(struct operation_context *context);
struct fault pool_apply(struct operation_context *context);
struct fault pool_record(struct operation_context *context);
void pool_undo(struct operation_context *context);

/* The list subnet-ids, ascending, each id once; the caller frees *ids. */
struct result subnet_ids_input(const struct model_node *input, uint32_t **ids, size_t *count);

#endif
