/* What a text of configuration means to the server, in one form for all spellings of it: options by their bytes, ranges
 * by their ends, identifiers by their digits, lists in an order of their own where the order means nothing, and without
 * keywords that state what is so without them. Texts are compared by their fingerprints over this form. */
#include "meaning.h"
#include "shim.h"

#include <asiolink/addr_utilities.h>
#include <asiolink/io_address.h>
#include <dhcp/dhcp4.h>
#include <dhcpsrv/host.h>
#include <dhcpsrv/parsers/option_data_parser.h>

#include <algorithm>
#include <map>

using isc::asiolink::IOAddress;
using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;

namespace
{

using namespace failover_sync;

/* ---- keywords ---- */

constexpr Default SUBNET_DEFAULTS[] = {
    {"4o6-interface", "\"\""},
    {"4o6-interface-id", "\"\""},
    {"4o6-subnet", "\"\""},
    {"client-classes", "[  ]"},
    {"evaluate-additional-classes", "[  ]"},
    {"interface", "\"\""},
    {"option-data", "[  ]"},
    {"pools", "[  ]"},
    {"reservations", "[  ]"},
    {"user-context", "{  }"},
};

constexpr Default POOL_DEFAULTS[] = {
    {"client-classes", "[  ]"}, {"evaluate-additional-classes", "[  ]"}, {"option-data", "[  ]"}, {"pool-id", "0"},
    {"user-context", "{  }"},
};

constexpr Default RESERVATION_DEFAULTS[] = {
    {"boot-file-name", "\"\""},    {"client-classes", "[  ]"},     {"hostname", "\"\""},
    {"ip-address", "\"0.0.0.0\""}, {"next-server", "\"0.0.0.0\""}, {"option-data", "[  ]"},
    {"server-hostname", "\"\""},   {"user-context", "{  }"},
};

/* Older releases' names of what newer ones say otherwise. */
void take_new_names(const ElementPtr &map)
{
    const ConstElementPtr one = map->get("client-class");
    if (is_of(one, Element::string)) {
        const ElementPtr list = Element::createList();
        if (!one->stringValue().empty()) {
            list->add(Element::create(one->stringValue()));
        }
        map->remove("client-class");
        map->set("client-classes", list);
    }
    if (const ConstElementPtr additional = map->get("require-client-classes")) {
        map->remove("require-client-classes");
        map->set("evaluate-additional-classes", additional);
    }
}

/* ---- lists ---- */

/* The list with each element replaced by `form`; ordered by `key`, those of one key as they were. */
template <typename Key, typename Form> ElementPtr ordered(const ConstElementPtr &list, Key key, Form form)
{
    std::multimap<decltype(key(ConstElementPtr())), ConstElementPtr> entries;
    for (const auto &item : list->listValue()) {
        const ConstElementPtr formed = form(ConstElementPtr(item));
        entries.emplace(key(formed), formed);
    }
    const ElementPtr result = Element::createList();
    for (const auto &entry : entries) {
        result->add(boost::const_pointer_cast<Element>(entry.second));
    }
    return result;
}

template <typename Form> void replace_list(const ElementPtr &map, const char *keyword, Form form)
{
    const ConstElementPtr list = map->get(keyword);
    if (is_of(list, Element::list)) {
        map->set(keyword, form(list));
    }
}

std::string whole_text(const ConstElementPtr &element)
{
    return canonical_text(*element);
}

/* ---- options ---- */

/* The option as the server makes it; as it stands if the server would not. */
ConstElementPtr option_form(const ConstElementPtr &option, const isc::dhcp::CfgOptionDefPtr &definitions)
{
    if (!is_of(option, Element::map)) {
        return option;
    }
    const ElementPtr form = copy_of(option);
    try {
        isc::dhcp::OptionDataParser parser(AF_INET, definitions);
        const auto [descriptor, space] = parser.parse(option);
        form->set("code", Element::create(static_cast<int64_t>(descriptor.option_->getType())));
        form->set("data", Element::create(hexadecimal(descriptor.option_->toBinary())));
        form->set("space", Element::create(space));
        form->remove("name");
        form->remove("csv-format");
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        return option;
    }
    for (const char *flag : {"always-send", "never-send"}) {
        const ConstElementPtr value = form->get(flag);
        if (is_of(value, Element::boolean) && !value->boolValue()) {
            form->remove(flag);
        }
    }
    const ConstElementPtr classes = form->get("client-classes");
    if (is_of(classes, Element::list) && classes->empty()) {
        form->remove("client-classes");
    }
    return form;
}

/* Options of one code keep their order: the first one whose classes match is sent. */
std::pair<std::string, int64_t> option_key(const ConstElementPtr &option)
{
    const ConstElementPtr space = is_of(option, Element::map) ? option->get("space") : ConstElementPtr();
    const ConstElementPtr code = is_of(option, Element::map) ? option->get("code") : ConstElementPtr();
    return {is_of(space, Element::string) ? space->stringValue() : "",
            is_of(code, Element::integer) ? code->intValue() : 0};
}

/* By the server's own definitions. */
ElementPtr options_of_server(const ConstElementPtr &list)
{
    return options_form(list, nullptr);
}

/* ---- pools, relays and reservations ---- */

std::string without_blanks(std::string text)
{
    text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\t'; }), text.end());
    return text;
}

/* A range by its first and last address. */
std::string range_form(const std::string &pool)
{
    const std::string text = without_blanks(pool);
    const size_t slash = text.find('/');
    try {
        if (slash != std::string::npos) {
            const IOAddress prefix(text.substr(0, slash));
            const auto length = static_cast<uint8_t>(std::stoul(text.substr(slash + 1)));
            return isc::asiolink::firstAddrInPrefix(prefix, length).toText() + "-" +
                   isc::asiolink::lastAddrInPrefix(prefix, length).toText();
        }
        const size_t dash = text.find('-');
        if (dash != std::string::npos) {
            return IOAddress(text.substr(0, dash)).toText() + "-" + IOAddress(text.substr(dash + 1)).toText();
        }
    } catch (const std::exception &) {
        return pool; /* the server has not taken it, either */
    }
    return pool;
}

ConstElementPtr pool_form(const ConstElementPtr &pool)
{
    if (!is_of(pool, Element::map)) {
        return pool;
    }
    const ElementPtr form = copy_of(pool);
    const ConstElementPtr range = form->get("pool");
    take_new_names(form);
    if (is_of(range, Element::string)) {
        form->set("pool", Element::create(range_form(range->stringValue())));
    }
    replace_list(form, "option-data", options_of_server);
    drop_defaults(form, POOL_DEFAULTS);
    return form;
}

/* One address, or a list of them. */
void relay_form(const ElementPtr &map)
{
    const ConstElementPtr relay = map->get("relay");
    if (!is_of(relay, Element::map)) {
        return;
    }
    const ElementPtr form = copy_of(relay);
    const ConstElementPtr one = form->get("ip-address");
    if (is_of(one, Element::string)) {
        const ElementPtr list = Element::createList();
        list->add(Element::create(one->stringValue()));
        form->remove("ip-address");
        form->set("ip-addresses", list);
    }
    replace_list(form, "ip-addresses", [](const ConstElementPtr &list) {
        return ordered(list, whole_text, [](const ConstElementPtr &address) { return address; });
    });
    map->set("relay", form);
}

/* Whether there are relays. */
bool drop_empty_relay(const ElementPtr &map)
{
    const ConstElementPtr relay = map->get("relay");
    const ConstElementPtr addresses = is_of(relay, Element::map) ? relay->get("ip-addresses") : ConstElementPtr();
    if (is_of(addresses, Element::list) && addresses->empty()) {
        map->remove("relay");
    }
    return map->contains("relay");
}

/* The identifier as the server keeps it, which reads all spellings. */
void identifier_form(const ElementPtr &map)
{
    for (const char *kind : {"hw-address", "duid", "client-id", "circuit-id", "flex-id"}) {
        const ConstElementPtr identifier = map->get(kind);
        if (!is_of(identifier, Element::string)) {
            continue;
        }
        try {
            const isc::dhcp::Host host(identifier->stringValue(), kind, isc::dhcp::SubnetID(1), isc::dhcp::SubnetID(1),
                                       IOAddress::IPV4_ZERO_ADDRESS());
            map->set(kind, Element::create(hexadecimal(host.getIdentifier())));
        } catch (const std::bad_alloc &) {
            throw;
        } catch (const std::exception &) {
            return;
        }
    }
}

ConstElementPtr reservation_form(const ConstElementPtr &reservation)
{
    if (!is_of(reservation, Element::map)) {
        return reservation;
    }
    const ElementPtr form = copy_of(reservation);
    identifier_form(form);
    replace_list(form, "option-data", options_of_server);
    drop_defaults(form, RESERVATION_DEFAULTS);
    return form;
}

/* ---- subnets and networks ---- */

/* What subnets and networks have in common. */
ElementPtr network_form(const ConstElementPtr &network)
{
    const ElementPtr form = copy_of(network);
    take_new_names(form);
    relay_form(form);
    replace_list(form, "option-data", options_of_server);
    drop_defaults(form, SUBNET_DEFAULTS);
    return form;
}

ElementPtr subnet_form(const ConstElementPtr &subnet)
{
    const ElementPtr form = network_form(subnet);
    replace_list(form, "pools", [](const ConstElementPtr &list) { return ordered(list, whole_text, pool_form); });
    replace_list(form, "reservations",
                 [](const ConstElementPtr &list) { return ordered(list, whole_text, reservation_form); });
    return form;
}

} // namespace

ElementPtr failover_sync::options_form(const ConstElementPtr &list, const isc::dhcp::CfgOptionDefPtr &definitions)
{
    return ordered(list, option_key, [&](const ConstElementPtr &option) { return option_form(option, definitions); });
}

std::string failover_sync::meaning_of_scope(const ConstElementPtr &definition)
{
    const ElementPtr form = copy_of(definition);
    const ConstElementPtr network = definition->get("shared-network");
    const ConstElementPtr subnet = definition->get("subnet4");

    bool relayed = false;
    if (is_of(network, Element::map)) {
        const ElementPtr formed = network_form(network);
        relayed = drop_empty_relay(formed);
        form->set("shared-network", formed);
    }
    if (is_of(subnet, Element::map)) {
        const ElementPtr formed = subnet_form(subnet);
        /* Under a network with relays it says that the subnet has none. */
        if (!relayed) {
            (void)drop_empty_relay(formed);
        }
        form->set("subnet4", formed);
    }
    return canonical_text(*form);
}
