/* ADM_DhcpFailoverRelationTable: writing relationships, those that the HA library's parameters describe and those of an
 * admin, and an admin's edits of both. What an edit holds is in relation_edits.c. */
#include "relation_private.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAXIMUM 256 /* characters, MS-IPAMM2 */

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

/* Parameters 1 to 14 of the insert and of the mirrored row's update. */
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
    statement_bind_text(statement, 14, row->relationship_name);
}

static struct result relation_insert(struct store *store, const struct relation_row *row, enum relation_origin origin,
                                     int64_t *record_id)
{
    struct statement *statement;
    struct result result = statement_get(
        store,
        "INSERT INTO ADM_DhcpFailoverRelationTable (Mode, MCLT, AutoStateTransition, StateSwitchInterval, "
        "Server1Percentage, SharedSecretEnabled, Server1Name, Server2Name, Server1PSName, Server2PSName, "
        "Server1IP, Server2IP, KeaMode, Server1State, Server2State, RelationshipName, Server1RecordId, "
        "Server2RecordId, Origin) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?8, ?9, ?10, ?11, "
        "coalesce(?12, 'Unknown'), coalesce(?13, 'Unknown'), ?14, ?15, ?16, ?17)",
        &statement);

    if (result_failed(result))
        return result;
    relation_bind(statement, row);
    statement_bind_id(statement, 15, row->server1_record_id);
    statement_bind_id(statement, 16, row->server2_record_id);
    statement_bind_text(statement, 17, origin == RELATION_FROM_ADMIN ? "Admin" : "HaConfig");
    return statement_insert(statement, record_id);
}

struct result relation_store_add(struct store *store, const struct relation_row *row, int64_t *record_id)
{
    struct result result = relation_check(row);

    *record_id = 0;
    return result_failed(result) ? result : relation_insert(store, row, RELATION_FROM_ADMIN, record_id);
}

/* ---- what the configuration describes ---- */

/* The row of a mirrored relationship, and the edits it holds. */
struct found_relation {
    int64_t record_id; /* 0: none */
    bool of_admin;
    struct relation_edits edits;
};

/* Takes the row if it is the relationship, or may be it until a better one is found: one that an admin renamed, whose
 * name in the configuration has changed since or is not known. *best says that there can be no better one. */
static struct result relation_compare(const struct relation_row *row, const char *name, struct found_relation *found,
                                      bool *best)
{
    struct relation_edits edits;
    struct result result = relation_edits_read(row, &edits);
    bool renamed;

    if (result_failed(result))
        goto done;
    *best = strcmp(row->relationship_name, name) == 0;
    renamed = row->origin == RELATION_FROM_HA_CONFIG && (edits.columns & RELATION_BIT(RELATION_NAME)) != 0;
    if (renamed && relation_edits_configured_name(&edits, name))
        *best = true;
    if (*best || (renamed && found->record_id == 0)) {
        relation_edits_clear(&found->edits);
        *found = (struct found_relation){
            .record_id = row->record_id, .of_admin = row->origin == RELATION_FROM_ADMIN, .edits = edits};
        edits = (struct relation_edits){.columns = 0};
    }
done:
    relation_edits_clear(&edits);
    return result;
}

/* Finds the row of the relationship: by name and servers, or, where an admin has given it another name, by its servers
 * alone. The caller clears found->edits. */
static struct result relation_find(struct store *store, const struct relation_row *wanted, struct found_relation *found)
{
    struct statement *statement;
    bool row_found = false, best = false;
    struct result result = statement_get(store,
                                         RELATION_SELECT "WHERE Server1RecordId IS ?2 AND Server2RecordId IS ?3 "
                                                         "ORDER BY RelationshipName = ?1 DESC, RecordId",
                                         &statement);

    if (result_failed(result))
        return result;
    statement_bind_text(statement, 1, wanted->relationship_name);
    statement_bind_id(statement, 2, wanted->server1_record_id);
    statement_bind_id(statement, 3, wanted->server2_record_id);
    while (!best && !result_failed(result)) {
        struct relation_row row;

        result = statement_step(statement, &row_found);
        if (!row_found)
            return result;
        result = relation_read(statement, &row);
        if (!result_failed(result))
            result = relation_compare(&row, wanted->relationship_name, found, &best);
    }
    statement_done(statement);
    return result;
}

/* Writes what the configuration gives, save what the edits hold. */
static struct result relation_update(struct store *store, const struct relation_row *row,
                                     const struct found_relation *found)
{
    struct statement *statement;
    char *edited = NULL, *configured = NULL;
    struct result result;

    result = relation_edits_print(&found->edits, &edited, &configured);
    if (result_failed(result))
        return result;
    /* "wished" is the row as it ought to be: what the mask holds as it is, the rest as the configuration says. Bit n of
     * the mask is enum relation_column. */
    result =
        statement_get(store,
                      "UPDATE ADM_DhcpFailoverRelationTable AS r SET (Mode, MCLT, AutoStateTransition, "
                      "StateSwitchInterval, Server1Percentage, SharedSecretEnabled, Server1Name, Server2Name, "
                      "Server1PSName, Server2PSName, Server1IP, Server2IP, KeaMode, RelationshipName, Server1State, "
                      "Server2State, EditedProperties, ConfiguredProperties) = "
                      "(w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15, w16, ?17, ?18) "
                      "FROM (SELECT iif(?16 & 1, Mode, ?1) AS w1, iif(?16 & 2, MCLT, ?2) AS w2, "
                      "iif(?16 & 4, AutoStateTransition, ?3) AS w3, iif(?16 & 8, StateSwitchInterval, ?4) AS w4, "
                      "iif(?16 & 16, Server1Percentage, ?5) AS w5, iif(?16 & 32, SharedSecretEnabled, ?6) AS w6, "
                      "iif(?16 & 64, Server1Name, ?7) AS w7, iif(?16 & 128, Server2Name, ?8) AS w8, "
                      "iif(?16 & 256, Server1PSName, ?7) AS w9, iif(?16 & 512, Server2PSName, ?8) AS w10, "
                      "iif(?16 & 1024, Server1IP, ?9) AS w11, iif(?16 & 2048, Server2IP, ?10) AS w12, "
                      "iif(?16 & 4096, KeaMode, ?11) AS w13, iif(?16 & 8192, RelationshipName, ?14) AS w14, "
                      "coalesce(?12, Server1State) AS w15, coalesce(?13, Server2State) AS w16 "
                      "FROM ADM_DhcpFailoverRelationTable WHERE RecordId = ?15) AS wished "
                      "WHERE r.RecordId = ?15 AND (Mode, MCLT, AutoStateTransition, StateSwitchInterval, "
                      "Server1Percentage, SharedSecretEnabled, Server1Name, Server2Name, Server1PSName, Server2PSName, "
                      "Server1IP, Server2IP, KeaMode, RelationshipName, Server1State, Server2State, EditedProperties, "
                      "ConfiguredProperties) IS NOT "
                      "(w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15, w16, ?17, ?18)",
                      &statement);
    if (!result_failed(result)) {
        relation_bind(statement, row);
        statement_bind_integer(statement, 15, found->record_id);
        statement_bind_integer(statement, 16, found->edits.columns);
        statement_bind_text(statement, 17, edited);
        statement_bind_text(statement, 18, configured);
        result = statement_run(statement);
    }
    free(edited);
    free(configured);
    return result;
}

struct result relation_store_put(struct store *store, const struct relation_row *row, int64_t *record_id)
{
    struct result result = relation_check(row);
    struct found_relation found = {.record_id = 0};
    bool own = false;

    *record_id = 0;
    if (result_failed(result))
        return result;
    result = store_enter(store, &own);
    if (result_failed(result))
        return result;
    result = relation_find(store, row, &found);
    if (result_failed(result))
        goto done;
    *record_id = found.record_id;
    if (found.record_id == 0) {
        result = relation_insert(store, row, RELATION_FROM_HA_CONFIG, record_id);
    } else if (!found.of_admin) { /* a row that an admin made of the same relationship stays as it is */
        result = relation_edits_release(&found.edits, row);
        if (!result_failed(result))
            result = relation_update(store, row, &found);
    }
done:
    relation_edits_clear(&found.edits);
    return store_leave(store, own, result);
}

struct result relation_store_recall(struct store *store, const char *name, int64_t server1_record_id,
                                    int64_t server2_record_id, int64_t *record_id)
{
    const struct relation_row wanted = {
        .relationship_name = name, .server1_record_id = server1_record_id, .server2_record_id = server2_record_id};
    struct found_relation found = {.record_id = 0};
    struct result result = relation_find(store, &wanted, &found);

    relation_edits_clear(&found.edits);
    *record_id = found.record_id;
    if (!result_failed(result) && found.record_id == 0)
        result = result_error(RESULT_NOT_FOUND, "the store has no relationship %.80s", name);
    return result;
}

/* ---- what an admin edits ---- */

/* Of what relation_store_edit writes. */
static uint32_t difference(const struct relation_row *before, const struct relation_row *after)
{
    uint32_t columns = 0;

    if (strcmp(before->relationship_name, after->relationship_name) != 0)
        columns |= RELATION_BIT(RELATION_NAME);
    if (strcmp(before->mode, after->mode) != 0)
        columns |= RELATION_BIT(RELATION_MODE);
    if (before->mclt != after->mclt)
        columns |= RELATION_BIT(RELATION_MCLT);
    if (before->auto_state_transition != after->auto_state_transition)
        columns |= RELATION_BIT(RELATION_AUTO_STATE_TRANSITION);
    if (before->state_switch_interval != after->state_switch_interval)
        columns |= RELATION_BIT(RELATION_STATE_SWITCH_INTERVAL);
    if (before->server1_percentage != after->server1_percentage)
        columns |= RELATION_BIT(RELATION_SERVER1_PERCENTAGE);
    return columns;
}

static struct result relation_write_edit(struct store *store, const struct relation_row *row,
                                         const struct relation_edits *edits)
{
    struct statement *statement;
    char *edited = NULL, *configured = NULL;
    struct result result = relation_edits_print(edits, &edited, &configured);

    if (result_failed(result))
        return result;
    result = statement_get(store,
                           "UPDATE ADM_DhcpFailoverRelationTable SET (RelationshipName, Mode, MCLT, "
                           "AutoStateTransition, StateSwitchInterval, Server1Percentage, EditedProperties, "
                           "ConfiguredProperties) = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) WHERE RecordId = ?1",
                           &statement);
    if (!result_failed(result)) {
        statement_bind_integer(statement, 1, row->record_id);
        statement_bind_text(statement, 2, row->relationship_name);
        statement_bind_text(statement, 3, row->mode);
        statement_bind_unsigned(statement, 4, row->mclt);
        statement_bind_integer(statement, 5, row->auto_state_transition);
        statement_bind_unsigned(statement, 6, row->state_switch_interval);
        statement_bind_integer(statement, 7, row->server1_percentage);
        statement_bind_text(statement, 8, edited);
        statement_bind_text(statement, 9, configured);
        result = statement_run(statement);
    }
    free(edited);
    free(configured);
    return result;
}

struct result relation_store_edit(struct store *store, const struct relation_row *row, uint32_t *changed)
{
    struct relation_edits edits = {.columns = 0};
    struct relation_row before;
    struct result result = relation_check(row);
    bool own = false;

    *changed = 0;
    if (result_failed(result))
        return result;
    result = store_enter(store, &own);
    if (result_failed(result))
        return result;
    result = relation_store_find(store, row->record_id, &before);
    if (result_failed(result))
        goto done;
    *changed = difference(&before, row);
    result = relation_edits_read(&before, &edits);
    for (int column = 0; column < RELATION_COLUMNS && !result_failed(result); column++) {
        if (before.origin == RELATION_FROM_HA_CONFIG && (*changed & RELATION_BIT(column)) != 0)
            result = relation_edits_hold(&edits, (enum relation_column)column, &before, row);
    }
    if (!result_failed(result) && *changed != 0)
        result = relation_write_edit(store, row, &edits);
done:
    relation_edits_clear(&edits);
    relation_row_clear(&before);
    return store_leave(store, own, result);
}
