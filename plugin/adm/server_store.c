/* ADM_DHCPServersTable: the local server and its partners. */
#include "store_private.h"

#include <stdlib.h>
#include <string.h>

/* A server manages the ranges and addresses of its scopes: its name is a value of the field "Managed by entity". */
static struct result server_put_entity(struct store *store, const char *ha_name)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "INSERT INTO ADM_CustomFieldValuesTable (CustomFieldRecordId, Value) "
                                         "SELECT 9, ?1 WHERE NOT EXISTS (SELECT 1 FROM ADM_CustomFieldValuesTable "
                                         "WHERE CustomFieldRecordId = 9 AND Value = ?1)",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, ha_name);
    return statement_run(statement);
}

struct result server_store_put(struct store *store, const struct server_row *row, int64_t *record_id)
{
    struct statement *statement;
    struct result result;
    bool found = false;

    *record_id = 0;
    if (row->ha_name == NULL || row->ha_name[0] == '\0')
        return result_error(RESULT_INVALID, "a server without a name cannot be kept; name it in HA's parameters");
    /* Writes nothing if the row says the same; a version that is not known keeps the one that was. */
    result = statement_get(store,
                           "INSERT INTO ADM_DHCPServersTable (HaName, ServerName, ControlUrl, ServerVersion, IsLocal) "
                           "VALUES (?1, coalesce(?2, ?1), ?3, ?4, ?5) "
                           "ON CONFLICT (HaName) DO UPDATE SET ServerName = excluded.ServerName, "
                           "ControlUrl = excluded.ControlUrl, IsLocal = excluded.IsLocal, "
                           "ServerVersion = coalesce(excluded.ServerVersion, ServerVersion) "
                           "WHERE (ServerName, ControlUrl, IsLocal, ServerVersion) IS NOT (excluded.ServerName, "
                           "excluded.ControlUrl, excluded.IsLocal, coalesce(excluded.ServerVersion, ServerVersion))",
                           &statement);
    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, row->ha_name);
    statement_bind_text(statement, 2, row->server_name);
    statement_bind_text(statement, 3, row->control_url);
    statement_bind_text(statement, 4, row->server_version);
    statement_bind_integer(statement, 5, row->is_local);
    result = statement_run(statement);
    if (!result_failed(result))
        result = server_put_entity(store, row->ha_name);
    if (result_failed(result))
        return result;
    result = statement_get(store, "SELECT RecordId FROM ADM_DHCPServersTable WHERE HaName = ?1", &statement);
    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, row->ha_name);
    result = statement_step(statement, &found);
    if (found) {
        *record_id = statement_integer(statement, 0);
        statement_done(statement);
    }
    return result;
}

/* Reads the row of a statement, if there is one, and makes its texts the row's own; without one *record_id is 0. */
static struct result server_read(struct statement *statement, int64_t *record_id, struct server_row *row)
{
    const char **const texts[] = {&row->server_name, &row->ha_name, &row->control_url, &row->server_version};
    bool found = false;
    struct result result = statement_step(statement, &found);

    *record_id = 0;
    if (!found)
        return result;
    *record_id = statement_integer(statement, 0);
    row->is_local = statement_integer(statement, 1) != 0;
    for (int i = 0; i < 4 && !result_failed(result); i++) {
        const char *text =
            texts[i] == &row->ha_name ? statement_needed_text(statement, 2 + i) : statement_text(statement, 2 + i);

        if (text != NULL && (*texts[i] = strdup(text)) == NULL)
            result = result_no_memory("a server");
    }
    if (!result_failed(result) && row->ha_name == NULL)
        result = result_no_memory("a server");
    statement_done(statement);
    if (result_failed(result))
        server_row_clear(row);
    return result;
}

struct result server_store_find_by_id(struct store *store, int64_t record_id, struct server_row *row)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "SELECT RecordId, IsLocal, ServerName, HaName, ControlUrl, ServerVersion "
                                         "FROM ADM_DHCPServersTable WHERE RecordId = ?1",
                                         &statement);
    int64_t found = 0;

    memset(row, 0, sizeof *row);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    result = server_read(statement, &found, row);
    if (!result_failed(result) && found == 0)
        result = result_error(RESULT_NOT_FOUND, "the store has no server with record id %lld", (long long)record_id);
    return result;
}

struct result server_store_find(struct store *store, const char *ha_name, int64_t *record_id, struct server_row *row)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "SELECT RecordId, IsLocal, ServerName, HaName, ControlUrl, ServerVersion "
                                         "FROM ADM_DHCPServersTable WHERE HaName = ?1",
                                         &statement);

    *record_id = 0;
    memset(row, 0, sizeof *row);
    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, ha_name);
    result = server_read(statement, record_id, row);
    if (!result_failed(result) && *record_id == 0)
        result = result_error(RESULT_NOT_FOUND, "the store has no server of that name");
    return result;
}

void server_row_clear(struct server_row *row)
{
    free((void *)row->server_name);
    free((void *)row->ha_name);
    free((void *)row->control_url);
    free((void *)row->server_version);
    memset(row, 0, sizeof *row);
}

struct result server_store_seen(struct store *store, int64_t record_id, int64_t when)
{
    struct statement *statement;
    struct result result =
        statement_get(store, "UPDATE ADM_DHCPServersTable SET LastSeen = ?2 WHERE RecordId = ?1", &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    statement_bind_integer(statement, 2, when);
    result = statement_run(statement);
    if (!result_failed(result) && store_changes(store) == 0)
        result = result_error(RESULT_NOT_FOUND, "the store has no server with record id %lld", (long long)record_id);
    return result;
}

/* The integer that a query gives of one server; 0 if it gives none. */
static struct result read_integer(struct store *store, const char *sql, int64_t record_id, int64_t *value)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store, sql, &statement);

    *value = 0;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    result = statement_step(statement, &found);
    if (found) {
        *value = statement_integer(statement, 0);
        statement_done(statement);
    }
    return result;
}

struct result server_store_last_seen(struct store *store, int64_t record_id, int64_t *when)
{
    return read_integer(store, "SELECT LastSeen FROM ADM_DHCPServersTable WHERE RecordId = ?1", record_id, when);
}

struct result server_store_listed(struct store *store, int64_t record_id, bool *listed)
{
    int64_t value;
    struct result result =
        read_integer(store, "SELECT Listed FROM ADM_DHCPServersTable WHERE RecordId = ?1", record_id, &value);

    *listed = value != 0;
    return result;
}

struct result server_store_put_listed(struct store *store, int64_t record_id)
{
    struct statement *statement;
    struct result result = statement_get(
        store, "UPDATE ADM_DHCPServersTable SET Listed = 1 WHERE RecordId = ?1 AND Listed = 0", &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    return statement_run(statement);
}

struct result server_store_remove_unused(struct store *store, int64_t record_id)
{
    return statement_run_id(store,
                            "DELETE FROM ADM_DHCPServersTable WHERE RecordId = ?1 AND IsLocal = 0 AND NOT EXISTS "
                            "(SELECT 1 FROM ADM_DhcpFailoverRelationTable WHERE Server1RecordId = ?1 OR "
                            "Server2RecordId = ?1)",
                            record_id);
}
