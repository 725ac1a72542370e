/* ADM_DHCPScopesTable: writing a scope with the columns that its definition gives, finding, and removing it. */
#include "scope_parts.h"

#include "range_private.h"

#include <stdlib.h>
#include <string.h>

/* What is known of a scope's row before it is written. */
struct scope_before {
    int64_t record_id; /* 0: there is none */
    int64_t superscope_id;
    bool has_parts;
    bool same_texts;
    bool v6;
    struct address_text scope_id;
    int64_t prefix_length;
};

static struct result scope_look_up(struct store *store, int64_t server_record_id, uint32_t subnet_id,
                                   const struct scope_row *row, struct scope_before *before)
{
    struct statement *statement;
    struct address address;
    bool found = false;
    const char *scope_id;
    struct result result = statement_get(
        store,
        "SELECT RecordId, SuperscopeId, HasParts, (Definition, Effective) IS (?3, ?4), Af = 'InterNetworkV6', ScopeId, "
        "PrefixLength FROM ADM_DHCPScopesTable WHERE DHCPServerRecordId = ?1 AND SubnetId = ?2",
        &statement);

    memset(before, 0, sizeof *before);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, subnet_id);
    statement_bind_text(statement, 3, row == NULL ? NULL : row->definition);
    statement_bind_text(statement, 4, row == NULL ? NULL : row->effective);
    result = statement_step(statement, &found);
    if (!found)
        return result;
    before->record_id = statement_integer(statement, 0);
    before->superscope_id = statement_integer(statement, 1);
    before->has_parts = statement_integer(statement, 2) != 0;
    before->same_texts = statement_integer(statement, 3) != 0;
    before->v6 = statement_integer(statement, 4) != 0;
    before->prefix_length = statement_integer(statement, 6);
    scope_id = statement_text(statement, 5);
    if (scope_id == NULL || !address_parse(scope_id, before->v6, &address))
        result = result_error(RESULT_STORE,
                              "the store's row of scope %lu has no network; move the store away: a new "
                              "one is filled from the server's configuration",
                              (unsigned long)subnet_id);
    else
        before->scope_id = address_print(&address);
    statement_done(statement);
    return result;
}

#define DELIVERY_COLUMNS                                                                                               \
    "FileFingerprint, FilePrinted, FileText, ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText"

/* Parameters 2 to 17: what the caller knows. Parameter 1 is the record id. */
static void scope_bind_known(struct statement *statement, const struct scope_row *row, const char *prefix)
{
    statement_bind_text(statement, 2, prefix);
    statement_bind_text(statement, 3, row->sync_status == NULL ? "Unknown" : row->sync_status);
    statement_bind_text(statement, 4, row->sync_reason);
    statement_bind_text(statement, 5, scope_origin_word(row->origin));
    statement_bind_fingerprint(statement, 6, &row->fingerprint);
    statement_bind_fingerprint(statement, 7, &row->partner_fingerprint);
    statement_bind_fingerprint(statement, 8, &row->printed);
    statement_bind_delivery(statement, 9, &row->file);
    statement_bind_delivery(statement, 12, &row->configuration);
    statement_bind_integer(statement, 15, row->modified_at);
    statement_bind_integer(statement, 16, row->server_record_id);
    statement_bind_integer(statement, 17, object_subnet_id(row->id));
}

/* Parameters 18 to 37: the texts, and what they give. */
static void scope_bind_derived(struct statement *statement, const struct scope_columns *columns, const char *prefix,
                               int64_t superscope_id, bool with_parts, const struct scope_row *row)
{
    statement_bind_text(statement, 18, address_family_word(columns->network.span.v6));
    statement_bind_text(statement, 19, columns->scope_id.text);
    statement_bind_text(statement, 20, columns->scope_name == NULL ? prefix : columns->scope_name);
    statement_bind_text(statement, 21, columns->description);
    statement_bind_integer(statement, 22, columns->network.prefix_length);
    statement_bind_text(statement, 23, columns->subnet_mask.text[0] == '\0' ? NULL : columns->subnet_mask.text);
    statement_bind_text(statement, 24, columns->start_address.text);
    statement_bind_text(statement, 25, columns->end_address.text);
    statement_bind_text(statement, 26, columns->exclusion_ranges);
    statement_bind_unsigned(statement, 27, columns->lease_duration);
    statement_bind_text(statement, 28, columns->lease_duration_type);
    statement_bind_text(statement, 29, columns->dns_update_type);
    statement_bind_integer(statement, 30, columns->total_addresses);
    statement_bind_integer(statement, 31, columns->excluded_addresses);
    statement_bind_id(statement, 32, superscope_id);
    statement_bind_unsigned(statement, 33, columns->preferred_lease_time);
    statement_bind_unsigned(statement, 34, columns->valid_lease_time);
    statement_bind_integer(statement, 35, with_parts);
    statement_bind_text(statement, 36, row->definition);
    statement_bind_text(statement, 37, row->effective);
}

static struct result scope_insert(struct store *store, const struct scope_row *row, const char *prefix,
                                  const struct scope_columns *columns, int64_t superscope_id, bool with_parts,
                                  int64_t *record_id)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "INSERT INTO ADM_DHCPScopesTable (RecordId, Prefix, FailoverConfigSyncStatus, SyncReason, Origin, "
        "Fingerprint, PartnerFingerprint, PrintedFingerprint, FileFingerprint, FilePrinted, FileText, "
        "ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText, ModifiedAt, DHCPServerRecordId, SubnetId, "
        "Af, ScopeId, ScopeName, "
        "Description, "
        "PrefixLength, SubnetMask, StartAddress, EndAddress, ExclusionRanges, LeaseDuration, "
        "LeaseDurationType, DnsUpdateType, TotalNumberOfAddressesInScope, "
        "TotalNumberOfExcludedAddressesInScope, SuperscopeId, PreferredLeaseTime, ValidLeaseTime, "
        "HasParts, Definition, Effective) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
        "?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, "
        "?34, ?35, ?36, ?37)",
        &statement);

    if (result_failed(result))
        return result;
    scope_bind_known(statement, row, prefix);
    scope_bind_derived(statement, columns, prefix, superscope_id, with_parts, row);
    return statement_insert(statement, record_id);
}

static struct result scope_update(struct store *store, const struct scope_row *row, const char *prefix,
                                  const struct scope_columns *columns, int64_t superscope_id, bool with_parts,
                                  int64_t record_id)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "UPDATE ADM_DHCPScopesTable SET Prefix = ?2, FailoverConfigSyncStatus = ?3, SyncReason = ?4, "
                      "Origin = ?5, Fingerprint = ?6, PartnerFingerprint = ?7, PrintedFingerprint = ?8, "
                      "FileFingerprint = ?9, FilePrinted = ?10, "
                      "FileText = ?11, ConfigurationFingerprint = ?12, ConfigurationPrinted = ?13, "
                      "ConfigurationText = ?14, ModifiedAt = ?15, "
                      "DHCPServerRecordId = ?16, SubnetId = ?17, Af = ?18, ScopeId = ?19, ScopeName = ?20, "
                      "Description = ?21, PrefixLength = ?22, SubnetMask = ?23, StartAddress = ?24, EndAddress = ?25, "
                      "ExclusionRanges = ?26, LeaseDuration = ?27, LeaseDurationType = ?28, DnsUpdateType = ?29, "
                      "TotalNumberOfAddressesInScope = ?30, TotalNumberOfExcludedAddressesInScope = ?31, "
                      "SuperscopeId = ?32, PreferredLeaseTime = ?33, ValidLeaseTime = ?34, HasParts = ?35, "
                      "Definition = ?36, Effective = ?37 WHERE RecordId = ?1",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    scope_bind_known(statement, row, prefix);
    scope_bind_derived(statement, columns, prefix, superscope_id, with_parts, row);
    return statement_run(statement);
}

/* Both texts are those that the row has: only what the caller knows beside it can differ. */
static struct result scope_update_known(struct store *store, const struct scope_row *row, const char *prefix,
                                        int64_t record_id)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "UPDATE ADM_DHCPScopesTable SET (Prefix, FailoverConfigSyncStatus, SyncReason, Origin, Fingerprint, "
        "PartnerFingerprint, PrintedFingerprint, " DELIVERY_COLUMNS ", ModifiedAt) = "
        "(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) WHERE RecordId = ?1 AND "
        "DHCPServerRecordId = ?16 AND SubnetId = ?17 AND "
        "(Prefix, FailoverConfigSyncStatus, SyncReason, Origin, Fingerprint, "
        "PartnerFingerprint, PrintedFingerprint, " DELIVERY_COLUMNS ", ModifiedAt) IS NOT "
        "(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    scope_bind_known(statement, row, prefix);
    return statement_run(statement);
}

/* Writes the scope of which a text is new or another. */
static struct result scope_write(struct store *store, const struct scope_row *row, bool with_parts,
                                 const struct scope_before *before, int64_t *record_id)
{
    struct scope_columns columns;
    const char *prefix;
    int64_t superscope_id = 0;
    struct result result = scope_columns_derive(row->effective, &columns);

    if (result_failed(result))
        return result;
    prefix = row->name != NULL ? row->name : scope_json_text(columns.subnet, "subnet");
    result = superscope_put(store, row->server_record_id, &columns, &superscope_id);
    if (result_failed(result))
        goto done;
    *record_id = before->record_id;
    if (before->record_id == 0)
        result = scope_insert(store, row, prefix, &columns, superscope_id, with_parts, record_id);
    else
        result = scope_update(store, row, prefix, &columns, superscope_id, with_parts, *record_id);
    if (result_failed(result))
        goto done;
    if (with_parts)
        result =
            scope_parts_put(store, row->server_record_id, *record_id, &columns, row->modified_at, !before->has_parts);
    else if (before->has_parts)
        result = scope_parts_remove(store, *record_id);
    if (result_failed(result) || before->record_id == 0)
        goto done;
    if (superscope_id != before->superscope_id)
        result = superscope_drop(store, before->superscope_id);
    if (result_failed(result))
        goto done;
    if (before->v6 != columns.network.span.v6 || before->prefix_length != columns.network.prefix_length ||
        strcmp(before->scope_id.text, columns.scope_id.text) != 0)
        result = scope_block_drop(store, address_family_word(before->v6), before->scope_id.text, before->prefix_length);
done:
    scope_columns_clear(&columns);
    return result;
}

struct result scope_store_put(struct store *store, const struct scope_row *given, bool with_parts, int64_t *record_id)
{
    struct scope_row whole = *given, *row = &whole;
    struct scope_before before;
    bool own = false;
    struct result result;

    *record_id = 0;
    if (row->effective == NULL)
        row->effective = row->definition;
    if (row->definition == NULL)
        return result_error(RESULT_INVALID, "the scope %llu has no definition", (unsigned long long)row->id);
    result = store_enter(store, &own);
    if (result_failed(result))
        return result;
    result = scope_look_up(store, row->server_record_id, object_subnet_id(row->id), row, &before);
    if (result_failed(result))
        goto done;
    if (before.record_id != 0 && before.same_texts && before.has_parts == with_parts && row->name != NULL) {
        *record_id = before.record_id;
        result = scope_update_known(store, row, row->name, before.record_id);
    } else {
        result = scope_write(store, row, with_parts, &before, record_id);
    }
done:
    return store_leave(store, own, result);
}

/* ---- reading ---- */

#define SCOPE_COLUMNS                                                                                                  \
    "RecordId, DHCPServerRecordId, SubnetId, Prefix, FailoverConfigSyncStatus, SyncReason, Origin, Fingerprint, "      \
    "PartnerFingerprint, PrintedFingerprint, ModifiedAt, " DELIVERY_COLUMNS
#define DEFINITION_COLUMN 17
#define EFFECTIVE_COLUMN  18

struct scope_row scope_row_read(struct statement *statement)
{
    return (struct scope_row){
        .record_id = statement_integer(statement, 0),
        .server_record_id = statement_integer(statement, 1),
        .id = statement_object(statement, 2),
        .name = statement_needed_text(statement, 3),
        .sync_status = statement_needed_text(statement, 4),
        .sync_reason = statement_text(statement, 5),
        .origin = scope_origin_of(statement_text(statement, 6)),
        .fingerprint = statement_fingerprint(statement, 7),
        .partner_fingerprint = statement_fingerprint(statement, 8),
        .printed = statement_fingerprint(statement, 9),
        .modified_at = statement_integer(statement, 10),
        .file = statement_delivery(statement, 11),
        .configuration = statement_delivery(statement, 14),
    };
}

struct result scope_row_read_one(struct statement *statement, struct scope_row *row, bool *found)
{
    struct scope_row borrowed;
    struct result result = statement_step(statement, found);

    memset(row, 0, sizeof *row);
    if (!*found)
        return result;
    borrowed = scope_row_read(statement);
    borrowed.definition = statement_needed_text(statement, DEFINITION_COLUMN);
    borrowed.effective = statement_needed_text(statement, EFFECTIVE_COLUMN);
    *row = borrowed;
    row->name = borrowed.name == NULL ? NULL : strdup(borrowed.name);
    row->definition = borrowed.definition == NULL ? NULL : strdup(borrowed.definition);
    row->effective = borrowed.effective == NULL ? NULL : strdup(borrowed.effective);
    row->sync_status = borrowed.sync_status == NULL ? NULL : strdup(borrowed.sync_status);
    row->sync_reason = borrowed.sync_reason == NULL ? NULL : strdup(borrowed.sync_reason);
    if (row->name == NULL || row->definition == NULL || row->effective == NULL || row->sync_status == NULL ||
        (row->sync_reason == NULL && borrowed.sync_reason != NULL)) {
        scope_row_clear(row);
        result = result_no_memory("an object");
    }
    statement_done(statement);
    return result;
}

struct result scope_row_read_all(struct statement *statement, scope_visitor each, void *context)
{
    struct result result;
    bool found = false;

    for (;;) {
        struct scope_row row;

        result = statement_step(statement, &found);
        if (!found)
            return result;
        row = scope_row_read(statement);
        result = row.name == NULL || row.sync_status == NULL ? result_no_memory("an object") : each(context, &row);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}

struct result scope_store_find(struct store *store, int64_t server_record_id, uint32_t subnet_id, struct scope_row *row)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store,
                                         "SELECT " SCOPE_COLUMNS ", Definition, Effective FROM ADM_DHCPScopesTable "
                                         "WHERE DHCPServerRecordId = ?1 AND SubnetId = ?2",
                                         &statement);

    memset(row, 0, sizeof *row);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, subnet_id);
    result = scope_row_read_one(statement, row, &found);
    if (!result_failed(result) && !found)
        result = result_error(RESULT_NOT_FOUND, "the store has no scope with subnet id %lu for this server",
                              (unsigned long)subnet_id);
    return result;
}

struct result scope_store_find_by_id(struct store *store, int64_t record_id, struct scope_row *row)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(
        store, "SELECT " SCOPE_COLUMNS ", Definition, Effective FROM ADM_DHCPScopesTable WHERE RecordId = ?1",
        &statement);

    memset(row, 0, sizeof *row);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    result = scope_row_read_one(statement, row, &found);
    if (!result_failed(result) && !found)
        result = result_error(RESULT_NOT_FOUND, "the store has no scope with record id %lld", (long long)record_id);
    return result;
}

void scope_row_clear(struct scope_row *row)
{
    free((void *)row->name);
    free((void *)row->definition);
    free((void *)row->effective);
    free((void *)row->sync_status);
    free((void *)row->sync_reason);
    memset(row, 0, sizeof *row);
}

struct result scope_store_each(struct store *store, int64_t server_record_id, scope_visitor each, void *context)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "SELECT " SCOPE_COLUMNS " FROM ADM_DHCPScopesTable "
                                         "WHERE DHCPServerRecordId = ?1 ORDER BY SubnetId",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, server_record_id);
    return scope_row_read_all(statement, each, context);
}

/* ---- changing single columns ---- */

/* After an update that changes only what differs: whether the row is there at all. */
static struct result scope_check_exists(struct store *store, int64_t record_id)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store, "SELECT 1 FROM ADM_DHCPScopesTable WHERE RecordId = ?1", &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    result = statement_step(statement, &found);
    if (!result_failed(result) && !found)
        result = result_error(RESULT_NOT_FOUND, "the store has no scope with record id %lld", (long long)record_id);
    statement_done(statement);
    return result;
}

struct result scope_store_set_sync(struct store *store, int64_t record_id, const char *status, const char *reason)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "UPDATE ADM_DHCPScopesTable SET (FailoverConfigSyncStatus, SyncReason) = (?2, ?3) "
                      "WHERE RecordId = ?1 AND (FailoverConfigSyncStatus, SyncReason) IS NOT (?2, ?3)",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    statement_bind_text(statement, 2, status);
    statement_bind_text(statement, 3, reason);
    result = statement_run(statement);
    return result_failed(result) || store_changes(store) > 0 ? result : scope_check_exists(store, record_id);
}

struct result scope_store_set_delivery(struct store *store, const struct scope_row *row)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "UPDATE ADM_DHCPScopesTable SET "
                      "(" DELIVERY_COLUMNS ") = (?2, ?3, ?4, ?5, ?6, ?7) "
                      "WHERE RecordId = ?1 AND (" DELIVERY_COLUMNS ") IS NOT (?2, ?3, ?4, ?5, ?6, ?7)",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, row->record_id);
    statement_bind_delivery(statement, 2, &row->file);
    statement_bind_delivery(statement, 5, &row->configuration);
    result = statement_run(statement);
    return result_failed(result) || store_changes(store) > 0 ? result : scope_check_exists(store, row->record_id);
}

/* ---- removing ---- */

struct result scope_store_remove(struct store *store, int64_t server_record_id, uint32_t subnet_id)
{
    struct statement *statement;
    struct scope_before before;
    bool own = false;
    struct result result = store_enter(store, &own);

    if (result_failed(result))
        return result;
    result = scope_look_up(store, server_record_id, subnet_id, NULL, &before);
    if (result_failed(result) || before.record_id == 0)
        goto done;
    result = range_mapping_leave_scope(store, before.record_id);
    if (result_failed(result))
        goto done;
    /* Memberships, options, ranges and addresses go with it by their foreign keys. */
    result = statement_get(store, "DELETE FROM ADM_DHCPScopesTable WHERE RecordId = ?1", &statement);
    if (result_failed(result))
        goto done;
    statement_bind_integer(statement, 1, before.record_id);
    result = statement_run(statement);
    if (result_failed(result))
        goto done;
    result = superscope_drop(store, before.superscope_id);
    if (result_failed(result))
        goto done;
    result = scope_block_drop(store, address_family_word(before.v6), before.scope_id.text, before.prefix_length);
done:
    return store_leave(store, own, result);
}
