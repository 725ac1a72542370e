/* A place in a command's arguments while they are walked, and its two names: the person's and YANG's. */
#ifndef PLUGIN_MODEL_PLACE_H
#define PLUGIN_MODEL_PLACE_H

#include "phrase.h"

#include <jansson.h>
#include <libyang/libyang.h>
#include <stddef.h>

/* A chain from the rpc down, on the walker's stack. */
struct place {
    const struct place *parent; /* NULL for the rpc */
    const struct lysc_node *schema;
    const json_t *entry; /* of a list or leaf-list, otherwise NULL */
    size_t position;     /* of that entry, from 1; 0 for the list as a whole */
};

/* Adds the place as the person wrote it: "scopes[subnet-id=7].prefix", or "scopes[#2].subnet-id" where the entry's key
 * is of no use. Adds nothing for the rpc. */
void place_add_name(struct phrase *phrase, const struct place *place);

/* Adds the place as a YANG data path: "/kea-failover-sync:scope-receive/scopes[subnet-id='7']/prefix". */
void place_add_path(struct phrase *phrase, const struct place *place);

#endif
