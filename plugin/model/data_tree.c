/* Putting data of the module together with libyang, and printing it. */
#include "failover_sync/data_tree.h"

#include "libyang_versions.h"
#include "model_private.h"
#include "phrase.h"
#include "yang_text.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_LIMIT  60  /* characters of a refused value that are shown */
#define REASON_LIMIT 200 /* characters of libyang's message in ours */

struct data_tree {
    const struct model *model;
    struct lyd_node *container;
    struct lyd_node *entry; /* begun last; NULL before the first */
};

static const struct lysc_node *find_named(const struct lysc_node *node, const char *name)
{
    while (node != NULL && strcmp(node->name, name) != 0)
        node = node->next;
    return node;
}

/* libyang has a list's key before its other children. */
static const struct lysc_node *node_at(const struct lysc_node *list, size_t position)
{
    const struct lysc_node *node = list != NULL ? lysc_node_child(list) : NULL;

    while (node != NULL && position-- > 0)
        node = node->next;
    return node;
}

bool data_leaf_at(const struct model *model, const char *container, const char *list, size_t position,
                  struct data_leaf *leaf)
{
    const struct lysc_node *top = find_named(model->module->compiled->data, container);
    const struct lysc_node *node = node_at(top != NULL ? find_named(lysc_node_child(top), list) : NULL, position);

    if (node == NULL)
        return false;
    *leaf = (struct data_leaf){.name = node->name, .many = node->nodetype == LYS_LEAFLIST};
    return true;
}

/* What libyang said of `list`'s entry `key`, or of its node `name` (NULL: of the key itself), and of `value`. */
static struct result refusal(const struct model *model, LY_ERR error, const char *list, const char *key,
                             const char *name, const char *value)
{
    const struct ly_err_item *item = libyang_first_error(model->context);
    const char *said = item != NULL && item->msg != NULL ? item->msg : "no reason given";
    struct phrase phrase = {0};

    if (error == LY_EMEM)
        return result_no_memory("data of the YANG module");
    phrase_add(&phrase, "%s", list);
    if (key != NULL)
        phrase_add(&phrase, "[%s]", key);
    phrase_add(&phrase, "%s%s: the YANG module does not allow \"", name != NULL ? "/" : "", name != NULL ? name : "");
    phrase_add_foreign(&phrase, value, strlen(value), VALUE_LIMIT);
    phrase_add(&phrase, "\": ");
    phrase_add_foreign(&phrase, said, strlen(said), REASON_LIMIT);
    return result_error(RESULT_INVALID, "%s", phrase.text);
}

struct result data_tree_new(const struct model *model, const char *container, struct data_tree **tree)
{
    struct data_tree *made = calloc(1, sizeof *made);
    LY_ERR error = LY_EMEM;

    *tree = NULL;
    if (made != NULL) {
        made->model = model;
        libyang_hush();
        error = lyd_new_inner(NULL, model->module, container, 0, &made->container);
        libyang_unhush(model->context);
    }
    if (error != LY_SUCCESS) {
        free(made);
        return error == LY_EMEM ? result_no_memory("data of the YANG module")
                                : result_error(RESULT_INTERNAL, "the YANG module has no container %s", container);
    }
    *tree = made;
    return result_ok();
}

void data_tree_free(struct data_tree *tree)
{
    if (tree == NULL)
        return;
    lyd_free_all(tree->container);
    free(tree);
}

struct result data_tree_open(struct data_tree *tree, const char *list, const char *key)
{
    struct result result = result_ok();
    LY_ERR error;

    libyang_hush();
    error = lyd_new_list(tree->container, NULL, list, 0, &tree->entry, key);
    if (error != LY_SUCCESS) {
        tree->entry = NULL;
        result = refusal(tree->model, error, list, NULL, NULL, key);
    }
    libyang_unhush(error != LY_SUCCESS ? tree->model->context : NULL);
    return result;
}

struct result data_tree_put(struct data_tree *tree, size_t position, const char *value)
{
    const struct lysc_node *node = tree->entry != NULL ? node_at(tree->entry->schema, position) : NULL;
    struct result result = result_ok();
    char *repaired = NULL;
    LY_ERR error;

    if (node == NULL)
        return result_error(RESULT_INTERNAL, "data of the YANG module was put where it has no node");
    if (!yang_text_fits(value)) {
        repaired = yang_text_repair(value);
        if (repaired == NULL)
            return result_no_memory("data of the YANG module");
        value = repaired;
    }
    libyang_hush();
    error = lyd_new_term(tree->entry, NULL, node->name, value, 0, NULL);
    if (error != LY_SUCCESS)
        result = refusal(tree->model, error, tree->entry->schema->name, lyd_get_value(lyd_child(tree->entry)),
                         node->name, value);
    libyang_unhush(error != LY_SUCCESS ? tree->model->context : NULL);
    free(repaired);
    return result;
}

struct result data_tree_print(const struct data_tree *tree, enum data_format format, char **text)
{
    LY_ERR error;

    libyang_hush();
    error = lyd_print_mem(text, tree->container, format == DATA_XML ? LYD_XML : LYD_JSON,
                          LYD_PRINT_SHRINK | LIBYANG_PRINT_EMPTY_CONTAINERS);
    libyang_unhush(tree->model->context);
    if (error == LY_SUCCESS && *text != NULL)
        return result_ok();
    *text = NULL;
    return error == LY_EMEM ? result_no_memory("data of the YANG module")
                            : result_error(RESULT_INTERNAL,
                                           "libyang %s could not print data of the YANG module (its "
                                           "error %d)",
                                           LY_VERSION, (int)error);
}
