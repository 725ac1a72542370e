/* scope-history: the versions of scopes that a conflict replaced, the newest first. */
#include "failover_sync/scope_history.h"

#include "failover_sync/engine.h"
#include "failover_sync/json_load.h"
#include "failover_sync/kea.h"
#include "failover_sync/object_json.h"
#include "failover_sync/store.h"
#include "operation_parts.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_LIMIT 100
#define PAGE_BYTES ((size_t)4 * 1024 * 1024) /* of definitions; more than one version is not begun beyond them */

struct page {
    json_t *list;
    int64_t limit, last;
    size_t bytes;
    bool full;
};

/* What a person reads; a text that is none of Kea's is shown as text. */
static json_t *definition_json(const char *definition)
{
    char *readable = kea_json_readable(definition);
    json_t *json = readable == NULL ? NULL : json_load(readable, JSON_ALLOW_NUL, &json_kea_bounds, NULL);

    if (json == NULL && readable != NULL)
        json = json_pack("{s:s}", "text", readable);
    free(readable);
    return json;
}

static json_t *version_json(const struct history_row *row)
{
    char when[ENGINE_TIMESTAMP_SIZE];
    json_t *json;

    engine_timestamp(row->replaced_at, when);
    json = json_pack("{s:I,s:s,s:s,s:s}", "record-id", (json_int_t)row->record_id, "fingerprint", row->fingerprint.hex,
                     "reason", row->reason == NULL ? "" : row->reason, "replaced-at", when);
    if (json == NULL || json_object_update_new(json, object_json(row->id, row->name)) != 0) {
        json_decref(json);
        return NULL;
    }
    if (json != NULL && row->definition != NULL)
        (void)json_object_set_new(json, "definition", definition_json(row->definition));
    return json;
}

static struct result add_version(void *context, const struct history_row *row)
{
    struct page *page = context;

    if ((int64_t)json_array_size(page->list) == page->limit || page->bytes > PAGE_BYTES) {
        page->full = true;
        return result_ok();
    }
    page->bytes += row->definition == NULL ? 0 : strlen(row->definition);
    page->last = row->record_id;
    return json_array_append_new(page->list, version_json(row)) == 0 ? result_ok() : result_no_memory("the history");
}

struct fault scope_history(struct store *store, const struct model_node *input, json_t **output)
{
    struct page page = {.list = json_array(), .limit = model_integer(input, "limit", PAGE_LIMIT)};
    const char *name;
    const struct history_filter filter = {
        .id = object_of_node(input, &name),
        .below = model_integer(input, "from", 0),
        .limit = page.limit + 1,
    };
    struct result result = page.list == NULL ? result_no_memory("the history") : result_ok();

    *output = NULL;
    if (!result_failed(result))
        result = history_store_each(store, &filter, add_version, &page);
    if (!result_failed(result)) {
        *output = json_pack("{s:O}", "versions", page.list);
        if (*output == NULL || (page.full && json_object_set_new(*output, "next", json_integer(page.last)) != 0)) {
            json_decref(*output);
            *output = NULL;
            result = result_no_memory("the history");
        }
    }
    json_decref(page.list);
    return fault_of_result(result, EXCEPTION_OBJECT_NOT_FOUND);
}
