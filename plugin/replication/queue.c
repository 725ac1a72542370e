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
    statement_bind_integer(statement, 3, (int64_t)item->id);
    statement_bind_text(statement, 4, item->name);
    statement_bind_integer(statement, 5, item->removal ? 1 : 0);
    statement_bind_integer(statement, 6, now);
    return statement_run(statement);
}

struct result queue_put(struct store *store, const struct queue_item *item, int64_t now)
{
    return insert(store,
                  "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, ObjectId, Name, Removal, Attempts, "
                  "EnqueuedAt, NextAttemptAt, Held) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6, 0) "
                  "ON CONFLICT (ServerRecordId, ObjectId) DO UPDATE SET RelationId = ?1, Name = ?4, Removal = ?5, "
                  "Attempts = 0, NextAttemptAt = ?6, Held = 0, HeldThere = 0, Forced = 0, LastError = NULL",
                  item, now);
}

struct result queue_put_missing(struct store *store, const struct queue_item *item, int64_t now)
{
    return insert(store,
                  "INSERT INTO ReplicationQueue (RelationId, ServerRecordId, ObjectId, Name, Removal, Attempts, "
                  "EnqueuedAt, NextAttemptAt, Held) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6, 0) "
                  "ON CONFLICT (ServerRecordId, ObjectId) DO UPDATE SET RelationId = ?1, Name = ?4, Removal = ?5, "
                  "Attempts = 0, NextAttemptAt = ?6, Held = 0, HeldThere = 0, Forced = 0, LastError = NULL "
                  "WHERE Removal <> ?5",
                  item, now);
}

struct result queue_put_wanted(struct store *store, const struct queue_item *item, int64_t now)
{
    struct statement *statement;
    struct result result = queue_put_missing(store, item, now);

    if (!result_failed(result))
        result = statement_get(store,
                               "UPDATE ReplicationQueue SET Held = 0, HeldThere = 0, NextAttemptAt = ?3, "
                               "LastError = NULL WHERE ServerRecordId = ?1 AND ObjectId = ?2 AND HeldThere = 1",
                               &statement);
    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, item->server_record_id);
    statement_bind_integer(statement, 2, (int64_t)item->id);
    statement_bind_integer(statement, 3, now);
    return statement_run(statement);
}

struct result queue_remove(struct store *store, int64_t server_record_id, object_id id)
{
    struct statement *statement;
    struct result result =
        statement_get(store, "DELETE FROM ReplicationQueue WHERE ServerRecordId = ?1 AND ObjectId = ?2", &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, (int64_t)id);
    return statement_run(statement);
}

/* What was read, in its order. */
struct taken {
    struct queue_item *items;
    size_t count, capacity;
};

#define ITEM_COLUMNS                                                                                                   \
    "queue.RecordId, queue.RelationId, queue.ServerRecordId, queue.ObjectId, queue.Name, queue.Removal, "              \
    "queue.Attempts, queue.Forced"

static struct result take(struct taken *taken, const struct queue_item *item)
{
    if (taken->count == taken->capacity) {
        size_t wanted = taken->capacity == 0 ? 128 : taken->capacity * 2;
        struct queue_item *larger = reallocarray(taken->items, wanted, sizeof *larger);

        if (larger == NULL)
            return result_no_memory("the replication queue");
        taken->items = larger;
        taken->capacity = wanted;
    }
    taken->items[taken->count++] = *item;
    return result_ok();
}

/* Runs a statement that reads ITEM_COLUMNS and the network. */
static struct result take_rows(struct taken *taken, struct statement *statement)
{
    struct result result;
    bool row = false;

    while (!result_failed(result = statement_step(statement, &row)) && row) {
        const char *name = statement_text(statement, 4);
        struct queue_item item = {
            .record_id = statement_integer(statement, 0),
            .relation_record_id = statement_integer(statement, 1),
            .server_record_id = statement_integer(statement, 2),
            .id = statement_object(statement, 3),
            .removal = statement_integer(statement, 5) != 0,
            .attempts = statement_integer(statement, 6),
            .forced = statement_integer(statement, 7) != 0,
            .network = statement_integer(statement, 8),
        };

        (void)snprintf(item.name, sizeof item.name, "%s", name == NULL ? "" : name);
        result = take(taken, &item);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}

/* The index is in this order: what is not read is not looked at. */
static struct result take_oldest(struct store *store, int64_t server_record_id, int64_t local_record_id, int64_t now,
                                 size_t limit, struct taken *taken)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "SELECT " ITEM_COLUMNS ", COALESCE((SELECT SuperscopeId FROM ADM_DHCPScopesTable "
                      "WHERE DHCPServerRecordId = ?4 AND SubnetId = queue.ObjectId), 0) "
                      "FROM ReplicationQueue AS queue "
                      "WHERE queue.ServerRecordId = ?1 AND queue.Held = 0 AND queue.NextAttemptAt <= ?2 "
                      "ORDER BY queue.Place, queue.EnqueuedAt, queue.NextAttemptAt, queue.RecordId LIMIT ?3",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, now);
    statement_bind_integer(statement, 3, limit == QUEUE_TAKE_ALL ? -1 : (int64_t)limit);
    statement_bind_id(statement, 4, local_record_id);
    return take_rows(taken, statement);
}

/* The scopes of one network: as many as there is room for, or all that may be if the partner has it with other
 * parameters. */
static struct result take_network(struct store *store, int64_t server_record_id, int64_t local_record_id, int64_t now,
                                  int64_t network, size_t room, struct taken *taken)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "SELECT " ITEM_COLUMNS ", scope.SuperscopeId FROM ADM_DHCPScopesTable AS scope "
                      "CROSS JOIN ReplicationQueue AS queue ON queue.ObjectId = scope.SubnetId "
                      "WHERE scope.SuperscopeId = ?5 AND scope.DHCPServerRecordId = ?4 AND queue.ServerRecordId = ?1 "
                      "AND queue.Held = 0 AND queue.Removal = 0 AND queue.NextAttemptAt <= ?2 "
                      "ORDER BY queue.EnqueuedAt, queue.NextAttemptAt, queue.RecordId LIMIT CASE WHEN EXISTS "
                      "(SELECT 1 FROM ADM_DhcpSuperscopeTable AS ours JOIN ADM_DhcpSuperscopeTable AS theirs "
                      "ON theirs.Name = ours.Name WHERE ours.RecordId = ?5 AND theirs.ServerRecordId = ?1 "
                      "AND theirs.Definition IS NOT ours.Definition) THEN ?6 ELSE ?3 END",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, now);
    statement_bind_integer(statement, 3, (int64_t)room);
    statement_bind_id(statement, 4, local_record_id);
    statement_bind_id(statement, 5, network);
    statement_bind_integer(statement, 6, QUEUE_TAKE_MAX);
    return take_rows(taken, statement);
}

static bool has_network(const struct taken *taken, int64_t network)
{
    for (size_t i = 0; i < taken->count; i++)
        if (taken->items[i].network == network)
            return true;
    return false;
}

struct result queue_take_due(struct store *store, int64_t server_record_id, int64_t local_record_id, int64_t now,
                             size_t limit, struct queue_item **items, size_t *count)
{
    struct taken oldest = {.items = NULL}, taken = {.items = NULL};
    struct result result = take_oldest(store, server_record_id, local_record_id, now,
                                       limit < QUEUE_TAKE_OTHERS ? QUEUE_TAKE_OTHERS : limit, &oldest);

    *count = 0;
    *items = NULL;
    if (limit == QUEUE_TAKE_ALL) {
        taken = oldest;
        oldest = (struct taken){.items = NULL};
    }
    for (size_t i = 0; i < oldest.count && !result_failed(result); i++) {
        const struct queue_item *item = &oldest.items[i];

        if (taken.count >= (object_kind_of(item->id) == OBJECT_SCOPE ? limit : QUEUE_TAKE_OTHERS))
            break;
        if (item->removal != oldest.items[0].removal || object_kind_of(item->id) != object_kind_of(oldest.items[0].id))
            break;
        if (item->removal || item->network == 0)
            result = take(&taken, item);
        else if (!has_network(&taken, item->network))
            result =
                take_network(store, server_record_id, local_record_id, now, item->network, limit - taken.count, &taken);
    }
    free(oldest.items);
    if (result_failed(result) || taken.count == 0) {
        free(taken.items);
        return result;
    }
    *items = taken.items;
    *count = taken.count;
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

struct result queue_hold_removal(struct store *store, int64_t server_record_id, object_id id, const char *error)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "UPDATE ReplicationQueue SET Held = 1, LastError = ?3 WHERE ServerRecordId = ?1 "
                      "AND ObjectId = ?2 AND Removal = 1",
                      &statement);

    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, (int64_t)id);
    statement_bind_text(statement, 3, error);
    return statement_run(statement);
}

struct result queue_hold_there(struct store *store, int64_t record_id, const char *error)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "UPDATE ReplicationQueue SET Held = 1, HeldThere = 1, LastError = ?2 "
                                         "WHERE RecordId = ?1 AND Removal = 1 AND Forced = 0",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    statement_bind_text(statement, 2, error);
    return statement_run(statement);
}

struct result queue_release_removals(struct store *store, int64_t server_record_id, int64_t now)
{
    struct statement *statement;
    struct result result = statement_get(store,
                                         "UPDATE ReplicationQueue SET Held = 0, HeldThere = 0, Forced = 1, "
                                         "NextAttemptAt = ?2, LastError = NULL "
                                         "WHERE ServerRecordId = ?1 AND Removal = 1",
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

struct result queue_held_removals(struct store *store, int64_t server_record_id, char (*names)[OBJECT_NAME_SIZE],
                                  size_t limit, size_t *count)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "SELECT ObjectId, Name FROM ReplicationQueue WHERE ServerRecordId = ?1 AND Held = 1 "
                      "AND Removal = 1 ORDER BY EnqueuedAt, NextAttemptAt LIMIT ?2",
                      &statement);
    bool row = false;

    *count = 0;
    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_integer(statement, 2, (int64_t)limit);
    while (*count < limit && !result_failed(result = statement_step(statement, &row)) && row) {
        const object_id id = statement_object(statement, 0);
        const char *name = statement_text(statement, 1);

        if (name == NULL)
            name = "";
        (void)snprintf(names[(*count)++], OBJECT_NAME_SIZE, "%.*s", OBJECT_NAME_SIZE - 1,
                       object_kind_of(id) == OBJECT_SCOPE ? name : OBJECT_SAID(id, name));
    }
    statement_done(statement);
    return result;
}
