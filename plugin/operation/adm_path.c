/* Reading what adm-get is asked for. The input is ASCII: the module sees to it. */
#include "adm_path.h"

#include "failover_sync/adm_table.h"
#include "failover_sync/data_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULE_PREFIX "kea-failover-sync:"
#define NAME_SIZE     64
#define NUMBER_LENGTH 20 /* of a 64-bit number, with its sign */
#define START         "start"

static bool take(const char **at, const char *text)
{
    size_t length = strlen(text);

    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool take_name(const char **at, char name[NAME_SIZE])
{
    size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (length == 0 || length >= NAME_SIZE)
        return false;
    memcpy(name, *at, length);
    name[length] = '\0';
    *at += length;
    return true;
}

/* A node's name, with or without the module's before it. */
static bool take_node(const char **at, char name[NAME_SIZE])
{
    (void)take(at, MODULE_PREFIX);
    return take_name(at, name);
}

/* A number as it is printed: no leading zeros, no plus, no -0. */
static bool take_number(const char **at, int64_t *number)
{
    char text[NUMBER_LENGTH + 2], canonical[NUMBER_LENGTH + 2];
    size_t length = strspn(*at, "-0123456789");

    if (length == 0 || length > NUMBER_LENGTH)
        return false;
    memcpy(text, *at, length);
    text[length] = '\0';
    errno = 0;
    *number = strtoll(text, NULL, 10);
    (void)snprintf(canonical, sizeof canonical, "%" PRId64, *number);
    if (errno != 0 || strcmp(text, canonical) != 0)
        return false;
    *at += length;
    return true;
}

static size_t find_table(const char *list)
{
    size_t table = 0;

    while (table < ADM_TABLES && strcmp(adm_tables[table].list, list) != 0)
        table++;
    return table;
}

/* The predicate with the entry's key: [record-id='5']. */
static bool take_key(const char **at, const char *key, int64_t *record_id)
{
    char name[NAME_SIZE];
    const char *quote;

    if (!take(at, "[") || !take_node(at, name) || strcmp(name, key) != 0 || !take(at, "="))
        return false;
    quote = **at == '"' ? "\"" : "'";
    return take(at, quote) && take_number(at, record_id) && take(at, quote) && take(at, "]");
}

static struct fault wrong_path(const struct adm_path *path, const char *why)
{
    return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "path", "the path \"%.120s\" leads nowhere: %s", path->text,
                           why);
}

/* The leaf at the end of a path to an entry. */
static struct fault parse_leaf(const struct model *model, const char *at, struct adm_path *path)
{
    const char *list = adm_tables[path->first].list;
    struct data_leaf leaf;
    char name[NAME_SIZE];

    if (!take(&at, "/") || !take_node(&at, name) || *at != '\0')
        return wrong_path(path, "after the entry, a slash and the name of one of its leaves end it");
    while (data_leaf_at(model, ADM_CONTAINER, list, path->leaf, &leaf) && strcmp(leaf.name, name) != 0)
        path->leaf++;
    if (!data_leaf_at(model, ADM_CONTAINER, list, path->leaf, &leaf)) {
        char why[160];

        (void)snprintf(why, sizeof why, "%s has no leaf \"%s\"; the YANG module has their names", list, name);
        return wrong_path(path, why);
    }
    path->level = ADM_LEVEL_LEAF;
    return fault_none();
}

/* What follows the container: a list, maybe with a key and a leaf. */
static struct fault parse_list(const struct model *model, const char *at, struct adm_path *path)
{
    struct data_leaf key = {.name = ""};
    char name[NAME_SIZE];
    char why[240];

    if (!take(&at, "/") || !take_node(&at, name))
        return wrong_path(path, "after adm, a slash and the name of a list follow");
    path->first = path->last = find_table(name);
    if (path->first == ADM_TABLES) {
        (void)snprintf(why, sizeof why, "adm has no list \"%s\"; the YANG module has their names", name);
        return wrong_path(path, why);
    }
    path->level = ADM_LEVEL_ENTRY;
    if (*at == '\0')
        return fault_none();
    (void)data_leaf_at(model, ADM_CONTAINER, name, 0, &key);
    if (!take_key(&at, key.name, &path->record_id)) {
        (void)snprintf(why, sizeof why, "an entry of %s is written %s[%s='5'], with a number as it is shown", name,
                       name, key.name);
        return wrong_path(path, why);
    }
    path->is_entry = true;
    return *at == '\0' ? fault_none() : parse_leaf(model, at, path);
}

struct fault adm_path_parse(const struct model *model, const char *text, struct adm_path *path)
{
    const char *at = text;
    char name[NAME_SIZE];

    *path = (struct adm_path){.text = text, .level = ADM_LEVEL_CONTAINER, .last = ADM_TABLES - 1};
    if (!take(&at, "/") || !take_node(&at, name) || strcmp(name, ADM_CONTAINER) != 0)
        return wrong_path(path, "it begins with /" MODULE_PREFIX ADM_CONTAINER);
    return *at == '\0' ? fault_none() : parse_list(model, at, path);
}

struct fault adm_token_parse(const char *text, const struct adm_path *path, struct adm_row *row)
{
    const char *at = text;
    char name[NAME_SIZE];

    if (strcmp(text, START) == 0) {
        *row = (struct adm_row){.table = path->first, .record_id = adm_tables[path->first].before};
        return fault_none();
    }
    if (path->is_entry)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "from",
                               "\"%.64s\" begins no page of \"%.120s\": one entry has one page, from \"" START "\"",
                               text, path->text);
    row->table = take_name(&at, name) ? find_table(name) : ADM_TABLES;
    if (row->table == ADM_TABLES || !take(&at, "/") || !take_number(&at, &row->record_id) || *at != '\0' ||
        row->record_id <= adm_tables[row->table].before)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "from",
                               "\"%.64s\" begins no page: give \"" START "\", or next as the page before had it", text);
    if (row->table < path->first || row->table > path->last)
        return fault_of_sender(EXCEPTION_INVALID_PARAMETER, "from",
                               "\"%.64s\" begins no page of \"%.120s\": give the path that the page before was of",
                               text, path->text);
    return fault_none();
}

void adm_token_print(const struct adm_row *row, char text[ADM_TOKEN_SIZE])
{
    (void)snprintf(text, ADM_TOKEN_SIZE, "%s/%" PRId64, adm_tables[row->table].list, row->record_id);
}
