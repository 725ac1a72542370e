/* ObjectVersions: which version of a scope each server has, or which removal; and StoreIdentity, as whom this store
 * edits. */
#include "store_private.h"

#include "failover_sync/version_store.h"

#include <stdio.h>
#include <stdlib.h>

struct result version_store_put(struct store *store, const struct version_row *row)
{
    char text[VERSION_TEXT_SIZE];
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "INSERT INTO ObjectVersions (ServerRecordId, ObjectId, Name, Version, Removed, ChangedAt, "
                      "RemovedOrder) VALUES (?1, ?2, ?3, ?4, ?5, ?6, IIF(?5, (SELECT min(coalesce(max(RemovedOrder), "
                      "0), 1 << 62) + 1 FROM ObjectVersions WHERE RemovedOrder IS NOT NULL), NULL)) "
                      "ON CONFLICT (ServerRecordId, ObjectId) DO UPDATE SET "
                      "Name = excluded.Name, Version = excluded.Version, Removed = excluded.Removed, "
                      "ChangedAt = excluded.ChangedAt, RemovedOrder = excluded.RemovedOrder",
                      &statement);

    if (result_failed(result))
        return result;
    version_print(&row->version, text);
    statement_bind_id(statement, 1, row->server_record_id);
    statement_bind_integer(statement, 2, (int64_t)row->id);
    statement_bind_text(statement, 3, row->name);
    statement_bind_text(statement, 4, text);
    statement_bind_integer(statement, 5, row->removed);
    statement_bind_integer(statement, 6, row->changed_at);
    return statement_run(statement);
}

/* The row that a statement is at. */
static struct result read_row(struct statement *statement, struct version_row *row)
{
    const char *name = statement_text(statement, 2);

    *row = (struct version_row){
        .server_record_id = statement_integer(statement, 0),
        .id = statement_object(statement, 1),
        .removed = statement_integer(statement, 4) != 0,
        .changed_at = statement_integer(statement, 5),
    };
    (void)snprintf(row->name, sizeof row->name, "%s", name == NULL ? "" : name);
    if (!version_parse(statement_text(statement, 3), &row->version))
        return result_error(RESULT_STORE,
                            "the store's version of object %llu is none; move the store away: a new one is filled from "
                            "the server's configuration",
                            (unsigned long long)row->id);
    (void)version_drop_ahead(&row->version,
                             VERSION_EDIT_MAX); /* no edit has such a number: the file was tampered with */
    return result_ok();
}

struct result version_store_find(struct store *store, int64_t server_record_id, object_id id, struct version_row *row)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store,
                      "SELECT ServerRecordId, ObjectId, Name, Version, Removed, ChangedAt FROM ObjectVersions "
                      "WHERE ServerRecordId = ?1 AND ObjectId = ?2",
                      &statement);

    *row = (struct version_row){.server_record_id = server_record_id, .id = id};
    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, (int64_t)id);
    result = statement_step(statement, &found);
    if (found)
        result = read_row(statement, row);
    else if (!result_failed(result))
        result = result_error(RESULT_NOT_FOUND, "the object %llu has no version", (unsigned long long)id);
    statement_done(statement);
    return result;
}

struct result version_store_each(struct store *store, version_visitor each, void *context)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store,
                      "SELECT ServerRecordId, ObjectId, Name, Version, Removed, ChangedAt FROM ObjectVersions "
                      "ORDER BY ServerRecordId, ObjectId",
                      &statement);

    if (result_failed(result))
        return result;
    for (;;) {
        struct version_row row;

        result = statement_step(statement, &found);
        if (!found)
            return result;
        result = read_row(statement, &row);
        if (!result_failed(result))
            result = each(context, &row);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}

struct result version_store_prune(struct store *store, int64_t server_record_id, int64_t **ids, size_t *count)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "DELETE FROM ObjectVersions WHERE ServerRecordId = ?1 AND Removed = 1 AND RemovedOrder <= "
        "(SELECT RemovedOrder FROM ObjectVersions WHERE RemovedOrder IS NOT NULL ORDER BY RemovedOrder DESC "
        "LIMIT 1 OFFSET ?2) AND ObjectId NOT IN (SELECT ObjectId FROM ReplicationQueue) RETURNING ObjectId",
        &statement);

    *ids = NULL;
    *count = 0;
    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, VERSION_REMOVED_KEPT);
    result = statement_read_list(statement, ids, count);
    if (result_failed(result))
        return result;
    result = statement_get(store,
                           "DELETE FROM ObjectVersions WHERE ServerRecordId <> ?1 AND ObjectId NOT IN "
                           "(SELECT ObjectId FROM ObjectVersions WHERE ServerRecordId = ?1)",
                           &statement);
    if (!result_failed(result)) {
        statement_bind_id(statement, 1, server_record_id);
        result = statement_run(statement);
    }
    if (result_failed(result)) {
        free(*ids);
        *ids = NULL;
        *count = 0;
    }
    return result;
}

/* ---- StoreIdentity ---- */

struct result store_identity_read(struct store *store, struct store_identity *identity)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store, "SELECT Writer, LastEdit, Filled, FileSeen FROM StoreIdentity WHERE Id = 1", &statement);

    *identity = (struct store_identity){.filled = false};
    if (result_failed(result))
        return result;
    result = statement_step(statement, &found);
    if (found) {
        const char *writer = statement_text(statement, 0);

        (void)snprintf(identity->writer, sizeof identity->writer, "%s", writer == NULL ? "" : writer);
        identity->last_edit = (uint64_t)statement_integer(statement, 1);
        identity->filled = statement_integer(statement, 2) != 0;
        identity->file_seen = statement_integer(statement, 3) != 0;
    } else if (!result_failed(result)) {
        result = store_no_identity(store);
    }
    statement_done(statement);
    return result;
}

struct result store_identity_put(struct store *store, const struct store_identity *identity)
{
    struct statement *statement;
    struct result result = statement_get(
        store, "UPDATE StoreIdentity SET Writer = ?1, LastEdit = ?2, Filled = ?3, FileSeen = ?4 WHERE Id = 1",
        &statement);

    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, identity->writer);
    statement_bind_integer(statement, 2, (int64_t)identity->last_edit);
    statement_bind_integer(statement, 3, identity->filled);
    statement_bind_integer(statement, 4, identity->file_seen);
    return statement_run(statement);
}

struct result store_identity_put_edit(struct store *store, uint64_t last_edit)
{
    struct statement *statement;
    struct result result = statement_get(store, "UPDATE StoreIdentity SET LastEdit = ?1 WHERE Id = 1", &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, (int64_t)last_edit);
    return statement_run(statement);
}
