/* Ranges, addresses and custom field values as JSON, by the names of the model. */
#include "range_parts.h"

#include "failover_sync/json_load.h"

#include <string.h>
#include <time.h>

static bool put_address(json_t *map, const char *name, const struct address *address)
{
    return json_put_text(map, name, address_print(address).text);
}

/* Seconds since 1970 as RFC 3339; 0 is left out. */
static bool put_date(json_t *map, const char *name, int64_t when)
{
    time_t seconds = (time_t)when;
    struct tm parts;
    char text[32];

    if (when == 0)
        return true;
    if (gmtime_r(&seconds, &parts) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return false;
    return json_put_text(map, name, text);
}

json_t *custom_values_json(const struct custom_values *values)
{
    json_t *list = json_array();

    for (size_t i = 0; i < values->count && list != NULL; i++) {
        if (json_array_append_new(list, json_pack("{s:s,s:s}", "custom-field", values->list[i].field, "value",
                                                  values->list[i].value)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* "first-last" as a map of the two. */
static json_t *span_json(const char *text)
{
    const char *dash = strchr(text, '-');

    if (dash == NULL)
        return json_pack("{s:s,s:s}", "start-ip-address", text, "end-ip-address", text);
    return json_pack("{s:s%,s:s}", "start-ip-address", text, (size_t)(dash - text), "end-ip-address", dash + 1);
}

static bool put_list(json_t *map, const char *name, const struct text_list *texts, bool spans)
{
    json_t *list;

    if (texts->count == 0)
        return true;
    list = json_array();
    for (size_t i = 0; i < texts->count && list != NULL; i++) {
        if (json_array_append_new(list, spans ? span_json(texts->list[i]) : json_string(texts->list[i])) != 0) {
            json_decref(list);
            return false;
        }
    }
    return json_put(map, name, list);
}

static bool put_properties(json_t *map, const struct ip_range *range)
{
    bool made = true;

    for (int property = 1; property < RANGE_PROPERTIES && made; property++)
        made = put_list(map, range_member_name((enum range_member)(MEMBER_DNS_SERVERS + property - RANGE_DNS_SERVERS)),
                        &range->properties[property],
                        property == RANGE_VIP_RANGES || property == RANGE_RESERVED_IP_RANGES);
    return made;
}

static bool put_texts(json_t *map, const struct ip_range *range)
{
    bool made = true;

    for (int text = 0; text < RANGE_TEXTS && made; text++) {
        const char *name = range_member_name((enum range_member)(MEMBER_ADDRESS_ASSIGNMENT + text));

        if (text != RANGE_UTILIZATION_STATISTICS)
            made = json_put_text(map, name, range->text[text]);
        else if (range->text[text] != NULL)
            made = json_put(map, name, json_load(range->text[text], JSON_ALLOW_NUL, &json_kea_bounds, NULL));
    }
    return made;
}

json_t *range_json(const struct ip_range *range)
{
    json_t *json = json_object();
    bool made = json != NULL && json_put_id(json, "record-id", range->record_id) &&
                json_put_text(json, "address-family", address_family_word(range->span.v6)) &&
                put_address(json, "subnet-id", &range->subnet_id) &&
                json_put(json, "prefix-length", json_integer((json_int_t)range->prefix_length)) &&
                put_address(json, "start-ip-address", &range->span.first) &&
                put_address(json, "end-ip-address", &range->span.last) &&
                json_put_id(json, "address-space-record-id", range->address_space_id) && put_texts(json, range) &&
                put_properties(json, range) &&
                json_put(json, "custom-field-values", custom_values_json(&range->custom)) &&
                json_put_id(json, "scope-record-id", range->scope_record_id) &&
                json_put_id(json, "parent-block-record-id", range->parent_block_id) &&
                json_put_id(json, "access-scope-id", range->access_scope_id) &&
                json_put(json, "is-overlapping", json_boolean(range->is_overlapping)) &&
                json_put(json, "use-for-utilization", json_boolean(range->use_for_utilization)) &&
                json_put(json, "number-of-child-addresses", json_integer((json_int_t)range->child_addresses)) &&
                put_date(json, "last-assigned-date", range->last_assigned_date) &&
                put_date(json, "last-change-date", range->last_change_date);

    if (!made) {
        json_decref(json);
        return NULL;
    }
    return json;
}

struct fault page_json(struct store *store, const char *name, const int64_t *ids, size_t count, int64_t limit,
                       page_adder add, json_t **output)
{
    size_t shown = (int64_t)count == limit ? count - 1 : count;
    json_t *list = json_array();
    struct fault fault = fault_none();

    *output = json_object();
    if (list == NULL || *output == NULL)
        fault = fault_no_memory();
    for (size_t i = 0; i < shown && !fault_raised(&fault); i++)
        fault = add(store, ids[i], list);
    if (!fault_raised(&fault) &&
        (json_object_set(*output, name, list) != 0 || (shown < count && !json_put_id(*output, "next", ids[shown - 1]))))
        fault = fault_no_memory();
    if (fault_raised(&fault)) {
        json_decref(*output);
        *output = NULL;
    }
    json_decref(list);
    return fault;
}
