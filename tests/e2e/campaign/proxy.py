"""A proxy between one library and its partner that can be told to misbehave; HTTP messages go through it whole."""

import socket
import threading
import time

from lab import network

MESSAGE_MAX = 64 << 20
TIMED_OUT = (b"HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nContent-Length: 44\r\n\r\n"
             b'{ "result": 408, "text": "Request Timeout" }')


class Proxy:
    """Listens on loopback in `namespace` and forwards to (host, port). `delay` is in seconds, before each request goes on and
    before each answer does. `fate` is what happens to exchanges:

    pass            they go through
    refuse          the connection is closed before the request goes on
    swallow         the request is read and nothing follows
    lose answer     the request reaches the partner, the connection is closed instead of the answer
    half an answer  the same after half of the answer
    timed out       on a connection that was used before, the request is met by a 408 that was on its way already, as by a
                    control agent that has just given up an idle connection; its answer follows

    `on_request` and `on_answer`, where set, are called when a request, or an answer, is about to go on. `requests` are the
    bodies of the last ones that went on, `connections` how many were made."""

    def __init__(self, namespace, port, target):
        self.namespace, self.target = namespace, target
        self.url = f"http://127.0.0.1:{port}/"
        self.on_request = self.on_answer = None
        self.requests, self.connections = [], 0
        self._open = set()
        self.behave()
        self._listener = network.inside(namespace, socket.create_server, ("127.0.0.1", port))
        threading.Thread(target=self._serve, daemon=True).start()

    def behave(self):
        self.fate, self.delay = "pass", 0.0

    def hang_up(self):
        """Ends every connection there is, whatever it is in the middle of."""
        for channel in list(self._open):
            _shut(channel)

    def close(self):
        _shut(self._listener)
        self._listener.close()
        self.hang_up()

    def _serve(self):
        while True:
            try:
                channel, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(channel,), daemon=True).start()

    def _carry(self, client):
        partner, used = None, False
        self.connections += 1
        self._open.add(client)
        try:
            network.enter(self.namespace)
            while (request := _read_message(client)) is not None:
                if self.fate == "refuse":
                    break
                if self.fate == "swallow":
                    client.recv(1)  # until the library gives up
                    break
                time.sleep(self.delay)
                if partner is None:
                    partner = socket.create_connection(self.target, timeout=30)
                    self._open.add(partner)
                if self.on_request:
                    self.on_request()
                self.requests.append(request.split(b"\r\n\r\n", 1)[1])
                del self.requests[:-100]
                if self.fate == "timed out" and used:
                    client.sendall(TIMED_OUT)
                used = True
                partner.sendall(request)
                answer = _read_message(partner)
                if answer is None or self.fate == "lose answer":
                    break
                if self.on_answer:
                    self.on_answer()
                time.sleep(self.delay)
                if self.fate == "half an answer":
                    client.sendall(answer[:len(answer) // 2])
                    break
                client.sendall(answer)
        except OSError:
            pass
        for channel in (client, partner):
            if channel is not None:
                _shut(channel)
                channel.close()
                self._open.discard(channel)


def _shut(channel):
    try:
        channel.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _read_message(channel):
    """One message, head and body, as it came; None if it did not come whole."""
    text = b""
    while b"\r\n\r\n" not in text:
        part = channel.recv(65536)
        if not part:
            return None
        text += part
    head, body = text.split(b"\r\n\r\n", 1)
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    if length > MESSAGE_MAX:
        return None
    parts, missing = [text], length - len(body)
    while missing > 0:
        part = channel.recv(65536)
        if not part:
            return None
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
