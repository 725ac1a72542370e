"""A tool that gives both servers the same commands, as Stork does: the second server has what is added from the first one
already, and says so instead of failing. Kea's subnet and host commands are free software from 3.0 on."""

import copy

import pytest
from lab import config
from lab import pair as lab_pair
from lab.waiting import wait_until

SUBNET = {"id": 20, "subnet": "10.100.20.0/24", "pools": [{"pool": "10.100.20.10-10.100.20.99"}],
          "option-data": [{"name": "routers", "data": "10.100.20.1"}]}
# The same subnet, as another tool would write it.
SPELLED = {"id": 20, "subnet": "10.100.20.0/24", "option-data": [{"code": 3, "data": "10.100.20.1", "space": "dhcp4"}],
           "pools": [{"pool": "10.100.20.10 - 10.100.20.99", "option-data": []}]}
HOST = {"subnet-id": 1, "hw-address": "02:00:00:00:00:20", "ip-address": "10.100.1.20", "hostname": "twenty"}
IN_MEMORY = {"operation-target": "memory"}  # else it is for a database
NETWORK = {"name": "campus", "valid-lifetime": 1800}
MEMBER = {"id": 30, "subnet": "10.100.30.0/24"}
LIBRARIES = ["libdhcp_subnet_cmds.so", "libdhcp_host_cmds.so"]


@pytest.fixture
def tool_pair():
    pair = lab_pair.Pair([config.scope(1), config.scope(2)], library_parameters={"both": {"reconcile-interval": 1}})
    try:
        for server in (pair.first, pair.second):
            changed = copy.deepcopy(server.configuration)
            changed["hooks-libraries"] += [{"library": f"{server.release.hooks}/{name}"} for name in LIBRARIES]
            server.write(changed)
        yield pair.start()
    finally:
        pair.remove()


def sent(server):
    return server.sync_status()["scopes-sent"]


def has_host(server):
    return any(host.get("hostname") == HOST["hostname"] for host in server.scopes()[1]["subnet4"]["reservations"])


def network_of(server, number):
    return (server.scopes().get(number, {}).get("shared-network") or {}).get("name")


ADDS = {
    "subnet": ("subnet4-add", {"subnet4": [SUBNET]}, lambda server: 20 in server.scopes()),
    "network": ("network4-add", {"shared-networks": [{**NETWORK, "subnet4": [MEMBER]}]},
                lambda server: network_of(server, 30) == "campus"),
    "host": ("reservation-add", {"reservation": HOST, **IN_MEMORY}, has_host),
}


@pytest.mark.parametrize("what", ADDS)
def test_what_the_second_server_has_from_the_first_is_no_error(tool_pair, what):
    pair = tool_pair
    command, arguments, is_there = ADDS[what]
    pair.wait_settled()
    pair.first.command(command, arguments)
    wait_until(lambda: is_there(pair.second), 5, "it arrives")
    pair.wait_settled()
    before = sent(pair.second)
    answer = pair.second.ask(command, arguments)
    assert answer["result"] == 0, answer
    assert "already" in answer["text"]
    if what == "subnet":
        assert answer["arguments"] == {"subnets": [{"id": 20, "subnet": "10.100.20.0/24"}]}
        assert pair.second.ask(command, {"subnet4": [SPELLED]})["result"] == 0
    pair.wait_settled()
    assert sent(pair.second) == before
    assert pair.second.logged("FAILOVER_SYNC_ADDED_ALREADY")
    assert not pair.second.logged("FAILOVER_SYNC_CONFLICT")


def test_what_is_there_in_other_words_is_an_error(tool_pair):
    pair = tool_pair
    for what in ("subnet", "host"):
        pair.first.command(*ADDS[what][:2])
    wait_until(lambda: 20 in pair.second.scopes() and has_host(pair.second), 5, "they arrive")
    pair.wait_settled()
    pair.second.command("network4-add", {"shared-networks": [NETWORK]})
    pair.second.command("network4-add", {"shared-networks": [{"name": "other", "subnet4": [MEMBER]}]})
    pair.wait_agree(5)
    pair.wait_settled()
    before = pair.second.running()
    for command, arguments in [
            ("subnet4-add", {"subnet4": [{**SUBNET, "valid-lifetime": 1200}]}),
            ("subnet4-add", {"subnet4": [{**SUBNET, "id": 21}]}),
            ("subnet4-add", {"subnet4": [{**SUBNET, "subnet": "10.100.21.0/24"}]}),
            ("subnet4-add", {"subnet4": [{**SUBNET, "reservations": []}]}),
            ("subnet4-add", {"subnet4": [{**SUBNET, "subnet": 7}]}),
            ("subnet4-add", {"subnet4": [{"subnet": "rubbish"}]}),
            ("reservation-add", {"reservation": {**HOST, "hostname": "other"}, **IN_MEMORY}),
            ("reservation-add", {"reservation": {**HOST, "ip-address": "10.100.1.21"}, **IN_MEMORY}),
            ("reservation-add", {"reservation": HOST}),
            ("network4-add", {"shared-networks": [{**NETWORK, "valid-lifetime": 1801}]}),
            ("network4-add", {"shared-networks": [{**NETWORK, "subnet4": [config.scope(2)]}]}),
            ("network4-add", {"shared-networks": [{**NETWORK, "subnet4": [{**MEMBER, "valid-lifetime": 1}]}]}),
            ("network4-subnet-add", {"name": "campus", "id": 30}),
            ("subnet4-add", {"subnet4": [{**SUBNET, "id": 2**32 + 20}]}),
            ("subnet4-add", {"subnet4": [{**SUBNET, "id": 0}]}),
            ("subnet4-add", {"subnet4": [SUBNET], "more": 1}),
            ("reservation-add", {"reservation": {**HOST, "subnet-id": 2**32 + 1}, **IN_MEMORY}),
    ]:
        answer = pair.second.ask(command, arguments)
        assert answer["result"] != 0, (command, arguments, answer)
        assert "already in these words" not in answer["text"]
    assert pair.second.running() == before
    assert not pair.second.logged("FAILOVER_SYNC_EXCEPTION")


def test_a_network_is_made_filled_and_edited_on_one_server_after_the_other(tool_pair):
    """The edit as Stork makes it: the network goes, its subnets stay; it is added anew, and they are put into it again."""
    pair = tool_pair
    pair.wait_settled()
    add = [("network4-add", {"shared-networks": [NETWORK]}),
           ("network4-subnet-add", {"name": "campus", "id": 1}), ("network4-subnet-add", {"name": "campus", "id": 2})]
    edit = [("network4-del", {"name": "campus", "subnets-action": "keep"}),
            ("network4-add", {"shared-networks": [{**NETWORK, "valid-lifetime": 900}]}), *add[1:]]
    for commands, lifetime in ((add, 1800), (edit, 900)):
        for server in (pair.first, pair.second):
            for command, arguments in commands:
                answer = server.ask(command, arguments)
                assert answer["result"] == 0, (server.name, command, answer)
            wait_until(lambda: all(network_of(each, number) == "campus" for each in (pair.first, pair.second)
                                   for number in (1, 2)), 5, "both have the network")
            pair.wait_settled()
        pair.wait_agree(5)
        for each in (pair.first, pair.second):
            for number in (1, 2):
                assert each.scopes()[number]["shared-network"]["valid-lifetime"] == lifetime, each.name
