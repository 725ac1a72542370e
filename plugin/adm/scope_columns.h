/* What the columns of ADM_DHCPScopesTable say of a scope, worked out from its definition. */
#ifndef ADM_SCOPE_COLUMNS_H
#define ADM_SCOPE_COLUMNS_H

#include "failover_sync/address.h"
#include "failover_sync/result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct scope_pool {
    struct address_span span;
    json_t *definition; /* borrowed */
};

/* Texts and JSON are borrowed from `definition` unless said otherwise; scope_columns_clear frees what is owned. */
struct scope_columns {
    json_t *definition; /* the whole, owned */
    json_t *subnet;
    json_t *shared_network; /* NULL if in none */
    const char *shared_network_name;
    struct network network;
    struct scope_pool *pools; /* owned; ascending by first address */
    size_t pool_count;

    const char *scope_name; /* NULL: the prefix is its name */
    const char *description;
    struct address_text scope_id, subnet_mask, start_address, end_address; /* subnet_mask is "" for IPv6 */
    char *exclusion_ranges;                                                /* JSON text, owned */
    int64_t total_addresses, excluded_addresses;
    int64_t lease_duration; /* seconds; negative for null, like the two below */
    int64_t preferred_lease_time, valid_lease_time;
    const char *lease_duration_type;
    const char *dns_update_type;
};

/* Derives the columns; RESULT_INVALID if the definition is not what kea.h promises. On failure nothing is owned. */
struct result scope_columns_derive(const char *definition, struct scope_columns *columns);
void scope_columns_clear(struct scope_columns *columns);

/* The member of `object` if it is a string, else NULL. */
const char *scope_json_text(const json_t *object, const char *name);

/* What the user context of `object` says of it: its comment or description; NULL if nothing. */
const char *scope_json_description(const json_t *object);

/* The list that is a member of `object`: *list is NULL if there is none, RESULT_INVALID if it is no list of maps. */
struct result scope_json_list(const json_t *object, const char *name, json_t **list);

#endif
