/* What the operations on ranges and addresses share: reading their input, validating it, and printing. */
#ifndef OPERATION_RANGE_PARTS_H
#define OPERATION_RANGE_PARTS_H

#include "failover_sync/fault.h"
#include "failover_sync/model.h"
#include "failover_sync/range.h"
#include "operation_parts.h"

#include <jansson.h>
#include <stdint.h>

/* The properties that a client may modify, bits of a set; range_member_name gives their names in the model. */
enum range_member {
    MEMBER_SUBNET_ID,
    MEMBER_PREFIX_LENGTH,
    MEMBER_START_ADDRESS,
    MEMBER_END_ADDRESS,
    MEMBER_ADDRESS_SPACE,
    MEMBER_ADDRESS_ASSIGNMENT, /* from here on the stored texts, in the order of enum range_text */
    MEMBER_ADDRESS_CATEGORY,
    MEMBER_OWNER,
    MEMBER_DESCRIPTION,
    MEMBER_UTILIZATION_CALCULATION,
    MEMBER_UTILIZATION_STATISTICS,
    MEMBER_CONNECTION_DNS_SUFFIX,
    MEMBER_VIRTUALIZATION,
    MEMBER_SCOPE_NAME,
    MEMBER_SERVER_NAME,
    MEMBER_DNS_SERVERS, /* from here on the multivalued properties, in the order of enum range_property */
    MEMBER_WINS_SERVERS,
    MEMBER_GATEWAYS,
    MEMBER_VIPS,
    MEMBER_VIP_RANGES,
    MEMBER_DNS_SUFFIXES,
    MEMBER_RESERVED_IPS,
    MEMBER_RESERVED_IP_RANGES,
    MEMBER_CUSTOM_VALUES,
    MEMBER_SCOPE,
    MEMBER_COUNT
};

#define MEMBER_BIT(member) (UINT32_C(1) << (member))
#define ALL_MEMBERS        (MEMBER_BIT(MEMBER_COUNT) - 1)

const char *range_member_name(enum range_member member);

/* The member of that name; MEMBER_COUNT if there is none. */
enum range_member range_member_find(const char *name);

/* Lays the given values of `members` over `range`, whose family is set; a member that is not given is cleared, or a
 * fault if it cannot be null. */
struct fault range_input_apply(struct store *store, const struct model_node *input, uint32_t members,
                               struct ip_range *range);

/* Reads the list custom-field-values. */
struct fault custom_values_input(struct store *store, const struct model_node *input, struct custom_values *values);

/* The members that differ. */
uint32_t range_difference(const struct ip_range *a, const struct ip_range *b);

/* ValidateIPRange (MS-IPAMM2 3.1.4.5), and that the address space exists. */
struct fault range_validate(struct store *store, const struct ip_range *range);

/* ComputedAddressCategory of a span; NULL for None: it is not of one category, or of none. */
const char *span_category(const struct address_span *span);

/* Whether the values name both Managed by and Managed by entity. */
struct fault managers_validate(const struct custom_values *values);

/* Prints a range, and a list custom-field-values; NULL for want of memory. */
json_t *range_json(const struct ip_range *range);
json_t *custom_values_json(const struct custom_values *values);

/* The fault of an output that could not be made. */
struct fault fault_no_memory(void);

/* Appends the row of a RecordId to a list of JSON. */
typedef struct fault (*page_adder)(struct store *store, int64_t record_id, json_t *list);

/* A page of rows as a list under `name`. `limit` is one more than the page holds: an id too many tells that there is a
 * next page, and the output's "next" where it begins. On a fault *output is NULL. */
struct fault page_json(struct store *store, const char *name, const int64_t *ids, size_t count, int64_t limit,
                       page_adder add, json_t **output);

#endif
