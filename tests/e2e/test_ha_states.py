"""Changes made in whatever state High Availability is in are not lost, and High Availability goes its way as if the library
were not there: each scenario is played by a pair with the library and by one without, at the same time, and both pairs must
log the same states and be back to normal about as soon."""

import copy
import itertools
import os
import re
import signal
import struct
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from campaign import field
from lab import config
from lab.operations import outcome
from lab.pair import Pair
from lab.waiting import wait_until
from test_replication import scope_list_edit

LEASES = 3000
STATES = ("waiting", "syncing", "ready")
EDITED = {"server1": 1, "server2": 2}  # the scope that each server edits
_end = itertools.count(20)


class Player:
    """One pair in a scenario. Its edits are noted, to be found at both servers in the end; plain Kea makes none."""

    def __init__(self, pair, library):
        self.pair, self.library = pair, library
        self.first, self.second = pair.first, pair.second
        self.expected = {}
        self.marks = self.seconds = None
        self.thread = ThreadPoolExecutor(1)  # one for all scenarios: a server ends with the thread that started it

    def begin(self):
        self.expected = {}
        self.marks = [server.mark() for server in self.pair.servers.values()]

    def edit(self, *servers):
        """The pool's end, which no config-set is needed for: that would restart High Availability by itself."""
        for server in servers if self.library else ():
            number = EDITED[server.name]
            end = f"10.100.{number}.{20 + next(_end) % 200}"
            scope = server.command("scope-get", {"subnet-id": number})["scope"]["record-id"]
            row = server.command("range-get-all", {"scope-record-id": scope})["ranges"][0]
            answer = outcome(server, server.ask("range-update", {
                "record-id": row["record-id"], "modified-properties": ["end-ip-address"], "end-ip-address": end}))
            assert answer["result"] == 0, answer
            self.expected[number] = lambda shown, end=end: shown["pools"][0]["pool"].replace(" ", "").endswith("-" + end)

    def edit_by_set(self, server, number, lifetime):
        server.change_by_set(scope_list_edit(number, lambda scope: scope.update({"valid-lifetime": lifetime})))
        if self.library:
            self.expected[number] = lambda shown: shown["valid-lifetime"] == lifetime

    def wait_state(self, server, state, seconds=20):
        wait_until(lambda: server.ha_state() == state, seconds, f"{server.name} is {state}")

    def everywhere(self):
        return all(is_there(server.scopes()[number]["subnet4"])
                   for server in self.pair.servers.values() for number, is_there in self.expected.items())

    def heal(self, how=lambda: None):
        """The end of the scenario, and its time."""
        began = time.monotonic()
        how()
        self.pair.wait_normal()
        self.seconds = time.monotonic() - began
        if self.library:
            assert self.expected, "the scenario changes something"
            wait_until(self.everywhere, 5, "every change is at both servers")
            self.pair.wait_settled()
            self.pair.wait_agree()

    def states(self):
        """Of each server, where it went from and to."""
        return [[re.search(r"from (\S+) to (\S+) state", line).groups()
                 for line in server.logged("HA_STATE_TRANSITION", mark)]
                for server, mark in zip(self.pair.servers.values(), self.marks)]


class Twins:
    def __init__(self, prepare=lambda server: None, **ha):
        scopes = [config.scope(1), config.scope(2), config.scope(3), config.link_scope()]
        library = {"both": {"retry": {"min-ms": 50, "max-ms": 500}}}
        self.players = [Player(Pair(scopes, library=library_too, ha={"sync-page-limit": 20, **ha},
                                    library_parameters=library if library_too else None), library_too)
                        for library_too in (True, False)]
        for player in self.players:
            for server in player.pair.servers.values():
                prepare(server)
        self.each(lambda player: player.pair.start())

    def each(self, play):
        done = [player.thread.submit(play, player) for player in self.players]
        wait(done)
        for future in done:
            future.result()

    def play(self, scenario):
        for player in self.players:
            player.pair.wait_normal()
            player.begin()
        self.each(scenario)
        ours, plain = self.players
        assert ours.states() == plain.states()
        assert ours.seconds < 2 * plain.seconds + 3, (ours.seconds, plain.seconds)
        return ours.states()

    def remove(self):
        for player in self.players:
            player.pair.remove()
            player.thread.shutdown()


@pytest.fixture(scope="module")
def twins():
    twins = Twins()
    try:
        yield twins
    finally:
        twins.remove()


def set_clock(server, seconds):
    """In place: the server has the file mapped, and would be ended by a look at one that is empty for a moment."""
    file = os.open(server.path("clock"), os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(file, struct.pack("=q", seconds), 0)
    finally:
        os.close(file)


@pytest.fixture(scope="module")
def patient_twins():
    """Who wait for unanswered clients before they take a partner for down, and whose clocks can be set."""
    def prepare(server):
        set_clock(server, 0)
        preload = f"{os.environ.get('KFS_PRELOAD', '')} {field.clock_library()}".strip()
        server.environment = {"LD_PRELOAD": preload, "KFS_CLOCK": server.inside("clock")}
    twins = Twins(prepare, **{"max-unacked-clients": 10, "delayed-updates-limit": 100})
    try:
        yield twins
    finally:
        twins.remove()


def test_in_maintenance_that_is_cancelled(twins):
    def scenario(player):
        player.first.command("ha-maintenance-start")
        player.wait_state(player.first, "partner-in-maintenance")
        player.wait_state(player.second, "in-maintenance")
        player.edit(player.first, player.second)
        if player.library:
            wait_until(player.everywhere, 2, "a server in maintenance takes and sends changes at once")
        player.heal(lambda: player.first.command("ha-maintenance-cancel"))
    first, second = twins.play(scenario)
    assert ("LOAD-BALANCING", "PARTNER-IN-MAINTENANCE") in first and ("LOAD-BALANCING", "IN-MAINTENANCE") in second


def test_in_maintenance_with_the_partner_shut_down(twins):
    def scenario(player):
        player.first.command("ha-maintenance-start")
        player.wait_state(player.first, "partner-in-maintenance")
        player.wait_state(player.second, "in-maintenance")
        player.edit(player.second)
        player.second.stop()
        player.edit(player.first)
        player.wait_state(player.first, "partner-down")
        player.edit(player.first)
        player.heal(player.second.start)
    first, _ = twins.play(scenario)
    assert ("PARTNER-IN-MAINTENANCE", "PARTNER-DOWN") in first


def test_in_partner_down_after_a_kill(twins):
    """Also by config-set, after which Kea finds its partner down anew."""
    def scenario(player):
        player.second.kill9()
        player.edit(player.first)
        player.wait_state(player.first, "partner-down")
        player.edit_by_set(player.first, 3, 3003)
        player.wait_state(player.first, "partner-down")
        player.edit(player.first)
        player.heal(player.second.start)
    first, _ = twins.play(scenario)
    assert first.count(("WAITING", "PARTNER-DOWN")) == 1


def test_in_partner_down_with_a_partner_that_stands_still(twins):
    def scenario(player):
        player.second.process.send_signal(signal.SIGSTOP)
        player.edit(player.first)
        player.wait_state(player.first, "partner-down")
        player.edit(player.first)
        player.heal(lambda: player.second.process.send_signal(signal.SIGCONT))
    first, _ = twins.play(scenario)
    assert ("LOAD-BALANCING", "PARTNER-DOWN") in first


def test_in_each_state_of_a_start(twins):
    """The second server is held in each state until both have been edited in it."""
    def scenario(player):
        second = player.second
        second.stop()
        plain = second.configuration
        held = copy.deepcopy(plain)
        ha = next(hook for hook in held["hooks-libraries"] if "libdhcp_ha" in hook["library"])
        ha["parameters"]["high-availability"][0]["state-machine"] = {
            "states": [{"state": state, "pause": "once"} for state in STATES]}
        second.write(held)
        player.wait_state(player.first, "partner-down")
        second.start()
        for state in STATES:
            player.wait_state(second, state)
            player.edit(player.first, second)
            if player.library:
                wait_until(player.everywhere, 2, f"a server that is {state} takes and sends changes at once")
            second.command("ha-continue")
        second.write(plain)
        player.heal()
    _, second = twins.play(scenario)
    assert [before for before, _ in second] == ["WAITING", "SYNCING", "READY"]


def lease(number):
    return {"ip-address": f"10.53.{16 + number // 250}.{number % 250 + 1}", "subnet-id": 60000,
            "hw-address": f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}", "valid-lft": 7200}


def test_while_the_partner_fetches_thousands_of_leases(twins):
    """A server that synchronizes answers nothing else meanwhile; what is changed then waits, and the leases come no slower."""
    def scenario(player):
        first, second = player.first, player.second
        second.stop()
        player.wait_state(first, "partner-down")
        for number in range(LEASES):
            first.command("lease4-add", lease(number))
        mark = second.mark()
        began = time.monotonic()
        second.start(wait=False)
        wait_until(lambda: second.logged("to SYNCING", mark), 20, "the second server synchronizes", every=0.005)
        player.edit(first)
        player.during = not second.logged("SYNCING to READY", mark)
        player.heal()
        player.seconds = time.monotonic() - began
        got = second.command("lease4-get-all", {"subnets": [60000]})["leases"]
        assert len(got) == LEASES
    twins.play(scenario)
    assert twins.players[0].during, "the change was made before the leases were there"


def test_in_communication_recovery(patient_twins):
    """Both serve, only their control channel is cut."""
    def scenario(player):
        servers = list(player.pair.servers.values())
        for server in servers:
            server.stop_agent()
        for server in servers:
            player.wait_state(server, "communication-recovery")
        player.edit(*servers)

        def heal():
            for server in servers:
                server.start_agent()
        player.heal(heal)
    first, second = patient_twins.play(scenario)
    assert first == second == [("LOAD-BALANCING", "COMMUNICATION-RECOVERY"), ("COMMUNICATION-RECOVERY", "LOAD-BALANCING")]


def test_in_terminated(patient_twins):
    """Clocks too far apart end High Availability until an administrator restarts both; scopes go on being replicated."""
    def scenario(player):
        set_clock(player.second, 120)
        for server in (player.first, player.second):
            player.wait_state(server, "terminated")
        player.edit(player.first, player.second)
        if player.library:
            wait_until(player.everywhere, 2, "changes arrive at once")

        def heal():
            set_clock(player.second, 0)
            for server in (player.first, player.second):
                server.stop()
            for server in (player.first, player.second):
                server.start()
        player.heal(heal)
    first, second = patient_twins.play(scenario)
    assert ("LOAD-BALANCING", "TERMINATED") in first and ("LOAD-BALANCING", "TERMINATED") in second
