/* The table of functions handed to the plugin. What they do is done in the other rooms. */
#include "shim.h"

namespace
{

using namespace failover_sync;

const std::string version_text = release::version();

struct result give_scope(void *, enum kea_configuration which, uint32_t subnet_id, struct kea_object *scope)
{
    return scope_get(which, subnet_id, scope);
}

struct result give_ids(void *, enum kea_configuration which, uint32_t **ids, size_t *count)
{
    return scope_ids(which, ids, count);
}

struct result find_scope(void *, enum kea_configuration which, const char *prefix, uint32_t *subnet_id)
{
    return scope_find(which, prefix, subnet_id);
}

struct result give_network_ids(void *, enum kea_configuration which, const char *network, uint32_t **ids, size_t *count)
{
    return network_scope_ids(which, network, ids, count);
}

uint32_t apply_scopes(void *, enum kea_configuration which, struct kea_change *changes, size_t count)
{
    return scopes_apply(which, changes, count);
}

struct result write_configuration(void *)
{
    return configuration_write();
}

struct result give_ha_parameters(void *, enum kea_configuration which, char **json)
{
    return ha_parameters(which, json);
}

struct result give_ha_status(void *, char **json)
{
    return ha_status(json);
}

struct result queue_task(void *, kea_task task, void *argument)
{
    return main_queue_add(task, argument);
}

bool is_main(void *)
{
    return on_main_thread();
}

void write_log(void *, enum kea_message message, const char *const *arguments)
{
    log_message(message, arguments);
}

struct kea_server make_server()
{
    struct kea_server functions = {};
    functions.version = version_text.c_str();
    functions.service = "dhcp4";
    functions.scope_get = give_scope;
    functions.scope_ids = give_ids;
    functions.scope_find = find_scope;
    functions.network_scope_ids = give_network_ids;
    functions.scopes_apply = apply_scopes;
    functions.configuration_write = write_configuration;
    functions.ha_parameters = give_ha_parameters;
    functions.ha_status = give_ha_status;
    functions.run_on_main = queue_task;
    functions.on_main = is_main;
    functions.log = write_log;
    return functions;
}

} // namespace

const struct kea_server failover_sync::server = make_server();
