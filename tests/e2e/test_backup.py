"""A backup peer of High Availability runs the pair's scopes, too. The primary sends them: its relationship with the backup is
one like that with its partner."""

import pytest
from lab import config, third
from lab.pair import Pair, shared_view
from lab.waiting import wait_until
from test_replication import scope_list_edit, without

SCOPES = [config.scope(1), config.scope(2), config.scope(3), config.link_scope()]


def new_pair():
    return Pair(SCOPES, mode="hot-standby", ha={"peers": third.peers_with_backup()},
                library_parameters={"both": {"retry": {"min-ms": 50, "max-ms": 500}}})


@pytest.fixture(scope="module")
def trio():
    pair = new_pair()
    try:
        pair.backup = third.backup_server(pair, SCOPES)
        pair.backup.start(wait=False)
        pair.start()
        pair.backup.wait_answering()
        wait_settled(pair)
        yield pair
    finally:
        pair.remove()


def relationships(server):
    return {row["partner"]: row for row in server.command("failover-status")["relationships"]}


def wait_settled(pair, seconds=20, library=True):
    def settled():
        servers = [*pair.servers.values(), *([pair.backup] if library else [])]
        return all(row.get("queued") == 0 and row.get("out-of-sync") == 0
                   for server in servers for row in relationships(server).values())
    wait_until(settled, seconds, "nothing is queued or out of sync anywhere", every=0.05)
    pair.wait_normal()


def agree(pair):
    views = [shared_view(server.scopes()) for server in (pair.first, pair.second, pair.backup)]
    return views[0] == views[1] == views[2]


def wait_agree(pair, seconds=5):
    wait_until(lambda: agree(pair), seconds, "all three show the same scopes")


def lifetime(server, number):
    return server.scopes()[number]["subnet4"]["valid-lifetime"]


def test_the_primary_has_a_relationship_with_the_backup_and_the_standby_has_not(trio):
    assert set(relationships(trio.first)) == {"server2", "server3"}
    assert set(relationships(trio.second)) == {"server1"} and set(relationships(trio.backup)) == {"server1"}


def test_what_the_primary_changes_arrives_at_the_backup(trio):
    mark = trio.backup.mark()
    trio.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(20)))
    wait_until(lambda: 20 in trio.backup.scopes(), 5, "the added scope is at the backup")
    trio.first.change_by_file(scope_list_edit(20, lambda scope: scope.update({"valid-lifetime": 1234})))
    wait_until(lambda: lifetime(trio.backup, 20) == 1234, 5, "the change is at the backup")
    trio.first.change_by_file(without(20))
    wait_until(lambda: 20 not in trio.backup.scopes(), 5, "the scope is gone at the backup")
    wait_agree(trio)
    assert trio.backup.ha_state() == "backup" and not trio.backup.disturbances(mark)
    wait_settled(trio)


def test_what_the_standby_changes_arrives_at_the_backup(trio):
    """By way of the primary."""
    trio.second.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(21)))
    wait_until(lambda: 21 in trio.first.scopes(), 5, "the added scope is at the primary")
    wait_until(lambda: 21 in trio.backup.scopes(), 5, "the added scope is at the backup")
    wait_settled(trio)
    trio.second.change_by_set(without(21))
    wait_until(lambda: 21 not in trio.first.scopes(), 5, "the scope is gone at the primary")
    wait_until(lambda: 21 not in trio.backup.scopes(), 5, "the scope is gone at the backup")
    wait_agree(trio)
    wait_settled(trio)


def test_what_the_backup_changes_arrives_at_both(trio):
    trio.backup.change_by_set(scope_list_edit(1, lambda scope: scope.update({"valid-lifetime": 2345})))
    wait_until(lambda: lifetime(trio.first, 1) == 2345, 5, "the change is at the primary")
    wait_until(lambda: lifetime(trio.second, 1) == 2345, 5, "the change is at the standby")
    wait_agree(trio)
    wait_settled(trio)


@pytest.mark.parametrize("how", ["stop", "kill9"])
def test_a_backup_that_was_away_gets_what_it_missed(trio, how):
    added = {"stop": 22, "kill9": 23}[how]
    trio.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(added)))
    wait_until(lambda: added in trio.backup.scopes(), 5, "the scope is at the backup")
    wait_settled(trio)
    getattr(trio.backup, how)()
    trio.first.change_by_file(scope_list_edit(2, lambda scope: scope.update({"valid-lifetime": added * 100})))
    trio.first.change_by_file(without(added))
    wait_until(lambda: relationships(trio.first)["server3"].get("queued") == 2, 5, "both changes wait")
    wait_until(lambda: lifetime(trio.second, 2) == added * 100, 5, "the standby does not wait for the backup")
    trio.backup.start()
    wait_until(lambda: lifetime(trio.backup, 2) == added * 100 and added not in trio.backup.scopes(), 10,
               "the backup has what it missed")
    wait_agree(trio)
    wait_settled(trio)


def test_a_backup_without_the_library_is_served_too():
    pair = new_pair()
    try:
        pair.backup = third.backup_server(pair, SCOPES, library=False)
        pair.backup.start(wait=False)
        pair.start()
        pair.backup.wait_answering()
        wait_settled(pair, library=False)
        assert relationships(pair.first)["server3"]["way"] == "config-set"
        mark = pair.second.mark()
        pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(20)))
        wait_until(lambda: 20 in pair.backup.scopes(), 15, "the added scope is at the backup")
        assert 20 in pair.second.scopes() and relationships(pair.first)["server2"]["way"] == "scope-receive"
        pair.first.change_by_file(without(20))
        wait_until(lambda: 20 not in pair.backup.scopes(), 15, "the scope is gone at the backup")
        wait_settled(pair, library=False)
        assert agree(pair) and not pair.second.logged("DHCP4_CONFIG_COMPLETE", mark)
        assert pair.backup.ha_state() == "backup"
    finally:
        pair.remove()
