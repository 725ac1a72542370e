/* The queue table and every statement on it. Who is sent what, and when, is decided elsewhere. */
#include "failover_sync/queue.h"

#include "failover_sync/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct result insert(struct store *store, const char *sql, const struct queue_item *item, int64_t now)
{
    struct statement *statement;
    struct result result = statement_get(store, sql, &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, item->relation_record_id);
    statement_bind_id(statement, 2, item->server_record_id);
    statement_bind_integer(statement, 3, item->subnet_id);
    statement_bind_text(statement, 4, item->prefix);
    statement_bind_integer(statement, 5, item->removal ? 1 : 0);
    statement_bind_integer(statement, 6, now);
    return statement_run(statement);
}

struct result queue_put(struct store *store, const struct queue_item *item, int64_t now)
{
    return insert(store,
                  "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, SubnetId, Prefix, Removal, Attempts, "
                  "EnqueuedAt, NextAttemptAt, Held) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6, 0) "
                  "ON CONFLICT (ServerRecordId, SubnetId) DO UPDATE SET RelationId = ?1, Prefix = ?4, Removal = ?5, "
                  "Attempts = 0, NextAttemptAt = ?6, Held = 0, LastError = NULL",
                  item, now);
}

struct result queue_put_missing(struct store *store, const struct queue_item *item, int64_t now)
{
    return insert(store,
                  "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, SubnetId, Prefix, Removal, Attempts, "
                  "EnqueuedAt, NextAttemptAt, Held) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6, 0) "
                  "ON CONFLICT (ServerRecordId, SubnetId) DO UPDATE SET RelationId = ?1, Prefix = ?4, Removal = ?5, "
                  "Attempts = 0, NextAttemptAt = ?6, Held = 0, LastError = NULL WHERE Removal <> ?5",
                  item, now);
}

struct result queue_remove(struct store *store, int64_t server_record_id, uint32_t subnet_id)
{
    struct statement *statement;
    struct result result =
        statement_get(store, "DELETE FROM ReplicationQueue WHERE ServerRecordId = ?1 AND SubnetId = ?2", &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, subnet_id);
    return statement_run(statement);
}

/* One row of what is due; false if it does not belong to this batch any more: the limit is reached, and it is not of
 * the shared network that the batch ends with. */
static bool take_row(struct statement *statement, size_t limit, struct queue_item *items, size_t *count,
                     int64_t *network)
{
    const char *prefix = statement_text(statement, 4);
    struct queue_item item = {
        .record_id = statement_integer(statement, 0),
        .relation_record_id = statement_integer(statement, 1),
        .server_record_id = statement_integer(statement, 2),
        .subnet_id = (uint32_t)statement_integer(statement, 3),
        .removal = statement_integer(statement, 5) != 0,
        .attempts = statement_integer(statement, 6),
    };
    int64_t of_network = statement_integer(statement, 7);

    (void)snprintf(item.prefix, sizeof item.prefix, "%s", prefix == NULL ? "" : prefix);
    if (limit != QUEUE_TAKE_ALL && *count > 0 && item.removal != items[0].removal)
        return false;
    if (*count >= limit && (of_network == 0 || of_network != *network))
        return false;
    *network = of_network;
    items[(*count)++] = item;
    return true;
}

static bool grow(struct queue_item **items, size_t *capacity)
{
    size_t wanted = *capacity == 0 ? 128 : *capacity * 2;
    struct queue_item *larger = reallocarray(*items, wanted, sizeof *larger);

    if (larger == NULL)
        return false;
    *items = larger;
    *capacity = wanted;
    return true;
}

struct result queue_take_due(struct store *store, int64_t server_record_id, int64_t local_record_id, int64_t now,
                             size_t limit, struct queue_item **items, size_t *count)
{
    struct statement *statement;
    struct result result;
    int64_t network = 0;
    size_t capacity = 0;
    bool row = false;

    *count = 0;
    *items = NULL;
    result =
        statement_get(store,
                      "SELECT queue.RecordId, queue.RelationId, queue.ServerRecordId, queue.SubnetId, queue.Prefix, "
                      "queue.Removal, queue.Attempts, COALESCE(scope.SuperscopeId, 0) AS network "
                      "FROM ReplicationQueue AS queue LEFT JOIN ADM_DHCPScopesTable AS scope "
                      "ON scope.DHCPServerRecordId = ?4 AND scope.SubnetId = queue.SubnetId "
                      "WHERE queue.ServerRecordId = ?1 AND queue.Held = 0 AND queue.NextAttemptAt <= ?2 "
                      "ORDER BY queue.Removal DESC, network, queue.EnqueuedAt, queue.RecordId LIMIT ?3",
                      &statement);
    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, now);
    statement_bind_integer(statement, 3, limit == QUEUE_TAKE_ALL ? -1 : QUEUE_TAKE_MAX);
    statement_bind_id(statement, 4, local_record_id);
    while (!result_failed(result = statement_step(statement, &row)) && row) {
        if (*count == capacity && !grow(items, &capacity)) {
            result = result_no_memory("the replication queue");
            break;
        }
        if (!take_row(statement, limit, *items, count, &network))
            break;
    }
    statement_done(statement);
    if (result_failed(result) || *count == 0) {
        free(*items);
        *items = NULL;
        *count = 0;
    }
    return result;
}

struct result queue_postpone(struct store *store, int64_t record_id, int64_t next_attempt, const char *error)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "UPDATE ReplicationQueue SET Attempts = Attempts + 1, NextAttemptAt = ?2, "
                                         "LastError = ?3 WHERE RecordId = ?1",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    statement_bind_integer(statement, 2, next_attempt);
    statement_bind_text(statement, 3, error);
    return statement_run(statement);
}

struct result queue_hold(struct store *store, int64_t record_id, const char *error)
{
    struct statement *statement;
    struct result result =
        statement_get(store, "UPDATE ReplicationQueue SET Held = 1, LastError = ?2 WHERE RecordId = ?1", &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    statement_bind_text(statement, 2, error);
    return statement_run(statement);
}

struct result queue_hold_removal(struct store *store, int64_t server_record_id, uint32_t subnet_id, const char *error)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "UPDATE ReplicationQueue SET Held = 1, LastError = ?3 WHERE ServerRecordId = ?1 "
                      "AND SubnetId = ?2 AND Removal = 1",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, subnet_id);
    statement_bind_text(statement, 3, error);
    return statement_run(statement);
}

struct result queue_release_removals(struct store *store, int64_t server_record_id, int64_t now)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "UPDATE ReplicationQueue SET Held = 0, NextAttemptAt = ?2, LastError = NULL "
                                         "WHERE ServerRecordId = ?1 AND Removal = 1 AND Held = 1",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, now);
    return statement_run(statement);
}

struct result queue_wake(struct store *store, int64_t server_record_id, int64_t now)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "UPDATE ReplicationQueue SET NextAttemptAt = ?2 WHERE ServerRecordId = ?1 "
                                         "AND Held = 0 AND NextAttemptAt > ?2",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, now);
    return statement_run(statement);
}

struct result queue_summarise(struct store *store, int64_t server_record_id, struct queue_summary *summary)
{
    struct statement *statement;
    struct result result;
    bool row = false;

    *summary = (struct queue_summary){.next_due = -1, .last_due = -1};
    result =
        statement_get(store,
                      "SELECT COUNT(*), MIN(EnqueuedAt), COALESCE(MIN(CASE Held WHEN 0 THEN NextAttemptAt END), -1), "
                      "COALESCE(SUM(Held), 0), COALESCE(MAX(CASE Held WHEN 0 THEN NextAttemptAt END), -1) "
                      "FROM ReplicationQueue WHERE ServerRecordId = ?1",
                      &statement);
    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    result = statement_step(statement, &row);
    if (!result_failed(result) && row) {
        summary->length = statement_integer(statement, 0);
        summary->oldest = statement_integer(statement, 1);
        summary->next_due = statement_integer(statement, 2);
        summary->held = statement_integer(statement, 3);
        summary->last_due = statement_integer(statement, 4);
    }
    statement_done(statement);
    return result;
}
