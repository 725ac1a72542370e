"""Relationships: those that High Availability makes, read and edited; those that an administrator makes, with a third
server that High Availability knows nothing of."""

import re

import pytest
from lab import config, tables, third
from lab.operations import call, refused
from lab.pair import Pair
from lab.waiting import stays, wait_until

NOT_ADDED = "IpamApiDhcpFailoverFailedToAddInIpamDatabase"
URL = f"http://{third.ADDRESS}:{config.HTTP_PORT}/"


def with_servers(**more):
    return {"relationship-name": "one-three", "mode": "LoadBalance", "server1-name": "server1", "server2-name": third.NAME,
            "control-url": URL, "subnet-ids": [1, 2], **more}


@pytest.fixture(scope="module")
def pair():
    """The pair, and the third server that server1 has a relationship with, in which scopes 1 and 2 are, and from there 50."""
    pair = Pair([config.scope(number) for number in range(1, 13)])
    third.introduce(pair.first)
    other = third.third_server(pair, [config.scope(50)])
    try:
        other.start(wait=False)
        pair.start()
        other.wait_answering()
        pair.wait_quiet()
        yield pair
    finally:
        pair.remove()


@pytest.fixture(scope="module")
def relation(pair):
    """The relationship on server1, once its scopes have arrived."""
    other = pair.others[0]
    theirs = call(other, "failover-add", with_servers(**{
        "this-server-name": third.NAME, "subnet-ids": [50],
        "control-url": f"http://{pair.first.address}:{config.HTTP_PORT}/"}))
    assert theirs["failover"]["server2-name"] == third.NAME and theirs["failover"]["scopes"] == 1
    answer = call(pair.first, "failover-add", with_servers(**{"server1-percentage": 70, "mclt": 600}))
    assert answer["state"] == "CompletedWithSuccess" and answer["percent"] == 100
    wait_until(lambda: {1, 2, 50} <= set(other.scopes()), 1, "the named scopes arrive")
    wait_until(lambda: {50} <= set(pair.first.scopes()), 1, "and that of the other side")
    return answer["failover"]


@pytest.fixture
def other(pair, relation):
    return pair.others[0]


def get(server, record_id):
    return call(server, "failover-get", {"record-id": record_id})["failover"]


def lifetime(server, subnet_id):
    return server.scopes()[subnet_id]["subnet4"].get("valid-lifetime")


def change(server, subnet_id, seconds):
    def edit(dhcp4):
        next(scope for scope in dhcp4["subnet4"] if scope["id"] == subnet_id)["valid-lifetime"] = seconds
    server.change_by_set(edit)


def status(server, partner):
    relationships = server.command("failover-status")["relationships"]
    return next(relationship for relationship in relationships if relationship["partner"] == partner)


# ---- High Availability's ----

def test_the_mirrored_relationship_is_read(pair):
    everything = call(pair.second, "failover-get-all")["relationships"]
    assert len(everything) == 1
    mirrored = everything[0]
    expected = {"relationship-name": "server1-server2", "mode": "LoadBalance", "kea-mode": "load-balancing",
                "server1-name": "server1", "server2-name": "server2", "server1-percentage": 50, "origin": "HaConfig",
                "auto-state-transition": True, "state-switch-interval": 3, "server1-state": "Normal",
                "server2-state": "Normal", "server1-ip": "10.53.0.2", "server2-ip": "10.53.0.3",
                "shared-secret-enabled": False, "scopes": len(pair.second.scopes())}
    assert {name: mirrored[name] for name in expected} == expected
    assert get(pair.second, mirrored["record-id"]) == mirrored
    assert call(pair.second, "failover-get-all", {"server-name": "server1"})["relationships"] == everything
    nobody = pair.second.curl("failover-get-all", {"server-name": "nobody"})
    assert nobody["result"] == 3 and nobody["arguments"]["relationships"] == []
    refused(pair.second, "failover-get", {"record-id": 4000}, "IpamApiObjectNotFoundInDatabase", "record-id")


def test_an_edit_that_names_nothing_changes_nothing(pair):
    pair.wait_quiet()
    before = tables.dump(pair.second)
    for named in ({"modified-properties": []}, {}):
        answer = call(pair.second, "failover-update", {"record-id": 1, "mclt": 5, "relationship-name": "x", **named})
        assert answer["changed-properties"] == [] and answer["failover"] == get(pair.second, 1)
    assert tables.dump(pair.second) == before


def test_an_edit_changes_what_it_names(pair):
    answer = call(pair.second, "failover-update", {"record-id": 1, "modified-properties": ["mclt", "server1-percentage"],
                                                   "mclt": 900, "server1-percentage": 50, "relationship-name": "x"})
    assert answer["changed-properties"] == ["mclt"] and answer["failover"]["mclt"] == 900
    assert answer["failover"]["relationship-name"] == "server1-server2"
    cleared = call(pair.second, "failover-update", {"record-id": 1, "modified-properties": ["mclt"]})
    assert cleared["changed-properties"] == ["mclt"] and "mclt" not in cleared["failover"]


def test_an_edit_holds_until_the_configuration_changes_that_value(pair):
    """Over a reload, which says nothing new, and not over one that does."""
    call(pair.first, "failover-update", {
        "record-id": 1, "modified-properties": ["state-switch-interval", "relationship-name"], "state-switch-interval": 77,
        "relationship-name": "N" * 256})

    def edited():
        row = get(pair.first, 1)
        return row["state-switch-interval"], len(row["relationship-name"]), sorted(row["edited-properties"])
    assert edited() == (77, 256, ["relationship-name", "state-switch-interval"])
    pair.first.reload()
    wait_until(lambda: pair.first.command("failover-status")["mirror"] == "current", 2, "the configuration is mirrored")
    assert edited() == (77, 256, ["relationship-name", "state-switch-interval"])

    def slower(dhcp4):
        hook = next(hook for hook in dhcp4["hooks-libraries"] if "libdhcp_ha" in hook["library"])
        hook["parameters"]["high-availability"][0]["max-response-delay"] = 4000
    pair.first.change_by_file(slower)
    wait_until(lambda: edited() == (4, 256, ["relationship-name"]), 2, "that edit has ended and the other has not")
    call(pair.first, "failover-update", {"record-id": 1, "modified-properties": ["relationship-name"],
                                         "relationship-name": "server1-server2"})
    pair.wait_quiet()


@pytest.mark.parametrize("command, exception", [
    ("failover-scope-add", "IpamApiDhcpFailoverFailedToAddScopesInIpamDatabase"),
    ("failover-scope-del", "IpamApiDhcpFailoverFailedToRemoveScopesFromIpamDatabase"),
    ("failover-del", "IpamApiDhcpFailoverFailedToDeleteInIpamDatabase")])
def test_what_follows_from_the_configuration_is_not_an_administrators(pair, command, exception):
    pair.wait_quiet()
    before = tables.dump(pair.second)
    refused(pair.second, command, {"record-id": 1, **({} if command == "failover-del" else {"subnet-ids": [1]})}, exception,
            "record-id")
    assert tables.dump(pair.second) == before


# ---- an administrator's ----

def test_it_is_there_as_it_was_given(pair, relation):
    expected = {"relationship-name": "one-three", "mode": "LoadBalance", "server1-percentage": 70, "mclt": 600,
                "server1-name": "server1", "server2-name": third.NAME, "origin": "Admin", "scopes": 2,
                "auto-state-transition": False, "server2-ip": third.ADDRESS, "shared-secret-enabled": True}
    assert {name: relation[name] for name in expected} == expected
    assert "kea-mode" not in relation
    both = call(pair.first, "failover-get-all")["relationships"]
    assert [row["relationship-name"] for row in both] == ["server1-server2", "one-three"]
    assert [row["origin"] for row in call(pair.first, "failover-get-all", {"server-name": third.NAME})["relationships"]] == [
        "Admin"]


def test_names_may_have_256_characters(pair):
    name, server = "N" * 256, "S" * 256
    added = call(pair.first, "failover-add", with_servers(**{
        "relationship-name": name, "server2-name": server, "control-url": "http://10.53.0.9:8000/"}))["failover"]
    assert (added["relationship-name"], added["server2-name"]) == (name, server)
    call(pair.first, "failover-del", {"record-id": added["record-id"]})


def test_changes_travel_both_ways_and_on_to_the_pairs_other(pair, other):
    change(pair.first, 1, 1111)
    wait_until(lambda: lifetime(other, 1) == 1111, 1, "a change arrives at the third server")
    wait_until(lambda: lifetime(pair.second, 1) == 1111, 1, "and at the partner")
    wait_until(lambda: status(pair.first, third.NAME).get("queued") == 0, 2, "the sender knows")
    command_update(other, 1, 2222)
    wait_until(lambda: lifetime(pair.first, 1) == 2222, 1, "a change of the third server comes back")
    wait_until(lambda: lifetime(pair.second, 1) == 2222, 1, "and on to the partner")
    pair.wait_settled()
    change(pair.second, 2, 3333)
    wait_until(lambda: lifetime(other, 2) == 3333, 2, "a change of the partner arrives over two relationships")
    wait_until(lambda: status(pair.first, third.NAME).get("queued") == 0, 2, "the sender knows")
    command_update(other, 50, 5050)
    wait_until(lambda: lifetime(pair.second, 50) == 5050, 2, "the third server's own scope does so, too")
    pair.wait_settled()
    wait_until(lambda: status(pair.first, third.NAME).get("out-of-sync") == status(pair.first, third.NAME).get("queued") == 0, 2,
               "nothing waits for the third server")


def command_update(server, subnet_id, seconds):
    """An edit of what runs, received scopes and all."""
    running = server.running()
    scope = next(scope for scope in running["subnet4"] if scope["id"] == subnet_id)
    scope.update({word: seconds for word in ("valid-lifetime", "min-valid-lifetime", "max-valid-lifetime")})
    server.command("config-set", {"Dhcp4": running})


def test_scopes_that_are_not_named_do_not_travel(pair, other):
    change(pair.first, 3, 1234)
    wait_until(lambda: lifetime(pair.second, 3) == 1234, 1, "the partner has the change")
    stays(lambda: not set(range(3, 13)) & set(other.scopes()), 1, "the third server has none of the others")


def test_adding_and_taking_out_scopes(pair, other, relation):
    record = relation["record-id"]
    added = call(pair.first, "failover-scope-add", {"record-id": record, "subnet-ids": [4, 5, 1]})
    assert added["added"] == 2 and added["failover"]["scopes"] == get(pair.first, record)["scopes"]
    wait_until(lambda: {4, 5} <= set(other.scopes()), 1, "the scopes arrive")
    assert call(pair.first, "failover-scope-add", {"record-id": record, "subnet-ids": [4, 4, 5]})["added"] == 0
    twice = tables.query(pair.first, "SELECT ScopeId, FailoverRelationId FROM ADM_DhcpScopeFailoverTable GROUP BY 1, 2"
                                     " HAVING count(*) > 1")
    assert twice == []
    change(pair.first, 4, 4444)
    wait_until(lambda: lifetime(other, 4) == 4444, 1, "changes of an added scope follow")

    assert call(pair.first, "failover-scope-del", {"record-id": record, "subnet-ids": [4, 6]})["removed"] == 1
    change(pair.first, 4, 4545)
    change(pair.first, 5, 5555)
    wait_until(lambda: lifetime(other, 5) == 5555, 1, "a change of one that is still in it follows")
    assert lifetime(other, 4) == 4444, "what was taken out is no longer sent, and stays as it was"
    wait_until(lambda: lifetime(pair.second, 4) == 4545, 1, "High Availability's relationship goes on")


def test_an_edited_relationship_goes_on_under_its_new_name(pair, other, relation):
    answer = call(pair.first, "failover-update", {
        "record-id": relation["record-id"], "modified-properties": ["relationship-name", "mode", "server1-percentage"],
        "relationship-name": "renamed", "mode": "HotStandby", "server1-percentage": 100})
    assert sorted(answer["changed-properties"]) == ["mode", "relationship-name", "server1-percentage"]
    assert answer["failover"]["edited-properties"] == [], "only a mirrored one's edits have anything to hold against"
    assert (status(pair.first, third.NAME)["name"], status(pair.first, third.NAME)["mode"]) == ("renamed", "HotStandby")
    change(pair.first, 2, 2020)
    wait_until(lambda: lifetime(other, 2) == 2020, 1, "changes follow")
    call(pair.first, "failover-update", {"record-id": relation["record-id"], "modified-properties": ["relationship-name"],
                                         "relationship-name": "one-three"})


@pytest.mark.parametrize("crash", [False, True], ids=["restart", "kill -9"])
def test_it_survives_the_end_of_a_server(pair, other, relation, crash):
    lifetime_then = 6100 + crash
    record = relation["record-id"]
    before = get(pair.first, record)
    if crash:
        pair.first.kill9()
        pair.first.start()
    else:
        assert pair.first.restart() == 0
    wait_until(lambda: get(pair.first, record) == before, 3, "the relationship is as it was")
    change(pair.first, 1, lifetime_then)
    wait_until(lambda: lifetime(other, 1) == lifetime_then, 2, "changes follow again")
    assert 7 not in other.scopes()
    pair.wait_quiet()


FAULTS = [
    ("another name for the same", {"relationship-name": "again"}, NOT_ADDED, "server2-name"),
    ("the same name again", {}, NOT_ADDED, "relationship-name"),
    ("the partner of HA", {"server2-name": "server2", "relationship-name": "x"}, NOT_ADDED, "server2-name"),
    ("an unknown scope", {"server2-name": "server4", "subnet-ids": [1, 4000]}, "IpamApiDhcpScopeNotFoundInDB", "subnet-ids"),
    ("no URL", {"server2-name": "server4", "control-url": None}, "IpamApiInvalidParameter", "control-url"),
    ("a URL of another kind", {"server2-name": "server4", "control-url": "gopher://x/"}, "IpamApiInvalidParameter",
     "control-url"),
    ("a name of 257", {"server2-name": "server4", "relationship-name": "N" * 257}, "IpamApiInvalidParameter",
     "relationship-name"),
    ("a server of 257", {"server2-name": "S" * 257}, "IpamApiInvalidParameter", "server2-name"),
    ("a blank name", {"server2-name": "server4", "relationship-name": " \t "}, "IpamApiInvalidParameter",
     "relationship-name"),
    ("no mode", {"server2-name": "server4", "mode": "None"}, "IpamApiInvalidEnumeration", "mode"),
    ("an unknown mode", {"server2-name": "server4", "mode": "Balance"}, "IpamApiInvalidEnumeration", "mode"),
    ("more than all", {"server2-name": "server4", "server1-percentage": 101}, "IpamApiInvalidParameter",
     "server1-percentage"),
    ("with itself", {"server2-name": "server1"}, "IpamApiInvalidParameter", "server2-name"),
    ("between others", {"server1-name": "server8", "server2-name": "server9"}, "IpamApiInvalidParameter",
     "this-server-name"),
    ("under a name of its own", {"server2-name": "server4", "this-server-name": "me"}, "IpamApiInvalidParameter",
     "this-server-name"),
]


@pytest.mark.parametrize("changes, exception, node", [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_a_relationship_that_cannot_be_is_not_added(pair, relation, changes, exception, node):
    before = adm_tables(pair.first)
    arguments = {name: value for name, value in with_servers(**changes).items() if value is not None}
    refused(pair.first, "failover-add", arguments, exception, node)
    assert adm_tables(pair.first) == before


def adm_tables(server):
    """The rows that an operation on relationships could have changed; a queue may be at work meanwhile."""
    names = ("ADM_DhcpFailoverRelationTable", "ADM_DhcpScopeFailoverTable")
    return [tables.query(server, f"SELECT * FROM {name}") for name in names] + [
        tables.query(server, "SELECT RecordId, HaName, ControlUrl FROM ADM_DHCPServersTable")]


@pytest.mark.parametrize("command, arguments, exception, node", [
    ("failover-update", {"record-id": 4000, "modified-properties": ["mclt"]}, "IpamApiObjectNotFoundInDatabase", "record-id"),
    ("failover-update", {"modified-properties": ["mode"]}, "IpamApiInvalidEnumeration", "mode"),
    ("failover-update", {"modified-properties": ["mode"], "mode": "None"}, "IpamApiInvalidEnumeration", "mode"),
    ("failover-update", {"modified-properties": ["relationship-name"]}, "IpamApiInvalidParameter", "relationship-name"),
    ("failover-update", {"modified-properties": ["relationship-name"], "relationship-name": " "}, "IpamApiInvalidParameter",
     "relationship-name"),
    ("failover-update", {"modified-properties": ["server1-percentage"]}, "IpamApiInvalidParameter", "server1-percentage"),
    ("failover-scope-add", {"subnet-ids": [1, 4000]}, "IpamApiDhcpScopeNotFoundInDB", "subnet-ids"),
    ("failover-scope-del", {"subnet-ids": [4000]}, "IpamApiDhcpScopeNotFoundInDB", "subnet-ids"),
    ("failover-scope-add", {"record-id": 4000, "subnet-ids": [1]}, "IpamApiObjectNotFoundInDatabase", "record-id"),
    ("failover-scope-del", {"record-id": 4000, "subnet-ids": [1]}, "IpamApiObjectNotFoundInDatabase", "record-id"),
    ("failover-del", {"record-id": 4000}, "IpamApiObjectNotFoundInDatabase", "record-id"),
])
def test_a_fault_leaves_a_relationship_as_it_was(pair, relation, command, arguments, exception, node):
    before = adm_tables(pair.first)
    refused(pair.first, command, {"record-id": relation["record-id"], **arguments}, exception, node)
    assert adm_tables(pair.first) == before


def test_a_password_that_everybody_can_read_is_warned_of_once(pair, relation):
    """However often the library was loaded since its server was started."""
    lines = pair.first.logged("FAILOVER_SYNC_PASSWORD_READABLE")
    processes = {re.search(r"hooks/(\d+)", line).group(1) for line in lines}
    assert len(lines) == len(processes) >= 1 and third.NAME in lines[0] and "https" in lines[0], lines
    assert not pair.second.logged("FAILOVER_SYNC_PASSWORD_READABLE")


def test_a_password_goes_to_no_host_that_a_command_names(pair):
    """The second server has a password for the third, of which it was not told the address."""
    hook = next(hook for hook in pair.second.configuration["hooks-libraries"] if "failover_sync" in hook["library"])
    third.introduce(pair.second)
    del hook["parameters"]["partners"][third.NAME]["url"]
    pair.second.write(pair.second.configuration)
    pair.second.reload()
    try:
        answer = pair.second.ask("failover-add", {
            "relationship-name": "two-three", "mode": "LoadBalance", "server1-name": "server2", "server2-name": third.NAME,
            "control-url": "http://10.53.0.66:8000/", "subnet-ids": [1]})
        assert answer["result"] == 1 and "control-url" in str(answer) and "partners" in answer["text"], answer
    finally:
        del hook["parameters"]["partners"]
        pair.second.write(pair.second.configuration)
        pair.second.reload()
        pair.wait_settled()


def test_a_password_without_a_url_is_sent_nowhere(pair, relation):
    """Where the relationship came before the parameter: its address is a command's."""
    access = next(hook for hook in pair.first.configuration["hooks-libraries"]
                  if "failover_sync" in hook["library"])["parameters"]["partners"][third.NAME]
    url = access.pop("url")
    pair.first.write(pair.first.configuration)
    pair.first.reload()
    try:
        def error():
            relationships = pair.first.command("failover-status")["relationships"]
            return next((one for one in relationships if one["partner"] == third.NAME), {}).get("last-error")
        assert "give the url in 'partners'" in wait_until(error, 10, "the reason is told"), error()
    finally:
        access["url"] = url
        pair.first.write(pair.first.configuration)
        pair.first.reload()
        pair.wait_settled()


def test_deleting_it_ends_replication_and_leaves_the_partners_scopes(pair, other, relation):
    """The last of this module's: afterwards there is no third server for the first."""
    before = other.scopes()
    assert call(pair.first, "failover-del", {"record-id": relation["record-id"]})["state"] == "CompletedWithSuccess"
    refused(pair.first, "failover-get", {"record-id": relation["record-id"]}, "IpamApiObjectNotFoundInDatabase", "record-id")
    change(pair.first, 2, 7777)
    wait_until(lambda: lifetime(pair.second, 2) == 7777, 1, "the partner has the change")
    stays(lambda: other.scopes() == before, 1, "the third server keeps what it had")
    assert [row["partner"] for row in pair.first.command("failover-status")["relationships"]] == ["server2"]
    assert tables.query(pair.first, "SELECT count(*) FROM ADM_DHCPServersTable WHERE HaName = ?", third.NAME) == [(0,)]
    for server in (pair.first, pair.second, other):
        tables.assert_sound(server)
