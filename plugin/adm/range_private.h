/* What the files on ranges and addresses share within this room. */
#ifndef ADM_RANGE_PRIVATE_H
#define ADM_RANGE_PRIVATE_H

#include "failover_sync/range.h"

#include "store_private.h"

/* IPv4Range, IPv6Range (IpamObjectType) */
const char *range_object_type(const struct ip_range *range);

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

/* SQL: the id of the value that an object, whose table's alias is `alias`, has in "Managed by" or in "Managed by
 * entity"; null if it has none. They say what ADM_CustomFieldValuesAssociationTable computes, but SQLite looks through
 * a view only for values known beforehand, and would go through all objects for those of another table. */
#define SQL_GIVEN_VALUE(object_type, alias, field)                                                                     \
    "(SELECT CustomFieldValueId FROM CustomFieldValuesGiven WHERE UsedById = " alias                                   \
    ".RecordId AND ObjectType = '" object_type "' AND Af = " alias ".Af AND CustomFieldId = " field ")"
#define SQL_MANAGED_BY(object_type, alias)                                                                             \
    "coalesce(" SQL_GIVEN_VALUE(object_type, alias, "8") ", CASE WHEN " alias ".ScopeRecordId IS NOT NULL THEN 2 END)"
#define SQL_MANAGED_BY_ENTITY(object_type, alias)                                                                      \
    "coalesce(" SQL_GIVEN_VALUE(                                                                                       \
        object_type, alias,                                                                                            \
        "9") ", (SELECT v.RecordId FROM ADM_DHCPScopesTable AS s JOIN ADM_DHCPServersTable AS d ON d.RecordId = "      \
             "s.DHCPServerRecordId JOIN ADM_CustomFieldValuesTable AS v ON v.CustomFieldRecordId = 9 AND v.Value = "   \
             "d.HaName WHERE s.RecordId = " alias ".ScopeRecordId))"

#endif
