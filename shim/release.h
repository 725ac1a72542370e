/* The one place where Kea's releases differ. KEA_HOOKS_VERSION is a constant, not a macro, so the choice is made by
 * `if constexpr` in templates: what a release lacks is never looked up there. */
#ifndef FAILOVER_SYNC_SHIM_RELEASE_H
#define FAILOVER_SYNC_SHIM_RELEASE_H

/* Kea 3.0's headers want Kea's config.h before them; by this name it cannot be taken for ours. */
#include <cc/../config.h>

#include <cc/data.h>
#include <dhcpsrv/cfgmgr.h>
#include <dhcpsrv/lease_mgr_factory.h>
#include <dhcpsrv/subnet.h>
#include <hooks/hooks.h>
#include <hooks/libinfo.h>
#include <util/multi_threading_mgr.h>

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>

namespace failover_sync
{
namespace release
{

constexpr int KEA_2_4 = 20400; /* allocators are part of subnets and have to be started */
constexpr int KEA_2_6 = 20600; /* statistics per pool; kea-dhcp4 -T loads the hooks */
constexpr int KEA_3_0 = 30000; /* a configured library is a structure */

/* "2.6.3" of 20603: a hook serves exactly the release it was built for. */
inline std::string version()
{
    return std::to_string(KEA_HOOKS_VERSION / 10000) + "." + std::to_string(KEA_HOOKS_VERSION / 100 % 100) + "." +
           std::to_string(KEA_HOOKS_VERSION % 100);
}

template <typename Library> const std::string &path_of(const Library &library)
{
    if constexpr (KEA_HOOKS_VERSION >= KEA_3_0) {
        return library.libname_;
    } else {
        return library.first;
    }
}

template <typename Library> isc::data::ConstElementPtr parameters_of(const Library &library)
{
    if constexpr (KEA_HOOKS_VERSION >= KEA_3_0) {
        return library.parameters_;
    } else {
        return library.second;
    }
}

/* Whether this process only checks a configuration (kea-dhcp4 -T) and loads hooks for that. 3.0 says so; before it, the
 * check opens the leases before it loads the hooks, which a server does only from its second configuration on. */
template <typename Manager = isc::util::MultiThreadingMgr, typename Leases = isc::dhcp::LeaseMgrFactory>
bool only_checking()
{
    if constexpr (KEA_HOOKS_VERSION >= KEA_3_0) {
        return Manager::instance().isTestMode();
    } else if constexpr (KEA_HOOKS_VERSION >= KEA_2_6) {
        return Leases::haveInstance() && isc::dhcp::CfgMgr::instance().getCurrentCfg()->getSequence() == 0;
    } else {
        return false;
    }
}

/* Starts the allocators of a subnet that takes the place of another with its id. The allocator with a queue of free
 * leases (FLQ) follows the leases by callbacks with a pointer to itself: those of the subnet that leaves go first. */
template <typename Subnet, typename Leases = isc::dhcp::LeaseMgrFactory> void start_allocators(Subnet &subnet)
{
    if constexpr (KEA_HOOKS_VERSION >= KEA_2_4) {
        Leases::instance().unregisterCallbacks(subnet.getID(), isc::dhcp::Lease::TYPE_V4);
        subnet.initAllocatorsAfterConfigure();
    } else {
        (void)subnet;
    }
}

/* Ends those of a subnet that is removed. */
template <typename Subnet, typename Leases = isc::dhcp::LeaseMgrFactory> void stop_allocators(const Subnet &subnet)
{
    if constexpr (KEA_HOOKS_VERSION >= KEA_2_4) {
        Leases::instance().unregisterCallbacks(subnet.getID(), isc::dhcp::Lease::TYPE_V4);
    } else {
        (void)subnet;
    }
}

/* For a subnet that returns after start_allocators or stop_allocators: an allocator starts only once, so it gets a new
 * one. */
template <typename Subnet> void restart_allocators(Subnet &subnet)
{
    if constexpr (KEA_HOOKS_VERSION >= KEA_2_4) {
        subnet.createAllocators();
        start_allocators(subnet);
    } else {
        (void)subnet;
    }
}

/* Reads a printed list of options into `read`, with suboptions in their options if they are so in `held`. */
template <typename Parser, typename Options, typename List>
void parse_options(Parser &parser, const boost::shared_ptr<Options> &read, const List &list, const Options &held)
{
    if constexpr (KEA_HOOKS_VERSION >= KEA_2_6) {
        parser.parse(read, list, held.isEncapsulated());
    } else {
        (void)held;
        parser.parse(read, list);
    }
}

/* Prints options of a class that has definitions of its own: before 3.0 the print knows only the server's. */
template <typename Options, typename Definitions>
isc::data::ConstElementPtr print_options(const Options &options, const Definitions &definitions)
{
    if constexpr (KEA_HOOKS_VERSION >= KEA_3_0) {
        return options.toElement(definitions);
    } else {
        (void)definitions;
        return options.toElement();
    }
}

/* What this release calls the flag of a class that is evaluated only where it is named; and what others do. */
constexpr const char *ADDITIONAL_ONLY = KEA_HOOKS_VERSION >= KEA_3_0 ? "only-in-additional-list" : "only-if-required";
constexpr const char *ADDITIONAL_ONLY_ELSEWHERE =
    KEA_HOOKS_VERSION >= KEA_3_0 ? "only-if-required" : "only-in-additional-list";

/* Whether the parser of classes reads offer-lifetime, though its list of keywords lacks it. */
constexpr bool has_class_offer_lifetime()
{
    return KEA_HOOKS_VERSION >= KEA_2_4;
}

/* Addresses per pool id; empty in releases without statistics per pool. */
template <typename Subnet> std::map<uint64_t, int64_t> pool_capacities(const Subnet &subnet)
{
    std::map<uint64_t, int64_t> capacities;
    if constexpr (KEA_HOOKS_VERSION >= KEA_2_6) {
        for (const auto &pool : subnet.getPools(isc::dhcp::Lease::TYPE_V4)) {
            capacities[pool->getID()] += static_cast<int64_t>(pool->getCapacity());
        }
    } else {
        (void)subnet;
    }
    return capacities;
}

/* The pool a lease was taken from. */
template <typename Lease> uint64_t pool_of(const Lease &lease)
{
    if constexpr (KEA_HOOKS_VERSION >= KEA_2_6) {
        return lease.pool_id_;
    } else {
        (void)lease;
        return 0;
    }
}

/* Whether subnets count reused leases. */
constexpr bool counts_reuses()
{
    return KEA_HOOKS_VERSION >= KEA_2_4;
}

} // namespace release
} // namespace failover_sync

#endif
