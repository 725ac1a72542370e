/* ADM_DhcpSuperscopeTable: Kea's shared networks, as the scopes in them describe them. */
#include "scope_parts.h"

#include <stdlib.h>
#include <string.h>

struct result superscope_put(struct store *store, int64_t server_record_id, const struct scope_columns *columns,
                             int64_t *record_id)
{
    struct statement *statement;
    struct fingerprint fingerprint;
    bool found = false;
    char *definition = NULL;
    struct result result;

    *record_id = 0;
    if (columns->shared_network == NULL)
        return result_ok();
    definition = json_dumps(columns->shared_network, JSON_COMPACT | JSON_SORT_KEYS);
    if (definition == NULL)
        return result_no_memory("a shared network");
    fingerprint = fingerprint_of(definition, strlen(definition));
    result = statement_get(store,
                           "INSERT INTO ADM_DhcpSuperscopeTable (ServerRecordId, Name, Definition, Fingerprint) "
                           "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (ServerRecordId, Name) DO UPDATE SET "
                           "Definition = excluded.Definition, Fingerprint = excluded.Fingerprint "
                           "WHERE Definition IS NOT excluded.Definition",
                           &statement);
    if (result_failed(result))
        goto done;
    statement_bind_integer(statement, 1, server_record_id);
    statement_bind_text(statement, 2, columns->shared_network_name);
    statement_bind_text(statement, 3, definition);
    statement_bind_fingerprint(statement, 4, &fingerprint);
    result = statement_run(statement);
    if (result_failed(result))
        goto done;
    result = statement_get(
        store, "SELECT RecordId FROM ADM_DhcpSuperscopeTable WHERE ServerRecordId = ?1 AND Name = ?2", &statement);
    if (result_failed(result))
        goto done;
    statement_bind_integer(statement, 1, server_record_id);
    statement_bind_text(statement, 2, columns->shared_network_name);
    result = statement_step(statement, &found);
    if (found) {
        *record_id = statement_integer(statement, 0);
        statement_done(statement);
    }
done:
    free(definition);
    return result;
}

struct result superscope_drop(struct store *store, int64_t record_id)
{
    struct statement *statement;
    struct result result = result_ok();

    if (record_id == 0)
        return result;
    result = statement_get(store,
                           "DELETE FROM ADM_DhcpSuperscopeTable WHERE RecordId = ?1 AND NOT EXISTS "
                           "(SELECT 1 FROM ADM_DHCPScopesTable WHERE SuperscopeId = ?1)",
                           &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    return statement_run(statement);
}
