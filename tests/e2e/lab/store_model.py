"""What the store must hold after administrators have been at work on it (see admins.py): exactly what they were answered."""

from . import tables
from .admins import SHARED_FIELD, SHARED_NETWORK, UNREACHABLE


def assert_store_equals(server, admins, shared):
    expected_ranges = {record: (f"{admin.network}.{mine['first']}", f"{admin.network}.{mine['last']}", mine["owner"],
                                mine["description"]) for admin in admins for record, mine in admin.ranges.items()}
    contested = admins[0].contested
    owner = tables.query(server, "SELECT Owner FROM ADM_IPRangeTable WHERE RecordId = ?", contested)[0][0]
    expected_ranges.update({record: (f"{SHARED_NETWORK}.{first}", f"{SHARED_NETWORK}.{last}",
                                     owner if record == contested else None, None)
                            for record, (first, last) in shared.ranges.items()})
    stored = tables.query(server, "SELECT RecordId, StartIPAddress, EndIPAddress, Owner, Description FROM ADM_IPRangeTable"
                                  " WHERE ScopeRecordId IS NULL")
    assert {row[0]: row[1:] for row in stored} == expected_ranges
    assert_register(shared.owners, owner)
    assert_no_two_overlap(shared)

    assert tables.query(server, "SELECT count(*) FROM CustomFieldValuesGiven") == [
        (2 * len(expected_ranges) + 2 * sum(len(admin.addresses) for admin in admins),)]
    values = tables.query(server, "SELECT v.Value FROM ADM_CustomFieldValuesTable v JOIN ADM_CustomFieldsTable f"
                                  " ON f.RecordId = v.CustomFieldRecordId WHERE f.Name = ?", SHARED_FIELD)
    assert sorted(value for value, in values) == sorted(shared.field_values)
    for admin in admins:
        assert_mapping(server, admin)
    assert_relations(server, admins)


def assert_register(writes, value):
    """The value is that of a write which no other one surely came after."""
    mine = [(started, ended) for started, ended, owner in writes if owner == value]
    assert len(mine) == 1, (value, writes)
    assert not [owner for started, _, owner in writes if started > mine[0][1]]


def assert_no_two_overlap(shared):
    """Of those who raced for the same addresses one has them; who was refused met one that has."""
    spans = sorted(shared.ranges.values())
    assert all(one[1] < other[0] for one, other in zip(spans, spans[1:])), spans
    for first, last in shared.refused_ranges:
        assert any(first <= other[1] and other[0] <= last for other in spans), (first, last, spans)


def assert_mapping(server, admin):
    """Addresses are in the ranges of their manager, ranges know whether they overlap those of another."""
    stored = tables.query(server, "SELECT RecordId, IpAddress, RangeRecordId, IsDuplicate FROM ADM_IPAddressTable"
                                  " WHERE ScopeRecordId IS NULL AND IpAddress LIKE ?", f"{admin.network}.%")
    hosts = [host for host, _ in admin.addresses.values()]
    assert {row[0]: row[1:] for row in stored} == {
        record: (f"{admin.network}.{host}", admin.range_of(host, entity), int(hosts.count(host) > 1))
        for record, (host, entity) in admin.addresses.items()}
    stored = tables.query(server, "SELECT RecordId, IsOverlapping, NumberOfChildAddresses FROM ADM_IPRangeTable"
                                  " WHERE ScopeRecordId IS NULL AND SubnetId = ?", f"{admin.network}.0")
    children = [admin.range_of(host, entity) for host, entity in admin.addresses.values()]
    assert {row[0]: row[1:] for row in stored} == {
        record: (int(any(mine["first"] <= other["last"] and other["first"] <= mine["last"]
                         for number, other in admin.ranges.items() if number != record)), children.count(record))
        for record, mine in admin.ranges.items()}


def assert_relations(server, admins):
    relations = {record: mine for admin in admins for record, mine in admin.relations.items()}
    stored = tables.query(server, "SELECT RecordId, RelationshipName, Mode, MCLT, StateSwitchInterval, Server1Percentage,"
                                  " Server2Name FROM ADM_DhcpFailoverRelationTable WHERE Origin = 'Admin'")
    assert {row[0]: row[1:] for row in stored} == {
        record: (mine["relationship-name"], mine["mode"], mine["mclt"], mine["state-switch-interval"],
                 mine["server1-percentage"], mine["server2-name"]) for record, mine in relations.items()}
    members = {(record, subnet_id) for record, mine in relations.items() for subnet_id in mine["subnet-ids"]}
    join = (" JOIN ADM_DHCPScopesTable s ON s.RecordId = m.ScopeId JOIN ADM_DhcpFailoverRelationTable r ON r.RecordId ="
            " m.FailoverRelationId WHERE r.Origin = 'Admin'")
    assert set(tables.query(server, "SELECT r.RecordId, s.SubnetId FROM ADM_DhcpScopeFailoverTable m" + join)) == members
    waiting = tables.query(server, "SELECT RelationId, ObjectId FROM ReplicationQueue WHERE Removal = 0")
    assert set(waiting) == members and len(waiting) == len(members), "each of them waits for its unreachable partner"
    servers = tables.query(server, "SELECT HaName FROM ADM_DHCPServersTable WHERE ControlUrl = ?", UNREACHABLE)
    assert sorted(name for name, in servers) == sorted(mine["server2-name"] for mine in relations.values())
