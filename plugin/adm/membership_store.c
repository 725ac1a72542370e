/* ADM_DhcpScopeFailoverTable: which scope belongs to which relationship. */
#include "store_private.h"

#include <stdlib.h>

/* Appends to a list that doubles whenever its length is a power of two. */
static struct result list_append(int64_t **list, size_t *count, int64_t value)
{
    if ((*count & (*count - 1)) == 0) {
        int64_t *longer = reallocarray(*list, *count == 0 ? 1 : *count * 2, sizeof *longer);

        if (longer == NULL)
            return result_no_memory("the relationships of a scope");
        *list = longer;
    }
    (*list)[(*count)++] = value;
    return result_ok();
}

/* Collects the ids that `statement` returns in its first column. */
static struct result list_read(struct statement *statement, int64_t **list, size_t *count)
{
    struct result result;
    bool found = false;

    *list = NULL;
    *count = 0;
    for (;;) {
        result = statement_step(statement, &found);
        if (!found)
            break;
        result = list_append(list, count, statement_integer(statement, 0));
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    if (result_failed(result)) {
        free(*list);
        *list = NULL;
        *count = 0;
    }
    return result;
}

static bool list_has(const int64_t *list, size_t count, int64_t value)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == value)
            return true;
    }
    return false;
}

static struct result membership_write(struct store *store, const char *sql, int64_t scope, int64_t relation)
{
    struct statement *statement;
    struct result result = statement_get(store, sql, &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, scope);
    statement_bind_integer(statement, 2, relation);
    return statement_run(statement);
}

struct result membership_store_add(struct store *store, int64_t scope_record_id, int64_t relation_record_id)
{
    return membership_write(store,
                            "INSERT INTO ADM_DhcpScopeFailoverTable (ScopeId, FailoverRelationId) "
                            "VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                            scope_record_id, relation_record_id);
}

struct result membership_store_remove(struct store *store, int64_t scope_record_id, int64_t relation_record_id)
{
    return membership_write(store,
                            "DELETE FROM ADM_DhcpScopeFailoverTable WHERE ScopeId = ?1 AND FailoverRelationId = ?2",
                            scope_record_id, relation_record_id);
}

struct result membership_store_set(struct store *store, int64_t scope_record_id, const int64_t *relations, size_t count)
{
    struct statement *statement;
    int64_t *mirrored = NULL;
    size_t mirrored_count = 0;
    bool own = false;
    struct result result = store_enter(store, &own);

    if (result_failed(result))
        return result;
    result = statement_get(store,
                           "SELECT m.FailoverRelationId FROM ADM_DhcpScopeFailoverTable AS m "
                           "JOIN ADM_DhcpFailoverRelationTable AS r ON r.RecordId = m.FailoverRelationId "
                           "WHERE m.ScopeId = ?1 AND r.Origin = 'HaConfig'",
                           &statement);
    if (result_failed(result))
        goto done;
    statement_bind_integer(statement, 1, scope_record_id);
    result = list_read(statement, &mirrored, &mirrored_count);
    for (size_t i = 0; i < mirrored_count && !result_failed(result); i++) {
        if (!list_has(relations, count, mirrored[i]))
            result = membership_store_remove(store, scope_record_id, mirrored[i]);
    }
    for (size_t i = 0; i < count && !result_failed(result); i++) {
        if (!list_has(mirrored, mirrored_count, relations[i]))
            result = membership_store_add(store, scope_record_id, relations[i]);
    }
done:
    free(mirrored);
    return store_leave(store, own, result);
}

struct result membership_store_find(struct store *store, int64_t scope_record_id, int64_t **relations, size_t *count)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "SELECT FailoverRelationId FROM ADM_DhcpScopeFailoverTable WHERE ScopeId = ?1 "
                                         "ORDER BY FailoverRelationId",
                                         &statement);

    *relations = NULL;
    *count = 0;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, scope_record_id);
    return list_read(statement, relations, count);
}

struct result membership_store_has(struct store *store, int64_t scope_record_id, int64_t relation_record_id, bool *has)
{
    struct statement *statement;
    struct result result = statement_get(
        store, "SELECT 1 FROM ADM_DhcpScopeFailoverTable WHERE ScopeId = ?1 AND FailoverRelationId = ?2", &statement);

    *has = false;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, scope_record_id);
    statement_bind_integer(statement, 2, relation_record_id);
    result = statement_step(statement, has);
    statement_done(statement);
    return result;
}

struct result membership_store_scopes(struct store *store, int64_t relation_record_id, int64_t server_record_id,
                                      uint32_t **subnet_ids, size_t *count)
{
    struct statement *statement;
    int64_t *ids = NULL;
    struct result result = statement_get(store,
                                         "SELECT s.SubnetId FROM ADM_DhcpScopeFailoverTable AS m "
                                         "JOIN ADM_DHCPScopesTable AS s ON s.RecordId = m.ScopeId "
                                         "WHERE m.FailoverRelationId = ?1 AND s.DHCPServerRecordId = ?2 "
                                         "ORDER BY s.SubnetId",
                                         &statement);

    *subnet_ids = NULL;
    *count = 0;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, relation_record_id);
    statement_bind_integer(statement, 2, server_record_id);
    result = list_read(statement, &ids, count);
    if (!result_failed(result) && *count > 0) {
        *subnet_ids = calloc(*count, sizeof **subnet_ids);
        if (*subnet_ids == NULL)
            result = result_no_memory("the scopes of a relationship");
        for (size_t i = 0; i < *count && *subnet_ids != NULL; i++)
            (*subnet_ids)[i] = (uint32_t)ids[i];
    }
    if (result_failed(result))
        *count = 0;
    free(ids);
    return result;
}

struct result membership_store_count(struct store *store, int64_t relation_record_id, int64_t *count)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store,
                                         "SELECT count(*) FROM ADM_DhcpScopeFailoverTable AS m "
                                         "JOIN ADM_DHCPScopesTable AS s ON s.RecordId = m.ScopeId "
                                         "JOIN ADM_DHCPServersTable AS d ON d.RecordId = s.DHCPServerRecordId "
                                         "WHERE m.FailoverRelationId = ?1 AND d.IsLocal = 1",
                                         &statement);

    *count = 0;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, relation_record_id);
    result = statement_step(statement, &found);
    if (found)
        *count = statement_integer(statement, 0);
    statement_done(statement);
    return result;
}
