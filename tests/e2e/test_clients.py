"""What it is all for: clients get right answers from either server."""

import os
import re
import threading
import time

from lab import config, load
from lab.waiting import wait_until


def test_a_client_gets_a_lease_in_a_new_scope_from_the_second_server(make_pair):
    """The scope was only ever written into the first server's file, and the first server is gone."""
    pair = make_pair([config.scope(1)]).start()
    pair.wait_settled()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(
        config.link_scope(**{"option-data": [{"name": "routers", "data": "10.53.0.254"}], "valid-lifetime": 4242})))
    wait_until(lambda: 60000 in pair.second.scopes(), 1, "the new scope arrives")
    pair.wait_settled()
    pair.first.stop()
    wait_until(lambda: pair.second.ha_state() == "partner-down", 20, "the second serves alone", every=0.1)
    lease = load.lease_of_client(pair.network, pair.network.add_client("k"), os.path.dirname(pair.second.path("")))
    assert lease, "the client got no lease"
    assert lease["ip"].startswith("10.53.") and lease["server"] == pair.second.address
    assert lease["router"] == "10.53.0.254" and lease["lease"] == "4242"


def test_replication_costs_clients_nothing(make_pair):
    """1,000 exchanges a second at the server that receives 200 changes meanwhile, against a run without changes.

    The changes are made on the standby. HA's own traffic about leases is off: with it, a config-set on the standby makes
    the active server wait, library or not."""
    seconds = 20
    pair = make_pair([config.scope(number) for number in range(1, 201)] + [config.link_scope()], mode="hot-standby",
                     ha={"sync-leases": False, "send-lease-updates": False}).start()
    pair.wait_settled()
    quiet = load.perfdhcp(pair.network, 1000, seconds)

    mark = pair.first.mark()
    received = pair.first.sync_status()["scopes-received"]
    busy_run = load.start_perfdhcp(pair.network, 1000, seconds)
    problems = []

    def change():
        try:
            for number in range(200):
                started = time.monotonic()
                pair.second.change_by_set(lambda dhcp4: dhcp4["subnet4"][number].update({"valid-lifetime": 4000 + number}))
                time.sleep(max(0.0, (seconds - 2) / 200 - (time.monotonic() - started)))
        except Exception as error:
            problems.append(error)
    changer = threading.Thread(target=change)
    changer.start()
    busy = load.finish_perfdhcp(busy_run, seconds)
    made_during_the_run = sum(scope["subnet4"]["valid-lifetime"] >= 4000 for scope in pair.first.scopes().values())
    changer.join()
    assert not problems, problems
    wait_until(lambda: pair.first.scopes()[200]["subnet4"]["valid-lifetime"] == 4199, 2, "the last change arrives")
    pair.wait_settled()
    assert pair.agree(), pair.differences()
    print(f"without changes: {quiet}; with: {busy}; {made_during_the_run} changes arrived during the run")
    assert made_during_the_run >= 180
    # A config-set unloads the library there: what is under way at that moment is sent again, and received unchanged. No
    # change is applied twice.
    assert 200 <= pair.first.sync_status()["scopes-received"] - received <= 220
    taken = pair.first.logged("FAILOVER_SYNC_RECEIVED", mark)
    assert sum(int(re.search(r"(\d+) applied", line).group(1)) for line in taken) == 200
    assert not pair.first.disturbances(mark)
    assert quiet.completed > 950 * seconds, quiet.report
    assert busy.drop_ratio <= quiet.drop_ratio + 0.001, f"{quiet}; {busy}"
