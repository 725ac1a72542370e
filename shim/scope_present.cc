/* Whether a scope is there already as a definition says, so that it need only be told in the definition's words. */
#include "shim.h"

#include <dhcpsrv/cfg_hosts.h>
#include <dhcpsrv/cfg_subnets4.h>
#include <dhcpsrv/shared_network.h>
#include <exceptions/exceptions.h>

#include <algorithm>

using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::ConstHostPtr;
using isc::dhcp::ConstSubnet4Ptr;
using isc::dhcp::SharedNetwork4Ptr;
using isc::dhcp::SrvConfig;

namespace
{

using namespace failover_sync;

/* A scope as it is in a configuration. */
struct There {
    ConstSubnet4Ptr subnet; /* null: there is none of that id */
    SharedNetwork4Ptr network;
    isc::dhcp::ConstHostCollection hosts;
};

There look_up(const SrvConfig &configuration, isc::dhcp::SubnetID subnet_id)
{
    There there;
    there.subnet = configuration.getCfgSubnets4()->getBySubnetId(subnet_id);
    if (there.subnet) {
        there.subnet->getSharedNetwork(there.network);
        there.hosts = configuration.getCfgHosts()->getAll4(subnet_id);
    }
    return there;
}

/* The reservation of the same client; null if there is none. */
ConstHostPtr find_same(const SrvConfig &configuration, const isc::dhcp::Host &host, isc::dhcp::SubnetID subnet_id)
{
    return configuration.getCfgHosts()->get4(subnet_id, host.getIdentifierType(), host.getIdentifier().data(),
                                             host.getIdentifier().size());
}

bool is_same_network(const SharedNetwork4Ptr &there, const SharedNetwork4Ptr &parsed, bool keep_network)
{
    if (!there || !parsed) {
        return !there && !parsed;
    }
    return there->getName() == parsed->getName() && (keep_network || is_same(*there, *parsed));
}

/* What the server would write of a scope, as it is read again; a text that cannot be read stands for itself. */
template <typename Hosts>
std::string written_meaning(const isc::dhcp::Subnet4 &subnet, const SharedNetwork4Ptr &network, const Hosts &hosts)
{
    const ElementPtr definition = Element::createMap();
    const ElementPtr words = subnet.toElement();
    const ElementPtr reservations = Element::createList();
    for (const auto &host : hosts) {
        reservations->add(host->toElement4());
    }
    words->set("reservations", reservations);
    definition->set("subnet4", words);
    if (network) {
        definition->set("shared-network", network_element(*network));
    }
    const std::string text = definition->str();
    try {
        return meaning_of_scope(Element::fromJSON(text));
    } catch (const isc::Exception &) {
        return text;
    }
}

} // namespace

Presence failover_sync::scope_presence(const SrvConfig &configuration, const ParsedScope &scope, bool keep_network)
{
    const There there = look_up(configuration, scope.subnet->getID());
    if (!there.subnet) {
        return Presence::OTHERWISE;
    }
    if (is_same(*there.subnet, *scope.subnet) && is_same_network(there.network, scope.network, keep_network) &&
        there.hosts.size() == scope.hosts.size() &&
        std::all_of(scope.hosts.begin(), scope.hosts.end(), [&](const auto &host) {
            const auto other = find_same(configuration, *host, scope.subnet->getID());
            return other && is_same(*other, *host);
        })) {
        return Presence::SAME;
    }
    return written_meaning(*there.subnet, there.network, there.hosts) ==
                   written_meaning(*scope.subnet, keep_network ? there.network : scope.network, scope.hosts)
               ? Presence::WRITTEN_ALIKE
               : Presence::OTHERWISE;
}

void failover_sync::scope_take_words(const SrvConfig &configuration, const ParsedScope &scope, bool keep_network)
{
    const There there = look_up(configuration, scope.subnet->getID());
    if (there.network && !keep_network) {
        configured_note(there.network, scope.network_words);
    }
    for (const auto &host : scope.hosts) {
        configured_note(find_same(configuration, *host, scope.subnet->getID()), configured_words(host.get()).text);
    }
    configured_note(there.subnet, configured_words(scope.subnet.get()).text, scope.network_words);
}
