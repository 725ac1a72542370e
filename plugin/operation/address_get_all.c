/* The addresses, a page at a time. */
#include "failover_sync/range_operation.h"

#include "range_parts.h"

#include <stdlib.h>

#define PAGE_LIMIT 1000

static json_t *address_json(const struct ip_address *address)
{
    json_t *json = json_object();
    bool made =
        json != NULL && json_put_id(json, "record-id", address->record_id) &&
        json_put_text(json, "address-family", address_family_word(address->v6)) &&
        (!address->has_address || json_put_text(json, "ip-address", address_print(&address->address).text)) &&
        json_put_id(json, "address-space-record-id", address->address_space_id) &&
        json_put_text(json, "address-assignment", address->address_assignment) &&
        json_put_text(json, "address-category", address->address_category) &&
        json_put_text(json, "mac-address", address->mac_address) && json_put_text(json, "duid", address->duid) &&
        (address->iaid < 0 || json_put(json, "iaid", json_integer((json_int_t)address->iaid))) &&
        json_put_text(json, "device-name", address->device_name) && json_put_text(json, "owner", address->owner) &&
        json_put_text(json, "asset-tag", address->asset_tag) &&
        json_put_text(json, "serial-number", address->serial_number) && json_put_text(json, "notes", address->notes) &&
        json_put_text(json, "virtualization-type", address->virtualization) &&
        json_put_text(json, "reservation-type", address->reservation_type) &&
        json_put_id(json, "range-record-id", address->range_record_id) &&
        json_put_id(json, "scope-record-id", address->scope_record_id) &&
        json_put(json, "is-duplicate", json_boolean(address->is_duplicate)) &&
        json_put(json, "custom-field-values", custom_values_json(&address->custom));

    if (!made) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static struct fault add_one(struct store *store, int64_t record_id, json_t *list)
{
    struct ip_address address;
    json_t *json;
    struct result result = address_store_find(store, record_id, &address);

    if (result_failed(result))
        return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    json = address_json(&address);
    ip_address_clear(&address);
    return json != NULL && json_array_append_new(list, json) == 0 ? fault_none() : fault_no_memory();
}

struct fault address_get_all(struct store *store, const struct model_node *input, json_t **output)
{
    struct address_filter filter = {
        .after = model_integer(input, "from", 0),
        .address_space_id = model_integer(input, "address-space-record-id", 0),
        .range_record_id = model_integer(input, "range-record-id", 0),
        .limit = model_integer(input, "limit", PAGE_LIMIT) + 1, /* one more tells whether there is a next page */
    };
    int64_t *ids = NULL;
    size_t count = 0;
    struct fault fault =
        fault_of_result(address_store_list(store, &filter, &ids, &count), EXCEPTION_FAILED_TO_UPDATE_RANGE);

    *output = NULL;
    if (!fault_raised(&fault))
        fault = page_json(store, "addresses", ids, count, filter.limit, add_one, output);
    free(ids);
    return fault;
}
