/* ObjectHistory: the versions of scopes that a conflict replaced. */
#include "store_private.h"

#include <string.h>

/* Two partners that never agree must not fill the disk: of each scope the newest versions are kept, and of all as many
 * as have room, the last one in any case. How old they are does not count: a clock may be wrong. */
#define VERSIONS_KEPT   100
#define VERSIONS_MAX    20000
#define DEFINITIONS_MAX (INT64_C(64) << 20) /* bytes */

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

/* The index is read alone, and the rows that go. */
static struct result forget_oldest(struct store *store)
{
    struct statement *statement;
    int64_t full = 0;
    struct result result =
        statement_get(store, "SELECT count(*) > ?1 OR total(Bytes) > ?2 FROM ObjectHistory", &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, VERSIONS_MAX);
    statement_bind_integer(statement, 2, DEFINITIONS_MAX);
    result = statement_read_integer(statement, &full);
    if (result_failed(result) || full == 0)
        return result;
    return forget(store,
                  "DELETE FROM ObjectHistory WHERE RecordId <= (SELECT max(RecordId) FROM (SELECT RecordId, "
                  "row_number() OVER newest AS Number, total(Bytes) OVER newest AS Total FROM ObjectHistory "
                  "WINDOW newest AS (ORDER BY RecordId DESC)) WHERE Number > 1 AND (Number > ?1 OR Total > ?2))",
                  VERSIONS_MAX, DEFINITIONS_MAX);
}

struct result history_store_add(struct store *store, const struct history_row *row)
{
    struct statement *statement;
    bool own = false;
    struct result result = store_enter(store, &own);

    if (result_failed(result))
        return result;
    result = statement_get(store,
                           "INSERT INTO ObjectHistory (ObjectId, Name, Fingerprint, Reason, ReplacedAt, Bytes, "
                           "Definition) VALUES (?1, ?2, ?3, ?4, ?5, ?7, ?6)",
                           &statement);
    if (result_failed(result))
        goto done;
    statement_bind_integer(statement, 1, (int64_t)row->id);
    statement_bind_text(statement, 2, row->name);
    statement_bind_fingerprint(statement, 3, &row->fingerprint);
    statement_bind_text(statement, 4, row->reason);
    statement_bind_integer(statement, 5, row->replaced_at);
    statement_bind_text(statement, 6, row->definition);
    statement_bind_integer(statement, 7, row->definition == NULL ? 0 : (int64_t)strlen(row->definition));
    result = statement_run(statement);
    if (!result_failed(result))
        result =
            forget(store,
                   "DELETE FROM ObjectHistory WHERE ObjectId = ?1 AND RecordId <= (SELECT RecordId FROM ObjectHistory "
                   "WHERE ObjectId = ?1 ORDER BY RecordId DESC LIMIT 1 OFFSET ?2)",
                   (int64_t)row->id, VERSIONS_KEPT);
    if (!result_failed(result))
        result = forget_oldest(store);
done:
    return store_leave(store, own, result);
}

struct result history_store_each(struct store *store, const struct history_filter *filter, history_visitor each,
                                 void *context)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        filter->id != 0 ? statement_get(store,
                                        "SELECT RecordId, ObjectId, Name, Fingerprint, Reason, ReplacedAt, Definition "
                                        "FROM ObjectHistory WHERE ObjectId = ?1 AND (?2 = 0 OR RecordId < ?2) "
                                        "ORDER BY RecordId DESC LIMIT ?3",
                                        &statement)
                        : statement_get(store,
                                        "SELECT RecordId, ObjectId, Name, Fingerprint, Reason, ReplacedAt, Definition "
                                        "FROM ObjectHistory WHERE ?1 = 0 AND (?2 = 0 OR RecordId < ?2) "
                                        "ORDER BY RecordId DESC LIMIT ?3",
                                        &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, (int64_t)filter->id);
    statement_bind_integer(statement, 2, filter->below);
    statement_bind_integer(statement, 3, filter->limit);
    while (!result_failed(result = statement_step(statement, &found)) && found) {
        const struct history_row row = {
            .record_id = statement_integer(statement, 0),
            .id = statement_object(statement, 1),
            .name = statement_needed_text(statement, 2),
            .fingerprint = statement_fingerprint(statement, 3),
            .reason = statement_text(statement, 4),
            .replaced_at = statement_integer(statement, 5),
            .definition = statement_text(statement, 6),
        };

        result = row.name == NULL ? result_no_memory("the history") : each(context, &row);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}
