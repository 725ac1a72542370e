"""Edits: what is changed in a configuration's text, and the ways in which a server is told.

Kea 2.2 in Debian 12 has neither subnet nor host commands: a scope changes by the file and config-reload, by config-set, and
by this library's own range-update, which changes a pool of the running configuration."""

import copy
import random
import time
from dataclasses import dataclass

from lab import config

from .ledger import Version, registers_of, scopes_of, version_of

LINK = 60000  # the scope that clients are served from; never edited
SCOPES = range(1, 41)  # that are edited one by one
NETWORKS = ("north", "south")
RECEIVED = "FAILOVER_SYNC_RECEIVED"
ANSWER_PATIENCE = 60

WAYS = {
    "file": 5,  # the file and config-reload; only the file, while the server is down
    "set": 4,  # config-set of what the server was last given, edited
    "set running": 2,  # config-set of what config-get answers, edited
    "command": 2,
    "nothing": 1,  # config-reload of a file in which nothing changed
}
ACTIONS = {"add": 4, "change": 6, "remove": 3, "move": 3, "reservation": 3, "network": 2, "everything": 1}


@dataclass
class PlannedEdit:
    at: float  # seconds into the round
    server: str
    way: str
    action: str
    scope: int
    network: str | None
    seed: int

    def __str__(self):
        what = self.network if self.action == "network" else "" if self.action == "everything" else f"scope {self.scope}"
        where = f" to {self.network or 'no network'}" if self.action in ("add", "move") else ""
        if self.way in ("command", "nothing"):
            return f"{self.way}{f' on scope {self.scope}' if self.way == 'command' else ''} on {self.server}"
        return f"{self.way}: {self.action} {what}{where} on {self.server}"


def draw_edit(rng, at, server):
    way = rng.choices(list(WAYS), list(WAYS.values()))[0]
    action = rng.choices(list(ACTIONS), list(ACTIONS.values()))[0]
    network = rng.choice(NETWORKS) if action == "network" or rng.random() < 0.5 else None
    # Few scopes are favoured, so that both servers meet on them.
    scope = rng.choice(SCOPES[:8]) if rng.random() < 0.6 else rng.choice(SCOPES)
    return PlannedEdit(at, server, way, action, scope, network, rng.getrandbits(32))


def first_configuration(count, number):
    """(scopes, shared networks) that both servers are started with; all but a few scopes are in no network."""
    rng = random.Random(1)
    scopes = [new_scope(identifier, number(), rng) for identifier in range(1, count + 1)]
    networks = [{**new_network(name, number(), rng), "subnet4": scopes[start:start + 4]}
                for name, start in (("north", 0), ("south", 4))]
    return scopes[8:] + [config.link_scope(LINK)], networks


# ---- texts ----

def new_scope(identifier, number, rng):
    scope = config.scope(identifier, **{"user-context": {"v": number}})
    for _ in range(rng.randrange(3)):
        _vary(scope, rng)
    return scope


def new_network(name, number, rng):
    return {"name": name, "option-data": [{"name": "routers", "data": f"192.0.2.{rng.randrange(1, 255)}"}],
            "boot-file-name": f"/pxe/{name}-{rng.randrange(100)}", "user-context": {"v": number}, "subnet4": []}


def _vary(scope, rng):
    """Gives one keyword another value."""
    network = scope["subnet"].rsplit(".", 1)[0]
    keyword = rng.choice(["valid-lifetime", "renew-timer", "option-data", "boot-file-name", "pools", "next-server"])
    if keyword == "valid-lifetime":
        scope[keyword] = rng.randrange(1200, 90000)
        scope["min-valid-lifetime"] = scope["max-valid-lifetime"] = scope[keyword]
    elif keyword == "renew-timer":
        scope.pop("rebind-timer", None)
        scope[keyword] = rng.randrange(100, 1000)
    elif keyword == "option-data":
        names = rng.sample(["domain-name", "routers", "log-servers"], rng.randrange(3))
        scope[keyword] = [{"name": name, "data": "example.org" if name == "domain-name" else f"{network}.{rng.randrange(251, 255)}"}
                          for name in sorted(names)]
    elif keyword == "boot-file-name":
        scope[keyword] = f"/pxe/{rng.randrange(1000)}"
    elif keyword == "next-server":
        scope[keyword] = f"192.0.2.{rng.randrange(1, 255)}"
    else:
        scope[keyword] = [{"pool": f"{network}.10-{network}.{rng.randrange(60, 120)}"},
                          {"pool": f"{network}.130-{network}.{rng.randrange(140, 250)}"}][:rng.randrange(1, 3)]


def _vary_reservations(scope, rng):
    hosts = list(scope.get("reservations", []))
    if hosts and rng.random() < 0.4:
        hosts.pop(rng.randrange(len(hosts)))
    else:
        last = rng.choice(sorted(set(range(2, 10)) - {int(host["ip-address"].rsplit(".", 1)[1]) for host in hosts}) or [0])
        if last:
            hosts.append({"hw-address": f"02:00:00:00:{scope['id'] % 256:02x}:{last:02x}", "hostname": f"host{rng.randrange(1000)}",
                          "ip-address": f"{scope['subnet'].rsplit('.', 1)[0]}.{last}"})
    scope["reservations"] = hosts


# ---- actions on a configuration ----

def _lists(dhcp4):
    yield dhcp4["subnet4"], None
    for network in dhcp4.get("shared-networks", []):
        yield network["subnet4"], network


def _find(dhcp4, identifier):
    """The list that a scope is in, its place there and its network's name; or (None, 0, None)."""
    for scopes, network in _lists(dhcp4):
        for place, scope in enumerate(scopes):
            if scope["id"] == identifier:
                return scopes, place, network and network["name"]
    return None, 0, None


def _put(dhcp4, scope, name, number, rng):
    if name is None:
        dhcp4["subnet4"].append(scope)
        return
    networks = dhcp4.setdefault("shared-networks", [])
    network = next((network for network in networks if network["name"] == name), None)
    if network is None:
        network = new_network(name, number(), rng)
        networks.append(network)
    network["subnet4"].append(scope)


def edit_configuration(dhcp4, planned, number):
    """Does what is planned to the text, in place. Changing what is not in the text puts it there."""
    rng = random.Random(planned.seed)
    scopes, place, network = _find(dhcp4, planned.scope)
    if planned.action == "network":
        for existing in dhcp4.get("shared-networks", []):
            if existing["name"] == planned.network:
                existing.update({key: value for key, value in new_network(planned.network, number(), rng).items()
                                 if key != "subnet4"})
    elif planned.action == "everything":
        for scopes, _ in _lists(dhcp4):
            for scope in scopes:
                if scope["id"] != LINK:
                    _vary(scope, rng)
                    scope["user-context"] = {"v": number()}
    elif planned.action == "remove":
        if scopes is not None:
            scopes.pop(place)
    elif scopes is None:
        _put(dhcp4, new_scope(planned.scope, number(), rng), planned.network, number, rng)
    elif planned.action in ("move", "add"):
        scope = scopes[place]
        if network != planned.network:
            scopes.pop(place)
            _put(dhcp4, scope, planned.network, number, rng)
        if rng.random() < 0.5:
            scope["user-context"] = {"v": number()}
    else:
        scope = scopes[place]
        (_vary_reservations if planned.action == "reservation" else _vary)(scope, rng)
        scope["user-context"] = {"v": number()}


# ---- telling the server ----

def perform(field, planned):
    """Tells one server, as planned; the field's ledger learns what was said and whether it was acknowledged. Returns a
    word for the totals: acknowledged, refused, unanswered, offline or skipped."""
    server = field.servers[planned.server]
    with field.turn[planned.server]:
        if planned.server in field.down:
            if planned.way != "file":
                return "skipped"
            text = copy.deepcopy(server.configuration)
            edit_configuration(text, planned, field.ledger.number)
            server.write(text)
            return "offline"
        mark = server.mark()
        try:
            shown = server.command("config-get", timeout=ANSWER_PATIENCE)["Dhcp4"]
        except (OSError, ValueError):
            return "skipped"
        seen = registers_of(shown)
        if planned.way == "command":
            return _update_pool(field, server, planned, shown, seen, mark)
        return _load(field, server, planned, shown, seen, mark)


def _load(field, server, planned, shown, seen, mark):
    base = {"file": server.configuration, "nothing": server.configuration, "set": server.delivered, "set running": shown}
    text = copy.deepcopy(base[planned.way])
    source = "file" if planned.way in ("file", "nothing") else "set"
    if planned.way != "nothing":
        edit_configuration(text, planned, field.ledger.number)
    if planned.way == "file":
        server.write(text)
    start = time.monotonic()
    field.announce("told", server)
    if source == "file":
        outcome, answer = _ask(server, "config-reload")
    else:
        outcome, answer = _ask(server, "config-set", {"Dhcp4": text})
    end = time.monotonic() if outcome == "acknowledged" else None
    if end:
        field.announce("acknowledged", server)
        server.delivered = text
    elif outcome == "refused":
        field.note(f"{server.name} refused: {answer.get('text')}")
        field.refused.add(server.name)
        if server.name not in field.unwritable:
            raise AssertionError(f"refused: {answer.get('text')}")
    field.ledger.loaded(server.name, source, text, start, end, seen, bool(server.logged(RECEIVED, mark)))
    return outcome


def _update_pool(field, server, planned, shown, seen, mark):
    """Moves the end of a scope's first pool, by the number of its range."""
    rng = random.Random(planned.seed)
    scope = scopes_of(shown).get(planned.scope)
    if scope is None or not scope["subnet4"]["pools"] or planned.scope == LINK:
        return "skipped"
    subnet, network = copy.deepcopy(scope["subnet4"]), scope["shared-network"]
    first, last = subnet["pools"][0]["pool"].split("-")
    wanted = f"{first.rsplit('.', 1)[0]}.{rng.randrange(60, 120)}"
    if wanted == last:
        return "skipped"
    outcome, answer = _ask(server, "scope-get", {"subnet-id": planned.scope})
    if outcome != "acknowledged":
        return "skipped"
    outcome, answer = _ask(server, "range-get-all", {"scope-record-id": answer["arguments"]["scope"]["record-id"]})
    ranges = answer.get("arguments", {}).get("ranges", [])
    record = next((entry["record-id"] for entry in ranges if entry["start-ip-address"] == first), None)
    if outcome != "acknowledged" or record is None:
        return "skipped"
    subnet["pools"][0]["pool"] = f"{first}-{wanted}"
    start = time.monotonic()
    field.announce("told", server)
    outcome, answer = _ask(server, "range-update", {"record-id": record, "modified-properties": ["end-ip-address"],
                                                    "end-ip-address": wanted})
    end = time.monotonic() if outcome == "acknowledged" else None
    if end:
        field.announce("acknowledged", server)
    elif outcome == "refused":
        field.note(f"{server.name} refused range-update: {answer.get('text')}")
    done = outcome == "acknowledged" and answer["arguments"].get("state") == "CompletedWithSuccess"
    heard = bool(server.logged(RECEIVED, mark))
    if done and heard:
        done, subnet, network, seen = _left_with(server, planned.scope, subnet, network, seen)
    field.ledger.commanded(server.name, planned.scope, subnet, network, start, end, done, seen, heard, "range-update")
    return outcome


def _left_with(server, identifier, subnet, network, seen):
    """The command changes one pool of what runs when it comes, and that may have arrived since the look: what it made
    (whether that is certain, the scope, its network), and what it was made of."""
    try:
        scope = scopes_of(server.command("config-get", timeout=ANSWER_PATIENCE)["Dhcp4"]).get(identifier)
    except (OSError, ValueError):
        scope = None
    if scope is None or scope["subnet4"]["pools"][:1] != subnet["pools"][:1]:
        return False, subnet, network, seen  # it has been replaced already
    left, before = version_of(scope["subnet4"], scope["shared-network"]), seen["scope", identifier]
    if left == version_of(subnet, network):
        return True, subnet, network, seen
    seen = {**seen, ("scope", identifier): Version(left.number, before.pools, left.network)}
    return True, scope["subnet4"], scope["shared-network"], seen


def _ask(server, command, arguments=None):
    try:
        answer = server.ask(command, arguments, timeout=ANSWER_PATIENCE)
    except (OSError, ValueError):
        return "unanswered", {}
    return ("acknowledged" if answer["result"] == 0 else "refused"), answer
