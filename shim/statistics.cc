/* The statistics of single subnets. The server's own function recounts those of all subnets and all leases, which takes
 * hundreds of milliseconds where there are many. */
#include "shim.h"

#include <dhcpsrv/lease.h>
#include <dhcpsrv/lease_mgr.h>
#include <dhcpsrv/lease_mgr_factory.h>
#include <stats/stats_mgr.h>

#include <map>
#include <string>

using isc::dhcp::Lease;
using isc::dhcp::LeaseMgrFactory;
using isc::dhcp::Subnet4;
using isc::stats::StatsMgr;

namespace
{

using namespace failover_sync;

/* Set from the configuration and the leases. */
const char *const CURRENT[] = {"total-addresses", "assigned-addresses", "declined-addresses"};

/* Counted from nothing while the server runs; for pools too. */
const char *const CUMULATIVE[] = {"cumulative-assigned-addresses", "reclaimed-declined-addresses", "reclaimed-leases"};

/* Begun when they first happen, or by some releases with the subnet. */
const char *const OCCASIONAL[] = {"v4-reservation-conflicts",  "v4-lease-reuses",
                                  "v4-allocation-fail",        "v4-allocation-fail-shared-network",
                                  "v4-allocation-fail-subnet", "v4-allocation-fail-no-pools",
                                  "v4-allocation-fail-classes"};

struct lease_counts {
    int64_t assigned = 0; /* declined leases count as assigned */
    int64_t declined = 0;
};

std::string name_of(const Subnet4 &subnet, const std::string &statistic)
{
    return StatsMgr::generateName("subnet", subnet.getID(), statistic);
}

std::string name_of(const Subnet4 &subnet, uint64_t pool_id, const std::string &statistic)
{
    return name_of(subnet, StatsMgr::generateName("pool", pool_id, statistic));
}

void set(const std::string &name, int64_t value)
{
    StatsMgr::instance().setValue(name, value);
}

void begin(const std::string &name)
{
    if (!StatsMgr::instance().getObservation(name)) {
        set(name, 0);
    }
}

lease_counts count_leases(const Subnet4 &subnet)
{
    lease_counts counts;
    const auto query = LeaseMgrFactory::instance().startSubnetLeaseStatsQuery4(subnet.getID());
    isc::dhcp::LeaseStatsRow row;
    while (query && query->getNextRow(row)) {
        if (row.lease_state_ == Lease::STATE_DEFAULT || row.lease_state_ == Lease::STATE_DECLINED) {
            counts.assigned += row.state_count_;
        }
        if (row.lease_state_ == Lease::STATE_DECLINED) {
            counts.declined += row.state_count_;
        }
    }
    return counts;
}

std::map<uint64_t, lease_counts> count_leases_by_pool(const Subnet4 &subnet)
{
    std::map<uint64_t, lease_counts> counts;
    for (const auto &lease : LeaseMgrFactory::instance().getLeases4(subnet.getID())) {
        lease_counts &pool = counts[release::pool_of(*lease)];
        pool.assigned += lease->state_ == Lease::STATE_DEFAULT || lease->state_ == Lease::STATE_DECLINED;
        pool.declined += lease->state_ == Lease::STATE_DECLINED;
    }
    return counts;
}

/* A subnet that was not there before: leases of its id may be. */
void begin_subnet(const Subnet4 &subnet)
{
    const lease_counts counts = count_leases(subnet);
    set(name_of(subnet, "assigned-addresses"), counts.assigned);
    set(name_of(subnet, "declined-addresses"), counts.declined);
    for (const char *statistic : CUMULATIVE) {
        begin(name_of(subnet, statistic));
    }
    begin(name_of(subnet, "v4-reservation-conflicts"));
    if (release::counts_reuses()) {
        begin(name_of(subnet, "v4-lease-reuses"));
    }
}

void remove_pool(const Subnet4 &subnet, uint64_t pool_id)
{
    for (const char *statistic : CURRENT) {
        StatsMgr::instance().del(name_of(subnet, pool_id, statistic));
    }
    for (const char *statistic : CUMULATIVE) {
        StatsMgr::instance().del(name_of(subnet, pool_id, statistic));
    }
}

/* Sets those of the pools, begins those of new ones and removes those of pools that are gone. */
void set_pools(const Subnet4 &subnet, const Subnet4 *old)
{
    const auto pools = release::pool_capacities(subnet);
    const auto pools_before = old ? release::pool_capacities(*old) : std::map<uint64_t, int64_t>();
    std::map<uint64_t, lease_counts> counts;
    bool counted = false;
    for (const auto &[pool_id, capacity] : pools) {
        set(name_of(subnet, pool_id, "total-addresses"), capacity);
        if (pools_before.count(pool_id) > 0) {
            continue;
        }
        if (!counted) {
            counts = count_leases_by_pool(subnet);
            counted = true;
        }
        set(name_of(subnet, pool_id, "assigned-addresses"), counts[pool_id].assigned);
        set(name_of(subnet, pool_id, "declined-addresses"), counts[pool_id].declined);
        for (const char *statistic : CUMULATIVE) {
            begin(name_of(subnet, pool_id, statistic));
        }
    }
    for (const auto &[pool_id, capacity] : pools_before) {
        (void)capacity;
        if (pools.count(pool_id) == 0) {
            remove_pool(subnet, pool_id);
        }
    }
}

} // namespace

void failover_sync::statistics_set(const Subnet4 &subnet, const Subnet4 *old)
{
    set(name_of(subnet, "total-addresses"), static_cast<int64_t>(subnet.getPoolCapacity(Lease::TYPE_V4)));
    if (!old) {
        begin_subnet(subnet);
    }
    set_pools(subnet, old);
}

void failover_sync::statistics_remove(const Subnet4 &subnet)
{
    for (const char *statistic : CURRENT) {
        StatsMgr::instance().del(name_of(subnet, statistic));
    }
    for (const char *statistic : CUMULATIVE) {
        StatsMgr::instance().del(name_of(subnet, statistic));
    }
    for (const char *statistic : OCCASIONAL) {
        StatsMgr::instance().del(name_of(subnet, statistic));
    }
    for (const auto &[pool_id, capacity] : release::pool_capacities(subnet)) {
        (void)capacity;
        remove_pool(subnet, pool_id);
    }
}
