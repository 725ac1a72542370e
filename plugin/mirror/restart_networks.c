/* The shared networks of a configuration being loaded. A scope carries its network's parameters: one that is put back
 * from the store brings the newer ones along, for every scope in the network, unless the configuration's own words of
 * the network have changed, which is an edit. */
#include "restart_private.h"

#include "failover_sync/json_load.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct restored_network {
    char *name;
    enum scope_origin origin; /* the partner's, if any of the scopes put back is */
    bool edited;              /* by this configuration */
};

struct restored_networks {
    struct restored_network *list;
    size_t count, capacity;
    struct planned_scope **planned; /* what was planned before the scopes are back, ascending by id */
    size_t planned_count;
};

void restored_networks_free(struct restored_networks *networks)
{
    if (networks == NULL)
        return;
    for (size_t i = 0; i < networks->count; i++)
        free(networks->list[i].name);
    free(networks->list);
    free(networks->planned);
    free(networks);
}

static int compare_planned(const void *a, const void *b)
{
    object_id left = (*(struct planned_scope *const *)a)->id;
    object_id right = (*(struct planned_scope *const *)b)->id;

    return left < right ? -1 : left > right;
}

static struct planned_scope *find_planned(const struct restored_networks *networks, object_id id)
{
    struct planned_scope wanted = {.id = id}, *key = &wanted;
    struct planned_scope **found =
        networks->planned_count == 0
            ? NULL
            : bsearch(&key, networks->planned, networks->planned_count, sizeof key, compare_planned);

    return found == NULL ? NULL : *found;
}

/* The name of the network in a definition, malloc'ed; NULL if it is in none. */
static struct result network_name(const char *definition, char **name)
{
    json_t *root = strstr(definition, "\"shared-network\"") == NULL
                       ? NULL
                       : json_load(definition, JSON_ALLOW_NUL, &json_kea_bounds, NULL);
    const char *text = json_string_value(json_object_get(json_object_get(root, "shared-network"), "name"));
    struct result result = result_ok();

    *name = NULL;
    if (text != NULL) {
        *name = strdup(text);
        if (*name == NULL)
            result = result_no_memory("a shared network");
    }
    json_decref(root);
    return result;
}

/* Its words are the configuration's edit if all the scopes that it has there are: any other says that they are as they
 * were. A network that is there only in the store has none. */
static struct result look_whether_edited(const struct restored_networks *networks, const struct decision *decision,
                                         struct restored_network *network)
{
    const struct kea_server *server = decision->plugin->server;
    object_id *ids = NULL;
    size_t count = 0;
    struct result result = server->network_scope_ids(server->context, decision->which, network->name, &ids, &count);

    network->edited = count > 0;
    for (size_t i = 0; i < count && network->edited; i++) {
        const struct planned_scope *planned = find_planned(networks, ids[i]);

        network->edited = planned != NULL && planned->edited;
    }
    free(ids);
    return result;
}

/* The network's place in the list, a new one if need be; takes the name. */
static struct result note_network(struct restored_networks *networks, const struct decision *decision, char *name,
                                  enum scope_origin origin, bool *edited)
{
    struct restored_network *network;
    struct result result = result_ok();
    size_t place = 0;

    while (place < networks->count && strcmp(networks->list[place].name, name) != 0)
        place++;
    if (place == networks->count) {
        if (!engine_grow((void **)&networks->list, networks->count, &networks->capacity, sizeof *networks->list)) {
            free(name);
            return result_no_memory("a shared network");
        }
        networks->count++;
        network = &networks->list[place];
        *network = (struct restored_network){.name = name, .origin = origin};
        result = look_whether_edited(networks, decision, network);
    } else {
        network = &networks->list[place];
        free(name);
    }
    if (origin == SCOPE_FROM_PARTNER)
        network->origin = origin;
    *edited = network->edited;
    return result;
}

static struct restored_networks *networks_new(const struct load_plan *plan)
{
    struct restored_networks *networks = calloc(1, sizeof *networks);

    if (networks == NULL)
        return NULL;
    networks->planned = calloc(plan->scope_count + 1, sizeof(struct planned_scope *));
    if (networks->planned == NULL) {
        free(networks);
        return NULL;
    }
    for (size_t i = 0; i < plan->scope_count; i++)
        networks->planned[networks->planned_count++] = &plan->scopes[i];
    qsort(networks->planned, networks->planned_count, sizeof(struct planned_scope *), compare_planned);
    return networks;
}

struct result restored_networks_find(const struct decision *decision, struct kea_change *changes, size_t count,
                                     struct restored_networks **networks)
{
    struct result result = result_ok();

    *networks = networks_new(decision->plan);
    if (*networks == NULL)
        return result_no_memory("the shared networks");
    for (size_t i = 0; i < count && !result_failed(result); i++) {
        char *name = NULL;

        result = network_name(changes[i].definition, &name);
        if (!result_failed(result) && name != NULL)
            result = note_network(*networks, decision, name,
                                  changes[i].words_only ? SCOPE_FROM_CONFIGURATION
                                                        : find_planned(*networks, changes[i].id)->origin,
                                  &changes[i].keep_network);
    }
    return result;
}

/* Plans what was going to be left alone: it runs otherwise now. */
static void plan_followed(struct decision *decision, struct kea_object *scope, enum scope_origin origin)
{
    struct load_plan *plan = decision->plan;
    struct planned_scope planned = {
        .id = scope->id,
        .scope = *scope,
        .origin = origin,
        .followed = origin == SCOPE_FROM_PARTNER,
    };
    size_t low = 0, high = plan->delivery_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (plan->deliveries[middle].id < scope->id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < plan->delivery_count && plan->deliveries[low].id == scope->id) {
        planned.delivered = true;
        planned.delivery = plan->deliveries[low].delivery;
        plan->deliveries[low].dropped = true;
    }
    plan->scopes[plan->scope_count++] = planned;
    *scope = (struct kea_object){.id = 0};
}

/* One scope of such a network. Whose the network's parameters are, the scope now is, too: with them it is not what the
 * configuration delivers, and must outlive the next load like them. */
static struct result follow_scope(const struct restored_networks *networks, struct decision *decision,
                                  const struct restored_network *network, object_id id)
{
    struct plugin *plugin = decision->plugin;
    const struct kea_server *server = plugin->server;
    struct planned_scope *planned = find_planned(networks, id);
    struct kea_object scope = {.id = 0};
    struct scope_entry entry;
    struct result result = server->object_get(server->context, decision->which, id, &scope);

    if (result_failed(result))
        return result;
    if (planned != NULL) {
        if (strcmp(planned->scope.fingerprint.hex, scope.fingerprint.hex) != 0) {
            kea_object_clear(&planned->scope);
            planned->scope = scope;
            if (planned->stored == NULL)
                planned->origin = network->origin;
            return result;
        }
    } else if (scope_index_get(plugin->index, id, &entry)) {
        if (strcmp(entry.fingerprint.hex, scope.fingerprint.hex) != 0)
            plan_followed(decision, &scope, network->origin);
        scope_entry_clear(&entry);
    }
    kea_object_clear(&scope);
    return result;
}

struct result restored_networks_follow(const struct restored_networks *networks, struct decision *decision)
{
    const struct kea_server *server = decision->plugin->server;
    struct result result = result_ok();

    for (size_t i = 0; i < networks->count && !result_failed(result); i++) {
        object_id *ids = NULL;
        size_t count = 0;

        result = server->network_scope_ids(server->context, decision->which, networks->list[i].name, &ids, &count);
        for (size_t k = 0; k < count && !result_failed(result); k++)
            result = follow_scope(networks, decision, &networks->list[i], ids[k]);
        free(ids);
    }
    return result;
}
