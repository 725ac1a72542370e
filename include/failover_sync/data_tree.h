/* Data of the module kea-failover-sync put together value by value: a container of the module with entries in its
 * lists. Each value is held against the module; the whole is printed as JSON or XML. */
#ifndef FAILOVER_SYNC_DATA_TREE_H
#define FAILOVER_SYNC_DATA_TREE_H

#include "failover_sync/model.h"
#include "failover_sync/result.h"

#include <stdbool.h>
#include <stddef.h>

struct data_tree;

/* A node of a list's entries. */
struct data_leaf {
    const char *name;
    bool many; /* a leaf-list */
};

/* The node at `position`, from 0, of the entries of `list`: the key first, then the others as the module orders them.
 * false after the last one, and for a list that the container does not have. */
bool data_leaf_at(const struct model *model, const char *container, const char *list, size_t position,
                  struct data_leaf *leaf);

/* An empty container. The model must outlive the tree. */
struct result data_tree_new(const struct model *model, const char *container, struct data_tree **tree);
void data_tree_free(struct data_tree *tree); /* NULL is fine */

/* Begins the entry of `list` with this key, after those that are there. RESULT_INVALID: the module refuses it. */
struct result data_tree_open(struct data_tree *tree, const char *list, const char *key);

/* Puts a value, in the words of the module, at a position of the entry that was begun last; into a leaf-list one more.
 * What a YANG string cannot hold becomes U+FFFD. RESULT_INVALID names the node that the module refuses the value for.
 */
struct result data_tree_put(struct data_tree *tree, size_t position, const char *value);

enum data_format { DATA_JSON, DATA_XML };

/* The text of the container, RFC 7951 or RFC 7950, on one line; the caller frees it. */
struct result data_tree_print(const struct data_tree *tree, enum data_format format, char **text);

#endif
