"""Bad input to every command and every parameter: a clear error, and nothing changed."""

import json

import pytest
from lab import config, control, network
from lab.waiting import wait_until

RECEIVE = {"sender": "server1", "receiver": "server2"}
SCOPE = {"subnet-id": 90, "prefix": "10.90.0.0/24", "base": "", "fingerprint": "0" * 32,
         "definition": json.dumps({"subnet4": {"id": 90, "subnet": "10.90.0.0/24"}})}


def receive(**changes):
    return ("scope-receive", {**RECEIVE, "scopes": [{**SCOPE, **changes}]})


# Each: what is wrong, the command with its arguments, a word the text must have.
BAD_COMMANDS = [
    ("status takes nothing", ("failover-status", {"verbose": True}), "verbose"),
    ("get-all takes nothing", ("failover-get-all", {"x": 1}), "x"),
    ("no id", ("scope-get", {}), "subnet-id"),
    ("no arguments", ("scope-get", None), "subnet-id"),
    ("id is text", ("scope-get", {"subnet-id": "one"}), "subnet-id"),
    ("id is zero", ("scope-get", {"subnet-id": 0}), "subnet-id"),
    ("id is negative", ("scope-get", {"subnet-id": -1}), "subnet-id"),
    ("id too large", ("scope-get", {"subnet-id": 4294967296}), "subnet-id"),
    ("id is a list", ("scope-get", {"subnet-id": [1]}), "subnet-id"),
    ("id is null", ("scope-get", {"subnet-id": None}), "subnet-id"),
    ("unknown argument", ("scope-get", {"subnet-id": 1, "colour": "red"}), "colour"),
    ("arguments are a list", ("scope-get", [1]), "map"),
    ("arguments are text", ("scope-get", "1"), "map"),
    ("unknown state", ("scope-get-all", {"sync-status": "Perhaps"}), "sync-status"),
    ("empty relationship", ("scope-get-all", {"relationship": ""}), "relationship"),
    ("no ids", ("scope-replicate", {}), "subnet-ids"),
    ("empty list of ids", ("scope-replicate", {"subnet-ids": []}), "subnet-ids"),
    ("ids are a number", ("scope-replicate", {"subnet-ids": 1}), "subnet-ids"),
    ("too many ids", ("scope-replicate", {"subnet-ids": list(range(1, 10002))}), "subnet-ids"),
    ("one id unknown", ("scope-replicate", {"subnet-ids": [1, 4000]}), "4000"),
    ("nothing at all", ("scope-receive", {}), "sender"),
    ("no receiver", ("scope-receive", {"sender": "server1", "ticket": "t"}), "receiver"),
    ("neither scopes nor ticket", ("scope-receive", RECEIVE), "scopes"),
    ("both scopes and ticket", ("scope-receive", {**RECEIVE, "ticket": "t", "scopes": [SCOPE]}), "ticket"),
    ("not for us", ("scope-receive", {**RECEIVE, "receiver": "server9", "scopes": [SCOPE]}), "server9"),
    ("not from our partner", ("scope-receive", {**RECEIVE, "sender": "mallory", "scopes": [SCOPE]}), "mallory"),
    ("empty batch", ("scope-receive", {**RECEIVE, "scopes": []}), "scopes"),
    ("prefix is no prefix", receive(prefix="ten slash eight"), "prefix"),
    ("base is no fingerprint", receive(base="xyz"), "base"),
    ("fingerprint missing", ("scope-receive", {**RECEIVE, "scopes": [
        {key: value for key, value in SCOPE.items() if key != "fingerprint"}]}), "fingerprint"),
    ("unknown field", receive(flavour="sweet"), "flavour"),
    ("a digest of nobody", ("scope-digest", {"receiver": "server2", "from": 0}), "sender"),
    ("a digest for another", ("scope-digest", {**RECEIVE, "receiver": "server9", "from": 0}), "server9"),
    ("a digest that asks nothing", ("scope-digest", RECEIVE), "wanted or wanted-objects or unusable is missing"),
    ("a digest that asks two things", ("scope-digest", {**RECEIVE, "from": 0, "wanted": [{"subnet-id": 1}]}), "wanted"),
    ("a version is none", receive(version="xyz"), "version"),
    ("a digest that is none", ("scope-digest", {**RECEIVE, "digest": "xyz"}), "digest"),
    ("nothing wanted", ("scope-digest", {**RECEIVE, "wanted": []}), "wanted"),
    ("too much wanted", ("scope-digest", {**RECEIVE, "wanted": [{"subnet-id": n} for n in range(1, 1002)]}), "wanted"),
]

# What only one scope of a batch gets wrong: the command succeeds and says what became of that scope.
BAD_SCOPES = [
    ("definition is no JSON", {"definition": "{{{{"}),
    ("definition is a list", {"definition": "[1,2]"}),
    ("definition without a subnet", {"definition": "{}"}),
    ("definition of another scope", {"definition": json.dumps({"subnet4": {"id": 91, "subnet": "10.91.0.0/24"}})}),
    ("definition with another prefix", {"definition": json.dumps({"subnet4": {"id": 90, "subnet": "10.91.0.0/24"}})}),
    ("keyword Kea does not know", {"definition": json.dumps(
        {"subnet4": {"id": 90, "subnet": "10.90.0.0/24", "subnett": True}})}),
    ("pool outside the subnet", {"definition": json.dumps(
        {"subnet4": {"id": 90, "subnet": "10.90.0.0/24", "pools": [{"pool": "10.1.0.0/24"}]}})}),
    ("reservation twice", {"definition": json.dumps({"subnet4": {"id": 90, "subnet": "10.90.0.0/24", "reservations": [
        {"hw-address": "02:00:00:00:00:01", "ip-address": "10.90.0.1"},
        {"hw-address": "02:00:00:00:00:01", "ip-address": "10.90.0.2"}]}})}),
    ("option without definition", {"definition": json.dumps(
        {"subnet4": {"id": 90, "subnet": "10.90.0.0/24", "option-data": [{"name": "nonsense", "data": "1"}]}})}),
    ("prefix that is taken under another id", {"prefix": "10.100.1.0/24", "definition": json.dumps(
        {"subnet4": {"id": 90, "subnet": "10.100.1.0/24"}})}),
]


@pytest.fixture(autouse=True)
def nothing_changes(pair):
    pair.wait_settled()
    before = pair.second.scopes()
    yield
    assert pair.second.alive and pair.second.scopes() == before
    assert not pair.second.logged("FAILOVER_SYNC_EXCEPTION|FAILOVER_SYNC_COMMAND_FAILED")


@pytest.mark.parametrize("what, call, word", BAD_COMMANDS, ids=[case[0] for case in BAD_COMMANDS])
def test_a_bad_command_is_refused_with_a_fault(pair, what, call, word):
    answer = pair.second.ask(*call)
    assert answer["result"] == 1, answer
    assert word in answer["text"], answer
    if what.startswith("arguments are"):
        return  # Kea itself may answer that
    fault = answer["arguments"]["fault"]
    assert fault["code"] in ("Sender", "Receiver") and fault["reason"], answer
    assert fault["exception"]["exception-id"].startswith("IpamApi"), answer
    assert fault["exception"]["exception-message"], answer


@pytest.mark.parametrize("call, word", [
    (("scope-get", {"subnet-id": 4000}), "4000"),
    (("scope-get-all", {"relationship": "romeo-juliet"}), "romeo-juliet"),
    (("scope-receive", {**RECEIVE, "ticket": "never-issued"}), "never-issued"),
], ids=["scope", "relationship", "ticket"])
def test_what_is_not_there_is_answered_as_empty(pair, call, word):
    """Kea's result 3: the command is right, there is nothing to find."""
    answer = pair.second.ask(*call)
    assert answer["result"] == 3 and word in answer["text"], answer


def fate(server, command, arguments):
    """The answer with what came of the scopes, now or by the ticket; or the refusal. One batch is taken after the other."""
    answer = wait_until(lambda: not_too_early(server.ask(command, arguments)), 5, "the batch is taken")

    def outcome():
        later = answer
        if answer["result"] == 0 and not answer["arguments"].get("scopes"):
            names = {key: arguments[key] for key in ("sender", "receiver")}
            later = server.ask(command, {**names, "ticket": answer["arguments"]["ticket"]})
        return later if later["result"] != 0 or later["arguments"].get("scopes") else None
    return wait_until(outcome, 5, "the scope's fate is known")


def not_too_early(answer):
    return None if "an earlier batch is not recorded yet" in answer["text"] else answer


@pytest.mark.parametrize("what, wrong", BAD_SCOPES, ids=[case[0] for case in BAD_SCOPES])
def test_a_bad_scope_is_refused_with_a_reason(pair, what, wrong):
    final = fate(pair.second, *receive(**wrong))
    if final["result"] == 0:
        scope = final["arguments"]["scopes"][0]
        assert scope["subnet-id"] == 90 and scope["result"] in ("failed", "conflict", "id-mismatch"), final
        assert scope["text"], final
    else:
        assert len(final["text"]) > 10, final


@pytest.mark.parametrize("version, result", [("", "outdated"), ("0123456789abcdee:19f2b3c4d5e", "overruled"),
                                             ("0123456789abcdef:19f2b3c4d5e", "outdated")])  # nobody edited it, it followed
def test_what_does_not_build_on_the_primarys_scope_does_not_overwrite_it(pair, version, result):
    before = pair.first.scopes()
    definition = json.dumps({"subnet4": {"id": 1, "subnet": "10.100.1.0/24"}})
    answer = fate(pair.first, "scope-receive", {"sender": "server2", "receiver": "server1", "scopes": [
        {"subnet-id": 1, "prefix": "10.100.1.0/24", "base": "1" * 32, "fingerprint": "2" * 32, "version": version,
         "definition": definition}]})
    scope = answer["arguments"]["scopes"][0]
    assert scope["result"] == result and len(scope["fingerprint"]) == 32, answer
    assert pair.first.scopes() == before


def test_the_same_over_http(pair):
    """As a partner would send it, to the address a partner uses."""
    answer = pair.second.ask_over_http("scope-get", {"subnet-id": "one"})
    assert answer["result"] == 1 and "subnet-id" in answer["text"]
    assert pair.second.ask_over_http("failover-status")["result"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\x00" * 100, b'{"command": "scope-receive"}',
                                  b'{"command":"scope-receive","service":["dhcp4"],"arguments":' + b"[" * 5000,
                                  b'{"command":"scope-get","service":["dhcp4"],"arguments":{"subnet-id":1' + b"0" * 5000 + b"}}"],
                         ids=lambda body: repr(body[:24]))
def test_a_body_that_is_no_command(pair, body):
    import http.client

    def post():
        connection = http.client.HTTPConnection(pair.second.address, config.HTTP_PORT, timeout=10)
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        return connection.getresponse().read()
    try:
        answer = network.inside(pair.network.clients, post)
        assert answer is not None
    except (http.client.HTTPException, ConnectionError):
        pass  # Kea may hang up; what counts is that the server lives, see nothing_changes
    assert control.over_socket(pair.second.path("kea.sock"), "version-get")["result"] == 0
