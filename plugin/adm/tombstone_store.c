/* ScopeTombstones: scopes removed at run time that the configuration file, or what config-set last set, still has. */
#include "store_private.h"

struct result tombstone_store_put(struct store *store, const struct tombstone_row *row, int64_t removed_at_ms)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "INSERT INTO ScopeTombstones (SubnetId, Prefix, FileFingerprint, ConfigurationFingerprint, "
                      "FileText, ConfigurationText, Origin, RemovedAt) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
                      "ON CONFLICT (SubnetId) DO UPDATE SET Prefix = excluded.Prefix, "
                      "FileFingerprint = excluded.FileFingerprint, "
                      "ConfigurationFingerprint = excluded.ConfigurationFingerprint, FileText = excluded.FileText, "
                      "ConfigurationText = excluded.ConfigurationText, Origin = excluded.Origin, "
                      "RemovedAt = excluded.RemovedAt",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, row->subnet_id);
    statement_bind_text(statement, 2, row->prefix);
    statement_bind_fingerprint(statement, 3, &row->buried.file_fingerprint);
    statement_bind_fingerprint(statement, 4, &row->buried.configuration_fingerprint);
    statement_bind_fingerprint(statement, 5, &row->buried.file_text);
    statement_bind_fingerprint(statement, 6, &row->buried.configuration_text);
    statement_bind_text(statement, 7, scope_origin_word(row->buried.origin));
    statement_bind_integer(statement, 8, removed_at_ms);
    return statement_run(statement);
}

struct result tombstone_store_set_delivery(struct store *store, uint32_t subnet_id, bool from_file,
                                           struct fingerprint fingerprint, struct fingerprint text)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "UPDATE ScopeTombstones SET ConfigurationFingerprint = ?2, ConfigurationText = ?3, "
        "FileFingerprint = IIF(?4, ?2, FileFingerprint), FileText = IIF(?4, ?3, FileText) WHERE SubnetId = ?1",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, subnet_id);
    statement_bind_fingerprint(statement, 2, &fingerprint);
    statement_bind_fingerprint(statement, 3, &text);
    statement_bind_integer(statement, 4, from_file);
    return statement_run(statement);
}

struct result tombstone_store_remove(struct store *store, uint32_t subnet_id)
{
    struct statement *statement;
    struct result result = statement_get(store, "DELETE FROM ScopeTombstones WHERE SubnetId = ?1", &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, subnet_id);
    return statement_run(statement);
}

struct result tombstone_store_find(struct store *store, uint32_t subnet_id, struct tombstone_row *row)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store,
                      "SELECT FileFingerprint, ConfigurationFingerprint, FileText, ConfigurationText, Origin "
                      "FROM ScopeTombstones WHERE SubnetId = ?1",
                      &statement);

    *row = (struct tombstone_row){.subnet_id = subnet_id};
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, subnet_id);
    result = statement_step(statement, &found);
    if (found) {
        row->buried.file_fingerprint = statement_fingerprint(statement, 0);
        row->buried.configuration_fingerprint = statement_fingerprint(statement, 1);
        row->buried.file_text = statement_fingerprint(statement, 2);
        row->buried.configuration_text = statement_fingerprint(statement, 3);
        row->buried.origin = scope_origin_of(statement_text(statement, 4));
    } else if (!result_failed(result)) {
        result = result_error(RESULT_NOT_FOUND, "the scope %u has no tombstone", subnet_id);
    }
    statement_done(statement);
    return result;
}

struct result tombstone_store_each(struct store *store, tombstone_visitor each, void *context)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store,
                      "SELECT SubnetId, Prefix, FileFingerprint, ConfigurationFingerprint, FileText, "
                      "ConfigurationText, Origin FROM ScopeTombstones ORDER BY SubnetId",
                      &statement);

    if (result_failed(result))
        return result;
    for (;;) {
        struct tombstone_row row;

        result = statement_step(statement, &found);
        if (!found)
            return result;
        row = (struct tombstone_row){
            .subnet_id = (uint32_t)statement_integer(statement, 0),
            .prefix = statement_needed_text(statement, 1),
            .buried.file_fingerprint = statement_fingerprint(statement, 2),
            .buried.configuration_fingerprint = statement_fingerprint(statement, 3),
            .buried.file_text = statement_fingerprint(statement, 4),
            .buried.configuration_text = statement_fingerprint(statement, 5),
            .buried.origin = scope_origin_of(statement_text(statement, 6)),
        };
        result = row.prefix == NULL ? result_no_memory("a tombstone") : each(context, &row);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}
