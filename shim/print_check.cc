/* Whether the server prints all that it has in a scope or another object. Some releases print numbers with fewer digits
 * than they have or as no JSON, and options of type "empty" without their data: what is lost in the print would be lost
 * at the partner. So what is printed is read back, as the server would, and compared with what the server holds. */
#include "shim.h"

#include <dhcp/libdhcp++.h>
#include <dhcpsrv/cfg_option.h>
#include <dhcpsrv/client_class_def.h>
#include <dhcpsrv/host.h>
#include <dhcpsrv/parsers/option_data_parser.h>
#include <dhcpsrv/pool.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <tuple>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::CfgOption;
using isc::dhcp::CfgOptionPtr;

namespace
{

using namespace failover_sync;

constexpr size_t VALUE_MAX = 48; /* characters of a value that are told */

/* ---- numbers, texts and names ---- */

/* What every parser reads as it stands. */
bool is_plain(const std::string &text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; });
}

bool same_value(const Element &a, const Element &b)
{
    return a.getType() == b.getType() &&
           (a.getType() == Element::real ? a.doubleValue() == b.doubleValue() : a.equals(b));
}

/* For what holds no other elements, or for a map of one. */
bool reads_back(const Element &element)
{
    const std::string text = element.str();
    if (!kea_json_accepted(text.c_str())) {
        return false;
    }
    try {
        return same_value(*Element::fromJSON(text), element);
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        return false;
    }
}

bool is_printed(const Element &element)
{
    switch (element.getType()) {
    case Element::integer:
    case Element::boolean:
    case Element::null:
        return true;
    case Element::string:
        return is_plain(element.stringValue()) || reads_back(element);
    default:
        return reads_back(element);
    }
}

bool is_printed(const std::string &keyword)
{
    if (is_plain(keyword)) {
        return true;
    }
    const ElementPtr map = Element::createMap();
    map->set(keyword, Element::create(true));
    return reads_back(*map);
}

/* In place of what is not printed as it is. */
std::string shown(const Element &element)
{
    if (element.getType() == Element::real) {
        char text[40] = "";
        for (int digits = 15; digits <= 17 && strtod(text, nullptr) != element.doubleValue(); ++digits) {
            (void)snprintf(text, sizeof text, "%.*g", digits, element.doubleValue());
        }
        return text;
    }
    return element.getType() == Element::string ? "a text" : "a value";
}

/* ---- options ---- */

/* Longer ones by a fingerprint, so that a change is seen. */
std::string shortened(const std::string &text)
{
    return text.size() <= VALUE_MAX ? text : fingerprint_of(text.data(), text.size()).hex;
}

/* Space, code and what goes into a packet, those of suboptions included. */
using OptionBytes = std::multiset<std::tuple<std::string, uint16_t, std::string>>;

void add_options(OptionBytes &found, const std::string &space, const isc::dhcp::OptionContainerPtr &container)
{
    for (const auto &descriptor : *container) {
        if (descriptor.option_) {
            found.emplace(space, descriptor.option_->getType(), hexadecimal(descriptor.option_->toBinary()));
        }
    }
}

/* Calls `each` with the name and the options of every space. */
template <typename Each> void each_space(const CfgOption &options, Each each)
{
    for (const std::string &space : options.getOptionSpaceNames()) {
        each(space, options.getAll(space));
    }
    for (const std::string &space : options.getVendorIdsSpaceNames()) {
        each(space, options.getAll(isc::dhcp::LibDHCP::optionSpaceToVendorId(space)));
    }
}

OptionBytes bytes_of(const CfgOption &options)
{
    OptionBytes found;
    each_space(options, [&](const std::string &space, const auto &container) { add_options(found, space, container); });
    return found;
}

/* Options that were configured as text are printed as that text: only the others are looked at. */
bool has_raw(const CfgOption &options)
{
    bool found = false;
    if (!options.empty()) {
        each_space(options, [&](const std::string &, const auto &container) {
            for (const auto &descriptor : *container) {
                found = found || (descriptor.option_ && descriptor.formatted_value_.empty());
            }
        });
    }
    return found;
}

} // namespace

void failover_sync::PrintCheck::note(const std::string &what, const std::string &value)
{
    if (reason_.empty()) {
        reason_ = KEA_UNPRINTED + what + " as it is: " + shortened(value);
    }
}

/* Where an element is, for a message. */
struct failover_sync::PrintCheck::Place {
    const Place *above;
    std::string keyword;

    std::string text() const
    {
        return above && !above->keyword.empty() ? above->text() + "/" + keyword : keyword;
    }
};

ConstElementPtr failover_sync::PrintCheck::legible_list(const ConstElementPtr &list, const Place &place)
{
    ElementPtr changed;
    const auto &items = list->listValue();
    for (size_t i = 0; i < items.size(); ++i) {
        const ConstElementPtr item = items[i];
        const ConstElementPtr now = legible(item, place);
        if (now != item && !changed) {
            changed = Element::createList();
            for (size_t k = 0; k < i; ++k) {
                changed->add(items[k]);
            }
        }
        if (changed) {
            changed->add(boost::const_pointer_cast<Element>(now));
        }
    }
    return changed ? ConstElementPtr(changed) : list;
}

ConstElementPtr failover_sync::PrintCheck::legible_map(const ConstElementPtr &map, const Place &place)
{
    ElementPtr changed;
    for (const auto &[keyword, value] : map->mapValue()) {
        const bool named = is_printed(keyword);
        const bool leaf = value->getType() != Element::list && value->getType() != Element::map;
        if (named && leaf && is_printed(*value)) {
            continue;
        }
        const Place below = {&place, named ? keyword : "a keyword"};
        const ConstElementPtr now = named ? legible(value, below) : ConstElementPtr();
        if (!named) {
            note(below.text(), keyword);
        }
        if (now == value) {
            continue;
        }
        if (!changed) {
            changed = Element::createMap();
            changed->setValue(map->mapValue());
        }
        if (now) {
            changed->set(keyword, now);
        } else {
            changed->remove(keyword);
        }
    }
    return changed ? ConstElementPtr(changed) : map;
}

ConstElementPtr failover_sync::PrintCheck::legible(const ConstElementPtr &element, const Place &place)
{
    switch (element->getType()) {
    case Element::list:
        return legible_list(element, place);
    case Element::map:
        return legible_map(element, place);
    default:
        if (is_printed(*element)) {
            return element;
        }
        note(place.text(), shown(*element));
        return Element::create(shown(*element));
    }
}

ConstElementPtr failover_sync::PrintCheck::elements(const ConstElementPtr &map)
{
    return legible(map, {nullptr, ""});
}

void failover_sync::PrintCheck::options(const isc::dhcp::ConstCfgOptionPtr &held, const std::string &where,
                                        const isc::dhcp::CfgOptionDefPtr &definitions)
{
    if (!reason_.empty() || !has_raw(*held)) {
        return;
    }
    const CfgOptionPtr read(new CfgOption());
    try {
        isc::dhcp::OptionDataListParser parser(AF_INET, definitions);
        release::parse_options(parser, read, release::print_options(*held, definitions), *held);
    } catch (const isc::Exception &error) {
        note("the options of " + where, error.what());
        return;
    }
    const OptionBytes has = bytes_of(*held);
    const OptionBytes prints = bytes_of(*read);
    for (const auto &option : has) {
        if (has.count(option) != prints.count(option)) {
            note("option " + std::to_string(std::get<1>(option)) + " (" + std::get<0>(option) + ") of " + where,
                 std::get<2>(option));
            return;
        }
    }
}

void failover_sync::PrintCheck::network_options(const isc::dhcp::SharedNetwork4 &network)
{
    options(network.getCfgOption(), "its shared network");
}

void failover_sync::PrintCheck::subnet_options(const isc::dhcp::Subnet4 &subnet)
{
    options(subnet.getCfgOption(), "the subnet");
    for (const auto &pool : subnet.getPools(isc::dhcp::Lease::TYPE_V4)) {
        options(pool->getCfgOption(), "pool " + pool->getFirstAddress().toText());
    }
}

void failover_sync::PrintCheck::reservation_options(const isc::dhcp::Host &host)
{
    options(host.getCfgOption4(), "reservation " + host.getIdentifierAsText());
}

void failover_sync::PrintCheck::class_options(const isc::dhcp::ClientClassDef &client_class)
{
    options(client_class.getCfgOption(), "the class", client_class.getCfgOptionDef());
}

bool failover_sync::same_options(const CfgOption &one, const CfgOption &other)
{
    return bytes_of(one) == bytes_of(other);
}
