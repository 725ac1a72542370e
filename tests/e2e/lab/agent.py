"""A second control agent before a server, with a lock of its own: what the library's parameter "partners" leads to,
while High Availability goes on by the first."""

import json

from . import config, control, network, processes
from .waiting import wait_until

PORT = 8443


class Agent:
    """`more` is what its configuration has besides where it listens: TLS files, `authentication`."""

    def __init__(self, server, more, port=PORT):
        self.server, self.port, self._process = server, port, None
        self.start(more)

    @property
    def scheme(self):
        return "https" if self.more.get("cert-file") else "http"

    @property
    def url(self):
        return f"{self.scheme}://{self.server.address}:{self.port}/"

    def start(self, more):
        """Anew, if it ran."""
        self.stop()
        self.more = more
        path = self.server.path(f"agent-{self.port}.conf")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"Control-agent": {**config.control_agent(self.server), "http-port": self.port, **more}}, file)
        folder = self.server.folder
        self._process = processes.start(
            ["ip", "netns", "exec", self.server.namespace,
             *self.server.release.command("kea-ctrl-agent", "-c", self.server.inside(f"agent-{self.port}.conf"))],
            self.server.path(f"agent-{self.port}.log"),
            {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KEA_LOCKFILE_DIR": folder,
             "KEA_PIDFILE_DIR": folder}, cwd="/")
        wait_until(lambda: network.inside(self.server.namespace, control.is_listening, self.port), 10, "the agent listens")

    def stop(self):
        if self._process:
            processes.end(self._process)
        self._process = None
