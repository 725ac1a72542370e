"""Ranges that DHCP manages are pools: to change or add one is to change what the server runs, and so what the partner
runs, without either noticing more than that."""

import os

import pytest
from lab import config, load, tables
from lab.operations import PROGRESS, call, custom_values, ended, refused
from lab.pair import Pair
from lab.waiting import wait_until

TWO_POOLS = config.scope(7, **{"pools": [
    {"pool": "10.100.7.10 - 10.100.7.50", "user-context": {"floor": 3},
     "option-data": [{"name": "routers", "data": "10.100.7.1"}]},
    {"pool": "10.100.7.100 - 10.100.7.150"}]})
NO_POOL = config.link_scope(**{"pools": []})


@pytest.fixture(scope="module")
def pair():
    pair = Pair([config.scope(number) for number in range(1, 7)] + [TWO_POOLS, NO_POOL])
    try:
        yield pair.start()
    finally:
        pair.remove()


def scope_record(server, subnet_id):
    return server.command("scope-get", {"subnet-id": subnet_id})["scope"]["record-id"]


def range_of_pool(server, subnet_id, first=10):
    """The range of the scope's pool that begins there."""
    ranges = call(server, "range-get-all", {"scope-record-id": scope_record(server, subnet_id)})["ranges"]
    return next(row for row in ranges if row["start-ip-address"] == f"10.100.{subnet_id}.{first}")


def pools(server, subnet_id):
    return [pool["pool"].replace(" ", "") for pool in server.scopes()[subnet_id]["subnet4"]["pools"]]


def new_pool(server, subnet_id, first, last, **more):
    """range-add's arguments for a pool in a scope of the lab's numbering."""
    return {"address-family": "InterNetwork", "subnet-id": f"10.100.{subnet_id}.0", "prefix-length": 24,
            "start-ip-address": f"10.100.{subnet_id}.{first}", "end-ip-address": f"10.100.{subnet_id}.{last}",
            "address-assignment": "Dynamic", "address-category": "Private",
            "scope-record-id": scope_record(server, subnet_id),
            "custom-field-values": custom_values("DHCP", server.name), **more}


def in_sync(server, subnet_id):
    scope = server.command("scope-get", {"subnet-id": subnet_id})["scope"]
    return scope["sync-status"] == "InSync"


@pytest.fixture
def nothing_happens(pair):
    """Neither configuration nor either store changes."""
    pair.wait_quiet()
    configurations = [server.running() for server in pair.servers.values()]
    dumps = [tables.dump(server) for server in pair.servers.values()]
    yield
    assert [server.running() for server in pair.servers.values()] == configurations
    for server, dump in zip(pair.servers.values(), dumps):
        assert not tables.differences(dump, tables.dump(server))


# ---- bounds ----

def test_new_bounds_are_the_pools_here_and_within_a_second_at_the_partner(pair, undisturbed):
    first, second = pair.first, pair.second
    record, mark = range_of_pool(first, 1), first.mark()
    answer = call(first, "range-update", {
        "record-id": record["record-id"], "modified-properties": ["end-ip-address", "owner", "start-ip-address"],
        "start-ip-address": "10.100.1.20", "end-ip-address": "10.100.1.99", "owner": "ops"})
    assert answer["pool-change"] is True and answer["state"] == "CompletedWithSuccess"
    assert set(answer["changed-properties"]) == {"start-ip-address", "end-ip-address", "owner"}
    assert pools(first, 1) == ["10.100.1.20-10.100.1.99"]
    wait_until(lambda: pools(second, 1) == ["10.100.1.20-10.100.1.99"], 1, "the partner's pool has the new bounds")
    wait_until(lambda: in_sync(first, 1), 1, "the scope is in sync")
    after = call(first, "range-get", {"record-id": record["record-id"]})["range"]
    assert (after["start-ip-address"], after["end-ip-address"], after["owner"]) == ("10.100.1.20", "10.100.1.99", "ops")
    assert after["scope-record-id"] == record["scope-record-id"] and after["dhcp-server-name"] == "server1"
    wait_until(lambda: tables.query(second, "SELECT r.EndIPAddress FROM ADM_IPRangeTable r JOIN ADM_DHCPScopesTable s"
                                            " ON s.RecordId = r.ScopeRecordId WHERE s.SubnetId = 1 AND s.RecordId = ?",
                                    scope_record(second, 1)) == [("10.100.1.99",)], 2, "the partner's range follows")
    assert not first.disturbances(mark)


def test_what_hangs_on_a_pool_stays_and_so_do_its_neighbours(pair):
    record = range_of_pool(pair.first, 7)
    call(pair.first, "range-update", {"record-id": record["record-id"], "modified-properties": ["end-ip-address"],
                                      "end-ip-address": "10.100.7.60"})
    wait_until(lambda: pools(pair.second, 7) == ["10.100.7.10-10.100.7.60", "10.100.7.100-10.100.7.150"], 1,
               "the partner's pool has the new bounds")
    pool = pair.second.scopes()[7]["subnet4"]["pools"][0]
    assert pool["user-context"] == {"floor": 3} and pool["option-data"][0]["data"] == "10.100.7.1"


def test_without_new_bounds_only_the_row_changes(pair, undisturbed):
    record, before = range_of_pool(pair.first, 2)["record-id"], pair.first.running()
    answer = call(pair.first, "range-update", {"record-id": record, "modified-properties": ["owner", "end-ip-address"],
                                               "owner": "ops", "end-ip-address": "10.100.2.250"})
    assert answer["pool-change"] is False and answer["changed-properties"] == ["owner"]
    assert pair.first.running() == before
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"][1].update({"valid-lifetime": 1234}))
    wait_until(lambda: pair.second.scopes()[2]["subnet4"].get("valid-lifetime") == 1234, 1, "a change of the scope arrives")
    pair.wait_settled()
    row = range_of_pool(pair.first, 2)
    assert row["record-id"] == record and row["owner"] == "ops"


def test_wait_false_answers_before_the_pool_has_changed(pair):
    record = range_of_pool(pair.first, 3)["record-id"]
    answer = call_without_waiting(pair.first, "range-update", {
        "record-id": record, "modified-properties": ["end-ip-address"], "end-ip-address": "10.100.3.33"})
    operation = ended(pair.first, answer["operation-id"])
    assert operation["state"] == "CompletedWithSuccess" and operation["command"] == "range-update"
    assert operation["percent"] == 100 and operation["output"]["pool-change"] is True
    assert operation["started-at"] <= operation["ended-at"]
    assert pools(pair.first, 3) == ["10.100.3.10-10.100.3.33"]
    wait_until(lambda: pools(pair.second, 3) == ["10.100.3.10-10.100.3.33"], 1, "the partner's pool has the new bounds")


def call_without_waiting(server, command, arguments):
    answer = server.curl(command, {**arguments, "wait": False})
    assert answer["result"] == 0 and set(answer["arguments"]) == PROGRESS, answer
    return answer["arguments"]


@pytest.mark.parametrize("changes, exception, node", [
    ({"end-ip-address": "10.100.7.120"}, "IpamApiInvalidAddressRange", "end-ip-address"),
    ({"start-ip-address": "10.100.7.101", "end-ip-address": "10.100.7.102"}, "IpamApiInvalidAddressRange",
     "start-ip-address"),
    ({"end-ip-address": "10.100.8.1"}, "IpamApiEndIpAddressOutOfRange", "end-ip-address"),
    ({"start-ip-address": "10.100.6.255"}, "IpamApiInvalidStartIPAddress", "start-ip-address"),
    ({"start-ip-address": "10.100.7.99"}, "IpamApiInvalidStartIPAddress", "start-ip-address"),
    ({"end-ip-address": "10.100.7.120", "owner": "me"}, "IpamApiInvalidAddressRange", "end-ip-address"),
], ids=["into another pool", "inside another pool", "ends outside", "starts outside", "ends before it starts",
        "with a property of the row"])
def test_bounds_that_the_server_refuses_change_nothing(pair, nothing_happens, changes, exception, node):
    """A neighbour is for Kea to see, the subnet for ValidateIPRange."""
    record = range_of_pool(pair.first, 7)["record-id"]
    refused(pair.first, "range-update", {"record-id": record, "modified-properties": list(changes), **changes}, exception,
            node)


@pytest.mark.parametrize("changes, exception, node", [
    ({"custom-field-values": custom_values("IPAM", "Localhost")}, "IpamApiCannotUpdateManagedByValueForMsDhcpRange",
     "custom-field-values"),
    ({"custom-field-values": custom_values("DHCP", "server2")}, "IpamApiCannotUpdateManagedByValueForMsDhcpRange",
     "custom-field-values"),
    ({"subnet-id": "10.100.8.0"}, "IpamApiInvalidUpdate", "subnet-id"),
    ({"prefix-length": 25}, "IpamApiInvalidUpdate", "prefix-length"),
    ({"dhcp-server-name": "server2"}, "IpamApiInvalidUpdate", "dhcp-server-name"),
    ({"address-assignment": "Static"}, "IpamApiInvalidAddressAssignment", "address-assignment"),
    ({"utilization-calculation-type": "Static", "utilization-statistics": {
        "total-assigned-addresses": "1", "total-available-addresses": "1", "total-utilized-addresses": "1"}},
     "IpamApiInvalidUtilizationCalculationType", "utilization-calculation-type"),
], ids=["manager", "entity", "subnet", "prefix", "server", "assignment", "utilization"])
def test_whose_a_pool_is_cannot_be_changed(pair, nothing_happens, changes, exception, node):
    record = range_of_pool(pair.first, 7)["record-id"]
    refused(pair.first, "range-update", {"record-id": record, "modified-properties": list(changes), **changes}, exception,
            node)


# ---- new pools ----

def test_a_range_of_dhcp_becomes_a_pool_at_both(pair, undisturbed):
    answer = call(pair.first, "range-add", new_pool(pair.first, 7, 200, 220, owner="ops", description="guests"))
    assert answer["pool-change"] is True
    wait_until(lambda: "10.100.7.200-10.100.7.220" in pools(pair.second, 7), 1, "the partner has the pool")
    stored = call(pair.first, "range-get", {"record-id": answer["record-id"]})["range"]
    assert stored["start-ip-address"] == "10.100.7.200" and stored["owner"] == "ops" and stored["description"] == "guests"
    assert stored["custom-field-values"] == custom_values("DHCP", "server1")
    assert len(pools(pair.first, 7)) == 3


@pytest.mark.parametrize("changes, exception, node", [
    ({"start-ip-address": "10.100.7.140"}, "IpamApiInvalidAddressRange", "start-ip-address"),
    ({"address-assignment": "Static"}, "IpamApiInvalidAddressAssignment", "address-assignment"),
    ({"dhcp-server-name": "server2"}, "IpamApiInvalidParameter", "dhcp-server-name"),
    ({"dhcp-scope-name": "another"}, "IpamApiInvalidParameter", "dhcp-scope-name"),
    ({"custom-field-values": custom_values("DHCP", "Localhost")}, "IpamApiInvalidParameter", "dhcp-server-name"),
    ({"end-ip-address": "10.100.9.1"}, "IpamApiEndIpAddressOutOfRange", "end-ip-address"),
], ids=["over another pool", "assignment", "server", "scope's name", "entity", "ends outside"])
def test_a_pool_that_cannot_be_is_not_added(pair, nothing_happens, changes, exception, node):
    refused(pair.first, "range-add", {**new_pool(pair.first, 7, 155, 160), **changes}, exception, node)


def test_the_partners_scope_is_changed_at_the_partner(pair, nothing_happens):
    """The store has the partner's scopes, too; their pools are not this server's to change."""
    theirs = tables.query(pair.first, "SELECT s.RecordId FROM ADM_DHCPScopesTable s JOIN ADM_DHCPServersTable v ON"
                                      " v.RecordId = s.DHCPServerRecordId WHERE NOT v.IsLocal AND s.SubnetId = 7")[0][0]
    refused(pair.first, "range-add", {
        **new_pool(pair.first, 7, 155, 160), "scope-record-id": theirs,
        "custom-field-values": custom_values("DHCP", "server2")},
        "IpamApiInvalidUpdate", "scope-record-id")


def link_pool(server):
    """A pool on the clients' link, whose scope has none."""
    return {"address-family": "InterNetwork", "subnet-id": "10.53.0.0", "prefix-length": 16,
            "start-ip-address": "10.53.77.1", "end-ip-address": "10.53.77.200", "address-assignment": "Dynamic",
            "address-category": "Private", "scope-record-id": scope_record(server, 60000),
            "custom-field-values": custom_values("DHCP", server.name)}


def test_a_client_gets_an_address_of_the_new_pool_from_the_partner(pair):
    """Which of the two answers a client follows from its address: one of a few is the partner's."""
    call(pair.first, "range-add", link_pool(pair.first))
    wait_until(lambda: pools(pair.second, 60000) == ["10.53.77.1-10.53.77.200"], 1, "the partner has the pool")
    pair.wait_normal()
    leases = []
    for number in range(8):
        client = pair.network.add_client(f"k{number}")
        pair.network.ip(client, "link", "set", "eth0", "address", f"02:00:00:00:77:{number:02x}")
        leases.append(load.lease_of_client(pair.network, client, os.path.dirname(pair.second.path(""))))
        if leases[-1]["server"] == pair.second.address:
            break
    assert leases[-1]["server"] == pair.second.address, leases
    assert all(lease["ip"].startswith("10.53.77.") for lease in leases), leases


def test_a_new_bound_outlives_a_crash(pair):
    """What was changed at run time is in the store and not in the file."""
    record = range_of_pool(pair.first, 5)["record-id"]
    call(pair.first, "range-update", {"record-id": record, "modified-properties": ["end-ip-address", "owner"],
                                      "end-ip-address": "10.100.5.55", "owner": "ops"})
    pair.first.kill9()
    pair.first.start()
    wait_until(lambda: pools(pair.first, 5) == ["10.100.5.10-10.100.5.55"], 2, "the pool has the new bound again")
    row = range_of_pool(pair.first, 5)
    assert (row["record-id"], row["end-ip-address"], row["owner"]) == (record, "10.100.5.55", "ops")
    pair.wait_settled(60)
    assert pools(pair.second, 5) == ["10.100.5.10-10.100.5.55"]


# ---- on another thread than the server's main one ----

def test_over_has_own_listener_with_threads(make_pair):
    """The command arrives on a thread of HA's listener, which may not change the configuration, while packet threads are
    at work. It does not wait for those who may: they would wait for it, and packets for both."""
    pair = make_pair([config.scope(1), TWO_POOLS, NO_POOL], mode="hot-standby", dedicated_listener=True, multi_threading=True,
                     ha={"sync-leases": False, "send-lease-updates": False}).start()
    pair.wait_settled()
    active, standby = pair.first, pair.second
    mark, state = active.mark(), active.ha_state()
    call(standby, "range-add", link_pool(standby))
    wait_until(lambda: pools(active, 60000) == ["10.53.77.1-10.53.77.200"], 1, "the active server has the pool")
    traffic = load.start_perfdhcp(pair.network, 200, 3, clients=100)
    record = range_of_pool(active, 1)["record-id"]
    for last in range(100, 120):
        answer = call(active, "range-update", {"record-id": record, "modified-properties": ["end-ip-address"],
                                               "end-ip-address": f"10.100.1.{last}"})
        assert answer["pool-change"] is True and answer["state"] == "CompletedWithSuccess"
        assert pools(active, 1) == [f"10.100.1.10-10.100.1.{last}"]
    wait_until(lambda: pools(standby, 1) == ["10.100.1.10-10.100.1.119"], 1, "the partner has the last of them")
    answer = call(active, "scope-replicate", {"subnet-ids": [1, 7]})
    assert answer["scopes"] == [{"subnet-id": 1, "result": "replicated"}, {"subnet-id": 7, "result": "replicated"}]
    pair.wait_quiet()
    before = tables.dump(active)
    refused(active, "range-update", {"record-id": range_of_pool(active, 7)["record-id"],
                                     "modified-properties": ["end-ip-address"], "end-ip-address": "10.100.7.120"},
            "IpamApiInvalidAddressRange", "end-ip-address")
    assert tables.dump(active) == before
    exchanges = load.finish_perfdhcp(traffic, 3)
    assert exchanges.completed > 500, exchanges.report
    lease = load.lease_of_client(pair.network, pair.network.add_client("k"), os.path.dirname(active.path("")))
    assert lease and lease["ip"].startswith("10.53.77.") and lease["server"] == active.address
    pair.wait_settled()
    assert active.ha_state() == state and not active.disturbances(mark)
    assert not active.logged("FAILOVER_SYNC_EXCEPTION|invalid thread pool state")
    assert active.stop() == 0 and standby.stop() == 0
