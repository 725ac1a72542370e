/* In which words a subnet, a shared network or a reservation is to be told: those in which it was configured, or, where
 * nobody knows these, what the server prints. Words are believed only if the server makes of them what it has. */
#include "shim.h"

#include <dhcpsrv/cfg_option.h>
#include <dhcpsrv/host.h>
#include <dhcpsrv/pool.h>
#include <dhcpsrv/shared_network.h>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;
using isc::dhcp::SharedNetwork4Ptr;
using isc::dhcp::Subnet4;
using isc::dhcp::Subnet4Ptr;

namespace
{

using namespace failover_sync;

bool is_same_text(const ConfiguredText &one, const ConfiguredText &other)
{
    return one == other || (one && other && *one == *other);
}

/* What the words become if the server is given them; null if it refuses them. */
template <typename Parse> auto made_of(Parse parse) -> decltype(parse())
{
    try {
        return parse();
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        return decltype(parse())();
    }
}

ElementPtr words_in(const std::string &text)
{
    return Element::fromJSON(text);
}

/* The words with each keyword of which the server prints something else now as it prints that. */
ElementPtr patched(const std::string &text, const ConstElementPtr &printed_then, const ConstElementPtr &printed_now)
{
    const ElementPtr words = words_in(text);
    for (const auto &[keyword, value] : printed_now->mapValue()) {
        const ConstElementPtr then = printed_then->get(keyword);
        if (!then || !then->equals(*value)) {
            words->set(keyword, value);
        }
    }
    for (const auto &[keyword, value] : printed_then->mapValue()) {
        if (!printed_now->contains(keyword)) {
            words->remove(keyword);
        }
    }
    return words;
}

/* The text that an object of the running configuration can be believed to have, of which none is noted: the one before,
 * or that with what a command has changed since; null if neither is it. `parse` makes an object of words. */
template <typename Object, typename Parse, typename Print>
ConfiguredText believed(const Object &object, const ConfiguredText &before, Parse parse, Print print)
{
    if (!before) {
        return nullptr;
    }
    const auto then = made_of([&] { return parse(words_in(*before)); });
    if (!then) {
        return nullptr;
    }
    if (is_same(*then, object)) {
        return before;
    }
    const ConfiguredText text = configured_text(*patched(*before, print(*then), print(object)));
    const auto now = made_of([&] { return parse(words_in(*text)); });
    return now && is_same(*now, object) ? text : nullptr;
}

/* The same for an object of which `tried` may be known not to be its words; what is found is noted. */
template <typename Object, typename Parse, typename Print>
ConfiguredText settled(const boost::shared_ptr<const Object> &object, const Configured &known,
                       const ConfiguredText &tried, const ConfiguredText &around, Parse parse, Print print)
{
    if (!tried || (tried == known.refused && is_same_text(around, known.refused_around))) {
        return nullptr;
    }
    const ConfiguredText text = believed(*object, tried, parse, print);
    if (text) {
        configured_note(object, text, around);
    } else {
        configured_refuse(object, tried, around);
    }
    return text;
}

/* Takes the text, if there is one, for the object's words. */
void settle(Words &words, const ConfiguredText &text)
{
    words.configured = text != nullptr;
    words.text = text;
    if (text) {
        words.own = words_in(*text);
        return;
    }
    words.own = Element::createMap();
    words.own->setValue(words.printed->mapValue());
    words.text = configured_text(*words.own);
}

} // namespace

bool failover_sync::is_same(const Subnet4 &one, const Subnet4 &other)
{
    const auto &pools = one.getPools(isc::dhcp::Lease::TYPE_V4);
    const auto &others = other.getPools(isc::dhcp::Lease::TYPE_V4);

    if (canonical_text(*one.toElement()) != canonical_text(*other.toElement()) || pools.size() != others.size() ||
        !same_options(*one.getCfgOption(), *other.getCfgOption())) {
        return false;
    }
    for (size_t i = 0; i < pools.size(); ++i) {
        if (!same_options(*pools[i]->getCfgOption(), *others[i]->getCfgOption())) {
            return false;
        }
    }
    return true;
}

bool failover_sync::is_same(const isc::dhcp::SharedNetwork4 &one, const isc::dhcp::SharedNetwork4 &other)
{
    return canonical_text(*network_element(one)) == canonical_text(*network_element(other)) &&
           same_options(*one.getCfgOption(), *other.getCfgOption());
}

bool failover_sync::is_same(const isc::dhcp::Host &one, const isc::dhcp::Host &other)
{
    return canonical_text(*one.toElement4()) == canonical_text(*other.toElement4()) &&
           same_options(*one.getCfgOption4(), *other.getCfgOption4());
}

Words failover_sync::words_of(enum kea_configuration which, const SharedNetwork4Ptr &network)
{
    Words words;
    PrintCheck check;
    words.raw = network_element(*network);
    words.printed = check.elements(words.raw);
    check.network_options(*network);
    words.reason = check.reason();

    const Configured known = configured_words(network.get());
    ConfiguredText text = known.text;
    if (!text && which == KEA_RUNNING) {
        text = settled<isc::dhcp::SharedNetwork4>(
            network, known, configured_before(network->getName()), nullptr,
            [](const ElementPtr &map) { return ScopeParser(KEA_RUNNING).parse_network(map); },
            [](const isc::dhcp::SharedNetwork4 &each) { return network_element(each); });
    }
    if (text && which == KEA_RUNNING) {
        configured_remember(network->getName(), text);
    }
    settle(words, text);
    return words;
}

Words failover_sync::words_of(enum kea_configuration which, const isc::dhcp::ConstSubnet4Ptr &subnet,
                              const ConfiguredText &network)
{
    Words words;
    PrintCheck check;
    words.raw = subnet->toElement();
    words.printed = check.elements(words.raw);
    check.subnet_options(*subnet);
    words.reason = check.reason();

    const Configured known = configured_words(subnet.get());
    ConfiguredText text = known.text;
    /* In another network than it was configured in, it may have what that one does not give it. */
    if (!text || !is_same_text(known.around, network)) {
        text = settled<Subnet4>(
            subnet, known,
            text                   ? text
            : which == KEA_RUNNING ? configured_before(subnet->getID())
                                   : nullptr,
            network,
            [&](const ElementPtr &map) {
                return ScopeParser(which).parse_subnet(map, network ? words_in(*network) : ElementPtr());
            },
            [](const Subnet4 &each) { return each.toElement(); });
    }
    if (which == KEA_RUNNING) {
        configured_remember(subnet->getID(), text);
    }
    settle(words, text);
    return words;
}

Words failover_sync::words_of(const isc::dhcp::ConstHostPtr &host)
{
    Words words;
    PrintCheck check;
    words.raw = host->toElement4();
    words.printed = check.elements(words.raw);
    check.reservation_options(*host);
    words.reason = check.reason();
    settle(words, configured_words(host.get()).text);
    return words;
}
