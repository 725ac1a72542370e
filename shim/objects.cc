/* Reading objects of any kind: scopes are in scope_read.cc, what each other kind is made of in kinds/. */
#include "kinds/kind.h"

#include <cc/data.h>
#include <dhcpsrv/cfg_subnets4.h>
#include <exceptions/exceptions.h>

#include <algorithm>
#include <cstdlib>

using isc::data::ConstElementPtr;
using isc::data::Element;
using isc::dhcp::SrvConfig;
using isc::dhcp::SrvConfigPtr;

namespace
{

using namespace failover_sync;

/* The name of the object of that id; "" if there is none. */
std::string name_of(const SrvConfig &configuration, const Kind &kind, object_id id)
{
    for (const std::string &name : kind.names(configuration)) {
        if (object_id_named(kind.kind, name) == id) {
            return name;
        }
    }
    return "";
}

/* The reason has its place before all other keywords: see KEA_UNPRINTED_KEYWORD. */
std::string definition_of(const std::string &reason, const Element &own)
{
    const std::string text = canonical_text(own);
    const size_t first = text.find('{') + 1;
    return reason.empty() ? text
                          : "{ \"" KEA_UNPRINTED_KEYWORD "\": " + Element::create(reason)->str() +
                                (own.size() == 0 ? "" : ",") + text.substr(first);
}

struct fingerprint fingerprint_of_text(const std::string &text)
{
    return fingerprint_of(text.data(), text.size());
}

/* Of the text that the server writes into a file, as it is read again, with what is lost in print. */
struct fingerprint written_fingerprint(const Kind &kind, const Words &words)
{
    const std::string written = words.raw->str();
    try {
        return fingerprint_of_text(kind.meaning(words.reason.empty() ? words.raw : Element::fromJSON(written)));
    } catch (const isc::Exception &) {
        return fingerprint_of_text(written);
    }
}

void fill(const Kind &kind, const Words &words, struct kea_object *object)
{
    const std::string definition = definition_of(words.configured ? "" : words.reason, *words.own);
    object->definition = duplicate(definition);
    object->replicated = duplicate(definition);
    object->effective = duplicate(definition_of(words.reason, *words.printed));
    object->fingerprint = fingerprint_of_text(kind.meaning(words.own));
    object->printed = written_fingerprint(kind, words);
}

struct result not_found(const Kind &kind)
{
    return result_error(RESULT_NOT_FOUND, "there is no such %s", kind.words);
}

} // namespace

struct result failover_sync::object_get(enum kea_configuration which, object_id id, struct kea_object *object) noexcept
{
    if (object_kind_of(id) == OBJECT_SCOPE) {
        return scope_get(which, object_subnet_id(id), object);
    }
    *object = {};
    const struct result outcome = run_guarded("object_get", [&] {
        const Kind *kind = kind_of(object_kind_of(id));
        if (!kind) {
            return result_error(RESULT_NOT_FOUND, "there is no such kind of object");
        }
        const SrvConfigPtr configuration = configuration_of(which);
        const std::string name = name_of(*configuration, *kind, id);
        Words words;
        if (name.empty() || !kind->read(*configuration, name, words)) {
            return not_found(*kind);
        }
        object->id = id;
        object->name = duplicate(name);
        fill(*kind, words, object);
        if (fingerprint_empty(object->fingerprint) || fingerprint_empty(object->printed)) {
            return result_no_memory("a fingerprint");
        }
        return result_ok();
    });
    if (result_failed(outcome)) {
        kea_object_clear(object);
    }
    return outcome;
}

struct result failover_sync::object_ids(enum kea_configuration which, object_id **ids, size_t *count) noexcept
{
    *ids = nullptr;
    *count = 0;
    return run_guarded("object_ids", [&] {
        const SrvConfigPtr configuration = configuration_of(which);
        const auto *subnets = configuration->getCfgSubnets4()->getAll();
        std::vector<object_id> found;
        found.reserve(subnets->size());
        for (const auto &subnet : subnets->get<isc::dhcp::SubnetSubnetIdIndexTag>()) {
            found.push_back(subnet->getID());
        }
        for (const Kind *kind : kinds()) {
            for (const std::string &name : kind->names(*configuration)) {
                found.push_back(object_id_named(kind->kind, name));
            }
        }
        found.erase(std::remove(found.begin(), found.end(), 0), found.end());
        std::sort(found.begin(), found.end());
        if (found.empty()) {
            return result_ok();
        }
        *ids = static_cast<object_id *>(malloc(found.size() * sizeof **ids));
        if (!*ids) {
            return result_no_memory("the list of objects");
        }
        std::copy(found.begin(), found.end(), *ids);
        *count = found.size();
        return result_ok();
    });
}
