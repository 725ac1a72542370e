/* The YANG module loaded into libyang, and the reading of JSON text into trees by it. What is wrong with arguments is
 * found and worded in check.c; what differs between releases of libyang is in libyang_versions.h. */
#include "failover_sync/model.h"

#include "failover_sync/json_bounds.h"

#include "check.h"
#include "libyang_versions.h"
#include "model_private.h"
#include "phrase.h"
#include "plugin/model/kea_failover_sync_yang.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_LIMIT 900 /* characters of a path */
#define TAIL_LIMIT 300 /* characters of another library's message in ours */

struct model_tree {
    struct lyd_node *rpc;
};

void libyang_hush(void)
{
    static uint32_t store_only = LY_LOSTORE;

    ly_temp_log_options(&store_only);
}

void libyang_unhush(const struct ly_ctx *context)
{
    if (context != NULL)
        ly_err_clean((struct ly_ctx *)context, NULL);
    ly_temp_log_options(NULL);
}

const struct ly_err_item *libyang_first_error(const struct ly_ctx *context)
{
    const struct ly_err_item *item = ly_err_first(context);

    while (item != NULL && item->level != LY_LLERR)
        item = item->next;
    return item;
}

struct result model_new(struct model **model)
{
    struct result result = result_ok();
    struct model *created = calloc(1, sizeof *created);
    struct lys_module *module = NULL;
    LY_ERR error;

    *model = NULL;
    if (created == NULL)
        return result_no_memory("the YANG model");

    libyang_hush();
    error = libyang_new_context(&created->context);
    if (error != LY_SUCCESS) {
        created->context = NULL;
        result = error == LY_EMEM
                     ? result_no_memory("the YANG model")
                     : result_error(RESULT_INTERNAL, "libyang %s could not be started (its error %d); reinstall it",
                                    LY_VERSION, (int)error);
        goto done;
    }
    error = lys_parse_mem(created->context, (const char *)kea_failover_sync_yang, LYS_IN_YANG, &module);
    if (error != LY_SUCCESS) {
        const struct ly_err_item *item = libyang_first_error(created->context);

        result = error == LY_EMEM ? result_no_memory("the YANG model")
                                  : result_error(RESULT_INTERNAL, "libyang %s refused the module kea-failover-sync: %s",
                                                 LY_VERSION, item != NULL ? item->msg : "no reason given");
        goto done;
    }
    created->module = module;
    *model = created;

done:
    libyang_unhush(created->context);
    if (*model == NULL)
        model_free(created);
    return result;
}

void model_free(struct model *model)
{
    if (model == NULL)
        return;
    ly_ctx_destroy(model->context);
    free(model);
}

static const struct lysc_node *find_rpc(const struct model *model, const char *command)
{
    const struct lysc_node *node = NULL;

    while ((node = lys_getnext(node, NULL, model->module->compiled, 0)) != NULL)
        if (node->nodetype == LYS_RPC && strcmp(node->name, command) == 0)
            return node;
    return NULL;
}

/* Reads the text of a map; none at all is the empty map. */
static struct result read_map(const char *text, json_t **map)
{
    struct result result;
    json_error_t error;
    json_t *value;

    *map = NULL;
    if (text == NULL || *text == '\0')
        text = "{}";
    result = json_bounds_check("arguments", text, strlen(text), &json_arguments_bounds);
    if (result_failed(result))
        return result;

    value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL) {
        struct phrase reason = {0};

        if (json_error_code(&error) == json_error_out_of_memory)
            return result_no_memory("a command's arguments");
        phrase_add_foreign(&reason, error.text, strlen(error.text), TAIL_LIMIT);
        return result_error(RESULT_INVALID, "arguments: expected JSON, found an error in line %d, column %d: %s",
                            error.line, error.column, reason.text);
    }
    if (!json_is_object(value)) {
        struct phrase found = {0};

        phrase_add_found(&found, value);
        json_decref(value);
        return result_error(RESULT_INVALID, "arguments: expected a map, found %s", found.text);
    }
    *map = value;
    return result_ok();
}

/* libyang's own words for what check_arguments found nothing wrong with. Where
 * it gives no path, the path is the rpc's. */
static struct result libyang_refusal(const struct ly_ctx *context, LY_ERR error, const char *rpc_name, char **path)
{
    const struct ly_err_item *item = libyang_first_error(context);
    size_t length = 0;
    const char *where = item != NULL ? libyang_error_path(item, &length) : NULL;
    const char *message = item != NULL && item->msg != NULL ? item->msg : "no reason given";
    struct phrase place = {0};
    struct phrase reason = {0};

    if (error == LY_EMEM)
        return result_no_memory("a command's arguments");
    if (where != NULL)
        phrase_add_foreign(&place, where, length, PATH_LIMIT);
    else
        phrase_add(&place, "/%s", rpc_name);
    if (path != NULL)
        *path = strdup(place.text);
    phrase_add_foreign(&reason, message, strlen(message), TAIL_LIMIT);
    return result_error(RESULT_INVALID, "%s (at %s)", reason.text, place.text);
}

/* Gives libyang {"kea-failover-sync:<command>": <map>}. */
static struct result build_tree(const struct model *model, const struct lysc_node *rpc, enum lyd_type type, json_t *map,
                                struct model_tree **tree, char **path)
{
    struct result result = result_no_memory("a command's arguments");
    struct model_tree *built = NULL;
    struct lyd_node *top = NULL;
    struct ly_in *in = NULL;
    json_t *wrapped = json_object();
    char *text = NULL;
    char name[256];
    LY_ERR error;

    (void)snprintf(name, sizeof name, "%s:%s", model->module->name, rpc->name);
    if (wrapped == NULL || json_object_set(wrapped, name, map) != 0)
        goto done;
    text = json_dumps(wrapped, JSON_COMPACT);
    built = calloc(1, sizeof *built);
    if (text == NULL || built == NULL || ly_in_new_memory(text, &in) != LY_SUCCESS)
        goto done;

    error = libyang_parse_rpc(model->context, in, type, &top, &built->rpc);
    if (error == LY_SUCCESS)
        error = lyd_validate_op(built->rpc, NULL, type, NULL);
    if (error != LY_SUCCESS) {
        result = libyang_refusal(model->context, error, name, path);
        goto done;
    }
    *tree = built;
    built = NULL;
    top = NULL;
    result = result_ok();

done:
    lyd_free_all(top);
    free(built);
    ly_in_free(in, 0);
    free(text);
    json_decref(wrapped);
    return result;
}

static struct result parse(const struct model *model, const char *command, bool output, const char *arguments,
                           struct model_tree **tree, char **path)
{
    const struct lysc_node *rpc = find_rpc(model, command);
    struct result result;
    json_t *map = NULL;

    *tree = NULL;
    if (path != NULL)
        *path = NULL;
    if (rpc == NULL) {
        struct phrase name = {0};

        phrase_add_foreign(&name, command, strlen(command), 64);
        return result_error(RESULT_NOT_FOUND, "%s: no such command", name.text);
    }

    libyang_hush();
    result = read_map(arguments, &map);
    if (!result_failed(result))
        result = check_arguments(model->context, rpc, output, map, path);
    if (!result_failed(result))
        result = build_tree(model, rpc, output ? LYD_TYPE_REPLY_YANG : LYD_TYPE_RPC_YANG, map, tree, path);
    libyang_unhush(model->context);
    json_decref(map);
    return result;
}

struct result model_parse_input(const struct model *model, const char *command, const char *arguments,
                                struct model_tree **tree, char **path)
{
    return parse(model, command, false, arguments, tree, path);
}

struct result model_parse_output(const struct model *model, const char *command, const char *arguments,
                                 struct model_tree **tree)
{
    return parse(model, command, true, arguments, tree, NULL);
}

void model_tree_free(struct model_tree *tree)
{
    if (tree == NULL)
        return;
    lyd_free_all(tree->rpc);
    free(tree);
}

const struct model_node *model_root(const struct model_tree *tree)
{
    return (const struct model_node *)tree->rpc;
}
