/* ScopeHistory: the versions of scopes that a conflict replaced. */
#include "store_private.h"

/* Two partners that never agree must not fill the disk: of each scope the newest versions are kept. */
#define VERSIONS_KEPT 100

struct result history_store_add(struct store *store, const struct history_row *row)
{
    struct statement *statement;
    bool own = false;
    struct result result = store_enter(store, &own);

    if (result_failed(result))
        return result;
    result = statement_get(store,
                           "INSERT INTO ScopeHistory (SubnetId, Prefix, Fingerprint, Reason, ReplacedAt, Definition) "
                           "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                           &statement);
    if (result_failed(result))
        goto done;
    statement_bind_integer(statement, 1, row->subnet_id);
    statement_bind_text(statement, 2, row->prefix);
    statement_bind_fingerprint(statement, 3, &row->fingerprint);
    statement_bind_text(statement, 4, row->reason);
    statement_bind_integer(statement, 5, row->replaced_at);
    statement_bind_text(statement, 6, row->definition);
    result = statement_run(statement);
    if (result_failed(result))
        goto done;
    result = statement_get(store,
                           "DELETE FROM ScopeHistory WHERE SubnetId = ?1 AND RecordId <= (SELECT RecordId FROM "
                           "ScopeHistory WHERE SubnetId = ?1 ORDER BY RecordId DESC LIMIT 1 OFFSET ?2)",
                           &statement);
    if (result_failed(result))
        goto done;
    statement_bind_integer(statement, 1, row->subnet_id);
    statement_bind_integer(statement, 2, VERSIONS_KEPT);
    result = statement_run(statement);
done:
    return store_leave(store, own, result);
}
