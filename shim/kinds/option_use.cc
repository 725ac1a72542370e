/* A walk over all options that a configuration holds, for those of one definition. */
#include "option_use.h"

#include <dhcp/libdhcp++.h>
#include <dhcpsrv/cfg_hosts.h>
#include <dhcpsrv/cfg_subnets4.h>
#include <dhcpsrv/client_class_def.h>
#include <dhcpsrv/parsers/option_data_parser.h>
#include <dhcpsrv/pool.h>
#include <dhcpsrv/shared_network.h>

using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::CfgOption;
using isc::dhcp::OptionDefinitionPtr;
using isc::dhcp::OptionDescriptor;
using isc::dhcp::OptionPtr;
using isc::dhcp::SrvConfig;
using isc::dhcp::Subnet4;

namespace
{

using namespace failover_sync;

class Search
{
  public:
    Search(const std::string &space, uint16_t code, const OptionIsMeant &is_meant)
        : space_(space), vendor_(isc::dhcp::LibDHCP::optionSpaceToVendorId(space)), code_(code), is_meant_(is_meant)
    {
    }

    bool in(const CfgOption &options) const
    {
        return !options.empty() && (among(options.getAll(space_)) || (vendor_ != 0 && among(options.getAll(vendor_))));
    }

    /* The options of a class may have a definition of its own. */
    bool in(const isc::dhcp::ClientClassDef &each) const
    {
        const auto &own = each.getCfgOptionDef();
        return in(*each.getCfgOption()) && !(own && own->get(space_, code_));
    }

    std::string in_subnet(const SrvConfig &configuration, const Subnet4 &subnet) const
    {
        if (in(*subnet.getCfgOption())) {
            return "subnet " + subnet.toText();
        }
        for (const auto &pool : subnet.getPools(isc::dhcp::Lease::TYPE_V4)) {
            if (in(*pool->getCfgOption())) {
                return "pool " + pool->getFirstAddress().toText() + " of subnet " + subnet.toText();
            }
        }
        return in_reservations(configuration, subnet.getID());
    }

    std::string in_reservations(const SrvConfig &configuration, isc::dhcp::SubnetID subnet_id) const
    {
        for (const auto &host : configuration.getCfgHosts()->getAll4(subnet_id)) {
            if (in(*host->getCfgOption4())) {
                return "reservation " + host->getIdentifierAsText();
            }
        }
        return "";
    }

  private:
    bool among(const isc::dhcp::OptionContainerPtr &container) const
    {
        const auto range = container->get<1>().equal_range(code_);
        for (auto each = range.first; each != range.second; ++each) {
            if (each->option_ && is_meant_(*each)) {
                return true;
            }
        }
        return false;
    }

    std::string space_;
    uint32_t vendor_;
    uint16_t code_;
    const OptionIsMeant &is_meant_;
};

/* What an option has by itself, without the suboptions that were put into it. */
std::vector<uint8_t> bytes_alone(const OptionPtr &option)
{
    const OptionPtr alone = option->clone();
    while (!alone->getOptions().empty()) {
        (void)alone->delOption(alone->getOptions().begin()->first);
    }
    return alone->toBinary();
}

} // namespace

std::string failover_sync::option_user(const SrvConfig &configuration, const std::string &space, uint16_t code,
                                       const OptionIsMeant &is_meant)
{
    const Search search(space, code, is_meant);
    if (search.in(*configuration.getCfgOption())) {
        return "the global option-data";
    }
    for (const auto &each : *configuration.getClientClassDictionary()->getClasses()) {
        if (search.in(*each)) {
            return "client class '" + each->getName() + "'";
        }
    }
    for (const auto &network : *configuration.getCfgSharedNetworks4()->getAll()) {
        if (search.in(*network->getCfgOption())) {
            return "shared network '" + network->getName() + "'";
        }
    }
    for (const auto &subnet : *configuration.getCfgSubnets4()->getAll()) {
        const std::string found = search.in_subnet(configuration, *subnet);
        if (!found.empty()) {
            return found;
        }
    }
    return search.in_reservations(configuration, isc::dhcp::SUBNET_ID_GLOBAL);
}

bool failover_sync::is_same_by(const OptionDefinitionPtr &definition, const OptionDescriptor &option)
{
    const bool is_text = !option.formatted_value_.empty();
    const isc::dhcp::CfgOptionDefPtr definitions(new isc::dhcp::CfgOptionDef());
    definitions->add(definition);
    const ElementPtr words = Element::createMap();
    words->set("space", Element::create(definition->getOptionSpaceName()));
    words->set("code", Element::create(static_cast<int64_t>(definition->getCode())));
    words->set("csv-format", Element::create(is_text));
    words->set("data", Element::create(is_text ? option.formatted_value_ : hexadecimal(option.option_->toBinary())));
    try {
        const OptionPtr made = isc::dhcp::OptionDataParser(AF_INET, definitions).parse(words).first.option_;
        return made->getEncapsulatedSpace() == option.option_->getEncapsulatedSpace() &&
               (is_text ? bytes_alone(made) == bytes_alone(option.option_)
                        : made->toBinary() == option.option_->toBinary());
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        return false;
    }
}

std::string failover_sync::option_tester(const SrvConfig &configuration, const std::string &option_name)
{
    for (const auto &each : *configuration.getClientClassDictionary()->getClasses()) {
        const std::string test = each->getTest();
        for (size_t at = test.find(option_name, 1); at != std::string::npos; at = test.find(option_name, at + 1)) {
            const size_t before = test.find_last_not_of(" \t\n", at - 1);
            const size_t after = test.find_first_not_of(" \t\n", at + option_name.size());
            if (before != std::string::npos && test[before] == '[' && after != std::string::npos &&
                test[after] == ']') {
                return each->getName();
            }
        }
    }
    return "";
}
