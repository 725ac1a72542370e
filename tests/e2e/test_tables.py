"""What an administrator reads with sqlite3 is what the servers run."""

import os
import sqlite3
import stat

import pytest
from lab import config
from lab.waiting import wait_until

RICH = config.scope(7, **{
    "pools": [{"pool": "10.100.7.10-10.100.7.50"}, {"pool": "10.100.7.128/25"}], "valid-lifetime": 1800,
    "reservations": [{"hw-address": "02:00:00:00:07:01", "ip-address": "10.100.7.5", "hostname": "printer"}],
    "option-data": [{"name": "routers", "data": "10.100.7.1"}]})


@pytest.fixture(scope="module")
def filled(pair):
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(RICH))
    pair.wait_agree()
    pair.wait_settled()
    return pair


def query(server, sql):
    with sqlite3.connect(f"file:{server.store}?mode=ro", uri=True) as database:
        return database.execute(sql).fetchall()


@pytest.mark.parametrize("name", ["server1", "server2"])
def test_the_relationship_is_there_once(filled, name):
    rows = query(filled.servers[name], "SELECT RelationshipName, Mode, KeaMode, Server1Name, Server2Name, Server1Percentage,"
                                       " Server1IP, Server2IP FROM ADM_DhcpFailoverRelationTable")
    assert rows == [("server1-server2", "LoadBalance", "load-balancing", "server1", "server2", 50, "10.53.0.2", "10.53.0.3")]


@pytest.mark.parametrize("name", ["server1", "server2"])
def test_every_scope_has_a_row_and_a_membership(filled, name):
    rows = query(filled.servers[name],
                 "SELECT s.ScopeId, PrefixLength, SubnetId, FailoverConfigSyncStatus, r.RelationshipName"
                 " FROM ADM_DHCPScopesTable s JOIN ADM_DHCPServersTable v ON v.RecordId = s.DHCPServerRecordId"
                 " LEFT JOIN ADM_DhcpScopeFailoverTable m ON m.ScopeId = s.RecordId"
                 " LEFT JOIN ADM_DhcpFailoverRelationTable r ON r.RecordId = m.FailoverRelationId"
                 " WHERE v.IsLocal ORDER BY SubnetId")
    expected = {1: "10.100.1.0", 2: "10.100.2.0", 3: "10.100.3.0", 7: "10.100.7.0", 60000: "10.53.0.0"}
    assert {row[2]: row[0] for row in rows} == expected
    assert all(row[3:] == ("InSync", "server1-server2") for row in rows), rows


def test_ranges_and_addresses_follow_pools_and_reservations(filled):
    for server in filled.servers.values():
        ranges = query(server, "SELECT count(*) FROM ADM_IPRangeTable r JOIN ADM_DHCPScopesTable s ON s.RecordId ="
                               " r.ScopeRecordId JOIN ADM_DHCPServersTable v ON v.RecordId = s.DHCPServerRecordId"
                               " WHERE v.IsLocal AND s.SubnetId = 7 AND AddressAssignment = 'Dynamic'")
        assert ranges == [(2,)]
        assert query(server, "SELECT count(*) FROM ADM_IPAddressTable WHERE DeviceName = 'printer'")[0][0] >= 1


def test_a_removed_scope_leaves_no_row(filled):
    filled.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(8)))
    filled.wait_agree()
    filled.wait_settled()
    filled.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].pop())
    filled.wait_agree()
    count = "SELECT count(*) FROM ADM_DHCPScopesTable WHERE SubnetId = 8"
    for server in filled.servers.values():
        wait_until(lambda: query(server, count) == [(0,)], 5, f"{server.name} has no row of scope 8")
        assert query(server, "SELECT count(*) FROM ADM_DhcpScopeFailoverTable WHERE ScopeId NOT IN"
                             " (SELECT RecordId FROM ADM_DHCPScopesTable)") == [(0,)]


def test_the_store_is_sound_and_private(filled):
    for server in filled.servers.values():
        assert query(server, "PRAGMA integrity_check") == [("ok",)]
        assert query(server, "PRAGMA foreign_key_check") == []
        assert stat.S_IMODE(os.stat(server.store).st_mode) == 0o600


def test_the_commands_say_what_the_tables_say(filled):
    first = filled.first
    answer = first.command("failover-get-all")["relationships"]
    assert len(answer) == 1 and answer[0]["relationship-name"] == "server1-server2"
    assert answer[0]["mode"] == "LoadBalance" and answer[0]["scopes"] == 5
    listed = first.command("scope-get-all")["scopes"]
    assert [scope["subnet-id"] for scope in listed] == [1, 2, 3, 7, 60000]
    assert first.ask("scope-get-all", {"sync-status": "OutOfSync"})["arguments"]["scopes"] == []
    scope = first.command("scope-get", {"subnet-id": 7})["scope"]
    assert scope["definition"]["subnet4"]["valid-lifetime"] == 1800 and scope["in-file"] is True
    assert scope["record-id"] == query(first, "SELECT s.RecordId FROM ADM_DHCPScopesTable s JOIN ADM_DHCPServersTable v ON"
                                              " v.RecordId = s.DHCPServerRecordId WHERE IsLocal AND SubnetId = 7")[0][0]
    status = first.command("failover-status")
    assert status["server"] == "server1" and status["mirror"] == "current" and status["scopes"] == 5
    relationship = status["relationships"][0]
    assert relationship["partner"] == "server2" and relationship["in-sync"] == 5
    wait_until(lambda: (first.sync_status()["local-state"], first.sync_status()["partner-state"]) == ("Normal", "Normal"), 5,
               "both states are shown")


def test_a_store_on_a_full_disk_leaves_dhcp_alone(make_pair):
    """The tables cannot be written any more: DHCP goes on, and the status says so."""
    from lab import load, processes
    pair = make_pair([config.scope(1), config.link_scope()])
    disk = pair.first.path("disk")
    os.mkdir(disk)
    processes.run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk)
    try:
        for hook in pair.first.configuration["hooks-libraries"]:
            if "failover_sync" in hook["library"]:
                hook["parameters"]["store"] = pair.first.inside("disk/failover-sync.db")
        pair.first.write(pair.first.configuration)
        pair.start()
        pair.wait_settled()
        with open(f"{disk}/filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass  # full
        pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].extend(config.scope(number) for number in range(2, 200)))
        wait_until(lambda: pair.first.command("failover-status")["mirror"] == "unavailable", 10, "the status says so")
        assert pair.first.command("failover-status")["mirror-error"]
        assert pair.first.logged("FAILOVER_SYNC_MIRROR_FAILED|FAILOVER_SYNC_STORE_UNUSABLE")
        pair.wait_normal()
        assert load.perfdhcp(pair.network, 200, 1, clients=200).completed > 150
        os.unlink(f"{disk}/filler")
        pair.first.reload()
        pair.wait_agree(30)
        assert 199 in pair.second.scopes()
    finally:
        pair.stop()
        processes.run("umount", disk)
