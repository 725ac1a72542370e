"""Nothing is lost while a server is away, however it went."""

import pytest
from lab import config
from lab.waiting import stays, wait_until
from test_replication import scope_list_edit, without


def lifetime(server, identifier):
    return server.scopes()[identifier]["subnet4"]["valid-lifetime"]


def test_what_changed_while_the_partner_was_down_arrives(pair):
    pair.wait_settled()
    pair.second.stop()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(60)))
    pair.first.change_by_file(scope_list_edit(1, lambda scope: scope.update({"valid-lifetime": 3001})))
    pair.first.change_by_file(without(2))
    pair.first.change_by_file(scope_list_edit(1, lambda scope: scope.update({"valid-lifetime": 3002})))
    wait_until(lambda: pair.first.sync_status().get("queued", 0) >= 3 and pair.first.sync_status().get("out-of-sync", 0) >= 1, 5,
               "the changes are queued")
    pair.second.start()
    pair.wait_agree(30)
    assert lifetime(pair.second, 1) == 3002 and 60 in pair.second.scopes() and 2 not in pair.second.scopes()
    pair.wait_settled()


def test_the_queue_outlives_the_sender(pair):
    """Down partner, changes, then the server with the queue is killed and started again; then the partner comes."""
    pair.wait_settled()
    pair.second.stop()
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(61)))
    wait_until(lambda: pair.first.sync_status().get("queued", 0) >= 1, 5, "the change is queued")
    wait_until(lambda: pair.first.command("scope-get", {"subnet-id": 61})["scope"]["record-id"], 5, "it is recorded")
    pair.first.kill9()
    pair.first.start()
    assert 61 in pair.first.scopes(), "a scope set at run time outlives kill -9"
    pair.second.start()
    wait_until(lambda: 61 in pair.second.scopes(), 30, "the change arrives")
    pair.wait_settled()
    assert pair.agree()


@pytest.mark.parametrize("how", ["stop", "kill9"])
def test_what_was_received_outlives_a_restart(pair, how):
    """Not in the receiver's file, and there all the same: added, changed and removed scopes."""
    added = {"stop": 62, "kill9": 63}[how]
    pair.wait_settled()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(added)))
    pair.first.change_by_file(scope_list_edit(3, lambda scope: scope.update({"valid-lifetime": 5000 + added})))
    pair.wait_agree()
    pair.wait_settled()
    before = pair.second.scopes()
    state = pair.second.command("scope-get", {"subnet-id": added})["scope"]
    assert state["in-file"] is False and state["origin"] == "partner"
    getattr(pair.second, how)()
    pair.second.start()
    assert pair.second.scopes() == before, "before anything could have come from the partner"
    assert lifetime(pair.second, 3) == 5000 + added
    assert pair.second.logged("FAILOVER_SYNC_RESTORED")
    pair.wait_settled()
    assert pair.agree()
    assert pair.second.sync_status()["pushes"] == 0, "a restart is not an edit"


def test_what_was_removed_by_the_partner_stays_removed_after_a_restart(pair):
    pair.wait_settled()
    pair.second.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(64)))
    wait_until(lambda: 64 in pair.first.scopes(), 1, "the scope of the second server's file is at the first")
    pair.wait_settled()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(64)))
    pair.wait_settled()
    pair.first.change_by_file(without(64))
    wait_until(lambda: 64 not in pair.second.scopes(), 1, "the first server removed it")
    pair.wait_settled()
    pair.second.kill9()
    pair.second.start()
    assert 64 not in pair.second.scopes(), "although the second server's file still has it"
    pair.wait_settled()
    stays(lambda: 64 not in pair.first.scopes() and 64 not in pair.second.scopes(), 1, "it stays removed")


def test_the_files_edit_while_the_server_was_down_is_an_edit(pair):
    pair.wait_settled()
    pair.second.stop()
    changed = {**pair.second.configuration}
    changed["subnet4"] = [{**scope, "valid-lifetime": 4321} if scope["id"] == 1 else scope for scope in changed["subnet4"]]
    pair.second.write(changed)
    pair.second.start()
    wait_until(lambda: lifetime(pair.first, 1) == 4321, 20, "the edit of the file reaches the first server")
    pair.wait_settled()
    assert pair.agree() and lifetime(pair.second, 1) == 4321


@pytest.mark.parametrize("victim", ["server1", "server2"])
def test_kill_9_in_the_middle_of_many_changes(make_pair, victim):
    """Killed at a moment that differs from try to try; afterwards both agree, and on what was delivered last."""
    pair = make_pair([config.scope(number) for number in range(1, 301)]).start()
    pair.wait_settled()
    for turn, pause in enumerate((0.0, 0.02, 0.1)):
        def edit(dhcp4):
            for scope in dhcp4["subnet4"]:
                scope["valid-lifetime"] = 6000 + turn
        pair.first.change_by_file(edit)
        if pause:
            mark = pair.second.mark()
            try:
                wait_until(lambda: pair.second.logged("FAILOVER_SYNC_RECEIVED", mark), pause, "some arrived", every=0.005)
            except AssertionError:
                pass  # the moment is what matters, whether or not any arrived
        pair.servers[victim].kill9()
        pair.servers[victim].start()
        wait_until(lambda: lifetime(pair.second, 1) == lifetime(pair.second, 300) == 6000 + turn, 30, "all changes arrive")
        pair.wait_settled(40)
        assert pair.agree(), pair.differences()
        assert {scope["subnet4"]["valid-lifetime"] for scope in pair.first.scopes().values()} == {6000 + turn}
