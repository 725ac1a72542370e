"""A way to a server that writes down what goes over it: one library's exchanges with its partner, whole and in order.
Nothing else uses it, so what passes its port is the library's traffic."""

import json
import re
import socket
import threading
import time

from lab import config, network, processes

PORT = 8098


class Exchange:
    """One request and its answer, as they went over the wire: HTTP heads included."""

    def __init__(self, request, answer, seconds):
        self.request, self.answer, self.seconds = request, answer, seconds

    @property
    def size(self):
        return len(self.request) + len(self.answer)

    def command(self):
        return json.loads(body_of(self.request))

    def arguments(self):
        """Those of the answer."""
        answer = json.loads(body_of(self.answer))
        return (answer[0] if isinstance(answer, list) else answer).get("arguments", {})


class Relay:
    """Between the other server's library and `server`, in whose namespace it listens. Open once made."""

    def __init__(self, server):
        self.server, self.exchanges = server, []
        self.hangs_up = False  # after each answer, as a server does with a connection that is idle for long
        self._listener = network.inside(server.namespace, socket.create_server, (server.address, PORT))
        self._listener.settimeout(None)
        threading.Thread(target=self._serve, daemon=True).start()

    @staticmethod
    def parameters(sender, receiver):
        """Library parameters that lead `sender` over the relay to `receiver`."""
        return {sender: {"partners": {receiver: {"url": f"http://{network.SERVER_ADDRESSES[receiver]}:{PORT}/"}}}}

    def take(self):
        """What has passed since the last call."""
        taken, self.exchanges = self.exchanges, []
        return taken

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self):
        while True:
            try:
                channel, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(channel,), daemon=True).start()

    def _carry(self, client):
        network.enter(self.server.namespace)
        try:
            with client, socket.create_connection((self.server.address, config.HTTP_PORT), timeout=30) as partner:
                for channel in (client, partner):
                    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while request := read_message(client):
                    begun = time.monotonic()
                    partner.sendall(request)
                    answer = read_message(partner)
                    if not answer:
                        return
                    self.exchanges.append(Exchange(request, answer, time.monotonic() - begun))
                    client.sendall(answer)
                    if self.hangs_up:
                        time.sleep(0.1)
                        return
        except OSError:
            pass  # either side hung up


class Counter:
    """The kernel's count of what passes a relay's port: bytes of IP packets, both ways."""

    def __init__(self, server):
        self.server = server
        self._nft("add table inet bench")
        for chain, hook, port in (("into", "input", "dport"), ("from", "output", "sport")):
            self._nft(f"add chain inet bench {chain} {{ type filter hook {hook} priority 0; }}")
            self._nft(f"add rule inet bench {chain} tcp {port} {PORT} counter")

    def read(self):
        """Bytes since the counter was made."""
        return sum(map(int, re.findall(r"packets \d+ bytes (\d+)", self._nft("list table inet bench"))))

    def _nft(self, rule):
        return processes.run("ip", "netns", "exec", self.server.namespace, "nft", rule).stdout


def body_of(message):
    return message.split(b"\r\n\r\n", 1)[1]


def read_message(channel):
    """One HTTP message, as it came; b"" at the end."""
    text = b""
    while b"\r\n\r\n" not in text:
        part = channel.recv(1 << 16)
        if not part:
            return b""
        text += part
    head, body = text.split(b"\r\n\r\n", 1)
    length = int((re.search(rb"(?i)content-length: *(\d+)", head) or [0, 0])[1])
    parts, missing = [text], length - len(body)
    while missing > 0:
        part = channel.recv(1 << 20)
        if not part:
            return b""
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
