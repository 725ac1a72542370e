/* GetIPRangeById (MS-IPAMM2 3.3.4.82): one range. */
#include "failover_sync/range_operation.h"

#include "range_parts.h"

#include <string.h>

struct fault range_get(struct store *store, const struct model_node *input, json_t **output)
{
    int64_t record_id = model_integer(input, "record-id", 0);
    const char *family = model_text(input, "address-family");
    struct ip_range range;
    struct fault fault = fault_none();
    struct result result = range_store_find(store, record_id, &range);

    *output = NULL;
    if (result.code == RESULT_NOT_FOUND ||
        (!result_failed(result) && family != NULL && strcmp(family, address_family_word(range.span.v6)) != 0)) {
        fault = fault_of_sender(EXCEPTION_OBJECT_NOT_FOUND, "record-id",
                                "there is no range with record id %lld%s%s; range-get-all shows those there are",
                                (long long)record_id, family == NULL ? "" : " in ", family == NULL ? "" : family);
    } else if (result_failed(result)) {
        fault = fault_of_result(result, EXCEPTION_FAILED_TO_UPDATE_RANGE);
    } else {
        *output = json_object();
        if (*output == NULL || !json_put(*output, "range", range_json(&range))) {
            json_decref(*output);
            *output = NULL;
            fault = fault_no_memory();
        }
    }
    ip_range_clear(&range);
    fault_complete_path(&fault, "range-get");
    return fault;
}
