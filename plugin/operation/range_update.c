/* UpdateRange (MS-IPAMM2 3.3.4.152). A client sends only what it modifies, so the current row is read before the range
 * is validated; otherwise the steps are in the document's order.
 *
 * Step 8.1.2.2 says "ManagedByEntity and ManagedByEntityValue" where it means the two fields computed one step before:
 * Managed by and Managed by entity. */
#include "failover_sync/range_operation.h"

#include "failover_sync/store.h"
#include "range_parts.h"

#include <stdlib.h>
#include <string.h>

/* Step 7: with these the addresses and the overlaps of a range change. ManagedByValue and ManagedByEntityValue are the
 * rest; they are found in the custom field values. */
#define MAPPING_MEMBERS                                                                                                \
    (MEMBER_BIT(MEMBER_SUBNET_ID) | MEMBER_BIT(MEMBER_PREFIX_LENGTH) | MEMBER_BIT(MEMBER_START_ADDRESS) |              \
     MEMBER_BIT(MEMBER_END_ADDRESS) | MEMBER_BIT(MEMBER_ADDRESS_SPACE))
#define BOUNDS (MEMBER_BIT(MEMBER_START_ADDRESS) | MEMBER_BIT(MEMBER_END_ADDRESS))

struct update {
    struct store *store;
    const struct model_node *input;
    int64_t now;
    uint32_t modified; /* what the client names */
    uint32_t changed;  /* of that, what is not so already */
    struct ip_range updated, current;
    struct pool_change *pool;
};

static uint32_t modified_properties(const struct model_node *input)
{
    uint32_t modified = 0;

    for (const struct model_node *name = model_first(input, "modified-properties"); name != NULL;
         name = model_next(name)) {
        enum range_member member = range_member_find(model_value(name));

        if (member != MEMBER_COUNT)
            modified |= MEMBER_BIT(member);
    }
    return modified;
}

/* Steps 4 and 5. */
static struct fault find_current(struct update *update)
{
    int64_t record_id = model_integer(update->input, "record-id", 0);
    const char *family = model_text(update->input, "address-family");
    struct result result = range_store_find(update->store, record_id, &update->current);

    if (result.code == RESULT_NOT_FOUND ||
        (!result_failed(result) && family != NULL && strcmp(family, address_family_word(update->current.span.v6)) != 0))
        return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, "record-id",
                               "there is no range with record id %lld%s%s; range-get-all shows those there are",
                               (long long)record_id, family == NULL ? "" : " in ", family == NULL ? "" : family);
    if (!result_failed(result))
        result = ip_range_copy(&update->updated, &update->current);
    return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

static bool same_value(const struct custom_value *a, const struct custom_value *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a->value, b->value) == 0;
}

static bool same_managers(const struct update *update)
{
    return same_value(range_managed_by(&update->current), range_managed_by(&update->updated)) &&
           same_value(range_managed_by_entity(&update->current), range_managed_by_entity(&update->updated));
}

/* A range that a DHCP server owns is a pool: whose, and in which subnet, is for the server's configuration to say. */
static struct fault check_pool(const struct update *update)
{
    const uint32_t fixed = MEMBER_BIT(MEMBER_SUBNET_ID) | MEMBER_BIT(MEMBER_PREFIX_LENGTH) |
                           MEMBER_BIT(MEMBER_ADDRESS_SPACE) | MEMBER_BIT(MEMBER_SCOPE) | MEMBER_BIT(MEMBER_SCOPE_NAME) |
                           MEMBER_BIT(MEMBER_SERVER_NAME);
    const uint32_t others = update->modified & range_difference(&update->current, &update->updated) & fixed;

    /* A value that is not given at all is for ValidateIPRange to tell. */
    if (range_managed_by(&update->updated) != NULL && range_managed_by_entity(&update->updated) != NULL &&
        !same_managers(update))
        return fault_of_sender(EXCEPTION_MANAGED_BY_OF_DHCP_RANGE, "custom-field-values",
                               "the range %lld is a pool of the DHCP server %.200s; \"Managed by\" and \"Managed by "
                               "entity\" of a pool cannot be changed",
                               (long long)update->current.record_id, update->current.text[RANGE_SERVER_NAME]);
    for (int member = 0; member < MEMBER_COUNT; member++) {
        if ((others & MEMBER_BIT(member)) != 0)
            return fault_of_sender(EXCEPTION_INVALID_UPDATE, range_member_name((enum range_member)member),
                                   "the range %lld is a pool of the scope %.200s, and its %s is the scope's; change "
                                   "the scope in the server's configuration",
                                   (long long)update->current.record_id, update->current.text[RANGE_SCOPE_NAME],
                                   range_member_name((enum range_member)member));
    }
    return fault_none();
}

/* The bounds of a pool are not written here: they become what the caller has to change in the server. */
static void hand_over_pool(struct update *update)
{
    if (update->current.scope_record_id == 0 || (update->changed & BOUNDS) == 0)
        return;
    *update->pool = (struct pool_change){.wanted = true,
                                         .scope_record_id = update->current.scope_record_id,
                                         .range_record_id = update->current.record_id,
                                         .before = update->current.span,
                                         .after = update->updated.span};
    update->updated.span = update->current.span;
}

/* Step 8.1.2 for one address. */
static struct fault remap_address(struct update *update, int64_t address_id)
{
    struct ip_address address;
    struct fault fault = fault_none();
    struct result result = address_store_find(update->store, address_id, &address);

    if (result_failed(result))
        return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    /* 8.1.2.1 */
    const struct custom_value *managed_by = custom_values_find(&address.custom, CUSTOM_FIELD_MANAGED_BY);
    const struct custom_value *entity = custom_values_find(&address.custom, CUSTOM_FIELD_MANAGED_BY_ENTITY);

    /* 8.1.2.2 */
    if (address.has_address && span_contains(&update->updated.span, &address.address) &&
        same_value(managed_by, range_managed_by(&update->updated)) &&
        same_value(entity, range_managed_by_entity(&update->updated)))
        fault = fault_of_result(address_store_move(update->store, address_id, update->updated.address_space_id,
                                                   update->updated.text[RANGE_VIRTUALIZATION]),
                                EXCEPTION_FAILED_TO_UPDATE_RANGE);
    ip_address_clear(&address);
    return fault;
}

/* Step 8.1. */
static struct fault remap_addresses(struct update *update)
{
    int64_t *mapped = NULL;
    size_t count = 0;
    struct result result = address_store_of_range(update->store, update->current.record_id, &mapped, &count);
    struct fault fault = fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);

    for (size_t i = 0; i < count && !fault_raised(&fault); i++)
        fault = remap_address(update, mapped[i]);
    free(mapped);
    return fault;
}

/* Step 8. */
static struct fault remap_range(struct update *update)
{
    struct fault fault = fault_none();

    /* 8.1 */
    if ((update->changed & MEMBER_BIT(MEMBER_ADDRESS_SPACE)) != 0)
        fault = remap_addresses(update);
    /* 8.2 */
    if (!fault_raised(&fault))
        fault = fault_of_result(range_mapping_reset(update->store, &update->current), EXCEPTION_FAILED_TO_UPDATE_RANGE);
    /* 8.3 */
    if (!fault_raised(&fault))
        fault = range_mapping_set(update->store, &update->updated, false, update->now);
    return fault;
}

static struct fault update_run(struct update *update)
{
    bool mapping;
    struct fault fault;

    /* 1: updatedRange is what the client gave, over the current row of steps 4 and 5. */
    fault = find_current(update);
    if (!fault_raised(&fault))
        fault = range_input_apply(update->store, update->input, update->modified, &update->updated);
    if (!fault_raised(&fault) && update->current.scope_record_id != 0)
        fault = check_pool(update);
    if (fault_raised(&fault))
        return fault;

    /* 3 */
    fault = range_validate(update->store, &update->updated);
    if (fault_raised(&fault))
        return fault;

    /* 6 */
    update->changed = update->modified & range_difference(&update->current, &update->updated);
    hand_over_pool(update);

    /* 7 */
    mapping = (update->changed & MAPPING_MEMBERS & (update->pool->wanted ? ~BOUNDS : ~UINT32_C(0))) != 0 ||
              !same_managers(update);

    /* 8 */
    if (mapping)
        fault = remap_range(update);
    /* 9 */
    else if ((update->changed & (update->pool->wanted ? ~BOUNDS : ~UINT32_C(0))) != 0)
        fault = fault_of_result(range_store_put(update->store, &update->updated, update->now),
                                EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (fault_raised(&fault))
        return fault;

    /* 10 */
    fault = custom_values_validate(&update->updated.custom);
    if (!fault_raised(&fault) && (update->changed & MEMBER_BIT(MEMBER_CUSTOM_VALUES)) != 0)
        fault = fault_of_result(custom_values_set(update->store, OBJECT_IP_RANGE, update->updated.span.v6,
                                                  update->updated.record_id, &update->updated.custom,
                                                  update->updated.scope_record_id != 0),
                                EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (fault_raised(&fault) || !mapping)
        return fault;

    /* 11 */
    return fault_of_result(access_scope_associate(update->store, update->updated.span.v6 ? "IPv6Range" : "IPv4Range",
                                                  update->updated.record_id),
                           EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

static json_t *update_json(const struct update *update)
{
    json_t *output = json_object();
    json_t *changed = json_array();
    bool made = output != NULL && changed != NULL &&
                json_put_id(output, "record-id", model_integer(update->input, "record-id", 0));

    for (int member = 0; member < MEMBER_COUNT && made; member++) {
        if ((update->changed & MEMBER_BIT(member)) != 0)
            made = json_array_append_new(changed, json_string(range_member_name((enum range_member)member))) == 0;
    }
    made = made && json_object_set(output, "changed-properties", changed) == 0 &&
           json_put(output, "pool-change", json_boolean(update->pool->wanted));
    json_decref(changed);
    if (!made) {
        json_decref(output);
        return NULL;
    }
    return output;
}

struct fault range_update(struct store *store, const struct model_node *input, int64_t now, struct pool_change *pool,
                          json_t **output)
{
    struct update update = {.store = store, .input = input, .now = now, .pool = pool};
    bool own = false;
    struct fault fault = fault_none();

    *output = NULL;
    *pool = (struct pool_change){.wanted = false};

    /* 2 */
    update.modified = modified_properties(input);
    fault = operation_begin(store, EXCEPTION_FAILED_TO_UPDATE_RANGE, &own);
    if (fault_raised(&fault))
        return fault;
    if (update.modified != 0)
        fault = update_run(&update);
    if (!fault_raised(&fault)) {
        *output = update_json(&update);
        if (*output == NULL)
            fault = fault_no_memory();
    }
    fault = operation_end(store, own, fault, EXCEPTION_FAILED_TO_UPDATE_RANGE, "range-update");
    if (fault_raised(&fault)) {
        json_decref(*output);
        *output = NULL;
        *pool = (struct pool_change){.wanted = false};
    }
    ip_range_clear(&update.updated);
    ip_range_clear(&update.current);
    return fault;
}

struct fault range_follow_pool(struct store *store, const struct pool_change *pool, int64_t now)
{
    struct ip_range before = {.record_id = 0}, after = {.record_id = 0};
    const char *category = span_category(&pool->after);
    bool own = false;
    struct result result;
    struct fault fault = operation_begin(store, EXCEPTION_FAILED_TO_UPDATE_RANGE, &own);

    if (fault_raised(&fault))
        return fault;
    result = range_store_find(store, pool->range_record_id, &before);
    if (!result_failed(result))
        result = ip_range_copy(&after, &before);
    if (!result_failed(result) && category != NULL)
        result = ip_range_set_text(&after, RANGE_ADDRESS_CATEGORY, category);
    after.span = pool->after;
    if (!result_failed(result))
        result = range_mapping_reset(store, &before);
    fault = fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (!fault_raised(&fault))
        fault = range_mapping_set(store, &after, false, now);
    fault = operation_end(store, own, fault, EXCEPTION_FAILED_TO_UPDATE_RANGE, "range-update");
    ip_range_clear(&before);
    ip_range_clear(&after);
    return fault;
}
