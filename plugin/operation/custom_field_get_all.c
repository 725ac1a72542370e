/* All custom fields with their values. */
#include "failover_sync/range_operation.h"

#include "range_parts.h"

struct listing {
    json_t *fields;
    json_t *values; /* of the field at hand; borrowed */
};

static struct result list_field(void *context, const struct custom_field_row *row)
{
    struct listing *listing = context;
    json_t *field = json_object();
    bool made = field != NULL && json_put_id(field, "record-id", row->record_id) &&
                json_put_text(field, "name", row->name) &&
                json_put_id(field, "built-in-custom-field-number", row->builtin_number) &&
                json_put_text(field, "origin", row->builtin_number != 0 ? "Builtin" : "UserDefined") &&
                json_put_text(field, "type", row->multivalued ? "Multivalued" : "Freeform");

    if (made && row->multivalued) {
        listing->values = json_array();
        made = json_put(field, "values", listing->values);
    }
    if (!made) {
        json_decref(field);
        return result_no_memory("the custom fields");
    }
    return json_array_append_new(listing->fields, field) == 0 ? result_ok() : result_no_memory("the custom fields");
}

static struct result list_value(void *context, int64_t record_id, const char *value, int64_t builtin_value_id)
{
    struct listing *listing = context;
    json_t *json = json_object();

    if (json == NULL || !json_put_id(json, "record-id", record_id) || !json_put_text(json, "value", value) ||
        !json_put_id(json, "built-in-custom-field-value-id", builtin_value_id)) {
        json_decref(json);
        return result_no_memory("the custom fields");
    }
    return json_array_append_new(listing->values, json) == 0 ? result_ok() : result_no_memory("the custom fields");
}

struct fault custom_field_get_all(struct store *store, const struct model_node *input, json_t **output)
{
    struct listing listing = {.fields = json_array()};
    const struct custom_field_visitor visitor = {.each = list_field, .each_value = list_value, .context = &listing};
    struct fault fault;

    (void)input;
    *output = json_object();
    if (*output == NULL || listing.fields == NULL)
        fault = fault_no_memory();
    else
        fault = fault_of_result(custom_field_each(store, &visitor), EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (!fault_raised(&fault) && json_object_set(*output, "custom-fields", listing.fields) != 0)
        fault = fault_no_memory();
    if (fault_raised(&fault)) {
        json_decref(*output);
        *output = NULL;
    }
    json_decref(listing.fields);
    return fault;
}
