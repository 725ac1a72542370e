"""max-delete-percent: too many removals at once stay at home until an administrator says that they are meant."""

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
    wait_until(lambda: relationship(server)["held"] == 0, 5, "no removal is held")


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
