"""What was done to the two servers, and what of it DESIGN calls an edit ("A restart is not an edit" and following).

A register is what an edit gives a value: ("scope", id) or ("network", name). Its values are told apart by a number in the
user context that every edit makes anew. Whether the values outlived a round is the oracle's business."""

import itertools
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from lab.server import scopes_of

SERVERS = ("server1", "server2")

# Seconds after which a store that was lost is there again, if the disk can be written.
STORE_BACK = 3.0

# Seconds after which a load is recorded, if the disk can be written.
MIRRORED = 0.5


@dataclass(frozen=True)
class Version:
    """Of a scope: the number in its context, its pools (which a command can change alone), the network it is in."""
    number: int
    pools: tuple
    network: str | None


def number_in(parameters):
    return (parameters.get("user-context") or {}).get("v", 0)


def version_of(subnet, network):
    pools = tuple(sorted(pool["pool"].replace(" ", "") for pool in subnet.get("pools", [])))
    return Version(number_in(subnet), pools, network["name"] if network else None)


def registers_of(dhcp4):
    """Every register of a configuration and its value; a network without scopes is none."""
    found = {}
    for identifier, scope in scopes_of(dhcp4).items():
        network = scope["shared-network"]
        found["scope", identifier] = version_of(scope["subnet4"], network)
        if network:
            found["network", network["name"]] = number_in(network)
    return found


@dataclass
class Edit:
    server: str
    register: tuple
    value: Any  # None: removed
    start: float  # monotonic
    end: float | None  # when it was acknowledged; None: it was not, and may or may not have happened
    certain: bool  # an edit by the rules, and acknowledged; else it may have come to nothing
    kept: str  # where Kea itself keeps it: "file" or "memory"; "store": acknowledged only once the store had it
    seen: dict | None  # what ran on the server just before; None: not known
    heard: bool  # whether the partner's scopes arrived between that look and the end
    because: str
    unheard: bool = False  # of a file that the server's store had not seen: as good as one that nobody edited

    def __str__(self):
        end = "unanswered" if self.end is None else f"{self.end - self.start:.3f} s"
        return (f"{self.register[0]} {self.register[1]} := {show(self.value)} on {self.server} by {self.because} "
                f"({'' if self.certain else 'perhaps, '}{end})")


def show(value):
    if isinstance(value, Version):
        return f"{value.number}/{','.join(pool.rsplit('.', 1)[-1] for pool in value.pools)}@{value.network or '-'}"
    return "nothing" if value is None else str(value)


@dataclass
class Ledger:
    edits: list = field(default_factory=list)  # of this round
    deaths: list = field(default_factory=list)  # (server, when) of this round
    pauses: list = field(default_factory=list)  # (server, from, to) of this round: it stood still, or could not write
    stores_lost: list = field(default_factory=list)  # (server, when) of this round
    disks_full: list = field(default_factory=list)  # (server, since, until)
    before: dict = field(default_factory=dict)  # the registers as the round found them
    texts: dict = field(default_factory=dict)  # what was said of each (register, value), for good

    def __post_init__(self):
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._in_file = {server: {} for server in SERVERS}  # as the file last delivered it
        self._delivered = {server: {} for server in SERVERS}  # as any configuration last did
        self._authors = defaultdict(set)  # of each (register, value), for good
        self._file_unseen = {}  # since when, of servers whose store may not have seen their file
        self._file_loads = []  # (server, when) of this round

    def number(self):
        """A number that no other version has."""
        with self._lock:
            return next(self._numbers)

    def begin_round(self, running):
        self.before = running
        self.edits, self.deaths, self.pauses, self.stores_lost, self.disks_full = [], [], [], [], []
        self._file_loads = []

    def begin_life(self, server, dhcp4):
        """The first start of a pair, with nothing in the store."""
        self._note_texts(dhcp4)
        self._in_file[server] = self._delivered[server] = registers_of(dhcp4)

    def loaded(self, server, source, dhcp4, start, end, seen=None, heard=True, at_start=False):
        """A configuration was given to a server: `source` is "file" (reload or start) or "set"."""
        with self._lock:
            if source == "file":
                self._file_loads.append((server, start))
            now = registers_of(dhcp4)
            last = (self._in_file if source == "file" else self._delivered)[server]
            self._note_texts(dhcp4)

            def note(register, certain, why):
                # Saying what runs already changes nothing.
                ran = self.before if seen is None else seen
                certain = certain and ran.get(register) != now.get(register)
                self._add(Edit(server, register, now.get(register), start, end, certain and end is not None,
                               "file" if source == "file" else "memory", seen, heard, f"{source}, {why}",
                               source == "file" and server in self._file_unseen))

            said = set()
            for register in sorted(set(now) | set(last) | set(seen or {}), key=str):
                if now.get(register) != last.get(register):
                    if register[0] == "scope" or register in now:
                        note(register, True, "its text changed")
                        said.add(register)
                elif (register[0] == "scope" or register in now) and not at_start and self._may_revert(server, register, now.get(register), seen):
                    note(register, False, "a change at run time reverted")
                    said.add(register)
            # A scope's text is its network's too, and a scope carries its network's parameters wherever it goes.
            for register in sorted(set(now) - said, key=str):
                kind, name = register
                if kind == "scope" and ("network", now[register].network) in said:
                    note(register, False, "its network's text")
                elif kind == "network" and any(
                        other[0] == "scope" and now.get(other) and now[other].network == name for other in said):
                    note(register, False, "the text of a scope in it")
            if end is not None:
                self._delivered[server] = now
                if source == "file":
                    self._in_file[server] = now
                    if start > self._file_unseen.get(server, start) + STORE_BACK:
                        del self._file_unseen[server]

    def commanded(self, server, identifier, subnet, network, start, end, certain, seen, heard, command):
        """A command changed a scope of the running configuration, and answered only once that was recorded."""
        with self._lock:
            value = version_of(subnet, network)
            self.texts["scope", identifier, value] = subnet
            self._add(Edit(server, ("scope", identifier), value, start, end, certain, "store", seen, heard, command))
            if network:
                self._add(Edit(server, ("network", network["name"]), number_in(network), start, end, False, "store", seen, heard,
                               command))

    def killed(self, server, when):
        self.deaths.append((server, when))

    def unwritable(self, server, since, until):
        self.disks_full.append((server, since, until))
        # A file that was loaded meanwhile was not recorded, and another configuration may have come after it.
        if server in self._file_unseen or any(
                who == server and since - MIRRORED < when < until for who, when in self._file_loads):
            self._file_unseen[server] = until

    def paused(self, server, since, until):
        self.pauses.append((server, since, until))

    def lost_store(self, server, when):
        """What the file does not have goes with the store; what it has may come back as if it were new."""
        self.stores_lost.append((server, when))
        self._file_unseen[server] = when
        for register, value in self._in_file[server].items():
            self._add(Edit(server, register, value, when, when, False, "file", None, True, "its store lost"))

    def lived_after(self, edit):
        """How long the server went on running after an edit until it was killed; infinite if it was not."""
        death = min((when for server, when in self.deaths if server == edit.server and when >= edit.start), default=None)
        if death is None or edit.end is None:
            return float("inf")
        stood = sum(max(0.0, min(until, death) - max(since, edit.end))
                    for server, since, until in self.pauses if server == edit.server)
        return max(0.0, death - edit.end - stood)

    def _add(self, edit):
        self.edits.append(edit)
        self._authors[edit.register, edit.value].add(edit.server)

    def _may_revert(self, server, register, value, seen):
        """Text that did not change leaves what the partner sent and reverts what was done here."""
        if seen is None:
            return True
        running = seen.get(register)
        authors = self._authors[register, running]
        return running != value and (server in authors or not authors)

    def _note_texts(self, dhcp4):
        for identifier, scope in scopes_of(dhcp4).items():
            network = scope["shared-network"]
            self.texts["scope", identifier, version_of(scope["subnet4"], network)] = scope["subnet4"]
            if network:
                self.texts["network", network["name"], number_in(network)] = network
