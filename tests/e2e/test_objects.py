"""What scopes need travels with them: classes of clients and definitions of options, each an object of its own."""

import os

import pytest
from lab import config, load
from lab import pair as lab_pair
from lab.waiting import stays, wait_until

QUICK = {"both": {"reconcile-interval": 1}}
GOLD = {"name": "gold", "test": "substring(option[60].hex,0,4) == 'udhc'",
        "option-data": [{"name": "routers", "data": "10.53.0.99"}]}
SHADE = {"name": "shade", "code": 250, "type": "string", "space": "dhcp4"}


def classes(server):
    return [entry["name"] for entry in server.running()["client-classes"]]


def a_class(server, name):
    return next((entry for entry in server.running()["client-classes"] if entry["name"] == name), None)


def definitions(server):
    return [(entry["space"], entry["code"]) for entry in server.running()["option-def"]]


def relationship(server):
    return server.command("failover-status")["relationships"][0]


def wait_objects_in_sync(pair):
    def in_sync():
        for server in (pair.first, pair.second):
            status = relationship(server)
            if status.get("objects") is None or status["objects-in-sync"] != status["objects"] or status["queued"] != 0:
                return False
        return True
    wait_until(in_sync, 10, "all objects are in sync on both")


def set_class(server, entry):
    def edit(dhcp4):
        kept = [other for other in dhcp4["client-classes"] if other["name"] != entry["name"]]
        dhcp4["client-classes"] = [*kept, entry]
    server.change_by_set(edit)


def drop_class(server, name):
    def edit(dhcp4):
        dhcp4["client-classes"] = [other for other in dhcp4["client-classes"] if other["name"] != name]
    server.change_by_set(edit)


@pytest.fixture(scope="module")
def quick_pair():
    pair = lab_pair.Pair([config.scope(1), config.link_scope()], mode="hot-standby", library_parameters=QUICK)
    try:
        yield pair.start()
    finally:
        pair.remove()


@pytest.fixture(autouse=True)
def settled(quick_pair):
    """Both servers run, and are at one."""
    for server in (quick_pair.first, quick_pair.second):
        if not server.alive:
            server.start()
    quick_pair.wait_settled()
    wait_objects_in_sync(quick_pair)


def test_what_both_have_from_the_start_is_in_sync_and_not_sent(quick_pair):
    status = relationship(quick_pair.first)
    assert status["objects"] == status["objects-in-sync"] >= 6 and status["objects-out-of-sync"] == []


def test_a_class_travels_and_its_clients_are_served_by_the_partner(quick_pair):
    quick_pair.first.change_by_file(lambda dhcp4: dhcp4["client-classes"].append(GOLD))
    wait_until(lambda: "gold" in classes(quick_pair.second), 5, "the class arrives")
    wait_objects_in_sync(quick_pair)
    quick_pair.first.stop()
    try:
        wait_until(lambda: quick_pair.second.ha_state() == "partner-down", 30, "the second server serves alone")
        client = quick_pair.network.add_client("gold")
        lease = load.lease_of_client(quick_pair.network, client, os.path.dirname(quick_pair.second.path("")))
        assert lease and lease["router"] == "10.53.0.99", f"not what the class says: {lease}"
    finally:
        quick_pair.first.start()
    quick_pair.wait_settled(60)


def test_a_change_by_the_partner_travels_back_and_keeps_the_place(quick_pair):
    set_class(quick_pair.second, {**GOLD, "next-server": "10.53.0.7"})
    wait_until(lambda: (a_class(quick_pair.first, "gold") or {}).get("next-server") == "10.53.0.7", 5, "the change arrives")
    wait_objects_in_sync(quick_pair)


def test_what_came_outlives_a_restart_of_either_server(quick_pair):
    set_class(quick_pair.first, {"name": "silver", "test": "member('gold')", "boot-file-name": "silver.img"})
    wait_until(lambda: "silver" in classes(quick_pair.second), 5, "the class arrives")
    wait_objects_in_sync(quick_pair)
    for server in (quick_pair.second, quick_pair.first):
        server.restart()
        server.wait_answering()
        assert a_class(server, "silver")["boot-file-name"] == "silver.img", f"{server.name} has lost it"
    quick_pair.wait_settled(60)
    wait_objects_in_sync(quick_pair)


def test_a_definition_and_the_scope_that_uses_it_arrive_together(quick_pair):
    def edit(dhcp4):
        dhcp4["option-def"].append(SHADE)
        dhcp4["subnet4"].append(config.scope(7, **{"option-data": [{"name": "shade", "data": "deep"}]}))
    quick_pair.first.change_by_set(edit)
    wait_until(lambda: 7 in quick_pair.second.scopes(), 5, "the scope arrives")
    assert ("dhcp4", 250) in definitions(quick_pair.second)
    quick_pair.wait_agree()
    wait_objects_in_sync(quick_pair)


def test_what_is_used_cannot_be_taken_away_and_says_by_what(quick_pair):
    def edit(dhcp4):
        dhcp4["option-def"] = [other for other in dhcp4["option-def"] if other["code"] != 250]
        for subnet in dhcp4["subnet4"]:
            if subnet["id"] == 7:
                del subnet["option-data"]
    quick_pair.first.change_by_set(edit)
    wait_until(lambda: ("dhcp4", 250) not in definitions(quick_pair.second), 10, "scope and definition go, one after the other")
    wait_objects_in_sync(quick_pair)


def test_a_removal_travels_and_what_the_partner_needs_says_so(quick_pair):
    """The partner has got a class meanwhile that names the one that goes."""
    set_class(quick_pair.second, {"name": "bronze", "test": "member('phones')"})
    wait_until(lambda: "bronze" in classes(quick_pair.first), 5, "the class arrives")
    wait_objects_in_sync(quick_pair)
    quick_pair.first.kill9()
    set_class(quick_pair.second, {"name": "tin", "test": "member('bronze')"})
    drop_class(quick_pair.second, "tin")
    drop_class(quick_pair.second, "bronze")
    quick_pair.first.start()
    wait_until(lambda: "bronze" not in classes(quick_pair.first), 20, "the removal arrives")
    quick_pair.wait_settled(60)
    wait_objects_in_sync(quick_pair)
    assert "bronze" not in classes(quick_pair.second) and "tin" not in classes(quick_pair.first)


def test_classes_that_need_one_another_come_back_in_their_order(quick_pair):
    """By their numbers, hashes of their names, one of these comes before the other that it names."""
    for name, test in (("first", "member('phones')"), ("second", "member('first')"), ("third", "member('second')"),
                       ("fourth", "member('third')")):
        set_class(quick_pair.second, {"name": name, "test": test})
    wait_until(lambda: "fourth" in classes(quick_pair.first), 10, "the classes arrive")
    wait_objects_in_sync(quick_pair)
    quick_pair.first.restart()
    quick_pair.first.wait_answering()
    there = classes(quick_pair.first)
    assert [name for name in there if name in ("first", "second", "third", "fourth")] == ["first", "second", "third", "fourth"]
    quick_pair.wait_settled(60)
    wait_objects_in_sync(quick_pair)
    for name in ("fourth", "third", "second", "first"):
        drop_class(quick_pair.second, name)
    wait_until(lambda: "first" not in classes(quick_pair.first), 10, "the removals arrive")


def test_the_tables_have_it(quick_pair):
    set_class(quick_pair.first, {"name": "plain", "test": "member('phones')"})
    wait_until(lambda: "plain" in classes(quick_pair.second), 5, "the class arrives")
    wait_objects_in_sync(quick_pair)

    def kept(server):
        import sqlite3  # noqa: PLC0415
        with sqlite3.connect(f"file:{server.store}?mode=ro", uri=True) as store:
            return store.execute("SELECT Kind, Name, ConfigSyncStatus FROM ReplicatedObjects JOIN ADM_DHCPServersTable AS "
                                 "server ON server.RecordId = ServerRecordId WHERE IsLocal AND Name = 'plain'").fetchall()
    assert kept(quick_pair.first) == kept(quick_pair.second) == [("client-class", "plain", "InSync")]


def test_the_logs_are_quiet(quick_pair):
    stays(lambda: relationship(quick_pair.first)["queued"] == 0, 2, "nothing goes to and fro")
    for server in (quick_pair.first, quick_pair.second):
        assert not server.logged("FAILOVER_SYNC_CONFLICT|FAILOVER_SYNC_EXCEPTION")
