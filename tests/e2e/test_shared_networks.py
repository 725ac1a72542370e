"""A shared network changes for all of its scopes at once, on however many of them."""

from lab import config
from lab.waiting import wait_until

MANY = range(1, 151)  # more than one batch


def network(lifetime, scopes):
    return {"name": "campus", "valid-lifetime": lifetime, "option-data": [{"name": "routers", "data": "10.0.0.254"}],
            "subnet4": scopes}


def test_a_network_and_all_its_scopes_change_at_once(make_pair):
    """From the secondary, whose version loses every conflict: nothing of this is one."""
    pair = make_pair([], **{"shared-networks": [network(3000, [config.scope(number) for number in MANY])]}).start()
    pair.wait_settled()
    marks = [server.mark() for server in (pair.first, pair.second)]
    sent = pair.first.sync_status()["scopes-sent"]  # at the start: all, or none if the secondary was earlier

    def change(dhcp4):
        dhcp4["shared-networks"] = [network(4000, [config.scope(number, **{"renew-timer": 500}) for number in MANY])]
    pair.second.change_by_file(change)
    wait_until(lambda: pair.first.scopes()[150]["subnet4"].get("renew-timer") == 500, 5, "the last scope has changed")
    pair.wait_agree(5)
    pair.wait_settled()
    assert pair.first.scopes()[1]["shared-network"]["valid-lifetime"] == 4000
    for server, mark in zip((pair.first, pair.second), marks):
        assert not server.logged("FAILOVER_SYNC_CONFLICT", mark)
    assert pair.first.sync_status()["scopes-sent"] == sent, "nothing is pushed back"


def test_a_scope_that_only_the_partner_has_in_a_network_follows_it(make_pair):
    pair = make_pair([], **{"shared-networks": [network(3000, [config.scope(1), config.scope(2)])]}).start()
    pair.wait_settled()

    def move(dhcp4):
        dhcp4["shared-networks"] = [network(5000, [config.scope(1)])]
        dhcp4["subnet4"].append(config.scope(2))
    pair.first.change_by_file(move)
    pair.wait_agree(5)
    pair.wait_settled()
    assert pair.second.scopes()[1]["shared-network"]["valid-lifetime"] == 5000
    assert not pair.second.scopes()[2]["shared-network"]

    pair.first.change_by_file(lambda dhcp4: dhcp4.update({"shared-networks": [], "subnet4": [config.scope(1)]}))
    pair.wait_agree(5)
    assert pair.second.running()["shared-networks"] == [], "an empty network is not left behind"
