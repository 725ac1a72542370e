/* Putting objects of any kind in place and removing them, the kinds in their order. Scopes are scope_apply.cc's. */
#include "attempt.h"
#include "kinds/kind.h"

#include <exceptions/exceptions.h>
#include <util/multi_threading_mgr.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

using isc::data::Element;
using isc::dhcp::SrvConfig;
using isc::dhcp::SrvConfigPtr;

namespace
{

using namespace failover_sync;

std::string called(const struct kea_change &change)
{
    return std::string(object_kind_name(object_kind_of(change.id))) + " " + (change.name ? change.name : "?");
}

/* What the server would write of an object, as it is read again; "" if there is none. */
std::string written_meaning(const SrvConfig &configuration, const Kind &kind, const std::string &name)
{
    Words words;
    if (!kind.read(configuration, name, words)) {
        return "";
    }
    const std::string written = words.raw->str();
    try {
        return kind.meaning(Element::fromJSON(written));
    } catch (const isc::Exception &) {
        return written;
    }
}

/* Carries out one change; what it throws leaves all as it was. */
void carry_out(enum kea_configuration which, const Kind &kind, struct kea_change &change)
{
    const SrvConfigPtr configuration = configuration_of(which);
    const std::string name = change.name;
    const std::unique_ptr<PreparedObject> prepared = change.definition
                                                         ? kind.prepare(*configuration, name, change.definition)
                                                         : kind.prepare_removal(*configuration, name);
    const std::string before = change.words_only ? written_meaning(*configuration, kind, name) : "";
    std::unique_ptr<isc::util::MultiThreadingCriticalSection> pause;
    if (which == KEA_RUNNING) {
        pause = std::make_unique<isc::util::MultiThreadingCriticalSection>();
    }
    Undo undo;
    if (prepared) {
        prepared->put(undo);
    }
    change.otherwise = change.words_only && written_meaning(*configuration, kind, name) != before;
    if (change.otherwise) {
        isc_throw(isc::BadValue, "the server has it otherwise");
    }
    undo.keep();
}

void apply_one(enum kea_configuration which, struct kea_change &change) noexcept
{
    const Kind *kind = kind_of(object_kind_of(change.id));
    change.applied = change.otherwise = false;
    change.text = nullptr;
    change.after = {};
    change.applied = attempt_change(change, called, [&] {
        if (!on_main_thread()) {
            isc_throw(isc::InvalidOperation, "objects are applied on the server's main thread only");
        }
        if (!kind || !change.name || object_id_named(kind->kind, change.name) != change.id) {
            isc_throw(isc::BadValue, "there is no such kind of object, or its name is another one's");
        }
        carry_out(which, *kind, change);
    });
}

int place_of(const struct kea_change &change)
{
    const int place = object_kind_place(object_kind_of(change.id));
    return change.definition ? place : 2 * OBJECT_SCOPE_PLACE - place;
}

/* Some may need others that come after them, as a class that names another one: they are tried until none goes ahead
 * any more. */
void apply_others(enum kea_configuration which, std::vector<struct kea_change *> left)
{
    for (size_t before = left.size() + 1; !left.empty() && left.size() < before;) {
        before = left.size();
        std::vector<struct kea_change *> refused;
        for (struct kea_change *change : left) {
            free(change->text);
            apply_one(which, *change);
            if (!change->applied) {
                refused.push_back(change);
            }
        }
        left = refused;
    }
}

/* The changes of one place in the order, scopes all together. */
uint32_t apply_place(enum kea_configuration which, const std::vector<struct kea_change *> &place)
{
    if (object_kind_of(place.front()->id) != OBJECT_SCOPE) {
        apply_others(which, place);
        return 0;
    }
    std::vector<struct kea_change> scopes;
    for (const struct kea_change *change : place) {
        scopes.push_back(*change);
    }
    const uint32_t paused = scopes_apply(which, scopes.data(), scopes.size());
    for (size_t i = 0; i < place.size(); ++i) {
        *place[i] = scopes[i];
    }
    return paused;
}

} // namespace

uint32_t failover_sync::objects_apply(enum kea_configuration which, struct kea_change *changes, size_t count) noexcept
{
    const bool only_scopes = std::all_of(changes, changes + count, [](const struct kea_change &change) {
        return object_kind_of(change.id) == OBJECT_SCOPE;
    });
    if (only_scopes) {
        return scopes_apply(which, changes, count);
    }
    const auto begun = std::chrono::steady_clock::now();
    uint32_t paused = 0;
    for (size_t i = 0; i < count; ++i) {
        changes[i].text = nullptr;
    }
    const bool done = run_contained("objects_apply", [&] {
        std::vector<struct kea_change *> ordered;
        for (size_t i = 0; i < count; ++i) {
            ordered.push_back(&changes[i]);
        }
        std::stable_sort(ordered.begin(), ordered.end(),
                         [](const auto *one, const auto *other) { return place_of(*one) < place_of(*other); });
        for (size_t i = 0; i < ordered.size();) {
            std::vector<struct kea_change *> place;
            const int first = place_of(*ordered[i]);
            for (; i < ordered.size() && place_of(*ordered[i]) == first; ++i) {
                place.push_back(ordered[i]);
            }
            paused += apply_place(which, place);
        }
    });
    for (size_t i = 0; i < count; ++i) {
        if (!done && !changes[i].applied && !changes[i].text) {
            refuse_change(changes[i], called, "out of memory");
        }
        if (object_kind_of(changes[i].id) != OBJECT_SCOPE) {
            (void)object_get(which, changes[i].id, &changes[i].after);
        }
    }
    /* Without packet threads all of it keeps packets waiting; with them it is less, and these objects are few. */
    const auto all = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
    return std::max(paused, static_cast<uint32_t>(std::min<int64_t>(all.count(), UINT32_MAX)));
}
