"""The library configured twice, under one path or as a copy: a start is refused by name; after a reload the first goes on."""

import collections
import copy
import os
import shutil

import pytest
from lab import config
from lab.pair import library_of_run
from lab.waiting import wait_until

NAME = "libdhcp_failover_sync_copy.so"


def ours(configuration):
    return next(hook for hook in configuration["hooks-libraries"] if "failover_sync" in hook["library"])


@pytest.fixture(params=["the same path", "a copy"])
def second_path(request):
    """Where the second library is, as the server sees it."""
    library = library_of_run()
    if request.param == "the same path":
        yield library
        return
    root = os.environ.get("KFS_TREE", "")
    path = f"{os.path.dirname(library)}/{NAME}"  # newer releases load hooks from one folder alone
    shutil.copyfile(root + library, root + path)
    try:
        yield path
    finally:
        os.unlink(root + path)


def twice(server, path):
    changed = copy.deepcopy(server.configuration)
    changed["hooks-libraries"].append({**copy.deepcopy(ours(changed)), "library": path})
    return changed


def descriptors(server):
    """What the server has open, by kind and path. Connections come and go with requests, Kea's loggers with what is logged."""
    folder = f"/proc/{server.process.pid}/fd"
    names = [os.readlink(f"{folder}/{number}") for number in os.listdir(folder)]
    return collections.Counter(name.split(":[")[0] for name in names
                               if not name.startswith("socket:") and not name.endswith("/logger_lockfile"))


def test_a_server_does_not_start_with_it_twice(make_pair, second_path):
    server = make_pair([config.scope(1)]).first
    server.write(twice(server, second_path))
    server.start(wait=False)
    lines = wait_until(lambda: server.logged("FAILOVER_SYNC_LOAD_FAILED failover"), 10, "the log says so")
    assert "twice" in lines[0] and library_of_run() in lines[0] and second_path in lines[0], lines
    wait_until(lambda: server.logged("DHCP4_INIT_FAIL|DHCP4_CONFIG_LOAD_FAIL"), 10, "the server does not take it")
    assert not server.logged("DHCP4_STARTED")


def test_a_second_one_at_a_reload_costs_nothing(make_pair, second_path):
    pair = make_pair([config.scope(1)]).start()
    pair.wait_settled()
    server, once = pair.first, copy.deepcopy(pair.first.configuration)
    server.reload()
    pair.wait_settled()
    before, mark = descriptors(server), server.mark()
    server.write(twice(server, second_path))
    for _ in range(5):
        server.reload()
    pair.wait_settled()
    said = server.logged("FAILOVER_SYNC_LOADED_TWICE hooks", mark)
    assert len(said) == 5 and second_path in said[0], said
    status = server.command("failover-status")
    assert status["mirror"] == "current" and second_path in status["configuration-error"], status
    assert {"ha-heartbeat", "ha-scopes", "failover-status"} <= set(server.command("list-commands"))
    server.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(2)))
    wait_until(lambda: 2 in pair.second.scopes(), 5, "the first replicates what is changed here")
    pair.second.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(3)))
    wait_until(lambda: 3 in server.scopes(), 5, "and takes what is changed there")
    assert len(server.logged("FAILOVER_SYNC_MIRRORED: mirrored: 1 scope", mark)) <= 2, "nothing is read twice"

    server.write(once)
    server.reload()
    pair.wait_settled()
    assert "configuration-error" not in server.command("failover-status")
    wait_until(lambda: not descriptors(server) - before, 10, "nothing is left open")
