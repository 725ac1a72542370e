/* Reading a validated tree. A struct model_node is libyang's struct lyd_node under a name of our own. */
#include "failover_sync/model.h"

#include <errno.h>
#include <libyang/libyang.h>
#include <stdlib.h>
#include <string.h>

static const struct lyd_node *as_libyang(const struct model_node *node)
{
    return (const struct lyd_node *)node;
}

static bool is_named(const struct lyd_node *node, const char *name)
{
    return node->schema != NULL && strcmp(node->schema->name, name) == 0;
}

const struct model_node *model_first(const struct model_node *node, const char *name)
{
    const struct lyd_node *child = lyd_child(as_libyang(node));

    while (child != NULL && !is_named(child, name))
        child = child->next;
    return (const struct model_node *)child;
}

const struct model_node *model_next(const struct model_node *node)
{
    const struct lyd_node *sibling = as_libyang(node)->next;

    /* libyang keeps the instances of a list together. */
    return sibling != NULL && sibling->schema == as_libyang(node)->schema ? (const struct model_node *)sibling : NULL;
}

const char *model_value(const struct model_node *node)
{
    return lyd_get_value(as_libyang(node));
}

const char *model_text(const struct model_node *node, const char *name)
{
    const struct model_node *child = model_first(node, name);

    return child != NULL ? model_value(child) : NULL;
}

int64_t model_integer(const struct model_node *node, const char *name, int64_t otherwise)
{
    const char *text = model_text(node, name);
    char *end = NULL;
    long long value;

    if (text == NULL || *text == '\0')
        return otherwise;
    errno = 0;
    value = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0 ? value : otherwise;
}

bool model_boolean(const struct model_node *node, const char *name, bool otherwise)
{
    const char *text = model_text(node, name);

    if (text == NULL)
        return otherwise;
    return strcmp(text, "true") == 0 || (strcmp(text, "false") != 0 && otherwise);
}
