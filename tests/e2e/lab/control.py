"""Kea's two control channels: the unix socket and HTTP."""

import http.client
import json
import os
import socket


def over_socket(path, command, arguments=None, timeout=60):
    """Sends one command to a server's unix socket and returns the parsed answer.

    The folder is reached through a descriptor, so that a path may be longer than a socket address."""
    folder = os.open(os.path.dirname(path), os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(timeout)
            channel.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
            channel.sendall(_request(command, arguments))
            parts = []
            while part := channel.recv(1 << 20):
                parts.append(part)
    finally:
        os.close(folder)
    return json.loads(b"".join(parts))


def over_http(address, port, command, arguments=None, timeout=60):
    """As a partner does it; to be called inside a namespace that reaches the address."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    connection.request("POST", "/", _request(command, arguments, service=True), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer[0] if isinstance(answer, list) else answer


def is_listening(port):
    """Whether somebody takes TCP connections at the port; to be called inside a namespace."""
    with open("/proc/thread-self/net/tcp", encoding="ascii") as sockets:
        return f":{port:04X} 00000000:0000 0A" in sockets.read()


def _request(command, arguments, service=False):
    request = {"command": command}
    if arguments is not None:
        request["arguments"] = arguments
    if service:
        request["service"] = ["dhcp4"]
    return json.dumps(request).encode()
