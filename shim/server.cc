/* The table of functions handed to the plugin. What they do is done in the other rooms. */
#include "shim.h"

namespace
{

using namespace failover_sync;

const std::string version_text = release::version();

struct result give_object(void *, enum kea_configuration which, object_id id, struct kea_object *object)
{
    return object_get(which, id, object);
}

struct result give_ids(void *, enum kea_configuration which, object_id **ids, size_t *count)
{
    return object_ids(which, ids, count);
}

struct result find_scope(void *, enum kea_configuration which, const char *prefix, object_id *id)
{
    return scope_find(which, prefix, id);
}

struct result give_network_ids(void *, enum kea_configuration which, const char *network, object_id **ids,
                               size_t *count)
{
    return network_scope_ids(which, network, ids, count);
}

uint32_t apply_objects(void *, enum kea_configuration which, struct kea_change *changes, size_t count)
{
    return objects_apply(which, changes, count);
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
    functions.object_get = give_object;
    functions.object_ids = give_ids;
    functions.scope_find = find_scope;
    functions.network_scope_ids = give_network_ids;
    functions.objects_apply = apply_objects;
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
