"""The tables as data of the YANG module, read from a real server page by page: yanglint finds nothing wrong with them, and
what sqlite3 shows is in them."""

import json
import os
import xml.etree.ElementTree as tree

import pytest
from lab import config, keywords, tables, yanglint
from lab.operations import address_v4, call, custom_values, range_v4, refused, reserved
from lab.pair import Pair

ADM, NAMESPACE = "kea-failover-sync:adm", "urn:kea-failover-sync:yang:kea-failover-sync"
TABLES = {
    "dhcp-servers": "ADM_DHCPServersTable", "dhcp-superscopes": "ADM_DhcpSuperscopeTable", "dhcp-scopes": "ADM_DHCPScopesTable",
    "dhcp-failover-relations": "ADM_DhcpFailoverRelationTable", "dhcp-scope-failovers": "ADM_DhcpScopeFailoverTable",
    "dhcp-options": "ADM_DhcpOptionsTable", "ip-blocks": "ADM_IPBlocksTable", "ip-ranges": "ADM_IPRangeTable",
    "ip-range-multivalued-properties": "ADM_IPRangeMultivaluedPropertiesTable", "ip-addresses": "ADM_IPAddressTable",
    "address-spaces": "ADM_AddressSpaceTable", "custom-fields": "ADM_CustomFieldsTable",
    "custom-field-values": "ADM_CustomFieldValuesTable",
    "custom-field-value-associations": "ADM_CustomFieldValuesAssociationTable",
    "access-scopes": "ADM_AccessScopeTable", "access-scope-associations": "ADM_AccessScopeAssociationTable"}
KEYS = {"access-scopes": ("access-scope-id", "AccessScopeId"),
        "access-scope-associations": ("association-id", "AssociationId")}


@pytest.fixture(scope="module")
def server():
    """The first of a settled pair, with something in every table."""
    pair = Pair([config.scope(number) for number in range(1, 6)] + [keywords.EVERYTHING],
                **{"shared-networks": [keywords.SHARED_NETWORK]})
    try:
        pair.start()
        pair.wait_quiet()
        first = pair.first
        call(first, "custom-field-add", {"name": "Größe", "type": "Freeform"})
        call(first, "custom-field-add", {"name": "Floor", "type": "Multivalued", "values": ["1", "<2> & \"3\""]})
        call(first, "range-add", {**range_v4("192.168.1", 10, 99), "create-subnet": True, "owner": "\t'ops' <&> \"net\"",
                                  "reserved-ip-ranges": reserved(("192.168.1.20", "192.168.1.29")),
                                  "custom-field-values": custom_values(Floor="1", **{"Größe": "weit – 5 €"})})
        call(first, "range-add", {"address-family": "InterNetworkV6", "subnet-id": "2001:db8::", "prefix-length": 64,
                                  "start-ip-address": "2001:db8::1", "end-ip-address": "2001:db8::ffff",
                                  "address-assignment": "Static", "address-category": "GlobalIPv6Unicast",
                                  "custom-field-values": custom_values(), "create-subnet": True})
        for host in range(30, 40):
            call(first, "address-add", address_v4(f"192.168.1.{host}", **{"mac-address": "02:00:00:00:00:01"}))
        yield first
    finally:
        pair.remove()


def as_sent(value):
    """Kea prints every byte above ASCII as a character of its own; this is what the library said."""
    if isinstance(value, dict):
        return {as_sent(name): as_sent(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_sent(member) for member in value]
    return value.encode("latin-1").decode() if isinstance(value, str) else value


def pages(server, **arguments):
    """Every page's answer."""
    following = {}
    while True:
        page = as_sent(call(server, "adm-get", {**arguments, **following}))
        yield page
        if "next" not in page:
            return
        following = {"from": page["next"]}


def joined(server, **arguments):
    """All pages as one JSON document, and how many rows each page had."""
    lists, counts = {}, []
    for page in pages(server, **arguments):
        assert page["count"] == sum(len(rows) for rows in page["data"][ADM].values()) <= arguments.get("limit", 100)
        counts.append(page["count"])
        for name, rows in page["data"][ADM].items():
            lists.setdefault(name, []).extend(rows)
    return {ADM: lists}, counts


def joined_xml(server, **arguments):
    whole = tree.Element(f"{{{NAMESPACE}}}adm")
    for page in pages(server, format="xml", **arguments):
        part = tree.fromstring(page["xml"])
        assert part.tag == whole.tag and len(part) == page["count"]
        whole.extend(part)
    return tree.tostring(whole, encoding="unicode")


def judged(folder, text, format):
    path = os.path.join(folder, f"data.{format}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return yanglint.read_data(path)


@pytest.mark.parametrize("limit", [1000, 7])
def test_yanglint_finds_the_same_valid_data_in_json_and_xml(server, tmp_path, limit):
    data, counts = joined(server, limit=limit)
    assert judged(tmp_path, json.dumps(data), "json") == data
    assert judged(tmp_path, joined_xml(server, limit=limit), "xml") == data
    assert counts[:-1] == [limit] * (len(counts) - 1)


def test_every_row_of_every_table_is_there(server):
    data, _ = joined(server, limit=50)
    assert set(data[ADM]) == set(TABLES)
    for name, table in TABLES.items():
        key, column = KEYS.get(name, ("record-id", "RecordId"))
        shown = [int(row[key]) for row in data[ADM][name]]
        assert shown and sorted(shown) == [row[0] for row in tables.query(server, f"SELECT {column} FROM {table} ORDER BY 1")]


def test_values_are_those_of_the_tables(server):
    data = joined(server, limit=1000)[0][ADM]
    rows = {row["record-id"]: row for row in data["ip-ranges"]}
    for record, start, end, owner in tables.query(server, "SELECT RecordId, StartIPAddress, EndIPAddress, Owner FROM"
                                                          " ADM_IPRangeTable"):
        row = rows[record]
        assert (row["start-ip-address"], row["end-ip-address"], row.get("owner")) == (start, end, owner)
    scopes = {row["record-id"]: row for row in data["dhcp-scopes"]}
    for record, scope, status in tables.query(server, "SELECT RecordId, ScopeId, FailoverConfigSyncStatus FROM"
                                                      " ADM_DHCPScopesTable"):
        assert (scopes[record]["scope-id"], scopes[record]["failover-config-sync-status"]) == (scope, status)
    assert "Größe" in [row["name"] for row in data["custom-fields"]]
    assert "weit – 5 €" in [row.get("value") for row in data["custom-field-value-associations"]]


def test_a_path_and_a_depth_choose(server, tmp_path):
    record = tables.query(server, "SELECT RecordId FROM ADM_IPRangeTable WHERE StartIPAddress = '192.168.1.10'")[0][0]
    entry = f"/adm/ip-ranges[record-id='{record}']"
    for path, depth, expected in (
            (entry + "/end-ip-address", None, {"ip-ranges": [{"record-id": record, "end-ip-address": "192.168.1.99"}]}),
            (entry, 1, {"ip-ranges": [{"record-id": record}]}),
            ("/kea-failover-sync:adm/address-spaces", 2, None), ("/adm/ip-ranges", None, None)):
        arguments = {"path": path, **({"depth": depth} if depth else {})}
        answer = as_sent(call(server, "adm-get", arguments))
        if expected is not None:
            assert answer["data"] == {ADM: expected}, answer
        assert judged(tmp_path, json.dumps(answer["data"]), "json") == answer["data"]
        xml = as_sent(call(server, "adm-get", {**arguments, "format": "xml"}))["xml"]
        assert judged(tmp_path, xml, "xml") == answer["data"]
    nothing = server.curl("adm-get", {"depth": 1})
    assert nothing["result"] == 3 and nothing["arguments"] == {"count": 0, "data": {ADM: {}}}
    assert len(joined(server, path="/adm/dhcp-scopes", limit=2)[0][ADM]["dhcp-scopes"]) == len(
        tables.query(server, "SELECT 1 FROM ADM_DHCPScopesTable"))


@pytest.mark.parametrize("arguments, exception, node", [
    ({"path": "/adm/no-such-list"}, "IpamApiInvalidParameter", "path"),
    ({"path": "adm"}, "IpamApiInvalidParameter", "path"),
    ({"path": "/adm/ip-ranges[record-id='x']"}, "IpamApiInvalidParameter", "path"),
    ({"path": "/adm/ip-ranges[record-id='4000000']"}, "IpamApiObjectNotFoundInDatabase", "path"),
    ({"path": "/adm/ip-ranges[record-id='1']/flavour"}, "IpamApiInvalidParameter", "path"),
    ({"from": "ip-ranges/none"}, "IpamApiInvalidParameter", "from"),
    ({"path": "/adm/ip-ranges", "from": "dhcp-scopes/1"}, "IpamApiInvalidParameter", "from"),
    ({"limit": 0}, "IpamApiInvalidParameter", "limit"), ({"limit": 1001}, "IpamApiInvalidParameter", "limit"),
    ({"depth": 0}, "IpamApiInvalidParameter", "depth"), ({"format": "yaml"}, "IpamApiInvalidParameter", "format"),
    ({"path": "/" + "x" * 256}, "IpamApiInvalidParameter", "path")])
def test_what_cannot_be_read_is_a_fault(server, arguments, exception, node):
    refused(server, "adm-get", arguments, exception, node)
