/* One change of several: what it throws refuses it alone. */
#ifndef FAILOVER_SYNC_SHIM_ATTEMPT_H
#define FAILOVER_SYNC_SHIM_ATTEMPT_H

#include "shim.h"

#include <cstdlib>
#include <string>

namespace failover_sync
{

/* Says that a change was not applied, and why; the object is called what `called` says. */
template <typename Called> void refuse_change(struct kea_change &change, Called called, const char *reason) noexcept
{
    change.applied = false;
    free(change.text);
    change.text = nullptr;
    run_contained("a refusal", [&] { change.text = duplicate(called(change) + ": " + reason); });
}

/* Runs a body for one change; false, once it is refused, if it threw. */
template <typename Called, typename Body>
bool attempt_change(struct kea_change &change, Called called, Body body) noexcept
{
    try {
        body();
        return true;
    } catch (const std::bad_alloc &) {
        refuse_change(change, called, "out of memory");
    } catch (const std::exception &error) {
        refuse_change(change, called, error.what());
    } catch (...) {
        refuse_change(change, called, "the server raised an unknown exception");
    }
    return false;
}

} // namespace failover_sync

#endif
