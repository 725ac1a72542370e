/* IP address ranges and the addresses in them: ADM_IPRangeTable, ADM_IPRangeMultivaluedPropertiesTable and
 * ADM_IPAddressTable with the procedures that operations call on them (MS-IPAMM2 3.1.1.1.1, 3.1.1.1.49, 3.1.1.1.3). */
#ifndef FAILOVER_SYNC_RANGE_H
#define FAILOVER_SYNC_RANGE_H

#include "failover_sync/address.h"
#include "failover_sync/custom_field.h"
#include "failover_sync/fault.h"
#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* The texts of a range, in the order of their columns. */
enum range_text {
    RANGE_ADDRESS_ASSIGNMENT,
    RANGE_ADDRESS_CATEGORY,
    RANGE_OWNER,
    RANGE_DESCRIPTION,
    RANGE_UTILIZATION_CALCULATION,
    RANGE_UTILIZATION_STATISTICS, /* a map of JSON */
    RANGE_CONNECTION_DNS_SUFFIX,
    RANGE_VIRTUALIZATION,
    RANGE_STORED_TEXTS,
    RANGE_SCOPE_NAME = RANGE_STORED_TEXTS, /* these two are the scope's */
    RANGE_SERVER_NAME,
    RANGE_TEXTS
};

/* PropertyId of ADM_IPRangeMultivaluedPropertiesTable. */
enum range_property {
    RANGE_DNS_SERVERS = 1,
    RANGE_WINS_SERVERS,
    RANGE_GATEWAYS,
    RANGE_VIPS,
    RANGE_VIP_RANGES,
    RANGE_DNS_SUFFIXES,
    RANGE_RESERVED_IPS,
    RANGE_RESERVED_IP_RANGES,
    RANGE_PROPERTIES
};

struct text_list {
    char **list;
    size_t count;
};

struct ip_range {
    int64_t record_id; /* 0: not in the store yet */
    int64_t parent_block_id, address_space_id;
    int64_t scope_record_id; /* 0: of no DHCP server */
    struct address subnet_id;
    int64_t prefix_length;
    struct address_span span;
    char *text[RANGE_TEXTS];                       /* NULL: null */
    struct text_list properties[RANGE_PROPERTIES]; /* [0] is not used; ranges are written "first-last" */
    struct custom_values custom;
    bool is_overlapping, use_for_utilization;
    int64_t last_assigned_date, last_change_date; /* seconds since 1970; 0: never */
    int64_t child_addresses;
    int64_t access_scope_id;
};

/* Frees what the range holds and zeroes it. */
void ip_range_clear(struct ip_range *range);

/* Makes `copy`, which holds nothing, the same as `range`. */
struct result ip_range_copy(struct ip_range *copy, const struct ip_range *range);

/* Replaces a text; NULL is null. */
struct result ip_range_set_text(struct ip_range *range, enum range_text which, const char *text);

struct result text_list_add(struct text_list *list, const char *text);
void text_list_clear(struct text_list *list);
bool text_list_equal(const struct text_list *a, const struct text_list *b); /* in this order */

/* ManagedByValue and ManagedByEntityValue; NULL if not given. */
static inline const struct custom_value *range_managed_by(const struct ip_range *range)
{
    return custom_values_find(&range->custom, CUSTOM_FIELD_MANAGED_BY);
}

static inline const struct custom_value *range_managed_by_entity(const struct ip_range *range)
{
    return custom_values_find(&range->custom, CUSTOM_FIELD_MANAGED_BY_ENTITY);
}

bool range_is_dhcp(const struct ip_range *range);

/* GetIPRangeFromTable (3.1.1.1.1.2.1). RESULT_NOT_FOUND without the row; the caller clears a found range. */
struct result range_store_find(struct store *store, int64_t record_id, struct ip_range *range);

/* Which ranges to list; 0 of a filter is any. */
struct range_filter {
    int64_t after; /* only RecordIds above it */
    int64_t address_space_id, scope_record_id, parent_block_id;
    int64_t limit;
};

/* The RecordIds of the ranges, ascending; the caller frees *ids. */
struct result range_store_list(struct store *store, const struct range_filter *filter, int64_t **ids, size_t *count);

/* Writes the row, its multivalued properties and LastChangeDate `now` (seconds since 1970): inserts a range whose
 * record_id is 0, else updates what differs. */
struct result range_store_put(struct store *store, struct ip_range *range, int64_t now);

/* Finds the scope that a range names: its own name and its server's go into the range's texts. RESULT_NOT_FOUND. */
struct result range_store_fill_scope(struct store *store, struct ip_range *range);

/* ---- overlaps ---- */

struct overlapping_range {
    int64_t record_id;
    struct address_span span;
    bool use_for_utilization;
};

struct overlapping_ranges {
    struct overlapping_range *list;
    size_t count;
};

/* GetOverlappingRanges (3.1.1.1.1.2.2): the ranges of the space that share an address with the range, after the
 * exclusions (reserved addresses and reserved ranges) of both are taken out; not the range itself. The document tests
 * only whether a row starts or ends inside; a row that encloses the range overlaps as well and is found, too. The
 * caller frees ->list. `limit` ends the search early; 0 is none. */
struct result range_store_overlaps(struct store *store, const struct ip_range *range, size_t limit,
                                   struct overlapping_ranges *overlaps);

/* ResetCurrentIPRangeMapping (3.1.1.1.1.2.4): the ranges overlapping the stored `range` are recomputed as if it were
 * not there, and the addresses mapped to it are unmapped. */
struct result range_mapping_reset(struct store *store, const struct ip_range *range);

/* SetIPRangeMapping (3.1.4.7): overlaps, parent subnet, the row itself, and the addresses that map to it. Fills in what
 * it computes; a range without a record_id receives one. */
struct fault range_mapping_set(struct store *store, struct ip_range *range, bool create_subnet, int64_t now);

/* ---- addresses ---- */

struct ip_address {
    int64_t record_id;
    int64_t range_record_id; /* 0: mapped to none */
    int64_t address_space_id, scope_record_id;
    bool v6, has_address; /* a reservation may have none */
    struct address address;
    int64_t iaid; /* negative: null */
    bool is_duplicate;
    int64_t assigned_date, expiry_date;
    char *address_assignment, *address_category, *mac_address, *duid, *device_name, *owner, *asset_tag, *serial_number,
        *notes, *virtualization, *reservation_type;
    struct custom_values custom;
};

void ip_address_clear(struct ip_address *address);

/* Finds a row; RESULT_NOT_FOUND. The caller clears a found address. */
struct result address_store_find(struct store *store, int64_t record_id, struct ip_address *address);

struct address_filter {
    int64_t after, address_space_id, range_record_id, limit; /* as in struct range_filter */
};
struct result address_store_list(struct store *store, const struct address_filter *filter, int64_t **ids,
                                 size_t *count);

/* GetIPAddressForRange: the RecordIds of the addresses mapped to a range; the caller frees *ids. */
struct result address_store_of_range(struct store *store, int64_t range_id, int64_t **ids, size_t *count);

/* Inserts the row without its custom field values; address->record_id receives its id. */
struct result address_store_add(struct store *store, struct ip_address *address);

/* Moves one address to another space. */
struct result address_store_move(struct store *store, int64_t record_id, int64_t address_space_id,
                                 const char *virtualization);

/* Whether an address of the same place has the same Managed by and entity; and marks all of one place as duplicates of
 * each other, if there are several. */
struct result address_store_is_taken(struct store *store, const struct ip_address *address, bool *taken);
struct result address_store_mark_duplicates(struct store *store, const struct ip_address *address);

/* AdjustIPAddressRangeMapping (3.1.1.1.3.2.1): the addresses between start and end, of the space, whose Managed by and
 * entity are the range's map to it. */
struct result address_store_map(struct store *store, const struct ip_range *range);

/* Unmaps all addresses of a range. */
struct result address_store_unmap(struct store *store, int64_t range_id);

/* Maps one address to the range that has it and the same Managed by and entity, if there is one; ->range_record_id
 * receives it. */
struct result address_store_map_one(struct store *store, struct ip_address *address);

/* ---- blocks and access scopes ---- */

/* Finds the most specific subnet that includes the range, by bounds, prefix and space; *block_id is 0 if there is none.
 * `subnets_only` false takes blocks that are no subnets as well. */
struct result block_store_find_parent(struct store *store, const struct ip_range *range, bool subnets_only,
                                      int64_t *block_id);

/* Adds the range's own subnet as an admin's. */
struct result block_store_add_subnet(struct store *store, const struct ip_range *range, int64_t *block_id);

/* Whether the address space exists. */
struct result address_space_exists(struct store *store, int64_t record_id, bool *exists);

/* CreateAssociationEntry (3.1.1.1.43.2.3) for IPv4Range, IPv6Range, IPv4Subnet, IPv6Subnet, IPv4Block, IPv6Block,
 * IPv4AddressSpace and IPv6AddressSpace. */
struct result access_scope_associate(struct store *store, const char *object_type, int64_t object_id);

/* The access scope of an object: its own, else the one it inherits, else Global. */
struct result access_scope_find(struct store *store, const char *object_type, int64_t object_id,
                                int64_t *access_scope_id);

#endif
