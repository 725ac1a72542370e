/* ADM_DhcpFailoverRelationTable: reading relationships, their states, and removing them. Writing what they are is in
 * relation_write.c. */
#include "relation_private.h"

#include <stdlib.h>
#include <string.h>

struct result relation_read(struct statement *statement, struct relation_row *row)
{
    *row = (struct relation_row){
        .record_id = statement_integer(statement, 0),
        .relationship_name = statement_needed_text(statement, 1),
        .server1_record_id = statement_integer(statement, 2),
        .server2_record_id = statement_integer(statement, 3),
        .server1_name = statement_text(statement, 4),
        .server2_name = statement_text(statement, 5),
        .server1_ps_name = statement_text(statement, 6),
        .server2_ps_name = statement_text(statement, 7),
        .server1_ip = statement_text(statement, 8),
        .server2_ip = statement_text(statement, 9),
        .mode = statement_needed_text(statement, 10),
        .kea_mode = statement_text(statement, 11),
        .mclt = statement_integer(statement, 12),
        .auto_state_transition = statement_integer(statement, 13) != 0,
        .state_switch_interval = statement_integer(statement, 14),
        .server1_percentage = statement_integer(statement, 15),
        .shared_secret_enabled = statement_integer(statement, 16) != 0,
        .server1_state = statement_needed_text(statement, 17),
        .server2_state = statement_needed_text(statement, 18),
        .origin = statement_integer(statement, 19) != 0 ? RELATION_FROM_ADMIN : RELATION_FROM_HA_CONFIG,
        .edited_properties = statement_needed_text(statement, 20),
        .configured_properties = statement_needed_text(statement, 21),
    };
    if (row->relationship_name == NULL || row->mode == NULL || row->server1_state == NULL ||
        row->server2_state == NULL || row->edited_properties == NULL || row->configured_properties == NULL)
        return result_no_memory("a relationship");
    return result_ok();
}

/* The texts of a row, for copying and freeing them. */
#define RELATION_TEXTS 13
static const char **row_text(struct relation_row *row, size_t index)
{
    const char **const texts[RELATION_TEXTS] = {&row->relationship_name,
                                                &row->server1_name,
                                                &row->server2_name,
                                                &row->server1_ps_name,
                                                &row->server2_ps_name,
                                                &row->server1_ip,
                                                &row->server2_ip,
                                                &row->mode,
                                                &row->kea_mode,
                                                &row->server1_state,
                                                &row->server2_state,
                                                &row->edited_properties,
                                                &row->configured_properties};

    return texts[index];
}

void relation_row_clear(struct relation_row *row)
{
    for (size_t i = 0; i < RELATION_TEXTS; i++)
        free((void *)*row_text(row, i));
    memset(row, 0, sizeof *row);
}

/* Makes the borrowed texts of a row its own. */
static struct result relation_own(struct relation_row *row)
{
    bool copied = true;

    for (size_t i = 0; i < RELATION_TEXTS; i++) {
        const char **text = row_text(row, i);

        if (*text == NULL)
            continue;
        *text = copied ? strdup(*text) : NULL;
        copied = *text != NULL;
    }
    if (copied)
        return result_ok();
    relation_row_clear(row);
    return result_no_memory("a relationship");
}

struct result relation_store_find(struct store *store, int64_t record_id, struct relation_row *row)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store, RELATION_SELECT "WHERE RecordId = ?1", &statement);

    memset(row, 0, sizeof *row);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    result = statement_step(statement, &found);
    if (!result_failed(result) && !found)
        result =
            result_error(RESULT_NOT_FOUND, "the store has no relationship with record id %lld", (long long)record_id);
    if (!result_failed(result))
        result = relation_read(statement, row);
    if (!result_failed(result))
        result = relation_own(row);
    else
        memset(row, 0, sizeof *row);
    statement_done(statement);
    return result;
}

struct result relation_store_each(struct store *store, relation_visitor each, void *context)
{
    struct statement *statement;
    bool found = false;
    struct result result = statement_get(store, RELATION_SELECT "ORDER BY RecordId", &statement);

    if (result_failed(result))
        return result;
    for (;;) {
        struct relation_row row;

        result = statement_step(statement, &found);
        if (!found)
            return result;
        result = relation_read(statement, &row);
        if (!result_failed(result))
            result = each(context, &row);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}

struct result relation_store_count(struct store *store, int64_t *count)
{
    struct statement *statement;
    struct result result = statement_get(store, "SELECT count(*) FROM ADM_DhcpFailoverRelationTable", &statement);

    *count = 0;
    return result_failed(result) ? result : statement_read_integer(statement, count);
}

struct result relation_store_find_pair(struct store *store, int64_t server_record_id, int64_t other_record_id,
                                       const char *name, int64_t except, int64_t *record_id)
{
    struct statement *statement;
    struct result result =
        statement_get(store,
                      "SELECT RecordId FROM ADM_DhcpFailoverRelationTable WHERE ((Server1RecordId IS ?1 AND "
                      "Server2RecordId IS ?2) OR (Server1RecordId IS ?2 AND Server2RecordId IS ?1)) AND RecordId <> ?3 "
                      "AND (?4 IS NULL OR RelationshipName = ?4) ORDER BY RecordId",
                      &statement);

    *record_id = 0;
    if (result_failed(result))
        return result;
    statement_bind_id(statement, 1, server_record_id);
    statement_bind_id(statement, 2, other_record_id);
    statement_bind_integer(statement, 3, except);
    statement_bind_text(statement, 4, name);
    return statement_read_integer(statement, record_id);
}

struct result relation_store_bears_name(struct store *store, int64_t server_record_id, const char *name, bool *bears)
{
    struct statement *statement;
    int64_t count = 0;
    struct result result = statement_get(store,
                                         "SELECT count(*) FROM ADM_DhcpFailoverRelationTable WHERE (Server1RecordId = "
                                         "?1 AND Server1Name = ?2) OR (Server2RecordId = ?1 AND Server2Name = ?2)",
                                         &statement);

    *bears = false;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, server_record_id);
    statement_bind_text(statement, 2, name);
    result = statement_read_integer(statement, &count);
    *bears = count != 0;
    return result;
}

struct result relation_store_set_states(struct store *store, int64_t record_id, const char *server1_state,
                                        const char *server2_state, bool *changed)
{
    struct statement *statement;
    int64_t found = 0;
    struct result result =
        statement_get(store,
                      "UPDATE ADM_DhcpFailoverRelationTable SET Server1State = ?2, Server2State = ?3 "
                      "WHERE RecordId = ?1 AND (Server1State, Server2State) IS NOT (?2, ?3)",
                      &statement);

    *changed = false;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    statement_bind_text(statement, 2, server1_state);
    statement_bind_text(statement, 3, server2_state);
    result = statement_run(statement);
    if (result_failed(result))
        return result;
    *changed = store_changes(store) > 0;
    if (*changed)
        return result;
    result = statement_get(store, "SELECT 1 FROM ADM_DhcpFailoverRelationTable WHERE RecordId = ?1", &statement);
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, record_id);
    result = statement_read_integer(statement, &found);
    if (!result_failed(result) && found == 0)
        result =
            result_error(RESULT_NOT_FOUND, "the store has no relationship with record id %lld", (long long)record_id);
    return result;
}

struct result relation_store_remove(struct store *store, int64_t record_id)
{
    /* Memberships and wishes go with it by their foreign keys. */
    return statement_run_id(store, "DELETE FROM ADM_DhcpFailoverRelationTable WHERE RecordId = ?1", record_id);
}

/* The first mirrored relationship after `after` that is not to be kept; 0 if there is none. */
static struct result relation_find_dropped(struct store *store, int64_t after, const int64_t *keep, size_t count,
                                           int64_t *dropped)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store,
                      "SELECT RecordId FROM ADM_DhcpFailoverRelationTable WHERE RecordId > ?1 AND Origin = 'HaConfig' "
                      "ORDER BY RecordId",
                      &statement);

    *dropped = 0;
    if (result_failed(result))
        return result;
    statement_bind_integer(statement, 1, after);
    while (*dropped == 0) {
        int64_t record_id;
        bool kept = false;

        result = statement_step(statement, &found);
        if (!found)
            return result;
        record_id = statement_integer(statement, 0);
        for (size_t i = 0; i < count && !kept; i++)
            kept = keep[i] == record_id;
        if (!kept)
            *dropped = record_id;
    }
    statement_done(statement);
    return result;
}

struct result relation_store_keep_only(struct store *store, const int64_t *keep, size_t count)
{
    bool own = false;
    int64_t dropped = 0;
    struct result result = store_enter(store, &own);

    if (result_failed(result))
        return result;
    for (;;) {
        result = relation_find_dropped(store, dropped, keep, count, &dropped);
        if (result_failed(result) || dropped == 0)
            goto done;
        result = relation_store_remove(store, dropped);
        if (result_failed(result))
            goto done;
    }
done:
    return store_leave(store, own, result);
}
