/* From an rpc's input to a range, property by property. */
#include "range_parts.h"

#include "failover_sync/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum member_kind {
    KIND_ADDRESS,
    KIND_INTEGER,
    KIND_TEXT,
    KIND_STATISTICS,
    KIND_ADDRESSES,
    KIND_SPANS,
    KIND_TEXTS,
    KIND_CUSTOM
};

static const struct {
    const char *name;
    enum member_kind kind;
    enum exception_id exception; /* when it is missing or not of the range's family */
    bool nullable;
} member_table[MEMBER_COUNT] = {
    [MEMBER_SUBNET_ID] = {"subnet-id", KIND_ADDRESS, EXCEPTION_INVALID_PARAMETER, false},
    [MEMBER_PREFIX_LENGTH] = {"prefix-length", KIND_INTEGER, EXCEPTION_INVALID_PREFIX_LENGTH, false},
    [MEMBER_START_ADDRESS] = {"start-ip-address", KIND_ADDRESS, EXCEPTION_INVALID_START_ADDRESS, false},
    [MEMBER_END_ADDRESS] = {"end-ip-address", KIND_ADDRESS, EXCEPTION_END_ADDRESS_OUT_OF_RANGE, false},
    [MEMBER_ADDRESS_SPACE] = {"address-space-record-id", KIND_INTEGER, EXCEPTION_INVALID_PARAMETER, false},
    [MEMBER_ADDRESS_ASSIGNMENT] = {"address-assignment", KIND_TEXT, EXCEPTION_INVALID_ADDRESS_ASSIGNMENT, false},
    [MEMBER_ADDRESS_CATEGORY] = {"address-category", KIND_TEXT, EXCEPTION_INVALID_ENUMERATION, false},
    [MEMBER_OWNER] = {"owner", KIND_TEXT, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_DESCRIPTION] = {"description", KIND_TEXT, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_UTILIZATION_CALCULATION] = {"utilization-calculation-type", KIND_TEXT,
                                        EXCEPTION_INVALID_UTILIZATION_CALCULATION, false},
    [MEMBER_UTILIZATION_STATISTICS] = {"utilization-statistics", KIND_STATISTICS, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_CONNECTION_DNS_SUFFIX] = {"connection-specific-dns-suffix", KIND_TEXT, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_VIRTUALIZATION] = {"virtualization-type", KIND_TEXT, EXCEPTION_INVALID_ENUMERATION, true},
    [MEMBER_SCOPE_NAME] = {"dhcp-scope-name", KIND_TEXT, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_SERVER_NAME] = {"dhcp-server-name", KIND_TEXT, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_DNS_SERVERS] = {"dns-servers", KIND_ADDRESSES, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_WINS_SERVERS] = {"wins-servers", KIND_ADDRESSES, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_GATEWAYS] = {"gateways", KIND_ADDRESSES, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_VIPS] = {"vips", KIND_ADDRESSES, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_VIP_RANGES] = {"vip-ranges", KIND_SPANS, EXCEPTION_INVALID_ADDRESS_RANGE, true},
    [MEMBER_DNS_SUFFIXES] = {"dns-suffixes", KIND_TEXTS, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_RESERVED_IPS] = {"reserved-ips", KIND_ADDRESSES, EXCEPTION_INVALID_PARAMETER, true},
    [MEMBER_RESERVED_IP_RANGES] = {"reserved-ip-ranges", KIND_SPANS, EXCEPTION_INVALID_ADDRESS_RANGE, true},
    [MEMBER_CUSTOM_VALUES] = {"custom-field-values", KIND_CUSTOM, EXCEPTION_CUSTOM_VALUE_IS_NULL, false},
    [MEMBER_SCOPE] = {"scope-record-id", KIND_INTEGER, EXCEPTION_INVALID_PARAMETER, true},
};

const char *range_member_name(enum range_member member)
{
    return member_table[member].name;
}

enum range_member range_member_find(const char *name)
{
    int member = 0;

    while (member < MEMBER_COUNT && strcmp(member_table[member].name, name) != 0)
        member++;
    return (enum range_member)member;
}

static struct address *address_place(struct ip_range *range, enum range_member member)
{
    return member == MEMBER_SUBNET_ID       ? &range->subnet_id
           : member == MEMBER_START_ADDRESS ? &range->span.first
                                            : &range->span.last;
}

static int64_t *integer_place(struct ip_range *range, enum range_member member)
{
    return member == MEMBER_PREFIX_LENGTH   ? &range->prefix_length
           : member == MEMBER_ADDRESS_SPACE ? &range->address_space_id
                                            : &range->scope_record_id;
}

static enum range_text text_of(enum range_member member)
{
    return (enum range_text)(member - MEMBER_ADDRESS_ASSIGNMENT);
}

static int property_of(enum range_member member)
{
    return (int)member - MEMBER_DNS_SERVERS + RANGE_DNS_SERVERS;
}

static struct fault wrong_address(const char *node, enum exception_id exception, const char *text, bool v6)
{
    return fault_of_sender(exception, node, "%s: \"%.60s\" is no IPv%d address", node, text, v6 ? 6 : 4);
}

/* Adds an address of a list as it is printed, so that the same address is the same text. */
static struct fault add_address(struct text_list *list, const char *node, enum exception_id exception, const char *text,
                                bool v6)
{
    struct address address;

    if (!address_parse(text, v6, &address))
        return wrong_address(node, exception, text, v6);
    return fault_of_result(text_list_add(list, address_print(&address).text), EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

static struct fault add_span(struct text_list *list, const char *node, enum exception_id exception,
                             const struct model_node *entry, bool v6)
{
    const char *start = model_text(entry, "start-ip-address");
    const char *end = model_text(entry, "end-ip-address");
    struct address_span span = {.v6 = v6};
    char text[2 * INET6_ADDRSTRLEN + 2];

    if (!address_parse(start, v6, &span.first))
        return wrong_address(node, exception, start, v6);
    if (!address_parse(end, v6, &span.last))
        return wrong_address(node, exception, end, v6);
    if (address_compare(&span.first, &span.last) > 0)
        return fault_of_sender(exception, node, "%s: %.60s comes after %.60s; swap them", node, start, end);
    (void)snprintf(text, sizeof text, "%s-%s", address_print(&span.first).text, address_print(&span.last).text);
    return fault_of_result(text_list_add(list, text), EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

static struct fault apply_list(const struct model_node *input, enum range_member member, struct ip_range *range)
{
    const char *node = member_table[member].name;
    enum exception_id exception = member_table[member].exception;
    struct text_list *list = &range->properties[property_of(member)];
    struct fault fault = fault_none();

    text_list_clear(list);
    if (member == MEMBER_WINS_SERVERS && range->span.v6 && model_first(input, node) != NULL)
        return fault_of_sender(exception, node, "%s: only IPv4 has WINS servers", node);
    for (const struct model_node *entry = model_first(input, node); entry != NULL && !fault_raised(&fault);
         entry = model_next(entry)) {
        if (member_table[member].kind == KIND_ADDRESSES)
            fault = add_address(list, node, exception, model_value(entry), range->span.v6);
        else if (member_table[member].kind == KIND_SPANS)
            fault = add_span(list, node, exception, entry, range->span.v6);
        else
            fault = fault_of_result(text_list_add(list, model_value(entry)), EXCEPTION_FAILED_TO_UPDATE_RANGE);
    }
    return fault;
}

static struct fault apply_statistics(const struct model_node *input, struct ip_range *range)
{
    const struct model_node *given = model_first(input, "utilization-statistics");
    static const char *const names[] = {"total-assigned-addresses", "total-available-addresses",
                                        "total-utilized-addresses"};
    struct result result;
    json_t *map;
    char *text;
    bool made;

    if (given == NULL)
        return fault_of_result(ip_range_set_text(range, RANGE_UTILIZATION_STATISTICS, NULL),
                               EXCEPTION_FAILED_TO_UPDATE_RANGE);
    map = json_object();
    made = map != NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        made = made && json_put_text(map, names[i], model_text(given, names[i]));
    text = made ? json_dumps(map, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(map);
    if (text == NULL)
        return fault_no_memory();
    result = ip_range_set_text(range, RANGE_UTILIZATION_STATISTICS, text);
    free(text);
    return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

struct fault custom_values_input(struct store *store, const struct model_node *input, struct custom_values *values)
{
    custom_values_clear(values);
    for (const struct model_node *entry = model_first(input, "custom-field-values"); entry != NULL;
         entry = model_next(entry)) {
        const char *field = model_text(entry, "custom-field");
        const char *value = model_text(entry, "value");
        struct result result;

        if (value == NULL || value[0] == '\0')
            return fault_of_sender(EXCEPTION_CUSTOM_VALUE_IS_NULL, "custom-field-values",
                                   "the custom field \"%.255s\" is given no value; give one, or leave the field out",
                                   field);
        result = custom_values_add(store, values, field, value);
        if (result_failed(result))
            return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    }
    return fault_none();
}

static struct fault apply_member(struct store *store, const struct model_node *input, enum range_member member,
                                 struct ip_range *range)
{
    const char *name = member_table[member].name;
    const char *text = NULL;

    if (!member_table[member].nullable && model_first(input, name) == NULL)
        return fault_of_sender(member_table[member].exception, name,
                               "%s is to be modified but is not given, and it cannot be null; give it", name);
    switch (member_table[member].kind) {
    case KIND_ADDRESS:
        text = model_text(input, name);
        if (!address_parse(text, range->span.v6, address_place(range, member)))
            return wrong_address(name, member_table[member].exception, text, range->span.v6);
        return fault_none();
    case KIND_INTEGER:
        *integer_place(range, member) = model_integer(input, name, 0);
        return fault_none();
    case KIND_TEXT:
        return fault_of_result(ip_range_set_text(range, text_of(member), model_text(input, name)),
                               EXCEPTION_FAILED_TO_UPDATE_RANGE);
    case KIND_STATISTICS:
        return apply_statistics(input, range);
    case KIND_CUSTOM:
        return custom_values_input(store, input, &range->custom);
    default:
        return apply_list(input, member, range);
    }
}

struct fault range_input_apply(struct store *store, const struct model_node *input, uint32_t members,
                               struct ip_range *range)
{
    struct fault fault = fault_none();

    for (int member = 0; member < MEMBER_COUNT && !fault_raised(&fault); member++) {
        if ((members & MEMBER_BIT(member)) != 0)
            fault = apply_member(store, input, (enum range_member)member, range);
    }
    return fault;
}

static bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool member_equal(const struct ip_range *a, const struct ip_range *b, enum range_member member)
{
    switch (member_table[member].kind) {
    case KIND_ADDRESS:
        return address_compare(address_place((struct ip_range *)a, member),
                               address_place((struct ip_range *)b, member)) == 0;
    case KIND_INTEGER:
        return *integer_place((struct ip_range *)a, member) == *integer_place((struct ip_range *)b, member);
    case KIND_TEXT:
    case KIND_STATISTICS:
        return text_equal(a->text[text_of(member)], b->text[text_of(member)]);
    case KIND_CUSTOM:
        return custom_values_equal(&a->custom, &b->custom);
    default:
        return text_list_equal(&a->properties[property_of(member)], &b->properties[property_of(member)]);
    }
}

uint32_t range_difference(const struct ip_range *a, const struct ip_range *b)
{
    uint32_t difference = 0;

    for (int member = 0; member < MEMBER_COUNT; member++) {
        if (!member_equal(a, b, (enum range_member)member))
            difference |= MEMBER_BIT(member);
    }
    return difference;
}

struct fault fault_no_memory(void)
{
    return fault_of_result(result_no_memory("an operation on a range"), EXCEPTION_FAILED_TO_UPDATE_RANGE);
}
