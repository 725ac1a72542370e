/* From a scope's definition to the columns of ADM_DHCPScopesTable. Nothing here touches the database. */
#include "scope_columns.h"

#include "failover_sync/json_load.h"
#include "failover_sync/kea.h"

#include <stdlib.h>
#include <string.h>

#define LIFETIME_INFINITE INT64_C(4294967295)

const char *scope_json_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

const char *scope_json_description(const json_t *object)
{
    const json_t *context = json_object_get(object, "user-context");
    const char *comment = scope_json_text(context, "comment");

    return comment != NULL ? comment : scope_json_text(context, "description");
}

struct result scope_json_list(const json_t *object, const char *name, json_t **list)
{
    json_t *element;
    size_t index;

    *list = json_object_get(object, name);
    if (*list == NULL)
        return result_ok();
    if (!json_is_array(*list))
        return result_error(RESULT_INVALID, "the scope's \"%s\" is not a list", name);
    json_array_foreach(*list, index, element)
    {
        if (!json_is_object(element))
            return result_error(RESULT_INVALID, "element %zu of the scope's \"%s\" is not a map", index, name);
    }
    return result_ok();
}

/* The scope's own value, else that of its shared network; a server-wide value is not part of a scope. */
static const json_t *inherited(const struct scope_columns *columns, const char *name)
{
    const json_t *value = json_object_get(columns->subnet, name);

    return value != NULL ? value : json_object_get(columns->shared_network, name);
}

/* A lifetime in seconds; -1 if there is none. */
static int64_t lifetime(const struct scope_columns *columns, const char *name)
{
    const json_t *value = inherited(columns, name);
    json_int_t seconds = json_is_integer(value) ? json_integer_value(value) : -1;

    return seconds < 0 || seconds > LIFETIME_INFINITE ? -1 : (int64_t)seconds;
}

static struct result parse_definition(const char *text, struct scope_columns *columns)
{
    char *readable = kea_json_readable(text);
    json_error_t error;
    const char *prefix;
    bool v6 = false;

    if (readable == NULL)
        return result_no_memory("a scope's definition");
    columns->definition = json_load(readable, JSON_ALLOW_NUL, &json_kea_bounds, &error);
    free(readable);
    if (columns->definition == NULL) {
        /* The parser says nothing at all of most allocations that fail. */
        if (json_error_code(&error) == json_error_out_of_memory || error.text[0] == '\0')
            return result_no_memory("a scope's definition");
        return result_error(RESULT_INVALID, "a scope's definition is not JSON: %s (at byte %d)", error.text,
                            error.position);
    }
    columns->subnet = json_object_get(columns->definition, "subnet4");
    if (columns->subnet == NULL) {
        columns->subnet = json_object_get(columns->definition, "subnet6");
        v6 = true;
    }
    if (!json_is_object(columns->subnet))
        return result_error(RESULT_INVALID, "a scope's definition has no subnet: a map \"subnet4\" is missing");
    prefix = scope_json_text(columns->subnet, "subnet");
    if (prefix == NULL)
        return result_error(RESULT_INVALID, "a scope's definition has no \"subnet\" with its prefix");
    if (!network_parse(prefix, &columns->network) || columns->network.span.v6 != v6)
        return result_error(RESULT_INVALID, "\"%.80s\" is not the prefix of an IPv%d subnet", prefix, v6 ? 6 : 4);
    columns->shared_network = json_object_get(columns->definition, "shared-network");
    if (columns->shared_network != NULL) {
        columns->shared_network_name = scope_json_text(columns->shared_network, "name");
        if (columns->shared_network_name == NULL || columns->shared_network_name[0] == '\0')
            return result_error(RESULT_INVALID, "the shared network of the scope %.80s has no name", prefix);
    }
    return result_ok();
}

static int pool_compare(const void *a, const void *b)
{
    const struct scope_pool *first = a;
    const struct scope_pool *second = b;
    int order = address_compare(&first->span.first, &second->span.first);

    return order != 0 ? order : address_compare(&first->span.last, &second->span.last);
}

static struct result parse_pools(struct scope_columns *columns)
{
    json_t *list, *element;
    size_t index;
    struct result result = scope_json_list(columns->subnet, "pools", &list);

    if (result_failed(result) || json_array_size(list) == 0)
        return result;
    columns->pools = calloc(json_array_size(list), sizeof *columns->pools);
    if (columns->pools == NULL)
        return result_no_memory("the pools of a scope");
    json_array_foreach(list, index, element)
    {
        struct scope_pool *pool = &columns->pools[columns->pool_count];
        const char *text = scope_json_text(element, "pool");

        if (text == NULL || !pool_parse(text, columns->network.span.v6, &pool->span))
            return result_error(RESULT_INVALID, "the scope %.80s has a pool \"%.100s\" that is no range of addresses",
                                scope_json_text(columns->subnet, "subnet"), text == NULL ? "" : text);
        pool->definition = element;
        columns->pool_count++;
    }
    qsort(columns->pools, columns->pool_count, sizeof *columns->pools, pool_compare);
    return result_ok();
}

/* The first and last host address, for a scope without pools. */
static struct address_span hosts_of(const struct network *network)
{
    struct address_span hosts = network->span;
    bool v6 = network->span.v6;

    if (network->prefix_length < (v6 ? 127 : 31)) {
        hosts.first = address_next(hosts.first);
        if (!v6)
            hosts.last = address_previous(hosts.last); /* the broadcast address */
    }
    return hosts;
}

static int64_t add_saturated(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* Start and end, and as exclusions the gaps between the pools. */
static struct result derive_addresses(struct scope_columns *columns)
{
    struct result result = result_ok();
    struct address_span whole = hosts_of(&columns->network);
    json_t *exclusions = json_array();

    if (exclusions == NULL)
        return result_no_memory("the exclusions of a scope");
    if (columns->pool_count > 0)
        whole.first = whole.last = columns->pools[0].span.first;
    for (size_t i = 0; i < columns->pool_count; i++) {
        const struct address_span *pool = &columns->pools[i].span;
        struct address_span gap = {
            .first = address_next(whole.last), .last = address_previous(pool->first), .v6 = pool->v6};

        if (i > 0 && address_compare(&whole.last, &pool->first) < 0 && address_compare(&gap.first, &gap.last) <= 0) {
            struct address_text start = address_print(&gap.first);
            struct address_text end = address_print(&gap.last);

            if (json_array_append_new(exclusions, json_pack("{s:s,s:s}", "start", start.text, "end", end.text)) != 0) {
                result = result_no_memory("the exclusions of a scope");
                goto done;
            }
            columns->excluded_addresses = add_saturated(columns->excluded_addresses, span_count(&gap));
        }
        if (address_compare(&whole.last, &pool->last) < 0)
            whole.last = pool->last;
    }
    columns->start_address = address_print(&whole.first);
    columns->end_address = address_print(&whole.last);
    columns->total_addresses = span_count(&whole);
    columns->exclusion_ranges = json_dumps(exclusions, JSON_COMPACT);
    if (columns->exclusion_ranges == NULL)
        result = result_no_memory("the exclusions of a scope");
done:
    json_decref(exclusions);
    return result;
}

static void derive_words(struct scope_columns *columns)
{
    const json_t *send_updates = inherited(columns, "ddns-send-updates");
    bool v6 = columns->network.span.v6;

    columns->scope_name = scope_json_text(json_object_get(columns->subnet, "user-context"), "name");
    columns->description = scope_json_description(columns->subnet);
    columns->scope_id = address_print(&columns->network.span.first);
    if (!v6)
        columns->subnet_mask = prefix_mask(columns->network.prefix_length);
    columns->lease_duration = lifetime(columns, "valid-lifetime");
    columns->valid_lease_time = v6 ? columns->lease_duration : -1;
    columns->preferred_lease_time = v6 ? lifetime(columns, "preferred-lifetime") : -1;
    if (columns->lease_duration >= 0)
        columns->lease_duration_type = columns->lease_duration == LIFETIME_INFINITE ? "Unlimited" : "Limited";
    if (json_is_boolean(send_updates))
        columns->dns_update_type = json_is_true(send_updates) ? "Always" : "Never";
}

struct result scope_columns_derive(const char *definition, struct scope_columns *columns)
{
    struct result result;

    memset(columns, 0, sizeof *columns);
    result = parse_definition(definition, columns);
    if (!result_failed(result))
        result = parse_pools(columns);
    if (!result_failed(result))
        result = derive_addresses(columns);
    if (!result_failed(result))
        derive_words(columns);
    else
        scope_columns_clear(columns);
    return result;
}

void scope_columns_clear(struct scope_columns *columns)
{
    json_decref(columns->definition);
    free(columns->pools);
    free(columns->exclusion_ranges);
    memset(columns, 0, sizeof *columns);
}
