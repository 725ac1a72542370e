"""What the operations on ranges, addresses and custom fields refuse: a change of a good range-add, or a command of its own,
and the fault with its node. The store stays as it was."""

import pytest
from lab import tables
from lab.operations import MODULE, address_v4, assert_fault, call, custom_values, range_v4, refused, reserved
from test_operations_ranges import add, get, network, server  # noqa: F401: two are fixtures

NETWORK = "192.168.0"
GOOD = range_v4(NETWORK, 10, 19)
DHCP = {"custom-field-values": custom_values("DHCP", "server1"), "address-assignment": "Dynamic"}
RANGE_FAULTS = [
    ("prefix too long", {"prefix-length": 31}, "IpamApiInvalidPrefixLength", "prefix-length"),
    ("prefix zero", {"prefix-length": 0}, "IpamApiInvalidPrefixLength", "prefix-length"),
    ("assignment None", {"address-assignment": "None"}, "IpamApiInvalidAddressAssignment", "address-assignment"),
    ("nobody manages", {"custom-field-values": []}, "IpamApiCustomFieldValueCannotBeNull", "custom-field-values"),
    ("no entity", {"custom-field-values": custom_values(entity=None)}, "IpamApiCustomFieldValueCannotBeNull",
     "custom-field-values"),
    ("an empty value", {"custom-field-values": custom_values(entity="")}, "IpamApiCustomFieldValueCannotBeNull",
     "custom-field-values"),
    ("an unknown entity", {"custom-field-values": custom_values(entity="Nowhere"), "create-subnet": True},
     "IpamApiCustomFieldValueForMultiValueCustomFieldDoesntExist",
     "custom-field-values[custom-field='Managed by entity']"),
    ("an unknown field", {"custom-field-values": custom_values(Flavour="sweet"), "create-subnet": True},
     "IpamApiObjectNotFoundInDatabase", "custom-field-values[custom-field='Flavour']"),
    ("DHCP without scope", DHCP, "IpamApiDynamicRangeHasNoAssociatedScope", "scope-record-id"),
    ("DHCP with an unknown scope", {**DHCP, "scope-record-id": 4000}, "IpamApiDhcpScopeNotFoundInDB", "scope-record-id"),
    ("a scope without DHCP", {"scope-record-id": 1}, "IpamApiDhcpDataSpecifiedForStaticRange", "scope-record-id"),
    ("a scope's name without DHCP", {"dhcp-scope-name": "x"}, "IpamApiDhcpDataSpecifiedForStaticRange", "dhcp-scope-name"),
    ("a server without DHCP", {"dhcp-server-name": "server1"}, "IpamApiDhcpDataSpecifiedForStaticRange",
     "dhcp-server-name"),
    ("no network's address", {"subnet-id": f"{NETWORK}.1"}, "IpamApiInvalidParameter", "subnet-id"),
    ("of the other family", {"subnet-id": "2001:db8::"}, "IpamApiInvalidParameter", "subnet-id"),
    ("start after end", {"start-ip-address": f"{NETWORK}.20"}, "IpamApiInvalidStartIPAddress", "start-ip-address"),
    ("start outside", {"start-ip-address": "192.167.255.9"}, "IpamApiInvalidStartIPAddress", "start-ip-address"),
    ("end outside", {"end-ip-address": "192.168.255.9"}, "IpamApiEndIpAddressOutOfRange", "end-ip-address"),
    ("Static without statistics", {"utilization-calculation-type": "Static"},
     "IpamApiUtilizationDataNotSpecifiedForStaticRange", "utilization-statistics"),
    ("another category", {"address-category": "Public"}, "IpamApiInvalidParameter", "address-category"),
    ("two categories", {"subnet-id": "192.0.0.0", "prefix-length": 8, "start-ip-address": "192.167.0.1",
                        "end-ip-address": "192.168.0.1"}, "IpamApiInvalidAddressRange", "start-ip-address"),
    ("no such address space", {"address-space-record-id": 4000}, "IpamApiObjectNotFoundInDatabase",
     "address-space-record-id"),
    ("no subnet", {}, "IpamApiRemapRangeFailedNoParentBlock", "subnet-id"),
    ("exclusion swapped", {"reserved-ip-ranges": reserved((f"{NETWORK}.12", f"{NETWORK}.11"))},
     "IpamApiInvalidAddressRange", "reserved-ip-ranges"),
    ("exclusion is no address", {"reserved-ips": ["1.2.3"]}, "IpamApiInvalidParameter", "reserved-ips"),
]
ADDRESS = address_v4(f"{NETWORK}.10")
OTHER_FAULTS = [
    ("range-get unknown", "range-get", {"record-id": 4000000}, "IpamApiObjectNotFoundInDatabase", "record-id"),
    ("range-update unknown", "range-update", {"record-id": 4000000, "modified-properties": ["owner"]},
     "IpamApiObjectNotFoundInDatabase", "record-id"),
    ("address is none", "address-add", {**ADDRESS, "ip-address": "192.168.0"}, "IpamApiInvalidParameter", "ip-address"),
    ("address of no device", "address-add", {**ADDRESS, "ip-address": "127.0.0.1"}, "IpamApiInvalidParameter",
     "ip-address"),
    ("address of the other family", "address-add", {**ADDRESS, "ip-address": "2001:db8::1"}, "IpamApiInvalidParameter",
     "ip-address"),
    ("assignment None", "address-add", {**ADDRESS, "address-assignment": "None"}, "IpamApiInvalidAddressAssignment",
     "address-assignment"),
    ("DUID with IPv4", "address-add", {**ADDRESS, "duid": "00:01"}, "IpamApiInvalidParameter", "duid"),
    ("IAID with IPv4", "address-add", {**ADDRESS, "iaid": 1}, "IpamApiInvalidParameter", "iaid"),
    ("nobody manages", "address-add", {**ADDRESS, "custom-field-values": []}, "IpamApiCustomFieldValueCannotBeNull",
     "custom-field-values"),
    ("an unknown entity", "address-add", {**ADDRESS, "custom-field-values": custom_values(entity="Nowhere")},
     "IpamApiCustomFieldValueForMultiValueCustomFieldDoesntExist",
     "custom-field-values[custom-field='Managed by entity']"),
    ("no such address space", "address-add", {**ADDRESS, "address-space-record-id": 4000},
     "IpamApiObjectNotFoundInDatabase", "address-space-record-id"),
    ("field of no type", "custom-field-add", {"name": "Wall", "type": "None"}, "IpamApiInvalidEnumeration", "type"),
    ("freeform with values", "custom-field-add", {"name": "Wall", "type": "Freeform", "values": ["a"]},
     "IpamApiInvalidParameter", "values"),
    ("an empty value", "custom-field-add", {"name": "Wall", "type": "Multivalued", "values": ["a", ""]},
     "IpamApiCustomFieldValueCannotBeNull", "values"),
    ("field of another type", "custom-field-add", {"name": "Managed by entity", "type": "Freeform"}, "IpamApiInvalidUpdate",
     "name"),
    ("values of a built-in", "custom-field-add", {"name": "Managed by", "type": "Multivalued", "values": ["Me"]},
     "IpamApiInvalidUpdate", "name"),
]


@pytest.mark.parametrize("command, arguments, exception, node", [
    *(("range-add", {**GOOD, **changes}, exception, node) for _, changes, exception, node in RANGE_FAULTS),
    *(case[1:] for case in OTHER_FAULTS)], ids=[f"range-add: {case[0]}" for case in RANGE_FAULTS]
    + [f"{case[1]}: {case[0]}" for case in OTHER_FAULTS])
def test_a_fault_names_the_node_and_changes_nothing(server, command, arguments, exception, node):
    before = tables.dump(server)
    refused(server, command, arguments, exception, node)
    assert tables.dump(server) == before


def test_what_is_there_already_is_refused(server, network):
    call(server, "range-add", range_v4(network, 10, 19))
    call(server, "address-add", address_v4(f"{network}.10"))
    call(server, "custom-field-add", {"name": f"Of {network}", "type": "Freeform"})
    refused(server, "range-add", range_v4(network, 10, 19), "IpamApiNonadjustableConflictingRangesFound", "start-ip-address")
    refused(server, "address-add", address_v4(f"{network}.10"), "IpamApiInvalidParameter", "ip-address")
    refused(server, "custom-field-add", {"name": f"Of {network}", "type": "Freeform"}, "IpamApiInvalidUpdate", "name")


@pytest.mark.parametrize("node, exception", [
    ("address-assignment", "IpamApiInvalidAddressAssignment"), ("prefix-length", "IpamApiInvalidPrefixLength"),
    ("start-ip-address", "IpamApiInvalidStartIPAddress"), ("end-ip-address", "IpamApiEndIpAddressOutOfRange"),
    ("address-category", "IpamApiInvalidEnumeration"), ("subnet-id", "IpamApiInvalidParameter"),
    ("utilization-calculation-type", "IpamApiInvalidUtilizationCalculationType"),
    ("custom-field-values", "IpamApiCustomFieldValueCannotBeNull")])
def test_what_a_range_must_have_is_not_cleared(server, network, node, exception):
    record = add(server, range_v4(network, 10, 19))
    before = get(server, record)
    refused(server, "range-update", {"record-id": record, "modified-properties": [node]}, exception, node)
    assert get(server, record) == before


def test_the_answer_says_what_went_wrong_in_a_sentence(server):
    answer = server.curl("range-add", {**GOOD, "end-ip-address": "192.168.255.9"})
    assert_fault(answer, "range-add", "IpamApiEndIpAddressOutOfRange", "end-ip-address")
    assert answer["text"] == answer["arguments"]["fault"]["reason"] and "192.168.255.9" in answer["text"]
    assert answer["arguments"]["fault"]["exception"]["path"] == f"{MODULE}range-add/end-ip-address"
