/* Whether what is in the file is what this library works with: its tables are tables, and no trigger or view does
 * anything in its statements that it did not put there. Tables, views and indexes of an administrator's own are fine.
 */
#include "store_private.h"

#include "plugin/adm/schema_sql.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_SIZE 80
#define OBJECTS   64 /* tables, views and triggers of the schema: more than it has */

struct object {
    char type[8];         /* table, view, trigger */
    char name[NAME_SIZE]; /* one character less than fits ends at the first that no name of ours has */
    size_t line;          /* of schema.sql, where it begins */
    bool found;
};

struct schema {
    struct object objects[OBJECTS];
    size_t count;
};

static void list_objects(struct schema *schema)
{
    static const char *const types[] = {"table", "view", "trigger"};

    schema->count = 0;
    for (size_t line = 0; schema_sql[line] != NULL; line++) {
        for (size_t i = 0; i < sizeof types / sizeof types[0] && schema->count < OBJECTS; i++) {
            struct object *object = &schema->objects[schema->count];
            const char *text = schema_sql[line];
            size_t length;

            if (strncmp(text, "CREATE ", 7) != 0 || strncasecmp(text + 7, types[i], strlen(types[i])) != 0)
                continue;
            text += 7 + strlen(types[i]) + 1;
            length = strcspn(text, " (\n");
            *object = (struct object){.line = line};
            (void)snprintf(object->type, sizeof object->type, "%s", types[i]);
            (void)snprintf(object->name, sizeof object->name, "%.*s", (int)length, text);
            schema->count++;
        }
    }
}

static struct object *find(struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcasecmp(schema->objects[i].name, name) == 0)
            return &schema->objects[i];
    return NULL;
}

/* The next character that is no blank and no ";", 0 at the end; lines of the schema follow one another. */
static char next_of_schema(size_t *line, size_t *at)
{
    while (schema_sql[*line] != NULL) {
        char character = schema_sql[*line][*at];

        if (character == '\0') {
            ++*line;
            *at = 0;
            continue;
        }
        ++*at;
        if (!isspace((unsigned char)character) && character != ';')
            return character;
    }
    return '\0';
}

/* Blanks aside, the file has the very text that the schema has. */
static bool is_same_text(const struct object *object, const char *sql)
{
    size_t line = object->line, at = 0;

    for (; *sql != '\0'; sql++) {
        if (isspace((unsigned char)*sql) || *sql == ';')
            continue;
        if (next_of_schema(&line, &at) != *sql)
            return false;
    }
    return true;
}

static struct result judge(struct store *store, struct schema *schema, const char *type, const char *name,
                           const char *sql)
{
    struct object *object = find(schema, name);
    const bool executes = strcmp(type, "trigger") == 0;

    if (executes && (object == NULL || strcmp(object->type, type) != 0 || !is_same_text(object, sql)))
        return result_error(RESULT_STORE,
                            "the store %.180s has a trigger %.60s that this library did not make; remove it: "
                            "sqlite3 '%.180s' 'DROP TRIGGER \"%.60s\"'",
                            store->path, name, store->path, name);
    if (object == NULL || strcmp(type, "index") == 0)
        return result_ok();
    if (strcmp(object->type, type) != 0 || (strcmp(type, "view") == 0 && !is_same_text(object, sql)) ||
        strncasecmp(sql, "CREATE VIRTUAL", 14) == 0)
        return result_error(RESULT_STORE,
                            "the store %.200s has another %.60s than the %s that this library made; move it away: a "
                            "new one is filled from the server's configuration",
                            store->path, name, object->type);
    object->found = true;
    return result_ok();
}

static struct result judge_all(struct store *store, struct schema *schema, sqlite3_stmt *statement)
{
    struct result result = result_ok();
    int code;

    while ((code = sqlite3_step(statement)) == SQLITE_ROW && !result_failed(result)) {
        const char *type = (const char *)sqlite3_column_text(statement, 0);
        const char *name = (const char *)sqlite3_column_text(statement, 1);
        const char *sql = (const char *)sqlite3_column_text(statement, 2);

        /* A column that is not NULL and has no text has found no memory. */
        for (int i = 0; i < 3 && !result_failed(result); i++)
            if (sqlite3_column_type(statement, i) != SQLITE_NULL && sqlite3_column_text(statement, i) == NULL)
                result = result_no_memory("the store's schema");
        if (!result_failed(result) && type != NULL && name != NULL)
            result = judge(store, schema, type, name, sql == NULL ? "" : sql);
    }
    if (!result_failed(result) && code != SQLITE_DONE)
        result = store_failure(store, code);
    for (size_t i = 0; i < schema->count && !result_failed(result); i++)
        if (!schema->objects[i].found && strcmp(schema->objects[i].type, "trigger") != 0)
            result = result_error(RESULT_STORE,
                                  "the store %.200s lacks the %s %.60s; move it away: a new one is filled from the "
                                  "server's configuration",
                                  store->path, schema->objects[i].type, schema->objects[i].name);
    return result;
}

struct result store_schema_check(struct store *store)
{
    struct schema *schema = calloc(1, sizeof *schema);
    sqlite3_stmt *statement = NULL;
    struct result result;
    int code;

    if (schema == NULL)
        return result_no_memory("the schema of the store");
    list_objects(schema);
    code = sqlite3_prepare_v2(store->database, "SELECT type, name, sql FROM sqlite_schema", -1, &statement, NULL);
    result = code == SQLITE_OK ? judge_all(store, schema, statement) : store_failure(store, code);
    (void)sqlite3_finalize(statement);
    free(schema);
    return result;
}
