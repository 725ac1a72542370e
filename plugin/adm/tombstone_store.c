/* ObjectTombstones: scopes removed at run time that the configuration file, or what config-set last set, still has. */
#include "store_private.h"

struct result tombstone_store_put(struct store *store, const struct tombstone_row *row, int64_t removed_at_ms)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "INSERT INTO ObjectTombstones (ObjectId, Name, Origin, RemovedAt, FileFingerprint, FilePrinted, "
                      "FileText, ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText) "
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
                      "ON CONFLICT (ObjectId) DO UPDATE SET (Name, Origin, RemovedAt, FileFingerprint, FilePrinted, "
                      "FileText, ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText) = "
                      "(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, (int64_t)row->id);
    statement_bind_text(statement, 2, row->name);
    statement_bind_text(statement, 3, scope_origin_word(row->buried.origin));
    statement_bind_integer(statement, 4, removed_at_ms);
    statement_bind_delivery(statement, 5, &row->buried.file);
    statement_bind_delivery(statement, 8, &row->buried.configuration);
    return statement_run(statement);
}

struct result tombstone_store_set_delivery(struct store *store, object_id id, bool from_file,
                                           const struct delivery *delivery)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "UPDATE ObjectTombstones SET ConfigurationFingerprint = ?2, ConfigurationPrinted = ?3, ConfigurationText = ?4, "
        "FileFingerprint = IIF(?5, ?2, FileFingerprint), FilePrinted = IIF(?5, ?3, FilePrinted), "
        "FileText = IIF(?5, ?4, FileText) WHERE ObjectId = ?1",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, (int64_t)id);
    statement_bind_delivery(statement, 2, delivery);
    statement_bind_integer(statement, 5, from_file);
    return statement_run(statement);
}

struct result tombstone_store_forget_file(struct store *store, object_id id)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "UPDATE ObjectTombstones SET FileFingerprint = NULL, FilePrinted = NULL, FileText = NULL WHERE ObjectId = ?1",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, (int64_t)id);
    return statement_run(statement);
}

struct result tombstone_store_remove(struct store *store, object_id id)
{
    struct statement *statement;
    struct result result = statement_get(store, "DELETE FROM ObjectTombstones WHERE ObjectId = ?1", &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, (int64_t)id);
    return statement_run(statement);
}

struct result tombstone_store_find(struct store *store, object_id id, struct tombstone_row *row)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store,
                      "SELECT Origin, FileFingerprint, FilePrinted, FileText, ConfigurationFingerprint, "
                      "ConfigurationPrinted, ConfigurationText FROM ObjectTombstones WHERE ObjectId = ?1",
                      &statement);

    *row = (struct tombstone_row){.id = id};
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, (int64_t)id);
    result = statement_step(statement, &found);
    if (found) {
        row->buried.origin = scope_origin_of(statement_text(statement, 0));
        row->buried.file = statement_delivery(statement, 1);
        row->buried.configuration = statement_delivery(statement, 4);
    } else if (!result_failed(result)) {
        result = result_error(RESULT_NOT_FOUND, "the object %llu has no tombstone", (unsigned long long)id);
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
                      "SELECT ObjectId, Name, Origin, FileFingerprint, FilePrinted, FileText, "
                      "ConfigurationFingerprint, ConfigurationPrinted, ConfigurationText "
                      "FROM ObjectTombstones ORDER BY IIF(ObjectId >> 56 = 0, 10, ObjectId >> 56) DESC, ObjectId",
                      &statement);

    if (result_failed(result))
        return result;
    for (;;) {
        struct tombstone_row row;

        result = statement_step(statement, &found);
        if (!found)
            return result;
        row = (struct tombstone_row){
            .id = statement_object(statement, 0),
            .name = statement_needed_text(statement, 1),
            .buried.origin = scope_origin_of(statement_text(statement, 2)),
            .buried.file = statement_delivery(statement, 3),
            .buried.configuration = statement_delivery(statement, 6),
        };
        result = row.name == NULL ? result_no_memory("a tombstone") : each(context, &row);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}
