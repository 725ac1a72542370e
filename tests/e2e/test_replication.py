"""A scope added, changed or removed on the first server is so on the second within a second, whichever way it was done,
and the second server's HA does not notice."""

import copy

import pytest
from lab import config, keywords
from lab.waiting import wait_until

WAYS = ["change_by_set", "change_by_file"]


def scope_list_edit(identifier, edit):
    """An edit of the one scope with that id, for change_by_*."""
    def apply(dhcp4):
        for subnet in dhcp4["subnet4"]:
            if subnet["id"] == identifier:
                edit(subnet)
    return apply


def without(identifier):
    def apply(dhcp4):
        dhcp4["subnet4"] = [subnet for subnet in dhcp4["subnet4"] if subnet["id"] != identifier]
    return apply


@pytest.mark.parametrize("way", WAYS)
def test_a_scope_added_changed_and_removed_arrives(pair, undisturbed, way):
    number = 20 + WAYS.index(way)
    change = getattr(pair.first, way)

    change(lambda dhcp4: dhcp4["subnet4"].append(config.scope(number)))
    wait_until(lambda: number in pair.second.scopes(), 1, "the second server has the added scope")
    pair.wait_agree()

    change(scope_list_edit(number, lambda scope: scope.update({"valid-lifetime": 1234})))
    wait_until(lambda: pair.second.scopes()[number]["subnet4"]["valid-lifetime"] == 1234, 1, "the second has the change")
    pair.wait_agree()

    change(without(number))
    wait_until(lambda: number not in pair.second.scopes(), 1, "the second server no longer has the scope")
    pair.wait_agree()
    assert set(pair.second.scopes()) == {1, 2, 3, 60000}


def test_every_keyword_arrives(pair, undisturbed):
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(copy.deepcopy(keywords.EVERYTHING)))
    pair.wait_agree()
    shown = pair.second.scopes()[700]["subnet4"]
    for keyword, value in keywords.EVERYTHING.items():
        if keyword not in keywords.SHOWN_OTHERWISE:
            assert shown[keyword] == value, keyword
    assert len(shown["option-data"]) == len(keywords.EVERYTHING["option-data"])
    assert {key for reservation in shown["reservations"] for key in reservation} >= {
        "hw-address", "client-id", "duid", "circuit-id", "flex-id", "user-context", "client-classes", "option-data"}
    assert shown["pools"][0]["client-class"] == "phones" and shown["pools"][0]["user-context"] == {"floor": 1}


def test_text_in_other_alphabets_arrives(pair, undisturbed):
    """As bytes of UTF-8 in the file, which Kea prints one by one, and as an escape."""
    for value in ("\u00fcber \u20ac \U0001f600", "\u00ff"):
        pair.first.change_by_file(scope_list_edit(1, lambda scope: scope.update({"user-context": {"comment": value}})))
        pair.wait_agree()
    pair.first.change_by_set(scope_list_edit(1, lambda scope: scope.update({"user-context": {"comment": "\u00e4"}})))
    pair.wait_agree()


def test_each_keyword_changed_alone_arrives(pair, undisturbed):
    pair.first.change_by_file(without(700))
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(copy.deepcopy(keywords.EVERYTHING)))
    pair.wait_agree()
    before, late = pair.first.scopes()[700], []
    for name, edit in keywords.variations():
        pair.first.change_by_set(scope_list_edit(700, edit))
        now = pair.first.scopes()[700]
        assert now != before, f"the test changes nothing: {name}"
        before = now
        try:
            pair.wait_agree()
        except AssertionError as error:
            late.append(f"{name}: {error}")
            pair.wait_agree(5)
    assert not late, "\n".join(late)
    pair.first.change_by_file(without(700))
    pair.wait_agree()


def test_a_shared_network_arrives_changes_and_goes(pair, undisturbed):
    network = copy.deepcopy(keywords.SHARED_NETWORK)
    pair.first.change_by_file(lambda dhcp4: dhcp4.update({"shared-networks": [network]}))
    pair.wait_agree()
    second = pair.second.scopes()
    assert second[801]["shared-network"]["name"] == second[802]["shared-network"]["name"] == "campus"
    assert second[801]["shared-network"]["user-context"] == {"site": "north"}

    def rename_option(dhcp4):
        dhcp4["shared-networks"][0]["option-data"][0]["data"] = "south.example.org"
    pair.first.change_by_file(rename_option)
    wait_until(lambda: pair.second.scopes()[801]["shared-network"]["option-data"][0]["data"] == "south.example.org", 1,
               "the network's option is the new one")
    pair.wait_agree()

    def move_in(dhcp4):
        dhcp4["shared-networks"][0]["subnet4"].append(config.scope(3))
        without(3)(dhcp4)
    pair.first.change_by_file(move_in)
    wait_until(lambda: (pair.second.scopes()[3]["shared-network"] or {}).get("name") == "campus", 1, "scope 3 moved in")
    pair.wait_agree()

    def move_out(dhcp4):
        dhcp4["shared-networks"][0]["subnet4"].pop()
        dhcp4["subnet4"].append(config.scope(3))
    pair.first.change_by_file(move_out)
    wait_until(lambda: pair.second.scopes()[3]["shared-network"] is None, 1, "scope 3 moved out")
    pair.wait_agree()

    pair.first.change_by_file(lambda dhcp4: dhcp4.update({"shared-networks": []}))
    wait_until(lambda: 801 not in pair.second.scopes() and not pair.second.running().get("shared-networks"), 1,
               "the network is gone")
    pair.wait_agree()


def test_local_parameters_stay_at_home(pair, undisturbed):
    """"interface" belongs to each server; a change of nothing else is not sent, and the partner's own is kept."""
    pair.first.change_by_file(scope_list_edit(2, lambda scope: scope.update({"interface": "eth0"})))
    pair.wait_settled()
    assert pair.first.scopes()[2]["subnet4"]["interface"] == "eth0"
    assert pair.second.scopes()[2]["subnet4"].get("interface", "") == ""
    pair.first.change_by_file(scope_list_edit(2, lambda scope: scope.update({"valid-lifetime": 777})))
    wait_until(lambda: pair.second.scopes()[2]["subnet4"]["valid-lifetime"] == 777, 1, "the change arrives")
    assert pair.second.scopes()[2]["subnet4"].get("interface", "") == ""


def test_clients_reservations_work_at_the_partner(pair, undisturbed):
    """A reservation that only the first server was told of holds at the second: host data came along."""
    import os
    from lab import load
    client = pair.network.add_client("r")
    address = pair.network.ip(client, "-br", "link", "show", "eth0").stdout.split()[2]
    pair.first.change_by_file(scope_list_edit(60000, lambda scope: scope.update(
        {"reservations": [{"hw-address": address, "ip-address": "10.53.9.9"}]})))
    pair.wait_agree()
    pair.wait_settled()
    pair.network.cut("server1")
    try:
        wait_until(lambda: pair.second.ha_state() == "partner-down", 20, "the second serves alone", every=0.1)
        lease = load.lease_of_client(pair.network, client, os.path.dirname(pair.second.path("")))
        assert lease and lease["ip"] == "10.53.9.9" and lease["server"] == pair.second.address
    finally:
        pair.network.mend("server1")
        pair.wait_normal(60)
        undisturbed.mark = pair.second.mark()
