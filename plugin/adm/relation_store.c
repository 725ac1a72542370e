/* ADM_DhcpFailoverRelationTable as mirroring sees it: relationships that the HA library's parameters describe. What an
 * admin adds or edits stands in the same table and is respected here, but written elsewhere. */
#include "store_private.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAXIMUM 256 /* characters, MS-IPAMM2 */

/* The mirrored columns that an admin's edit can hold; bit n of the mask that the update takes is column n here. */
static const char *const editable_columns[] = {
    "Mode",
    "MCLT",
    "AutoStateTransition",
    "StateSwitchInterval",
    "Server1Percentage",
    "SharedSecretEnabled",
    "Server1Name",
    "Server2Name",
    "Server1PSName",
    "Server2PSName",
    "Server1IP",
    "Server2IP",
    "KeaMode",
};

static int64_t edited_mask(const char *edited_properties)
{
    int64_t mask = 0;
    json_t *edited = json_loads(edited_properties, 0, NULL);
    json_t *name;
    size_t index;

    json_array_foreach(edited, index, name)
    {
        for (size_t i = 0; i < sizeof editable_columns / sizeof editable_columns[0]; i++) {
            if (json_is_string(name) && strcmp(json_string_value(name), editable_columns[i]) == 0)
                mask |= INT64_C(1) << i;
        }
    }
    json_decref(edited);
    return mask;
}

static bool name_was_edited(const char *edited_properties)
{
    json_t *edited = json_loads(edited_properties, 0, NULL);
    json_t *name;
    size_t index;
    bool found = false;

    json_array_foreach(edited, index, name)
    {
        if (json_is_string(name) && strcmp(json_string_value(name), "RelationshipName") == 0)
            found = true;
    }
    json_decref(edited);
    return found;
}

static size_t count_characters(const char *utf8)
{
    size_t count = 0;

    for (; *utf8 != '\0'; utf8++)
        count += ((unsigned char)*utf8 & 0xc0) != 0x80;
    return count;
}

static struct result relation_check(const struct relation_row *row)
{
    size_t length = row->relationship_name == NULL ? 0 : count_characters(row->relationship_name);

    if (length == 0)
        return result_error(RESULT_INVALID, "a relationship needs a name");
    if (length > NAME_MAXIMUM)
        return result_error(RESULT_INVALID,
                            "the relationship's name \"%.60s...\" has %zu characters; at most %d are "
                            "possible",
                            row->relationship_name, length, NAME_MAXIMUM);
    if (row->mode == NULL)
        return result_error(RESULT_INVALID, "the relationship %.200s has no mode", row->relationship_name);
    if (row->server1_percentage < 0 || row->server1_percentage > 100)
        return result_error(RESULT_INVALID,
                            "the relationship %.200s gives server 1 %lld percent; 0 to 100 are possible",
                            row->relationship_name, (long long)row->server1_percentage);
    return result_ok();
}

/* Finds the row of the relationship: by name and servers, or, where an admin has given it another name, by its servers
 * alone. *mask is what the admin's edits hold. */
static struct result relation_find(struct store *store, const struct relation_row *row, int64_t *record_id,
                                   bool *from_admin, int64_t *mask)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store,
                      "SELECT RecordId, RelationshipName = ?1, Origin = 'Admin', EditedProperties "
                      "FROM ADM_DhcpFailoverRelationTable WHERE Server1RecordId IS ?2 AND Server2RecordId IS ?3 "
                      "ORDER BY RelationshipName = ?1 DESC, RecordId",
                      &statement);

    *record_id = 0;
    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, row->relationship_name);
    statement_bind_id(statement, 2, row->server1_record_id);
    statement_bind_id(statement, 3, row->server2_record_id);
    for (;;) {
        bool same_name, of_admin;
        const char *edited;

        result = statement_step(statement, &found);
        if (!found)
            return result;
        same_name = statement_integer(statement, 1) != 0;
        of_admin = statement_integer(statement, 2) != 0;
        edited = statement_text(statement, 3);
        if (edited == NULL) {
            statement_done(statement);
            return result_no_memory("a relationship");
        }
        if (same_name || (!of_admin && name_was_edited(edited))) {
            *record_id = statement_integer(statement, 0);
            *from_admin = of_admin;
            *mask = edited_mask(edited);
            statement_done(statement);
            return result;
        }
    }
}

/* Parameters 1 to 13 of both the insert and the update. */
static void relation_bind(struct statement *statement, const struct relation_row *row)
{
    statement_bind_text(statement, 1, row->mode);
    statement_bind_unsigned(statement, 2, row->mclt);
    statement_bind_integer(statement, 3, row->auto_state_transition);
    statement_bind_unsigned(statement, 4, row->state_switch_interval);
    statement_bind_integer(statement, 5, row->server1_percentage);
    statement_bind_integer(statement, 6, row->shared_secret_enabled);
    statement_bind_text(statement, 7, row->server1_name);
    statement_bind_text(statement, 8, row->server2_name);
    statement_bind_text(statement, 9, row->server1_ip);
    statement_bind_text(statement, 10, row->server2_ip);
    statement_bind_text(statement, 11, row->kea_mode);
    statement_bind_text(statement, 12, row->server1_state);
    statement_bind_text(statement, 13, row->server2_state);
}

static struct result relation_insert(struct store *store, const struct relation_row *row, int64_t *record_id)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "INSERT INTO ADM_DhcpFailoverRelationTable (Mode, MCLT, AutoStateTransition, StateSwitchInterval, "
        "Server1Percentage, SharedSecretEnabled, Server1Name, Server2Name, Server1PSName, Server2PSName, "
        "Server1IP, Server2IP, KeaMode, Server1State, Server2State, RelationshipName, Server1RecordId, "
        "Server2RecordId, Origin) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?8, ?9, ?10, ?11, "
        "coalesce(?12, 'Unknown'), coalesce(?13, 'Unknown'), ?14, ?15, ?16, 'HaConfig')",
        &statement);

    if (result_failed(result))
        return result;
    relation_bind(statement, row);
    statement_bind_text(statement, 14, row->relationship_name);
    statement_bind_id(statement, 15, row->server1_record_id);
    statement_bind_id(statement, 16, row->server2_record_id);
    return statement_insert(statement, record_id);
}

static struct result relation_update(struct store *store, const struct relation_row *row, int64_t record_id,
                                     int64_t mask)
{
    struct statement *statement;
    /* "wished" is the row as it ought to be: what the mask holds as it is, the rest as the configuration says. */
    struct result result =
        statement_get(store,
                      "UPDATE ADM_DhcpFailoverRelationTable AS r SET (Mode, MCLT, AutoStateTransition, "
                      "StateSwitchInterval, Server1Percentage, SharedSecretEnabled, Server1Name, Server2Name, "
                      "Server1PSName, Server2PSName, Server1IP, Server2IP, KeaMode, Server1State, Server2State) = "
                      "(w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15) "
                      "FROM (SELECT iif(?15 & 1, Mode, ?1) AS w1, iif(?15 & 2, MCLT, ?2) AS w2, "
                      "iif(?15 & 4, AutoStateTransition, ?3) AS w3, iif(?15 & 8, StateSwitchInterval, ?4) AS w4, "
                      "iif(?15 & 16, Server1Percentage, ?5) AS w5, iif(?15 & 32, SharedSecretEnabled, ?6) AS w6, "
                      "iif(?15 & 64, Server1Name, ?7) AS w7, iif(?15 & 128, Server2Name, ?8) AS w8, "
                      "iif(?15 & 256, Server1PSName, ?7) AS w9, iif(?15 & 512, Server2PSName, ?8) AS w10, "
                      "iif(?15 & 1024, Server1IP, ?9) AS w11, iif(?15 & 2048, Server2IP, ?10) AS w12, "
                      "iif(?15 & 4096, KeaMode, ?11) AS w13, coalesce(?12, Server1State) AS w14, "
                      "coalesce(?13, Server2State) AS w15 FROM ADM_DhcpFailoverRelationTable WHERE RecordId = ?14) "
                      "WHERE r.RecordId = ?14 AND (Mode, MCLT, AutoStateTransition, StateSwitchInterval, "
                      "Server1Percentage, SharedSecretEnabled, Server1Name, Server2Name, Server1PSName, Server2PSName, "
                      "Server1IP, Server2IP, KeaMode, Server1State, Server2State) IS NOT "
                      "(w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15)",
                      &statement);

    if (result_failed(result))
        return result;
    relation_bind(statement, row);
    statement_bind_integer(statement, 14, record_id);
    statement_bind_integer(statement, 15, mask);
    return statement_run(statement);
}

struct result relation_store_put(struct store *store, const struct relation_row *row, int64_t *record_id)
{
    struct result result = relation_check(row);
    bool from_admin = false;
    bool own = false;
    int64_t mask = 0;

    *record_id = 0;
    if (result_failed(result))
        return result;
    result = store_enter(store, &own);
    if (result_failed(result))
        return result;
    result = relation_find(store, row, record_id, &from_admin, &mask);
    if (result_failed(result))
        goto done;
    if (*record_id == 0)
        result = relation_insert(store, row, record_id);
    else if (!from_admin) /* a row that an admin made of the same relationship stays as it is */
        result = relation_update(store, row, *record_id, mask);
done:
    return store_leave(store, own, result);
}

struct result relation_store_set_states(struct store *store, int64_t record_id, const char *server1_state,
                                        const char *server2_state, bool *changed)
{
    struct statement *statement;
    bool found = false;
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
    result = statement_step(statement, &found);
    if (!result_failed(result) && !found)
        result =
            result_error(RESULT_NOT_FOUND, "the store has no relationship with record id %lld", (long long)record_id);
    statement_done(statement);
    return result;
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
    struct statement *statement;
    bool own = false;
    int64_t dropped = 0;
    struct result result = store_enter(store, &own);

    if (result_failed(result))
        return result;
    for (;;) {
        result = relation_find_dropped(store, dropped, keep, count, &dropped);
        if (result_failed(result) || dropped == 0)
            goto done;
        result = statement_get(store, "DELETE FROM ADM_DhcpFailoverRelationTable WHERE RecordId = ?1", &statement);
        if (result_failed(result))
            goto done;
        statement_bind_integer(statement, 1, dropped);
        result = statement_run(statement);
        if (result_failed(result))
            goto done;
    }
done:
    return store_leave(store, own, result);
}

struct result relation_store_each(struct store *store, relation_visitor each, void *context)
{
    struct statement *statement;
    bool found = false;
    struct result result =
        statement_get(store,
                      "SELECT RecordId, RelationshipName, Server1RecordId, Server2RecordId, Server1Name, Server2Name, "
                      "Server1IP, Server2IP, Mode, KeaMode, coalesce(MCLT, -1), AutoStateTransition, "
                      "coalesce(StateSwitchInterval, -1), Server1Percentage, SharedSecretEnabled, Server1State, "
                      "Server2State FROM ADM_DhcpFailoverRelationTable ORDER BY RecordId",
                      &statement);

    if (result_failed(result))
        return result;
    for (;;) {
        struct relation_row row;

        result = statement_step(statement, &found);
        if (!found)
            return result;
        row = (struct relation_row){
            .record_id = statement_integer(statement, 0),
            .relationship_name = statement_text(statement, 1),
            .server1_record_id = statement_integer(statement, 2),
            .server2_record_id = statement_integer(statement, 3),
            .server1_name = statement_text(statement, 4),
            .server2_name = statement_text(statement, 5),
            .server1_ip = statement_text(statement, 6),
            .server2_ip = statement_text(statement, 7),
            .mode = statement_text(statement, 8),
            .kea_mode = statement_text(statement, 9),
            .mclt = statement_integer(statement, 10),
            .auto_state_transition = statement_integer(statement, 11) != 0,
            .state_switch_interval = statement_integer(statement, 12),
            .server1_percentage = statement_integer(statement, 13),
            .shared_secret_enabled = statement_integer(statement, 14) != 0,
            .server1_state = statement_text(statement, 15),
            .server2_state = statement_text(statement, 16),
        };
        result = each(context, &row);
        if (result_failed(result))
            break;
    }
    statement_done(statement);
    return result;
}
