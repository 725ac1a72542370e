/* ADM_CustomFieldValuesAssociationTable: the custom field values of objects. */
#include "failover_sync/custom_field.h"

#include "store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more; the caller fills it. */
static struct custom_value *values_append(struct custom_values *values)
{
    struct custom_value *longer = reallocarray(values->list, values->count + 1, sizeof *longer);

    if (longer == NULL)
        return NULL;
    values->list = longer;
    memset(&longer[values->count], 0, sizeof *longer);
    return &longer[values->count++];
}

void custom_values_clear(struct custom_values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        free(values->list[i].field);
        free(values->list[i].value);
    }
    free(values->list);
    *values = (struct custom_values){.list = NULL};
}

/* Looks up what the names of a value mean. */
static struct result value_resolve(struct store *store, struct custom_value *value)
{
    struct custom_field_row field = {.name = value->field};
    struct statement *statement;
    bool found = false;
    struct result result = custom_field_find(store, value->field, &field);

    if (result_failed(result))
        return result;
    value->field_id = field.record_id;
    value->multivalued = field.multivalued;
    if (field.record_id == 0 || !field.multivalued)
        return result;
    result = statement_get(store,
                           "SELECT RecordId, BuiltInCustomFieldValueId FROM ADM_CustomFieldValuesTable "
                           "WHERE CustomFieldRecordId = ?1 AND Value = ?2",
                           &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, field.record_id);
    statement_bind_text(statement, 2, value->value);
    result = statement_step(statement, &found);
    if (found) {
        value->value_id = statement_integer(statement, 0);
        value->builtin_value_id = statement_integer(statement, 1);
    }
    statement_done(statement);
    return result;
}

struct result custom_values_add(struct store *store, struct custom_values *values, const char *field, const char *value)
{
    struct custom_value *added = values_append(values);

    if (added == NULL)
        return result_no_memory("a custom field value");
    added->field = strdup(field);
    added->value = strdup(value);
    if (added->field == NULL || added->value == NULL)
        return result_no_memory("a custom field value");
    return value_resolve(store, added);
}

const struct custom_value *custom_values_find(const struct custom_values *values, int64_t field_id)
{
    for (size_t i = 0; i < values->count; i++) {
        if (values->list[i].field_id == field_id)
            return &values->list[i];
    }
    return NULL;
}

bool custom_values_equal(const struct custom_values *a, const struct custom_values *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct custom_value *other = custom_values_find(b, a->list[i].field_id);

        if (other == NULL || strcmp(other->value, a->list[i].value) != 0)
            return false;
    }
    return true;
}

struct fault custom_values_validate(const struct custom_values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        const struct custom_value *value = &values->list[i];
        char node[256] = "";

        if (strchr(value->field, '\'') == NULL && strlen(value->field) < 128)
            (void)snprintf(node, sizeof node, "custom-field-values[custom-field='%s']", value->field);
        if (value->field_id == 0)
            return fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, node,
                                   "there is no custom field \"%.255s\"; add it with custom-field-add", value->field);
        if (value->multivalued && value->value_id == 0)
            return fault_of_sender(EXCEPTION_CUSTOM_VALUE_DOES_NOT_EXIST, node,
                                   "the custom field \"%.80s\" has no value \"%.200s\"; custom-field-get-all shows "
                                   "those it has, custom-field-add adds more",
                                   value->field, value->value);
    }
    return fault_none();
}

struct result custom_values_get(struct store *store, const char *object_type, bool v6, int64_t record_id,
                                struct custom_values *values)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(
        store,
        "SELECT given.CustomFieldId, given.CustomFieldValueId, given.Value, "
        "(SELECT Name FROM ADM_CustomFieldsTable WHERE RecordId = given.CustomFieldId), "
        "(SELECT Value FROM ADM_CustomFieldValuesTable WHERE RecordId = given.CustomFieldValueId), "
        "(SELECT BuiltInCustomFieldValueId FROM ADM_CustomFieldValuesTable WHERE RecordId = given.CustomFieldValueId) "
        "FROM ADM_CustomFieldValuesAssociationTable AS given WHERE ObjectType = ?1 AND Af = ?2 AND UsedById = ?3 "
        "ORDER BY 1",
        &statement);

    *values = (struct custom_values){.list = NULL};
    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, object_type);
    statement_bind_text(statement, 2, address_family_word(v6));
    statement_bind_integer(statement, 3, record_id);
    for (;;) {
        const char *name, *text;
        struct custom_value *value;

        result = statement_step(statement, &found);
        if (!found)
            break;
        value = values_append(values);
        if (value == NULL) {
            result = result_no_memory("the custom field values of an object");
            break;
        }
        value->field_id = statement_integer(statement, 0);
        value->value_id = statement_integer(statement, 1);
        value->multivalued = value->value_id != 0;
        value->builtin_value_id = statement_integer(statement, 5);
        name = statement_text(statement, 3);
        text = statement_text(statement, value->multivalued ? 4 : 2);
        value->field = strdup(name == NULL ? "" : name);
        value->value = strdup(text == NULL ? "" : text);
        if (value->field == NULL || value->value == NULL) {
            result = result_no_memory("the custom field values of an object");
            break;
        }
    }
    statement_done(statement);
    if (result_failed(result))
        custom_values_clear(values);
    return result;
}

static struct result values_remove(struct store *store, const char *object_type, bool v6, int64_t record_id)
{
    struct statement *statement;
    struct result result = statement_get(
        store, "DELETE FROM CustomFieldValuesGiven WHERE ObjectType = ?1 AND Af = ?2 AND UsedById = ?3", &statement);

    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, object_type);
    statement_bind_text(statement, 2, address_family_word(v6));
    statement_bind_integer(statement, 3, record_id);
    return statement_run(statement);
}

static bool follows_from_scope(const struct custom_value *value)
{
    return value->field_id == CUSTOM_FIELD_MANAGED_BY || value->field_id == CUSTOM_FIELD_MANAGED_BY_ENTITY;
}

struct result custom_values_set(struct store *store, const char *object_type, bool v6, int64_t record_id,
                                const struct custom_values *values, bool of_scope)
{
    struct result result = values_remove(store, object_type, v6, record_id);

    for (size_t i = 0; i < values->count && !result_failed(result); i++) {
        const struct custom_value *value = &values->list[i];
        struct statement *statement;

        if (of_scope && follows_from_scope(value))
            continue;
        result = statement_get(store,
                               "INSERT INTO CustomFieldValuesGiven (ObjectType, Af, UsedById, CustomFieldId, "
                               "CustomFieldValueId, Value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                               &statement);
        if (result_failed(result))
            break;
        statement_bind_text(statement, 1, object_type);
        statement_bind_text(statement, 2, address_family_word(v6));
        statement_bind_integer(statement, 3, record_id);
        statement_bind_integer(statement, 4, value->field_id);
        statement_bind_id(statement, 5, value->value_id);
        statement_bind_text(statement, 6, value->multivalued ? NULL : value->value);
        result = statement_run(statement);
    }
    return result;
}
