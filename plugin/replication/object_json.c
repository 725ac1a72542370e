#include "failover_sync/object_json.h"

#include <string.h>

const struct object_lists object_lists_all = {"scopes", "objects"};
const struct object_lists object_lists_wanted = {"wanted", "wanted-objects"};

const struct model_node *object_first(const struct model_node *root, const struct object_lists *lists)
{
    const struct model_node *first = model_first(root, lists->scopes);

    return first != NULL ? first : model_first(root, lists->others);
}

const struct model_node *object_next(const struct model_node *root, const struct object_lists *lists,
                                     const struct model_node *object)
{
    const struct model_node *next = model_next(object);

    return next != NULL || model_text(object, "kind") != NULL ? next : model_first(root, lists->others);
}

bool object_json_append(json_t *map, const struct object_lists *lists, object_id id, json_t *said)
{
    const char *name = object_kind_of(id) == OBJECT_SCOPE ? lists->scopes : lists->others;
    json_t *list = json_object_get(map, name);

    if (list == NULL && map != NULL) {
        list = json_array();
        if (json_object_set_new(map, name, list) != 0)
            list = NULL;
    }
    return json_array_append_new(list, said) == 0;
}

json_t *object_json(object_id id, const char *name)
{
    const char *known = name == NULL || name[0] == '\0' ? NULL : name;

    if (object_kind_of(id) == OBJECT_SCOPE)
        return json_pack("{s:I,s:s*}", "subnet-id", (json_int_t)id, "prefix", known);
    return json_pack("{s:s,s:s*}", "kind", object_kind_name(object_kind_of(id)), "name", known);
}

object_id object_of_node(const struct model_node *node, const char **name)
{
    const char *kind = model_text(node, "kind");

    *name = model_text(node, kind == NULL ? "prefix" : "name");
    if (kind == NULL)
        return (object_id)model_integer(node, "subnet-id", 0);
    for (int i = 0; i < OBJECT_KINDS && *name != NULL && strlen(*name) < OBJECT_NAME_SIZE; i++)
        if (i != OBJECT_SCOPE && strcmp(object_kind_name((enum object_kind)i), kind) == 0)
            return object_id_of((enum object_kind)i, *name);
    return 0;
}
