"""Two servers, partners in one HA relationship."""

import json
import os
import shutil
import tempfile

from . import config, processes
from .network import Network
from .release import Release
from .server import Server
from .waiting import wait_until

NORMAL = {"load-balancing": "load-balancing", "hot-standby": "hot-standby"}
LOCAL_PARAMETERS = ("interface",)
PAIRS = []  # those that run, for reports


def library_of_run():
    """The library under test as the servers see it, by KFS_LIBRARY; None runs plain Kea."""
    return os.environ.get("KFS_LIBRARY") or None


class Pair:
    """`library` False leaves failover-sync out; `library_parameters` and `ha` are given per server name or for both."""

    def __init__(self, scopes=(), scopes2=None, mode="load-balancing", library=True, library_parameters=None, ha=None,
                 release=None, log_level="INFO", dedicated_listener=None, multi_threading=None, **dhcp4):
        self.mode = mode
        self.release = release or Release(os.environ.get("KFS_TREE", ""))
        self.network = Network()
        outside = tempfile.mkdtemp(prefix=f"kfs{os.getpid()}-", dir=self.release.outside("/tmp"))
        self.folder = outside
        self.servers = {}
        self.others = []  # see third.py
        for name, given in (("server1", scopes), ("server2", scopes if scopes2 is None else scopes2)):
            folder = f"/tmp/{os.path.basename(outside)}/{name}"
            server = Server(name, self.network, folder, self.release, log_level)
            # Two of a test's few scopes are soon more than a quarter of them: test_mass_removal.py has the default.
            parameters = {"store": server.inside("failover-sync.db"), "max-delete-percent": 100, **(library_parameters or {}).get("both", {}),
                          **(library_parameters or {}).get(name, {})}
            ha_more = dict(ha or {})
            if dedicated_listener is not None:
                server.agent_wanted = not dedicated_listener
                ha_more["multi-threading"] = {"enable-multi-threading": dedicated_listener,
                                              "http-dedicated-listener": dedicated_listener}
            if self.release.version >= (2, 7) and library:
                partner = "server2" if name == "server1" else "server1"
                url = f"http://{config.SERVER_ADDRESSES[partner]}:{config.CONTROL_PORT}/"
                parameters.setdefault("partners", {partner: {"url": url}})
            server.write(config.dhcp4(server, given, config.ha_parameters(name, mode, **ha_more),
                                      library_of_run() if library else None, parameters, multi_threading, **dhcp4))
            self.servers[name] = server
        self.first, self.second = self.servers["server1"], self.servers["server2"]
        PAIRS.append(self)
        processes.at_end(self.remove)

    def start(self):
        for server in self.servers.values():
            server.start(wait=False)
        for server in self.servers.values():
            server.wait_answering()
        self.wait_normal()
        return self

    def wait_normal(self, seconds=40):
        """Both in the state of their mode."""
        def normal():
            states = [server.ha_state() for server in self.servers.values()]
            return all(state == NORMAL[self.mode] for state in states)
        wait_until(normal, seconds, f"both servers are {NORMAL[self.mode]}", every=0.1)

    def wait_settled(self, seconds=30):
        """Both in their normal state, nothing waiting in either queue, nothing out of sync."""
        self.wait_normal(seconds)
        def settled():
            for server in self.servers.values():
                status = server.sync_status()
                if status.get("queued") != 0 or status.get("out-of-sync") != 0:
                    return False
            return True
        wait_until(settled, seconds, "nothing is queued or out of sync", every=0.05)

    def wait_quiet(self):
        """Settled, and both have noticed: from here on nobody writes to a store by himself."""
        self.wait_settled()
        def noticed():
            states = [server.sync_status() for server in self.servers.values()]
            return all(state["local-state"] == state["partner-state"] == "Normal" for state in states)
        wait_until(noticed, 10, "both stores say that both servers are in their normal state", every=0.05)

    def agree(self):
        """Both show the same scopes, but for what is each server's own."""
        return shared_view(self.first.scopes()) == shared_view(self.second.scopes())

    def wait_agree(self, seconds=1.0):
        try:
            wait_until(self.agree, seconds, "both servers show the same scopes")
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.differences()}") from None

    def differences(self):
        mine, other = (shared_view(server.scopes()) for server in (self.first, self.second))
        lines = []
        for key in sorted(set(mine) | set(other)):
            if key not in mine or key not in other:
                lines.append(f"scope {key} is only at {'server1' if key in mine else 'server2'}")
                continue
            for part in ("subnet4", "shared-network"):
                one, two = mine[key][part], other[key][part]
                lines += [f"scope {key}, {part}, {word}: server1 has {one.get(word)!r}, server2 {two.get(word)!r}"
                          for word in sorted(set(one) | set(two)) if one.get(word) != two.get(word)]
        return "\n".join(lines[:10])

    def stop(self):
        return [server.stop() for server in (*self.servers.values(), *self.others)]

    def remove(self):
        """Ends the servers and removes what the pair made; the folder stays where KFS_KEEP_LOGS is set."""
        self.stop()
        self.network.remove()
        if not os.environ.get("KFS_KEEP_LOGS"):
            shutil.rmtree(self.folder, ignore_errors=True)
        if self in PAIRS:
            PAIRS.remove(self)
        processes.forget(self.remove)


def shared_view(scopes):
    """Scopes without local parameters; reservations in one order, since Kea prints them in the order of a hash."""
    def shared(parameters):
        kept = {key: value for key, value in (parameters or {}).items() if key not in LOCAL_PARAMETERS}
        if "reservations" in kept:
            kept["reservations"] = sorted(kept["reservations"], key=lambda host: json.dumps(host, sort_keys=True))
        return kept
    return {key: {part: shared(value) for part, value in scope.items()} for key, scope in scopes.items()}
