/* What an admin's edits of a mirrored relationship hold: which columns, and until which value of the configuration.
 * Writing them is in relation_write.c. */
#include "relation_private.h"

#include "failover_sync/json_load.h"

#include <stdlib.h>
#include <string.h>

static const char *const column_names[RELATION_COLUMNS] = {
    [RELATION_MODE] = "Mode",
    [RELATION_MCLT] = "MCLT",
    [RELATION_AUTO_STATE_TRANSITION] = "AutoStateTransition",
    [RELATION_STATE_SWITCH_INTERVAL] = "StateSwitchInterval",
    [RELATION_SERVER1_PERCENTAGE] = "Server1Percentage",
    [RELATION_SHARED_SECRET_ENABLED] = "SharedSecretEnabled",
    [RELATION_SERVER1_NAME] = "Server1Name",
    [RELATION_SERVER2_NAME] = "Server2Name",
    [RELATION_SERVER1_PS_NAME] = "Server1PSName",
    [RELATION_SERVER2_PS_NAME] = "Server2PSName",
    [RELATION_SERVER1_IP] = "Server1IP",
    [RELATION_SERVER2_IP] = "Server2IP",
    [RELATION_KEA_MODE] = "KeaMode",
    [RELATION_NAME] = "RelationshipName",
};

static struct result no_memory(void)
{
    return result_no_memory("the edits of a relationship");
}

static json_t *text_json(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static json_t *seconds_json(int64_t seconds)
{
    return seconds < 0 ? json_null() : json_integer((json_int_t)seconds);
}

/* The value of a column; NULL for want of memory. */
static json_t *column_json(const struct relation_row *row, enum relation_column column)
{
    switch (column) {
    case RELATION_MODE:
        return text_json(row->mode);
    case RELATION_MCLT:
        return seconds_json(row->mclt);
    case RELATION_AUTO_STATE_TRANSITION:
        return json_boolean(row->auto_state_transition);
    case RELATION_STATE_SWITCH_INTERVAL:
        return seconds_json(row->state_switch_interval);
    case RELATION_SERVER1_PERCENTAGE:
        return json_integer((json_int_t)row->server1_percentage);
    case RELATION_SHARED_SECRET_ENABLED:
        return json_boolean(row->shared_secret_enabled);
    case RELATION_SERVER1_NAME:
    case RELATION_SERVER1_PS_NAME: /* the configuration gives the names for these two as well */
        return text_json(row->server1_name);
    case RELATION_SERVER2_NAME:
    case RELATION_SERVER2_PS_NAME:
        return text_json(row->server2_name);
    case RELATION_SERVER1_IP:
        return text_json(row->server1_ip);
    case RELATION_SERVER2_IP:
        return text_json(row->server2_ip);
    case RELATION_KEA_MODE:
        return text_json(row->kea_mode);
    case RELATION_NAME:
        return text_json(row->relationship_name);
    default:
        return json_null();
    }
}

/* Parses a column of JSON; *value is NULL if it is damaged. */
static struct result parse(const char *text, json_t **value)
{
    json_error_t error;

    *value = json_load(text, 0, &json_kea_bounds, &error);
    return *value == NULL && json_error_code(&error) == json_error_out_of_memory ? no_memory() : result_ok();
}

struct result relation_row_edited(const struct relation_row *row, uint32_t *columns)
{
    json_t *list = NULL;
    json_t *name;
    size_t index;
    struct result result = parse(row->edited_properties, &list);

    *columns = 0;
    json_array_foreach(list, index, name)
    {
        for (int column = 0; column < RELATION_COLUMNS; column++) {
            if (json_is_string(name) && strcmp(json_string_value(name), column_names[column]) == 0)
                *columns |= RELATION_BIT(column);
        }
    }
    json_decref(list);
    return result;
}

struct result relation_edits_read(const struct relation_row *row, struct relation_edits *edits)
{
    struct result result;

    *edits = (struct relation_edits){.columns = 0};
    result = relation_row_edited(row, &edits->columns);
    if (!result_failed(result))
        result = parse(row->configured_properties, &edits->configured);
    if (!result_failed(result) && !json_is_object(edits->configured)) {
        json_decref(edits->configured);
        edits->configured = json_object();
        if (edits->configured == NULL)
            result = no_memory();
    }
    return result;
}

void relation_edits_clear(struct relation_edits *edits)
{
    json_decref(edits->configured);
    *edits = (struct relation_edits){.columns = 0};
}

bool relation_edits_configured_name(const struct relation_edits *edits, const char *name)
{
    const char *configured = json_string_value(json_object_get(edits->configured, column_names[RELATION_NAME]));

    return (edits->columns & RELATION_BIT(RELATION_NAME)) != 0 && configured != NULL && strcmp(configured, name) == 0;
}

static void forget(struct relation_edits *edits, enum relation_column column)
{
    edits->columns &= ~RELATION_BIT(column);
    (void)json_object_del(edits->configured, column_names[column]);
}

/* The same for one column that an edit holds. */
static struct result release_column(struct relation_edits *edits, enum relation_column column,
                                    const struct relation_row *row)
{
    const json_t *before = json_object_get(edits->configured, column_names[column]);
    json_t *now = column_json(row, column);

    if (now == NULL)
        return no_memory();
    if (before != NULL && json_equal(before, now) == 0) {
        json_decref(now);
        forget(edits, column);
        return result_ok();
    }
    /* Where it is not known what the configuration gave before, the edit holds against this value from now on. */
    return json_object_set_new(edits->configured, column_names[column], now) == 0 ? result_ok() : no_memory();
}

struct result relation_edits_release(struct relation_edits *edits, const struct relation_row *row)
{
    struct result result = result_ok();

    for (int column = 0; column < RELATION_COLUMNS && !result_failed(result); column++) {
        if ((edits->columns & RELATION_BIT(column)) != 0)
            result = release_column(edits, (enum relation_column)column, row);
        else
            forget(edits, (enum relation_column)column);
    }
    return result;
}

struct result relation_edits_hold(struct relation_edits *edits, enum relation_column column,
                                  const struct relation_row *before, const struct relation_row *after)
{
    struct result result = result_ok();
    json_t *value;

    if ((edits->columns & RELATION_BIT(column)) == 0) {
        edits->columns |= RELATION_BIT(column);
        value = column_json(before, column);
        return value != NULL && json_object_set_new(edits->configured, column_names[column], value) == 0 ? result
                                                                                                         : no_memory();
    }
    value = column_json(after, column);
    if (value == NULL)
        result = no_memory();
    else if (json_equal(value, json_object_get(edits->configured, column_names[column])) != 0)
        forget(edits, column);
    json_decref(value);
    return result;
}

struct result relation_edits_print(const struct relation_edits *edits, char **edited, char **configured)
{
    json_t *list = json_array();
    bool made = list != NULL;

    for (int column = 0; column < RELATION_COLUMNS && made; column++) {
        if ((edits->columns & RELATION_BIT(column)) != 0)
            made = json_array_append_new(list, json_string(column_names[column])) == 0;
    }
    *edited = made ? json_dumps(list, JSON_COMPACT) : NULL;
    *configured = json_dumps(edits->configured, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(list);
    if (*edited != NULL && *configured != NULL)
        return result_ok();
    free(*edited);
    free(*configured);
    *edited = *configured = NULL;
    return no_memory();
}
