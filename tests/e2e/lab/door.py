"""A way to a server's control agent that can be shut and opened, without High Availability noticing: it takes another."""

import os
import signal

from . import config, control, network, processes
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
        wait_until(lambda: network.inside(self.server.namespace, control.is_listening, PORT), 5, "the door is open")

    def shut(self):
        """For those inside as well."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
