"""One Kea server of the lab: its configuration, its processes, what it answers and what it logged."""

import copy
import datetime
import json
import os
import re
import time

from . import config, control, curl, network, processes
from .waiting import wait_until

LOAD_SECONDS = 1.0  # how long a server may be away for a configuration, at most


class CommandFailed(ValueError):
    def __init__(self, command, answer):
        super().__init__(f"{command}: {answer.get('text')}")
        self.answer = answer


class Server:
    def __init__(self, name, lab_network, folder, release, log_level="INFO"):
        self.name = name
        self.network = lab_network
        self.namespace = lab_network.of_server[name]
        self.address = network.SERVER_ADDRESSES[name]
        self.release = release
        self.log_level = log_level
        self.folder = folder  # as the server sees it
        os.makedirs(self.path(""), mode=0o750, exist_ok=True)
        self.configuration = None  # what is in the file
        self.delivered = None  # what the server was last given, by file or by config-set
        self.process = self.agent = None
        self.agent_wanted = not release.dedicated_listener
        self.credentials = None  # "user:password" that its control agent asks for
        self.agent_more = {}  # what its control agent's configuration has besides
        self.environment = {}
        self.wrapper = []  # valgrind, say

    def inside(self, name):
        return f"{self.folder}/{name}"

    def path(self, name):
        return self.release.outside(self.inside(name))

    @property
    def log(self):
        return self.path("server.log")

    @property
    def store(self):
        return self.path("failover-sync.db")

    # ---- its life ----

    def write(self, configuration):
        """Puts a configuration in the file; the server is not told."""
        self.configuration = configuration
        with open(self.path("kea-dhcp4.conf"), "w", encoding="utf-8") as file:
            json.dump({"Dhcp4": configuration}, file, indent=1, ensure_ascii=False)  # as an editor writes it

    def start(self, wait=True):
        for stale in ("kea-dhcp4.kea-dhcp4.pid", "kea.sock"):
            if os.path.exists(self.path(stale)):
                os.unlink(self.path(stale))
        unrestricted = ["-X"] if self.release.version >= (3, 0) else []  # the lab keeps its files in its own folder
        self.process = self._run(self.wrapper + self.release.command(
            "kea-dhcp4", "-c", self.inside("kea-dhcp4.conf"), *unrestricted), self.log)
        self.delivered = copy.deepcopy(self.configuration)
        if self.agent_wanted and self.agent is None:
            self.start_agent()
        if wait:
            self.wait_answering()

    def start_agent(self):
        """Anew, if it ran."""
        self.stop_agent()
        with open(self.path("kea-ctrl-agent.conf"), "w", encoding="utf-8") as file:
            json.dump({"Control-agent": config.control_agent(self)}, file, indent=1)
        self.agent = self._run(self.release.command("kea-ctrl-agent", "-c", self.inside("kea-ctrl-agent.conf")),
                               self.path("agent.log"))

    def stop_agent(self):
        """Nobody hears this server's partner any more; DHCP goes on."""
        if self.agent:
            processes.end(self.agent)
        self.agent = None

    def _run(self, command, output):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KEA_PIDFILE_DIR": self.folder,
                       "KEA_LOCKFILE_DIR": self.folder, "KEA_CONTROL_SOCKET_DIR": self.folder,
                       "KEA_DHCP_DATA_DIR": self.folder, "KEA_HOOKS_PATH": self.release.hooks, **self.environment}
        return processes.start(["ip", "netns", "exec", self.namespace, *command], output, environment, cwd="/")

    def wait_answering(self, seconds=30):
        def answering():
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}"
            return self.command("version-get")
        wait_until(answering, seconds, f"{self.name} answers commands")

    def stop(self):
        """An orderly stop of the server and its agent; returns the server's exit code."""
        code = processes.end(self.process) if self.process else None
        self.stop_agent()
        self.process = None
        return code

    def kill9(self):
        processes.kill(self.process)
        self.process = None

    def restart(self):
        code = self.stop()
        self.start()
        return code

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    # ---- commands ----

    def ask(self, command, arguments=None, timeout=60):
        """The whole answer, whatever its result."""
        return control.over_socket(self.path("kea.sock"), command, arguments, timeout)

    def command(self, command, arguments=None, timeout=60):
        """The arguments of a successful answer."""
        answer = self.ask(command, arguments, timeout)
        if answer["result"] != 0:
            raise CommandFailed(command, answer)
        return answer.get("arguments", {})

    def ask_over_http(self, command, arguments=None, port=config.HTTP_PORT, timeout=60):
        return network.inside(self.network.clients, control.over_http, self.address, port, command, arguments, timeout)

    @property
    def url(self):
        """Where commands are taken over HTTP: by kea-ctrl-agent, by the server itself, or by HA's own listener."""
        own_socket = self.release.version >= (2, 7)
        return f"http://{self.address}:{config.CONTROL_PORT if own_socket else config.HTTP_PORT}/"

    def curl(self, command, arguments=None, timeout=60):
        """The whole answer to a command given with the curl program."""
        return curl.over_curl(self.network.clients, self.url, command, arguments, timeout, self.credentials)

    def running(self):
        return self.command("config-get")["Dhcp4"]

    def scopes(self):
        """Every scope that runs, by id: its subnet as config-get shows it, its shared network beside it."""
        return scopes_of(self.running())

    def ha_state(self):
        local = self.command("status-get")["high-availability"][0]["ha-servers"]["local"]
        return local["state"]

    def sync_status(self):
        """The one relationship of failover-status, as soon as there is one and the configuration has been mirrored."""
        def known():
            status = self.command("failover-status")
            return status["mirror"] != "starting" and status["relationships"]
        return wait_until(known, 5, "there is a relationship")[0]

    # ---- changes ----

    def change_by_set(self, edit):
        """config-set of what the server was last given, edited. Not in the file."""
        changed = copy.deepcopy(self.delivered)
        edit(changed)
        self.command("config-set", {"Dhcp4": changed})
        self.delivered = changed
        return time.monotonic()

    def change_by_file(self, edit):
        """Edits the file and has it reloaded."""
        changed = copy.deepcopy(self.configuration)
        edit(changed)
        self.write(changed)
        return self.reload()

    def reload(self):
        self.command("config-reload")
        self.delivered = copy.deepcopy(self.configuration)
        return time.monotonic()

    # ---- the log ----

    def mark(self):
        """A place in the log, to look only at what comes after."""
        return os.path.getsize(self.log)

    def logged(self, pattern, since=0):
        if not os.path.exists(self.log):
            return []  # it was never started
        with open(self.log, "rb") as file:
            file.seek(since)
            text = file.read().decode(errors="replace")
        return [line for line in text.splitlines() if re.search(pattern, line)]

    def log_tail(self, lines=30):
        return "\n".join(self.logged("", 0)[-lines:])

    def disturbances(self, since, loading=None):
        """What a config-set leaves in the log and a replicated scope must not. `loading`: the other server, if it loads
        configurations of its own meanwhile. A heartbeat that comes at such a moment finds nobody there, library or not, and
        what High Availability makes of that is not counted."""
        found = self.logged("HA_STATE_TRANSITION|HA_INIT_OK|HA_DEINIT_OK|HOOKS_LIBRARY_CLOSED|HOOKS_LIBRARY_UNLOADED|"
                            "HOOKS_LIBRARY_LOADED|DHCP4_CONFIG_COMPLETE|HA_SERVICE_STARTED|HA_LOCAL_DHCP_DISABLE", since)
        if loading and self._met_a_load(loading, since):
            found = [line for line in found if not re.search(
                "LOAD-BALANCING to COMMUNICATION-RECOVERY|COMMUNICATION-RECOVERY to LOAD-BALANCING", line)]
        return found

    def _met_a_load(self, other, since):
        """Whether a heartbeat was sent to the other server while that one loaded a configuration."""
        loads = [_when(line) for line in other.logged("DHCP4_CONFIG_COMPLETE")]
        failed = self.logged("HA_HEARTBEAT_COMMUNICATIONS_FAILED.*Connection (reset by peer|refused)", since)
        return any(abs(_when(line) - load) < LOAD_SECONDS for line in failed for load in loads)


def _when(line):
    """When a line was logged, in seconds."""
    return datetime.datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S.%f").timestamp()


def scopes_of(dhcp4):
    """By id: {"subnet4": ..., "shared-network": ... or None}, as config-get shows them, without the subnets' list."""
    found = {subnet["id"]: {"subnet4": subnet, "shared-network": None} for subnet in dhcp4.get("subnet4", [])}
    for shared in dhcp4.get("shared-networks", []):
        parameters = {key: value for key, value in shared.items() if key != "subnet4"}
        for subnet in shared["subnet4"]:
            found[subnet["id"]] = {"subnet4": subnet, "shared-network": parameters}
    return found
