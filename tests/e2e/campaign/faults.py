"""What goes wrong. Each fault is drawn from a random generator alone, does its harm at `at` seconds into a round and is
healed `lasting` seconds later; both are called from the main thread."""

import contextlib
import json
import os
import signal
import sqlite3
import threading
import time

from lab import config, control, network, processes

from .ledger import SERVERS

# Which faults are drawn, and how often in relation to one another. One that needs what the library cannot do yet is
# switched off with a 0, and a word on what it needs.
ENABLED_FAULTS = {
    "Kill": 3,
    "KillAfterEdit": 5,
    "KillInTransaction": 5,
    "KillInBatch": 5,
    "KillBoth": 2,
    "Restart": 2,
    "Pause": 3,
    "Cut": 3,
    "CutOneWay": 3,
    "Loss": 2,
    "Trickle": 2,
    "ProxyDelays": 2,
    "ProxyLosesAnswers": 4,
    "ProxyHalvesAnswers": 2,
    "ProxyHangsUp": 2,
    "ProxySwallows": 1,
    "ClockJump": 2,
    "ClockYears": 2,
    "DiskFull": 2,
    "StoreLostWhileDown": 3,
    "StoreLostWhileUp": 2,
    "StoreLocked": 1,
    "StoreTended": 3,
    "NameLost": 2,
    "ForgedBatch": 4,
}
SECONDS = 2.5  # of a round in which faults begin
SHORT_SLEEP = 30  # seconds: a timer that sleeps no longer than this ends within the time that servers are given to be calm
TRIGGER_PATIENCE = 1.5  # how long a kill waits for the moment it is meant for


class Fault:
    lasts = (0.2, 2.5)

    def __init__(self, rng):
        self.victim = rng.choice(SERVERS)
        self.at = rng.uniform(0, SECONDS)
        self.lasting = rng.uniform(*self.lasts)
        self.draw(rng)

    def draw(self, rng):
        """What else is random about it."""

    def inject(self, field):
        raise NotImplementedError

    def heal(self, field):
        raise NotImplementedError

    def details(self):
        return ""

    def __str__(self):
        details = self.details()
        return f"{type(self).__name__}({self.victim}{', ' + details if details else ''})"


# ---- kill -9 ----

class Kill(Fault):
    """At any moment."""
    lasts = (0.0, 2.5)

    def inject(self, field):
        field.kill(self.victim)

    def heal(self, field):
        field.bring_up(self.victim)


class KillBoth(Kill):
    """As when the power fails: one after the other, or together."""

    def draw(self, rng):
        self.between = rng.choice([0.0, rng.uniform(0, 0.1)])

    def inject(self, field):
        for name in (self.victim, next(name for name in SERVERS if name != self.victim)):
            field.kill(name)
            time.sleep(self.between)

    def heal(self, field):
        for name in SERVERS:
            field.bring_up(name)


class KillAfterEdit(Kill):
    """Up to 50 ms after the next edit was told to the server, or acknowledged by it."""

    def draw(self, rng):
        self.event = rng.choice(["told", "acknowledged", "acknowledged"])
        self.delay = rng.choice([0.0, rng.uniform(0, 0.01), rng.uniform(0, 0.05)])

    def details(self):
        return f"{self.delay * 1000:.1f} ms after {self.event}"

    def inject(self, field):
        heard = threading.Event()

        def ear(event, name):
            if event == self.event and name == self.victim:
                heard.set()
        field.ears.append(ear)
        if heard.wait(TRIGGER_PATIENCE):
            time.sleep(self.delay)
        field.ears.remove(ear)
        field.kill(self.victim)


class KillInTransaction(Kill):
    """When the store's write-ahead log grows or changes, or a little later."""

    def draw(self, rng):
        self.delay = rng.choice([0.0, 0.0, rng.uniform(0, 0.003)])

    def details(self):
        return f"{self.delay * 1000:.1f} ms into it"

    def inject(self, field):
        log = field.store_of(self.victim) + "-wal"
        before, deadline = _state_of(log), time.monotonic() + TRIGGER_PATIENCE
        while time.monotonic() < deadline and _state_of(log) == before:
            time.sleep(0.0001)
        time.sleep(self.delay)
        field.kill(self.victim)


class KillInBatch(Kill):
    """When a batch is on its way to the partner or the answer is on its way back: the sender or the receiver."""

    def draw(self, rng):
        self.sender = rng.choice(SERVERS)
        self.moment = rng.choice(["on_request", "on_answer"])
        self.skip = rng.choice([0, 0, 1])  # exchanges let through before
        self.delay = rng.choice([0.0, 0.0, rng.uniform(0, 0.005)])

    def details(self):
        return f"{self.moment[3:]} number {self.skip + 1} of {self.sender}, {self.delay * 1000:.1f} ms"

    def inject(self, field):
        proxy, done, left = field.proxies[self.sender], threading.Event(), [self.skip]

        def strike():
            if left[0] == 0:
                if self.delay:
                    threading.Timer(self.delay, field.kill, (self.victim,)).start()
                else:
                    field.kill(self.victim)
                done.set()
            left[0] -= 1
        setattr(proxy, self.moment, strike)
        if done.wait(TRIGGER_PATIENCE):
            time.sleep(self.delay + 0.002)
        proxy.on_request = proxy.on_answer = None
        field.kill(self.victim)


class Restart(Kill):
    """An orderly one."""

    def inject(self, field):
        field.stop_orderly(self.victim)


class Pause(Fault):
    """SIGSTOP; HA has given the server up by the time it goes on, if it lasts."""
    lasts = (0.1, 5.0)

    def inject(self, field):
        self.since, self.process = None, field.servers[self.victim].process
        if self.victim not in field.down:
            self.since = time.monotonic()
            os.kill(self.process.pid, signal.SIGSTOP)

    def heal(self, field):
        if self.since is not None:
            field.ledger.paused(self.victim, self.since, time.monotonic())
            if self.process.poll() is None:
                os.kill(self.process.pid, signal.SIGCONT)


# ---- the network ----

class Cut(Fault):
    """The cable is out."""

    def inject(self, field):
        field.network.cut(self.victim)

    def heal(self, field):
        field.network.mend(self.victim)


class Filtered(Fault):
    """Rules in the server's namespace; DHCP goes past them, since Kea uses raw sockets."""

    def rules(self):
        raise NotImplementedError

    def table(self):
        return f"campaign_{type(self).__name__.lower()}"

    def nft(self, field, text, check=True):
        processes.run("ip", "netns", "exec", field.servers[self.victim].namespace, "nft", text, check=check)

    def inject(self, field):
        lines = [f"add table inet {self.table()}"]
        for hook, rule in self.rules():
            lines += [f"add chain inet {self.table()} {hook} {{ type filter hook {hook} priority 0; policy accept; }}",
                      f'add rule inet {self.table()} {hook} {"iifname" if hook == "input" else "oifname"} "eth0" {rule}']
        self.nft(field, "; ".join(lines))

    def heal(self, field):
        self.nft(field, f"delete table inet {self.table()}")


class CutOneWay(Filtered):
    def draw(self, rng):
        self.way = rng.choice(["input", "output"])

    def details(self):
        return self.way

    def rules(self):
        return [(self.way, "drop")]


class Loss(Filtered):
    def draw(self, rng):
        self.percent = rng.choice([5, 20, 40])

    def details(self):
        return f"{self.percent} %"

    def rules(self):
        return [(hook, f"numgen random mod 100 < {self.percent} drop") for hook in ("input", "output")]


class Trickle(Fault):
    """What the server sends leaves at some kilobits a second."""

    def draw(self, rng):
        self.rate = rng.choice([32, 128])

    def details(self):
        return f"{self.rate} kbit/s"

    def inject(self, field):
        self._tc(field, "add", "root", "tbf", "rate", f"{self.rate}kbit", "burst", "1600", "limit", "200000")

    def heal(self, field):
        self._tc(field, "delete", "root")

    def _tc(self, field, verb, *arguments):
        processes.run("tc", "-n", field.servers[self.victim].namespace, "qdisc", verb, "dev", "eth0", *arguments)


class ProxyMisbehaves(Fault):
    """`victim` is the server whose scopes go through the proxy."""
    fate, cuts_first = "pass", False

    def inject(self, field):
        proxy = field.proxies[self.victim]
        proxy.fate = self.fate
        if self.cuts_first:
            proxy.hang_up()

    def heal(self, field):
        field.proxies[self.victim].behave()


class ProxyDelays(ProxyMisbehaves):
    def draw(self, rng):
        self.seconds = rng.choice([0.02, 0.2, 1.0])

    def details(self):
        return f"{self.seconds} s"

    def inject(self, field):
        field.proxies[self.victim].delay = self.seconds


class ProxyLosesAnswers(ProxyMisbehaves):
    fate = "lose answer"


class ProxyHalvesAnswers(ProxyMisbehaves):
    fate = "half an answer"


class ProxyHangsUp(ProxyMisbehaves):
    fate, cuts_first = "refuse", True


class ProxySwallows(ProxyMisbehaves):
    fate = "swallow"

    def heal(self, field):
        super().heal(field)
        field.proxies[self.victim].hang_up()


# ---- the machine ----

class ClockJump(Fault):
    """Far on both servers, or on one by less than the minute after which HA gives up."""

    def draw(self, rng):
        self.both = rng.random() < 0.6
        self.seconds = rng.choice([-86400, -3600, -300, 300, 3600, 86400] if self.both else [-45, -20, 20, 45])

    def details(self):
        return f"{'both, ' if self.both else ''}{self.seconds:+d} s"

    def _set(self, field, seconds):
        for name in SERVERS if self.both else (self.victim,):
            field.set_clock(name, seconds)
            # A timer that was running then sleeps by the clock of before, also when the clock is right again soon.
            if self.seconds > 0 == seconds or seconds < -SHORT_SLEEP:
                field.clock_set_back.add(name)

    def inject(self, field):
        self._set(field, self.seconds)

    def heal(self, field):
        self._set(field, 0)


class ClockYears(ClockJump):
    """Far more than the day by which numbers of edits may be ahead. High Availability gives up where the clocks differ by
    a minute, and wants both servers to be restarted then."""

    def draw(self, rng):
        self.both = rng.random() < 0.5
        self.seconds = rng.choice([-10, -1, 1, 10]) * 365 * 86400

    def inject(self, field):
        super().inject(field)
        if not self.both:
            field.clock_set_back.update(SERVERS)


class DiskFull(Fault):
    """Of the server whose store is on the small disk."""

    def inject(self, field):
        self.victim, folder = field.full_disk
        self.filler = os.path.join(folder, "filler")
        block = b"\0" * 65536
        with open(self.filler, "wb", buffering=0) as file:
            try:
                while file.write(block):
                    pass
            except OSError:
                pass
        self.since = time.monotonic()
        field.unwritable.add(self.victim)

    def heal(self, field):
        os.unlink(self.filler)
        field.unwritable.discard(self.victim)
        # What waits for the store is tried again every second.
        field.ledger.paused(self.victim, self.since, time.monotonic() + 1.2)
        field.ledger.unwritable(self.victim, self.since, time.monotonic() + 1.2)


class StoreLost(Fault):
    def draw(self, rng):
        self.how = rng.choice(["deleted", "truncated", "overwritten", "emptied"])
        self.seed = rng.getrandbits(32)

    def details(self):
        return self.how

    def spoil(self, field):
        store = field.store_of(self.victim)
        field.ledger.lost_store(self.victim, time.monotonic())
        for path in (store, f"{store}-wal", f"{store}-shm"):
            # SQLite has the last one mapped: cut short, it would be a bus error, which nothing of a library's can survive.
            mapped = path.endswith("-shm") and self.victim not in field.down and self.how in ("truncated", "emptied")
            if mapped or not os.path.exists(path):
                continue
            if self.how == "deleted":
                os.unlink(path)
            elif self.how == "truncated":
                os.truncate(path, os.path.getsize(path) // 2)
            elif self.how == "emptied":
                os.truncate(path, 0)
            else:
                with open(path, "r+b") as file:
                    file.write(os.urandom(max(4096, os.path.getsize(path))))


class StoreLostWhileDown(StoreLost):
    def inject(self, field):
        if field.kill(self.victim):
            field.servers[self.victim].process.wait()
            self.spoil(field)

    def heal(self, field):
        field.bring_up(self.victim)


class StoreLostWhileUp(StoreLost):
    def inject(self, field):
        if self.victim not in field.down:
            self.spoil(field)

    def heal(self, field):
        pass


class StoreTended(Fault):
    """By an administrator, with sqlite3: nothing that SQLite allows makes it a damaged one."""
    lasts = (0.0, 0.1)

    def draw(self, rng):
        self.statement = rng.choice(["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)", "ANALYZE", "REINDEX"])

    def details(self):
        return self.statement

    def inject(self, field):
        try:
            with contextlib.closing(_open_store(field, self.victim)) as database:
                database.execute(self.statement).fetchall()
        except sqlite3.Error as error:
            field.note(f"  {self.statement}: {error}")  # the store is lost, or another fault has locked it

    def heal(self, field):
        pass


class StoreLocked(Fault):
    """By another process, as by an administrator who began a transaction and went to lunch."""
    lasts = (20.0, 20.0)

    def inject(self, field):
        self.database, self.since = None, time.monotonic()
        try:
            self.database = _open_store(field, self.victim)
            self.database.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            field.note(f"  the store of {self.victim} is not locked: {error}")
            return
        field.unwritable.add(self.victim)

    def heal(self, field):
        if self.database is None:
            return
        if self.database.in_transaction:
            self.database.execute("ROLLBACK")
        self.database.close()
        field.unwritable.discard(self.victim)
        # What waits for the store is tried again every second, and waits for a lock a while.
        field.ledger.paused(self.victim, self.since, time.monotonic() + 2.2)
        field.ledger.unwritable(self.victim, self.since, time.monotonic() + 2.2)


# ---- what others say ----

class NameLost(Fault):
    """The name server of the server that knows its partner by name keeps silent."""
    lasts = (1.0, 8.0)

    def inject(self, field):
        self.victim = field.named
        field.know_partners_name(False)

    def heal(self, field):
        field.know_partners_name(True)


class ForgedBatch(Fault):
    """Somebody on the management network speaks for a partner: with a secret it changes nothing, without one the pair
    agrees again and no later edit is lost."""
    lasts = (0.0, 0.1)
    TEXT = "0123456789abcdef0123456789abcdef"  # a fingerprint of nothing

    def draw(self, rng):
        self.kind = rng.choice(["mad numbers", "numbers of today", "the victim's own number", "a removal of what never was"])
        self.scope, self.seed = rng.randrange(9, 30), rng.getrandbits(56)

    def details(self):
        return self.kind

    def version(self, row, now):
        mad = 2 ** 53 - 1
        strangers = [f"{(self.seed + 2 * number) | 1 << 60:016x}" for number in range(8)]
        known = f"{row['version']}," if row["version"] else ""
        if self.kind == "mad numbers":
            return ",".join(f"{name}:{mad:x}" for name in strangers)
        if self.kind == "numbers of today":
            return known + ",".join(f"{name}:{now + 3600000:x}" for name in strangers)
        if self.kind == "the victim's own number":
            return known.rsplit(":", 1)[0] + f":{now + 7200000:x}" if known else f"{strangers[0]}:{mad:x}"
        return f"{strangers[0]}:{now:x}"

    def batch(self, field):
        partner = next(name for name in SERVERS if name != self.victim)
        ends = {"sender": partner, "receiver": self.victim}
        if self.kind == "a removal of what never was":
            row = {"subnet-id": 50000 + self.seed % 1000, "prefix": "10.250.0.0/24", "version": ""}
            return {**ends, "scopes": [{**row, "base": "", "fingerprint": "", "version": self.version(row, _now_ms())}]}
        with contextlib.closing(_open_store(field, self.victim)) as database:
            found = database.execute(
                "SELECT version.Name, version.Version, scope.Definition FROM ObjectVersions AS version"
                " JOIN ADM_DHCPScopesTable AS scope ON scope.SubnetId = version.ObjectId JOIN ADM_DHCPServersTable AS server"
                " ON server.RecordId = scope.DHCPServerRecordId AND server.RecordId = version.ServerRecordId"
                " WHERE server.IsLocal AND scope.SubnetId = ?", (self.scope,)).fetchone()
        if found is None or found[2] is None:
            return None
        row = {"subnet-id": self.scope, "prefix": found[0], "version": found[1]}
        return {**ends, "scopes": [{**row, "base": "", "fingerprint": self.TEXT, "definition": found[2],
                                    "version": self.version(row, _now_ms())}]}

    def inject(self, field):
        server = field.servers[self.victim]
        port = config.CONTROL_PORT if server.release.version >= (2, 7) else config.HTTP_PORT
        try:
            batch = self.batch(field)
            if batch is None:
                return
            answer = network.inside(field.network.clients, control.over_http, server.address, port, "scope-receive", batch, 3)
        except (OSError, ValueError, sqlite3.Error) as error:
            field.note(f"  nothing forged: {error}")
            return
        field.note(f"  answered: {json.dumps(answer)[:300]}")
        if field.secret and answer["result"] != 1:
            raise AssertionError(f"{self.victim} takes what nobody sealed: {answer}")

    def heal(self, field):
        pass


def _now_ms():
    return int(time.time() * 1000)


def _open_store(field, name):
    """As another process, which does not make one that is not there."""
    return sqlite3.connect(f"file:{field.store_of(name)}?mode=rw", uri=True, timeout=5, isolation_level=None)


def keep_only(names):
    """Switches all other kinds off."""
    for name in ENABLED_FAULTS:
        if name not in names:
            ENABLED_FAULTS[name] = 0
    if unknown := set(names) - set(ENABLED_FAULTS):
        raise SystemExit(f"no such faults: {', '.join(sorted(unknown))}; there are {', '.join(ENABLED_FAULTS)}")


def draw_faults(rng):
    """None, one or several, never two of the same kind."""
    classes = {name: weight for name, weight in ENABLED_FAULTS.items() if weight}
    names = []
    for _ in range(min(len(classes), rng.choices([0, 1, 2, 3], [1, 6, 5, 2])[0])):
        name = rng.choices(list(classes), list(classes.values()))[0]
        del classes[name]
        names.append(name)
    return [globals()[name](rng) for name in names]


def _state_of(path):
    try:
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    except OSError:
        return None
