"""Ranges, addresses and custom fields as an administrator keeps them: each command with curl through the control agent,
and UpdateRange's corner cases. What they refuse is in test_operations_range_faults.py, what happens to pools in
test_operations_pools.py."""

import itertools

import pytest
from lab import tables
from lab.operations import address_v4, call, custom_values, outcome, range_v4, refused, reserved

_networks = itertools.count(1)


@pytest.fixture(scope="module")
def server(pair):
    """The first of the pair, with more managing entities than a fresh store has."""
    pair.wait_quiet()
    call(pair.first, "custom-field-add", {"name": "Managed by entity", "type": "Multivalued",
                                          "values": ["Amsterdam", "Berlin"]})
    return pair.first


@pytest.fixture
def network(server):
    """A /24 of its own, which the store has as a subnet, without ranges: "192.168.7"."""
    network = f"192.168.{next(_networks)}"
    call(server, "range-add", range_v4(network, 250, 251, **{"create-subnet": True}))
    return network


def get(server, record_id):
    return call(server, "range-get", {"record-id": record_id})["range"]


def add(server, arguments):
    return call(server, "range-add", arguments)["record-id"]


def update(server, record_id, **changes):
    """range-update of exactly what is given."""
    changes = {name.replace("_", "-"): value for name, value in changes.items()}
    return call(server, "range-update", {"record-id": record_id, "modified-properties": list(changes), **changes})


def addresses_of(server, range_id):
    answer = outcome(server, server.curl("address-get-all", {"range-record-id": range_id}))
    return [address["ip-address"] for address in answer["arguments"]["addresses"]]


def pages(server, command, node, arguments):
    """Every row of a list, page by page, and the sizes of the pages."""
    rows, sizes, following = [], [], {}
    while True:
        page = call(server, command, {**arguments, **following})
        rows += page[node]
        sizes.append(len(page[node]))
        if "next" not in page:
            return rows, sizes
        assert page["next"] == page[node][-1]["record-id"]
        following = {"from": page["next"]}


# ---- what they do ----

def test_a_range_is_added_read_and_listed(server, network):
    given = range_v4(network, 10, 99, owner="ops", description="printers", **{
        "virtualization-type": "NonVirtualized", "connection-specific-dns-suffix": "example.org",
        "dns-servers": ["192.0.2.1", "192.0.2.2"], "wins-servers": ["192.0.2.3"], "gateways": [f"{network}.1"],
        "vips": [f"{network}.2"], "vip-ranges": reserved((f"{network}.3", f"{network}.4")),
        "dns-suffixes": ["a.example", "b.example"], "reserved-ips": [f"{network}.20"],
        "reserved-ip-ranges": reserved((f"{network}.30", f"{network}.39")),
        "utilization-calculation-type": "Static", "utilization-statistics": {
            "total-assigned-addresses": "5", "total-available-addresses": "85", "total-utilized-addresses": "5"}})
    answer = call(server, "range-add", given)
    assert answer["state"] == "CompletedWithSuccess" and answer["percent"] == 100 and answer["pool-change"] is False
    stored = get(server, answer["record-id"])
    assert {name: stored[name] for name in given} == given
    assert stored["address-space-record-id"] == 1 and stored["parent-block-record-id"] and stored["access-scope-id"] == 1
    assert not stored["is-overlapping"] and stored["use-for-utilization"] and stored["number-of-child-addresses"] == 0
    listed = call(server, "range-get-all", {"parent-block-record-id": stored["parent-block-record-id"]})["ranges"]
    assert [row["start-ip-address"] for row in listed] == [f"{network}.250", f"{network}.10"] and listed[1] == stored
    assert tables.query(server, "SELECT StartIPAddress, EndIPAddress, Owner FROM ADM_IPRangeTable WHERE RecordId = ?",
                        answer["record-id"]) == [(f"{network}.10", f"{network}.99", "ops")]


def test_an_update_changes_what_it_names_and_nothing_else(server, network):
    record = add(server, range_v4(network, 10, 19, owner="ops", description="old"))
    before = get(server, record)
    answer = call(server, "range-update", {"record-id": record, "modified-properties": ["owner", "description"],
                                           "owner": "net", "gateways": [f"{network}.1"]})
    assert answer["record-id"] == record and answer["pool-change"] is False
    assert sorted(answer["changed-properties"]) == ["description", "owner"]
    after = get(server, record)
    assert after["owner"] == "net" and "description" not in after and "gateways" not in after
    changed = {"owner", "description", "last-change-date"}
    assert {k: v for k, v in after.items() if k not in changed} == {k: v for k, v in before.items() if k not in changed}
    assert update(server, record, owner="net")["changed-properties"] == []


@pytest.mark.parametrize("named", [{"modified-properties": []}, {}], ids=["empty list", "no list"])
def test_an_update_that_names_nothing_changes_nothing(server, network, named):
    record = add(server, range_v4(network, 10, 19, owner="ops"))
    before = tables.dump(server)
    answer = call(server, "range-update", {"record-id": record, "owner": "net", **named})
    assert answer["changed-properties"] == [] and answer["state"] == "CompletedWithSuccess"
    assert tables.dump(server) == before


def test_lists_come_in_pages(server, network):
    for first in range(10, 60, 10):
        add(server, range_v4(network, first, first + 3))
        call(server, "address-add", address_v4(f"{network}.{first}"))
    block = call(server, "range-get-all", {"limit": 1000})["ranges"][-1]["parent-block-record-id"]
    everything, sizes = pages(server, "range-get-all", "ranges", {"limit": 2, "parent-block-record-id": block})
    assert sizes == [2, 2, 2]
    assert everything == call(server, "range-get-all", {"parent-block-record-id": block})["ranges"]
    ids = [row["record-id"] for row in pages(server, "range-get-all", "ranges", {"limit": 3})[0]]
    assert ids == sorted(ids) == [row[0] for row in tables.query(server, "SELECT RecordId FROM ADM_IPRangeTable ORDER BY 1")]
    addresses, sizes = pages(server, "address-get-all", "addresses", {"limit": 2})
    assert set(sizes[:-1]) == {2} and sizes[-1] in (1, 2)
    assert [row["record-id"] for row in addresses] == [
        row[0] for row in tables.query(server, "SELECT RecordId FROM ADM_IPAddressTable ORDER BY 1")]


def test_a_page_after_the_last_row_is_empty(server):
    for command, node in (("range-get-all", "ranges"), ("address-get-all", "addresses")):
        answer = server.curl(command, {"from": 4000000})
        assert answer["result"] == 3 and answer["arguments"] == {node: []}, answer


def test_an_address_maps_to_the_range_of_its_manager(server, network):
    mine = add(server, range_v4(network, 10, 99))
    theirs = add(server, range_v4(network, 50, 149, entity="Amsterdam"))
    for entity, host, expected in (("Localhost", 20, mine), ("Localhost", 60, mine), ("Amsterdam", 60, theirs),
                                   ("Berlin", 60, None), ("Localhost", 120, None), ("Amsterdam", 120, theirs)):
        answer = call(server, "address-add", address_v4(f"{network}.{host}", entity=entity, **{
            "mac-address": "02:00:00:00:00:01", "device-name": "p", "owner": "ops", "asset-tag": "t",
            "serial-number": "s", "notes": "n", "virtualization-type": "NonVirtualized", "address-assignment": "Reserved"}))
        assert answer.get("range-record-id") == expected, (entity, host)
    assert sorted(addresses_of(server, mine)) == [f"{network}.20", f"{network}.60"]
    assert get(server, theirs)["number-of-child-addresses"] == 2
    row = call(server, "address-get-all", {"range-record-id": mine})["addresses"][1]
    assert row["is-duplicate"] is True and row["address-category"] == "Private" and row["device-name"] == "p"
    assert row["address-assignment"] == "Reserved" and row["custom-field-values"] == custom_values()


def test_ipv6_rows(server):
    """Their keys are 16 bytes, their subnets longer: the same operations on the other half of the tables."""
    given = {"address-family": "InterNetworkV6", "subnet-id": "2001:db8:1::", "prefix-length": 64,
             "start-ip-address": "2001:db8:1::10", "end-ip-address": "2001:db8:1::ffff:0", "address-assignment": "Static",
             "address-category": "GlobalIPv6Unicast", "custom-field-values": custom_values(), "create-subnet": True}
    record = add(server, given)
    assert get(server, record)["end-ip-address"] == "2001:db8:1::ffff:0"
    address = call(server, "address-add", {"address-family": "InterNetworkV6", "ip-address": "2001:DB8:1:0::20",
                                           "duid": "00:01:02", "iaid": 7, "custom-field-values": custom_values()})
    assert address["range-record-id"] == record
    assert addresses_of(server, record) == ["2001:db8:1::20"]
    update(server, record, start_ip_address="2001:db8:1::21")
    assert addresses_of(server, record) == []
    refused(server, "range-get", {"record-id": record, "address-family": "InterNetwork"}, "IpamApiObjectNotFoundInDatabase",
            "record-id")
    call(server, "range-get", {"record-id": record, "address-family": "InterNetworkV6"})
    refused(server, "range-add", {**given, "prefix-length": 128}, "IpamApiInvalidPrefixLength", "prefix-length")
    refused(server, "range-add", {**given, "wins-servers": ["192.0.2.1"]}, "IpamApiInvalidParameter", "wins-servers")
    refused(server, "range-add", {**given, "start-ip-address": "192.168.0.1"}, "IpamApiInvalidStartIPAddress",
            "start-ip-address")
    refused(server, "range-add", {**given, "address-category": "Private"}, "IpamApiInvalidParameter", "address-category")


def test_custom_fields(server, network):
    field = call(server, "custom-field-add", {"name": "Floor", "type": "Multivalued", "values": ["1", "2"]})["record-id"]
    assert call(server, "custom-field-add", {"name": "Floor", "type": "Multivalued", "values": ["2", "3"]})["record-id"] == field
    room = call(server, "custom-field-add", {"name": "R" * 255, "type": "Freeform"})["record-id"]
    fields = {row["record-id"]: row for row in call(server, "custom-field-get-all")["custom-fields"]}
    assert [value["value"] for value in fields[field]["values"]] == ["1", "2", "3"]
    assert fields[field]["origin"] == fields[room]["origin"] == "UserDefined" and fields[room]["type"] == "Freeform"
    assert fields[8]["name"] == "Managed by" and fields[8]["origin"] == "Builtin"
    assert {value["value"]: value.get("built-in-custom-field-value-id") for value in fields[8]["values"]} == {
        "IPAM": 1, "DHCP": 2, "other DHCP": 3, "VM manager": 4, "Others": 5}
    record = add(server, {**range_v4(network, 10, 19), "custom-field-values": custom_values(Floor="3", **{"R" * 255: "ä"})})
    values = {row["custom-field"]: row["value"] for row in get(server, record)["custom-field-values"]}
    assert values["Floor"] == "3" and set(values) == {"Managed by", "Managed by entity", "Floor", "R" * 255}
    assert tables.query(server, "SELECT Value FROM CustomFieldValuesGiven WHERE CustomFieldId = ?", room) == [("ä",)]
    update(server, record, custom_field_values=custom_values(Floor="1"))
    values = {row["custom-field"]: row["value"] for row in get(server, record)["custom-field-values"]}
    assert values == {"Managed by": "IPAM", "Managed by entity": "Localhost", "Floor": "1"}


# ---- UpdateRange's corners ----

def flags(server, record_id):
    stored = get(server, record_id)
    return stored["is-overlapping"], stored["use-for-utilization"]


def test_exclusions_split_a_range_and_another_fits_between(server, network):
    """What is reserved in the middle does not count: the same manager's range may lie there, and there only."""
    outer = add(server, range_v4(network, 10, 100, **{"reserved-ip-ranges": reserved((f"{network}.40", f"{network}.60")),
                                                      "reserved-ips": [f"{network}.61"]}))
    inner = add(server, range_v4(network, 45, 61))
    assert flags(server, outer) == flags(server, inner) == (False, True)
    update(server, inner, start_ip_address=f"{network}.40")
    for changes in ({"start_ip_address": f"{network}.39"}, {"end_ip_address": f"{network}.62"}):
        named = {name.replace("_", "-"): value for name, value in changes.items()}
        refused(server, "range-update", {"record-id": inner, "modified-properties": list(named), **named},
                "IpamApiNonadjustableConflictingRangesFound", "start-ip-address")
    assert get(server, inner)["start-ip-address"] == f"{network}.40" and flags(server, outer) == (False, True)


def test_bounds_that_overlap_only_in_what_is_excluded_do_not_overlap(server, network):
    """Each side excludes a part of what the two share; together that is all of it."""
    low = add(server, range_v4(network, 10, 50, **{"reserved-ip-ranges": reserved((f"{network}.40", f"{network}.45"))}))
    high = add(server, range_v4(network, 40, 90, **{"reserved-ip-ranges": reserved((f"{network}.46", f"{network}.50"))}))
    assert flags(server, low) == flags(server, high) == (False, True)
    update(server, high, end_ip_address=f"{network}.95")
    refused(server, "range-update", {"record-id": high, "modified-properties": ["reserved-ip-ranges", "end-ip-address"],
                                     "end-ip-address": f"{network}.96"},
            "IpamApiNonadjustableConflictingRangesFound", "start-ip-address")
    assert get(server, high)["reserved-ip-ranges"] == reserved((f"{network}.46", f"{network}.50"))


def test_a_range_that_encloses_another_overlaps_it(server, network):
    """Neither bound of the outer one lies inside the inner one."""
    inner = add(server, range_v4(network, 50, 60))
    outer = add(server, range_v4(network, 80, 90, entity="Amsterdam"))
    assert flags(server, outer) == (False, True)
    update(server, outer, start_ip_address=f"{network}.10", end_ip_address=f"{network}.200")
    assert flags(server, inner) == (True, True) and flags(server, outer) == (True, False)
    refused(server, "range-add", range_v4(network, 20, 210), "IpamApiNonadjustableConflictingRangesFound", "start-ip-address")
    update(server, outer, start_ip_address=f"{network}.61")
    assert flags(server, inner) == flags(server, outer) == (False, True)


def test_a_range_moves_to_another_subnet_and_its_addresses_do_not(server, network):
    other = f"192.168.{next(_networks)}"
    add(server, range_v4(other, 250, 251, **{"create-subnet": True}))
    record = add(server, range_v4(network, 10, 99))
    for address in (f"{network}.20", f"{other}.20"):
        call(server, "address-add", address_v4(address))
    parent = get(server, record)["parent-block-record-id"]
    assert addresses_of(server, record) == [f"{network}.20"]
    answer = update(server, record, subnet_id=f"{other}.0", start_ip_address=f"{other}.10", end_ip_address=f"{other}.99")
    assert sorted(answer["changed-properties"]) == ["end-ip-address", "start-ip-address", "subnet-id"]
    moved = get(server, record)
    assert moved["parent-block-record-id"] not in (parent, None) and moved["subnet-id"] == f"{other}.0"
    assert addresses_of(server, record) == [f"{other}.20"] and moved["number-of-child-addresses"] == 1


def test_a_range_does_not_move_to_where_no_subnet_is(server, network):
    record = add(server, range_v4(network, 10, 99))
    call(server, "address-add", address_v4(f"{network}.20"))
    before = tables.dump(server)
    refused(server, "range-update", {
        "record-id": record, "modified-properties": ["subnet-id", "start-ip-address", "end-ip-address"],
        "subnet-id": "172.16.0.0", "start-ip-address": "172.16.0.10", "end-ip-address": "172.16.0.20"},
        "IpamApiRemapRangeFailedNoParentBlock", "subnet-id")
    assert tables.dump(server) == before


def test_a_range_moves_to_another_address_space_with_the_addresses_of_its_manager(server, network):
    """Addresses in the range that somebody else manages stay where they are."""
    space = tables.change(server, "INSERT INTO ADM_AddressSpaceTable (Name, Type) VALUES (?, 'Customer')", f"of {network}")
    there = add(server, range_v4(network, 250, 251, **{"create-subnet": True, "address-space-record-id": space}))
    record = add(server, range_v4(network, 10, 99))
    for host, entity in ((20, "Localhost"), (21, "Amsterdam"), (150, "Localhost")):
        call(server, "address-add", address_v4(f"{network}.{host}", entity=entity))
    assert get(server, record)["number-of-child-addresses"] == 1
    answer = update(server, record, address_space_record_id=space)
    assert answer["changed-properties"] == ["address-space-record-id"]
    assert get(server, record)["parent-block-record-id"] == get(server, there)["parent-block-record-id"]
    assert addresses_of(server, record) == [f"{network}.20"]
    spaces = {row["ip-address"]: row["address-space-record-id"] for row in pages(server, "address-get-all", "addresses", {})[0]
              if row.get("ip-address", "").startswith(network + ".")}
    assert spaces == {f"{network}.20": space, f"{network}.21": 1, f"{network}.150": 1}
    assert {row["record-id"] for row in call(server, "range-get-all", {"address-space-record-id": space})["ranges"]} == {
        there, record}


def test_addresses_of_somebody_else_stay_when_the_bounds_or_the_manager_change(server, network):
    record = add(server, range_v4(network, 10, 19))
    for host, entity in ((15, "Localhost"), (25, "Localhost"), (26, "Amsterdam")):
        call(server, "address-add", address_v4(f"{network}.{host}", entity=entity))
    update(server, record, end_ip_address=f"{network}.99")
    assert addresses_of(server, record) == [f"{network}.15", f"{network}.25"]
    update(server, record, custom_field_values=custom_values(entity="Amsterdam"))
    assert addresses_of(server, record) == [f"{network}.26"]
