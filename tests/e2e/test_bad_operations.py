"""Wrong arguments of the operations: found before any operation runs, by the node of the YANG rpc, whatever else is right."""

import pytest
from lab import tables
from lab.operations import address_v4, assert_fault, custom_values, range_v4, reserved

INVALID = "IpamApiInvalidParameter"
ENUMERATION = "IpamApiInvalidEnumeration"
RANGE = range_v4("192.168.1", 10, 19)
ADDRESS = address_v4("192.168.1.10")
RELATION = {"relationship-name": "x", "mode": "LoadBalance", "server1-name": "server2", "server2-name": "server4",
            "control-url": "http://10.53.0.9:8000/", "subnet-ids": [1]}
REPLICATE = {"subnet-ids": [1]}
MEMBERS = {"record-id": 1, "subnet-ids": [1]}
FIELD = {"name": "Floor", "type": "Multivalued", "values": ["1"]}
GOOD = {"failover-add": RELATION, "failover-update": {"record-id": 1, "modified-properties": ["mclt"], "mclt": 1},
        "failover-scope-add": MEMBERS, "failover-scope-del": MEMBERS, "failover-del": {"record-id": 1},
        "failover-get": {"record-id": 1}, "failover-get-all": {}, "scope-replicate": REPLICATE,
        "failover-replicate": {"record-id": 1}, "server-replicate": {}, "scope-sync-reset": REPLICATE,
        "operation-get": {"operation-id": "x-1"}, "range-add": RANGE,
        "range-update": {"record-id": 1, "modified-properties": ["owner"], "owner": "x"}, "range-get": {"record-id": 1},
        "range-get-all": {}, "address-add": ADDRESS, "address-get-all": {}, "custom-field-add": FIELD,
        "custom-field-get-all": {}, "adm-get": {},
        "scope-history": {}}
MANDATORY = {
    "failover-add": ["relationship-name", "mode", "server1-name", "server2-name", "subnet-ids"],
    "failover-update": ["record-id"], "failover-scope-add": ["record-id", "subnet-ids"],
    "failover-scope-del": ["record-id", "subnet-ids"], "failover-del": ["record-id"], "failover-get": ["record-id"],
    "scope-replicate": ["subnet-ids"], "scope-sync-reset": ["subnet-ids"],
    "operation-get": ["operation-id"],
    "range-add": ["address-family", "subnet-id", "prefix-length", "start-ip-address", "end-ip-address",
                  "address-assignment", "address-category"],
    "range-update": ["record-id"], "range-get": ["record-id"], "address-add": ["address-family", "ip-address"],
    "custom-field-add": ["name", "type"]}
OWN = {"address-assignment": "IpamApiInvalidAddressAssignment", "prefix-length": "IpamApiInvalidPrefixLength",
       "start-ip-address": "IpamApiInvalidStartIPAddress", "end-ip-address": "IpamApiEndIpAddressOutOfRange",
       "utilization-calculation-type": "IpamApiInvalidUtilizationCalculationType",
       **dict.fromkeys(("address-family", "address-category", "modified-properties", "type", "mode",
                        "virtualization-type"),
                       ENUMERATION)}  # every other node's fault is that a parameter is invalid

# Of the rest: command, what is changed in good arguments, the node that the fault is to name (under the rpc).
WRONG = [
    # types
    *((command, {"record-id": wrong}, "record-id")
      for command in ("failover-update", "failover-del", "failover-get", "range-update", "range-get", "failover-replicate")
      for wrong in ("one", 0, -1, 4294967296, None, [1], 1.5, True)),
    *((command, {"wait": wrong}, "wait") for command in ("range-add", "failover-del", "server-replicate")
      for wrong in ("yes", 1, None)),
    ("failover-add", {"mclt": -1}, "mclt"), ("failover-add", {"mclt": "long"}, "mclt"),
    ("failover-add", {"auto-state-transition": "true"}, "auto-state-transition"),
    ("failover-add", {"server1-percentage": 101}, "server1-percentage"),
    ("failover-add", {"server1-percentage": -1}, "server1-percentage"),
    ("failover-add", {"state-switch-interval": 4294967296}, "state-switch-interval"),
    ("failover-update", {"modified-properties": "mclt"}, "modified-properties"),
    ("range-add", {"prefix-length": 129}, "prefix-length"), ("range-add", {"prefix-length": "24"}, "prefix-length"),
    ("range-add", {"create-subnet": 1}, "create-subnet"),
    ("range-add", {"utilization-statistics": 7}, "utilization-statistics"),
    ("range-add", {"utilization-statistics": {}}, "utilization-statistics/total-assigned-addresses"),
    ("range-add", {"utilization-statistics": {"total-assigned-addresses": "few", "total-available-addresses": "1",
                                              "total-utilized-addresses": "1"}},
     "utilization-statistics/total-assigned-addresses"),
    ("address-add", {"iaid": "one"}, "iaid"),
    ("custom-field-add", {"values": "1"}, "values"), ("custom-field-add", {"values": [1]}, "values[1]"),
    ("adm-get", {"limit": 0}, "limit"), ("adm-get", {"depth": 256}, "depth"), ("adm-get", {"from": 1}, "from"),
    # lists of scopes
    *((command, {"subnet-ids": []}, "subnet-ids") for command in (
        "failover-add", "failover-scope-add", "failover-scope-del", "scope-replicate", "scope-sync-reset")),
    *((command, {"subnet-ids": [1, 0]}, "subnet-ids[2]") for command in ("failover-add", "scope-sync-reset")),
    ("failover-scope-add", {"subnet-ids": [1, "two"]}, "subnet-ids[2]"),
    ("failover-scope-del", {"subnet-ids": [4294967295]}, "subnet-ids[1]"),
    ("scope-sync-reset", {"subnet-ids": list(range(1, 10002))}, "subnet-ids"),
    # lengths: one more than allowed
    ("failover-add", {"relationship-name": "N" * 257}, "relationship-name"),
    ("failover-add", {"relationship-name": ""}, "relationship-name"),
    ("failover-add", {"server1-name": "N" * 257}, "server1-name"), ("failover-add", {"server2-name": ""}, "server2-name"),
    ("failover-add", {"control-url": "http://" + "x" * 506}, "control-url"),
    ("failover-add", {"control-url": "ftp://host/"}, "control-url"),
    ("failover-update", {"relationship-name": "N" * 257}, "relationship-name"),
    ("failover-get-all", {"server-name": "N" * 257}, "server-name"),
    ("server-replicate", {"server-name": ""}, "server-name"),
    ("operation-get", {"operation-id": "x" * 48}, "operation-id"), ("operation-get", {"operation-id": "a b"}, "operation-id"),
    ("range-add", {"owner": "o" * 101}, "owner"), ("range-add", {"description": ""}, "description"),
    ("range-add", {"dns-suffixes": ["a", "b" * 256]}, "dns-suffixes[2]"),
    ("address-add", {"device-name": "d" * 256}, "device-name"), ("address-add", {"duid": "0" * 401}, "duid"),
    ("custom-field-add", {"name": "F"}, "name"), ("custom-field-add", {"name": "F" * 256}, "name"),
    ("custom-field-add", {"values": ["v" * 1025]}, "values[1]"),
    # addresses
    ("range-add", {"subnet-id": "nowhere"}, "subnet-id"), ("range-add", {"start-ip-address": ""}, "start-ip-address"),
    ("range-add", {"end-ip-address": 7}, "end-ip-address"), ("range-add", {"gateways": ["x"]}, "gateways[1]"),
    ("range-add", {"reserved-ip-ranges": [{"start-ip-address": "192.168.1.1"}]},
     "reserved-ip-ranges[1]/end-ip-address"),
    ("range-add", {"reserved-ip-ranges": reserved(("1.1.1.1", "1.1.1.2")) * 2},
     "reserved-ip-ranges[start-ip-address='1.1.1.1'][end-ip-address='1.1.1.2']"),
    ("address-add", {"ip-address": "x"}, "ip-address"),
    # custom field values
    ("range-add", {"custom-field-values": custom_values() + custom_values()},
     "custom-field-values[custom-field='Managed by']"),
    ("address-add", {"custom-field-values": [{"value": "IPAM"}]}, "custom-field-values[1]/custom-field"),
    ("address-add", {"custom-field-values": [{"custom-field": "Floor", "value": "v" * 1025}]},
     "custom-field-values[custom-field='Floor']/value"),
    ("range-add", {"custom-field-values": [{"custom-field": "Floor", "colour": "red"}]},
     "custom-field-values[custom-field='Floor']"),
    # every enumeration
    ("failover-add", {"mode": "Balance"}, "mode"), ("failover-update", {"mode": "loadbalance"}, "mode"),
    ("failover-update", {"modified-properties": ["mclt", "colour"]}, "modified-properties[2]"),
    ("range-update", {"modified-properties": ["Owner"]}, "modified-properties[1]"),
    *((command, {"address-family": "IPv4"}, "address-family") for command in (
        "range-add", "range-update", "range-get", "address-add")),
    *((command, {"address-assignment": "Manual"}, "address-assignment") for command in ("range-add", "address-add")),
    *((command, {"virtualization-type": "Cloud"}, "virtualization-type") for command in ("range-add", "address-add")),
    ("range-add", {"address-category": "Secret"}, "address-category"),
    ("range-add", {"utilization-calculation-type": "Guess"}, "utilization-calculation-type"),
    ("custom-field-add", {"type": "Single"}, "type"), ("adm-get", {"format": "yaml"}, "format"),
    # pages
    *((command, {"limit": wrong}, "limit") for command in (
        "range-get-all", "address-get-all", "scope-history") for wrong in (0, 1001, "10")),
    ("scope-history", {"subnet-id": 0}, "subnet-id"), ("scope-history", {"from": "last"}, "from"),
    ("failover-replicate", {"force": "yes"}, "force"),
    ("range-get-all", {"from": 0}, "from"), ("address-get-all", {"range-record-id": "x"}, "range-record-id"),
]


def last_name(node):
    return node.split("[", 1)[0].rsplit("/", 1)[-1]


CASES = [
    *((command, {name: value for name, value in GOOD[command].items() if name != node}, node, f"without {node}")
      for command, nodes in MANDATORY.items() for node in nodes),
    *((command, {**GOOD[command], "flavour": "sweet"}, None, "unknown name") for command in GOOD),
    *((command, {**GOOD[command], **changes}, node, json_id) for command, changes, node in WRONG
      for json_id in [" ".join(f"{name} {str(value)[:20]}" for name, value in changes.items())]),
]


@pytest.fixture(scope="module")
def server(pair):
    pair.wait_quiet()
    return pair.second


def test_every_operation_is_among_the_cases(server):
    ours = {command for command in server.command("list-commands") if command.split("-")[0] in (
        "failover", "scope", "server", "range", "address", "custom", "operation", "adm")} - {"server-tag-get"}
    assert ours - set(GOOD) == {  # in test_bad_input.py
        "failover-status", "scope-get", "scope-get-all", "scope-receive", "scope-digest"}


@pytest.mark.parametrize("command, arguments, node", [case[:3] for case in CASES],
                         ids=[f"{case[0]}: {case[3]}" for case in CASES])
def test_wrong_arguments_are_the_fault_of_their_node(server, command, arguments, node):
    before = tables.dump(server)
    answer = server.ask(command, arguments)
    exception = INVALID if node is None else OWN.get(last_name(node), INVALID)
    if node is None:
        assert answer["result"] == 1, answer
        fault = answer["arguments"]["fault"]
        assert (fault["code"], fault["exception"]["exception-id"], fault["exception"]["path"]) == (
            "Sender", INVALID, f"/kea-failover-sync:{command}"), answer
        assert "flavour" in fault["reason"]
    else:
        assert_fault(answer, command, exception, node)
    assert tables.dump(server) == before


@pytest.mark.parametrize("command", GOOD)
@pytest.mark.parametrize("arguments", [[1], "text", 7], ids=["list", "text", "number"])
def test_arguments_are_a_map(server, command, arguments):
    answer = server.ask(command, arguments)
    assert answer["result"] == 1 and "map" in answer["text"], answer
