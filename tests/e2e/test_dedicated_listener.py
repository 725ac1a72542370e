"""HA listening for its partner by itself, with threads: requests then arrive on a thread that may not change the
configuration. Kea 2.2 can do so too, though not by default."""

from lab import config, load
from lab.waiting import wait_until
from test_replication import scope_list_edit, without


def test_changes_arrive_through_has_own_listener(make_pair):
    pair = make_pair([config.scope(1), config.scope(2), config.link_scope()], dedicated_listener=True,
                     multi_threading=True).start()
    pair.wait_settled()
    mark, state = pair.second.mark(), pair.second.ha_state()
    traffic = load.start_perfdhcp(pair.network, 500, 5, clients=500)  # packet threads at work
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(3)))
    wait_until(lambda: 3 in pair.second.scopes(), 1, "an added scope arrives")
    pair.first.change_by_set(scope_list_edit(1, lambda scope: scope.update({"valid-lifetime": 1111})))
    wait_until(lambda: pair.second.scopes()[1]["subnet4"]["valid-lifetime"] == 1111, 1, "a change arrives")
    pair.first.change_by_set(without(2))
    wait_until(lambda: 2 not in pair.second.scopes(), 1, "a removal arrives")
    pair.wait_agree()
    load.finish_perfdhcp(traffic, 5)
    pair.wait_settled()
    assert pair.second.ha_state() == state and not pair.second.disturbances(mark)
    assert pair.first.alive and pair.second.alive
    assert not pair.second.logged("FAILOVER_SYNC_EXCEPTION|invalid thread pool state")
    assert pair.second.stop() == 0 and pair.first.stop() == 0
