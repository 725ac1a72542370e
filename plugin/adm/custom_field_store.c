/* ADM_CustomFieldsTable and ADM_CustomFieldValuesTable: the custom fields and the values that the multivalued ones may
 * take. */
#include "failover_sync/custom_field.h"

#include "store_private.h"

#include <string.h>

struct result custom_field_find(struct store *store, const char *name, struct custom_field_row *row)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store,
                                         "SELECT RecordId, BuiltinCustomFieldNumber, Type = 'Multivalued' "
                                         "FROM ADM_CustomFieldsTable WHERE Name = ?1",
                                         &statement);

    *row = (struct custom_field_row){.name = name};
    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, name);
    result = statement_step(statement, &found);
    if (found) {
        row->record_id = statement_integer(statement, 0);
        row->builtin_number = statement_integer(statement, 1);
        row->multivalued = statement_integer(statement, 2) != 0;
    }
    statement_done(statement);
    return result;
}

struct result custom_field_add_row(struct store *store, struct custom_field_row *row)
{
    struct statement *statement;
    struct result result = statement_get(
        store, "INSERT INTO ADM_CustomFieldsTable (Name, Origin, Type) VALUES (?1, 'UserDefined', ?2)", &statement);

    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, row->name);
    statement_bind_text(statement, 2, row->multivalued ? "Multivalued" : "Freeform");
    return statement_insert(statement, &row->record_id);
}

struct result custom_field_add_value(struct store *store, int64_t field_id, const char *value)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "INSERT INTO ADM_CustomFieldValuesTable (CustomFieldRecordId, Value) "
                                         "VALUES (?1, ?2) ON CONFLICT (CustomFieldRecordId, Value) DO NOTHING",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, field_id);
    statement_bind_text(statement, 2, value);
    return statement_run(statement);
}

struct result custom_field_count(struct store *store, int64_t *count)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store, "SELECT count(*) FROM ADM_CustomFieldsTable WHERE Origin <> 'Builtin'", &statement);

    *count = 0;
    if (result_failed(result))
        return result;
    result = statement_step(statement, &found);
    if (found)
        *count = statement_integer(statement, 0);
    statement_done(statement);
    return result;
}

/* The values of one field. */
static struct result values_each(struct store *store, int64_t field_id, const struct custom_field_visitor *visitor)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store,
                                         "SELECT RecordId, Value, BuiltInCustomFieldValueId FROM "
                                         "ADM_CustomFieldValuesTable WHERE CustomFieldRecordId = ?1 ORDER BY Value",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, field_id);
    for (;;) {
        result = statement_step(statement, &found);
        if (!found)
            return result;
        result = visitor->each_value(visitor->context, statement_integer(statement, 0),
                                     statement_needed_text(statement, 1), statement_integer(statement, 2));
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}

struct result custom_field_each(struct store *store, const struct custom_field_visitor *visitor)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store,
                                         "SELECT RecordId, Name, BuiltinCustomFieldNumber, Type = 'Multivalued' "
                                         "FROM ADM_CustomFieldsTable ORDER BY RecordId",
                                         &statement);

    if (result_failed(result))
        return result;
    for (;;) {
        struct custom_field_row row;

        result = statement_step(statement, &found);
        if (!found)
            return result;
        row = (struct custom_field_row){.record_id = statement_integer(statement, 0),
                                        .name = statement_needed_text(statement, 1),
                                        .builtin_number = statement_integer(statement, 2),
                                        .multivalued = statement_integer(statement, 3) != 0};
        result = row.name == NULL ? result_no_memory("a custom field") : visitor->each(visitor->context, &row);
        if (!result_failed(result) && row.multivalued)
            result = values_each(store, row.record_id, visitor);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}
