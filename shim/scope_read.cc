/* Reading scopes: which configuration is meant, which scopes it has, and how one is printed. Changing them is
 * scope_apply.cc's business. */
#include "shim.h"

#include <dhcpsrv/cfg_hosts.h>
#include <dhcpsrv/cfg_subnets4.h>
#include <dhcpsrv/cfgmgr.h>
#include <dhcpsrv/shared_network.h>

#include <algorithm>
#include <cstdlib>
#include <map>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::CfgMgr;
using isc::dhcp::ConstSubnet4Ptr;
using isc::dhcp::SharedNetwork4Ptr;
using isc::dhcp::SrvConfig;
using isc::dhcp::SrvConfigPtr;

namespace
{

using namespace failover_sync;

SrvConfigPtr staged;

/* The list config-get prints, but ordered by its text: the server's own order is that of a hash or of insertion. */
ElementPtr reservations_element(const SrvConfig &configuration, uint32_t subnet_id)
{
    std::multimap<std::string, ElementPtr> ordered;
    for (const auto &host : configuration.getCfgHosts()->getAll4(isc::dhcp::SubnetID(subnet_id))) {
        const ElementPtr element = host->toElement4();
        ordered.emplace(element->str(), element);
    }
    const ElementPtr list = Element::createList();
    for (const auto &entry : ordered) {
        list->add(entry.second);
    }
    return list;
}

/* Without the local parameters; the same map when it has none. What the map holds is shared, not changed. */
ConstElementPtr without_local(const ConstElementPtr &map)
{
    if (!map || !the_plugin) {
        return map;
    }
    ElementPtr reduced;
    for (const char *const *keyword = plugin_local_parameters(the_plugin); keyword && *keyword; ++keyword) {
        if (!map->contains(*keyword)) {
            continue;
        }
        if (!reduced) {
            reduced = Element::createMap();
            reduced->setValue(map->mapValue());
        }
        reduced->remove(*keyword);
    }
    return reduced ? ConstElementPtr(reduced) : map;
}

/* The reason has its place before all other keywords: see KEA_UNPRINTED_KEYWORD. */
std::string definition_text(const std::string &reason, const ConstElementPtr &network, const ConstElementPtr &subnet)
{
    const ElementPtr definition = Element::createMap();
    if (!reason.empty()) {
        definition->set(KEA_UNPRINTED_KEYWORD, Element::create(reason));
    }
    if (network) {
        definition->set("shared-network", network);
    }
    definition->set("subnet4", subnet);
    return definition->str();
}

struct result not_found(uint32_t subnet_id)
{
    return result_error(RESULT_NOT_FOUND, "there is no scope with subnet id %u", subnet_id);
}

} // namespace

failover_sync::StagedConfiguration::StagedConfiguration(const SrvConfigPtr &configuration)
{
    staged = configuration;
}

failover_sync::StagedConfiguration::~StagedConfiguration()
{
    staged.reset();
}

SrvConfigPtr failover_sync::configuration_of(enum kea_configuration which)
{
    if (which == KEA_RUNNING) {
        return CfgMgr::instance().getCurrentCfg();
    }
    /* The server would create an empty one if asked for it out of turn. */
    if (!staged) {
        isc_throw(isc::InvalidOperation, "no configuration is being loaded");
    }
    return staged;
}

ElementPtr failover_sync::subnet_element(const SrvConfig &configuration, const isc::dhcp::Subnet4 &subnet)
{
    const ElementPtr map = subnet.toElement();
    map->set("reservations", reservations_element(configuration, subnet.getID()));
    return map;
}

ElementPtr failover_sync::network_element(const isc::dhcp::SharedNetwork4 &network)
{
    /* SharedNetwork4's own function prints all its subnets. */
    const ElementPtr map = network.isc::dhcp::Network4::toElement();
    map->set("name", Element::create(network.getName()));
    return map;
}

struct result failover_sync::scope_get(enum kea_configuration which, uint32_t subnet_id,
                                       struct kea_scope *scope) noexcept
{
    *scope = {};
    const struct result outcome = run_guarded("scope_get", [&] {
        const SrvConfigPtr configuration = configuration_of(which);
        const ConstSubnet4Ptr subnet = configuration->getCfgSubnets4()->getBySubnetId(subnet_id);
        if (!subnet) {
            return not_found(subnet_id);
        }
        SharedNetwork4Ptr network;
        subnet->getSharedNetwork(network);
        PrintCheck check;
        ConstElementPtr network_map;
        if (network) {
            network_map = check.elements(network_element(*network));
            check.network_options(*network);
        }
        const ConstElementPtr subnet_map = check.elements(subnet_element(*configuration, *subnet));
        check.subnet_options(*configuration, *subnet);
        const std::string &reason = check.reason();
        const ConstElementPtr network_reduced = without_local(network_map);
        const ConstElementPtr subnet_reduced = without_local(subnet_map);
        const std::string text = definition_text(reason, network_map, subnet_map);

        scope->subnet_id = subnet_id;
        scope->prefix = duplicate(subnet->toText());
        scope->definition = duplicate(text);
        const bool same = network_reduced == network_map && subnet_reduced == subnet_map;
        scope->replicated = duplicate(same ? text : definition_text(reason, network_reduced, subnet_reduced));
        return result_ok();
    });
    if (result_failed(outcome)) {
        kea_scope_clear(scope);
    }
    return outcome;
}

struct result failover_sync::scope_ids(enum kea_configuration which, uint32_t **ids, size_t *count) noexcept
{
    *ids = nullptr;
    *count = 0;
    return run_guarded("scope_ids", [&] {
        const isc::dhcp::Subnet4Collection *subnets = configuration_of(which)->getCfgSubnets4()->getAll();
        if (subnets->empty()) {
            return result_ok();
        }
        uint32_t *list = static_cast<uint32_t *>(malloc(subnets->size() * sizeof *list));
        if (!list) {
            return result_no_memory("the list of scopes");
        }
        for (const auto &subnet : subnets->get<isc::dhcp::SubnetSubnetIdIndexTag>()) {
            list[(*count)++] = subnet->getID();
        }
        *ids = list;
        return result_ok();
    });
}

struct result failover_sync::network_scope_ids(enum kea_configuration which, const char *network, uint32_t **ids,
                                               size_t *count) noexcept
{
    *ids = nullptr;
    *count = 0;
    return run_guarded("network_scope_ids", [&] {
        const SharedNetwork4Ptr found = configuration_of(which)->getCfgSharedNetworks4()->getByName(network);
        if (!found || found->getAllSubnets()->empty()) {
            return result_ok();
        }
        uint32_t *list = static_cast<uint32_t *>(malloc(found->getAllSubnets()->size() * sizeof *list));
        if (!list) {
            return result_no_memory("the list of a shared network's scopes");
        }
        for (const auto &subnet : *found->getAllSubnets()) {
            list[(*count)++] = subnet->getID();
        }
        std::sort(list, list + *count);
        *ids = list;
        return result_ok();
    });
}

struct result failover_sync::scope_find(enum kea_configuration which, const char *prefix, uint32_t *subnet_id) noexcept
{
    return run_guarded("scope_find", [&] {
        const ConstSubnet4Ptr subnet = configuration_of(which)->getCfgSubnets4()->getByPrefix(prefix);
        if (!subnet) {
            return result_error(RESULT_NOT_FOUND, "there is no scope %s", prefix);
        }
        *subnet_id = subnet->getID();
        return result_ok();
    });
}
