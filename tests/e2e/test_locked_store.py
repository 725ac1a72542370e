"""A store that another process has locked, or that cannot be used: the server goes on at its pace, nothing is lost, and
both servers say how things are."""

import sqlite3
import threading
import time

import pytest
from lab import config
from lab.waiting import wait_until

LOAD_SECONDS = 2.0  # a second for the store, the rest for the configuration
EDITS = 10


class Lock:
    """Holds a server's store; `reading`: nobody else can even read it."""

    def __init__(self, server, reading=False):
        self.other = sqlite3.connect(server.store, timeout=10, isolation_level=None)
        if reading:
            self.other.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.other.execute("BEGIN IMMEDIATE")
        if reading:
            self.other.execute("CREATE TABLE x (y)")

    def end(self):
        if self.other:
            self.other.execute("ROLLBACK")
            self.other.close()
        self.other = None


@pytest.fixture
def lock():
    made = []

    def make(*arguments, **keywords):
        made.append(Lock(*arguments, **keywords))
        return made[-1]

    yield make
    for one in made:
        one.end()


def lifetime(server, number):
    return server.scopes()[number]["subnet4"].get("valid-lifetime")


def status(server):
    return server.command("failover-status")


def quickly(what, longest=LOAD_SECONDS):
    began = time.monotonic()
    what()
    assert time.monotonic() - began < longest, f"it took {time.monotonic() - began:.1f} s"


class Pulse(threading.Thread):
    """How long the main thread keeps a command waiting, at the worst."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.longest, self.going = server, 0.0, True
        self.start()

    def run(self):
        while self.going:
            began = time.monotonic()
            self.server.ask("version-get")
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.05)

    def end(self):
        self.going = False
        self.join()
        return self.longest


def test_edits_and_loads_under_a_locked_store_are_answered_and_arrive_afterwards(make_pair, lock):
    pair = make_pair([config.scope(number) for number in range(1, EDITS + 1)]).start()
    pair.wait_settled()
    pair.second.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(50)))
    wait_until(lambda: 50 in pair.first.scopes(), 2, "what is in the partner's configuration alone arrives")
    pair.wait_quiet()
    held = lock(pair.first)
    for number in range(EDITS):
        quickly(lambda number=number: pair.first.change_by_file(
            lambda dhcp4: dhcp4["subnet4"][number].update({"valid-lifetime": 1100 + number})))
        assert 50 in pair.first.scopes()  # from the store, which can be read
    quickly(pair.first.reload)
    held.end()
    for number in range(EDITS):
        wait_until(lambda number=number: lifetime(pair.second, number + 1) == 1100 + number, 15, f"edit {number} arrives")
    pair.wait_settled()
    assert pair.agree() and 50 in pair.first.scopes()


def test_no_command_waits_for_a_store_that_stays_locked(make_pair, lock):
    pair = make_pair([config.scope(1)]).start()
    pair.wait_quiet()
    pair.first.stop()
    held = lock(pair.first, reading=True)
    pair.first.start()
    assert status(pair.first)["mirror"] == "unavailable"
    held.end()
    held = lock(pair.first)  # it can be opened now, and not written
    pulse = Pulse(pair.first)
    time.sleep(6)
    held.end()
    assert pulse.end() < 1.0
    wait_until(lambda: status(pair.first)["mirror"] == "current", 10, "the store is taken up")
    pair.wait_settled()


def test_what_is_served_without_a_store_is_said_on_both_sides(make_pair, lock):
    pair = make_pair([config.scope(1)], library_parameters={"both": {"reconcile-interval": 1}}).start()
    pair.wait_settled()
    pair.second.change_by_set(lambda dhcp4: dhcp4["subnet4"][0].update({"valid-lifetime": 2222}))
    wait_until(lambda: lifetime(pair.first, 1) == 2222, 2, "the newer version arrives")
    pair.wait_quiet()
    pair.first.stop()
    held = lock(pair.first, reading=True)
    pair.first.start()
    assert lifetime(pair.first, 1) == 3600
    said = status(pair.first)
    assert said["mirror"] == "unavailable" and said["mirror-error"].startswith("store unusable: ")
    assert said["mirror-error"].endswith("Clients are served from the configuration file; nothing is replicated")
    assert "scopes" not in said and "queued" not in said["relationships"][0] and "in-sync" not in said["relationships"][0]
    wait_until(lambda: "served from the configuration file" in status(pair.second)["relationships"][0].get("partner-error", ""),
               10, "the partner knows what server1 serves")
    assert "in-sync" not in status(pair.second)["relationships"][0]
    assert pair.second.logged("FAILOVER_SYNC_PARTNER_UNUSABLE.*server1")
    held.end()
    wait_until(lambda: lifetime(pair.first, 1) == 2222, 10, "the newer version is served again")
    pair.wait_settled()
    assert "partner-error" not in status(pair.second)["relationships"][0]


def test_no_number_is_said_before_it_is_known(make_pair, lock):
    pair = make_pair([config.scope(1)]).start()
    pair.wait_quiet()
    pair.first.stop()
    pair.first.write({**pair.first.configuration, "subnet4": [config.scope(1), config.scope(2)]})
    held = lock(pair.first)
    pair.first.start()
    said = status(pair.first)
    assert said["mirror"] in ("starting", "unavailable") and "scopes" not in said, said
    assert not {"queued", "held", "in-sync", "out-of-sync"} & set(said["relationships"][0]), said
    held.end()
    wait_until(lambda: 2 in pair.second.scopes(), 15, "the new scope arrives")
    pair.wait_settled()
    assert status(pair.first)["scopes"] == 2
