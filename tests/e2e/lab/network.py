"""The network of one run: a namespace per server and one for the clients, whose bridge joins them. Nothing of it is
visible from, or reaches, the machine's own network."""

import ctypes
import itertools
import os
import re
import threading

from . import processes

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_number = itertools.count(1)

BRIDGE_ADDRESS = "10.53.0.1"
SERVER_ADDRESSES = {"server1": "10.53.0.2", "server2": "10.53.0.3", "server3": "10.53.0.4"}
PAIR = ("server1", "server2")
LINK = "10.53.0.0/16"


def sweep():
    """Removes namespaces of earlier runs that were killed before they could."""
    for line in processes.run("ip", "netns", "list").stdout.splitlines():
        match = re.match(r"kfs(\d+)x\d+-\w+", line)
        if match and not processes.alive(match.group(1)):
            processes.run("ip", "netns", "delete", match.group(0), check=False)


def enter(namespace):
    """Puts the calling thread into a namespace, for good."""
    with open(f"/run/netns/{namespace}", "rb") as door:
        if _libc.setns(door.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter namespace {namespace}")


def inside(namespace, function, *arguments):
    """Calls function in a namespace and returns its result; a socket it makes stays there."""
    outcome = {}

    def enter_and_call():
        try:
            enter(namespace)
            outcome["result"] = function(*arguments)
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=enter_and_call)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]


class Network:
    def __init__(self):
        self.prefix = f"kfs{os.getpid()}x{next(_number)}"
        self.clients = f"{self.prefix}-c"
        self.of_server = {}
        processes.at_end(self.remove)
        self.add_namespace(self.clients)
        self.ip(self.clients, "link", "add", "br0", "type", "bridge", "forward_delay", "0", "stp_state", "0")
        self.ip(self.clients, "address", "add", f"{BRIDGE_ADDRESS}/16", "dev", "br0")
        self.ip(self.clients, "link", "set", "br0", "up")
        for name in PAIR:
            self.add_server(name)

    def ip(self, namespace, *arguments, check=True):
        return processes.run("ip", "-n", namespace, *arguments, check=check)

    def add_namespace(self, namespace):
        processes.run("ip", "netns", "add", namespace)
        self.ip(namespace, "link", "set", "lo", "up")
        return namespace

    def add_server(self, name):
        self.of_server[name] = self.add_namespace(f"{self.prefix}-{name[-1]}")
        self.plug(self.of_server[name], "eth0", name, SERVER_ADDRESSES[name])

    def plug(self, namespace, interface, port, address=None):
        """Connects a namespace to the bridge; `port` names the bridge's end."""
        self.ip(self.clients, "link", "add", port, "type", "veth", "peer", "name", interface, "netns", namespace)
        self.ip(self.clients, "link", "set", port, "master", "br0", "up")
        if address:
            self.ip(namespace, "address", "add", f"{address}/16", "dev", interface)
        self.ip(namespace, "link", "set", interface, "up")

    def add_client(self, name):
        """A namespace for one DHCP client, with an unconfigured eth0 on the link."""
        namespace = self.add_namespace(f"{self.prefix}-{name}")
        self.plug(namespace, "eth0", name)
        return namespace

    def cut(self, server):
        """Unplugs a server's cable."""
        self.ip(self.clients, "link", "set", server, "down")

    def mend(self, server):
        self.ip(self.clients, "link", "set", server, "up")

    def remove(self):
        for line in processes.run("ip", "netns", "list").stdout.splitlines():
            if line.startswith(self.prefix + "-"):
                processes.run("ip", "netns", "delete", line.split()[0], check=False)
        processes.forget(self.remove)
