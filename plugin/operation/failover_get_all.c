/* GetAllDhcpFailoverByServerId (MS-IPAMM2 3.1.1.1.44.2.2): the rows of all relationships or of one server's. */
#include "failover_parts.h"

#include <string.h>

struct listing {
    struct store *store;
    const char *server_name; /* NULL: any */
    int64_t server_record_id;
    json_t *list;
};

/* The document enumerates by a server's RecordId; a client names a server as the relationship does. */
static bool is_wanted(const struct listing *listing, const struct relation_row *row)
{
    const char *name = listing->server_name;

    return name == NULL || (row->server1_name != NULL && strcmp(row->server1_name, name) == 0) ||
           (row->server2_name != NULL && strcmp(row->server2_name, name) == 0) ||
           (listing->server_record_id != 0 && (row->server1_record_id == listing->server_record_id ||
                                               row->server2_record_id == listing->server_record_id));
}

static struct result list_one(void *context, const struct relation_row *row)
{
    struct listing *listing = context;
    json_t *json = NULL;
    struct result result;

    if (!is_wanted(listing, row))
        return result_ok();
    result = failover_json(listing->store, row, &json);
    if (!result_failed(result) && json_array_append_new(listing->list, json) != 0)
        result = result_no_memory("the relationships");
    return result;
}

struct fault failover_get_all(struct store *store, const struct model_node *input, json_t **output)
{
    struct listing listing = {.store = store, .server_name = model_text(input, "server-name"), .list = json_array()};
    struct server_row server = {.ha_name = NULL};
    struct result result = listing.list == NULL ? result_no_memory("the relationships") : result_ok();

    *output = NULL;
    if (!result_failed(result) && listing.server_name != NULL)
        result = server_store_find(store, listing.server_name, &listing.server_record_id, &server);
    if (result.code == RESULT_NOT_FOUND)
        result = result_ok();
    if (!result_failed(result))
        result = relation_store_each(store, list_one, &listing);
    if (!result_failed(result)) {
        *output = json_pack("{s:O}", "relationships", listing.list);
        if (*output == NULL)
            result = result_no_memory("the relationships");
    }
    server_row_clear(&server);
    json_decref(listing.list);
    return fault_of_result(result, EXCEPTION_FAILOVER_NOT_FETCHED);
}
