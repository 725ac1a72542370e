/* ScopeHistory: the versions of scopes that a conflict replaced. */
#include "store_private.h"

/* Two partners that never agree must not fill the disk: of each scope the newest versions are kept, and none for ever.
 */
#define VERSIONS_KEPT 100
#define AGE_KEPT_MS   (INT64_C(90) * 24 * 60 * 60 * 1000)

static struct result forget(struct store *store, const char *sql, int64_t first, int64_t second)
{
    struct statement *statement;
    struct result result = statement_get(store, sql, &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, first);
    statement_bind_integer(statement, 2, second);
    return statement_run(statement);
}

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
    if (!result_failed(result))
        result =
            forget(store,
                   "DELETE FROM ScopeHistory WHERE SubnetId = ?1 AND RecordId <= (SELECT RecordId FROM ScopeHistory "
                   "WHERE SubnetId = ?1 ORDER BY RecordId DESC LIMIT 1 OFFSET ?2)",
                   row->subnet_id, VERSIONS_KEPT);
    if (!result_failed(result))
        result = forget(store, "DELETE FROM ScopeHistory WHERE ReplacedAt < ?1 - ?2", row->replaced_at, AGE_KEPT_MS);
done:
    return store_leave(store, own, result);
}

struct result history_store_each(struct store *store, const struct history_filter *filter, history_visitor each,
                                 void *context)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        filter->subnet_id != 0
            ? statement_get(store,
                            "SELECT RecordId, SubnetId, Prefix, Fingerprint, Reason, ReplacedAt, Definition "
                            "FROM ScopeHistory WHERE SubnetId = ?1 AND (?2 = 0 OR RecordId < ?2) "
                            "ORDER BY RecordId DESC LIMIT ?3",
                            &statement)
            : statement_get(store,
                            "SELECT RecordId, SubnetId, Prefix, Fingerprint, Reason, ReplacedAt, Definition "
                            "FROM ScopeHistory WHERE ?1 = 0 AND (?2 = 0 OR RecordId < ?2) "
                            "ORDER BY RecordId DESC LIMIT ?3",
                            &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, filter->subnet_id);
    statement_bind_integer(statement, 2, filter->below);
    statement_bind_integer(statement, 3, filter->limit);
    while (!result_failed(result = statement_step(statement, &found)) && found) {
        const struct history_row row = {
            .record_id = statement_integer(statement, 0),
            .subnet_id = (uint32_t)statement_integer(statement, 1),
            .prefix = statement_text(statement, 2),
            .fingerprint = statement_fingerprint(statement, 3),
            .reason = statement_text(statement, 4),
            .replaced_at = statement_integer(statement, 5),
            .definition = statement_text(statement, 6),
        };

        result = row.prefix == NULL ? result_no_memory("the history") : each(context, &row);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}
