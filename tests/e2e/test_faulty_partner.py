"""A partner that answers nonsense, or nothing, costs nothing but the wait: a clear error, the queue kept, the server
alive and serving, and the change delivered once the partner is well."""

import pytest
from lab import config
from lab.faulty import BEHAVIOURS, PORT, FaultyPartner
from lab.network import SERVER_ADDRESSES
from lab.operations import ended
from lab.waiting import wait_until

LIBRARY = {"server1": {"partners": {"server2": {"url": f"http://{SERVER_ADDRESSES['server2']}:{PORT}/"}},
                       "retry": {"min-ms": 50, "max-ms": 300}}}

# What must be said, so that an administrator knows what to look for. Case does not matter.
WORDS = {"401": "401", "500": "500", "refuses": "cannot parse this scope", "unknown command": "scope-receive"}


@pytest.fixture(scope="module")
def lonely_pair():
    """The first server's library believes its partner at a port where only the faulty one listens."""
    from lab.pair import Pair
    pair = Pair([config.scope(1), config.link_scope()], library_parameters=LIBRARY)
    try:
        yield pair.start()
    finally:
        pair.remove()


def complaint(server, number):
    """What an administrator is told: of the partner, or of this scope. None before the first answer."""
    reason = (server.sync_status().get("last-error")
              or server.command("scope-get", {"subnet-id": number})["scope"].get("sync-reason"))
    return None if reason == "waiting to be sent" else reason


_number = iter(range(50, 200))


@pytest.mark.parametrize("behaviour", list(BEHAVIOURS))
def test_the_queue_survives(lonely_pair, behaviour):
    first, number = lonely_pair.first, next(_number)
    partner = FaultyPartner(lonely_pair.second.namespace, lonely_pair.second.address, behaviour)
    try:
        first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(number)))
        wait_until(lambda: partner.requests, 10, "the partner is asked")
        if behaviour not in ("never", "huge", "pending for ever"):
            error = wait_until(lambda: complaint(first, number), 10, "the status says what is wrong")
            assert WORDS.get(behaviour, "").lower() in error.lower(), error
            assert len(error) > 15, error
            operation = ended(first, first.command("scope-replicate", {"subnet-ids": [number]})["operation-id"])
            assert operation["state"] == "CompletedWithFailure" and operation["fault"]["code"] == "Receiver", operation
            assert WORDS.get(behaviour, "").lower() in operation["fault"]["reason"].lower(), operation
        wait_until(lambda: first.command("scope-get", {"subnet-id": number})["scope"]["sync-status"] == "OutOfSync", 2,
                   "the new scope is mirrored as out of sync")
        status = first.sync_status()
        assert status["out-of-sync"] >= 1, status
        if behaviour != "refuses":  # a scope that was refused need not be offered again before it changes
            assert status["queued"] >= 1, status
        assert first.alive and number in first.scopes()
    finally:
        partner.close()


def test_the_change_arrives_when_the_partner_is_well_again(lonely_pair):
    """All of the above is still waiting; the library is now told the true address."""
    def true_address(dhcp4):
        ours = next(hook for hook in dhcp4["hooks-libraries"] if "failover_sync" in hook["library"])
        del ours["parameters"]["partners"]
    lonely_pair.first.change_by_file(true_address)
    lonely_pair.wait_agree(15)
    lonely_pair.wait_settled()
    assert set(lonely_pair.second.scopes()) >= {50, 51, 52}
    assert not lonely_pair.first.sync_status().get("last-error")


def test_a_stopped_partner_does_not_hold_up_the_server(make_pair):
    """SIGSTOP: the partner's kernel accepts connections, nobody answers. Commands and reloads here stay quick."""
    import signal
    import time
    pair = make_pair([config.scope(1)]).start()
    pair.wait_settled()
    pair.second.process.send_signal(signal.SIGSTOP)
    for number in (2, 3, 4):
        started = time.monotonic()
        pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(number)))
        wait_until(lambda: pair.first.sync_status().get("queued", 0) >= 1, 1, "the change is queued")
        assert time.monotonic() - started < 2, "the server waits for its partner"
    pair.second.process.send_signal(signal.SIGCONT)
    pair.wait_agree(30)
    assert {2, 3, 4} <= set(pair.second.scopes())


def test_a_scope_the_partner_cannot_parse_does_not_hold_up_others(make_pair):
    """The scope's lifetimes do not fit the partner's global one."""
    pair = make_pair([config.scope(1)]).start()
    pair.wait_settled()

    def with_lifetimes(dhcp4):
        dhcp4["valid-lifetime"] = 6000
        dhcp4["subnet4"].append(config.scope(5, **{"min-valid-lifetime": 5000, "max-valid-lifetime": 7000}))
        dhcp4["subnet4"].append(config.scope(6))
    pair.first.change_by_file(with_lifetimes)
    wait_until(lambda: 6 in pair.second.scopes(), 1, "the good scope arrives")

    def refused():
        state = pair.first.command("scope-get", {"subnet-id": 5})["scope"]
        return state if state["sync-status"] == "OutOfSync" and "refused" in state.get("sync-reason", "") else None
    state = wait_until(refused, 5, "the other one is out of sync, with a reason")
    assert "valid-lifetime" in state["sync-reason"], state
    assert 5 not in pair.second.scopes() and pair.second.alive
    assert pair.first.logged("FAILOVER_SYNC_SCOPE_OUT_OF_SYNC")

    def repaired(dhcp4):
        dhcp4["valid-lifetime"] = 6000
    pair.second.change_by_file(repaired)
    pair.wait_normal()
    pair.first.command("scope-replicate", {"subnet-ids": [5]})
    wait_until(lambda: 5 in pair.second.scopes(), 5, "with the same lifetime there, the scope is accepted")
