"""A pair with nothing to do logs what a pair without the library logs, and no line more."""

import re
import time
from collections import Counter

import pytest
from lab import config
from lab.pair import Pair

IDLE_SECONDS = 20


@pytest.fixture(scope="module")
def pairs():
    """One with the library and one without. Reconciliation is a conversation with the partner, not idleness."""
    made = [Pair([config.scope(1), config.scope(2)], library=library,
                 library_parameters={"both": {"reconcile-interval": 86400}}) for library in (True, False)]
    try:
        for pair in made:
            pair.start()
        yield made
    finally:
        for pair in made:
            pair.remove()


def kinds(server, since):
    """The log by message, and by command where the message is about one."""
    counted = Counter()
    for line in server.logged("", since):
        message = re.search(r"(?:INFO|WARN|ERROR|FATAL)\s+\[\S+\] (\S+)", line)
        command = re.search(r"[Rr]eceived command '([^']+)'", line)
        counted[(message and message.group(1), command and command.group(1))] += 1
    return counted


def test_an_idle_pair_logs_no_line_of_ours(pairs):
    """The library knows the states of High Availability without a command that the server would log."""
    synced, plain = pairs
    synced.wait_quiet()
    marks = {server: server.mark() for pair in pairs for server in pair.servers.values()}
    time.sleep(IDLE_SECONDS)
    without = sum((kinds(server, marks[server]) for server in plain.servers.values()), Counter())
    for server in synced.servers.values():
        found = kinds(server, marks[server])
        assert found, "heartbeats are logged, so the log is what is looked at"
        assert set(found) <= set(without), found
        assert all(number <= without[kind] for kind, number in found.items()), (found, without)


def test_a_change_of_state_is_told_without_a_line(pairs):
    """What failover-status says of both servers follows High Availability all the same."""
    synced = pairs[0]
    synced.wait_quiet()
    mark = synced.first.mark()
    synced.second.stop()
    try:
        deadline = time.monotonic() + 40
        while synced.first.sync_status()["partner-state"] == "Normal" and time.monotonic() < deadline:
            time.sleep(0.5)
        assert synced.first.sync_status()["partner-state"] != "Normal"
        assert not synced.first.logged("command 'status-get'", mark)
    finally:
        synced.second.start()
    synced.wait_normal()
