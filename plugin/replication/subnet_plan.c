/* From one scope's change to the subnet commands that make it, and those that take it back. They know no reservations,
 * and cannot change a shared network's own parameters. */
#include "plugin/replication/subnet_plan.h"

#include <stdlib.h>
#include <string.h>

/* A part of what was last agreed on with the partner, as this server prints it; NULL if the partner has something else,
 * or nothing was. The caller's reference. */
static json_t *agreed_part(const struct way_run *run, const struct batch_item *item, const char *member)
{
    const int64_t partner = relationship_partner(&run->plugin->relationships.list[run->number])->record_id;
    struct scope_row row;
    json_t *root, *part;

    if (run->plugin->store == NULL || item->there != NULL || fingerprint_empty(item->base) ||
        result_failed(object_store_find(run->plugin->store, partner, item->wish.id, &row)))
        return NULL;
    root = row.effective == NULL ? NULL : kea_text_parse(row.effective, strlen(row.effective));
    part = json_incref(json_object_get(root, member));
    json_decref(root);
    scope_row_clear(&row);
    return part;
}

static bool same_reservations(const json_t *one, const json_t *other)
{
    json_t *first = config_reservations(one), *second = config_reservations(other);
    const bool same = json_equal(first, second) != 0;

    json_decref(first);
    json_decref(second);
    return same;
}

/* Their own parameters, without subnets and what is local. */
static bool same_networks(const struct way_run *run, const json_t *one, const json_t *other)
{
    json_t *first = json_copy((json_t *)one), *second = json_copy((json_t *)other);
    bool same;

    (void)json_object_del(first, CONFIG_SUBNET);
    (void)json_object_del(second, CONFIG_SUBNET);
    config_drop_local(first, run->plugin->parameters.local_parameters);
    config_drop_local(second, run->plugin->parameters.local_parameters);
    same = json_equal(first, second) != 0;
    json_decref(first);
    json_decref(second);
    return same;
}

static bool carries_reservations(const struct way_run *run, const struct batch_item *item, const json_t *wanted,
                                 const struct config_scope *at)
{
    json_t *agreed;
    bool carried;

    if (same_reservations(wanted, at == NULL ? NULL : at->subnet))
        return true;
    /* Another release may print the same otherwise; what has not changed since it was agreed on needs no command. */
    agreed = agreed_part(run, item, CONFIG_SUBNET);
    carried = agreed != NULL && at != NULL && same_reservations(wanted, agreed);
    json_decref(agreed);
    return carried;
}

static bool carries_network(const struct way_run *run, const struct batch_item *item, const json_t *wanted,
                            const struct partner_config *config)
{
    const json_t *there = partner_config_find_network(config, config_network_name(wanted));
    json_t *agreed;
    bool carried;

    if (wanted == NULL || there == NULL || same_networks(run, wanted, there))
        return true;
    agreed = agreed_part(run, item, CONFIG_NETWORK);
    carried = agreed != NULL && same_networks(run, wanted, agreed);
    json_decref(agreed);
    return carried;
}

const char *subnet_plan_beyond(const struct way_run *run, const struct batch_item *item,
                               const struct partner_config *config)
{
    const struct config_scope *at = partner_config_find(config, object_subnet_id(item->wish.id));
    const char *beyond = NULL, *prefix;
    json_t *root;

    if (item->wish.removal)
        return NULL;
    root = kea_text_parse(item->effective, strlen(item->effective));
    prefix = at == NULL ? NULL : json_string_value(json_object_get(at->subnet, "subnet"));
    if (prefix != NULL && strcmp(prefix, item->wish.name) != 0)
        beyond = "its new prefix";
    else if (!carries_reservations(run, item, json_object_get(root, CONFIG_SUBNET), at))
        beyond = "its reservations";
    else if (!carries_network(run, item, json_object_get(root, CONFIG_NETWORK), config))
        beyond = "the parameters of its shared network";
    json_decref(root);
    return beyond;
}

/* Arguments may be NULL only for `undo`, where that is nothing. */
static void add(const struct way_run *run, struct subnet_plan *plan, const char *command, json_t *arguments,
                const char *undo, json_t *undo_arguments)
{
    struct subnet_command *added = &plan->commands[plan->count++];

    *added = (struct subnet_command){
        .text = arguments == NULL ? NULL : way_command(run, command, arguments),
        .undo = undo_arguments == NULL ? NULL : way_command(run, undo, undo_arguments),
    };
    plan->failed = plan->failed || added->text == NULL;
}

static json_t *by_id(uint32_t subnet_id)
{
    return json_pack("{s:I}", "id", (json_int_t)subnet_id);
}

static json_t *by_name(const char *name)
{
    return json_pack("{s:s}", "name", name);
}

static json_t *in_network(const char *name, uint32_t subnet_id)
{
    return json_pack("{s:s,s:I}", "name", name, "id", (json_int_t)subnet_id);
}

/* The subnet as the commands take it, with the local parameters of `there`. */
static json_t *carried_subnet(const struct way_run *run, const json_t *subnet, const json_t *there)
{
    json_t *map = json_copy((json_t *)subnet);

    (void)json_object_del(map, "reservations");
    config_settle_local(map, there, run->plugin->parameters.local_parameters);
    return json_pack("{s:[o]}", CONFIG_SUBNET, map);
}

static json_t *carried_network(const struct way_run *run, const json_t *network)
{
    json_t *map = json_copy((json_t *)network);

    config_drop_local(map, run->plugin->parameters.local_parameters);
    return json_pack("{s:[o]}", "shared-networks", map);
}

static void leave_network(const struct way_run *run, struct subnet_plan *plan, const json_t *network)
{
    const char *name = config_network_name(network);

    if (json_array_size(json_object_get(network, CONFIG_SUBNET)) == 1)
        add(run, plan, "network4-del", by_name(name), NULL, NULL);
}

static void plan_removal(const struct way_run *run, const struct config_scope *at, struct subnet_plan *plan)
{
    add(run, plan, "subnet4-del", by_id(at->subnet_id), NULL, NULL);
    if (at->network != NULL)
        leave_network(run, plan, at->network);
}

static void plan_scope(const struct way_run *run, uint32_t id, const json_t *root, const struct config_scope *at,
                       const struct partner_config *config, struct subnet_plan *plan)
{
    const json_t *subnet = json_object_get(root, CONFIG_SUBNET), *network = json_object_get(root, CONFIG_NETWORK);
    const char *name = config_network_name(network), *before = config_network_name(at == NULL ? NULL : at->network);
    const bool moves = strcmp(name, before) != 0;

    if (network != NULL && partner_config_find_network(config, name) == NULL)
        add(run, plan, "network4-add", carried_network(run, network), "network4-del", by_name(name));
    if (at == NULL)
        add(run, plan, "subnet4-add", carried_subnet(run, subnet, NULL), "subnet4-del", by_id(id));
    else
        add(run, plan, "subnet4-update", carried_subnet(run, subnet, at->subnet), "subnet4-update",
            carried_subnet(run, at->subnet, at->subnet));
    if (moves && before[0] != '\0')
        add(run, plan, "network4-subnet-del", in_network(before, id), "network4-subnet-add", in_network(before, id));
    if (moves && network != NULL)
        add(run, plan, "network4-subnet-add", in_network(name, id), "network4-subnet-del", in_network(name, id));
    if (moves && at != NULL && before[0] != '\0')
        leave_network(run, plan, at->network);
}

struct result subnet_plan_make(const struct way_run *run, const struct batch_item *item,
                               const struct partner_config *config, struct subnet_plan *plan)
{
    const struct config_scope *at = partner_config_find(config, object_subnet_id(item->wish.id));

    *plan = (struct subnet_plan){.count = 0};
    if (item->wish.removal) {
        plan_removal(run, at, plan);
    } else {
        json_t *root = kea_text_parse(item->effective, strlen(item->effective));

        plan_scope(run, object_subnet_id(item->wish.id), root, at, config, plan);
        json_decref(root);
    }
    if (!plan->failed)
        return result_ok();
    subnet_plan_clear(plan);
    return result_no_memory("the commands for a scope");
}

void subnet_plan_clear(struct subnet_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->commands[i].text);
        free(plan->commands[i].undo);
    }
    *plan = (struct subnet_plan){.count = 0};
}
