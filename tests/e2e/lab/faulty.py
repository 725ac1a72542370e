"""Partners that do not do what they should: a small HTTP server on the partner's address, in place of Kea."""

import json
import socket
import threading
import time

from . import network

PORT = 8099


class FaultyPartner:
    """Listens in `namespace`; `behaviour` names how each request is answered. `requests` are the bodies it was sent."""

    def __init__(self, namespace, address, behaviour, port=PORT):
        self.url = f"http://{address}:{port}/"
        self.behaviour = behaviour
        self.requests = []
        self._open = []
        self._listener = network.inside(namespace, socket.create_server, (address, port))
        self._stopped = False
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._stopped = True
        for channel in [self._listener, *self._open]:
            try:
                channel.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            channel.close()

    def commands(self):
        """The Kea commands among the requests."""
        found = []
        for request in self.requests:
            try:
                found.append(json.loads(request)["command"])
            except (ValueError, KeyError):
                found.append(None)
        return found

    def _serve(self):
        while not self._stopped:
            try:
                channel, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(channel)
            threading.Thread(target=self._answer_all, args=(channel,), daemon=True).start()

    def _answer_all(self, channel):
        try:
            while (request := _read_request(channel)) is not None:
                self.requests.append(request)
                if not BEHAVIOURS[self.behaviour](channel, request):
                    break
            channel.close()
        except OSError:
            pass


def _read_request(channel):
    text = b""
    while b"\r\n\r\n" not in text:
        part = channel.recv(65536)
        if not part:
            return None
        text += part
    head, body = text.split(b"\r\n\r\n", 1)
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(body) < length:
        body += channel.recv(65536)
    return body.decode(errors="replace")


def _respond(channel, status, body, length=None):
    head = (f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body) if length is None else length}\r\n\r\n")
    channel.sendall(head.encode() + body)
    return True


def _never(_channel, _request):
    time.sleep(3600)


def _cut_short(channel, _request):
    _respond(channel, "200 OK", b'[{"result": 0, "argu', length=5000)
    return False


def _hang_up(_channel, _request):
    return False


def _huge(channel, _request):
    """An answer that never ends; the asker must give up at some size."""
    channel.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4000000000\r\n\r\n[")
    for _ in range(4000):
        channel.sendall(b'"' + b"x" * 65530 + b'",')
    return False


def _echo_scopes(request, **of_scope):
    scopes = json.loads(request).get("arguments", {}).get("scopes", [])
    return [{"subnet-id": scope.get("subnet-id"), **of_scope} for scope in scopes]


def _answer(text):
    return lambda channel, _request: _respond(channel, "200 OK", json.dumps(text).encode())


BEHAVIOURS = {
    "garbage": lambda channel, _: _respond(channel, "200 OK", b"\x00\xff{]garbage"),
    "not HTTP": lambda channel, _: channel.sendall(b"220 smtp ready\r\n\r\n"),
    "401": lambda channel, _: _respond(channel, "401 Unauthorized", b'{"result": 401, "text": "Unauthorized"}'),
    "500": lambda channel, _: _respond(channel, "500 Internal Server Error", b'{"result": 500, "text": "boom"}'),
    "never": _never,
    "hang up": _hang_up,
    "cut short": _cut_short,
    "huge": _huge,
    "empty list": _answer([]),
    "unknown command": _answer([{"result": 2, "text": "'scope-receive' command not supported."}]),
    "wrong types": _answer([{"result": 0, "arguments": {"ticket": 7, "state": "excellent", "scopes": "all"}}]),
    "no scopes": _answer([{"result": 0, "arguments": {"ticket": "t", "state": "recorded", "scopes": []}}]),
    "other scopes": _answer([{"result": 0, "arguments": {"ticket": "t", "state": "recorded", "scopes": [
        {"subnet-id": 99999, "result": "applied", "fingerprint": "0" * 32}]}}]),
    "refuses": lambda channel, request: _respond(channel, "200 OK", json.dumps([{"result": 0, "arguments": {
        "ticket": "t", "state": "recorded",
        "scopes": _echo_scopes(request, result="failed", text="cannot parse this scope", fingerprint="")}}]).encode()),
    "pending for ever": _answer([{"result": 0, "arguments": {"ticket": "t", "state": "pending"}}]),
}
