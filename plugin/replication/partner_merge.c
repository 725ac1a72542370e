/* A partner's configuration with other scopes in it. Only the lists that hold scopes are made anew; everything else is
 * shared with the configuration as it was read. */
#include "plugin/replication/partner_config.h"

#include "plugin/replication/kea_text.h"

#include <stdlib.h>
#include <string.h>

#define NETWORKS "shared-networks"

/* A wish, its definition parsed. */
struct wished {
    uint32_t subnet_id;
    json_t *root;
    json_t *subnet, *network; /* in root; NULL for a scope taken out, or in no network */
    bool placed;
};

struct merge {
    const struct partner_config *config;
    char *const *local_parameters;
    struct wished *wished; /* ascending by id */
    size_t count;
    json_t *subnets, *networks; /* the new lists */
    json_t *by_name;            /* the new networks */
};

static int compare_wished(const void *a, const void *b)
{
    const struct wished *first = a, *second = b;

    return (first->subnet_id > second->subnet_id) - (first->subnet_id < second->subnet_id);
}

static struct wished *find_wished(const struct merge *merge, json_int_t id)
{
    const struct wished key = {.subnet_id = (uint32_t)id};

    return bsearch(&key, merge->wished, merge->count, sizeof *merge->wished, compare_wished);
}

static struct result parse_wish(const struct merge *merge, const struct config_wish *wish, struct wished *wished)
{
    const struct config_scope *there = partner_config_find(merge->config, wish->subnet_id);

    *wished = (struct wished){.subnet_id = wish->subnet_id};
    if (wish->definition == NULL)
        return result_ok();
    wished->root = kea_text_parse(wish->definition, strlen(wish->definition));
    wished->subnet = json_object_get(wished->root, CONFIG_SUBNET);
    wished->network = json_object_get(wished->root, CONFIG_NETWORK);
    if (!json_is_object(wished->subnet) || (wished->network != NULL && config_network_name(wished->network)[0] == '\0'))
        return result_error(RESULT_INVALID, "the definition of the scope with subnet id %u is not understood",
                            wish->subnet_id);
    config_settle_local(wished->subnet, there == NULL ? NULL : there->subnet, merge->local_parameters);
    return result_ok();
}

static bool belongs(const struct wished *wished, const char *network)
{
    return wished->subnet != NULL && strcmp(config_network_name(wished->network), network) == 0;
}

/* Each scope of a list where it was, but those that are taken out or belong elsewhere. */
static bool keep_scopes(struct merge *merge, const json_t *before, const char *network, json_t *after)
{
    bool ok = true;

    for (size_t i = 0; i < json_array_size(before) && ok; i++) {
        json_t *subnet = json_array_get(before, i);
        struct wished *wished = find_wished(merge, json_integer_value(json_object_get(subnet, "id")));

        if (wished == NULL) {
            ok = json_array_append(after, subnet) == 0;
        } else if (belongs(wished, network)) {
            ok = json_array_append(after, wished->subnet) == 0;
            wished->placed = true;
        }
    }
    return ok;
}

/* A new map for a network, with an empty list of its own; borrowed. */
static json_t *add_network(struct merge *merge, const char *name, const json_t *before)
{
    json_t *network = before == NULL ? json_pack("{s:s}", "name", name) : json_copy((json_t *)before);

    if (json_object_set_new(network, CONFIG_SUBNET, json_array()) != 0 ||
        json_array_append(merge->networks, network) != 0 || json_object_set(merge->by_name, name, network) != 0) {
        json_decref(network);
        return NULL;
    }
    json_decref(network);
    return network;
}

static bool keep_networks(struct merge *merge, const json_t *before)
{
    bool ok = true;

    for (size_t i = 0; i < json_array_size(before) && ok; i++) {
        const json_t *old = json_array_get(before, i);
        const char *name = config_network_name(old);
        json_t *network = add_network(merge, name, old);

        ok = network != NULL &&
             keep_scopes(merge, json_object_get(old, CONFIG_SUBNET), name, json_object_get(network, CONFIG_SUBNET));
    }
    return ok;
}

/* The network's own parameters, as its scope brings them. */
static bool settle_network(struct merge *merge, json_t *network, json_t *wanted)
{
    json_t *scopes = json_incref(json_object_get(network, CONFIG_SUBNET));
    json_t *before = json_copy(network);
    bool ok = before != NULL;

    config_settle_local(wanted, before, merge->local_parameters);
    (void)json_object_clear(network);
    ok = ok && json_object_update(network, wanted) == 0;
    ok = json_object_set_new(network, CONFIG_SUBNET, scopes) == 0 && ok;
    json_decref(before);
    return ok;
}

static bool place(struct merge *merge, json_t *settled, struct wished *wished)
{
    const char *name = config_network_name(wished->network);
    json_t *list = merge->subnets;

    if (wished->network != NULL) {
        json_t *network = json_object_get(merge->by_name, name);

        if (network == NULL)
            network = add_network(merge, name, NULL);
        /* All scopes of a batch bring the same: once is enough. */
        if (network == NULL ||
            (json_object_get(settled, name) == NULL && (!settle_network(merge, network, wished->network) ||
                                                        json_object_set_new(settled, name, json_true()) != 0)))
            return false;
        list = json_object_get(network, CONFIG_SUBNET);
    }
    return wished->placed || json_array_append(list, wished->subnet) == 0;
}

/* A network that has lost its last scope goes with it; one that had none stays. */
static void drop_emptied(struct merge *merge, const json_t *before)
{
    for (size_t i = json_array_size(before); i-- > 0;)
        if (json_array_size(json_object_get(json_array_get(before, i), CONFIG_SUBNET)) > 0 &&
            json_array_size(json_object_get(json_array_get(merge->networks, i), CONFIG_SUBNET)) == 0)
            (void)json_array_remove(merge->networks, i);
}

static struct result merge_scopes(struct merge *merge, json_t *dhcp)
{
    const json_t *networks = json_object_get(merge->config->dhcp, NETWORKS);
    json_t *settled = json_object();
    bool ok = settled != NULL && merge->subnets != NULL && merge->networks != NULL && merge->by_name != NULL;

    ok = ok && keep_scopes(merge, json_object_get(merge->config->dhcp, CONFIG_SUBNET), "", merge->subnets) &&
         keep_networks(merge, networks);
    for (size_t i = 0; i < merge->count && ok; i++)
        if (merge->wished[i].subnet != NULL)
            ok = place(merge, settled, &merge->wished[i]);
    json_decref(settled);
    if (ok) {
        drop_emptied(merge, networks);
        ok = json_object_set(dhcp, CONFIG_SUBNET, merge->subnets) == 0 &&
             json_object_set(dhcp, NETWORKS, merge->networks) == 0;
    }
    return ok ? result_ok() : result_no_memory("the partner's configuration");
}

struct result partner_config_merge(const struct partner_config *config, const struct config_wish *wishes, size_t count,
                                   char *const *local_parameters, json_t **dhcp)
{
    struct merge merge = {
        .config = config,
        .local_parameters = local_parameters,
        .wished = calloc(count + 1, sizeof *merge.wished),
        .subnets = json_array(),
        .networks = json_array(),
        .by_name = json_object(),
    };
    struct result result = merge.wished == NULL ? result_no_memory("the partner's configuration") : result_ok();

    *dhcp = json_copy(config->dhcp);
    for (; merge.count < count && !result_failed(result); merge.count++)
        result = parse_wish(&merge, &wishes[merge.count], &merge.wished[merge.count]);
    if (merge.count > 0)
        qsort(merge.wished, merge.count, sizeof *merge.wished, compare_wished);
    if (!result_failed(result))
        result = merge_scopes(&merge, *dhcp);
    for (size_t i = 0; i < merge.count; i++)
        json_decref(merge.wished[i].root);
    free(merge.wished);
    json_decref(merge.subnets);
    json_decref(merge.networks);
    json_decref(merge.by_name);
    if (result_failed(result)) {
        json_decref(*dhcp);
        *dhcp = NULL;
    }
    return result;
}
