"""The store under the operations: a fault leaves it as it was, and many administrators at once leave in it what they were
answered."""

import os
import random

import pytest
from lab import admins, config, store_model, tables
from lab.operations import refused
from lab.pair import Pair
from test_operations_failover import FAULTS, with_servers

CLIENTS, COMMANDS = 8, 1000


@pytest.fixture(scope="module")
def pair():
    pair = Pair([config.scope(number) for number in range(1, 11)])
    try:
        pair.start()
        pair.wait_quiet()
        yield pair
    finally:
        pair.remove()


@pytest.mark.parametrize("changes, exception, node", [
    *(case[1:] for case in FAULTS if case[0] not in ("another name for the same", "the same name again")),
    ({"subnet-ids": [1, 2, 4000]}, "IpamApiDhcpScopeNotFoundInDB", "subnet-ids")],
    ids=lambda value: value if isinstance(value, str) else "")
def test_a_fault_leaves_the_store_as_it_was(pair, changes, exception, node):
    """Also one found after rows were written, as an unknown scope after known ones. Those of other operations are looked
    at in the same way where they are tested."""
    before = tables.dump(pair.first)
    refused(pair.first, "failover-add", {name: value for name, value in with_servers(**changes).items() if value is not None},
            exception, node)
    assert not tables.differences(before, tables.dump(pair.first))


def test_many_administrators_at_once(pair):
    """Set KFS_SEED to have the commands of an earlier run again; their order among the clients is chance all the same."""
    seed = int(os.environ.get("KFS_SEED") or random.randrange(1 << 32))
    print(f"KFS_SEED={seed}")
    marks = {server: server.mark() for server in pair.servers.values()}
    clients, shared = admins.start_all(pair.first, seed, CLIENTS, COMMANDS)
    for client in clients:
        client.join(120)
        assert not client.is_alive()
    failures = [f"client {client.number}: {client.failure!r}" for client in clients if client.failure]
    assert not failures, failures
    slowest, late = max(client.slowest for client in clients), sum(client.late for client in clients)
    made, refusals = sum(client.made for client in clients), sum(client.refused for client in clients)
    print(f"{made} commands, {refusals} refused, {late} not waited for, the slowest took {slowest:.3f} s")
    assert made >= COMMANDS and 0 < refusals < made / 4 and late > 10
    assert slowest < admins.PATIENCE
    tables.assert_sound(pair.first)
    store_model.assert_store_equals(pair.first, clients, shared)
    assert pair.first.command("failover-status")["mirror"] == "current"
    for server, mark in marks.items():
        assert server.ha_state() == "load-balancing" and not server.disturbances(mark)
    assert not pair.first.logged("FAILOVER_SYNC_EXCEPTION|FAILOVER_SYNC_COMMAND_FAILED|FAILOVER_SYNC_MIRROR_FAILED")
    assert pair.first.restart() == 0
    tables.assert_sound(pair.first)
    store_model.assert_store_equals(pair.first, clients, shared)
