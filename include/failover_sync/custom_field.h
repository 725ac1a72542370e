/* Custom fields and their values: ADM_CustomFieldsTable, ADM_CustomFieldValuesTable and
 * ADM_CustomFieldValuesAssociationTable (MS-IPAMM2 3.1.1.1.14, 3.1.1.1.15, 3.1.1.1.2). */
#ifndef FAILOVER_SYNC_CUSTOM_FIELD_H
#define FAILOVER_SYNC_CUSTOM_FIELD_H

#include "failover_sync/fault.h"
#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* RecordId of the two built-in fields that decide who an object belongs to. */
#define CUSTOM_FIELD_MANAGED_BY        INT64_C(8)
#define CUSTOM_FIELD_MANAGED_BY_ENTITY INT64_C(9)

/* BuiltInCustomFieldValueId, and the name, of "Managed by" for what DHCP servers own. */
#define MANAGED_BY_DHCP      INT64_C(2)
#define MANAGED_BY_DHCP_NAME "DHCP"

#define CUSTOM_FIELD_NAME_MAX 255

/* What the tables call the kinds of objects (EnumerationObjectType). */
#define OBJECT_IP_RANGE   "IPRange"
#define OBJECT_IP_ADDRESS "IPAddress"

/* One value of an object. The ids are what the names mean in the store. */
struct custom_value {
    char *field; /* the field's name */
    char *value;
    int64_t field_id; /* 0: there is no such field */
    bool multivalued;
    int64_t value_id;         /* 0: freeform, or no such value */
    int64_t builtin_value_id; /* 0: not built in */
};

struct custom_values {
    struct custom_value *list;
    size_t count;
};

/* Appends a value, looking its ids up. What does not exist is noted by ids of 0, which custom_values_validate reports.
 */
struct result custom_values_add(struct store *store, struct custom_values *values, const char *field,
                                const char *value);
void custom_values_clear(struct custom_values *values);

/* The value of a field by its id; NULL if there is none. */
const struct custom_value *custom_values_find(const struct custom_values *values, int64_t field_id);

/* Whether both say the same, in whatever order. */
bool custom_values_equal(const struct custom_values *a, const struct custom_values *b);

/* ValidateCustomFieldValues (3.1.4.6). */
struct fault custom_values_validate(const struct custom_values *values);

/* GetCustomFieldValues (3.1.1.1.2.2.1), in order of the fields' ids; the caller clears *values. */
struct result custom_values_get(struct store *store, const char *object_type, bool v6, int64_t record_id,
                                struct custom_values *values);

/* SetCustomFieldValues (3.1.1.1.2.2.2): replaces all values of one object. The two that follow from the scope of a
 * mirrored object (`of_scope`) are computed and not written. */
struct result custom_values_set(struct store *store, const char *object_type, bool v6, int64_t record_id,
                                const struct custom_values *values, bool of_scope);

/* ---- the fields themselves ---- */
struct custom_field_row {
    int64_t record_id;
    const char *name;
    int64_t builtin_number; /* 0: of a user */
    bool multivalued;
};

/* Finds a field by its name; the row's record_id is 0 if there is none. Its name is the caller's. */
struct result custom_field_find(struct store *store, const char *name, struct custom_field_row *row);

/* Adds a field of a user; row->record_id receives its id. */
struct result custom_field_add_row(struct store *store, struct custom_field_row *row);

/* Adds a value to a multivalued field; one that exists is left alone. */
struct result custom_field_add_value(struct store *store, int64_t field_id, const char *value);

/* How many fields users have added. */
struct result custom_field_count(struct store *store, int64_t *count);

/* Calls `each` for every field in order of its id, and `each_value` for its values; texts are borrowed for the call. */
struct custom_field_visitor {
    struct result (*each)(void *context, const struct custom_field_row *row);
    struct result (*each_value)(void *context, int64_t record_id, const char *value, int64_t builtin_value_id);
    void *context;
};
struct result custom_field_each(struct store *store, const struct custom_field_visitor *visitor);

#endif
