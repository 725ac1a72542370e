/* The names of a place in a command's arguments. An entry of a list is named by its keys if they are there and fit,
 * otherwise by its position. */
#include "place.h"

#include <stdio.h>
#include <string.h>

#define NAME_LIMIT 64  /* characters of a key in a name */
#define KEY_LIMIT  256 /* bytes of a key in a path */

static const struct lysc_node *first_key(const struct place *place)
{
    const struct lysc_node *key = place->schema->nodetype == LYS_LIST ? lysc_node_child(place->schema) : NULL;

    return key != NULL && (key->flags & LYS_KEY) != 0 ? key : NULL;
}

static const struct lysc_node *next_key(const struct lysc_node *key)
{
    return key->next != NULL && (key->next->flags & LYS_KEY) != 0 ? key->next : NULL;
}

/* A key's value as text, in `buffer`; NULL if it cannot stand between apostrophes. */
static const char *key_text(const struct place *place, const struct lysc_node *key, char *buffer, size_t size)
{
    const json_t *value = json_object_get(place->entry, key->name);

    if (json_is_integer(value))
        (void)snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_string(value) && json_string_length(value) < size &&
             strchr(json_string_value(value), '\'') == NULL)
        (void)snprintf(buffer, size, "%s", json_string_value(value));
    else
        return NULL;
    return buffer;
}

void place_add_name(struct phrase *phrase, const struct place *place)
{
    char buffer[KEY_LIMIT + 1];
    const struct lysc_node *key;
    const char *text;

    if (place->parent == NULL)
        return;
    place_add_name(phrase, place->parent);
    phrase_add(phrase, "%s%s", phrase->length > 0 ? "." : "", place->schema->name);
    if (place->position == 0)
        return;

    key = first_key(place);
    text = key != NULL ? key_text(place, key, buffer, sizeof buffer) : NULL;
    if (text == NULL) {
        phrase_add(phrase, "[#%zu]", place->position);
        return;
    }
    phrase_add(phrase, "[%s=", key->name);
    phrase_add_foreign(phrase, text, strlen(text), NAME_LIMIT);
    phrase_add(phrase, "]");
}

void place_add_path(struct phrase *phrase, const struct place *place)
{
    char buffer[KEY_LIMIT + 1];
    size_t before;

    if (place->parent == NULL) {
        phrase_add(phrase, "/%s:%s", place->schema->module->name, place->schema->name);
        return;
    }
    place_add_path(phrase, place->parent);
    phrase_add(phrase, "/%s", place->schema->name);
    if (place->position == 0)
        return;

    before = phrase->length;
    for (const struct lysc_node *key = first_key(place); key != NULL; key = next_key(key)) {
        const char *text = key_text(place, key, buffer, sizeof buffer);

        if (text == NULL) {
            phrase->length = before;
            break;
        }
        phrase_add(phrase, "[%s='%s']", key->name, text);
    }
    if (phrase->length == before)
        phrase_add(phrase, "[%zu]", place->position);
}
