/* The YANG module kea-failover-sync at work: what a command may be given and what it answers is what its rpc says. */
#ifndef FAILOVER_SYNC_MODEL_H
#define FAILOVER_SYNC_MODEL_H

#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;
struct model_tree; /* the validated input or output of one rpc */
struct model_node; /* one data node in it; lives as long as its tree */

/* Loads the module, which is compiled into the library. May be used by several threads at once. */
struct result model_new(struct model **model);
void model_free(struct model *model);

/* Parses `arguments` (JSON text of a map in Kea's manner, without module prefixes; NULL is an empty map) as the input
 * of the rpc `command`, with defaults filled in. RESULT_INVALID's message names the node, what was expected and what
 * was found; `path`, if not NULL, receives the YANG path of the offending node (the caller frees it) or NULL. */
struct result model_parse_input(const struct model *model, const char *command, const char *arguments,
                                struct model_tree **tree, char **path);

/* The same for the rpc's output: what a partner answered, or what we are about to answer. The content of an anydata
 * node (a scope's definition) is not kept. */
struct result model_parse_output(const struct model *model, const char *command, const char *arguments,
                                 struct model_tree **tree);

void model_tree_free(struct model_tree *tree); /* NULL is fine */

/* The rpc node itself, whose children are the parameters. */
const struct model_node *model_root(const struct model_tree *tree);

/* The value of child leaf `name`, canonical text, or NULL if it is not there. */
const char *model_text(const struct model_node *node, const char *name);

/* The value of an integer child leaf, or `otherwise` if it is not there. */
int64_t model_integer(const struct model_node *node, const char *name, int64_t otherwise);

/* The value of a boolean child leaf, or `otherwise`. */
bool model_boolean(const struct model_node *node, const char *name, bool otherwise);

/* Walks the instances of child list, leaf-list or container `name`: the first, and the next of the same name; NULL at
 * the end. */
const struct model_node *model_first(const struct model_node *node, const char *name);
const struct model_node *model_next(const struct model_node *node);

/* The value of a leaf-list instance. */
const char *model_value(const struct model_node *node);

#endif
