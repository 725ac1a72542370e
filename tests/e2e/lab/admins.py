"""Administrators at work at the same time: each gives mixed commands over a connection of his own and keeps from the
answers what the store must hold. What is his alone he knows exactly, so that every answer can be judged at once; what all
share is judged at the end."""

import http.client
import itertools
import json
import random
import threading
import time

from . import config, control, network
from .operations import BUSY, PROGRESS, address_v4, call, custom_values, outcome, patiently, range_v4

ENTITIES = ("Localhost", "Amsterdam")
SHARED_NETWORK, SHARED_FIELD = "192.168.0", "Rack"
UNREACHABLE = "http://10.53.0.9:8000/"
PATIENCE = 5  # seconds that no answer may take
RELATIONS = 5  # of one administrator: all together must not be more than a server has room for


class Shared:
    """What all change; every entry is added by whose answer says so."""

    def __init__(self):
        self.ranges = {}  # record id: (first, last), of one manager in one network
        self.owners = []  # (started, ended, owner) of the one range that all update
        self.field_values = set()
        self.refused_ranges = []  # (first, last)


class Admin(threading.Thread):
    def __init__(self, server, number, seed, count, shared, contested):
        super().__init__(daemon=True)
        self.server, self.number, self.count, self.shared, self.contested = server, number, count, shared, contested
        self.random = random.Random(f"{seed}-{number}")
        self.network = f"192.168.{number + 1}"
        self.subnet_ids = sorted(server.scopes())
        self.ranges, self.addresses, self.relations = {}, {}, {}
        self.made, self.slowest, self.late, self.refused = 0, 0.0, 0, 0
        self.names = (f"{number}-{i}" for i in itertools.count())
        self.failure = None
        self.connection = None
        if number % 2:  # half of them over HTTP, which takes one connection; a unix socket takes one per command
            self.connection = http.client.HTTPConnection(server.address, config.HTTP_PORT, timeout=60)
            network.inside(server.network.clients, self.connection.connect)

    def run(self):
        try:
            self.add_range({"create-subnet": True, **range_v4(self.network, 250, 251)})
            for _ in range(self.count - 1):
                self.random.choice(WORK)(self)
        except BaseException as failure:
            self.failure = failure
        finally:
            if self.connection:
                self.connection.close()

    # ---- giving a command ----

    def ask(self, command, arguments=None):
        """One of ten that change something is not waited for. What only reads is asked again of a server that is busy."""
        reads = "-get" in command
        answer = patiently(lambda: self.ask_once(command, arguments)) if reads else self.ask_once(command, arguments)
        self.check(command, answer)
        self.refused += answer["result"] == 1
        return answer

    def ask_once(self, command, arguments):
        if "-get" not in command and self.random.random() < 0.1:
            arguments = {**arguments, "wait": False}
        started = time.monotonic()
        if self.connection:
            request = {"command": command, "service": ["dhcp4"], **({"arguments": arguments} if arguments else {})}
            self.connection.request("POST", "/", json.dumps(request), {"Content-Type": "application/json"})
            answer = json.loads(self.connection.getresponse().read())[0]
        else:
            answer = control.over_socket(self.server.path("kea.sock"), command, arguments)
        self.made += 1
        self.slowest = max(self.slowest, time.monotonic() - started)
        if BUSY not in answer["text"]:
            self.check(command, answer)
        self.late += set(answer.get("arguments", {})) == PROGRESS
        return outcome(self.server, answer)

    def check(self, command, answer):
        """Well-formed, whatever it says."""
        assert answer["result"] in (0, 1, 3) and answer["text"], (command, answer)
        assert set(answer) <= {"result", "text", "arguments"}, (command, answer)
        if answer["result"] == 1:
            fault = answer["arguments"]["fault"]
            assert fault["code"] == "Sender" and fault["exception"]["exception-id"].startswith("IpamApi"), (command, answer)

    def expect(self, command, arguments, exception=None):
        """The arguments of the answer; or None if it is to be that fault, and is."""
        answer = self.ask(command, arguments)
        if exception is None:
            assert answer["result"] == 0, (command, arguments, answer)
            return answer.get("arguments", {})
        assert answer["result"] == 1, (command, arguments, answer)
        assert answer["arguments"]["fault"]["exception"]["exception-id"] == exception, (command, arguments, answer)
        return None

    # ---- ranges of his own ----

    def overlaps(self, first, last, entity, besides=None):
        return any(entity == other["entity"] and first <= other["last"] and other["first"] <= last
                   for record, other in self.ranges.items() if record != besides)

    def bounds(self):
        first = self.random.randrange(1, 240)
        return first, first + self.random.randrange(9)

    def add_range(self, arguments=None):
        first, last = self.bounds()
        entity = self.random.choice(ENTITIES)
        if arguments:
            first, last, entity = 250, 251, "Localhost"
        arguments = arguments or range_v4(self.network, first, last, entity=entity, owner=f"o{self.number}")
        conflict = "IpamApiNonadjustableConflictingRangesFound" if self.overlaps(first, last, entity) else None
        answer = self.expect("range-add", arguments, conflict)
        if answer:
            self.ranges[answer["record-id"]] = {"first": first, "last": last, "entity": entity,
                                                "owner": arguments.get("owner"), "description": None}

    def update_range(self):
        record = self.random.choice(list(self.ranges))
        mine = self.ranges[record]
        first, last = self.bounds()
        changes = self.random.choice([
            {"owner": f"o{self.random.randrange(100)}"}, {"description": self.random.choice(["a", "b", None])},
            {"owner": "both", "description": "both"}, {"first": first, "last": last}, {}])
        arguments = {"record-id": record, "modified-properties": []}
        for name, value in changes.items():
            node = {"first": "start-ip-address", "last": "end-ip-address"}.get(name, name)
            arguments["modified-properties"].append(node)
            if value is not None:
                arguments[node] = f"{self.network}.{value}" if node != name else value
        conflict = "first" in changes and self.overlaps(first, last, mine["entity"], record)
        answer = self.expect("range-update", arguments,
                             "IpamApiNonadjustableConflictingRangesFound" if conflict else None)
        if answer:
            changed = {name for name, value in changes.items() if mine[name] != value}
            assert len(answer["changed-properties"]) == len(changed), (arguments, mine, answer)
            mine.update(changes)

    def get_range(self):
        record = self.random.choice(list(self.ranges))
        mine, stored = self.ranges[record], self.expect("range-get", {"record-id": record})["range"]
        found = (stored["start-ip-address"], stored["end-ip-address"], stored.get("owner"), stored.get("description"),
                 stored["custom-field-values"])
        assert found == (f"{self.network}.{mine['first']}", f"{self.network}.{mine['last']}", mine["owner"],
                         mine["description"], custom_values(entity=mine["entity"])), (mine, stored)

    def range_of(self, host, entity):
        return next((record for record, mine in self.ranges.items()
                     if mine["entity"] == entity and mine["first"] <= host <= mine["last"]), None)

    def add_address(self):
        host, entity = self.random.randrange(1, 60), self.random.choice(ENTITIES)
        taken = (host, entity) in self.addresses.values()
        answer = self.expect("address-add", address_v4(f"{self.network}.{host}", entity=entity),
                             "IpamApiInvalidParameter" if taken else None)
        if answer:
            assert answer.get("range-record-id") == self.range_of(host, entity), answer
            self.addresses[answer["record-id"]] = (host, entity)

    # ---- what all share ----

    def add_shared_range(self):
        first, last = self.bounds()
        answer = self.ask("range-add", range_v4(SHARED_NETWORK, first, last))
        if answer["result"] == 0:
            self.shared.ranges[answer["arguments"]["record-id"]] = (first, last)
        else:
            assert answer["arguments"]["fault"]["exception"]["exception-id"] == (
                "IpamApiNonadjustableConflictingRangesFound"), answer
            self.shared.refused_ranges.append((first, last))

    def update_contested_range(self):
        owner, started = f"by {next(self.names)}", time.monotonic()
        self.expect("range-update", {"record-id": self.contested, "modified-properties": ["owner"], "owner": owner})
        self.shared.owners.append((started, time.monotonic(), owner))

    def add_field_values(self):
        values = [f"v{self.random.randrange(200)}" for _ in range(3)]
        values = list(dict.fromkeys(values))
        self.expect("custom-field-add", {"name": SHARED_FIELD, "type": "Multivalued", "values": values})
        self.shared.field_values.update(values)

    # ---- relationships ----

    def add_relation(self):
        name = next(self.names)
        if len(self.relations) >= RELATIONS or self.made > self.count // 2 and self.relations:
            return self.get_relation()
        subnet_ids = self.random.sample(self.subnet_ids, self.random.randrange(1, 4))
        answer = self.expect("failover-add", {
            "relationship-name": f"r{name}", "mode": "HotStandby", "server1-name": "server1", "server2-name": f"s{name}",
            "control-url": UNREACHABLE, "subnet-ids": subnet_ids})
        self.relations[answer["failover"]["record-id"]] = {
            "relationship-name": f"r{name}", "mode": "HotStandby", "server2-name": f"s{name}", "server1-percentage": 50,
            "mclt": None, "state-switch-interval": None, "subnet-ids": set(subnet_ids)}
        return None

    def relation(self):
        return self.random.choice(list(self.relations)) if self.relations else None

    def update_relation(self):
        record = self.relation()
        if record is None:
            return self.add_relation()
        changes = self.random.choice([
            {"mclt": self.random.choice([None, 60, 3600])}, {"mode": self.random.choice(["LoadBalance", "HotStandby"])},
            {"state-switch-interval": 5, "server1-percentage": self.random.randrange(101)},
            {"relationship-name": f"r{next(self.names)}"}, {}])
        given = {name: value for name, value in changes.items() if value is not None}
        answer = self.expect("failover-update", {"record-id": record, "modified-properties": list(changes), **given})
        self.relations[record].update(changes)
        return self.check_relation(record, answer["failover"])

    def change_scopes(self):
        record = self.relation()
        if record is None:
            return self.add_relation()
        members = self.relations[record]["subnet-ids"]
        named = set(self.random.sample(self.subnet_ids, self.random.randrange(1, 4)))
        if self.random.random() < 0.5:
            answer = self.expect("failover-scope-add", {"record-id": record, "subnet-ids": sorted(named)})
            assert answer["added"] == len(named - members)
            members |= named
        else:
            answer = self.expect("failover-scope-del", {"record-id": record, "subnet-ids": sorted(named)})
            assert answer["removed"] == len(named & members)
            members -= named
        return self.check_relation(record, answer["failover"])

    def delete_relation(self):
        record = self.relation()
        if record is None or self.random.random() < 0.5:
            return self.get_relation()
        self.expect("failover-del", {"record-id": record})
        del self.relations[record]
        return None

    def get_relation(self):
        record = self.relation()
        if record is None:
            return self.list_something()
        return self.check_relation(record, self.expect("failover-get", {"record-id": record})["failover"])

    def check_relation(self, record, stored):
        mine = self.relations[record]
        for name, value in mine.items():
            if name != "subnet-ids":
                assert stored.get(name) == value, (mine, stored)
        assert stored["scopes"] == len(mine["subnet-ids"]), (mine, stored)

    # ---- looking ----

    def list_something(self):
        command, node, arguments = self.random.choice([
            ("range-get-all", "ranges", {"limit": 50}), ("address-get-all", "addresses", {"limit": 50}),
            ("custom-field-get-all", "custom-fields", None), ("failover-get-all", "relationships", None),
            ("scope-get-all", "scopes", None)])
        answer = self.ask(command, arguments)
        assert answer["result"] in (0, 3) and isinstance(answer["arguments"][node], list), answer


WORK = [Admin.add_range, Admin.add_range, Admin.update_range, Admin.update_range, Admin.update_range, Admin.get_range,
        Admin.add_address, Admin.add_address, Admin.add_shared_range, Admin.update_contested_range, Admin.add_field_values,
        Admin.add_relation, Admin.update_relation, Admin.change_scopes, Admin.change_scopes, Admin.delete_relation,
        Admin.list_something]


def start_all(server, seed, clients, commands):
    """Prepares what they share, and has them begin together."""
    shared = Shared()
    call(server, "custom-field-add", {"name": "Managed by entity", "type": "Multivalued", "values": list(ENTITIES)})
    contested = call(server, "range-add", {**range_v4(SHARED_NETWORK, 250, 251), "create-subnet": True})["record-id"]
    shared.ranges[contested] = (250, 251)
    admins = [Admin(server, number, seed, commands // clients, shared, contested) for number in range(clients)]
    for admin in admins:
        admin.start()
    return admins, shared
