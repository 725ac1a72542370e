"""max-delete-percent: too many removals at once stay at home until an administrator says that they are meant, and a
receiver holds those beyond its own bound."""

import pytest
from lab import config
from lab.waiting import stays, wait_until

SCOPES = range(1, 9)


def relationship(server):
    return server.command("failover-status")["relationships"][0]


@pytest.fixture()
def eight(make_pair):
    pair = make_pair([config.scope(number) for number in SCOPES], library_parameters={"both": {"max-delete-percent": 25}})
    return pair.start()


def nothing_is_held(server):
    """The answer of the partner, and what a reload took back, are recorded a moment after the scopes agree."""
    wait_until(lambda: relationship(server).get("held") == 0, 5, "no removal is held")


def remove(pair, *numbers):
    pair.first.change_by_file(lambda dhcp4: dhcp4.update({"subnet4": [
        scope for scope in dhcp4["subnet4"] if scope["id"] not in numbers]}))


def test_up_to_the_bound_they_travel(eight):
    remove(eight, 1, 2)
    wait_until(lambda: not {1, 2} & set(eight.second.scopes()), 5, "both are gone at the partner")
    assert not eight.first.logged("FAILOVER_SYNC_MASS_REMOVAL")


def test_above_it_they_wait_for_force(eight):
    remove(eight, 1, 2, 3)
    wait_until(lambda: eight.first.logged("FAILOVER_SYNC_MASS_REMOVAL"), 5, "the log tells")
    assert set(eight.first.scopes()) == set(SCOPES) - {1, 2, 3}
    stays(lambda: set(eight.second.scopes()) == set(SCOPES), 2, "the partner keeps them")
    assert relationship(eight.first)["held"] == 3
    record_id = eight.first.command("failover-get-all")["relationships"][0]["record-id"]
    eight.first.command("failover-replicate", {"record-id": record_id, "force": True})
    wait_until(lambda: set(eight.second.scopes()) == set(SCOPES) - {1, 2, 3}, 5, "they are gone at the partner")
    nothing_is_held(eight.first)


def test_adding_them_again_takes_it_back(eight):
    remove(eight, 1, 2, 3)
    wait_until(lambda: eight.first.logged("FAILOVER_SYNC_MASS_REMOVAL"), 5, "the log tells")
    eight.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].extend(config.scope(number) for number in (1, 2, 3)))
    eight.wait_agree()
    assert set(eight.second.scopes()) == set(SCOPES)
    nothing_is_held(eight.first)


@pytest.fixture()
def lavish(make_pair):
    """server1 sends whatever is removed there; server2 has the bound."""
    pair = make_pair([config.scope(number) for number in SCOPES], library_parameters={
        "server1": {"max-delete-percent": 100}, "server2": {"max-delete-percent": 25}})
    return pair.start()


def await_held_by_receiver(pair, number):
    wait_until(lambda: relationship(pair.second)["received-held"] == number, 5, "the receiver says what it holds")
    wait_until(lambda: relationship(pair.first)["held"] == number, 5, "the sender says so, too")


def test_the_receiver_holds_what_is_beyond_its_own_bound(lavish):
    remove(lavish, 1, 2, 3, 4, 5)
    await_held_by_receiver(lavish, 3)
    stays(lambda: len(lavish.second.scopes()) == len(SCOPES) - 2, 2, "the receiver keeps the others")
    kept = {lavish.second.scopes()[number]["subnet4"]["subnet"] for number in set(lavish.second.scopes()) - {6, 7, 8}}
    assert set(relationship(lavish.second)["received-held-removals"]) == kept
    assert set(relationship(lavish.first)["held-removals"]) == kept
    assert lavish.second.logged("FAILOVER_SYNC_REMOVALS_HELD_HERE")
    assert lavish.first.logged("FAILOVER_SYNC_REMOVALS_HELD_THERE")


@pytest.mark.parametrize("at", ["first", "second"])
def test_either_server_releases_by_name(lavish, at):
    remove(lavish, 1, 2, 3, 4, 5)
    await_held_by_receiver(lavish, 3)
    server = getattr(lavish, at)
    server.command("failover-replicate", {"relationship-name": relationship(server)["name"], "force": True})
    wait_until(lambda: set(lavish.second.scopes()) == {6, 7, 8}, 5, "they are gone at the receiver")
    await_held_by_receiver(lavish, 0)


def test_a_restart_of_either_lets_nothing_through(lavish):
    remove(lavish, 1, 2, 3, 4, 5)
    await_held_by_receiver(lavish, 3)
    before = set(lavish.second.scopes())
    for server in (lavish.second, lavish.first):
        server.kill9()
        server.start()
        lavish.wait_normal()
        await_held_by_receiver(lavish, 3)
        assert set(lavish.second.scopes()) == before
    lavish.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].extend(config.scope(number) for number in range(1, 6)))
    lavish.wait_agree(5)
    await_held_by_receiver(lavish, 0)
