/* Add commands for what is there already: a tool that gives both servers the same commands must not be stopped by the
 * second one, which has it from the first. What is there in the very words of the command is no error. */
#include "shim.h"

#include <cc/command_interpreter.h>
#include <dhcpsrv/cfg_hosts.h>
#include <dhcpsrv/cfg_subnets4.h>
#include <dhcpsrv/cfgmgr.h>
#include <dhcpsrv/shared_network.h>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::ConstHostPtr;
using isc::dhcp::ConstSubnet4Ptr;
using isc::dhcp::SharedNetwork4Ptr;
using isc::dhcp::SrvConfig;

namespace
{

using namespace failover_sync;

bool is_map(const ConstElementPtr &element)
{
    return element && element->getType() == Element::map;
}

/* The one map of a command's one list; null if it has none or several, or another argument, as no such command has. */
ConstElementPtr only_map(const ConstElementPtr &arguments, const char *keyword)
{
    const ConstElementPtr list = arguments->size() == 1 ? arguments->get(keyword) : ConstElementPtr();
    return list && list->getType() == Element::list && list->size() == 1 && is_map(list->get(0)) ? list->get(0)
                                                                                                 : ConstElementPtr();
}

/* ---- the same words ---- */

/* Two maps of one kind, be it in a shared network. */
bool has_same_meaning(const char *place, const ConstElementPtr &one, const ConstElementPtr &other,
                      const ConstElementPtr &network = ConstElementPtr())
{
    const auto meaning = [&](const ConstElementPtr &map) {
        const ElementPtr definition = Element::createMap();
        if (network) {
            definition->set("shared-network", network);
        }
        definition->set(place, map);
        return meaning_of_scope(definition);
    };
    return meaning(one) == meaning(other);
}

/* Whether what is told of an object is all of it. */
bool is_whole(const Words &words)
{
    return words.configured || words.reason.empty();
}

bool is_there(const ConstHostPtr &host, const ConstElementPtr &reservation)
{
    const auto subnet_with = [](const ElementPtr &words) {
        const ElementPtr list = Element::createList();
        list->add(words);
        const ElementPtr subnet = Element::createMap();
        subnet->set("reservations", list);
        return subnet;
    };
    if (!host) {
        return false;
    }
    const Words words = words_of(host);
    return is_whole(words) && has_same_meaning("subnet4", subnet_with(configured_own(reservation, {}, {"subnet-id"})),
                                               subnet_with(words.own));
}

/* The subnet that a map names by its prefix and its id; null if there is none. */
ConstSubnet4Ptr named_by(const SrvConfig &running, const ConstElementPtr &map)
{
    const ConstElementPtr id = map->get("id");
    const ConstSubnet4Ptr subnet =
        id && id->getType() == Element::integer ? find_configured(running, *map) : ConstSubnet4Ptr();
    const ElementPtr prefix = Element::createMap();
    prefix->set("subnet", map->get("subnet"));
    return subnet && subnet->getID() == id->intValue() && subnet == find_configured(running, *prefix)
               ? subnet
               : ConstSubnet4Ptr();
}

/* Reservations are no part of what these commands add. */
bool is_there(const ConstSubnet4Ptr &subnet, const ConstElementPtr &map, const ConfiguredInherited &above)
{
    if (!subnet || map->contains("reservations")) {
        return false;
    }
    SharedNetwork4Ptr network;
    subnet->getSharedNetwork(network);
    const Words around = network ? words_of(KEA_RUNNING, network) : Words();
    const Words there = words_of(KEA_RUNNING, subnet, around.text);
    const ElementPtr words = configured_own(map, above, {});
    words->set("subnet", Element::create(subnet->toText()));
    return is_whole(there) && has_same_meaning("subnet4", words, there.own, around.own);
}

/* ---- the commands ---- */

ElementPtr list_of(const ElementPtr &item)
{
    const ElementPtr list = Element::createList();
    list->add(item);
    return list;
}

ElementPtr named_subnet(const isc::dhcp::Subnet4 &subnet)
{
    const ElementPtr map = Element::createMap();
    map->set("id", Element::create(static_cast<int64_t>(subnet.getID())));
    map->set("subnet", Element::create(subnet.toText()));
    return map;
}

/* Success, as the command itself tells it. */
ConstElementPtr answer(const std::string &what, const char *keyword, const ElementPtr &item)
{
    ElementPtr arguments;
    if (keyword) {
        arguments = Element::createMap();
        arguments->set(keyword, list_of(item));
    }
    return isc::config::createAnswer(isc::config::CONTROL_RESULT_SUCCESS,
                                     what + " is there already in these words: nothing was changed", arguments);
}

ConstElementPtr repeated_subnet(const SrvConfig &running, const ConstElementPtr &map)
{
    const ConstSubnet4Ptr subnet = named_by(running, map);
    if (!is_there(subnet, map, {running.getConfiguredGlobals()->toElement()})) {
        return nullptr;
    }
    SharedNetwork4Ptr network;
    subnet->getSharedNetwork(network);
    return answer("IPv4 subnet " + subnet->toText() +
                      (network ? " (in shared network '" + network->getName() + "')" : std::string()),
                  "subnets", named_subnet(*subnet));
}

/* Its subnets are there if those of the words are in it, with whatever others. */
ConstElementPtr repeated_network(const SrvConfig &running, const ConstElementPtr &map)
{
    const ConstElementPtr name = map->get("name");
    if (!name || name->getType() != Element::string) {
        return nullptr;
    }
    const SharedNetwork4Ptr network = running.getCfgSharedNetworks4()->getByName(name->stringValue());
    const ConstElementPtr globals = running.getConfiguredGlobals()->toElement();
    if (!network) {
        return nullptr;
    }
    const Words there = words_of(KEA_RUNNING, network);
    if (!is_whole(there) ||
        !has_same_meaning("shared-network", configured_own(map, {globals}, {"subnet4"}), there.own)) {
        return nullptr;
    }
    const ConstElementPtr subnets = map->get("subnet4");
    for (size_t i = 0; subnets && i < subnets->size(); ++i) {
        const ConstElementPtr words = subnets->get(static_cast<int>(i));
        const ConstSubnet4Ptr subnet = is_map(words) ? named_by(running, words) : ConstSubnet4Ptr();
        SharedNetwork4Ptr around;
        if (subnet) {
            subnet->getSharedNetwork(around);
        }
        if (around != network || !is_there(subnet, words, {map, globals})) {
            return nullptr;
        }
    }
    const ElementPtr named = Element::createMap();
    named->set("name", name);
    return answer("IPv4 shared network '" + network->getName() + "'", "shared-networks", named);
}

ConstElementPtr repeated_member(const SrvConfig &running, const ConstElementPtr &arguments)
{
    const ConstElementPtr name = arguments->get("name");
    const ConstElementPtr id = arguments->get("id");
    if (!name || name->getType() != Element::string || !id || id->getType() != Element::integer) {
        return nullptr;
    }
    const ConstSubnet4Ptr subnet =
        running.getCfgSubnets4()->getBySubnetId(static_cast<isc::dhcp::SubnetID>(id->intValue()));
    SharedNetwork4Ptr network;
    if (subnet) {
        subnet->getSharedNetwork(network);
    }
    if (!network || subnet->getID() != id->intValue() || network->getName() != name->stringValue()) {
        return nullptr;
    }
    return isc::config::createAnswer(isc::config::CONTROL_RESULT_SUCCESS,
                                     "IPv4 subnet " + subnet->toText() + " (id " + std::to_string(subnet->getID()) +
                                         ") is in shared network '" + network->getName() +
                                         "' already: nothing was changed");
}

ConstElementPtr repeated_reservation(const SrvConfig &running, const ConstElementPtr &arguments)
{
    const ConstElementPtr map = arguments->get("reservation");
    const ConstElementPtr target = arguments->get("operation-target");
    const ConstElementPtr id = is_map(map) ? map->get("subnet-id") : ConstElementPtr();
    /* By default it goes into a database, of which nothing is known here. */
    if (!id || id->getType() != Element::integer || id->intValue() <= 0 || id->intValue() > UINT32_MAX || !target ||
        target->str() != "\"memory\"") {
        return nullptr;
    }
    const ConstHostPtr host = configured_host(running, static_cast<isc::dhcp::SubnetID>(id->intValue()), map);
    return is_there(host, map) ? answer("The host " + host->getIdentifierAsText(), nullptr, ElementPtr()) : nullptr;
}

} // namespace

ConstElementPtr failover_sync::answer_to_repeated_add(const std::string &command, const ConstElementPtr &arguments)
{
    if (!is_map(arguments)) {
        return nullptr;
    }
    const auto running = isc::dhcp::CfgMgr::instance().getCurrentCfg();
    if (command == "subnet4-add") {
        const ConstElementPtr subnet = only_map(arguments, "subnet4");
        return subnet ? repeated_subnet(*running, subnet) : nullptr;
    }
    if (command == "network4-add") {
        const ConstElementPtr network = only_map(arguments, "shared-networks");
        return network ? repeated_network(*running, network) : nullptr;
    }
    if (command == "network4-subnet-add") {
        return repeated_member(*running, arguments);
    }
    return command == "reservation-add" ? repeated_reservation(*running, arguments) : nullptr;
}
