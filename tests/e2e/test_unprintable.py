"""Scopes that a release of Kea does not print as it has them: they are out of sync with the reason, are neither sent nor
overwritten, and stop nothing else."""

import json

import pytest
from lab import config, keywords
from lab import pair as lab_pair
from lab.waiting import stays, wait_until

QUICK = {"both": {"reconcile-interval": 1}}
BYTES = "0104C0A80001"


def raw(data=BYTES, code=43):
    return [{"code": code, "csv-format": False, "data": data}]


def loses_raw_options(server):
    """From 2.6.0 on, the data of an option of type empty."""
    return server.release.version >= (2, 6)


def state(server, number):
    scope = server.command("scope-get", {"subnet-id": number})["scope"]
    return scope["sync-status"], scope.get("sync-reason", "")


def put(server, number, **keywords):
    """Replaces scope `number` in what the server was last given."""
    def edit(dhcp4):
        dhcp4["subnet4"] = [subnet for subnet in dhcp4["subnet4"] if subnet["id"] != number]
        dhcp4["subnet4"].append(config.scope(number, **keywords))
    server.change_by_set(edit)


def wait_out_of_sync(server, number, *words):
    def out():
        status, reason = state(server, number)
        return status == "OutOfSync" and all(word in reason for word in words)
    try:
        wait_until(out, 15, f"scope {number} is out of sync at {server.name}, with {words}")
    except AssertionError as late:
        raise AssertionError(f"{late}: {state(server, number)}") from None


# What is in the scope, and words of the reason where the release at hand does not print it.
CASES = [
    ("a small number", {"user-context": {"w": 1e-07}}, ["user-context/w", "1e-07"]),
    ("a large number", {"user-context": {"deep": [{"w": 1e25}]}}, ["user-context/deep/w"]),
    ("many digits", {"user-context": {"lat": 52.5200066}}, ["user-context/lat", "52.520006"]),
    ("many digits in a keyword of Kea's", {"calculate-tee-times": True, "t1-percent": 0.123456789, "t2-percent": 0.8},
     ["t1-percent", "0.12345678"]),
    ("a keyword with a quote", {"user-context": {'a"b': 1}}, ["user-context"]),
    ("a keyword with a NUL", {"user-context": {"a\u0000b": 1}}, ["user-context"]),
]


@pytest.fixture(scope="module")
def quick_pair():
    pair = lab_pair.Pair([config.scope(1), config.scope(2)], library_parameters=QUICK)
    try:
        yield pair.start()
    finally:
        pair.remove()


@pytest.mark.parametrize("what, keywords, words", CASES, ids=[case[0] for case in CASES])
def test_it_is_told_or_arrives_and_others_go_on(quick_pair, what, keywords, words):
    """A release that prints it right replicates it."""
    pair = quick_pair
    pair.wait_normal()
    number = 100 + [case[0] for case in CASES].index(what)
    before = pair.second.scopes()
    put(pair.first, number, **keywords)
    put(pair.first, number + 100)
    wait_until(lambda: number + 100 in pair.second.scopes(), 5, "a scope beside it arrives")

    def settled():
        return number in pair.second.scopes() or state(pair.first, number)[0] == "OutOfSync"
    wait_until(settled, 5, "it arrives or is out of sync")
    if number not in pair.second.scopes():
        wait_out_of_sync(pair.first, number, "Kea does not print", *words)
        assert number not in before and pair.first.sync_status()["out-of-sync"] >= 1
        stays(lambda: number not in pair.second.scopes(), 1.5, "it is not sent")
    put(pair.first, number, **{"valid-lifetime": 1234})
    wait_until(lambda: number in pair.second.scopes() and state(pair.first, number)[0] == "InSync", 5, "without it, it goes")


def test_a_nul_in_a_text_goes_through(quick_pair):
    pair = quick_pair
    text = "before\u0000after \"quoted\" \u00fc \u0001"
    put(pair.first, 90, **{"user-context": {"note": text}})
    wait_until(lambda: 90 in pair.second.scopes(), 5, "it arrives")
    arrived = pair.second.scopes()[90]["subnet4"]["user-context"]["note"]
    assert arrived == pair.first.scopes()[90]["subnet4"]["user-context"]["note"] and "\u0000after" in arrived
    wait_until(lambda: state(pair.first, 90)[0] == "InSync", 5, "it is in sync")
    shown = pair.first.command("scope-get", {"subnet-id": 90})["scope"]["definition"]["subnet4"]
    assert shown["user-context"]["note"].startswith("before\u0000after")


PLACES = {
    "subnet": lambda options: {"option-data": options},
    "pool": lambda options: {"pools": [{"pool": "10.100.7.10 - 10.100.7.250", "option-data": options}]},
    "reservation": lambda options: {"reservations": [
        {"hw-address": "02:00:00:00:00:01", "ip-address": "10.100.7.5", "option-data": options}]},
}


@pytest.mark.parametrize("place", PLACES)
def test_raw_options_are_kept_by_both(make_pair, place):
    """Neither is sent, and a version of the partner's that lacks them is refused, whatever is edited and restarted."""
    pair = make_pair([config.scope(1), config.scope(7, **PLACES[place](raw()))], library_parameters=QUICK).start()
    first, second = pair.first, pair.second
    if not loses_raw_options(first):
        pair.wait_settled()
        first.change_by_set(lambda dhcp4: dhcp4["subnet4"][1].update({"valid-lifetime": 1111}))
        wait_until(lambda: second.scopes()[7]["subnet4"]["valid-lifetime"] == 1111, 5, "it goes")
        assert BYTES in json.dumps(second.scopes()[7])
        wait_until(lambda: state(first, 7)[0] == "InSync", 5, "it is in sync")
        return
    for server in (first, second):
        wait_out_of_sync(server, 7, "option 43", BYTES)
    first.change_by_file(lambda dhcp4: dhcp4["subnet4"][1].update({"valid-lifetime": 1111}))
    first.change_by_file(lambda dhcp4: dhcp4["subnet4"][0].update({"valid-lifetime": 2222}))
    wait_until(lambda: second.scopes()[1]["subnet4"]["valid-lifetime"] == 2222, 5, "another scope goes on")
    stays(lambda: second.scopes()[7]["subnet4"]["valid-lifetime"] == 3600, 2, "it is not sent")
    first.restart()
    pair.wait_normal()
    wait_out_of_sync(first, 7, "option 43", BYTES)
    assert first.scopes()[7]["subnet4"]["valid-lifetime"] == 1111

    # The partner's own version has no raw option any more: it is sent, and refused.
    second.change_by_file(lambda dhcp4: dhcp4["subnet4"].__setitem__(1, config.scope(7, **{"valid-lifetime": 3333})))
    wait_out_of_sync(second, 7, "server1", "option 43")
    wait_out_of_sync(first, 7, "option 43", BYTES)
    stays(lambda: first.scopes()[7]["subnet4"]["valid-lifetime"] == 1111, 1, "it is not overwritten")
    second.change_by_file(lambda dhcp4: dhcp4["subnet4"].pop(1))
    stays(lambda: 7 in first.scopes(), 2, "nor removed")
    second.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(7, **{"valid-lifetime": 3333})))

    # Written otherwise, it is like any other.
    first.change_by_file(lambda dhcp4: dhcp4["subnet4"].__setitem__(1, config.scope(7, **{"valid-lifetime": 4444})))
    wait_until(lambda: second.scopes()[7]["subnet4"]["valid-lifetime"] == first.scopes()[7]["subnet4"]["valid-lifetime"], 10,
               "one version counts")
    pair.wait_settled()


def test_one_that_only_the_partner_has_is_told_here(make_pair):
    """What one server added that its Kea does not print: the other one knows that it has an older version."""
    pair = make_pair([config.scope(1)], library_parameters=QUICK).start()
    pair.wait_settled()
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"][0].update({"user-context": {"w": 1e-07, "lat": 52.5200066}}))
    wait_out_of_sync(pair.first, 1, "user-context")
    wait_out_of_sync(pair.second, 1, "server1", "user-context")
    mark = pair.second.mark()
    stays(lambda: state(pair.second, 1)[0] == "OutOfSync", 3, "it stays so")
    assert not pair.second.logged("FAILOVER_SYNC_RECONCILED", mark), "and is not told every time"
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"][0].pop("user-context"))
    pair.wait_settled()


def test_a_shared_network_keeps_its_raw_options(make_pair):
    """The partner's member of it would bring the network's parameters along."""
    network_of = {"name": "campus", "option-data": raw(), "subnet4": [config.scope(7)]}
    plain = {"name": "campus", "subnet4": [config.scope(8)]}
    pair = make_pair([config.scope(1)], library_parameters=QUICK)
    if not loses_raw_options(pair.first):
        pytest.skip("this release prints them")
    pair.first.write({**pair.first.configuration, "shared-networks": [network_of]})
    pair.second.write({**pair.second.configuration, "shared-networks": [plain]})
    pair.start()
    wait_out_of_sync(pair.first, 7, "option 43 (dhcp4) of its shared network", BYTES)
    wait_out_of_sync(pair.second, 8, "server1", "shared network", BYTES)
    assert 7 not in pair.second.scopes()
    pair.second.change_by_set(lambda dhcp4: dhcp4["shared-networks"][0].update({"valid-lifetime": 2222}))
    stays(lambda: BYTES in state(pair.first, 7)[1], 3, "the network has its option yet, whatever comes")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", keywords.OPTIONS)
def test_options_that_are_printed_go(quick_pair, place, name):
    """What is read back is what the server has, whatever the option's kind: nothing is held without need."""
    pair, options = quick_pair, [keywords.OPTIONS[name]]
    if name == "empty":
        options.append(keywords.OPTIONS["in a space of its own"])
    put(pair.first, 7, **PLACES[place](options))

    def arrived():
        here, there = (lab_pair.shared_view(server.scopes()).get(7) for server in (pair.first, pair.second))
        return here == there and state(pair.first, 7)[0] == "InSync"
    wait_until(arrived, 5, "it has arrived and is in sync")
