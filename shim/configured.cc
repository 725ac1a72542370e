/* The words in which the server's subnets, shared networks and reservations were configured, each beside the server's
 * own object: the server prints what it made of them, with all that they inherit. A configuration that is refused
 * leaves the words of the one before, since its objects are others. For the main thread alone; the words outlive the
 * library's unloading with the process, as the objects do. */
#include "kinds/kind.h"

#include <asiolink/io_address.h>
#include <dhcpsrv/cfg_hosts.h>
#include <dhcpsrv/cfg_subnets4.h>
#include <dhcpsrv/cfgmgr.h>
#include <dhcpsrv/host.h>
#include <dhcpsrv/shared_network.h>

#include <algorithm>
#include <initializer_list>
#include <unordered_map>

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

/* ---- the words, by object ---- */

struct Noted {
    boost::weak_ptr<const void> object; /* another object may come to its address */
    Configured words;
};

using Register = std::unordered_map<const void *, Noted>;

constexpr size_t PRUNE_FIRST = 1024;
constexpr size_t LAST_MAX = 1 << 20; /* words that are remembered; whose they were may have gone since */

Register noted;
size_t prune_at = PRUNE_FIRST;

/* The words of subnets and networks as they were read last: what a command of another library changes in them is told
 * by what is printed otherwise since. */
std::unordered_map<uint32_t, ConfiguredText> last_of_subnets;
std::unordered_map<std::string, ConfiguredText> last_of_networks;

/* Forgets objects that are gone, each time that there are twice as many as were left then. */
void prune()
{
    for (auto entry = noted.begin(); entry != noted.end();) {
        entry = entry->second.object.expired() ? noted.erase(entry) : std::next(entry);
    }
    prune_at = std::max(PRUNE_FIRST, 2 * noted.size());
}

/* ---- own words ---- */

/* What the server fills in has this in place of the file's name. */
bool is_default(const Element &element)
{
    return element.getPosition().file_ == "<default-value>";
}

ElementPtr without_defaults(const ConstElementPtr &element)
{
    if (element->getType() == Element::list) {
        const ElementPtr list = Element::createList();
        for (const auto &item : element->listValue()) {
            list->add(without_defaults(item));
        }
        return list;
    }
    if (element->getType() != Element::map) {
        return boost::const_pointer_cast<Element>(element);
    }
    const ElementPtr map = Element::createMap();
    for (const auto &[keyword, value] : element->mapValue()) {
        if (!is_default(*value)) {
            map->set(keyword, without_defaults(value));
        }
    }
    return map;
}

const auto &listed(const ConstElementPtr &map, const char *keyword)
{
    static const std::vector<ElementPtr> nothing;
    const ConstElementPtr list = map->get(keyword);
    return list && list->getType() == Element::list ? list->listValue() : nothing;
}

/* What the server has parsed of these words is the object; of a command's words it is only believed. */
enum class From { CONFIGURATION, COMMAND };

void take_subnet_words(const ConstSubnet4Ptr &subnet, const ElementPtr &words, From from)
{
    words->set("id", Element::create(static_cast<int64_t>(subnet->getID())));
    words->set("subnet", Element::create(subnet->toText()));
    const ConfiguredText text = configured_text(*words);
    if (from == From::CONFIGURATION) {
        SharedNetwork4Ptr network;
        subnet->getSharedNetwork(network);
        configured_note(subnet, text, network ? configured_words(network.get()).text : ConfiguredText());
    }
    configured_remember(subnet->getID(), text);
}

void take_network_words(const SharedNetwork4Ptr &network, const ElementPtr &words, From from)
{
    words->set("name", Element::create(network->getName()));
    const ConfiguredText text = configured_text(*words);
    if (from == From::CONFIGURATION) {
        configured_note(network, text);
    }
    configured_remember(network->getName(), text);
}

void take_reservation(const SrvConfig &configuration, isc::dhcp::SubnetID subnet_id, const ConstElementPtr &map,
                      From from)
{
    const ConstHostPtr host = map->getType() == Element::map ? configured_host(configuration, subnet_id, map) : nullptr;
    if (!host) {
        return;
    }
    const ElementPtr words = configured_own(map, {}, {"subnet-id"});
    /* A command may have put it into a database, and another of the same client is in the configuration. */
    if (from == From::CONFIGURATION || is_same(*ScopeParser::parse_host(subnet_id, isc::data::copy(words)), *host)) {
        configured_note(host, configured_text(*words));
    }
}

/* A subnet of a list in a configuration, and its reservations. One with server tags came from a configuration backend
 * and took the place of the one in the list. */
void take_subnet(const SrvConfig &configuration, const ConstElementPtr &map, const ConfiguredInherited &above,
                 From from)
{
    const ConstSubnet4Ptr subnet =
        map->getType() == Element::map ? find_configured(configuration, *map) : ConstSubnet4Ptr();
    if (!subnet || !subnet->getServerTags().empty()) {
        return;
    }
    take_subnet_words(subnet, configured_own(map, above, {"reservations"}), from);
    for (const auto &reservation : listed(map, "reservations")) {
        take_reservation(configuration, subnet->getID(), reservation, from);
    }
}

void take_network(const SrvConfig &configuration, const ConstElementPtr &map, const ConstElementPtr &globals, From from)
{
    const ConstElementPtr name = map->getType() == Element::map ? map->get("name") : ConstElementPtr();
    if (!name || name->getType() != Element::string) {
        return;
    }
    const SharedNetwork4Ptr network = configuration.getCfgSharedNetworks4()->getByName(name->stringValue());
    if (network && network->getServerTags().empty()) {
        take_network_words(network, configured_own(map, {globals}, {"subnet4"}), from);
    }
    for (const auto &subnet : listed(map, "subnet4")) {
        take_subnet(configuration, subnet, {map, globals}, from);
    }
}

/* The subnet of a reservation command's argument; 0 if it names none. */
isc::dhcp::SubnetID subnet_of_reservation(const ConstElementPtr &map)
{
    const ConstElementPtr id = map->get("subnet-id");
    return id && id->getType() == Element::integer && id->intValue() > 0
               ? static_cast<isc::dhcp::SubnetID>(id->intValue())
               : 0;
}

} // namespace

ElementPtr failover_sync::configured_own(const ConstElementPtr &map, const ConfiguredInherited &above,
                                         std::initializer_list<const char *> omitted)
{
    const ElementPtr own = Element::createMap();
    for (const auto &[keyword, value] : map->mapValue()) {
        const bool inherited =
            std::any_of(above.begin(), above.end(), [&name = keyword, &held = value](const auto &higher) {
                return higher && higher->get(name) == held;
            });
        const bool left_out =
            std::any_of(omitted.begin(), omitted.end(), [&name = keyword](const char *other) { return name == other; });
        if (!inherited && !left_out && !is_default(*value)) {
            own->set(keyword, without_defaults(value));
        }
    }
    return own;
}

ConstHostPtr failover_sync::configured_host(const SrvConfig &configuration, isc::dhcp::SubnetID subnet_id,
                                            const ConstElementPtr &map)
{
    for (const char *kind : {"hw-address", "duid", "client-id", "circuit-id", "flex-id"}) {
        const ConstElementPtr identifier = map->get(kind);
        if (!identifier || identifier->getType() != Element::string) {
            continue;
        }
        const isc::dhcp::Host host(identifier->stringValue(), kind, subnet_id, subnet_id,
                                   isc::asiolink::IOAddress::IPV4_ZERO_ADDRESS());
        return configuration.getCfgHosts()->get4(subnet_id, host.getIdentifierType(), host.getIdentifier().data(),
                                                 host.getIdentifier().size());
    }
    return ConstHostPtr();
}

ConfiguredText failover_sync::configured_text(const Element &words)
{
    return std::make_shared<const std::string>(canonical_text(words));
}

void failover_sync::configured_note(const boost::shared_ptr<const void> &object, const ConfiguredText &text,
                                    const ConfiguredText &around)
{
    if (noted.size() >= prune_at) {
        prune();
    }
    noted[object.get()] = {object, {text, around, nullptr, nullptr}};
}

void failover_sync::configured_refuse(const boost::shared_ptr<const void> &object, const ConfiguredText &text,
                                      const ConfiguredText &around)
{
    const Configured words = configured_words(object.get());
    configured_note(object, words.text, words.around);
    noted[object.get()].words.refused = text;
    noted[object.get()].words.refused_around = around;
}

void failover_sync::configured_forget(const void *object)
{
    noted.erase(object);
}

Configured failover_sync::configured_words(const void *object)
{
    const auto found = noted.find(object);
    return found == noted.end() || found->second.object.expired() ? Configured() : found->second.words;
}

void failover_sync::configured_remember(uint32_t subnet_id, const ConfiguredText &text)
{
    if (last_of_subnets.size() >= LAST_MAX) {
        last_of_subnets.clear();
    }
    if (text) {
        last_of_subnets[subnet_id] = text;
    } else {
        last_of_subnets.erase(subnet_id);
    }
}

void failover_sync::configured_remember(const std::string &network, const ConfiguredText &text)
{
    if (last_of_networks.size() >= LAST_MAX) {
        last_of_networks.clear();
    }
    last_of_networks[network] = text;
}

ConfiguredText failover_sync::configured_before(uint32_t subnet_id)
{
    const auto found = last_of_subnets.find(subnet_id);
    return found == last_of_subnets.end() ? nullptr : found->second;
}

ConfiguredText failover_sync::configured_before(const std::string &network)
{
    const auto found = last_of_networks.find(network);
    return found == last_of_networks.end() ? nullptr : found->second;
}

void failover_sync::configured_take(const ConstElementPtr &json, const SrvConfig &staged)
{
    for (const auto &subnet : listed(json, "subnet4")) {
        take_subnet(staged, subnet, {json}, From::CONFIGURATION);
    }
    for (const auto &network : listed(json, "shared-networks")) {
        take_network(staged, network, json, From::CONFIGURATION);
    }
    for (const Kind *kind : kinds()) {
        kind->take(json, staged);
    }
}

void failover_sync::configured_say(const std::string &command, const ConstElementPtr &arguments)
{
    if (!arguments || arguments->getType() != Element::map) {
        return;
    }
    const auto running = isc::dhcp::CfgMgr::instance().getCurrentCfg();
    const ConstElementPtr globals = running->getConfiguredGlobals()->toElement();
    if (command == "subnet4-add" || command == "subnet4-update") {
        for (const auto &subnet : listed(arguments, "subnet4")) {
            take_subnet(*running, subnet, {globals}, From::COMMAND);
        }
    } else if (command == "network4-add") {
        for (const auto &network : listed(arguments, "shared-networks")) {
            take_network(*running, network, globals, From::COMMAND);
        }
    } else if (command == "reservation-add" || command == "reservation-update") {
        const ConstElementPtr map = arguments->get("reservation");
        if (map && map->getType() == Element::map && subnet_of_reservation(map) != 0) {
            take_reservation(*running, subnet_of_reservation(map), map, From::COMMAND);
        }
    } else {
        for (const Kind *kind : kinds()) {
            kind->say(command, arguments);
        }
    }
}
