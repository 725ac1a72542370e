/* How deep elements are nested and how many there are, before anything that recurses is done with them: the server has
 * parsed them, some of its releases without any bound. */
#include "shim.h"

#include <algorithm>

using isc::data::Element;

struct result failover_sync::element_check(const char *what, const Element &root, const struct json_bounds &bounds)
{
    struct Level {
        const Element *element;
        size_t depth;
    };
    std::vector<Level> waiting = {{&root, 1}};
    struct json_bounds found = {};

    while (!waiting.empty()) {
        const Level level = waiting.back();
        waiting.pop_back();
        const auto add = [&](const isc::data::ConstElementPtr &element) {
            if (element && (element->getType() == Element::list || element->getType() == Element::map)) {
                waiting.push_back({element.get(), level.depth + 1});
            }
        };
        if (level.element->getType() == Element::list) {
            const auto &list = level.element->listValue();
            found.values += list.size();
            found.depth = std::max(found.depth, level.depth);
            if (found.values <= bounds.values) {
                std::for_each(list.begin(), list.end(), add);
            }
        } else if (level.element->getType() == Element::map) {
            const auto &map = level.element->mapValue();
            found.values += map.size();
            found.depth = std::max(found.depth, level.depth);
            if (found.values <= bounds.values) {
                std::for_each(map.begin(), map.end(), [&](const auto &entry) { add(entry.second); });
            }
        }
        if (found.depth > bounds.depth || found.values > bounds.values) {
            return json_bounds_refusal(what, &bounds, &found);
        }
    }
    return result_ok();
}
