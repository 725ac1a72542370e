"""Replication on command, and the progress of operations: what is answered at once, what the partner's answer makes of it,
and how long operation-get remembers."""

import pytest
from lab import config, tables
from lab.door import PORT, Door
from lab.faulty import FaultyPartner
from lab.network import SERVER_ADDRESSES
from lab.operations import PROGRESS, call, ended, refused
from lab.pair import Pair
from lab.waiting import stays, wait_until

LIBRARY = {"both": {"conflict": "hold"},
           "server1": {"retry": {"min-ms": 50, "max-ms": 300},
                       "partners": {"server2": {"url": f"http://{SERVER_ADDRESSES['server2']}:{PORT}/"}}}}
SCOPES = 8
EXCEPTIONS = {"scope-replicate": "IpamApiDhcpFailoverFailedToReplicateScopes",
              "failover-replicate": "IpamApiDhcpFailoverFailedToReplicateRelation",
              "server-replicate": "IpamApiDhcpFailoverFailedToReplicateServer"}
COMMANDS = [("scope-replicate", {"subnet-ids": [2, 1]}, 2), ("failover-replicate", {"record-id": 1}, SCOPES),
            ("server-replicate", {}, SCOPES), ("server-replicate", {"server-name": "server1"}, SCOPES)]


@pytest.fixture(scope="module")
def pair():
    """The first server reaches the second one through a door; High Availability does not need it."""
    pair = Pair([config.scope(number) for number in range(1, SCOPES + 1)], library_parameters=LIBRARY)
    pair.door = Door(pair.second)
    try:
        yield pair.start()
    finally:
        pair.door.shut()
        pair.remove()


@pytest.fixture
def shut(pair):
    """The partner cannot be reached, until the test opens or ends."""
    pair.wait_settled()
    pair.door.shut()
    opened = []

    def open_it():
        opened.append(pair.door.open())
    yield open_it
    if not opened:
        open_it()


def start(server, command, arguments):
    """With curl; how far the operation has got when the command is answered."""
    answer = server.curl(command, arguments)
    assert answer["result"] == 0, answer
    return answer["arguments"]


def change(server, subnet_id, seconds):
    server.change_by_file(lambda dhcp4: next(
        scope for scope in dhcp4["subnet4"] if scope["id"] == subnet_id).update({"valid-lifetime": seconds}))


def lifetime(server, subnet_id):
    return server.scopes()[subnet_id]["subnet4"].get("valid-lifetime")


def sync_status(server, subnet_id):
    return server.command("scope-get", {"subnet-id": subnet_id})["scope"]["sync-status"]


# ---- the partner takes them ----

@pytest.mark.parametrize("command, arguments, count", COMMANDS, ids=["scope", "failover", "server", "server by name"])
def test_success_is_told_when_the_partner_has_answered(pair, undisturbed, command, arguments, count):
    received = pair.second.sync_status()["scopes-received"]
    answer = start(pair.first, command, arguments)
    assert answer["queued"] == count and answer["skipped"] == answer["failed"] == answer["replicated"] == 0
    assert answer["state"] in ("InProgress", "CompletedWithSuccess")
    operation = ended(pair.first, answer["operation-id"], 3)
    assert (operation["state"], operation["percent"], operation["command"]) == ("CompletedWithSuccess", 100, command)
    counts = {name: operation["output"][name] for name in ("queued", "replicated", "failed", "skipped")}
    assert counts == {"queued": 0, "replicated": count, "failed": 0, "skipped": 0}
    assert operation["started-at"] <= operation["ended-at"] and "fault" not in operation
    if command == "scope-replicate":
        assert operation["output"]["scopes"] == [{"subnet-id": 1, "result": "replicated"},
                                                 {"subnet-id": 2, "result": "replicated"}]
    assert pair.second.sync_status()["scopes-received"] == received + count


@pytest.mark.parametrize("command, arguments, count", COMMANDS[:3], ids=["scope", "failover", "server"])
def test_wait_false_is_answered_with_the_operation_alone(pair, command, arguments, count):
    pair.wait_settled()
    answer = start(pair.first, command, {**arguments, "wait": False})
    assert set(answer) == PROGRESS
    assert ended(pair.first, answer["operation-id"], 3)["output"]["replicated"] == count


# ---- the partner is away ----

@pytest.mark.parametrize("command, arguments, count", COMMANDS[:3], ids=["scope", "failover", "server"])
def test_without_the_partner_it_fails_and_the_scopes_stay_queued(pair, shut, command, arguments, count):
    seconds = 3000 + count + len(command)
    change(pair.first, 1, seconds)
    answer = start(pair.first, command, arguments)
    operation = ended(pair.first, answer["operation-id"], 5)
    assert operation["state"] == "CompletedWithFailure" and "output" not in operation
    fault = operation["fault"]
    assert (fault["code"], fault["exception"]["exception-id"]) == ("Receiver", EXCEPTIONS[command]), fault
    assert "server2" in fault["reason"] and f"{count} of {count}" in fault["reason"]
    others = 0 if command == "scope-replicate" else pair.first.sync_status()["objects"]
    wait_until(lambda: pair.first.sync_status().get("queued") == count + others, 1, "all of them are still queued")
    assert sync_status(pair.first, 1) == "OutOfSync" and lifetime(pair.second, 1) != seconds
    shut()
    wait_until(lambda: lifetime(pair.second, 1) == seconds, 2, "with the partner back they arrive")
    wait_until(lambda: pair.first.sync_status().get("queued") == 0 and sync_status(pair.first, 1) == "InSync", 2,
               "nothing is queued any more")


def test_progress_is_shown_and_a_reload_ends_what_it_cannot_follow(pair, shut):
    """A partner that takes the request and never answers; then the configuration is loaded anew."""
    silent = FaultyPartner(pair.second.namespace, pair.second.address, "never", PORT)
    try:
        answer = start(pair.first, "scope-replicate", {"subnet-ids": [1]})
        wait_until(lambda: silent.requests, 2, "the partner is asked")
        operation = pair.first.command("operation-get", {"operation-id": answer["operation-id"]})["operation"]
        assert operation["state"] == "InProgress" and operation["percent"] < 100 and "ended-at" not in operation
        pair.first.reload()
        operation = ended(pair.first, answer["operation-id"], 2)
        assert operation["state"] == "CompletedWithFailure" and "loaded" in operation["fault"]["reason"]
        assert pair.first.sync_status()["queued"] == 1
    finally:
        silent.close()
    shut()
    wait_until(lambda: pair.first.sync_status().get("queued") == 0, 3, "it is sent all the same")
    pair.wait_settled()


def test_progress_counts_partners_and_ends_with_a_relationship(pair):
    """The scope has a second partner, which cannot be reached; before that has shown, the relationship is deleted."""
    pair.wait_settled()
    relation = call(pair.first, "failover-add", {
        "relationship-name": "to nowhere", "mode": "HotStandby", "server1-name": "server1", "server2-name": "server4",
        "control-url": "http://10.53.0.9:8000/", "subnet-ids": [1]})["failover"]["record-id"]
    answer = start(pair.first, "scope-replicate", {"subnet-ids": [1]})
    assert answer["queued"] == 2 and len(answer["scopes"]) == 1

    def progress():
        return pair.first.command("operation-get", {"operation-id": answer["operation-id"]})["operation"]
    wait_until(lambda: progress()["percent"] == 50, 2, "one of two has answered")
    assert progress()["state"] == "InProgress"
    call(pair.first, "failover-del", {"record-id": relation})
    operation = ended(pair.first, answer["operation-id"], 1)
    assert operation["state"] == "CompletedWithFailure" and "deleted" in operation["fault"]["reason"], operation
    assert sync_status(pair.first, 1) == "InSync"


# ---- the partner refuses ----

def with_lifetimes(dhcp4, subnet_id):
    """They fit this server's global valid-lifetime alone, which stays at home."""
    dhcp4["valid-lifetime"] = 6000
    if all(scope["id"] != subnet_id for scope in dhcp4["subnet4"]):
        dhcp4["subnet4"].append(config.scope(subnet_id))
    next(scope for scope in dhcp4["subnet4"] if scope["id"] == subnet_id).update(
        {"min-valid-lifetime": 5000, "max-valid-lifetime": 7000})


@pytest.mark.parametrize("subnet_id, exception", [(3, "IpamApiDhcpScopeFailedToUpdateInRemoteServer"),
                                                  (30, "IpamApiDhcpScopeFailedToAddInRemoteServer")], ids=["old", "new"])
def test_a_scope_that_the_partner_refuses_is_the_fault(pair, subnet_id, exception):
    """Its own globals do not fit. The other scope of the operation is replicated."""
    pair.wait_settled()
    before = pair.first.configuration
    pair.first.change_by_file(lambda dhcp4: with_lifetimes(dhcp4, subnet_id))
    answer = start(pair.first, "scope-replicate", {"subnet-ids": [2, subnet_id]})
    operation = ended(pair.first, answer["operation-id"], 5)
    assert operation["state"] == "CompletedWithFailure"
    assert operation["fault"]["exception"]["exception-id"] == exception and operation["fault"]["code"] == "Receiver"
    assert f"subnet id {subnet_id}" in operation["fault"]["reason"] and "valid-lifetime" in operation["fault"]["reason"]
    assert sync_status(pair.first, 2) == "InSync" and sync_status(pair.first, subnet_id) == "OutOfSync"
    assert pair.second.scopes().get(subnet_id, {"subnet4": {}})["subnet4"].get("min-valid-lifetime", 3600) != 5000

    pair.first.write(before)
    pair.first.reload()
    wait_until(lambda: pair.first.sync_status().get("out-of-sync") == pair.first.sync_status().get("queued") == 0, 5,
               "without them nothing is refused")


def test_held_scopes_can_be_reset(pair, shut):
    """Changed on both servers: each keeps its own, until the administrator says that it is well so."""
    change(pair.first, 4, 4001)
    change(pair.second, 4, 4002)
    shut()
    wait_until(lambda: sync_status(pair.first, 4) == sync_status(pair.second, 4) == "OutOfSync", 3, "both hold the scope")
    answer = start(pair.first, "scope-replicate", {"subnet-ids": [4]})
    fault = ended(pair.first, answer["operation-id"], 5)["fault"]
    assert fault["exception"]["exception-id"] == "IpamApiDhcpScopeFailedToUpdateInRemoteServer"

    answer = call(pair.first, "scope-sync-reset", {"subnet-ids": [4, 1, 4000, 4]})
    assert (answer["reset"], answer["skipped"], answer["state"]) == (1, 1, "CompletedWithSuccess")
    assert sync_status(pair.first, 4) == "InSync" and sync_status(pair.second, 4) == "OutOfSync"
    assert tables.query(pair.first, "SELECT DISTINCT FailoverConfigSyncStatus FROM ADM_DHCPScopesTable WHERE SubnetId = 4 AND"
                                    " DHCPServerRecordId = 1") == [("InSync",)]
    stays(lambda: sync_status(pair.first, 4) == "InSync", 0.5, "nobody says otherwise")
    assert call(pair.first, "scope-sync-reset", {"subnet-ids": [4]})["reset"] == 0
    assert (lifetime(pair.first, 4), lifetime(pair.second, 4)) == (4001, 4002)

    change(pair.first, 4, 4002)
    wait_until(lambda: sync_status(pair.first, 4) == sync_status(pair.second, 4) == "InSync", 3, "the same on both is agreed")


# ---- what is left out, what is wrong ----

def test_a_scope_without_a_membership_is_skipped_and_the_output_says_so(pair):
    pair.wait_settled()
    member = tables.query(pair.first, "SELECT m.RecordId, m.FailoverRelationId, m.ScopeId FROM ADM_DhcpScopeFailoverTable m"
                                      " JOIN ADM_DHCPScopesTable s ON s.RecordId = m.ScopeId WHERE s.SubnetId = 6")
    assert len(member) == 1
    tables.change(pair.first, "DELETE FROM ADM_DhcpScopeFailoverTable WHERE RecordId = ?", member[0][0])
    answer = start(pair.first, "scope-replicate", {"subnet-ids": [5, 6]})
    assert answer["skipped"] == 1
    operation = ended(pair.first, answer["operation-id"], 3)
    assert operation["state"] == "CompletedWithSuccess"
    assert [(scope["subnet-id"], scope["result"]) for scope in operation["output"]["scopes"]] == [
        (5, "replicated"), (6, "skipped")]
    assert "no failover relationship" in operation["output"]["scopes"][1]["text"]
    alone = call(pair.first, "scope-replicate", {"subnet-ids": [6]})
    assert (alone["state"], alone["percent"], alone["skipped"], alone["queued"]) == ("CompletedWithSuccess", 100, 1, 0)
    operation = ended(pair.first, start(pair.first, "server-replicate", {})["operation-id"], 3)
    assert operation["output"]["skipped"] == 1 and operation["output"]["replicated"] == SCOPES - 1
    operation = ended(pair.first, start(pair.first, "failover-replicate", {"record-id": 1})["operation-id"], 3)
    assert operation["output"]["replicated"] == SCOPES - 1
    tables.change(pair.first, "INSERT INTO ADM_DhcpScopeFailoverTable VALUES (?, ?, ?)", *member[0])


@pytest.mark.parametrize("command, arguments, exception, node", [
    ("scope-replicate", {"subnet-ids": []}, "IpamApiInvalidParameter", "subnet-ids"),
    ("scope-replicate", {"subnet-ids": [1, 4000]}, "IpamApiDhcpScopeNotFoundInDB", "subnet-ids"),
    ("scope-sync-reset", {"subnet-ids": []}, "IpamApiInvalidParameter", "subnet-ids"),
    ("failover-replicate", {"record-id": 4000}, "IpamApiObjectNotFoundInDatabase", "record-id"),
    ("server-replicate", {"server-name": "server2"}, "IpamApiReplicationScopeNotApplicable", "server-name"),
    ("server-replicate", {"server-name": "nobody"}, "IpamApiReplicationScopeNotApplicable", "server-name"),
])
def test_a_fault_queues_nothing(pair, command, arguments, exception, node):
    pair.wait_quiet()
    before = tables.dump(pair.first)
    refused(pair.first, command, arguments, exception, node)
    assert not tables.differences(before, tables.dump(pair.first))


# ---- the memory of operations ----

def test_what_is_not_known_is_not_there(pair):
    answer = pair.first.curl("operation-get", {"operation-id": "never-was-1"})
    assert answer["result"] == 3 and "never-was-1" in answer["text"]


def test_a_fault_is_remembered_with_its_path(pair):
    answer = pair.first.curl("scope-replicate", {"subnet-ids": [4000], "wait": False})
    operation = ended(pair.first, answer["arguments"]["operation-id"])
    assert operation["state"] == "CompletedWithFailure" and operation["fault"]["code"] == "Sender"
    assert operation["fault"]["exception"]["path"] == "/kea-failover-sync:scope-replicate/subnet-ids"


def test_operations_are_remembered_over_a_reload_and_a_restart(pair):
    pair.wait_settled()
    good = call(pair.first, "scope-sync-reset", {"subnet-ids": [4000]})["operation-id"]
    bad = pair.first.curl("failover-replicate", {"record-id": 4000, "wait": False})["arguments"]["operation-id"]
    ended(pair.first, bad)

    def remembered():
        return [pair.first.command("operation-get", {"operation-id": name})["operation"] for name in (good, bad)]
    before = remembered()
    assert [operation["state"] for operation in before] == ["CompletedWithSuccess", "CompletedWithFailure"]
    pair.first.reload()
    assert remembered() == before
    assert pair.first.restart() == 0
    assert remembered() == before
    pair.wait_settled()


def test_the_last_thousand_are_remembered(pair):
    names = [pair.first.command("scope-sync-reset", {"subnet-ids": [4000]})["operation-id"] for _ in range(1005)]
    assert len(set(names)) == 1005

    def known(name):
        return pair.first.ask("operation-get", {"operation-id": name})["result"] == 0
    assert [known(name) for name in names[:7]] == [False] * 5 + [True] * 2
    assert known(names[500]) and known(names[-1])
    pair.first.reload()
    assert [known(name) for name in (*names[4:6], names[-1])] == [False, True, True]
    assert tables.query(pair.first, "SELECT count(*) FROM OperationLog") == [(1000,)]


def test_without_the_relationship_every_scope_is_skipped(pair):
    """The last of this module's: its row is deleted beside the server."""
    tables.change(pair.first, "DELETE FROM ADM_DhcpFailoverRelationTable")
    refused(pair.first, "failover-replicate", {"record-id": 1}, "IpamApiObjectNotFoundInDatabase", "record-id")
    answer = call(pair.first, "scope-replicate", {"subnet-ids": [1, 2]})
    assert answer["state"] == "CompletedWithSuccess" and answer["skipped"] == 2
    assert {scope["result"] for scope in answer["scopes"]} == {"skipped"}
    assert call(pair.first, "server-replicate", {})["skipped"] == SCOPES
