"""The pair as the campaign needs it: with a proxy in front of each partner, a clock that can be moved, and the store of one
server on a disk that can be filled."""

import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time

from lab import config, network, processes
from lab.pair import Pair
from lab.waiting import wait_until

from . import edits
from .ledger import SERVERS, Ledger, registers_of
from .proxy import Proxy

PROXY_PORT = 8090
PARTNER_NAME = "partner.campaign.example"  # the proxy, to the server that is told its partner's name
BLACK_HOLE = "192.0.2.53"  # routed to the bridge, which forwards nothing: a name server that keeps silent
SECRET = "the secret of the campaign"
DISK_BYTES = 48 << 20  # more than the store's log grows to between two checkpoints
CALM_SECONDS = 45  # from the last healing until all is calm, at most
RETRY = {"min-ms": 200, "max-ms": 4000}  # shorter than the default, so that rounds are short

_clock = None


def other(name):
    return SERVERS[1 - SERVERS.index(name)]


class Field(Pair):
    """`small_disk` names the server whose store is on a disk of its own, `count` is of the scopes in the beginning. A
    server's commands are given, and the server is started, by whoever has its turn; kills do not wait for it. The other
    server than that of the small disk knows its partner by a name. With `secret` both have one."""

    def __init__(self, small_disk="server1", count=30, secret=False, **keywords):
        self.ledger = Ledger()
        scopes, networks = edits.first_configuration(count, self.ledger.number)
        super().__init__(scopes, **{"shared-networks": networks}, **keywords)
        self.threads = bool(keywords.get("multi_threading"))
        self.turn = {name: threading.Lock() for name in SERVERS}
        self.down = set()
        self.unwritable = set()  # whose store cannot be written: its disk is full, or another process has locked it
        self.secret = secret
        self.named = other(small_disk)
        self.journal = []
        self.refused = set()  # who refused a configuration in this round
        self.clock_set_back = set()
        self.ears = []  # called with (event, server) by who gives commands
        self._began = time.monotonic()
        self._disk = None
        self.proxies = {}
        for name, server in self.servers.items():
            self._prepare(server, name == small_disk)

    def _prepare(self, server, own_disk):
        partner = other(server.name)
        port = config.HTTP_PORT
        self.proxies[server.name] = Proxy(server.namespace, PROXY_PORT, (network.SERVER_ADDRESSES[partner], port))
        parameters = server.configuration["hooks-libraries"][-1]["parameters"]
        url = self.proxies[server.name].url
        if server.name == self.named:
            url = url.replace("127.0.0.1", PARTNER_NAME)
            self._prepare_names(server)
        parameters["partners"] = {partner: {"url": url}}
        parameters["retry"] = RETRY
        if self.secret:
            with open(server.path("secret"), "w", encoding="ascii") as file:
                file.write(SECRET + "\n")
            os.chmod(server.path("secret"), 0o600)
            parameters["shared-secret-file"] = server.inside("secret")
        if own_disk:
            self._disk = server.path("disk")
            os.mkdir(self._disk)
            processes.run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=750", "kfs-campaign", self._disk)
            parameters["store"] = server.inside("disk/failover-sync.db")
        with open(server.path("clock"), "wb") as file:
            file.write(struct.pack("=q", 0))
        preload = f"{os.environ.get('KFS_PRELOAD', '')} {clock_library()}".strip()
        server.environment = {"LD_PRELOAD": preload, "KFS_CLOCK": server.inside("clock")}
        # Kea does not open its sockets on a link that is down when it is configured, unless it is told to try again.
        server.configuration["interfaces-config"].update(
            {"service-sockets-max-retries": 200, "service-sockets-retry-wait-time": 200})
        server.write(server.configuration)

    def _prepare_names(self, server):
        """`ip netns exec` puts these files over those in /etc."""
        folder = f"/etc/netns/{server.namespace}"
        self.network.ip(server.namespace, "route", "add", BLACK_HOLE, "via", "10.53.0.1")
        os.makedirs(folder)
        processes.at_end(lambda: shutil.rmtree(folder, ignore_errors=True))
        with open(f"{folder}/resolv.conf", "w", encoding="ascii") as file:
            file.write(f"nameserver {BLACK_HOLE}\noptions timeout:2 attempts:2\n")
        self.know_partners_name(True)

    def know_partners_name(self, known):
        """In place: the running server reads the same file."""
        with open(f"/etc/netns/{self.servers[self.named].namespace}/hosts", "w", encoding="ascii") as file:
            file.write("127.0.0.1 localhost\n" + (f"127.0.0.1 {PARTNER_NAME}\n" if known else ""))

    def start(self):
        for server in self.servers.values():
            self.ledger.begin_life(server.name, server.configuration)
        super().start()
        self.wait_settled()
        return self

    def store_of(self, name):
        return self.servers[name].configuration["hooks-libraries"][-1]["parameters"]["store"]

    @property
    def full_disk(self):
        """(server, folder) of the disk that can be filled."""
        return next((name, self._disk) for name in SERVERS if self._disk and self.store_of(name).startswith(self._disk))

    # ---- what is remembered of a round ----

    def begin_round(self):
        self.journal, self.ears = [], []
        self.refused, self.clock_set_back = set(), set()
        self._began = time.monotonic()
        self.unwritable = set()
        self.log_marks = {name: server.mark() for name, server in self.servers.items()}
        self.ledger.begin_round(registers_of(self.first.running()))

    def note(self, text):
        self.journal.append(f"{time.monotonic() - self._began:7.3f}  {text}")

    def announce(self, event, server):
        for ear in list(self.ears):
            ear(event, server.name)

    # ---- a server's life ----

    def kill(self, name):
        """kill -9, at once and from any thread; False if the server is down already."""
        process = self.servers[name].process
        if name in self.down or process is None or process.poll() is not None:
            return False
        self.down.add(name)
        os.kill(process.pid, signal.SIGKILL)
        self.ledger.killed(name, time.monotonic())
        self.note(f"{name} killed")
        return True

    def stop_orderly(self, name):
        """Stops the server, in the middle of a command or not, and leaves its control agent."""
        if name in self.down:
            return
        self.down.add(name)
        self.note(f"{name} is asked to stop")
        code = processes.end(self.servers[name].process)
        if name in self.unwritable:
            self.ledger.killed(name, time.monotonic())
        self.note(f"{name} stopped")
        if code != 0:
            raise AssertionError(f"{name} ended with {code} when it was asked to stop:\n{self.servers[name].log_tail()}")

    def bring_up(self, name):
        """Starts a server that is down; only from the main thread, because a process dies with the thread that started it."""
        if name not in self.down:
            return
        server = self.servers[name]
        with self.turn[name]:
            if server.process:
                server.kill9()
            began = time.monotonic()
            server.start()
            self.down.discard(name)
            self.ledger.loaded(name, "file", server.configuration, began, time.monotonic(), at_start=True)
            self.note(f"{name} up")

    def check_alive(self):
        for name, server in self.servers.items():
            if name not in self.down and server.process.poll() is not None:
                self.down.add(name)
                raise AssertionError(f"{name} ended by itself with {server.process.returncode}:\n{server.log_tail()}")

    def tidy_up(self):
        """What an administrator does after some faults, because Kea itself needs it: a server that refused a configuration
        has closed its sockets, and the timers of one whose clock was set back wait until the clock is there again."""
        self.wait_calm(CALM_SECONDS, normal=False)
        for name in SERVERS:
            if name in self.clock_set_back:
                self.stop_orderly(name)
                self.bring_up(name)
            elif name in self.refused:
                began = time.monotonic()
                self.servers[name].reload()
                self.ledger.loaded(name, "file", self.servers[name].configuration, began, time.monotonic())

    def set_clock(self, name, seconds):
        with open(self.servers[name].path("clock"), "r+b") as file:
            file.write(struct.pack("=q", seconds))

    # ---- its end ----

    def nothing_waits(self):
        return all(status.get("queued") == 0 and status.get("out-of-sync") == 0
                   for status in (server.sync_status() for server in self.servers.values()))

    def wait_calm(self, seconds, normal=True):
        """Nothing waits, both servers agree, and still do a moment later; with `normal`, High Availability is as it should
        be, too."""
        deadline = time.monotonic() + seconds
        while True:
            if normal:
                self.wait_normal(max(1.0, deadline - time.monotonic()))
            wait_until(self.nothing_waits, max(1.0, deadline - time.monotonic()), "nothing is queued or out of sync", every=0.05)
            wait_until(self.agree, max(1.0, deadline - time.monotonic()), "both servers show the same scopes", every=0.1)
            time.sleep(0.2)
            if self.agree() and self.nothing_waits():
                return

    def remove(self):
        for server in self.servers.values():
            server.stop()
        for proxy in self.proxies.values():
            proxy.close()
        if self._disk:
            processes.run("umount", self._disk)
            self._disk = None
        shutil.rmtree(f"/etc/netns/{self.servers[self.named].namespace}", ignore_errors=True)
        super().remove()


def clock_library():
    """Builds the preloaded clock, once per run."""
    global _clock
    if _clock is None:
        folder = tempfile.mkdtemp(prefix=f"kfs{os.getpid()}-clock-")
        processes.at_end(lambda: shutil.rmtree(folder, ignore_errors=True))
        _clock = os.path.join(folder, "shifted_clock.so")
        source = os.path.join(os.path.dirname(__file__), "shifted_clock.c")
        subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", _clock, source, "-ldl"], check=True)
    return _clock


def sweep():
    """Unmounts the disks of earlier runs that were killed before they could, and removes those pairs' folders."""
    with open("/proc/mounts", encoding="utf-8") as mounts:
        for line in mounts.read().splitlines():
            match = re.match(r"kfs-campaign ((\S*/kfs(\d+)-[^/ ]+)/\S*)", line)
            if match and not processes.alive(match.group(3)):
                processes.run("umount", match.group(1))
                shutil.rmtree(match.group(2), ignore_errors=True)
