/* What the files on ranges and addresses share within this room. */
#ifndef ADM_RANGE_PRIVATE_H
#define ADM_RANGE_PRIVATE_H

#include "failover_sync/range.h"

#include "store_private.h"

/* Collects the ids that `statement` returns in its first column; the caller frees *ids. */
struct result id_list_read(struct statement *statement, int64_t **ids, size_t *count);

/* IPv4Range, IPv6Range (IpamObjectType) */
const char *range_object_type(const struct ip_range *range);

/* Runs a statement whose only parameter is an id. */
struct result run_with_id(struct store *store, const char *sql, int64_t record_id);

/* The ranges of the space that share an address with the span, whatever is excluded; not `except`. The caller frees
 * ->list. */
struct result range_store_touching(struct store *store, int64_t address_space_id, const struct address_span *span,
                                   int64_t except, struct overlapping_ranges *touching);

/* Whether the stored range, which is one of the space, shares an address with another one than `besides`, after
 * exclusions. */
struct result range_store_overlaps_besides(struct store *store, int64_t address_space_id,
                                           const struct overlapping_range *range, int64_t besides, bool *overlaps);

/* ---- range_mapping.c: mirrored pools among the ranges of admins ---- */

/* Whether the space has ranges that no server owns. */
struct result range_mapping_has_admins(struct store *store, int64_t address_space_id, const char *af, bool *has);

/* A pool's range has just been written: sets the overlap flags of it and of those it overlaps. */
struct result range_mapping_join(struct store *store, int64_t range_id);

/* A pool's range is about to go: recomputes those it overlaps as if it were not there. */
struct result range_mapping_leave(struct store *store, int64_t range_id);

/* The same for all ranges of a scope that overlap another. */
struct result range_mapping_leave_scope(struct store *store, int64_t scope_record_id);

/* SQL: the id of a value of an object, whose table's alias is `alias`, in the field `field`; null if it has none. */
#define SQL_CUSTOM_VALUE(object_type, alias, field)                                                                    \
    "(SELECT CustomFieldValueId FROM ADM_CustomFieldValuesAssociationTable WHERE ObjectType = '" object_type           \
    "' AND Af = " alias ".Af AND UsedById = " alias ".RecordId AND CustomFieldId = " field ")"
#define SQL_MANAGED_BY(object_type, alias)        SQL_CUSTOM_VALUE(object_type, alias, "8")
#define SQL_MANAGED_BY_ENTITY(object_type, alias) SQL_CUSTOM_VALUE(object_type, alias, "9")

#endif
