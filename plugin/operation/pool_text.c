/* Pools in the text of a scope's definition: one found by its bounds, changed or added, and the text printed again as
 * Kea itself would read it. */
#include "failover_sync/pool_text.h"

#include "failover_sync/json_load.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *bounds_json(const struct address_span *span)
{
    return json_sprintf("%s-%s", address_print(&span->first).text, address_print(&span->last).text);
}

static bool has_bounds(const json_t *pool, const struct address_span *bounds)
{
    const char *text = json_string_value(json_object_get(pool, "pool"));
    struct address_span span;

    return text != NULL && pool_parse(text, bounds->v6, &span) && address_compare(&span.first, &bounds->first) == 0 &&
           address_compare(&span.last, &bounds->last) == 0;
}

/* Its place in the list, or the list's length. */
static size_t find_pool(const json_t *pools, const struct address_span *bounds)
{
    size_t i = 0;

    while (i < json_array_size(pools) && !has_bounds(json_array_get(pools, i), bounds))
        i++;
    return i;
}

static struct result change_pool(json_t *pools, const struct address_span *before, const struct address_span *after)
{
    json_t *pool = json_array_get(pools, find_pool(pools, before));

    if (pool != NULL)
        return json_object_set_new(pool, "pool", bounds_json(after)) == 0 ? result_ok() : result_no_memory("a pool");
    return result_error(RESULT_NOT_FOUND, "it has no pool %s-%s any more; read the range again with range-get",
                        address_print(&before->first).text, address_print(&before->last).text);
}

static struct result remove_pool(json_t *pools, const struct address_span *bounds)
{
    return json_array_remove(pools, find_pool(pools, bounds)) == 0
               ? result_ok()
               : result_error(RESULT_NOT_FOUND, "it has no pool %s-%s any more", address_print(&bounds->first).text,
                              address_print(&bounds->last).text);
}

static struct result add_pool(json_t *pools, const struct address_span *after)
{
    json_t *pool = json_object();

    if (pool == NULL || json_object_set_new(pool, "pool", bounds_json(after)) != 0) {
        json_decref(pool);
        return result_no_memory("a pool");
    }
    return json_array_append_new(pools, pool) == 0 ? result_ok() : result_no_memory("a pool");
}

static struct result change_pools(json_t *subnet, const struct address_span *before, const struct address_span *after)
{
    json_t *pools = json_object_get(subnet, "pools");

    if (!json_is_object(subnet))
        return result_error(RESULT_INTERNAL, "the server prints the scope in a form that is not known");
    if (pools == NULL) {
        pools = json_array();
        if (pools == NULL || json_object_set_new(subnet, "pools", pools) != 0)
            return result_no_memory("a pool");
    }
    return before == NULL  ? add_pool(pools, after)
           : after == NULL ? remove_pool(pools, before)
                           : change_pool(pools, before, after);
}

struct result pool_text_change(const char *definition, const struct address_span *before,
                               const struct address_span *after, char **changed)
{
    json_t *root = json_load(definition, JSON_ALLOW_NUL, &json_kea_bounds, NULL);
    const bool v6 = before == NULL ? after->v6 : before->v6;
    struct result result = change_pools(json_object_get(root, v6 ? "subnet6" : "subnet4"), before, after);

    *changed = NULL;
    if (!result_failed(result)) {
        /* Kea's own escapes, byte for byte. */
        *changed = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
        if (*changed == NULL)
            result = result_no_memory("a scope");
    }
    json_decref(root);
    return result;
}
