"""Both servers are equal: a change on the second reaches the first, and nothing goes round in circles."""

from lab import config
from lab.waiting import stays, wait_until


def counts(server):
    status = server.sync_status()
    return {key: status[key] for key in ("pushes", "scopes-sent", "scopes-received")}


def test_a_change_on_the_second_server_reaches_the_first(pair):
    pair.wait_settled()
    mark, state = pair.first.mark(), pair.first.ha_state()
    pair.second.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(30)))
    wait_until(lambda: 30 in pair.first.scopes(), 1, "the first server has the scope")
    pair.wait_agree()
    pair.second.change_by_set(lambda dhcp4: dhcp4["subnet4"].pop())
    wait_until(lambda: 30 not in pair.first.scopes(), 1, "the first server no longer has the scope")
    assert pair.first.ha_state() == state and not pair.first.disturbances(mark, loading=pair.second)
    pair.second.reload()
    wait_until(lambda: 30 in pair.first.scopes(), 1, "the file's scope is back")


def test_nothing_is_pushed_back(pair):
    """The library counts from its load, and a config-set at the first server loads it anew there."""
    for changer, other in ((pair.first, pair.second), (pair.second, pair.first)):
        pair.wait_settled()
        before = counts(other)
        changer.change_by_set(lambda dhcp4: dhcp4["subnet4"][0].update({"valid-lifetime": 999}))
        wait_until(lambda: other.scopes()[1]["subnet4"]["valid-lifetime"] == 999, 1, "the change arrives")
        pair.wait_settled()
        expected = {**before, "scopes-received": before["scopes-received"] + 1}
        stays(lambda: counts(other) == expected, 1.5, f"{other.name} sends nothing: {expected}")
        assert counts(changer) == {"pushes": 1, "scopes-sent": 1, "scopes-received": 0}
        changer.reload()
        pair.wait_agree()


def test_an_unchanged_configuration_sends_nothing(pair):
    pair.wait_settled()
    pair.first.reload()
    pair.wait_settled()
    stays(lambda: counts(pair.first)["pushes"] == 0, 1, "nothing is sent")
    assert pair.agree()


def test_a_change_on_each_server_at_the_same_time_arrives_at_both(pair):
    pair.wait_settled()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(41)))
    pair.second.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(42)))
    wait_until(lambda: {41, 42} <= set(pair.first.scopes()) & set(pair.second.scopes()), 3, "both have both")
    pair.wait_settled()
    assert pair.agree()


def test_one_scope_changed_on_both_servers_ends_with_the_primarys(make_pair):
    """conflict: primary-wins. The two were changed while they could not talk."""
    pair = make_pair([config.scope(1), config.scope(2)]).start()
    pair.wait_settled()
    pair.network.cut("server1")
    for server, lifetime in ((pair.second, 2222), (pair.first, 1111)):
        server.change_by_set(lambda dhcp4: dhcp4["subnet4"][0].update({"valid-lifetime": lifetime}))
    pair.network.mend("server1")
    wait_until(lambda: pair.agree(), 40, "both agree again", every=0.2)
    assert pair.second.scopes()[1]["subnet4"]["valid-lifetime"] == 1111
    assert pair.first.logged("FAILOVER_SYNC_CONFLICT") or pair.second.logged("FAILOVER_SYNC_CONFLICT")
