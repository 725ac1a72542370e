/* The walk over a command's arguments beside their schema: unknown and missing names, kinds of values, values, counts
 * and duplicates. Words are made in phrase.c, names of places in place.c. */
#include "check.h"

#include "libyang_versions.h"
#include "phrase.h"
#include "place.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LIMIT 64 /* characters of an unknown name that are shown */

struct walk {
    const struct ly_ctx *context;
    bool output;
    char **path; /* NULL if nobody wants it */
};

static const struct lysc_node *first_child(const struct walk *walk, const struct lysc_node *schema)
{
    const struct lysc_node_action *rpc = (const struct lysc_node_action *)schema;

    if (schema->nodetype != LYS_RPC)
        return lysc_node_child(schema);
    return walk->output ? rpc->output.child : rpc->input.child;
}

static const struct lysc_node *first_case(const struct lysc_node *choice)
{
    return (const struct lysc_node *)((const struct lysc_node_choice *)choice)->cases;
}

/* The data node `name` among `schema` and its following siblings, choices looked through. */
static const struct lysc_node *find_child(const struct lysc_node *schema, const char *name)
{
    for (; schema != NULL; schema = schema->next) {
        if (schema->nodetype == LYS_CHOICE) {
            for (const struct lysc_node *branch = first_case(schema); branch != NULL; branch = branch->next) {
                const struct lysc_node *found = find_child(lysc_node_child(branch), name);

                if (found != NULL)
                    return found;
            }
        } else if (strcmp(schema->name, name) == 0) {
            return schema;
        }
    }
    return NULL;
}

/* Whether `map` has a member that is one of the data nodes of `schema` and its following siblings. */
static bool has_any(const struct lysc_node *schema, const json_t *map)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)map, name, value)
    {
        if (find_child(schema, name) != NULL)
            return true;
    }
    return false;
}

/* "a, b, c": the data nodes of `schema` and its following siblings. */
static void add_names(struct phrase *phrase, const struct lysc_node *schema, bool *any)
{
    for (; schema != NULL; schema = schema->next) {
        if (schema->nodetype == LYS_CHOICE) {
            for (const struct lysc_node *branch = first_case(schema); branch != NULL; branch = branch->next)
                add_names(phrase, lysc_node_child(branch), any);
        } else {
            phrase_add(phrase, "%s%s", *any ? ", " : "", schema->name);
            *any = true;
        }
    }
}

/* The refusal of `name`, whose YANG path is that of `place`. */
static struct result refuse_name(const struct walk *walk, const struct phrase *name, const struct place *place,
                                 const struct phrase *why)
{
    if (walk->path != NULL) {
        struct phrase path = {0};

        place_add_path(&path, place);
        *walk->path = strdup(path.text);
    }
    return result_error(RESULT_INVALID, "%s: %s", name->length > 0 ? name->text : "arguments", why->text);
}

static struct result refuse(const struct walk *walk, const struct place *place, const struct phrase *why)
{
    struct phrase name = {0};

    place_add_name(&name, place);
    return refuse_name(walk, &name, place, why);
}

/* `expected` is NULL for what the schema says. */
static struct result refuse_found(const struct walk *walk, const struct place *place, const char *expected,
                                  const json_t *found)
{
    struct phrase why = {0};

    phrase_add(&why, "expected ");
    if (expected != NULL)
        phrase_add(&why, "%s", expected);
    else if (place->position > 0)
        phrase_add_expected_entry(&why, place->schema);
    else
        phrase_add_expected(&why, place->schema);
    phrase_add(&why, ", found ");
    phrase_add_found(&why, found);
    return refuse(walk, place, &why);
}

static struct result refuse_missing(const struct walk *walk, const struct place *parent, const struct lysc_node *schema)
{
    const struct place place = {.parent = parent, .schema = schema};
    struct phrase why = {0};

    phrase_add(&why, "missing, expected ");
    phrase_add_expected(&why, schema);
    return refuse(walk, &place, &why);
}

/* What is unknown has no YANG path: the path is its parent's. */
static struct result refuse_unknown(const struct walk *walk, const struct place *parent, const char *name)
{
    struct phrase where = {0};
    struct phrase why = {0};
    bool any = false;

    place_add_name(&where, parent);
    phrase_add(&where, "%s", where.length > 0 ? "." : "");
    if (*name == '\0')
        phrase_add(&where, "\"\"");
    phrase_add_foreign(&where, name, strlen(name), NAME_LIMIT);
    phrase_add(&why, "unknown name, expected ");
    add_names(&why, first_child(walk, parent->schema), &any);
    if (!any)
        phrase_add(&why, "none here");
    return refuse_name(walk, &where, parent, &why);
}

/* Whether a YANG string may hold it: RFC 7950 section 14 leaves out most control characters. */
static bool has_control_character(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r')
            return true;
    }
    return false;
}

static struct result check_value(const struct walk *walk, const struct place *place, const struct lysc_type *type,
                                 const json_t *value)
{
    char number[32];
    const char *text;
    size_t length;
    LY_ERR error;

    switch (type->basetype) {
    case LY_TYPE_INT8:
    case LY_TYPE_INT16:
    case LY_TYPE_INT32:
    case LY_TYPE_UINT8:
    case LY_TYPE_UINT16:
    case LY_TYPE_UINT32:
        if (!json_is_integer(value))
            return refuse_found(walk, place, NULL, value);
        length = (size_t)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text = number;
        break;
    case LY_TYPE_BOOL:
        if (!json_is_boolean(value))
            return refuse_found(walk, place, NULL, value);
        return result_ok();
    case LY_TYPE_STRING:
    case LY_TYPE_ENUM:
        if (!json_is_string(value))
            return refuse_found(walk, place, NULL, value);
        text = json_string_value(value);
        length = json_string_length(value);
        if (has_control_character(text, length))
            return refuse_found(walk, place, "text without control characters", value);
        break;
    default:
        /* The module has no such leaf; should it get one, libyang judges it alone. */
        return result_ok();
    }

    error = libyang_value_fits(walk->context, place->schema, text, length);
    if (error == LY_EMEM)
        return result_no_memory("a command's arguments");
    if (error != LY_SUCCESS && error != LY_EINCOMPLETE)
        return refuse_found(walk, place, NULL, value);
    return result_ok();
}

static struct result check_map(const struct walk *walk, const struct place *place, json_t *map);

/* Keeps what was seen of a list's keys; refuses an entry whose keys were seen before. */
static struct result check_duplicate(const struct walk *walk, const struct place *place, json_t *seen)
{
    struct result result = result_ok();
    const struct lysc_node *key = lysc_node_child(place->schema);
    json_t *values = json_array();
    char *text = NULL;

    if (key == NULL || (key->flags & LYS_KEY) == 0)
        goto done;
    for (; key != NULL && (key->flags & LYS_KEY) != 0; key = key->next)
        if (json_array_append(values, json_object_get(place->entry, key->name)) != 0)
            goto no_memory;
    text = json_dumps(values, JSON_COMPACT);
    if (text == NULL)
        goto no_memory;
    if (json_object_get(seen, text) != NULL) {
        struct phrase why = {0};

        phrase_add(&why, "entry %zu has the same key as one before it", place->position);
        result = refuse(walk, place, &why);
    } else if (json_object_set_new(seen, text, json_true()) != 0) {
        goto no_memory;
    }
    goto done;

no_memory:
    result = result_no_memory("a command's arguments");
done:
    free(text);
    json_decref(values);
    return result;
}

/* A list or a leaf-list: its kind, how many entries, and each of them. */
static struct result check_entries(const struct walk *walk, const struct place *place, json_t *value)
{
    const bool is_list = place->schema->nodetype == LYS_LIST;
    const struct lysc_node_list *list = (const struct lysc_node_list *)place->schema;
    const struct lysc_node_leaflist *leaf_list = (const struct lysc_node_leaflist *)place->schema;
    const uint32_t min = is_list ? list->min : leaf_list->min;
    const uint32_t max = is_list ? list->max : leaf_list->max;
    struct result result = result_ok();
    json_t *seen = NULL;
    size_t size;

    if (!json_is_array(value))
        return refuse_found(walk, place, NULL, value);
    size = json_array_size(value);
    if (size < min || (max != 0 && size > max))
        return refuse_found(walk, place, NULL, value);

    seen = json_object();
    if (seen == NULL)
        return result_no_memory("a command's arguments");
    for (size_t i = 0; i < size && !result_failed(result); i++) {
        json_t *entry = json_array_get(value, i);
        const struct place here = {.parent = place->parent, .schema = place->schema, .entry = entry, .position = i + 1};

        if (!is_list) {
            result = check_value(walk, &here, leaf_list->type, entry);
        } else if (!json_is_object(entry)) {
            result = refuse_found(walk, &here, "a map", entry);
        } else {
            result = check_map(walk, &here, entry);
            if (!result_failed(result))
                result = check_duplicate(walk, &here, seen);
        }
    }
    json_decref(seen);
    return result;
}

static struct result check_child(const struct walk *walk, const struct place *place, json_t *value)
{
    switch (place->schema->nodetype) {
    case LYS_LEAF:
        return check_value(walk, place, ((const struct lysc_node_leaf *)place->schema)->type, value);
    case LYS_LIST:
    case LYS_LEAFLIST:
        return check_entries(walk, place, value);
    default:
        if (!json_is_object(value))
            return refuse_found(walk, place, NULL, value);
        if (place->schema->nodetype == LYS_CONTAINER)
            return check_map(walk, place, value);
        json_object_clear(value);
        return result_ok();
    }
}

static struct result check_presence(const struct walk *walk, const struct place *place, const struct lysc_node *schema,
                                    const json_t *map);

/* At most one case of a choice, and exactly one if it is mandatory; what is mandatory in that case. */
static struct result check_choice(const struct walk *walk, const struct place *place, const struct lysc_node *choice,
                                  const json_t *map)
{
    const struct lysc_node *chosen = NULL;
    struct phrase why = {0};
    size_t present = 0;

    for (const struct lysc_node *branch = first_case(choice); branch != NULL; branch = branch->next) {
        if (has_any(lysc_node_child(branch), map)) {
            chosen = branch;
            present++;
        }
    }
    if (present == 1)
        return check_presence(walk, place, lysc_node_child(chosen), map);
    if (present == 0 && (choice->flags & LYS_MAND_TRUE) == 0)
        return result_ok();

    for (const struct lysc_node *branch = first_case(choice); branch != NULL; branch = branch->next) {
        bool any = false;

        if (branch != first_case(choice))
            phrase_add(&why, " or ");
        add_names(&why, lysc_node_child(branch), &any);
    }
    phrase_add(&why, present == 0 ? " is missing" : " is expected, found more than one of them");
    return refuse(walk, place, &why);
}

/* Nothing mandatory is missing of `schema` and its following siblings. */
static struct result check_presence(const struct walk *walk, const struct place *place, const struct lysc_node *schema,
                                    const json_t *map)
{
    for (; schema != NULL; schema = schema->next) {
        struct result result = result_ok();
        bool needed = (schema->flags & LYS_MAND_TRUE) != 0;

        if (schema->nodetype == LYS_LIST)
            needed = ((const struct lysc_node_list *)schema)->min > 0;
        else if (schema->nodetype == LYS_LEAFLIST)
            needed = ((const struct lysc_node_leaflist *)schema)->min > 0;
        else if (schema->nodetype == LYS_LEAF && (schema->flags & LYS_KEY) != 0)
            needed = true;

        if (schema->nodetype == LYS_CHOICE)
            result = check_choice(walk, place, schema, map);
        else if (needed && schema->nodetype != LYS_CONTAINER && json_object_get(map, schema->name) == NULL)
            result = refuse_missing(walk, place, schema);
        if (result_failed(result))
            return result;
    }
    return result_ok();
}

static struct result check_map(const struct walk *walk, const struct place *place, json_t *map)
{
    const struct lysc_node *children = first_child(walk, place->schema);
    const char *name;
    json_t *value;

    json_object_foreach(map, name, value)
    {
        const struct place here = {.parent = place, .schema = find_child(children, name)};
        struct result result;

        result = here.schema != NULL ? check_child(walk, &here, value) : refuse_unknown(walk, place, name);
        if (result_failed(result))
            return result;
    }
    return check_presence(walk, place, children, map);
}

struct result check_arguments(const struct ly_ctx *context, const struct lysc_node *rpc, bool output, json_t *map,
                              char **path)
{
    const struct walk walk = {.context = context, .output = output, .path = path};
    const struct place place = {.schema = rpc};

    return check_map(&walk, &place, map);
}
