"""A partner whose name no name server tells: others get their changes, what is received is recorded, and the server is
loaded and ended as if there were no such partner."""

import os
import shutil
import time

import pytest
from lab import config
from lab.pair import Pair
from lab.waiting import wait_until

BLACK_HOLE = "192.0.2.53"  # routed to the bridge, which forwards nothing


def resolver_of(server):
    """The folder whose files `ip netns exec` puts over those in /etc."""
    return f"/etc/netns/{server.namespace}"


@pytest.fixture(scope="module")
def pair():
    """server1 is told of a server3 by a name, and its name server keeps silent."""
    pair = Pair([config.scope(1), config.scope(2), config.link_scope()],
                library_parameters={"server1": {"retry": {"min-ms": 50, "max-ms": 300}}})
    folder = resolver_of(pair.first)
    try:
        pair.network.ip(pair.first.namespace, "route", "add", BLACK_HOLE, "via", "10.53.0.1")
        os.makedirs(folder)
        with open(f"{folder}/resolv.conf", "w", encoding="ascii") as file:
            file.write(f"nameserver {BLACK_HOLE}\noptions timeout:15 attempts:2\n")
        pair.start()
        pair.wait_settled()
        pair.first.command("failover-add", {
            "relationship-name": "nowhere", "mode": "HotStandby", "server1-name": "server1", "server2-name": "server3",
            "control-url": "http://kea.nowhere.example:8000/", "subnet-ids": [2]})
        yield pair
    finally:
        pair.remove()
        shutil.rmtree(folder, ignore_errors=True)


def of(server, partner):
    relationships = server.command("failover-status")["relationships"]
    return next(one for one in relationships if one["partner"] == partner)



def test_the_reason_names_the_name(pair):
    error = wait_until(lambda: of(pair.first, "server3").get("last-error"), 10, "the third one cannot be reached")
    assert "kea.nowhere.example" in error and "resolv.conf" in error, error


def change_pool(server, subnet_id, end):
    """By an operation, which leaves configuration and library loaded."""
    scope = server.command("scope-get", {"subnet-id": subnet_id})["scope"]
    row = server.command("range-get-all", {"scope-record-id": scope["record-id"]})["ranges"][0]
    answer = server.ask("range-update", {"record-id": row["record-id"], "modified-properties": ["end-ip-address"],
                                         "end-ip-address": f"10.100.{subnet_id}.{end}"})
    assert answer["result"] == 0, answer


def pool_end(server, subnet_id):
    return server.scopes()[subnet_id]["subnet4"]["pools"][0]["pool"].replace(" ", "").split("-")[1]


def test_another_partner_gets_its_changes_at_once(pair):
    """Ten in a row, while the third one's name is being looked up: a tenth of a second each is generous."""
    took = []
    for end in range(50, 60):
        begun = time.monotonic()
        change_pool(pair.first, 2, end)
        wait_until(lambda: pool_end(pair.second, 2) == f"10.100.2.{end}", 5, "the change arrives", every=0.005)
        took.append(time.monotonic() - begun)
    assert sorted(took)[len(took) // 2] < 0.5 and max(took) < 3, took


def test_what_is_received_is_recorded_meanwhile(pair):
    """server2 counts a scope as in sync only once server1 has written it down."""
    for end in range(60, 65):
        begun = time.monotonic()
        change_pool(pair.second, 1, end)
        wait_until(lambda: pool_end(pair.first, 1) == f"10.100.1.{end}", 5, "the change arrives")
        wait_until(lambda: of(pair.second, "server1")["out-of-sync"] == 0, 5, "and is recorded", every=0.01)
        assert time.monotonic() - begun < 3


def test_a_load_does_not_wait_for_the_name(pair):
    first = pair.first
    for _ in range(3):
        begun = time.monotonic()
        first.command("config-reload")
        assert time.monotonic() - begun < 3, "the load waits for a name server"
        wait_until(lambda: of(first, "server3"), 10, "the library is back")


def test_the_end_does_not_wait_for_the_name(pair):
    first = pair.first
    time.sleep(1)  # the name is being looked up
    begun = time.monotonic()
    first.stop()
    took = time.monotonic() - begun
    first.start()
    assert took < 4, took
