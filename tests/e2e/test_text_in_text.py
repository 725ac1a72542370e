"""Texts inside texts are bounded in depth, number of values and size before anything recurses into them: whatever comes,
the server goes on, and what it refuses it refuses about as fast as it can be read."""

import json
import os
import socket

import pytest
from lab import config
from lab.waiting import wait_until

LIMIT = 94  # levels of a definition
ID = 90
PREFIX = "10.90.0.0/24"
MEGABYTES = 15


def receive_text(definition):
    """scope-receive with a definition, as the text of its arguments."""
    scope = {"subnet-id": ID, "prefix": PREFIX, "base": "", "fingerprint": "0" * 32, "definition": definition}
    return json.dumps({"sender": "server1", "receiver": "server2", "scopes": [scope]})


def give(server, command, arguments):
    """Gives a command whose arguments are a text; its answer."""
    folder = os.open(os.path.dirname(server.path("kea.sock")), os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(120)
            channel.connect(f"/proc/self/fd/{folder}/kea.sock")
            channel.sendall(f'{{"command": "{command}", "arguments": {arguments}}}'.encode())
            parts = []
            while part := channel.recv(1 << 20):
                parts.append(part)
    finally:
        os.close(folder)
    return json.loads(b"".join(parts))


def processor_seconds(server):
    """What its process has used of the processors so far."""
    with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as status:
        user, system = status.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def peak(server):
    """The most memory its process has had so far, in MiB."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) // 1024


def nested(levels):
    """A context of so many levels."""
    context = {}
    for _ in range(levels - 1):
        context = {"a": context}
    return context


@pytest.mark.parametrize("definition", [
    "[" * 30000, '{"subnet4": ' + "[" * 30000, '{"subnet4": {"user-context": ' + '{"a":' * 30000,
    "[" * 7000000], ids=["lists", "in the subnet", "in a context", "seven megabytes"])
def test_brackets_in_a_definition_do_not_end_the_server(pair, definition):
    answer = give(pair.second, "scope-receive", receive_text(definition))
    assert pair.second.alive
    assert answer["result"] == 0, answer
    outcome = answer["arguments"]["scopes"][0]
    assert outcome["result"] == "failed"
    assert f"nested at most {LIMIT} deep" in outcome["text"] and PREFIX in outcome["text"]
    assert ID not in pair.second.scopes()


@pytest.mark.parametrize("arguments", [
    '{"x": [' + "[]," * (MEGABYTES * 1000000 // 3) + "[]]}",
    receive_text("[" + "[]," * (8000000 // 3) + "[]]")], ids=["arguments", "definition"])
def test_megabytes_of_lists_are_refused_in_the_time_that_it_takes_to_read_them(pair, arguments):
    """Measured, in the server's processor time, against what it does itself with the same text in a command that it does
    not know. The first of each is not counted: a server that had such a text before is slower with the next."""
    server = pair.second
    spent = {"no-such-command": [], "scope-receive": []}
    give(server, "no-such-command", arguments)
    before = peak(server)
    give(server, "scope-receive", arguments)
    for _ in range(3):
        for command, seconds in spent.items():
            began = processor_seconds(server)
            answer = give(server, command, arguments)
            seconds.append(processor_seconds(server) - began)
    assert "at most" in json.dumps(answer) and "values" in json.dumps(answer)
    read, took = (min(seconds) for seconds in spent.values())
    assert took < 1.5 * read + 0.1, spent
    assert peak(server) - before < 100
    assert server.alive


def test_a_scope_too_deep_to_travel_says_so_and_stops_no_other(pair):
    pair.wait_settled()
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"].extend([
        config.scope(201, **{"user-context": nested(LIMIT)}), config.scope(202, **{"user-context": nested(LIMIT - 2)})]))
    wait_until(lambda: 202 in pair.second.scopes(), 5, "what is just not too deep travels")
    shown = wait_until(lambda: pair.first.command("scope-get", {"subnet-id": 201})["scope"].get("sync-reason"), 5,
                       "the reason is shown")
    assert "nested deeper" in shown
    assert 201 not in pair.second.scopes()
    assert pair.second.scopes()[202]["subnet4"]["user-context"] == nested(LIMIT - 2)
    assert pair.second.curl("config-get")["result"] == 0
    assert pair.second.curl("scope-get", {"subnet-id": 202})["result"] == 0
    pair.first.change_by_set(lambda dhcp4: dhcp4.update({"subnet4": [
        scope for scope in dhcp4["subnet4"] if scope["id"] not in (201, 202)]}))
    wait_until(lambda: 202 not in pair.second.scopes(), 5, "it is removed")
    pair.wait_settled()


@pytest.mark.parametrize("levels", [500, 3000])
def test_what_the_servers_own_file_nests_does_not_keep_it_from_serving(make_pair, levels):
    """The server's parser of files has no bound: what it takes, the library takes, too."""
    pair = make_pair([config.scope(1, **{"user-context": {"here": True}}), config.scope(2)])
    pair.start()
    flat = json.dumps({"Dhcp4": pair.first.configuration})
    with open(pair.first.path("kea-dhcp4.conf"), "w", encoding="utf-8") as file:
        file.write(flat.replace('{"here": true}', '{"a":' * (levels - 1) + "{}" + "}" * (levels - 1)))
    pair.first.ask("config-reload")
    assert pair.first.alive
    pair.first.restart()
    pair.wait_normal()
    assert pair.first.command("failover-status")["server"] == "server1"
    assert pair.second.alive
