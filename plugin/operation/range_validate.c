/* ValidateIPRange (MS-IPAMM2 3.1.4.5): what the schema cannot say of a range. */
#include "range_parts.h"

#include <string.h>

#define MAX_PREFIX_V4 30
#define MAX_PREFIX_V6 127

static bool text_is(const char *text, const char *word)
{
    return text != NULL && strcmp(text, word) == 0;
}

/* ---- ComputedAddressCategory ---- */

/* The networks that are not of their family's usual category; NULL is None. */
static const struct {
    const char *network;
    const char *category;
} categories[] = {
    {"0.0.0.0/8", NULL},           {"10.0.0.0/8", "Private"}, {"127.0.0.0/8", NULL}, {"172.16.0.0/12", "Private"},
    {"192.168.0.0/16", "Private"}, {"224.0.0.0/3", NULL},     {"::/127", NULL},      {"fc00::/7", "Private"},
    {"fe80::/10", "Private"},      {"ff00::/8", NULL},
};

const char *span_category(const struct address_span *span)
{
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++) {
        struct network network;

        if (!network_parse(categories[i].network, &network) || network.span.v6 != span->v6)
            continue;
        if (address_compare(&span->last, &network.span.first) < 0 ||
            address_compare(&network.span.last, &span->first) < 0)
            continue;
        if (span_contains(&network.span, &span->first) && span_contains(&network.span, &span->last))
            return categories[i].category;
        return NULL;
    }
    return span->v6 ? "GlobalIPv6Unicast" : "Public";
}

static struct fault check_category(const struct ip_range *range)
{
    const char *computed = span_category(&range->span);
    const char *given = range->text[RANGE_ADDRESS_CATEGORY];

    if (computed == NULL)
        return fault_of_sender(EXCEPTION_INVALID_ADDRESS_RANGE, "start-ip-address",
                               "the addresses %s-%s are not all of one category, public or private; choose bounds that "
                               "hold only one",
                               address_print(&range->span.first).text, address_print(&range->span.last).text);
    if (!text_is(given, computed))
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "address-category",
                               "the addresses %s-%s are %s and not %s; give the category %s",
                               address_print(&range->span.first).text, address_print(&range->span.last).text, computed,
                               given == NULL ? "null" : given, computed);
    return fault_none();
}

/* ---- the parts of the procedure ---- */

static struct fault check_mandatory(const struct ip_range *range)
{
    int maximum = range->span.v6 ? MAX_PREFIX_V6 : MAX_PREFIX_V4;

    if (range->prefix_length < 1 || range->prefix_length > maximum)
        return fault_of_sender(EXCEPTION_INVALID_PREFIX_LENGTH, "prefix-length",
                               "the prefix length of an IPv%d range is 1 to %d and not %lld", range->span.v6 ? 6 : 4,
                               maximum, (long long)range->prefix_length);
    if (range->text[RANGE_ADDRESS_ASSIGNMENT] == NULL || text_is(range->text[RANGE_ADDRESS_ASSIGNMENT], "None"))
        return fault_of_sender(EXCEPTION_INVALID_ADDRESS_ASSIGNMENT, "address-assignment",
                               "the address assignment None is none; give Static, Dynamic, Auto, VIP or Reserved");
    return managers_validate(&range->custom);
}

struct fault managers_validate(const struct custom_values *values)
{
    if (custom_values_find(values, CUSTOM_FIELD_MANAGED_BY) == NULL)
        return fault_of_sender(EXCEPTION_CUSTOM_VALUE_IS_NULL, "custom-field-values",
                               "the custom field \"Managed by\" is missing; give it, for instance IPAM");
    if (custom_values_find(values, CUSTOM_FIELD_MANAGED_BY_ENTITY) == NULL)
        return fault_of_sender(EXCEPTION_CUSTOM_VALUE_IS_NULL, "custom-field-values",
                               "the custom field \"Managed by entity\" is missing; give it, for instance Localhost");
    return fault_none();
}

static struct fault check_dhcp(const struct ip_range *range)
{
    const char *entity = range_managed_by_entity(range)->value;

    if (range->scope_record_id == 0)
        return fault_of_sender(EXCEPTION_DYNAMIC_RANGE_WITHOUT_SCOPE, "scope-record-id",
                               "a range managed by " MANAGED_BY_DHCP_NAME " is the pool of a scope; give the scope's "
                               "record id, or name another manager");
    if (!text_is(range->text[RANGE_SERVER_NAME], entity))
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "dhcp-server-name",
                               "the server of the range's scope is %.200s, and the managing entity given is %.200s; "
                               "name the same",
                               range->text[RANGE_SERVER_NAME] == NULL ? "none" : range->text[RANGE_SERVER_NAME],
                               entity);
    if (!text_is(range->text[RANGE_UTILIZATION_CALCULATION], "Auto"))
        return fault_of_sender(EXCEPTION_INVALID_UTILIZATION_CALCULATION, "utilization-calculation-type",
                               "the utilization of a range managed by " MANAGED_BY_DHCP_NAME
                               " is calculated; give Auto");
    if (!text_is(range->text[RANGE_ADDRESS_ASSIGNMENT], "Dynamic"))
        return fault_of_sender(EXCEPTION_INVALID_ADDRESS_ASSIGNMENT, "address-assignment",
                               "the addresses of a range managed by " MANAGED_BY_DHCP_NAME " are assigned dynamically; "
                               "give Dynamic");
    return fault_none();
}

static struct fault check_not_dhcp(const struct ip_range *range)
{
    const char *node = range->scope_record_id != 0              ? "scope-record-id"
                       : range->text[RANGE_SCOPE_NAME] != NULL  ? "dhcp-scope-name"
                       : range->text[RANGE_SERVER_NAME] != NULL ? "dhcp-server-name"
                                                                : NULL;

    if (node != NULL)
        return fault_of_sender(EXCEPTION_DHCP_DATA_FOR_STATIC_RANGE, node,
                               "%s belongs to ranges managed by " MANAGED_BY_DHCP_NAME ", and this one is not; leave "
                               "it out",
                               node);
    return fault_none();
}

static struct fault check_bounds(const struct ip_range *range)
{
    const struct address network = address_network(&range->subnet_id, range->span.v6, (int)range->prefix_length);
    const struct address of_first = address_network(&range->span.first, range->span.v6, (int)range->prefix_length);
    const struct address of_last = address_network(&range->span.last, range->span.v6, (int)range->prefix_length);

    if (address_compare(&network, &range->subnet_id) != 0)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "subnet-id",
                               "%s is not the address of a network of prefix length %lld; that is %s",
                               address_print(&range->subnet_id).text, (long long)range->prefix_length,
                               address_print(&network).text);
    if (address_compare(&range->span.first, &range->span.last) > 0)
        return fault_of_sender(EXCEPTION_INVALID_START_ADDRESS, "start-ip-address",
                               "the range starts at %s, after its end %s; swap them",
                               address_print(&range->span.first).text, address_print(&range->span.last).text);
    if (address_compare(&of_first, &network) != 0)
        return fault_of_sender(EXCEPTION_INVALID_START_ADDRESS, "start-ip-address",
                               "the range starts at %s, outside of its subnet %s/%lld; choose one inside",
                               address_print(&range->span.first).text, address_print(&network).text,
                               (long long)range->prefix_length);
    if (address_compare(&of_last, &network) != 0)
        return fault_of_sender(EXCEPTION_END_ADDRESS_OUT_OF_RANGE, "end-ip-address",
                               "the range ends at %s, outside of its subnet %s/%lld; choose one inside",
                               address_print(&range->span.last).text, address_print(&network).text,
                               (long long)range->prefix_length);
    return fault_none();
}

static struct fault check_utilization(const struct ip_range *range)
{
    if (text_is(range->text[RANGE_UTILIZATION_CALCULATION], "Static") &&
        range->text[RANGE_UTILIZATION_STATISTICS] == NULL)
        return fault_of_sender(EXCEPTION_NO_UTILIZATION_OF_STATIC_RANGE, "utilization-statistics",
                               "the utilization of the range is given and not calculated, but "
                               "utilization-statistics is missing; give it, or ask for Auto");
    return fault_none();
}

static struct fault check_address_space(struct store *store, const struct ip_range *range)
{
    bool exists = false;
    struct result result = address_space_exists(store, range->address_space_id, &exists);

    if (result_failed(result))
        return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (!exists)
        return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, "address-space-record-id",
                               "there is no address space with record id %lld; 1 is the default one",
                               (long long)range->address_space_id);
    return fault_none();
}

struct fault range_validate(struct store *store, const struct ip_range *range)
{
    struct fault fault = check_mandatory(range);

    if (!fault_raised(&fault))
        fault = range_is_dhcp(range) ? check_dhcp(range) : check_not_dhcp(range);
    if (!fault_raised(&fault))
        fault = check_bounds(range);
    if (!fault_raised(&fault))
        fault = check_utilization(range);
    if (!fault_raised(&fault))
        fault = check_category(range);
    if (!fault_raised(&fault))
        fault = check_address_space(store, range);
    return fault;
}
