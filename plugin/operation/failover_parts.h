/* What the operations on relationships share: running one, finding the relationship it names, validating, the scopes it
 * names, and printing. */
#ifndef OPERATION_FAILOVER_PARTS_H
#define OPERATION_FAILOVER_PARTS_H

#include "failover_sync/failover_operation.h"
#include "failover_sync/store.h"
#include "operation_parts.h"

/* One run of an operation. */
struct failover_operation {
    struct store *store;
    const struct failover_context *context;
    const struct model_node *input;
    const char *command;
    enum exception_id exception; /* of what fails on this side */
    struct relation_row row;     /* as failover_find found it */
    int64_t relation_record_id;
    int64_t partner_record_id; /* the other server of the relationship */
    struct failover_change *change;
};

/* Runs `steps` in a transaction; they fill in the map of the output. */
typedef struct fault (*failover_steps)(struct failover_operation *operation, json_t *output);
struct fault failover_run(struct failover_operation *operation, failover_steps steps, json_t **output);

/* Says in the change what came of it; scopes that were to change and did not leave nothing to follow. */
void failover_note(struct failover_operation *operation, enum failover_change_kind kind);

/* A failure on this side, and want of memory. */
struct fault failover_failure(const struct failover_operation *operation, struct result result);
struct fault failover_no_memory(const struct failover_operation *operation);

/* Finds the relationship that the input names by record-id, and which of its servers is the other one. */
struct fault failover_find(struct failover_operation *operation);

/* ValidateDhcpFailover (MS-IPAMM2 3.1.4.16). */
struct fault failover_validate(const struct relation_row *row);

/* Whether an admin says which scopes belong to the relationship, and this server is in it. */
struct fault failover_check_scopes(const struct failover_operation *operation);

/* Makes room in the change for every scope that the input names. */
struct fault failover_expect_scopes(struct failover_operation *operation);

/* The subnet id of an instance of subnet-ids, and that scope of this server; the caller clears *scope. */
struct fault failover_find_scope(const struct failover_operation *operation, const struct model_node *named,
                                 struct scope_row *scope);

/* Steps 4.1 and 4.2 of both CreateDhcpFailover and AddDhcpFailoverScopes: makes a scope a member of the relationship,
 * if it is not one, and begins to replicate it. */
struct fault failover_add_scope(struct failover_operation *operation, const struct model_node *named);

/* Whether this server and the partner are in another relationship, too: HA may have come to pair them. What is agreed
 * on with the partner is then that one's as well. */
struct fault failover_paired_otherwise(const struct failover_operation *operation, bool *paired);

/* Adds the relationship, as it is now, as "failover". */
struct fault failover_show(const struct failover_operation *operation, json_t *output);

/* A relationship by the names of the model (grouping failover-state). */
struct result failover_json(struct store *store, const struct relation_row *row, json_t **json);

/* The columns (RELATION_BITs) that a client may modify, as a list of their names in the model; NULL for want of memory.
 */
json_t *failover_properties_json(uint32_t columns);

/* The column of that name; RELATION_COLUMNS if there is none. */
enum relation_column failover_property_find(const char *name);
const char *failover_property_name(enum relation_column column);

#endif
