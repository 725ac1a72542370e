/* ADM_IPAddressTable: addresses, and which range each maps to (MS-IPAMM2 3.1.1.1.3). Those of mirrored reservations are
 * written by scope_parts.c. */
#include "range_private.h"

#include <stdlib.h>
#include <string.h>

/* The texts of an address in the order of their columns. */
#define ADDRESS_TEXTS 11

static void text_places(struct ip_address *address, char **places[ADDRESS_TEXTS])
{
    char **const all[ADDRESS_TEXTS] = {&address->address_assignment,
                                       &address->address_category,
                                       &address->mac_address,
                                       &address->duid,
                                       &address->device_name,
                                       &address->owner,
                                       &address->asset_tag,
                                       &address->serial_number,
                                       &address->notes,
                                       &address->virtualization,
                                       &address->reservation_type};

    memcpy(places, all, sizeof all);
}

void ip_address_clear(struct ip_address *address)
{
    char **places[ADDRESS_TEXTS];

    text_places(address, places);
    for (size_t i = 0; i < ADDRESS_TEXTS; i++)
        free(*places[i]);
    custom_values_clear(&address->custom);
    memset(address, 0, sizeof *address);
}

/* ---- reading ---- */

static struct result read_row(struct statement *statement, struct ip_address *address)
{
    char **places[ADDRESS_TEXTS];
    const char *text = statement_text(statement, 5);

    address->record_id = statement_integer(statement, 0);
    address->v6 = statement_integer(statement, 1) != 0;
    address->range_record_id = statement_integer(statement, 2);
    address->address_space_id = statement_integer(statement, 3);
    address->scope_record_id = statement_integer(statement, 4);
    address->has_address = text != NULL && address_parse(text, address->v6, &address->address);
    address->iaid = statement_text(statement, 6) == NULL ? -1 : statement_integer(statement, 6);
    address->is_duplicate = statement_integer(statement, 7) != 0;
    address->assigned_date = statement_integer(statement, 8);
    address->expiry_date = statement_integer(statement, 9);
    text_places(address, places);
    for (int i = 0; i < ADDRESS_TEXTS; i++) {
        text = statement_text(statement, 10 + i);
        *places[i] = text == NULL ? NULL : strdup(text);
        if (text != NULL && *places[i] == NULL)
            return result_no_memory("an address");
    }
    return result_ok();
}

struct result address_store_find(struct store *store, int64_t record_id, struct ip_address *address)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(
        store,
        "SELECT RecordId, Af = 'InterNetworkV6', RangeRecordId, AddressSpaceRecordId, ScopeRecordId, IpAddress, Iaid, "
        "IsDuplicate, AssignedDate, ExpiryDate, AddressAssignment, AddressCategory, MacAddress, Duid, DeviceName, "
        "Owner, AssetTag, SerialNumber, Notes, VirtualizationType, ReservationType FROM ADM_IPAddressTable "
        "WHERE RecordId = ?1",
        &statement);

    memset(address, 0, sizeof *address);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    result = statement_step(statement, &found);
    if (!result_failed(result) && !found)
        result = result_error(RESULT_NOT_FOUND, "there is no address with record id %lld", (long long)record_id);
    if (result_failed(result))
        return result;
    result = read_row(statement, address);
    statement_done(statement);
    if (!result_failed(result))
        result = custom_values_get(store, OBJECT_IP_ADDRESS, address->v6, record_id, &address->custom);
    if (result_failed(result))
        ip_address_clear(address);
    return result;
}

struct result address_store_list(struct store *store, const struct address_filter *filter, int64_t **ids, size_t *count)
{
    struct statement *statement;
    struct result result;

    *ids = NULL;
    *count = 0;
    if (filter->range_record_id != 0)
        result = statement_get(store,
                               "SELECT RecordId FROM ADM_IPAddressTable WHERE RangeRecordId = ?4 AND RecordId > ?1 "
                               "AND (?2 IS NULL OR +AddressSpaceRecordId = ?2) ORDER BY RecordId LIMIT ?3",
                               &statement);
    else
        result = statement_get(store,
                               "SELECT RecordId FROM ADM_IPAddressTable WHERE RecordId > ?1 AND (?2 IS NULL OR "
                               "+AddressSpaceRecordId = ?2) ORDER BY RecordId LIMIT ?3",
                               &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, filter->after);
    statement_bind_id(statement, 2, filter->address_space_id);
    statement_bind_integer(statement, 3, filter->limit);
    if (filter->range_record_id != 0)
        statement_bind_integer(statement, 4, filter->range_record_id);
    return statement_read_list(statement, ids, count);
}

struct result address_store_of_range(struct store *store, int64_t range_id, int64_t **ids, size_t *count)
{
    struct statement *statement;
    struct result result = statement_get(
        store, "SELECT RecordId FROM ADM_IPAddressTable WHERE RangeRecordId = ?1 ORDER BY RecordId", &statement);

    *ids = NULL;
    *count = 0;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, range_id);
    return statement_read_list(statement, ids, count);
}

/* ---- writing ---- */

struct result address_store_add(struct store *store, struct ip_address *address)
{
    char **places[ADDRESS_TEXTS];
    struct statement *statement;
    struct result result = statement_get(
        store,
        "INSERT INTO ADM_IPAddressTable (Af, AddressSpaceRecordId, IpAddress, AddressKey, Iaid, AssignedDate, "
        "ExpiryDate, AddressAssignment, AddressCategory, MacAddress, Duid, DeviceName, Owner, AssetTag, SerialNumber, "
        "Notes, VirtualizationType, ReservationType) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
        "?14, ?15, ?16, ?17, ?18)",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, address_family_word(address->v6));
    statement_bind_integer(statement, 2, address->address_space_id);
    statement_bind_address(statement, 3, &address->address);
    statement_bind_key(statement, 4, &address->address);
    statement_bind_unsigned(statement, 5, address->iaid);
    statement_bind_id(statement, 6, address->assigned_date);
    statement_bind_id(statement, 7, address->expiry_date);
    text_places(address, places);
    for (int i = 0; i < ADDRESS_TEXTS; i++)
        statement_bind_text(statement, 8 + i, *places[i]);
    return statement_insert(statement, &address->record_id);
}

struct result address_store_move(struct store *store, int64_t record_id, int64_t address_space_id,
                                 const char *virtualization)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "UPDATE ADM_IPAddressTable SET (AddressSpaceRecordId, VirtualizationType) = (?2, ?3) WHERE RecordId = ?1",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    statement_bind_integer(statement, 2, address_space_id);
    statement_bind_text(statement, 3, virtualization);
    return statement_run(statement);
}

/* ---- duplicates ---- */

static int64_t value_id_of(const struct custom_values *values, int64_t field_id)
{
    const struct custom_value *value = custom_values_find(values, field_id);

    return value == NULL ? 0 : value->value_id;
}

struct result address_store_is_taken(struct store *store, const struct ip_address *address, bool *taken)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "SELECT 1 FROM ADM_IPAddressTable AS a WHERE AddressSpaceRecordId = ?1 AND Af = ?2 AND AddressKey = ?3 "
        "AND " SQL_MANAGED_BY("IPAddress", "a") " = ?4 AND " SQL_MANAGED_BY_ENTITY("IPAddress", "a") " = ?5",
        &statement);

    *taken = false;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, address->address_space_id);
    statement_bind_text(statement, 2, address_family_word(address->v6));
    statement_bind_key(statement, 3, &address->address);
    statement_bind_id(statement, 4, value_id_of(&address->custom, CUSTOM_FIELD_MANAGED_BY));
    statement_bind_id(statement, 5, value_id_of(&address->custom, CUSTOM_FIELD_MANAGED_BY_ENTITY));
    result = statement_step(statement, taken);
    statement_done(statement);
    return result;
}

struct result address_store_mark_duplicates(struct store *store, const struct ip_address *address)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "UPDATE ADM_IPAddressTable SET IsDuplicate = 1 WHERE AddressSpaceRecordId = ?1 AND Af = ?2 AND AddressKey = ?3 "
        "AND (SELECT count(*) FROM ADM_IPAddressTable WHERE AddressSpaceRecordId = ?1 AND Af = ?2 AND AddressKey = ?3) "
        "> 1",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, address->address_space_id);
    statement_bind_text(statement, 2, address_family_word(address->v6));
    statement_bind_key(statement, 3, &address->address);
    return statement_run(statement);
}

/* ---- mapping ---- */

static const char count_children[] =
    "UPDATE ADM_IPRangeTable SET NumberOfChildAddresses = (SELECT count(*) FROM ADM_IPAddressTable WHERE "
    "RangeRecordId = ?1) WHERE RecordId = ?1";

/* The addresses that are to map to the range and do not yet; parameters 1 to 7. */
#define ADDRESSES_TO_MAP                                                                                               \
    "a.AddressSpaceRecordId = ?2 AND a.Af = ?3 AND a.AddressKey BETWEEN ?4 AND ?5 AND a.RangeRecordId IS NOT ?1 "      \
    "AND " SQL_MANAGED_BY("IPAddress", "a") " = ?6 AND " SQL_MANAGED_BY_ENTITY("IPAddress", "a") " = ?7"

static struct result run_mapping(struct store *store, const char *sql, const struct ip_range *range)
{
    struct statement *statement;
    struct result result = statement_get(store, sql, &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, range->record_id);
    statement_bind_integer(statement, 2, range->address_space_id);
    statement_bind_text(statement, 3, address_family_word(range->span.v6));
    statement_bind_key(statement, 4, &range->span.first);
    statement_bind_key(statement, 5, &range->span.last);
    statement_bind_id(statement, 6, value_id_of(&range->custom, CUSTOM_FIELD_MANAGED_BY));
    statement_bind_id(statement, 7, value_id_of(&range->custom, CUSTOM_FIELD_MANAGED_BY_ENTITY));
    return statement_run(statement);
}

struct result address_store_map(struct store *store, const struct ip_range *range)
{
    /* Overlapping ranges of DHCP may take addresses from each other. */
    struct result result = run_mapping(
        store,
        "UPDATE ADM_IPRangeTable SET NumberOfChildAddresses = NumberOfChildAddresses - m.lost FROM "
        "(SELECT a.RangeRecordId AS id, count(*) AS lost FROM ADM_IPAddressTable AS a WHERE " ADDRESSES_TO_MAP
        " AND a.RangeRecordId IS NOT NULL GROUP BY 1) AS m WHERE RecordId = m.id",
        range);

    if (!result_failed(result))
        result =
            run_mapping(store, "UPDATE ADM_IPAddressTable AS a SET RangeRecordId = ?1 WHERE " ADDRESSES_TO_MAP, range);
    return result_failed(result) ? result : statement_run_id(store, count_children, range->record_id);
}

struct result address_store_unmap(struct store *store, int64_t range_id)
{
    struct result result = statement_run_id(
        store, "UPDATE ADM_IPAddressTable SET RangeRecordId = NULL WHERE RangeRecordId = ?1", range_id);

    return result_failed(result) ? result : statement_run_id(store, count_children, range_id);
}

/* Whether the range has this Managed by and entity. */
static struct result is_managed_alike(struct store *store, int64_t range_id, const struct ip_address *address,
                                      bool *alike)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "SELECT 1 FROM ADM_IPRangeTable AS r WHERE RecordId = ?1 AND " SQL_MANAGED_BY(
                                             "IPRange", "r") " = ?2 AND " SQL_MANAGED_BY_ENTITY("IPRange", "r") " = ?3",
                                         &statement);

    *alike = false;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, range_id);
    statement_bind_id(statement, 2, value_id_of(&address->custom, CUSTOM_FIELD_MANAGED_BY));
    statement_bind_id(statement, 3, value_id_of(&address->custom, CUSTOM_FIELD_MANAGED_BY_ENTITY));
    result = statement_step(statement, alike);
    statement_done(statement);
    return result;
}

struct result address_store_map_one(struct store *store, struct ip_address *address)
{
    const struct address_span span = {.first = address->address, .last = address->address, .v6 = address->v6};
    struct overlapping_ranges around;
    struct statement *statement;
    struct result result = range_store_touching(store, address->address_space_id, &span, 0, &around);

    for (size_t i = 0; i < around.count && !result_failed(result) && address->range_record_id == 0; i++) {
        bool alike = false;

        result = is_managed_alike(store, around.list[i].record_id, address, &alike);
        if (alike)
            address->range_record_id = around.list[i].record_id;
    }
    free(around.list);
    if (result_failed(result) || address->range_record_id == 0)
        return result;
    result = statement_get(store, "UPDATE ADM_IPAddressTable SET RangeRecordId = ?2 WHERE RecordId = ?1", &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, address->record_id);
    statement_bind_integer(statement, 2, address->range_record_id);
    result = statement_run(statement);
    return result_failed(result) ? result : statement_run_id(store, count_children, address->range_record_id);
}
