/* The table of the kinds, and what they have in common. */
#include "kind.h"

#include <exceptions/exceptions.h>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::data::ElementPtr;

/* A class may have options of a definition, so definitions come first. */
const std::vector<const failover_sync::Kind *> &failover_sync::kinds()
{
    static const std::vector<const Kind *> table = {&option_definitions, &client_classes};
    return table;
}

const failover_sync::Kind *failover_sync::kind_of(enum object_kind kind)
{
    for (const Kind *each : kinds()) {
        if (each->kind == kind) {
            return each;
        }
    }
    return nullptr;
}

ElementPtr failover_sync::definition_map(const std::string &definition)
{
    const struct result bounds =
        json_bounds_check("its definition", definition.data(), definition.size(), &json_stored_bounds);
    if (result_failed(bounds)) {
        isc_throw(isc::BadValue, bounds.message);
    }
    const ElementPtr map = Element::fromJSON(definition);
    if (map->getType() != Element::map) {
        isc_throw(isc::BadValue, "its definition is not a map");
    }
    if (map->contains(KEA_UNPRINTED_KEYWORD)) {
        isc_throw(isc::BadValue, "its definition is not all of it: " << map->get(KEA_UNPRINTED_KEYWORD)->str());
    }
    return map;
}

void failover_sync::fill_words(Words &words, const ConstElementPtr &raw, const ConfiguredText &text, PrintCheck &check)
{
    words.raw = raw;
    words.printed = check.elements(raw);
    words.reason = check.reason();
    words.configured = text != nullptr;
    if (text) {
        words.own = Element::fromJSON(*text);
    } else {
        words.own = Element::createMap();
        words.own->setValue(words.printed->mapValue());
    }
    words.text = text ? text : configured_text(*words.own);
}

std::vector<ConstElementPtr> failover_sync::maps_in(const ConstElementPtr &map, const char *keyword)
{
    std::vector<ConstElementPtr> maps;
    const ConstElementPtr list = map && map->getType() == Element::map ? map->get(keyword) : ConstElementPtr();
    if (list && list->getType() == Element::list) {
        for (const auto &item : list->listValue()) {
            if (item->getType() == Element::map) {
                maps.push_back(item);
            }
        }
    }
    return maps;
}

void failover_sync::check_is_ours(const isc::data::StampedElement &object, const std::string &what)
{
    if (!object.getServerTags().empty()) {
        isc_throw(isc::BadValue, what << " comes from a configuration backend here: change it there");
    }
}
