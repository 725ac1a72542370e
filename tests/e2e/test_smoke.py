"""What each supported release is asked, in a tree of its own if need be (KFS_TREE)."""

from lab import config
from lab.waiting import wait_until


def test_a_pair_starts_and_a_scope_added_on_one_arrives_at_the_other(make_pair):
    pair = make_pair([config.scope(1), config.link_scope()], mode="hot-standby").start()
    pair.wait_settled()
    mark, state = pair.second.mark(), pair.second.ha_state()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(9)))
    wait_until(lambda: 9 in pair.second.scopes(), 1, f"Kea {pair.release.version}: the scope arrives")
    pair.wait_agree()
    pair.wait_settled()
    assert pair.second.ha_state() == state and not pair.second.disturbances(mark)
    assert pair.first.stop() == 0 and pair.second.stop() == 0
