/* The statistics of single subnets. The server's own function recounts those of all subnets and all leases, which takes
 * hundreds of milliseconds where there are many. */
#include "shim.h"

#include <dhcpsrv/lease.h>
#include <dhcpsrv/lease_mgr.h>
#include <dhcpsrv/lease_mgr_factory.h>
#include <stats/stats_mgr.h>

#include <algorithm>
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

/* Ids of pools that `old` has not. */
std::vector<uint64_t> new_pools(const Subnet4 &subnet, const Subnet4 *old)
{
    const auto before = old ? release::pool_capacities(*old) : std::map<uint64_t, int64_t>();
    std::vector<uint64_t> ids;
    for (const auto &[pool_id, capacity] : release::pool_capacities(subnet)) {
        (void)capacity;
        if (before.count(pool_id) == 0) {
            ids.push_back(pool_id);
        }
    }
    return ids;
}

std::optional<int64_t> value_of(const std::string &name)
{
    const isc::stats::ObservationPtr observation = StatsMgr::instance().getObservation(name);
    return observation ? std::optional<int64_t>(observation->getInteger().first) : std::nullopt;
}

void save(StatisticValues &values, const std::string &name)
{
    values.emplace(name, value_of(name));
}

void save_pool(StatisticValues &values, const Subnet4 &subnet, uint64_t pool_id)
{
    for (const char *statistic : CURRENT) {
        save(values, name_of(subnet, pool_id, statistic));
    }
    for (const char *statistic : CUMULATIVE) {
        save(values, name_of(subnet, pool_id, statistic));
    }
}

void save_subnet(StatisticValues &values, const Subnet4 &subnet)
{
    for (const char *statistic : CURRENT) {
        save(values, name_of(subnet, statistic));
    }
    for (const char *statistic : CUMULATIVE) {
        save(values, name_of(subnet, statistic));
    }
}

/* A subnet that was not there before: leases of its id may be. */
void begin_subnet(const Subnet4 &subnet, const lease_counts &counts)
{
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
void set_pools(const Subnet4 &subnet, const Subnet4 *old, const LeaseCounts &counts)
{
    const auto pools = release::pool_capacities(subnet);
    for (const auto &[pool_id, capacity] : pools) {
        set(name_of(subnet, pool_id, "total-addresses"), capacity);
    }
    for (const uint64_t pool_id : new_pools(subnet, old)) {
        const auto found = counts.pools.find(pool_id);
        const lease_counts pool = found == counts.pools.end() ? lease_counts() : found->second;
        set(name_of(subnet, pool_id, "assigned-addresses"), pool.assigned);
        set(name_of(subnet, pool_id, "declined-addresses"), pool.declined);
        for (const char *statistic : CUMULATIVE) {
            begin(name_of(subnet, pool_id, statistic));
        }
    }
    if (old) {
        for (const uint64_t pool_id : new_pools(*old, &subnet)) {
            remove_pool(subnet, pool_id);
        }
    }
}

} // namespace

LeaseCounts failover_sync::statistics_count(const Subnet4 &subnet, const Subnet4 *old)
{
    LeaseCounts counts;
    const std::vector<uint64_t> pools = new_pools(subnet, old);
    if (!old) {
        save_subnet(counts.before, subnet);
    }
    for (const uint64_t pool_id : pools) {
        save_pool(counts.before, subnet, pool_id);
    }
    if (!old) {
        counts.subnet = count_leases(subnet);
        counts.subnet_counted = true;
    }
    if (!pools.empty()) {
        counts.pools = count_leases_by_pool(subnet);
        counts.pools_counted = true;
    }
    return counts;
}

bool failover_sync::statistics_counted(const Subnet4 &subnet, const Subnet4 *old, const LeaseCounts &counts)
{
    if ((!old && !counts.subnet_counted) || (!counts.pools_counted && !new_pools(subnet, old).empty())) {
        return false;
    }
    return std::all_of(counts.before.begin(), counts.before.end(),
                       [](const auto &entry) { return value_of(entry.first) == entry.second; });
}

void failover_sync::statistics_set(const Subnet4 &subnet, const Subnet4 *old, const LeaseCounts &counts)
{
    set(name_of(subnet, "total-addresses"), static_cast<int64_t>(subnet.getPoolCapacity(Lease::TYPE_V4)));
    if (!old) {
        begin_subnet(subnet, counts.subnet);
    }
    set_pools(subnet, old, counts);
}

StatisticValues failover_sync::statistics_save(const Subnet4 &subnet, const Subnet4 &old)
{
    StatisticValues values;
    save(values, name_of(old, "total-addresses"));
    for (const auto &[pool_id, capacity] : release::pool_capacities(old)) {
        (void)capacity;
        save(values, name_of(old, pool_id, "total-addresses"));
    }
    for (const uint64_t pool_id : new_pools(subnet, &old)) {
        save_pool(values, subnet, pool_id);
    }
    for (const uint64_t pool_id : new_pools(old, &subnet)) {
        save_pool(values, old, pool_id);
    }
    return values;
}

void failover_sync::statistics_restore(const StatisticValues &values)
{
    for (const auto &[name, value] : values) {
        if (value) {
            set(name, *value);
        } else {
            StatsMgr::instance().del(name);
        }
    }
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
