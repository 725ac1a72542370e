/* The ranges, a page at a time. */
#include "failover_sync/range_operation.h"

#include "range_parts.h"

#include <stdlib.h>

#define PAGE_LIMIT 1000

static struct fault add_one(struct store *store, int64_t record_id, json_t *list)
{
    struct ip_range range;
    json_t *json;
    struct result result = range_store_find(store, record_id, &range);

    if (result_failed(result))
        return fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    json = range_json(&range);
    ip_range_clear(&range);
    return json != NULL && json_array_append_new(list, json) == 0 ? fault_none() : fault_no_memory();
}

struct fault range_get_all(struct store *store, const struct model_node *input, json_t **output)
{
    struct range_filter filter = {
        .after = model_integer(input, "from", 0),
        .address_space_id = model_integer(input, "address-space-record-id", 0),
        .scope_record_id = model_integer(input, "scope-record-id", 0),
        .parent_block_id = model_integer(input, "parent-block-record-id", 0),
        .limit = model_integer(input, "limit", PAGE_LIMIT) + 1, /* one more tells whether there is a next page */
    };
    int64_t *ids = NULL;
    size_t count = 0;
    struct fault fault =
        fault_of_result(range_store_list(store, &filter, &ids, &count), EXCEPTION_FAILED_TO_UPDATE_RANGE);

    *output = NULL;
    if (!fault_raised(&fault))
        fault = page_json(store, "ranges", ids, count, filter.limit, add_one, output);
    free(ids);
    return fault;
}
