"""Ten thousand scopes: what is not changed does not move."""

import pytest
from lab import config
from lab.waiting import stays, wait_until

COUNT = 10000


@pytest.fixture(scope="module")
def large_pair():
    from lab.pair import Pair
    pair = Pair([config.scope(number) for number in range(1, COUNT + 1)], log_level="WARN")
    try:
        pair.start()
        pair.wait_settled(120)
        yield pair
    finally:
        pair.remove()


def lifetime(server, number):
    return server.command("scope-get", {"subnet-id": number})["scope"]["definition"]["subnet4"]["valid-lifetime"]


def counted(server):
    status = server.sync_status()
    return status["pushes"], status["scopes-sent"], status["scopes-received"]


def test_all_are_mirrored_and_in_step(large_pair):
    def all_of(server):
        status = server.command("failover-status")
        return status.get("scopes") == status["relationships"][0].get("in-sync") == COUNT

    wait_until(lambda: all_of(large_pair.first) and all_of(large_pair.second), 60, "all are mirrored")


def test_changing_one_moves_one(large_pair):
    before = counted(large_pair.second)
    large_pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"][4999].update({"valid-lifetime": 1234}))
    wait_until(lambda: lifetime(large_pair.second, 5000) == 1234, 10, "the change arrives")
    large_pair.wait_settled(60)
    assert counted(large_pair.first) == (1, 1, 0)
    assert counted(large_pair.second) == (before[0], before[1], before[2] + 1)


def test_adding_and_removing_one_moves_one(large_pair):
    before = counted(large_pair.second)
    large_pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(COUNT + 1)))
    wait_until(lambda: large_pair.second.command("failover-status")["scopes"] == COUNT + 1, 10,
               "the new scope arrives")
    large_pair.wait_settled(60)
    large_pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].pop())
    wait_until(lambda: large_pair.second.command("failover-status")["scopes"] == COUNT, 10, "the removal arrives")
    large_pair.wait_settled(60)
    assert counted(large_pair.second) == (before[0], before[1], before[2] + 2)


def test_reloading_an_unchanged_file_moves_none(large_pair):
    before = counted(large_pair.second)
    large_pair.first.reload()
    large_pair.wait_settled(60)
    stays(lambda: counted(large_pair.first) == (0, 0, 0) and counted(large_pair.second) == before, 2, "nothing moves",
          every=0.5)


def test_changing_all_of_them_arrives(large_pair):
    def edit(dhcp4):
        for scope in dhcp4["subnet4"]:
            scope["valid-lifetime"] = 4321
    large_pair.first.change_by_file(edit)
    wait_until(lambda: lifetime(large_pair.second, 1) == lifetime(large_pair.second, COUNT) == 4321, 60, "all arrive",
               every=0.2)
    large_pair.wait_settled(60)
    assert large_pair.agree()
    pushes, sent, _ = counted(large_pair.first)
    # Batches are as large as the partner takes in a few milliseconds: never less than five scopes, save the last.
    assert sent == COUNT and pushes <= COUNT / 5 + 1, (pushes, sent)
