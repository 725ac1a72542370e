/* How partners name an object: a scope by its subnet id and prefix, any other by its kind and name. */
#ifndef FAILOVER_SYNC_OBJECT_JSON_H
#define FAILOVER_SYNC_OBJECT_JSON_H

#include "failover_sync/model.h"
#include "failover_sync/object.h"

#include <jansson.h>

/* Messages have two lists of objects: "scopes" and "objects", or "wanted" and "wanted-objects". */
struct object_lists {
    const char *scopes, *others;
};
extern const struct object_lists object_lists_all, object_lists_wanted;

/* The first object of a node's two lists, scopes first, and the one after `object`; NULL at the end. */
const struct model_node *object_first(const struct model_node *root, const struct object_lists *lists);
const struct model_node *object_next(const struct model_node *root, const struct object_lists *lists,
                                     const struct model_node *object);

/* Appends what is said of an object to the list of `map` that it belongs to, and takes the reference. False for want of
 * memory. */
bool object_json_append(json_t *map, const struct object_lists *lists, object_id id, json_t *said);

/* A map with an object's names; `name` may be NULL or "" where a scope's prefix is not known. NULL for want of memory.
 */
json_t *object_json(object_id id, const char *name);

/* The object that a node names, and its name, which is the node's; 0 if it names none. */
object_id object_of_node(const struct model_node *node, const char **name);

#endif
