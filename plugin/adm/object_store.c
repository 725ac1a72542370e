/* ReplicatedObjects: what replicates beside the scopes, and the one door to both. */
#include "store_private.h"

#include <string.h>

static bool is_scope(object_id id)
{
    return object_kind_of(id) == OBJECT_SCOPE;
}

struct result object_store_put(struct store *store, const struct scope_row *row, bool with_parts, int64_t *record_id)
{
    struct statement *statement;
    bool found = false;
    struct result result;

    if (is_scope(row->id))
        return scope_store_put(store, row, with_parts, record_id);
    *record_id = 0;
    if (row->definition == NULL)
        return result_error(RESULT_INVALID, "the %s %.100s has no definition",
                            object_kind_name(object_kind_of(row->id)), row->name);
    result = statement_get(
        store,
        "INSERT INTO ReplicatedObjects (ServerRecordId, ObjectId, Kind, Name, ConfigSyncStatus, SyncReason, Origin, "
        "Fingerprint, PartnerFingerprint, PrintedFingerprint, FileFingerprint, FilePrinted, FileText, "
        "ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText, ModifiedAt, Definition, Effective) VALUES "
        "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) "
        "ON CONFLICT (ServerRecordId, ObjectId) DO UPDATE SET (Name, ConfigSyncStatus, SyncReason, Origin, "
        "Fingerprint, PartnerFingerprint, PrintedFingerprint, FileFingerprint, FilePrinted, FileText, "
        "ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText, ModifiedAt, Definition, Effective) = "
        "(?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) RETURNING RecordId",
        &statement);
    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, row->server_record_id);
    statement_bind_integer(statement, 2, (int64_t)row->id);
    statement_bind_text(statement, 3, object_kind_name(object_kind_of(row->id)));
    statement_bind_text(statement, 4, row->name);
    statement_bind_text(statement, 5, row->sync_status == NULL ? "Unknown" : row->sync_status);
    statement_bind_text(statement, 6, row->sync_reason);
    statement_bind_text(statement, 7, scope_origin_word(row->origin));
    statement_bind_fingerprint(statement, 8, &row->fingerprint);
    statement_bind_fingerprint(statement, 9, &row->partner_fingerprint);
    statement_bind_fingerprint(statement, 10, &row->printed);
    statement_bind_delivery(statement, 11, &row->file);
    statement_bind_delivery(statement, 14, &row->configuration);
    statement_bind_integer(statement, 17, row->modified_at);
    statement_bind_text(statement, 18, row->definition);
    statement_bind_text(statement, 19, row->effective == NULL ? row->definition : row->effective);
    result = statement_step(statement, &found);
    if (!result_failed(result) && found) {
        *record_id = statement_integer(statement, 0);
        result = statement_step(statement, &found); /* only at its end has it done all that it does */
        if (found)
            statement_done(statement);
    }
    return result;
}

/* ---- reading ---- */

#define OBJECT_COLUMNS                                                                                                 \
    "RecordId, ServerRecordId, ObjectId, Name, ConfigSyncStatus, SyncReason, Origin, Fingerprint, "                    \
    "PartnerFingerprint, PrintedFingerprint, ModifiedAt, FileFingerprint, FilePrinted, FileText, "                     \
    "ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText"

struct result object_store_find(struct store *store, int64_t server_record_id, object_id id, struct scope_row *row)
{
    struct statement *statement;
    bool found = false;
    struct result result;

    if (is_scope(id))
        return scope_store_find(store, server_record_id, object_subnet_id(id), row);
    memset(row, 0, sizeof *row);
    result = statement_get(store,
                           "SELECT " OBJECT_COLUMNS ", Definition, Effective FROM ReplicatedObjects "
                           "WHERE ServerRecordId = ?1 AND ObjectId = ?2",
                           &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, (int64_t)id);
    result = scope_row_read_one(statement, row, &found);
    if (!result_failed(result) && !found)
        result = result_error(RESULT_NOT_FOUND, "the store has no such %s for this server",
                              object_kind_name(object_kind_of(id)));
    return result;
}

struct result object_store_each(struct store *store, int64_t server_record_id, scope_visitor each, void *context)
{
    struct statement *statement;
    struct result result = scope_store_each(store, server_record_id, each, context);

    if (result_failed(result))
        return result;
    result = statement_get(
        store, "SELECT " OBJECT_COLUMNS " FROM ReplicatedObjects WHERE ServerRecordId = ?1 ORDER BY ObjectId",
        &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, server_record_id);
    return scope_row_read_all(statement, each, context);
}

/* ---- changing single columns, and removing ---- */

/* Runs an update of a row that has to be there. */
static struct result run_for(struct store *store, struct statement *statement, int64_t record_id)
{
    const struct result result = statement_run(statement);

    if (result_failed(result) || store_changes(store) > 0)
        return result;
    return result_error(RESULT_NOT_FOUND, "the store has no object with record id %lld", (long long)record_id);
}

struct result object_store_set_sync(struct store *store, object_id id, int64_t record_id, const char *status,
                                    const char *reason)
{
    struct statement *statement;
    struct result result;

    if (is_scope(id))
        return scope_store_set_sync(store, record_id, status, reason);
    result = statement_get(store,
                           "UPDATE ReplicatedObjects SET (ConfigSyncStatus, SyncReason) = (?2, ?3) WHERE RecordId = ?1",
                           &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    statement_bind_text(statement, 2, status);
    statement_bind_text(statement, 3, reason);
    return run_for(store, statement, record_id);
}

struct result object_store_set_delivery(struct store *store, const struct scope_row *row)
{
    struct statement *statement;
    struct result result;

    if (is_scope(row->id))
        return scope_store_set_delivery(store, row);
    result = statement_get(store,
                           "UPDATE ReplicatedObjects SET (FileFingerprint, FilePrinted, FileText, "
                           "ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText) = "
                           "(?2, ?3, ?4, ?5, ?6, ?7) WHERE RecordId = ?1",
                           &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, row->record_id);
    statement_bind_delivery(statement, 2, &row->file);
    statement_bind_delivery(statement, 5, &row->configuration);
    return run_for(store, statement, row->record_id);
}

struct result object_store_remove(struct store *store, int64_t server_record_id, object_id id)
{
    struct statement *statement;
    struct result result;

    if (is_scope(id))
        return scope_store_remove(store, server_record_id, object_subnet_id(id));
    result =
        statement_get(store, "DELETE FROM ReplicatedObjects WHERE ServerRecordId = ?1 AND ObjectId = ?2", &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, (int64_t)id);
    return statement_run(statement);
}
