/* ScopeTombstones: scopes removed at run time that the configuration file, or what config-set last set, still has. */
#include "store_private.h"

struct result tombstone_store_put(struct store *store, const struct tombstone_row *row, int64_t removed_at_ms)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "INSERT INTO ScopeTombstones (SubnetId, Prefix, Origin, RemovedAt, FileFingerprint, FilePrinted, "
                      "FileText, ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
                      "ON CONFLICT (SubnetId) DO UPDATE SET (Prefix, Origin, RemovedAt, FileFingerprint, FilePrinted, "
                      "FileText, ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText) = "
                      "(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, row->subnet_id);
    statement_bind_text(statement, 2, row->prefix);
    statement_bind_text(statement, 3, scope_origin_word(row->buried.origin));
    statement_bind_integer(statement, 4, removed_at_ms);
    statement_bind_delivery(statement, 5, &row->buried.file);
    statement_bind_delivery(statement, 8, &row->buried.configuration);
    return statement_run(statement);
}

struct result tombstone_store_set_delivery(struct store *store, uint32_t subnet_id, bool from_file,
                                           const struct delivery *delivery)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "UPDATE ScopeTombstones SET ConfigurationFingerprint = ?2, ConfigurationPrinted = ?3, ConfigurationText = ?4, "
        "FileFingerprint = IIF(?5, ?2, FileFingerprint), FilePrinted = IIF(?5, ?3, FilePrinted), "
        "FileText = IIF(?5, ?4, FileText) WHERE SubnetId = ?1",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, subnet_id);
    statement_bind_delivery(statement, 2, delivery);
    statement_bind_integer(statement, 5, from_file);
    return statement_run(statement);
}

struct result tombstone_store_forget_file(struct store *store, uint32_t subnet_id)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "UPDATE ScopeTombstones SET FileFingerprint = NULL, FilePrinted = NULL, FileText = NULL WHERE SubnetId = ?1",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, subnet_id);
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
                      "SELECT Origin, FileFingerprint, FilePrinted, FileText, ConfigurationFingerprint, "
                      "ConfigurationPrinted, ConfigurationText FROM ScopeTombstones WHERE SubnetId = ?1",
                      &statement);

    *row = (struct tombstone_row){.subnet_id = subnet_id};
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, subnet_id);
    result = statement_step(statement, &found);
    if (found) {
        row->buried.origin = scope_origin_of(statement_text(statement, 0));
        row->buried.file = statement_delivery(statement, 1);
        row->buried.configuration = statement_delivery(statement, 4);
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
    struct result result = statement_get(store,
                                         "SELECT SubnetId, Prefix, Origin, FileFingerprint, FilePrinted, FileText, "
                                         "ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText "
                                         "FROM ScopeTombstones ORDER BY SubnetId",
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
            .buried.origin = scope_origin_of(statement_text(statement, 2)),
            .buried.file = statement_delivery(statement, 3),
            .buried.configuration = statement_delivery(statement, 6),
        };
        result = row.prefix == NULL ? result_no_memory("a tombstone") : each(context, &row);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}
