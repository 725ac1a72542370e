"""What was configured is what travels: in the words in which somebody wrote it, without what it inherits, and served by
both servers byte for byte."""

import itertools
import json
import os
import sqlite3

import pytest
from lab import config, keywords, load
from lab import pair as lab_pair
from lab.waiting import stays, wait_until

QUICK = {"both": {"reconcile-interval": 1}}
BYTES = "0104C0A80001"
LINK = config.link_scope()["id"]


def raw(data=BYTES, code=43):
    return [{"code": code, "csv-format": False, "data": data}]


def state(server, number):
    scope = server.command("scope-get", {"subnet-id": number})["scope"]
    return scope["sync-status"], scope.get("sync-reason", "")


def definition(server, number):
    return server.command("scope-get", {"subnet-id": number})["scope"]["definition"]


def kept(server, number):
    """The text of a scope as the server's tables have it, which mirror what runs."""
    with sqlite3.connect(f"file:{server.store}?mode=ro", uri=True) as store:
        return store.execute("SELECT Definition FROM ADM_DHCPScopesTable AS scope JOIN ADM_DHCPServersTable AS server ON "
                             "server.RecordId = DHCPServerRecordId WHERE IsLocal AND SubnetId = ? UNION ALL SELECT ''",
                             [number]).fetchone()[0]


def wait_in_sync(pair, number):
    def in_sync():
        return [state(server, number)[0] for server in (pair.first, pair.second)] == ["InSync", "InSync"]
    wait_until(in_sync, 10, f"scope {number} is in sync on both")


def wait_arrived(pair, number, text):
    """The second server has a text in its scope, by its tables: Kea does not print all of them."""
    def arrived():
        return text in kept(pair.second, number)
    wait_until(arrived, 5, f"{text} arrives")
    wait_in_sync(pair, number)


def subnet_of(dhcp4, number):
    return next(subnet for subnet in dhcp4["subnet4"] if subnet["id"] == number)


def put(server, number, **more):
    """Replaces scope `number` in what the server was last given."""
    def edit(dhcp4):
        dhcp4["subnet4"] = [subnet for subnet in dhcp4["subnet4"] if subnet["id"] != number]
        dhcp4["subnet4"].append(config.scope(number, **more))
    server.change_by_set(edit)


@pytest.fixture(scope="module")
def quick_pair():
    pair = lab_pair.Pair([config.scope(1), config.scope(2)], library_parameters=QUICK)
    try:
        yield pair.start()
    finally:
        pair.remove()


# ---- what clients get ----

MACS = [f"02:00:00:00:00:{number:02x}" for number in range(1, 17)]
_clients = itertools.count()


def leases_of_both(pair, options=()):
    """Leases of as many clients as it takes until each server has given one: by the server's address."""
    leases = {}
    for mac in MACS:
        namespace = pair.network.add_client(f"k{next(_clients)}")
        pair.network.ip(namespace, "link", "set", "eth0", "address", mac)
        lease = load.lease_of_client(pair.network, namespace, os.path.dirname(pair.second.path("")), options=options)
        assert lease, "a client got no lease"
        leases[lease["server"]] = lease
        if len(leases) == 2:
            return leases
    raise AssertionError(f"{len(MACS)} clients were all served by {list(leases)}")


def in_subnet(dhcp4):
    dhcp4["subnet4"][1]["option-data"] = raw()


def in_pool(dhcp4):
    for pool in dhcp4["subnet4"][1]["pools"]:
        pool["option-data"] = raw()


def in_reservation(dhcp4):
    dhcp4["subnet4"][1]["reservations"] = [{"hw-address": mac, "option-data": raw()} for mac in MACS]


def in_network(dhcp4):
    dhcp4["shared-networks"] = [{"name": "campus", "option-data": raw(), "subnet4": [dhcp4["subnet4"].pop(1)]}]


@pytest.mark.parametrize("place", [in_subnet, in_pool, in_reservation, in_network])
def test_a_raw_option_is_served_by_both_byte_for_byte(make_pair, place):
    pair = make_pair([config.scope(1), config.link_scope()], library_parameters=QUICK).start()
    pair.wait_settled()
    pair.first.change_by_file(place)
    wait_arrived(pair, LINK, BYTES)
    for server, lease in leases_of_both(pair, options=[43]).items():
        assert lease.get("opt43", "").upper() == BYTES, f"{server}: {lease}"


def test_a_global_of_each_server_stays_at_home_and_makes_no_conflict(make_pair):
    """A scope without a lifetime has that of the server that serves it."""
    pair = make_pair([config.scope(1), config.link_scope()], library_parameters=QUICK)
    pair.second.write({**pair.second.configuration, "valid-lifetime": 7200})
    pair.start()
    pair.wait_settled()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"][1].update({"user-context": {"room": "attic"}}))
    wait_arrived(pair, LINK, "attic")
    for server in (pair.first, pair.second):
        assert not server.logged("FAILOVER_SYNC_CONFLICT")
        assert "valid-lifetime" not in definition(server, LINK)["subnet4"]
    lifetimes = {server: int(lease["lease"]) for server, lease in leases_of_both(pair).items()}
    assert lifetimes == {pair.first.address: 3600, pair.second.address: 7200}
    pair.first.change_by_file(lambda dhcp4: dhcp4.update({"valid-lifetime": 1800}))
    stays(lambda: pair.second.scopes()[LINK]["subnet4"]["valid-lifetime"] == 7200, 2, "a global is not sent")
    wait_in_sync(pair, LINK)


# ---- words ----

WRITTEN = [
    config.scope(7),
    config.scope(7, **{"valid-lifetime": 3600, "user-context": {"comment": "as the global, and said"}}),
    {"id": 7, "subnet": "10.100.7.0/24", "pools": [{"pool": "10.100.7.128/25"}, {"pool": "10.100.7.10-10.100.7.20"}],
     "option-data": [{"name": "routers", "data": "10.100.7.1"}, {"code": 42, "data": "10.0.0.1, 10.0.0.2"}],
     "relay": {"ip-addresses": ["10.9.9.9"]}},
    config.scope(7, reservations=[{"hw-address": "0A:00:00:00:00:02", "hostname": "b"}, {"duid": "0102030405", "hostname": "a"}]),
]


@pytest.mark.parametrize("written", WRITTEN, ids=["plain", "as inherited", "spelled", "reservations"])
def test_a_scope_travels_as_it_was_written(quick_pair, written):
    pair = quick_pair

    def edit(dhcp4):
        dhcp4["subnet4"] = [subnet for subnet in dhcp4["subnet4"] if subnet["id"] != 7] + [written]
    pair.first.change_by_set(edit)

    def expected(subnet):
        listed = sorted(subnet.get("reservations", []), key=lambda host: json.dumps(host, sort_keys=True))
        return {**subnet, **({"reservations": listed} if listed else {})}
    wait_until(lambda: expected(definition(pair.second, 7)["subnet4"]) == expected(written), 5, "it arrives as written")
    wait_in_sync(pair, 7)
    assert expected(definition(pair.first, 7)["subnet4"]) == expected(written)
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"].pop())
    wait_until(lambda: 7 not in pair.second.scopes(), 5, "it goes")


def test_two_spellings_of_a_scope_are_no_conflict(make_pair):
    one = [config.scope(1, **{"option-data": [{"name": "routers", "data": "10.100.1.1"}, {"code": 42, "data": "10.0.0.1"}],
                              "reservations": [{"hw-address": "02:00:00:00:00:0a", "ip-address": "10.100.1.5"}]}),
           {"id": 2, "subnet": "10.100.2.0/24", "pools": [{"pool": "10.100.2.64/26"}, {"pool": "10.100.2.10 - 10.100.2.20"}]}]
    other = [{"id": 1, "subnet": "10.100.1.0/24", "pools": [{"pool": "10.100.1.10-10.100.1.250", "option-data": []}],
              "option-data": [{"code": 42, "space": "dhcp4", "data": "0A000001", "csv-format": False},
                              {"code": 3, "data": "10.100.1.1", "always-send": False}],
              "reservations": [{"hw-address": "02:00:00:00:00:0A", "ip-address": "10.100.1.5", "hostname": ""}]},
             {"id": 2, "subnet": "10.100.2.0/24", "reservations": [],
              "pools": [{"pool": "10.100.2.10-10.100.2.20"}, {"pool": "10.100.2.64 - 10.100.2.127"}]}]
    pair = make_pair(one, scopes2=other, library_parameters=QUICK).start()
    pair.wait_settled()
    for server in (pair.first, pair.second):
        assert not server.logged("FAILOVER_SYNC_CONFLICT") and not server.logged("FAILOVER_SYNC_RECEIVED.* [1-9]\\d* applied")
    pair.first.restart()
    pair.wait_normal()
    pair.wait_settled()
    assert not pair.first.logged("FAILOVER_SYNC_CONFLICT")


# What a release or other prints with other digits, or as no JSON at all.
CONTEXTS = {
    "a small number": ({"w": 1e-07}, "1e-07"),
    "a large number": ({"deep": [{"w": 1e25}]}, "1e+25"),
    "many digits": ({"lat": 52.5200066}, "52.5200066"),
    "a keyword with a quote": ({'a"b': 1}, 'a\\"b'),
}


@pytest.mark.parametrize("what", CONTEXTS)
def test_what_kea_does_not_print_arrives(quick_pair, what):
    pair = quick_pair
    context, shown = CONTEXTS[what]
    put(pair.first, 90, **{"user-context": context})
    try:
        wait_arrived(pair, 90, shown)
        assert json.loads(kept(pair.second, 90))["subnet4"]["user-context"] == context
        assert pair.second.command("scope-get", {"subnet-id": 90}), "an answer is JSON, whatever Kea makes of numbers"
    finally:
        put(pair.first, 90)
        wait_until(lambda: "user-context" not in kept(pair.second, 90), 5, "it goes again")


def test_many_digits_in_a_keyword_of_keas_are_served_by_both(quick_pair):
    pair = quick_pair
    put(pair.first, 91, **{"calculate-tee-times": True, "t1-percent": 0.123456789, "t2-percent": 0.8})
    wait_arrived(pair, 91, "0.123456789")


def test_a_nul_in_a_text_goes_through(quick_pair):
    pair = quick_pair
    text = "before\u0000after \"quoted\" \u00fc \u0001"
    put(pair.first, 92, **{"user-context": {"note": text}})
    wait_until(lambda: 92 in pair.second.scopes(), 5, "it arrives")
    arrived = pair.second.scopes()[92]["subnet4"]["user-context"]["note"]
    assert arrived == pair.first.scopes()[92]["subnet4"]["user-context"]["note"] and "\u0000after" in arrived
    wait_in_sync(pair, 92)
    assert definition(pair.first, 92)["subnet4"]["user-context"]["note"].startswith("before\u0000after")


PLACES = {
    "subnet": lambda options: {"option-data": options},
    "pool": lambda options: {"pools": [{"pool": "10.100.7.10 - 10.100.7.250", "option-data": options}]},
    "reservation": lambda options: {"reservations": [
        {"hw-address": "02:00:00:00:00:01", "ip-address": "10.100.7.5", "option-data": options}]},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", keywords.OPTIONS)
def test_an_option_of_every_kind_goes(quick_pair, place, name):
    pair, options = quick_pair, [keywords.OPTIONS[name]]
    if name == "empty":
        options.append(keywords.OPTIONS["in a space of its own"])
    put(pair.first, 7, **PLACES[place](options))

    def arrived():
        here, there = (lab_pair.shared_view(server.scopes()).get(7) for server in (pair.first, pair.second))
        return here == there and definition(pair.first, 7) == definition(pair.second, 7)
    wait_until(arrived, 5, "it has arrived")
    wait_in_sync(pair, 7)


# ---- restarts and files ----

def test_raw_options_survive_restarts_and_edits_on_both(make_pair):
    pair = make_pair([config.scope(1), config.scope(7, **PLACES["pool"](raw()))], library_parameters=QUICK).start()
    pair.wait_settled()
    for server, other in ((pair.first, pair.second), (pair.second, pair.first)):
        server.change_by_file(lambda dhcp4, name=server.name: dhcp4["subnet4"][1].update({"user-context": {"by": name}}))
        wait_until(lambda: definition(other, 7)["subnet4"].get("user-context") == {"by": server.name}, 5, "it goes")
        server.restart()
        other.restart()
        pair.wait_normal()
        pair.wait_settled()
        for each in (server, other):
            text = json.dumps(definition(each, 7))
            assert BYTES in text and server.name in text, f"{each.name}: {text}"


def write_configuration(server):
    """An administrator's config-write, which the server has in its file from now on."""
    server.command("config-write", {"filename": server.inside("kea-dhcp4.conf")})


@pytest.mark.parametrize("named", [False, True], ids=["by itself", "by name"])
def test_a_file_that_the_server_has_written_is_no_edit(make_pair, named):
    """It has all that a scope inherits among the scope's words; and the partner may change the scope after that."""
    pair = make_pair([config.scope(1)], library_parameters=QUICK).start()
    pair.wait_settled()
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(9, **{"user-context": {"by": "first"}})))
    wait_arrived(pair, 9, "first")
    if named:
        write_configuration(pair.second)
    else:
        pair.second.command("config-write")
    wait_until(lambda: pair.second.command("failover-status")["scopes-not-in-file"] == 0, 5, "it is in the file")
    pair.second.restart()
    pair.wait_normal()
    pair.wait_settled()
    assert "valid-lifetime" not in definition(pair.second, 9)["subnet4"]
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"][1].update({"user-context": {"by": "first again"}}))
    wait_arrived(pair, 9, "first again")
    pair.second.restart()
    pair.wait_normal()
    pair.wait_settled()
    for server in (pair.first, pair.second):
        assert definition(server, 9)["subnet4"]["user-context"] == {"by": "first again"}
    assert not pair.second.logged("FAILOVER_SYNC_CONFLICT")


def test_a_file_written_elsewhere_is_not_the_servers(make_pair):
    pair = make_pair([config.scope(1)], library_parameters=QUICK).start()
    pair.wait_settled()
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(9)))
    wait_in_sync(pair, 9)
    pair.second.command("config-write", {"filename": pair.second.inside("copy.conf")})
    stays(lambda: pair.second.command("failover-status")["scopes-not-in-file"] == 1, 1.5, "it is in a copy only")


def lose_in_print(pair, more, text):
    """The second server's file is written by itself, which says less of the scope of the link than there is."""
    pair.wait_settled()
    pair.first.change_by_set(lambda dhcp4: subnet_of(dhcp4, LINK).update(more))
    wait_arrived(pair, LINK, text)
    pair.second.command("config-write")
    wait_until(lambda: pair.second.command("failover-status")["scopes-not-in-file"] == 0, 5, "it is in the file")
    pair.second.restart()
    pair.wait_normal()
    pair.wait_settled()
    for server in (pair.first, pair.second):
        assert text in kept(server, LINK), server.name
    wait_in_sync(pair, LINK)


def test_a_number_that_kea_loses_in_its_own_file_comes_back(make_pair):
    pair = make_pair([config.scope(1), config.link_scope()], library_parameters=QUICK).start()
    lose_in_print(pair, {"user-context": {"lat": 52.5200066}}, "52.5200066")


def test_an_option_that_kea_loses_in_its_own_file_is_served(make_pair):
    pair = make_pair([config.scope(1), config.link_scope()], library_parameters=QUICK).start()
    lose_in_print(pair, {"option-data": raw()}, BYTES)
    for server, lease in leases_of_both(pair, options=[43]).items():
        assert lease.get("opt43", "").upper() == BYTES, f"{server}: {lease}"


SPELLINGS = [
    [{"name": "routers", "data": "10.100.7.1,10.100.7.2"}, {"name": "domain-name", "data": "example.org"}],
    [{"code": 15, "data": "example.org"}, {"code": 3, "data": "10.100.7.1, 10.100.7.2"}],
]


def test_a_scope_that_was_spelled_anew_is_no_edit_when_the_server_writes_it(make_pair):
    pair = make_pair([config.scope(1), config.scope(7, **{"option-data": SPELLINGS[0]})], library_parameters=QUICK).start()
    pair.wait_settled()
    pair.second.change_by_file(lambda dhcp4: subnet_of(dhcp4, 7).update({"option-data": SPELLINGS[1]}))
    pair.wait_settled()
    pair.second.command("config-write")
    pair.second.restart()
    pair.wait_normal()
    pair.wait_settled()
    for server in (pair.first, pair.second):
        assert "valid-lifetime" not in definition(server, 7)["subnet4"], server.name
    assert not pair.first.logged("FAILOVER_SYNC_RECEIVED.* [1-9]\\d* applied")


def test_a_member_alone_follows_its_network(make_pair):
    """A subnet inherits when it is parsed: one that does not come along with its network is parsed again."""
    network = {"name": "campus", "valid-lifetime": 1111, "subnet4": [config.scope(7), config.scope(8)]}
    pair = make_pair([config.scope(1)], library_parameters={"both": {"reconcile-interval": 1, "replicate": "manual"}})
    for server in (pair.first, pair.second):
        server.write({**server.configuration, "shared-networks": [network]})
    pair.start()
    pair.first.change_by_set(lambda dhcp4: dhcp4["shared-networks"][0].update({"valid-lifetime": 2222}))
    pair.first.command("scope-replicate", {"subnet-ids": [7]})
    wait_until(lambda: pair.second.scopes()[7]["subnet4"]["valid-lifetime"] == 2222, 5, "the scope arrives with its network")
    wait_until(lambda: pair.second.scopes()[8]["subnet4"]["valid-lifetime"] == 2222, 5, "the other one serves the new lifetime")
    assert "valid-lifetime" not in json.loads(kept(pair.second, 8))["subnet4"]


def test_what_config_get_said_before_is_no_edit_when_it_comes_back(make_pair):
    """Somebody asks for the configuration, the partner changes a scope, and then the other one is set, with the rest as it
    was said: in the server's words of that time."""
    pair = make_pair([config.scope(1), config.scope(7), config.scope(8)], library_parameters=QUICK).start()
    pair.wait_settled()
    said = pair.second.command("config-get")
    said.pop("hash", None)
    pair.first.change_by_set(lambda dhcp4: subnet_of(dhcp4, 7).update({"user-context": {"by": "first"}}))
    wait_arrived(pair, 7, "first")
    subnet_of(said["Dhcp4"], 8)["user-context"] = {"by": "second"}
    pair.second.command("config-set", said)
    wait_until(lambda: "second" in kept(pair.first, 8), 5, "the edit arrives")
    wait_in_sync(pair, 7)
    wait_in_sync(pair, 8)
    for server in (pair.first, pair.second):
        assert definition(server, 7)["subnet4"] == {**config.scope(7), "user-context": {"by": "first"}}, server.name
        assert not server.logged("FAILOVER_SYNC_CONFLICT")


def test_a_file_that_the_server_has_written_changes_nothing_at_any_load(make_pair):
    pair = make_pair([config.scope(1), config.scope(7)], library_parameters=QUICK).start()
    pair.wait_settled()
    pair.second.command("config-write")
    for _ in range(2):
        pair.second.restart()
        pair.wait_normal()
        pair.wait_settled()
    pair.second.command("config-reload")
    pair.wait_settled()
    assert not pair.second.logged("FAILOVER_SYNC_RESTORED")
    assert definition(pair.second, 7)["subnet4"] == config.scope(7)


def test_what_a_file_that_the_server_has_written_says_is_served(make_pair):
    """Its scopes have lifetimes of their own, whatever becomes of the global beside them."""
    pair = make_pair([config.scope(1), config.scope(7)], library_parameters=QUICK).start()
    pair.wait_settled()
    pair.second.command("config-write")
    pair.second.stop()
    with open(pair.second.path("kea-dhcp4.conf"), encoding="utf-8") as file:
        written = json.load(file)
    assert subnet_of(written["Dhcp4"], 7)["valid-lifetime"] == 3600
    written["Dhcp4"]["valid-lifetime"] = 7200
    with open(pair.second.path("kea-dhcp4.conf"), "w", encoding="utf-8") as file:
        json.dump(written, file)
    pair.second.start()
    pair.wait_normal()
    pair.wait_settled()
    assert pair.second.scopes()[7]["subnet4"]["valid-lifetime"] == 3600
    wait_until(lambda: definition(pair.first, 7)["subnet4"].get("valid-lifetime") == 3600, 5, "it is an edit")
    wait_in_sync(pair, 7)
