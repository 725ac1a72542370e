/* SaveRange (MS-IPAMM2 3.3.4.132): adds a range. */
#include "failover_sync/range_operation.h"

#include "failover_sync/store.h"
#include "range_parts.h"

#include <string.h>

struct addition {
    struct store *store;
    const struct model_node *input;
    int64_t now;
    struct ip_range range;
    struct pool_change *pool;
};

/* The members that the input has. */
static uint32_t given_members(const struct model_node *input)
{
    uint32_t given = 0;

    for (int member = 0; member < MEMBER_COUNT; member++) {
        if (model_first(input, range_member_name((enum range_member)member)) != NULL)
            given |= MEMBER_BIT(member);
    }
    return given;
}

/* A client names the scope by its record id; its name and its server's follow from that and may be left out. */
static struct fault fill_scope(struct addition *addition)
{
    static const struct {
        enum range_text text;
        enum range_member member;
    } names[] = {{RANGE_SCOPE_NAME, MEMBER_SCOPE_NAME}, {RANGE_SERVER_NAME, MEMBER_SERVER_NAME}};
    struct result result;

    if (!range_is_dhcp(&addition->range) || addition->range.scope_record_id == 0)
        return fault_none();
    result = range_store_fill_scope(addition->store, &addition->range);
    if (result.code == RESULT_NOT_FOUND)
        return fault_of_sender(EXCEPTION_SCOPE_NOT_FOUND, "scope-record-id", "%s; scope-get-all shows those there are",
                               result.message);
    if (result_failed(result))
        return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *name = range_member_name(names[i].member);
        const char *given = model_text(addition->input, name);

        if (given != NULL && strcmp(given, addition->range.text[names[i].text]) != 0)
            return fault_of_sender(
                EXCEPTION_INVALID_PARAMETER, name, "the %s of the scope %lld is %.200s and not %.200s", name,
                (long long)addition->range.scope_record_id, addition->range.text[names[i].text], given);
    }
    return fault_none();
}

static struct fault read_range(struct addition *addition)
{
    struct ip_range *range = &addition->range;
    const char *family = model_text(addition->input, "address-family");
    struct fault fault;

    range->span.v6 = family != NULL && strcmp(family, address_family_word(true)) == 0;
    fault = range_input_apply(addition->store, addition->input, given_members(addition->input), range);
    return fault_raised(&fault) ? fault : fill_scope(addition);
}

static struct fault add_run(struct addition *addition)
{
    struct store *store = addition->store;
    struct ip_range *range = &addition->range;
    struct fault fault = read_range(addition);

    if (fault_raised(&fault))
        return fault;

    /* Validate the range. */
    fault = range_validate(store, range);
    if (fault_raised(&fault))
        return fault;
    if (range_is_dhcp(range)) {
        *addition->pool =
            (struct pool_change){.wanted = true, .scope_record_id = range->scope_record_id, .after = range->span};
        return custom_values_validate(&range->custom);
    }

    /* Its overlaps, its parent, the row, and its addresses. */
    fault = range_mapping_set(store, range, model_boolean(addition->input, "create-subnet", false), addition->now);
    if (fault_raised(&fault))
        return fault;

    /* Its custom field values. */
    fault = custom_values_validate(&range->custom);
    if (!fault_raised(&fault))
        fault = fault_of_result(
            custom_values_set(store, OBJECT_IP_RANGE, range->span.v6, range->record_id, &range->custom, false),
            EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (fault_raised(&fault))
        return fault;

    /* Its access scope. */
    return fault_of_result(access_scope_associate(store, range->span.v6 ? "IPv6Range" : "IPv4Range", range->record_id),
                           EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

struct fault range_add(struct store *store, const struct model_node *input, int64_t now, struct pool_change *pool,
                       json_t **output)
{
    struct addition addition = {.store = store, .input = input, .now = now, .pool = pool};
    bool own = false;
    struct fault fault;

    *output = NULL;
    *pool = (struct pool_change){.wanted = false};
    fault = operation_begin(store, EXCEPTION_FAILED_TO_UPDATE_RANGE, &own);
    if (fault_raised(&fault))
        return fault;
    fault = add_run(&addition);
    if (!fault_raised(&fault)) {
        *output = json_object();
        if (*output == NULL || !json_put_id(*output, "record-id", addition.range.record_id) ||
            !json_put(*output, "pool-change", json_boolean(pool->wanted)))
            fault = fault_no_memory();
    }
    fault = operation_end(store, own, fault, EXCEPTION_FAILED_TO_UPDATE_RANGE, "range-add");
    if (fault_raised(&fault)) {
        json_decref(*output);
        *output = NULL;
        *pool = (struct pool_change){.wanted = false};
    }
    ip_range_clear(&addition.range);
    return fault;
}

struct fault range_add_complete(struct store *store, const struct model_node *input, int64_t record_id, int64_t now)
{
    /* What the scope decides is in the row already. */
    const uint32_t of_scope = MEMBER_BIT(MEMBER_SUBNET_ID) | MEMBER_BIT(MEMBER_PREFIX_LENGTH) |
                              MEMBER_BIT(MEMBER_START_ADDRESS) | MEMBER_BIT(MEMBER_END_ADDRESS) |
                              MEMBER_BIT(MEMBER_ADDRESS_SPACE) | MEMBER_BIT(MEMBER_SCOPE) |
                              MEMBER_BIT(MEMBER_SCOPE_NAME) | MEMBER_BIT(MEMBER_SERVER_NAME);
    struct ip_range mirrored = {.record_id = 0}, wanted = {.record_id = 0};
    uint32_t difference = 0;
    bool own = false;
    struct result result;
    struct fault fault = operation_begin(store, EXCEPTION_FAILED_TO_UPDATE_RANGE, &own);

    if (fault_raised(&fault))
        return fault;
    result = range_store_find(store, record_id, &mirrored);
    if (!result_failed(result))
        result = ip_range_copy(&wanted, &mirrored);
    fault = fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (!fault_raised(&fault))
        fault = range_input_apply(store, input, given_members(input) & ~of_scope, &wanted);
    if (!fault_raised(&fault))
        difference = range_difference(&mirrored, &wanted);
    if (!fault_raised(&fault) && difference != 0)
        fault = fault_of_result(range_store_put(store, &wanted, now), EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (!fault_raised(&fault) && (difference & MEMBER_BIT(MEMBER_CUSTOM_VALUES)) != 0)
        fault =
            fault_of_result(custom_values_set(store, OBJECT_IP_RANGE, wanted.span.v6, record_id, &wanted.custom, true),
                            EXCEPTION_FAILED_TO_UPDATE_RANGE);
    fault = operation_end(store, own, fault, EXCEPTION_FAILED_TO_UPDATE_RANGE, "range-add");
    ip_range_clear(&mirrored);
    ip_range_clear(&wanted);
    return fault;
}
