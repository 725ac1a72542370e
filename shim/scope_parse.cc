/* From a definition, which may come from the network, to the server's objects. Nothing is put in place here, and
 * neither of the server's configurations is touched. */
#include "shim.h"

#include <dhcpsrv/cfg_subnets4.h>
#include <dhcpsrv/host.h>
#include <dhcpsrv/parsers/dhcp_parsers.h>
#include <dhcpsrv/parsers/host_reservation_parser.h>
#include <dhcpsrv/parsers/host_reservations_list_parser.h>
#include <dhcpsrv/parsers/shared_network_parser.h>
#include <dhcpsrv/parsers/simple_parser4.h>
#include <dhcpsrv/shared_network.h>
#include <exceptions/exceptions.h>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::ConstSubnet4Ptr;
using isc::dhcp::HostCollection;
using isc::dhcp::SharedNetwork4Ptr;

namespace
{

using namespace failover_sync;

/* The map under `keyword`, to be changed: everything in a parsed definition is its own. */
ElementPtr map_in(const ElementPtr &definition, const char *keyword)
{
    const ConstElementPtr map = definition->get(keyword);
    if (map && map->getType() != Element::map) {
        isc_throw(isc::BadValue, "its definition's " << keyword << " is not a map");
    }
    return boost::const_pointer_cast<Element>(map);
}

ElementPtr list_of(const ElementPtr &map)
{
    const ElementPtr list = Element::createList();
    list->add(map);
    return list;
}

void check_identity(const ConstElementPtr &subnet, uint32_t subnet_id, const std::string &prefix)
{
    const ConstElementPtr id = subnet->get("id");
    const ConstElementPtr text = subnet->get("subnet");
    if (subnet_id == 0) {
        isc_throw(isc::BadValue, "its id is 0, which only a configuration file may have: give it one");
    }
    if (!id || id->getType() != Element::integer || id->intValue() != subnet_id) {
        isc_throw(isc::BadValue, "its definition has another id than " << subnet_id);
    }
    if (!text || text->getType() != Element::string || text->stringValue() != prefix) {
        isc_throw(isc::BadValue, "its definition has another prefix than " << prefix);
    }
}

/* The server refuses a file in which they differ. */
void check_membership(const isc::dhcp::Subnet4 &subnet, const isc::dhcp::SharedNetwork4 &network,
                      const ConstElementPtr &authoritative_by_default)
{
    const auto own = isc::dhcp::Network::Inheritance::NONE;
    const auto subnet_authority = subnet.getAuthoritative(own);
    const auto network_authority = network.getAuthoritative(own);
    const bool expected = network_authority.unspecified()
                              ? authoritative_by_default && authoritative_by_default->boolValue()
                              : network_authority.get();
    if (!subnet_authority.unspecified() && subnet_authority.get() != expected) {
        isc_throw(isc::BadValue, "its \"authoritative\" differs from that of its shared network "
                                     << network.getName() << ": set both to the same value");
    }
    const std::string subnet_interface = subnet.getIface(own);
    const std::string network_interface = network.getIface(own);
    if (!subnet_interface.empty() && !network_interface.empty() && subnet_interface != network_interface) {
        isc_throw(isc::BadValue, "its \"interface\" " << subnet_interface << " differs from " << network_interface
                                                      << ", that of its shared network " << network.getName()
                                                      << ": set both to the same value");
    }
}

HostCollection parse_reservations(const isc::dhcp::Subnet4 &subnet, const ConstElementPtr &list)
{
    HostCollection hosts;
    if (!list) {
        return hosts;
    }
    isc::dhcp::HostReservationsListParser<isc::dhcp::HostReservationParser4> parser;
    parser.parse(subnet.getID(), list, hosts);
    for (const auto &host : hosts) {
        const auto &address = host->getIPv4Reservation();
        if (!address.isV4Zero() && !subnet.inRange(address)) {
            isc_throw(isc::BadValue, "its reservation of " << address << " lies outside " << subnet.toText());
        }
    }
    return hosts;
}

} // namespace

failover_sync::ScopeParser::ScopeParser(enum kea_configuration which)
    : which_(which), configuration_(configuration_of(which)),
      globals_(isc::data::copy(configuration_->getConfiguredGlobals()->toElement()))
{
}

/* Local parameters are those of the scope at hand. Where there is none yet, a definition brings its own only at a
 * restart, when it comes from our store: the partner's mean nothing here. */
void failover_sync::ScopeParser::settle_local(const ElementPtr &map, const ConstElementPtr &here) const
{
    if (!here && which_ == KEA_STAGED) {
        return;
    }
    for (const char *const *keyword = the_plugin ? plugin_local_parameters(the_plugin) : nullptr; keyword && *keyword;
         ++keyword) {
        const ConstElementPtr value = here ? here->get(*keyword) : ConstElementPtr();
        if (value) {
            map->set(*keyword, isc::data::copy(value));
        } else {
            map->remove(*keyword);
        }
    }
}

void failover_sync::ScopeParser::settle_local(uint32_t subnet_id, const ElementPtr &subnet,
                                              const ElementPtr &network) const
{
    const ConstSubnet4Ptr subnet_here = configuration_->getCfgSubnets4()->getBySubnetId(subnet_id);
    SharedNetwork4Ptr around;
    if (subnet_here) {
        subnet_here->getSharedNetwork(around);
    }
    settle_local(subnet,
                 subnet_here
                     ? words_of(which_, subnet_here, around ? words_of(which_, around).text : ConfiguredText()).own
                     : ElementPtr());
    if (network) {
        const ConstElementPtr name = network->get("name");
        if (!name || name->getType() != Element::string || name->stringValue().empty()) {
            isc_throw(isc::BadValue, "its shared network has no name");
        }
        const SharedNetwork4Ptr network_here = configuration_->getCfgSharedNetworks4()->getByName(name->stringValue());
        settle_local(network, network_here ? words_of(which_, network_here).own : ElementPtr());
    }
}

/* What stands in no scope comes from above, as it does in a file. */
void failover_sync::ScopeParser::derive(const char *place, const ElementPtr &map)
{
    globals_->set(place, list_of(map));
    isc::dhcp::SimpleParser4::setAllDefaults(globals_);
    isc::dhcp::SimpleParser4::deriveParameters(globals_);
    globals_->remove(place);
}

/* A parser keeps the pools it has seen: one for each subnet. Interfaces are local and may come and go: unchecked. */
isc::dhcp::Subnet4Ptr failover_sync::ScopeParser::parse_subnet(const ElementPtr &subnet, const ElementPtr &network)
{
    if (network) {
        network->set("subnet4", list_of(subnet));
        derive("shared-networks", network);
        network->remove("subnet4");
    } else {
        derive("subnet4", subnet);
    }
    isc::dhcp::Subnet4ConfigParser parser(false);
    return parser.parse(subnet);
}

SharedNetwork4Ptr failover_sync::ScopeParser::parse_network(const ElementPtr &network)
{
    derive("shared-networks", network);
    isc::dhcp::SharedNetwork4Parser parser(false);
    return parser.parse(network);
}

isc::dhcp::HostPtr failover_sync::ScopeParser::parse_host(isc::dhcp::SubnetID subnet_id, const ElementPtr &words)
{
    isc::dhcp::HostReservationParser4 parser;
    return parser.parse(subnet_id, words);
}

ParsedScope failover_sync::ScopeParser::parse(uint32_t subnet_id, const std::string &prefix,
                                              const std::string &definition_text, bool keep_network)
{
    const struct result bounds =
        json_bounds_check("its definition", definition_text.data(), definition_text.size(), &json_stored_bounds);
    if (result_failed(bounds)) {
        isc_throw(isc::BadValue, bounds.message);
    }
    const ElementPtr definition = Element::fromJSON(definition_text);
    if (definition->getType() != Element::map) {
        isc_throw(isc::BadValue, "its definition is not a map");
    }
    if (definition->contains(KEA_UNPRINTED_KEYWORD)) {
        isc_throw(isc::BadValue, "its definition is not all of it: " << definition->get(KEA_UNPRINTED_KEYWORD)->str());
    }
    const ElementPtr subnet = map_in(definition, "subnet4");
    ElementPtr network = map_in(definition, "shared-network");
    if (!subnet) {
        isc_throw(isc::BadValue, "its definition has no subnet4");
    }
    check_identity(subnet, subnet_id, prefix);
    settle_local(subnet_id, subnet, network);
    const SharedNetwork4Ptr kept =
        keep_network && network
            ? configuration_->getCfgSharedNetworks4()->getByName(network->get("name")->stringValue())
            : SharedNetwork4Ptr();
    if (kept) {
        network = isc::data::copy(words_of(which_, kept).own);
    }

    /* Parsed with the subnet, reservations would land in the staged configuration. */
    const ConstElementPtr reservations = subnet->get("reservations");
    subnet->remove("reservations");

    /* The texts first: parsing adds to the words what they inherit. */
    ParsedScope scope;
    const ConfiguredText subnet_text = configured_text(*subnet);
    std::vector<ConfiguredText> host_texts;
    if (reservations && reservations->getType() == Element::list) {
        for (const auto &reservation : reservations->listValue()) {
            host_texts.push_back(configured_text(*reservation));
        }
    }
    if (network) {
        scope.network_words = configured_text(*network);
    }

    scope.subnet = parse_subnet(subnet, network);
    scope.hosts = parse_reservations(*scope.subnet, reservations);
    configured_note(scope.subnet, subnet_text, scope.network_words);
    for (size_t i = 0; i < scope.hosts.size() && i < host_texts.size(); ++i) {
        configured_note(scope.hosts[i], host_texts[i]);
    }
    if (network) {
        isc::dhcp::SharedNetwork4Parser network_parser(false);
        scope.network = network_parser.parse(network);
        configured_note(scope.network, scope.network_words);
        check_membership(*scope.subnet, *scope.network, globals_->get("authoritative"));
    }
    return scope;
}
