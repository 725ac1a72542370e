"""A way to a server's control agent that can be shut and opened, without High Availability noticing: it takes another."""

import os
import signal

from . import config, network, processes
from .waiting import wait_until

PORT = 8098


class Door:
    """Open once made. `url` is what the library's parameter "partners" is to say."""

    def __init__(self, server):
        self.server = server
        self.url = f"http://{server.address}:{PORT}/"
        self._process = None
        self.open()

    def open(self):
        self._process = processes.start(
            ["ip", "netns", "exec", self.server.namespace, "socat",
             f"TCP-LISTEN:{PORT},bind={self.server.address},fork,reuseaddr",
             f"TCP:{self.server.address}:{config.HTTP_PORT}"], self.server.path("door.log"))
        wait_until(lambda: network.inside(self.server.namespace, self._is_open), 5, "the door is open")

    def _is_open(self):
        with open("/proc/thread-self/net/tcp", encoding="ascii") as sockets:
            return f":{PORT:04X} 00000000:0000 0A" in sockets.read()

    def shut(self):
        """For those inside as well."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
