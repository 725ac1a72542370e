"""One life of a pair with the library built with sanitizers: load, changes, config-reload, unload. Run by tests/run.sh
with KFS_LIBRARY naming that build and KFS_PRELOAD the sanitizer's runtime; the servers themselves are Debian's."""

import glob
import os

import pytest
from lab import admins, config, store_model
from lab.operations import outcome, patiently
from lab.waiting import wait_until
from test_replication import scope_list_edit, without

PRELOAD = os.environ.get("KFS_PRELOAD")
OURS = "failover_sync"


def operate(server):
    """Every operation, from several clients at once; a pool changed, and one that cannot be; all tables read."""
    clients, shared = admins.start_all(server, 1, 4, 300)
    for client in clients:
        client.join(120)
    assert not [client.failure for client in clients if client.failure]
    store_model.assert_store_equals(server, clients, shared)
    scope = patiently(lambda: server.ask("scope-get", {"subnet-id": 3}))["arguments"]["scope"]["record-id"]
    pools = patiently(lambda: server.ask("range-get-all", {"scope-record-id": scope}))["arguments"]
    for last, result in (("10.100.3.99", 0), ("10.100.4.1", 1)):
        answer = outcome(server, server.ask("range-update", {
            "record-id": pools["ranges"][0]["record-id"], "modified-properties": ["end-ip-address"], "end-ip-address": last}))
        assert answer["result"] == result, answer
    for command in ("server-replicate", "scope-sync-reset", "failover-replicate"):
        arguments = {"scope-sync-reset": {"subnet-ids": [1, 4000]}, "failover-replicate": {"record-id": 1}}.get(command)
        server.ask(command, arguments)
    for format in ("json", "xml"):
        page = {}
        while page is not None:
            answer = patiently(lambda: server.ask("adm-get", {"format": format, "limit": 20, **page}))
            assert answer["result"] == 0, answer
            answer = answer["arguments"]
            page = {"from": answer["next"]} if "next" in answer else None


def one_life(pair):
    """From the start of both servers to the unloading of the library and the end of the first."""
    pair.start()
    pair.wait_settled(60)
    first, second = pair.first, pair.second
    first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(70)))
    wait_until(lambda: 70 in second.scopes(), 10, "the scope arrives")
    for turn in range(5):
        first.change_by_set(scope_list_edit(1 + turn, lambda scope: scope.update({"valid-lifetime": 1000 + turn})))
        second.change_by_set(scope_list_edit(20 + turn, lambda scope: scope.update({"valid-lifetime": 2000 + turn})))
    first.change_by_file(without(70))
    first.reload()
    second.reload()
    pair.wait_agree(20)
    pair.wait_settled(60)
    for command, arguments in (("failover-status", None), ("failover-get-all", None), ("scope-get-all", None),
                               ("scope-get", {"subnet-id": 1}), ("scope-get", {"subnet-id": "x"}),
                               ("scope-replicate", {"subnet-ids": [1, 2, 3]}), ("scope-receive", {"sender": 1})):
        first.ask(command, arguments)
    pair.wait_settled(60)
    operate(first)
    second.stop()
    first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(71)))  # stopped with a queue
    wait_until(lambda: first.sync_status().get("queued", 0) >= 1, 5, "the change is queued")

    def unloaded(dhcp4):
        dhcp4["hooks-libraries"] = [hook for hook in dhcp4["hooks-libraries"] if OURS not in hook["library"]]
    first.change_by_file(unloaded)
    assert first.ask("failover-status")["result"] == 2, "the library is unloaded"
    first.stop()


@pytest.mark.skipif(not PRELOAD, reason="KFS_PRELOAD is not set")
def test_nothing_is_found_from_load_to_unload(make_pair):
    pair = make_pair([config.scope(number) for number in range(1, 50)] + [config.link_scope()])
    reports = {}
    for server in pair.servers.values():
        reports[server.name] = server.inside("sanitizer")
        # Kea's libraries and Debian's differ in where they let go of containers: no false alarms of that kind.
        server.environment = {
            "LD_PRELOAD": PRELOAD, "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={reports[server.name]}",
            "ASAN_OPTIONS": f"detect_leaks=1:detect_odr_violation=0:detect_container_overflow=0:fast_unwind_on_malloc=0:"
                            f"log_path={reports[server.name]}"}
    one_life(pair)
    found = []
    for server in pair.servers.values():
        for name in glob.glob(server.path("sanitizer") + "*"):
            with open(name, encoding="utf-8", errors="replace") as file:
                text = file.read()
            # A leak that our code has no part in is Kea's.
            found += [block for block in text.split("\n\n") if OURS in block and "SUMMARY" not in block]
            found += [text] if "ERROR: AddressSanitizer" in text or "runtime error" in text else []
        assert not server.logged("runtime error|ERROR: AddressSanitizer")
    assert not found, "\n\n".join(found)[:20000]
