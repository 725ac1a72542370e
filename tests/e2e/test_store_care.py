"""What befalls a store from outside, on real servers: an administrator's care of it, a store that cannot be used at a start,
two servers with one store, somebody who goes on reading it, and clocks that are set by years."""

import os
import re
import sqlite3
import struct
import subprocess
import time

import pytest
from campaign import field
from lab import config, processes, tables
from lab.waiting import stays, wait_until

YEAR = 365 * 86400
MEGABYTE = 1 << 20


def status(server):
    return server.command("failover-status")


def mirror(server):
    return status(server)["mirror"]


def wait_current(server):
    wait_until(lambda: mirror(server) == "current", 10, f"the mirror of {server.name} is current")


def wait_unavailable(server, *words):
    def unavailable():
        answer = status(server)
        return answer["mirror"] == "unavailable" and all(word in answer["mirror-error"] for word in words) and answer
    answer = wait_until(unavailable, 10, f"the mirror of {server.name} is unavailable because of {words}")
    wait_until(lambda: server.logged("FAILOVER_SYNC_(MIRROR_FAILED|STORE_UNUSABLE).*" + re.escape(words[0])), 5, "the log says so")
    return answer


def by_hand(server, sql):
    """With the program that an administrator has."""
    processes.run("sqlite3", server.store, ".timeout 10000", sql)


def set_aside(server):
    folder = os.path.dirname(server.store)
    return [name for name in os.listdir(folder) if ".damaged-" in name]


def fields(server):
    return [field_["name"] for field_ in server.command("custom-field-get-all")["custom-fields"]]


def put_history(server, rows, size):
    """Versions of scope 1, as conflicts leave them."""
    database = sqlite3.connect(server.store, timeout=10)
    with database:
        database.executemany(
            "INSERT INTO ObjectHistory (ObjectId, Name, Reason, ReplacedAt, Bytes, Definition) VALUES (1, '10.100.1.0/24', "
            "'a test', 1700000000000, ?1, ?2)", [(size, '"%s"' % ("x" * (size - 2)))] * rows)
    database.close()


def test_vacuum_and_checkpoints_lose_nothing(pair):
    pair.wait_settled()
    pair.first.command("custom-field-add", {"name": "Floor", "type": "Freeform"})
    put_history(pair.first, 400, 20000)
    by_hand(pair.first, "PRAGMA wal_checkpoint(TRUNCATE)")
    time.sleep(1.5)  # a look at the store
    before = os.path.getsize(pair.first.store)
    for sql in ("DELETE FROM ObjectHistory WHERE RecordId > 3; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)",
                "REINDEX; ANALYZE; VACUUM; PRAGMA wal_checkpoint(RESTART)"):
        by_hand(pair.first, sql)
        stays(lambda: mirror(pair.first) == "current" and not set_aside(pair.first), 2.5, "the store is as good as it was")
    assert os.path.getsize(pair.first.store) < before / 2
    assert "Floor" in fields(pair.first)
    assert len(pair.first.command("scope-history", {"subnet-id": 1})["versions"]) == 3
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(7)))
    pair.wait_agree(5)
    assert pair.first.restart() == 0
    assert "Floor" in fields(pair.first)
    assert not pair.first.logged("FAILOVER_SYNC_STORE_SET_ASIDE")
    pair.wait_settled()


TROUBLES = {
    "newer": ("PRAGMA user_version = 1234", "PRAGMA user_version = {version}", "1234"),
    "another program's": ("PRAGMA application_id = 77", "PRAGMA application_id = 1262900057", "another program"),
    "with a trigger": ("CREATE TRIGGER mine AFTER INSERT ON ObjectHistory BEGIN SELECT 1; END", "DROP TRIGGER mine",
                       "trigger mine"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_store_that_cannot_be_used_at_a_start_keeps_nobody_from_serving_and_heals(pair, trouble):
    spoil, mend, word = TROUBLES[trouble]
    pair.wait_settled()
    version = tables.query(pair.first, "PRAGMA user_version")[0][0]
    known = fields(pair.first)
    assert pair.first.stop() == 0
    by_hand(pair.first, spoil)
    pair.first.start()
    wait_unavailable(pair.first, word)
    pair.wait_normal()  # HA, and so DHCP, is not affected
    pair.first.reload()
    wait_unavailable(pair.first, word)
    process = pair.first.process.pid
    by_hand(pair.first, mend.format(version=version))
    wait_current(pair.first)
    assert pair.first.process.pid == process and fields(pair.first) == known and not set_aside(pair.first)
    pair.wait_settled()


def test_a_store_on_a_disk_that_is_read_only_heals(pair):
    pair.wait_settled()
    assert pair.first.stop() == 0
    folder = os.path.dirname(pair.first.store)
    processes.run("chattr", "+i", pair.first.store, check=False)
    try:
        if os.access(pair.first.store, os.W_OK):
            pytest.skip("this file system cannot make a file immutable")
        pair.first.start()
        wait_unavailable(pair.first, "let the server's user")
        pair.wait_normal()
    finally:
        processes.run("chattr", "-i", pair.first.store, check=False)
    wait_current(pair.first)
    pair.wait_settled()
    assert not [name for name in os.listdir(folder) if ".damaged-" in name]


def test_a_zeroed_store_is_set_aside_and_filled_again(pair):
    pair.wait_settled()
    assert pair.first.stop() == 0
    with open(pair.first.store, "r+b") as file:
        file.write(b"\0" * 100)
    pair.first.start()
    wait_current(pair.first)
    assert len([name for name in set_aside(pair.first) if name.endswith("Z")]) == 1
    pair.wait_settled()
    pair.wait_agree()


def test_two_servers_with_one_store(make_pair):
    shared = f"/tmp/kfs-shared-{os.getpid()}.db"
    pair = make_pair([config.scope(1)], library_parameters={"both": {"store": shared}})
    first, second = pair.first, pair.second
    try:
        first.start()
        wait_current(first)
        second.start()
        wait_unavailable(second, "in use by process", f"{first.process.pid} (server1)", "`store` of its own")
        pair.wait_normal()
        rows = tables_of(shared, "SELECT HaName FROM ADM_DHCPServersTable WHERE IsLocal = 1")
        assert rows == [("server1",)]  # and whoever likes may read it
        assert first.stop() == 0
        wait_unavailable(second, "server1", "server2", "store of its own")
        stays(lambda: mirror(second) == "unavailable", 2.5, "the second server leaves the first one's store alone")
        first.start()
        wait_current(first)
        assert first.stop() == 0
        processes.run("sqlite3", shared, "UPDATE StoreIdentity SET Server = ''")  # as the message says, after a renaming
        wait_current(second)
    finally:
        pair.stop()
        for name in os.listdir("/tmp"):
            if name.startswith(os.path.basename(shared)):
                os.unlink(os.path.join("/tmp", name))


def tables_of(path, sql):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as database:
        return database.execute(sql).fetchall()


def test_a_reader_that_stays_does_not_make_the_log_grow_for_good(pair):
    pair.wait_settled()
    server = pair.first
    log = server.store + "-wal"
    record = server.command("range-get-all")["ranges"][0]["record-id"]
    reader = sqlite3.connect(f"file:{server.store}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM ADM_DHCPScopesTable").fetchall()
    for number in range(1200):
        server.command("range-update", {"record-id": record, "modified-properties": ["description", "end-ip-address"],
                                        "description": f"change {number} {'x' * 200}",
                                        "end-ip-address": f"10.100.1.{200 + number % 50}"})
    assert mirror(server) == "current" and not server.logged("FAILOVER_SYNC_MIRROR_FAILED.*the log of the store")
    assert os.path.getsize(log) > 17 * MEGABYTE, os.path.getsize(log)
    reader.close()
    wait_until(lambda: os.path.getsize(log) <= 16 * MEGABYTE, 5, "the log is cut off")
    pair.wait_settled(60)
    tables.assert_sound(server)


@pytest.fixture
def clocks(make_pair):
    """A pair whose clocks can be set, and how."""
    pair = make_pair([config.scope(1), config.scope(2)], library_parameters={"both": {"reconcile-interval": 2}})

    def set_clocks(seconds):
        for server in pair.servers.values():
            file = os.open(server.path("clock"), os.O_WRONLY | os.O_CREAT, 0o644)  # mapped: it must not become shorter
            os.pwrite(file, struct.pack("=q", seconds), 0)
            os.close(file)
    set_clocks(0)
    preload = f"{os.environ.get('KFS_PRELOAD', '')} {field.clock_library()}".strip()
    for server in pair.servers.values():
        server.environment = {"LD_PRELOAD": preload, "KFS_CLOCK": server.inside("clock")}
    pair.start()
    pair.wait_quiet()
    return pair, set_clocks


@pytest.mark.parametrize("seconds", [-YEAR, YEAR], ids=["back", "ahead"])
def test_reconciliation_comes_within_an_interval_whatever_the_clock_says(clocks, seconds):
    pair, set_clocks = clocks
    set_clocks(seconds)
    for _ in range(2):
        marks = {server: server.mark() for server in pair.servers.values()}
        wait_until(lambda: all(server.logged("scope-digest", mark) for server, mark in marks.items()), 6,
                   "both servers are asked for their digest")
    set_clocks(0)
    marks = {server: server.mark() for server in pair.servers.values()}
    wait_until(lambda: all(server.logged("scope-digest", mark) for server, mark in marks.items()), 6,
               "both servers are asked for their digest again")


def test_a_clock_that_is_years_ahead_takes_nothing_out_of_the_store(clocks):
    pair, set_clocks = clocks
    put_history(pair.first, 3, 100)
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"].pop())
    pair.wait_agree(5)
    pair.wait_settled()
    removed = "SELECT ObjectId FROM ObjectVersions WHERE Removed = 1"
    assert tables.query(pair.first, removed) == tables.query(pair.second, removed) == [(2,)]
    set_clocks(4 * YEAR)
    for server in pair.servers.values():
        server.write(server.delivered if server is pair.first else server.configuration)
        server.reload()  # what is too much is taken out after a load
    wait_until(lambda: all(mirror(server) == "current" for server in pair.servers.values()), 10, "both mirrors are current")
    stays(lambda: tables.query(pair.first, removed) == tables.query(pair.second, removed) == [(2,)], 2, "both know of it")
    put_history(pair.first, 1, 100)
    assert len(pair.first.command("scope-history", {"subnet-id": 1})["versions"]) >= 3
    set_clocks(0)
    for server in pair.servers.values():
        assert wait_until(lambda: 2 not in server.scopes(), 5, "the scope stays removed")
