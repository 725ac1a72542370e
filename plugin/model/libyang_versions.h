/* What differs between libyang 2, 3, 4 and 5, and nothing else: the only place that asks which of them it is built
 * with. LY_VERSION_MAJOR is the major number of the shared library, which is one less than the project's from 5 on. */
#ifndef PLUGIN_MODEL_LIBYANG_VERSIONS_H
#define PLUGIN_MODEL_LIBYANG_VERSIONS_H

#include <libyang/libyang.h>
#include <libyang/version.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A context that reads no schema but the text it is given. From 5 on libyang no longer carries its own modules (yang,
 * ietf-yang-types...) inside: they must be read from the one folder it was installed with. */
static inline LY_ERR libyang_new_context(struct ly_ctx **context)
{
#ifdef LY_YANG_MODULE_DIR
    return ly_ctx_new(ly_yang_module_dir(), LY_CTX_DISABLE_SEARCHDIR_CWD | LY_CTX_NO_YANGLIBRARY, context);
#else
    return ly_ctx_new(NULL, LY_CTX_DISABLE_SEARCHDIRS | LY_CTX_NO_YANGLIBRARY, context);
#endif
}

/* Parses `in` as the input or output of an rpc; before 4 libyang is always strict about unknown names here. */
static inline LY_ERR libyang_parse_rpc(const struct ly_ctx *context, struct ly_in *in, enum lyd_type type,
                                       struct lyd_node **tree, struct lyd_node **rpc)
{
#if LY_VERSION_MAJOR >= 4
    return lyd_parse_op(context, NULL, in, LYD_JSON, type, LYD_PARSE_STRICT, tree, rpc);
#else
    return lyd_parse_op(context, NULL, in, LYD_JSON, type, tree, rpc);
#endif
}

/* Whether the leaf or leaf-list `schema` accepts the value `text`: LY_SUCCESS, LY_EINCOMPLETE if that depends on other
 * nodes, otherwise an error. */
static inline LY_ERR libyang_value_fits(const struct ly_ctx *context, const struct lysc_node *schema, const char *text,
                                        size_t length)
{
#if LY_VERSION_MAJOR >= 4
    (void)context;
    return lyd_value_validate(schema, text, (uint32_t)length, NULL, NULL, NULL);
#else
    return lyd_value_validate(context, schema, text, length, NULL, NULL, NULL);
#endif
}

/* The number of elements in one of libyang's sized arrays; NULL has none. */
static inline uint64_t libyang_count(const void *array)
{
#ifdef LYA_COUNT
    return LYA_COUNT(array);
#else
    return LY_ARRAY_COUNT(array);
#endif
}

/* Lets the printer show a container that has nothing in it. */
#ifdef LYD_PRINT_EMPTY_CONT
#define LIBYANG_PRINT_EMPTY_CONTAINERS LYD_PRINT_EMPTY_CONT
#else
#define LIBYANG_PRINT_EMPTY_CONTAINERS LYD_PRINT_KEEPEMPTYCONT
#endif

/* The path of the node with the error, not ended by a NUL but `length` long, or NULL. */
static inline const char *libyang_error_path(const struct ly_err_item *error, size_t *length)
{
#if LY_VERSION_MAJOR >= 3
    const char *path = error->data_path != NULL ? error->data_path : error->schema_path;

    *length = path != NULL ? strlen(path) : 0;
    return path;
#else
    /* Data location "/module:node", line number 1. */
    const char *start = error->path != NULL ? strchr(error->path, '/') : NULL;
    const char *end = start != NULL ? strrchr(start, '"') : NULL;

    *length = end != NULL ? (size_t)(end - start) : 0;
    return end != NULL ? start : NULL;
#endif
}

#endif
