"""A pair with a shared secret: what is sealed goes through, and what somebody on the network makes up, changes, repeats or
sends elsewhere is refused, counted and changes nothing."""

import json
import os

import pytest
from campaign.proxy import Proxy
from lab import config, control, network
from lab.pair import Pair
from lab.waiting import stays, wait_until

OLD, NEW = "the-old-secret-of-the-lab", "the-new-secret-of-the-lab"
PROXY_PORT = 8097


def give_secret(server, text, mode=0o600):
    path = server.path("secret")
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, mode)


def demand_secret(server, **more):
    hook = next(hook for hook in server.configuration["hooks-libraries"] if "failover_sync" in hook["library"])
    hook["parameters"].update({"shared-secret-file": server.inside("secret"), **more})
    server.write(server.configuration)


@pytest.fixture(scope="module")
def sealed():
    """Both have the secret; what the first one sends goes through somebody's hands."""
    pair = Pair([config.scope(1), config.link_scope()], library_parameters={"both": {"retry": {"min-ms": 50, "max-ms": 200}}})
    try:
        port = config.CONTROL_PORT if pair.release.version >= (2, 7) else config.HTTP_PORT
        pair.between = Proxy(pair.first.namespace, PROXY_PORT, (pair.second.address, port))
        for server in pair.servers.values():
            give_secret(server, OLD + "\n")
            demand_secret(server)
        demand_secret(pair.first, partners={"server2": {"url": pair.between.url}})
        pair.start()
        pair.wait_settled()
        yield pair
        pair.between.close()
    finally:
        pair.remove()


_lifetimes = iter(range(1000, 9000))


def change(server):
    lifetime = next(_lifetimes)
    server.change_by_set(lambda dhcp4: dhcp4["subnet4"][0].update({"valid-lifetime": lifetime}))
    return lifetime


def lifetime_of(server):
    return server.scopes()[1]["subnet4"]["valid-lifetime"]


def assert_both_ways(pair):
    for server, other in ((pair.first, pair.second), (pair.second, pair.first)):
        lifetime = change(server)
        wait_until(lambda: lifetime_of(other) == lifetime, 10, f"{other.name} has the change")
        pair.wait_settled()


def refused(server, reason):
    return server.sync_status()["refused-requests"][reason]


def send(pair, server, request):
    """As anybody on the network: by the way that partners use."""
    port = config.CONTROL_PORT if server.release.version >= (2, 7) else config.HTTP_PORT
    return network.inside(pair.network.clients, control.over_http, server.address, port, request["command"],
                          request["arguments"])


def assert_refused(pair, request, reason, word):
    before, lifetime = refused(pair.second, reason), lifetime_of(pair.second)
    answer = send(pair, pair.second, request)
    assert answer["result"] == 1 and word in answer["text"], answer
    assert refused(pair.second, reason) == before + 1
    assert lifetime_of(pair.second) == lifetime
    assert pair.second.logged("FAILOVER_SYNC_REQUEST_REFUSED")


def captured(pair):
    """The last batch that the first server sent."""
    batches = [json.loads(body) for body in pair.between.requests if b'"scopes"' in body]
    return batches[-1]


def test_a_pair_with_a_secret_replicates_both_ways(sealed):
    assert_both_ways(sealed)
    for server in sealed.servers.values():
        status = server.sync_status()
        assert status["shared-secret"] is True
        assert not any(status["refused-requests"].get(reason) for reason in ("unsealed", "wrong", "repeated")), status
        row = server.command("failover-get-all")["relationships"][0]
        assert row["shared-secret-enabled"] is True, row


def test_the_secret_is_in_nothing_that_is_said(sealed):
    assert not any(OLD.encode() in body for body in sealed.between.requests)
    for server in sealed.servers.values():
        assert OLD not in str(server.ask("failover-status")) + str(server.ask("adm-get", {"limit": 1000}))
        assert not server.logged(OLD)


def change_pool(server, end):
    """By an operation, which leaves the library loaded."""
    scope = server.command("scope-get", {"subnet-id": 1})["scope"]
    row = server.command("range-get-all", {"scope-record-id": scope["record-id"]})["ranges"][0]
    answer = server.ask("range-update", {"record-id": row["record-id"], "modified-properties": ["end-ip-address"],
                                         "end-ip-address": f"10.100.1.{end}"})
    assert answer["result"] == 0, answer


def test_a_captured_batch_is_refused_the_second_time(sealed):
    """Also after the scope has changed again: nothing of it comes back."""
    for end in (70, 80):
        change_pool(sealed.first, end)
        wait_until(lambda: f"10.100.1.{end}" in str(sealed.second.scopes()[1]), 10, "the change arrives")
        sealed.wait_settled()
        if end == 70:
            batch = captured(sealed)
    assert "10.100.1.70" in str(batch)
    for _ in range(2):
        assert_refused(sealed, batch, "repeated", "has come before")
    assert "10.100.1.80" in str(sealed.second.scopes()[1])


def test_a_forged_batch_is_refused(sealed):
    batch = captured(sealed)
    del batch["arguments"]["envelope"]
    assert_refused(sealed, batch, "unsealed", "is not sealed")


def test_a_batch_that_was_changed_is_refused(sealed):
    batch = captured(sealed)
    batch["arguments"]["scopes"][0]["version"] = "ffffffffffffffff:ffffffffffff"
    assert_refused(sealed, batch, "wrong", "was changed on its way")


def test_a_forged_question_is_refused_too(sealed):
    question = {"command": "scope-digest", "arguments": {"sender": "server1", "receiver": "server2", "from": 0}}
    assert_refused(sealed, question, "unsealed", "is not sealed")


def test_after_a_load_a_captured_batch_is_refused_all_the_same(sealed):
    """Nobody remembers the numbers of an earlier load: the batch was not for this one."""
    lifetime = change(sealed.first)
    wait_until(lambda: lifetime_of(sealed.second) == lifetime, 10, "the change arrives")
    batch = captured(sealed)
    assert str(lifetime) in str(batch)
    sealed.second.reload()
    sealed.wait_settled()
    answer, lifetime = send(sealed, sealed.second, batch), lifetime_of(sealed.second)
    assert answer["result"] == 1 and answer["arguments"]["envelope"]["session"], answer
    assert lifetime_of(sealed.second) == lifetime
    assert_both_ways(sealed)


def test_a_secret_is_changed_without_a_gap_and_without_a_load(sealed):
    marks = {server: server.mark() for server in sealed.servers.values()}
    for text in (f"{OLD}\n{NEW}\n", f"{NEW}\n{OLD}\n", f"{NEW}\n"):
        for server in sealed.servers.values():
            give_secret(server, text)
            assert_both_ways(sealed)
    for server, mark in marks.items():
        assert not server.logged("FAILOVER_SYNC_PUSH_FAILED|FAILOVER_SYNC_REQUEST_REFUSED", mark)


def test_a_wrong_secret_changes_nothing_and_both_say_why(sealed):
    first, second = sealed.first, sealed.second
    before = lifetime_of(second)
    give_secret(second, OLD + "\n")
    try:
        lifetime = change(first)
        error = wait_until(lambda: first.sync_status().get("last-error"), 10, "the first one says why")
        assert "shared-secret-file" in error and "server1" in error and "server2" in error, error
        wait_until(lambda: refused(second, "wrong") > 0, 10, "the second one counts it")
        assert "shared-secret-file" in second.sync_status()["refused-requests"]["last"]
        stays(lambda: lifetime_of(second) == before, 1, "nothing changes")
    finally:
        give_secret(second, NEW + "\n")
    wait_until(lambda: lifetime_of(second) == lifetime, 10, "with the right secret the change arrives")
    sealed.wait_settled()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_secret_that_others_may_use_is_not_used(sealed, mode):
    first, second = sealed.first, sealed.second
    before = lifetime_of(second)
    give_secret(first, NEW + "\n", mode)
    try:
        lifetime = change(first)
        error = wait_until(lambda: first.sync_status().get("last-error"), 10, "the reason is told")
        assert f"{mode:04o}" in error and "chmod 0600" in error, error
        assert lifetime_of(second) == before
    finally:
        give_secret(first, NEW + "\n")
    wait_until(lambda: lifetime_of(second) == lifetime, 10, "the change arrives")
    sealed.wait_settled()


def test_accept_from_partners_needs_a_secret(sealed):
    first, mark = sealed.first, sealed.first.mark()
    configuration = json.loads(json.dumps(first.configuration))
    hook = next(hook for hook in configuration["hooks-libraries"] if "failover_sync" in hook["library"])
    del hook["parameters"]["shared-secret-file"]
    hook["parameters"]["accept-from"] = "partners"
    answer = first.ask("config-set", {"Dhcp4": configuration})
    lines = first.logged("FAILOVER_SYNC_IDLE", mark)
    assert answer["result"] == 0 and lines and "shared-secret-file" in lines[0], (answer, lines)
    first.command("config-reload")
    sealed.wait_settled(60)
