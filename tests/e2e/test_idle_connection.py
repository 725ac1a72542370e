"""Connections that the other side closes: no answer is taken for that of another request, and no change waits for it."""

import time

import pytest
from campaign.proxy import Proxy
from lab import config
from lab.pair import Pair
from lab.waiting import wait_until

PROXY_PORT = 8098


def change_pool(server, end):
    """By an operation, which leaves the library, and its connections, as they are."""
    scope = server.command("scope-get", {"subnet-id": 1})["scope"]
    row = server.command("range-get-all", {"scope-record-id": scope["record-id"]})["ranges"][0]
    answer = server.ask("range-update", {"record-id": row["record-id"], "modified-properties": ["end-ip-address"],
                                         "end-ip-address": f"10.100.1.{end}"})
    assert answer["result"] == 0, answer


def assert_arrives(pair, end, seconds):
    begun = time.monotonic()
    change_pool(pair.first, end)
    wait_until(lambda: pair.second.scopes()[1]["subnet4"]["pools"][0]["pool"].replace(" ", "").endswith(f"-10.100.1.{end}"),
               seconds, "the change arrives", every=0.005)
    return time.monotonic() - begun


@pytest.fixture(scope="module")
def pair_between():
    """A pair whose first server reaches the second through somebody's hands, and is patient when it fails."""
    pair = Pair([config.scope(1), config.link_scope()],
                library_parameters={"server1": {"partners": {"server2": {"url": f"http://127.0.0.1:{PROXY_PORT}/"}},
                                                "retry": {"min-ms": 5000, "max-ms": 5000}}})
    try:
        port = config.CONTROL_PORT if pair.release.version >= (2, 7) else config.HTTP_PORT
        between = Proxy(pair.first.namespace, PROXY_PORT, (pair.second.address, port))
        pair.start()
        pair.wait_settled()
        yield pair, between
        between.close()
    finally:
        pair.remove()


def test_a_change_after_half_a_minute_of_silence_arrives_at_once(make_pair):
    """Kea's HTTP servers give up a connection on which nothing was said for 30 s: at that very moment, and around it."""
    pair = make_pair([config.scope(1), config.link_scope()],
                     library_parameters={"both": {"reconcile-interval": 3600, "retry": {"min-ms": 5000, "max-ms": 5000}}})
    pair.start()
    pair.wait_settled()
    mark = pair.first.mark()
    assert_arrives(pair, 50, 5)
    for end, seconds in ((51, 29.9), (52, 30.0), (53, 31.0)):
        time.sleep(seconds)
        assert_arrives(pair, end, 3)
        pair.wait_settled()
    assert not pair.first.logged("FAILOVER_SYNC_PUSH_FAILED", mark)


def test_a_connection_that_is_in_use_is_used_again(pair_between):
    """For the next batch, the question for its record, and the next change."""
    pair, between = pair_between
    assert_arrives(pair, 40, 5)
    made = between.connections
    for end in range(41, 47):
        assert_arrives(pair, end, 3)
        pair.wait_settled(4)
    assert between.connections <= made + 1 and len(between.requests) > 12


def test_an_answer_that_was_on_its_way_is_not_that_of_the_next_request(pair_between):
    """Each connection that is used a second time brings a 408 first: the request goes on a new one, at once."""
    pair, between = pair_between
    mark = pair.first.mark()
    between.fate = "timed out"
    for end in range(60, 66):
        assert_arrives(pair, end, 3)
        pair.wait_settled(4)
    assert not pair.first.logged("FAILOVER_SYNC_PUSH_FAILED", mark)
    assert not pair.first.sync_status().get("last-error")
