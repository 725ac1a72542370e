/* SaveCustomField (MS-IPAMM2 3.3.4.128) as far as it adds: a field, or values to a multivalued field that exists. */
#include "failover_sync/range_operation.h"

#include "failover_sync/store.h"
#include "range_parts.h"

#include <string.h>

#define FIELDS_OF_USERS_MAX 128 /* the document's */

/* ValidateCustomField (3.1.4.11). */
static struct fault validate(const struct model_node *input)
{
    const char *type = model_text(input, "type");

    if (strcmp(type, "None") == 0)
        return fault_of_sender(EXCEPTION_INVALID_ENUMERATION, "type",
                               "the type None is none; give Freeform or Multivalued");
    if (strcmp(type, "Freeform") == 0 && model_first(input, "values") != NULL)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "values",
                               "a freeform field takes any value and has no list of them; leave \"values\" out");
    for (const struct model_node *value = model_first(input, "values"); value != NULL; value = model_next(value)) {
        if (model_value(value)[0] == '\0')
            return fault_of_sender(EXCEPTION_CUSTOM_VALUE_IS_NULL, "values",
                                   "a value of a custom field cannot be empty");
    }
    return fault_none();
}

static struct fault add_field(struct store *store, struct custom_field_row *field)
{
    int64_t count = 0;
    struct result result = custom_field_count(store, &count);

    if (!result_failed(result) && count >= FIELDS_OF_USERS_MAX)
        return fault_of_sender(EXCEPTION_INVALID_UPDATE, "name",
                               "there are %d custom fields of administrators already, and there may be no more",
                               FIELDS_OF_USERS_MAX);
    if (!result_failed(result))
        result = custom_field_add_row(store, field);
    return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
}

/* A field that exists takes more values only if it is multivalued, and "Managed by" none: what its values mean is
 * built in. */
static struct fault check_existing(const struct custom_field_row *field, bool multivalued)
{
    if (!field->multivalued || !multivalued)
        return fault_of_sender(EXCEPTION_INVALID_UPDATE, "name",
                               "there is a custom field \"%.255s\" already; choose another name", field->name);
    if (field->record_id == CUSTOM_FIELD_MANAGED_BY)
        return fault_of_sender(EXCEPTION_INVALID_UPDATE, "name",
                               "the values of \"%.255s\" are built in; add a value to \"Managed by entity\" instead",
                               field->name);
    return fault_none();
}

static struct fault add_run(struct store *store, const struct model_node *input, struct custom_field_row *field)
{
    const char *name = model_text(input, "name");
    bool multivalued;
    struct fault fault = validate(input);

    if (fault_raised(&fault))
        return fault;
    multivalued = strcmp(model_text(input, "type"), "Multivalued") == 0;
    fault = fault_of_result(custom_field_find(store, name, field), EXCEPTION_FAILED_TO_UPDATE_RANGE);
    if (fault_raised(&fault))
        return fault;
    if (field->record_id != 0) {
        fault = check_existing(field, multivalued);
    } else {
        field->multivalued = multivalued;
        fault = add_field(store, field);
    }
    for (const struct model_node *value = model_first(input, "values"); value != NULL && !fault_raised(&fault);
         value = model_next(value))
        fault = fault_of_result(custom_field_add_value(store, field->record_id, model_value(value)),
                                EXCEPTION_FAILED_TO_UPDATE_RANGE);
    return fault;
}

struct fault custom_field_add(struct store *store, const struct model_node *input, json_t **output)
{
    struct custom_field_row field = {.record_id = 0};
    bool own = false;
    struct fault fault;

    *output = NULL;
    fault = operation_begin(store, EXCEPTION_FAILED_TO_UPDATE_RANGE, &own);
    if (fault_raised(&fault))
        return fault;
    fault = add_run(store, input, &field);
    if (!fault_raised(&fault)) {
        *output = json_object();
        if (*output == NULL || !json_put_id(*output, "record-id", field.record_id))
            fault = fault_no_memory();
    }
    fault = operation_end(store, own, fault, EXCEPTION_FAILED_TO_UPDATE_RANGE, "custom-field-add");
    if (fault_raised(&fault)) {
        json_decref(*output);
        *output = NULL;
    }
    return fault;
}
