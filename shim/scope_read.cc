/* Reading scopes: which configuration is meant, which scopes it has, and how one is printed. Changing them is
 * scope_apply.cc's business. */
#include "shim.h"

#include <dhcpsrv/cfg_hosts.h>
#include <dhcpsrv/cfg_subnets4.h>
#include <dhcpsrv/cfgmgr.h>
#include <dhcpsrv/shared_network.h>
#include <exceptions/exceptions.h>

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

/* A list of maps in the order of their texts: the server's own order is that of a hash or of insertion. */
using Ordered = std::multimap<std::string, ElementPtr>;

ElementPtr list_of(const Ordered &ordered)
{
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
ElementPtr definition_of(const std::string &reason, const ConstElementPtr &network, const ConstElementPtr &subnet)
{
    const ElementPtr definition = Element::createMap();
    if (!reason.empty()) {
        definition->set(KEA_UNPRINTED_KEYWORD, Element::create(reason));
    }
    if (network) {
        definition->set("shared-network", network);
    }
    definition->set("subnet4", subnet);
    return definition;
}

struct fingerprint fingerprint_of_text(const std::string &text)
{
    return fingerprint_of(text.data(), text.size());
}

/* One scope being read: its words as they were configured, and as the server prints them. */
class Reading
{
  public:
    Reading(enum kea_configuration which, const SrvConfig &configuration, const ConstSubnet4Ptr &subnet)
    {
        SharedNetwork4Ptr network;
        subnet->getSharedNetwork(network);
        ConfiguredText around;
        if (network) {
            const Words words = words_of(which, network);
            note(words);
            around = words.text;
            network_own_ = words.own;
            network_printed_ = words.printed;
            network_raw_ = words.raw;
        }
        const Words words = words_of(which, subnet, around);
        note(words);
        subnet_own_ = words.own;
        subnet_printed_ = isc::data::ElementPtr(Element::createMap());
        subnet_printed_->setValue(words.printed->mapValue());
        subnet_raw_ = Element::createMap();
        subnet_raw_->setValue(words.raw->mapValue());
        read_hosts(configuration, subnet->getID());
    }

    void fill(struct kea_object *scope) const
    {
        const ConstElementPtr replicated =
            definition_of(reason_, without_local(network_own_), without_local(subnet_own_));
        scope->definition = duplicate(canonical_text(*definition_of(reason_, network_own_, subnet_own_)));
        scope->replicated = duplicate(canonical_text(*replicated));
        scope->effective =
            duplicate(canonical_text(*definition_of(printed_reason_, network_printed_, subnet_printed_)));
        scope->fingerprint = fingerprint_of_text(meaning_of_scope(replicated));
        scope->printed = written_fingerprint();
    }

  private:
    /* Of the text that the server writes into a file, as it is read again: with what is lost in print. Another server
     * may not be able to read it at all. */
    struct fingerprint written_fingerprint() const
    {
        ConstElementPtr text = definition_of("", without_local(network_raw_), without_local(subnet_raw_));
        if (!printed_reason_.empty()) {
            const std::string written = text->str();
            try {
                text = Element::fromJSON(written);
            } catch (const isc::Exception &) {
                return fingerprint_of_text(written);
            }
        }
        return fingerprint_of_text(meaning_of_scope(text));
    }

    void note(const Words &words)
    {
        if (printed_reason_.empty()) {
            printed_reason_ = words.reason;
        }
        if (reason_.empty() && !words.configured) {
            reason_ = words.reason;
        }
    }

    void read_hosts(const SrvConfig &configuration, isc::dhcp::SubnetID subnet_id)
    {
        Ordered own, printed;
        const ElementPtr raw = Element::createList();
        for (const auto &host : configuration.getCfgHosts()->getAll4(subnet_id)) {
            const Words words = words_of(host);
            note(words);
            own.emplace(canonical_text(*words.own), words.own);
            printed.emplace(words.printed->str(), boost::const_pointer_cast<Element>(words.printed));
            raw->add(boost::const_pointer_cast<Element>(words.raw));
        }
        if (!own.empty()) {
            subnet_own_->set("reservations", list_of(own));
        }
        subnet_printed_->set("reservations", list_of(printed));
        subnet_raw_->set("reservations", raw);
    }

    ElementPtr network_own_, subnet_own_, subnet_printed_, subnet_raw_;
    ConstElementPtr network_printed_, network_raw_;
    std::string reason_, printed_reason_;
};

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

ElementPtr failover_sync::network_element(const isc::dhcp::SharedNetwork4 &network)
{
    /* SharedNetwork4's own function prints all its subnets. */
    const ElementPtr map = network.isc::dhcp::Network4::toElement();
    map->set("name", Element::create(network.getName()));
    return map;
}

struct result failover_sync::scope_get(enum kea_configuration which, uint32_t subnet_id,
                                       struct kea_object *scope) noexcept
{
    *scope = {};
    const struct result outcome = run_guarded("scope_get", [&] {
        const SrvConfigPtr configuration = configuration_of(which);
        const ConstSubnet4Ptr subnet = configuration->getCfgSubnets4()->getBySubnetId(subnet_id);
        if (!subnet) {
            if (which == KEA_RUNNING) {
                configured_remember(subnet_id, nullptr);
            }
            return not_found(subnet_id);
        }
        scope->id = subnet_id;
        scope->name = duplicate(subnet->toText());
        Reading(which, *configuration, subnet).fill(scope);
        if (fingerprint_empty(scope->fingerprint) || fingerprint_empty(scope->printed)) {
            return result_no_memory("a fingerprint");
        }
        return result_ok();
    });
    if (result_failed(outcome)) {
        kea_object_clear(scope);
    }
    return outcome;
}

struct result failover_sync::network_scope_ids(enum kea_configuration which, const char *network, object_id **ids,
                                               size_t *count) noexcept
{
    *ids = nullptr;
    *count = 0;
    return run_guarded("network_scope_ids", [&] {
        const SharedNetwork4Ptr found = configuration_of(which)->getCfgSharedNetworks4()->getByName(network);
        if (!found || found->getAllSubnets()->empty()) {
            return result_ok();
        }
        object_id *list = static_cast<object_id *>(malloc(found->getAllSubnets()->size() * sizeof *list));
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

struct result failover_sync::scope_find(enum kea_configuration which, const char *prefix, object_id *id) noexcept
{
    return run_guarded("scope_find", [&] {
        const ConstSubnet4Ptr subnet = configuration_of(which)->getCfgSubnets4()->getByPrefix(prefix);
        if (!subnet) {
            return result_error(RESULT_NOT_FOUND, "there is no scope %s", prefix);
        }
        *id = subnet->getID();
        return result_ok();
    });
}
