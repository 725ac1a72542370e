/* ADM_IPRangeTable: reading and writing a range as a whole. How ranges overlap and what maps to them is next door, in
 * range_overlap.c and range_mapping.c. */
#include "failover_sync/range.h"

#include "range_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- a range in memory ---- */

void text_list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->list[i]);
    free(list->list);
    *list = (struct text_list){.list = NULL};
}

struct result text_list_add(struct text_list *list, const char *text)
{
    char **longer = reallocarray(list->list, list->count + 1, sizeof *longer);

    if (longer == NULL)
        return result_no_memory("the properties of a range");
    list->list = longer;
    longer[list->count] = strdup(text);
    if (longer[list->count] == NULL)
        return result_no_memory("the properties of a range");
    list->count++;
    return result_ok();
}

bool text_list_equal(const struct text_list *a, const struct text_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->list[i], b->list[i]) != 0)
            return false;
    }
    return true;
}

void ip_range_clear(struct ip_range *range)
{
    for (size_t i = 0; i < RANGE_TEXTS; i++)
        free(range->text[i]);
    for (size_t i = 0; i < RANGE_PROPERTIES; i++)
        text_list_clear(&range->properties[i]);
    custom_values_clear(&range->custom);
    memset(range, 0, sizeof *range);
}

struct result ip_range_set_text(struct ip_range *range, enum range_text which, const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);

    if (text != NULL && copy == NULL)
        return result_no_memory("a range");
    free(range->text[which]);
    range->text[which] = copy;
    return result_ok();
}

static struct result copy_custom(struct custom_values *copy, const struct custom_values *values)
{
    copy->list = calloc(values->count + 1, sizeof *copy->list);
    if (copy->list == NULL)
        return result_no_memory("a range");
    for (size_t i = 0; i < values->count; i++) {
        copy->list[i] = values->list[i];
        copy->list[i].field = strdup(values->list[i].field);
        copy->list[i].value = strdup(values->list[i].value);
        copy->count++;
        if (copy->list[i].field == NULL || copy->list[i].value == NULL)
            return result_no_memory("a range");
    }
    return result_ok();
}

struct result ip_range_copy(struct ip_range *copy, const struct ip_range *range)
{
    struct result result = result_ok();

    *copy = *range;
    memset(copy->text, 0, sizeof copy->text);
    memset(copy->properties, 0, sizeof copy->properties);
    copy->custom = (struct custom_values){.list = NULL};
    for (size_t i = 0; i < RANGE_TEXTS && !result_failed(result); i++)
        result = ip_range_set_text(copy, (enum range_text)i, range->text[i]);
    for (size_t i = 1; i < RANGE_PROPERTIES; i++) {
        for (size_t j = 0; j < range->properties[i].count && !result_failed(result); j++)
            result = text_list_add(&copy->properties[i], range->properties[i].list[j]);
    }
    if (!result_failed(result))
        result = copy_custom(&copy->custom, &range->custom);
    if (result_failed(result))
        ip_range_clear(copy);
    return result;
}

bool range_is_dhcp(const struct ip_range *range)
{
    const struct custom_value *managed_by = range_managed_by(range);

    return managed_by != NULL && managed_by->builtin_value_id == MANAGED_BY_DHCP;
}

const char *range_object_type(const struct ip_range *range)
{
    return range->span.v6 ? "IPv6Range" : "IPv4Range";
}

/* ---- reading ---- */

static struct result read_properties(struct store *store, struct ip_range *range)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store,
                                         "SELECT PropertyId, PropertyValue FROM ADM_IPRangeMultivaluedPropertiesTable "
                                         "WHERE RangeId = ?1 ORDER BY RecordId",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, range->record_id);
    for (;;) {
        int64_t property;
        const char *text;

        result = statement_step(statement, &found);
        if (!found)
            return result;
        property = statement_integer(statement, 0);
        text = statement_needed_text(statement, 1);
        if (property < 1 || property >= RANGE_PROPERTIES)
            continue; /* of nobody's making */
        result = text == NULL ? result_no_memory("the properties of a range")
                              : text_list_add(&range->properties[property], text);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}

/* The current row of `statement`. */
static struct result read_row(struct statement *statement, struct ip_range *range)
{
    struct result result = result_ok();

    range->record_id = statement_integer(statement, 0);
    range->span.v6 = statement_integer(statement, 1) != 0;
    range->parent_block_id = statement_integer(statement, 2);
    range->address_space_id = statement_integer(statement, 3);
    range->scope_record_id = statement_integer(statement, 4);
    range->prefix_length = statement_integer(statement, 5);
    range->is_overlapping = statement_integer(statement, 6) != 0;
    range->use_for_utilization = statement_integer(statement, 7) != 0;
    range->last_assigned_date = statement_integer(statement, 8);
    range->last_change_date = statement_integer(statement, 9);
    range->child_addresses = statement_integer(statement, 10);
    if (!address_parse(statement_text(statement, 11), range->span.v6, &range->subnet_id) ||
        !address_parse(statement_text(statement, 12), range->span.v6, &range->span.first) ||
        !address_parse(statement_text(statement, 13), range->span.v6, &range->span.last))
        return result_error(RESULT_STORE,
                            "the store's range %lld has no bounds; move the store away: a new one is filled "
                            "from the server's configuration",
                            (long long)range->record_id);
    for (size_t i = 0; i < RANGE_TEXTS && !result_failed(result); i++)
        result = ip_range_set_text(range, (enum range_text)i, statement_text(statement, 14 + (int)i));
    return result;
}

struct result range_store_find(struct store *store, int64_t record_id, struct ip_range *range)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(
        store,
        "SELECT r.RecordId, r.Af = 'InterNetworkV6', r.ParentIPBlockRecordId, r.AddressSpaceRecordId, r.ScopeRecordId, "
        "r.PrefixLength, r.IsOverlapping, r.UseForUtilization, r.LastAssignedDate, r.LastChangeDate, "
        "r.NumberOfChildAddresses, r.SubnetId, r.StartIPAddress, r.EndIPAddress, r.AddressAssignment, "
        "r.AddressCategory, r.Owner, r.Description, r.UtilizationCalculationType, r.UtilizationStatistics, "
        "r.ConnectionSpecificDNSSuffix, r.VirtualizationType, s.ScopeName, d.HaName FROM ADM_IPRangeTable AS r "
        "LEFT JOIN ADM_DHCPScopesTable AS s ON s.RecordId = r.ScopeRecordId "
        "LEFT JOIN ADM_DHCPServersTable AS d ON d.RecordId = s.DHCPServerRecordId WHERE r.RecordId = ?1",
        &statement);

    memset(range, 0, sizeof *range);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    result = statement_step(statement, &found);
    if (!result_failed(result) && !found)
        result = result_error(RESULT_NOT_FOUND, "there is no range with record id %lld", (long long)record_id);
    if (result_failed(result))
        return result;
    result = read_row(statement, range);
    statement_done(statement);
    if (!result_failed(result))
        result = read_properties(store, range);
    if (!result_failed(result))
        result = custom_values_get(store, OBJECT_IP_RANGE, range->span.v6, record_id, &range->custom);
    if (!result_failed(result))
        result = access_scope_find(store, range_object_type(range), record_id, &range->access_scope_id);
    if (result_failed(result))
        ip_range_clear(range);
    return result;
}

struct result range_store_list(struct store *store, const struct range_filter *filter, int64_t **ids, size_t *count)
{
    struct statement *statement;
    struct result result;

    *ids = NULL;
    *count = 0;
    /* A scope's or a subnet's ranges by their index; a whole space, which is most of the table, in order of RecordId.
     */
    if (filter->scope_record_id != 0)
        result = statement_get(store,
                               "SELECT RecordId FROM ADM_IPRangeTable WHERE ScopeRecordId = ?4 AND RecordId > ?1 AND "
                               "(?2 IS NULL OR +AddressSpaceRecordId = ?2) AND (?3 IS NULL OR +ParentIPBlockRecordId "
                               "= ?3) ORDER BY RecordId LIMIT ?5",
                               &statement);
    else if (filter->parent_block_id != 0)
        result = statement_get(store,
                               "SELECT RecordId FROM ADM_IPRangeTable WHERE ParentIPBlockRecordId = ?3 AND "
                               "RecordId > ?1 AND (?2 IS NULL OR +AddressSpaceRecordId = ?2) ORDER BY RecordId "
                               "LIMIT ?5",
                               &statement);
    else
        result = statement_get(store,
                               "SELECT RecordId FROM ADM_IPRangeTable WHERE RecordId > ?1 AND (?2 IS NULL OR "
                               "+AddressSpaceRecordId = ?2) ORDER BY RecordId LIMIT ?5",
                               &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, filter->after);
    statement_bind_id(statement, 2, filter->address_space_id);
    if (filter->scope_record_id != 0 || filter->parent_block_id != 0)
        statement_bind_id(statement, 3, filter->parent_block_id);
    if (filter->scope_record_id != 0)
        statement_bind_id(statement, 4, filter->scope_record_id);
    statement_bind_integer(statement, 5, filter->limit);
    return statement_read_list(statement, ids, count);
}

struct result range_store_fill_scope(struct store *store, struct ip_range *range)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store,
                                         "SELECT s.ScopeName, d.HaName FROM ADM_DHCPScopesTable AS s "
                                         "JOIN ADM_DHCPServersTable AS d ON d.RecordId = s.DHCPServerRecordId "
                                         "WHERE s.RecordId = ?1",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, range->scope_record_id);
    result = statement_step(statement, &found);
    if (!result_failed(result) && !found)
        result =
            result_error(RESULT_NOT_FOUND, "there is no scope with record id %lld", (long long)range->scope_record_id);
    if (result_failed(result))
        return result;
    result = ip_range_set_text(range, RANGE_SCOPE_NAME, statement_text(statement, 0));
    if (!result_failed(result))
        result = ip_range_set_text(range, RANGE_SERVER_NAME, statement_text(statement, 1));
    statement_done(statement);
    return result;
}

/* ---- writing ---- */

/* Replaces the properties that differ. */
static struct result put_properties(struct store *store, const struct ip_range *range)
{
    struct ip_range before = {.record_id = range->record_id};
    struct result result = read_properties(store, &before);

    for (int64_t id = 1; id < RANGE_PROPERTIES && !result_failed(result); id++) {
        const struct text_list *list = &range->properties[id];
        struct statement *statement;

        if (text_list_equal(list, &before.properties[id]))
            continue;
        result = statement_get(
            store, "DELETE FROM ADM_IPRangeMultivaluedPropertiesTable WHERE RangeId = ?1 AND PropertyId = ?2",
            &statement);
        if (result_failed(result))
            break;
        statement_bind_integer(statement, 1, range->record_id);
        statement_bind_integer(statement, 2, id);
        result = statement_run(statement);
        for (size_t i = 0; i < list->count && !result_failed(result); i++) {
            result = statement_get(store,
                                   "INSERT INTO ADM_IPRangeMultivaluedPropertiesTable (RangeId, PropertyId, "
                                   "PropertyValue) VALUES (?1, ?2, ?3)",
                                   &statement);
            statement_bind_integer(statement, 1, range->record_id);
            statement_bind_integer(statement, 2, id);
            statement_bind_text(statement, 3, list->list[i]);
            if (!result_failed(result))
                result = statement_run(statement);
        }
    }
    ip_range_clear(&before);
    return result;
}

/* Parameters 2 to 23, the same for a new and an old row. */
static void bind_row(struct statement *statement, const struct ip_range *range, int64_t now)
{
    const struct address fork = span_fork(&range->span);

    statement_bind_text(statement, 2, address_family_word(range->span.v6));
    statement_bind_id(statement, 3, range->parent_block_id);
    statement_bind_integer(statement, 4, range->address_space_id);
    statement_bind_id(statement, 5, range->scope_record_id);
    statement_bind_address(statement, 6, &range->subnet_id);
    statement_bind_integer(statement, 7, range->prefix_length);
    statement_bind_address(statement, 8, &range->span.first);
    statement_bind_address(statement, 9, &range->span.last);
    statement_bind_key(statement, 10, &range->span.first);
    statement_bind_key(statement, 11, &range->span.last);
    statement_bind_key(statement, 12, &fork);
    statement_bind_integer(statement, 13, range->is_overlapping);
    statement_bind_integer(statement, 14, range->use_for_utilization);
    statement_bind_integer(statement, 15, now);
    for (size_t i = 0; i < RANGE_STORED_TEXTS; i++)
        statement_bind_text(statement, 16 + (int)i, range->text[i]);
}

struct result range_store_put(struct store *store, struct ip_range *range, int64_t now)
{
    struct statement *statement;
    struct result result;

    if (range->record_id == 0)
        result = statement_get(
            store,
            "INSERT INTO ADM_IPRangeTable (RecordId, Af, ParentIPBlockRecordId, AddressSpaceRecordId, ScopeRecordId, "
            "SubnetId, PrefixLength, StartIPAddress, EndIPAddress, StartKey, EndKey, ForkKey, IsOverlapping, "
            "UseForUtilization, LastChangeDate, AddressAssignment, AddressCategory, Owner, Description, "
            "UtilizationCalculationType, UtilizationStatistics, ConnectionSpecificDNSSuffix, VirtualizationType) "
            "VALUES "
            "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, "
            "?23)",
            &statement);
    else
        result = statement_get(
            store,
            "UPDATE ADM_IPRangeTable SET (Af, ParentIPBlockRecordId, AddressSpaceRecordId, ScopeRecordId, SubnetId, "
            "PrefixLength, StartIPAddress, EndIPAddress, StartKey, EndKey, ForkKey, IsOverlapping, UseForUtilization, "
            "LastChangeDate, AddressAssignment, AddressCategory, Owner, Description, UtilizationCalculationType, "
            "UtilizationStatistics, ConnectionSpecificDNSSuffix, VirtualizationType) = (?2, ?3, ?4, ?5, ?6, ?7, ?8, "
            "?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23) WHERE RecordId = ?1",
            &statement);
    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, range->record_id);
    bind_row(statement, range, now);
    if (range->record_id == 0)
        result = statement_insert(statement, &range->record_id);
    else
        result = statement_run(statement);
    return result_failed(result) ? result : put_properties(store, range);
}
