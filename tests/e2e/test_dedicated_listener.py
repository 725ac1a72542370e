"""HA listening for its partner by itself, with threads: requests then arrive on a thread that may not change the
configuration. Kea 2.2 can do so too, though not by default."""

import pytest
from lab import config, load
from lab.waiting import wait_until
from test_replication import scope_list_edit, without


def test_changes_arrive_through_has_own_listener(make_pair):
    """The active server receives while its packet threads are at work.

    In load balancing, or with lease updates, a config-set at the partner is enough to move HA here: its listener is closed
    for a moment. That is Kea's doing, so neither is used."""
    pair = make_pair([config.scope(1), config.scope(2), config.link_scope()], mode="hot-standby", dedicated_listener=True,
                     multi_threading=True, ha={"sync-leases": False, "send-lease-updates": False}).start()
    pair.wait_settled()
    receiver, changer = pair.first, pair.second
    mark, state = receiver.mark(), receiver.ha_state()
    traffic = load.start_perfdhcp(pair.network, 500, 5, clients=500)
    changer.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(3)))
    wait_until(lambda: 3 in receiver.scopes(), 1, "an added scope arrives")
    changer.change_by_set(scope_list_edit(1, lambda scope: scope.update({"valid-lifetime": 1111})))
    wait_until(lambda: receiver.scopes()[1]["subnet4"]["valid-lifetime"] == 1111, 1, "a change arrives")
    changer.change_by_set(without(2))
    wait_until(lambda: 2 not in receiver.scopes(), 1, "a removal arrives")
    pair.wait_agree()
    exchanges = load.finish_perfdhcp(traffic, 5)
    assert exchanges.completed > 5 * 400, exchanges.report
    pair.wait_settled()
    assert receiver.ha_state() == state and not receiver.disturbances(mark)
    assert not receiver.logged("FAILOVER_SYNC_EXCEPTION|invalid thread pool state")
    assert receiver.stop() == 0 and changer.stop() == 0


@pytest.mark.parametrize("listener", [False, True], ids=["agent", "listener"])
@pytest.mark.parametrize("threads", [False, True], ids=["one-thread", "threads"])
def test_changes_and_removals_go_both_ways(make_pair, threads, listener):
    """However HA is made to work. Without threads it listens by none of its own, whatever it is told."""
    pair = make_pair([config.scope(1), config.scope(2), config.scope(3)], mode="hot-standby", multi_threading=threads, ha={
        "sync-leases": False, "send-lease-updates": False,
        "multi-threading": {"enable-multi-threading": threads, "http-dedicated-listener": listener}})
    for server in pair.servers.values():
        server.agent_wanted = not (threads and listener)
    pair.start()
    pair.wait_settled()
    for sender, receiver, number in ((pair.first, pair.second, 1), (pair.second, pair.first, 2)):
        state, mark = receiver.ha_state(), receiver.mark()
        sender.change_by_set(scope_list_edit(number, lambda scope: scope.update({"valid-lifetime": 1111})))
        wait_until(lambda: receiver.scopes()[number]["subnet4"]["valid-lifetime"] == 1111, 2, "a change arrives")
        sender.change_by_set(without(number))
        wait_until(lambda: number not in receiver.scopes(), 2, "a removal arrives")
        assert receiver.ha_state() == state and not receiver.disturbances(mark)
        pair.wait_settled()
        assert pair.agree() and sender.sync_status()["way"] == "scope-receive"
    for server in pair.servers.values():
        assert bool(server.agent) != (threads and listener)
        assert not server.logged("FAILOVER_SYNC_EXCEPTION|invalid thread pool state")
