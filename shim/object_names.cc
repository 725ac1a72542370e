/* The numbers of objects that are no scopes, by their names. */
#include "shim.h"

#include <algorithm>
#include <map>
#include <set>

namespace
{

constexpr size_t KNOWN_MAX = 4096; /* names whose ids are remembered */

/* For the log, whatever the name is made of. */
std::string printable(std::string text)
{
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

} // namespace

object_id failover_sync::object_id_named(enum object_kind kind, const std::string &name)
{
    /* Each is looked for among all of its kind, and asked for again and again. */
    static std::map<std::pair<enum object_kind, std::string>, object_id> known;
    const auto found = known.find({kind, name});
    if (found != known.end()) {
        return found->second;
    }
    if (name.find('\0') == std::string::npos && object_name_sayable(name.c_str())) {
        const object_id id = object_id_of(kind, name.c_str());
        if (id == 0) {
            throw std::bad_alloc();
        }
        if (known.size() >= KNOWN_MAX) {
            known.clear();
        }
        known.emplace(std::make_pair(kind, name), id);
        return id;
    }
    static std::set<std::string> told; /* read again and again, each is told once */
    if (told.size() < KNOWN_MAX && told.insert(name).second) {
        const std::string size = std::to_string(OBJECT_NAME_SIZE - 1), beginning = printable(name.substr(0, 40));
        const char *const arguments[] = {object_kind_name(kind), beginning.c_str(), size.c_str(), nullptr};
        log_message(FAILOVER_SYNC_NAME_UNSAYABLE, arguments);
    }
    return 0;
}
