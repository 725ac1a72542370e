/* Putting scopes in place and removing them. Everything that can be refused by its own words is refused before the
 * packet threads stop; what is left is a list of small steps, each with the step that takes it back. */
#include "attempt.h"
#include "undo.h"

#include <dhcpsrv/cfg_hosts.h>
#include <dhcpsrv/cfg_subnets4.h>
#include <dhcpsrv/shared_network.h>
#include <exceptions/exceptions.h>
#include <util/multi_threading_mgr.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>

using isc::dhcp::CfgHostsPtr;
using isc::dhcp::CfgSharedNetworks4Ptr;
using isc::dhcp::CfgSubnets4Ptr;
using isc::dhcp::HostCollection;
using isc::dhcp::SharedNetwork4Ptr;
using isc::dhcp::SrvConfigPtr;
using isc::dhcp::Subnet4;
using isc::dhcp::Subnet4Ptr;

namespace
{

using namespace failover_sync;

/* A change and what its definition was parsed to. */
struct planned {
    struct kea_change *change;
    ParsedScope scope; /* its subnet is null for a removal */
    bool refused;
    LeaseCounts counts;
};

/* Puts parsed scopes in place in one configuration, one after the other. */
class Installer
{
  public:
    Installer(enum kea_configuration which, const SrvConfigPtr &configuration)
        : which_(which), subnets_(configuration->getCfgSubnets4()), networks_(configuration->getCfgSharedNetworks4()),
          hosts_(configuration->getCfgHosts())
    {
    }

    Subnet4Ptr find(uint32_t subnet_id) const
    {
        return boost::const_pointer_cast<Subnet4>(subnets_->getBySubnetId(subnet_id));
    }

    void install(const ParsedScope &scope, bool keep_network, const LeaseCounts *counts);
    void remove(const struct kea_change &change, bool running);

    /* The shared networks that have other parameters than some of their subnets were parsed with. */
    const std::set<std::string> &changed_networks() const
    {
        return changed_networks_;
    }

    std::vector<Subnet4Ptr> members(const std::string &network) const
    {
        const SharedNetwork4Ptr found = networks_->getByName(network);
        std::vector<Subnet4Ptr> list;
        if (found) {
            list.assign(found->getAllSubnets()->begin(), found->getAllSubnets()->end());
        }
        return list;
    }

    SharedNetwork4Ptr network(const std::string &name) const
    {
        return networks_->getByName(name);
    }

  private:
    void check_prefix(const Subnet4 &subnet) const;
    SharedNetwork4Ptr leave_network(Undo &undo, const Subnet4Ptr &subnet);
    void replace_subnet(Undo &undo, const Subnet4Ptr &old, const Subnet4Ptr &subnet);
    void enter_network(Undo &undo, const ParsedScope &scope, bool keep_network);
    void replace_network(const SharedNetwork4Ptr &old, const SharedNetwork4Ptr &network);
    void replace_hosts(Undo &undo, uint32_t subnet_id, const HostCollection &hosts);
    void drop_if_empty(Undo &undo, const SharedNetwork4Ptr &network);

    enum kea_configuration which_;
    std::set<std::string> changed_networks_;
    CfgSubnets4Ptr subnets_;
    CfgSharedNetworks4Ptr networks_;
    CfgHostsPtr hosts_;
};

void Installer::check_prefix(const Subnet4 &subnet) const
{
    const auto other = subnets_->getByPrefix(subnet.toText());
    if (other && other->getID() != subnet.getID()) {
        isc_throw(isc::BadValue, "the same prefix has subnet id "
                                     << other->getID()
                                     << " here: leases carry the id, so give the subnet the same id on both servers");
    }
}

/* Returns the network left, null if the subnet was in none. */
SharedNetwork4Ptr Installer::leave_network(Undo &undo, const Subnet4Ptr &subnet)
{
    SharedNetwork4Ptr network;
    subnet->getSharedNetwork(network);
    if (network) {
        undo.step([&] { network->del(subnet->getID()); }, [network, subnet] { network->add(subnet); });
    }
    return network;
}

void Installer::replace_subnet(Undo &undo, const Subnet4Ptr &old, const Subnet4Ptr &subnet)
{
    const CfgSubnets4Ptr subnets = subnets_;
    const auto replace = [subnets](const Subnet4Ptr &by) {
        if (!subnets->replace(by)) {
            isc_throw(isc::Unexpected, "the server cannot exchange subnet " << by->toText());
        }
    };
    if (old) {
        undo.step([&] { replace(subnet); }, [replace, old] { replace(old); });
    } else {
        undo.step([&] { subnets->add(subnet); }, [subnets, subnet] { subnets->del(subnet->getID()); });
    }
}

/* The same network with other parameters takes over the subnets, or keeps none of them. */
void Installer::replace_network(const SharedNetwork4Ptr &old, const SharedNetwork4Ptr &network)
{
    const auto members = *old->getAllSubnets();
    const CfgSharedNetworks4Ptr networks = networks_;
    Undo undo;
    undo.note([networks, old, network, members] {
        if (networks->getByName(network->getName()) == network) {
            networks->del(network->getName());
        }
        for (const Subnet4Ptr &member : members) {
            SharedNetwork4Ptr home;
            member->getSharedNetwork(home);
            if (home == network) {
                network->del(member->getID());
            }
            if (home != old) {
                old->add(member);
            }
        }
        if (!networks->getByName(old->getName())) {
            networks->add(old);
        }
    });
    networks->del(old->getName());
    for (const Subnet4Ptr &member : members) {
        network->add(member);
    }
    networks->add(network);
    undo.keep();
}

/* The network is what it was, and may be told in other words. */
void take_network_words(Undo &undo, const SharedNetwork4Ptr &network, const ConfiguredText &words)
{
    const ConfiguredText before = configured_words(network.get()).text;
    undo.step([&] { configured_note(network, words); },
              [network, before] {
                  if (before) {
                      configured_note(network, before);
                  } else {
                      configured_forget(network.get());
                  }
              });
}

void Installer::enter_network(Undo &undo, const ParsedScope &scope, bool keep_network)
{
    if (!scope.network) {
        return;
    }
    const CfgSharedNetworks4Ptr networks = networks_;
    const SharedNetwork4Ptr fresh = scope.network;
    const SharedNetwork4Ptr current = networks->getByName(fresh->getName());
    SharedNetwork4Ptr home = fresh;
    if (!current) {
        undo.step([&] { networks->add(fresh); }, [networks, fresh] { networks->del(fresh->getName()); });
    } else if (!keep_network && !is_same(*current, *fresh)) {
        const Words words = words_of(which_, current);
        if (!words.configured && !words.reason.empty()) {
            isc_throw(isc::BadValue, "its shared network keeps its parameters here: " << words.reason);
        }
        undo.step([&] { replace_network(current, fresh); },
                  [this, current, fresh] { replace_network(fresh, current); });
        changed_networks_.insert(fresh->getName());
    } else {
        home = current;
        if (!keep_network) {
            take_network_words(undo, current, scope.network_words);
        }
    }
    const Subnet4Ptr subnet = scope.subnet;
    undo.step([&] { home->add(subnet); }, [home, subnet] { home->del(subnet->getID()); });
}

void Installer::replace_hosts(Undo &undo, uint32_t subnet_id, const HostCollection &hosts)
{
    const CfgHostsPtr all = hosts_;
    const HostCollection before = all->getAll4(isc::dhcp::SubnetID(subnet_id));
    if (before.empty() && hosts.empty()) {
        return;
    }
    const auto put = [all, subnet_id](const HostCollection &list) {
        all->delAll4(isc::dhcp::SubnetID(subnet_id));
        for (const auto &host : list) {
            all->add(host);
        }
    };
    undo.note([put, before] { put(before); });
    put(hosts);
}

void Installer::drop_if_empty(Undo &undo, const SharedNetwork4Ptr &network)
{
    /* It may have been replaced by now; then the one that replaced it has a subnet. */
    const CfgSharedNetworks4Ptr networks = networks_;
    if (network && network->getAllSubnets()->empty() && networks->getByName(network->getName()) == network) {
        undo.step([&] { networks->del(network->getName()); }, [networks, network] { networks->add(network); });
    }
}

/* `counts` is null in a configuration that does not serve. */
void Installer::install(const ParsedScope &scope, bool keep_network, const LeaseCounts *counts)
{
    const Subnet4Ptr subnet = scope.subnet;
    const Subnet4Ptr old = find(subnet->getID());
    check_prefix(*subnet);
    Undo undo;
    const SharedNetwork4Ptr left = old ? leave_network(undo, old) : SharedNetwork4Ptr();
    replace_subnet(undo, old, subnet);
    enter_network(undo, scope, keep_network);
    drop_if_empty(undo, left);
    if (!scope.keeps_hosts) {
        replace_hosts(undo, subnet->getID(), scope.hosts);
    }
    if (counts) {
        const StatisticValues values = old ? statistics_save(*subnet, *old) : StatisticValues();
        undo.note([old, subnet, values] {
            release::stop_allocators(*subnet);
            if (old) {
                release::restart_allocators(*old);
                statistics_restore(values);
            } else {
                statistics_remove(*subnet);
            }
        });
        release::start_allocators(*subnet);
        statistics_set(*subnet, old.get(), *counts);
    }
    undo.keep();
}

void Installer::remove(const struct kea_change &change, bool running)
{
    const Subnet4Ptr subnet = find(object_subnet_id(change.id));
    if (!subnet) {
        return;
    }
    if (subnet->toText() != change.name) {
        isc_throw(isc::BadValue,
                  "the subnet with this id is " << subnet->toText() << " here: remove that by its own name");
    }
    const CfgSubnets4Ptr subnets = subnets_;
    Undo undo;
    const SharedNetwork4Ptr left = leave_network(undo, subnet);
    undo.step([&] { subnets->del(subnet->getID()); }, [subnets, subnet] { subnets->add(subnet); });
    drop_if_empty(undo, left);
    replace_hosts(undo, subnet->getID(), HostCollection());
    if (running) {
        undo.step([&] { release::stop_allocators(*subnet); }, [subnet] { release::restart_allocators(*subnet); });
        statistics_remove(*subnet);
    }
    undo.keep();
}

std::string called(const struct kea_change &change)
{
    return "subnet " + std::string(change.name ? change.name : "?") + " (id " + std::to_string(change.id) + ")";
}

void refuse(struct kea_change &change, const char *reason) noexcept
{
    refuse_change(change, called, reason);
}

template <typename Body> bool attempt(struct kea_change &change, Body body) noexcept
{
    return attempt_change(change, called, body);
}

std::vector<planned> plan(enum kea_configuration which, struct kea_change *changes, size_t count)
{
    std::vector<planned> plans;
    plans.reserve(count);
    ScopeParser parser(which);
    for (size_t i = 0; i < count; ++i) {
        planned entry = {&changes[i], {}, false, {}};
        if (!changes[i].name) {
            refuse(changes[i], "it was named without its prefix");
            entry.refused = true;
        } else if (changes[i].definition) {
            entry.refused = !attempt(changes[i], [&] {
                entry.scope = parser.parse(object_subnet_id(changes[i].id), changes[i].name, changes[i].definition,
                                           changes[i].keep_network);
            });
        }
        plans.push_back(std::move(entry));
    }
    return plans;
}

/* How long the packet threads may stand still at a time. A sender learns how long they did and sends less at once; this
 * is for the batch that was too large all the same. */
constexpr std::chrono::milliseconds LONGEST_PAUSE(4);

/* How often the leases are asked anew because some of them have changed meanwhile. Nothing serves those of a subnet
 * that is not there yet; so they seldom do, and a count that is one off is no reason to keep packets waiting. */
constexpr int COUNTS_MAX = 3;

/* The packet threads standing still, from the first need on. */
class Pause
{
  public:
    void begin()
    {
        if (!section_) {
            section_ = std::make_unique<isc::util::MultiThreadingCriticalSection>();
            since_ = std::chrono::steady_clock::now();
        }
    }

    void end()
    {
        if (section_) {
            section_.reset();
            paused_ += std::chrono::steady_clock::now() - since_;
        }
    }

    void end_if_long()
    {
        if (section_ && std::chrono::steady_clock::now() - since_ > LONGEST_PAUSE) {
            end();
        }
    }

    std::chrono::steady_clock::duration paused() const
    {
        return paused_;
    }

  private:
    std::unique_ptr<isc::util::MultiThreadingCriticalSection> section_;
    std::chrono::steady_clock::time_point since_;
    std::chrono::steady_clock::duration paused_ = std::chrono::steady_clock::duration::zero();
};

/* Begins a pause in which what was counted of a scope is so. */
void begin_counted(const Installer &installer, planned &entry, Pause &pause)
{
    pause.begin();
    const Subnet4Ptr subnet = entry.scope.subnet;
    for (int counted = 1; subnet && counted < COUNTS_MAX; ++counted) {
        const Subnet4Ptr old = installer.find(subnet->getID());
        if (statistics_counted(*subnet, old.get(), entry.counts)) {
            return;
        }
        pause.end();
        entry.counts = statistics_count(*subnet, old.get());
        pause.begin();
    }
}

/* A subnet has inherited from its shared network when it was parsed. One in a network that has changed is parsed again,
 * from its own words. Where that fails it stays as it is, and is told as the server prints it. `around` are the
 * network's words. */
void follow_network(enum kea_configuration which, Installer &installer, const SharedNetwork4Ptr &network,
                    const ConfiguredText &around, const Subnet4Ptr &member, Pause &pause)
{
    const bool running = which == KEA_RUNNING;
    const Configured words = configured_words(member.get());
    if (!words.text || (words.around && *words.around == *around)) {
        return;
    }
    planned entry = {nullptr, {}, false, {}};
    entry.scope.subnet = ScopeParser(which).parse_subnet(isc::data::Element::fromJSON(*words.text),
                                                         isc::data::Element::fromJSON(*around));
    if (is_same(*entry.scope.subnet, *member)) {
        configured_note(member, words.text, around);
        return;
    }
    entry.scope.network = network;
    entry.scope.keeps_hosts = true;
    if (running) {
        entry.counts = statistics_count(*entry.scope.subnet, member.get());
        begin_counted(installer, entry, pause);
    }
    installer.install(entry.scope, true, running ? &entry.counts : nullptr);
    configured_note(entry.scope.subnet, words.text, around);
}

void follow_networks(enum kea_configuration which, Installer &installer, Pause &pause)
{
    const std::set<std::string> changed = installer.changed_networks();
    for (const std::string &name : changed) {
        const SharedNetwork4Ptr network = installer.network(name);
        if (!network) {
            continue;
        }
        pause.end();
        const ConfiguredText around = words_of(which, network).text;
        for (const Subnet4Ptr &member : installer.members(name)) {
            (void)run_contained("a member of a shared network",
                                [&] { follow_network(which, installer, network, around, member, pause); });
            pause.end();
        }
    }
}

/* Of a scope of which only the words are to be put in place: false if it has to be installed, since the server has lost
 * some of it in its own print, or has it in another spelling. Throws if the server has something else. */
bool are_words_taken(enum kea_configuration which, struct kea_change &change, const ParsedScope &scope)
{
    const SrvConfigPtr configuration = configuration_of(which);
    const Presence presence = scope_presence(*configuration, scope, change.keep_network);
    change.otherwise = presence == Presence::OTHERWISE;
    if (change.otherwise) {
        isc_throw(isc::BadValue, "the server has it otherwise");
    }
    if (presence == Presence::SAME) {
        scope_take_words(*configuration, scope, change.keep_network);
    }
    return presence == Presence::SAME;
}

/* Returns for how long packets had to wait. */
std::chrono::steady_clock::duration carry_out(enum kea_configuration which, std::vector<planned> &plans)
{
    const bool running = which == KEA_RUNNING;
    Installer installer(which, configuration_of(which));
    Pause pause;
    if (running) {
        for (planned &entry : plans) {
            if (!entry.refused && entry.scope.subnet) {
                entry.refused = !attempt(*entry.change, [&] {
                    const Subnet4Ptr old = installer.find(entry.scope.subnet->getID());
                    entry.counts = statistics_count(*entry.scope.subnet, old.get());
                });
            }
        }
    }
    for (planned &entry : plans) {
        if (entry.refused) {
            continue;
        }
        pause.end_if_long();
        struct kea_change &change = *entry.change;
        change.applied = attempt(change, [&] {
            if (entry.scope.subnet && change.words_only && are_words_taken(which, change, entry.scope)) {
                return;
            }
            if (running) {
                begin_counted(installer, entry, pause);
            }
            if (entry.scope.subnet) {
                installer.install(entry.scope, change.keep_network, running ? &entry.counts : nullptr);
            } else {
                installer.remove(change, running);
            }
        });
    }
    follow_networks(which, installer, pause);
    pause.end();
    return pause.paused();
}

} // namespace

uint32_t failover_sync::scopes_apply(enum kea_configuration which, struct kea_change *changes, size_t count) noexcept
{
    std::chrono::microseconds paused(0);
    for (size_t i = 0; i < count; ++i) {
        changes[i].applied = changes[i].otherwise = false;
        changes[i].text = nullptr;
        changes[i].after = {};
    }
    const struct result outcome = run_guarded("scopes_apply", [&] {
        if (!on_main_thread()) {
            return result_error(RESULT_INTERNAL, "scopes are applied on the server's main thread only");
        }
        const auto begun = std::chrono::steady_clock::now();
        std::vector<planned> plans = plan(which, changes, count);
        /* Without packet threads the main thread is the one that serves packets, and parsing keeps it from them, too.
         */
        const bool threads = isc::util::MultiThreadingMgr::instance().getMode();
        const auto in_pauses = carry_out(which, plans);
        paused = std::chrono::duration_cast<std::chrono::microseconds>(
            threads ? in_pauses : std::chrono::steady_clock::now() - begun);
        return result_ok();
    });
    for (size_t i = 0; i < count; ++i) {
        if (!changes[i].applied && !changes[i].text) {
            refuse(changes[i], outcome.message);
        }
        (void)scope_get(which, object_subnet_id(changes[i].id), &changes[i].after);
    }
    return static_cast<uint32_t>(std::min<int64_t>(paused.count(), UINT32_MAX));
}
