"""Changes a second, sustained: commands that change one scope each, as fast as one client gives them, until the partner
serves the last."""

import statistics
import time

from lab import tables
from servers import CHANGED, change_by_hand, of_scope, put_back, set_lifetime, timed
from table import spread

COUNT = 1000
POOLS = ("SELECT scope.SubnetId, range.RecordId, range.EndIPAddress FROM ADM_IPRangeTable AS range "
         "JOIN ADM_DHCPScopesTable AS scope ON scope.RecordId = range.ScopeRecordId "
         "JOIN ADM_DHCPServersTable AS server ON server.RecordId = scope.DHCPServerRecordId "
         "WHERE server.IsLocal AND scope.SubnetId > 1 ORDER BY scope.SubnetId LIMIT ?")


def measure(ground, rounds, table):
    pair = ground.pair()
    count = min(COUNT, ground.count // 2)
    given, arrived = [], []
    for turn in range(max(2, rounds // 2)):
        answered, served = sustain(pair, count, 240 - turn)
        given.append(count / answered)
        arrived.append(count / served)
    one, all_at_once = [], []
    for turn in range(3):
        one.append(1 / timed(change_by_hand, pair.second,
                             lambda dhcp4, seconds=4600 + turn: set_lifetime(of_scope(dhcp4, CHANGED), seconds)))
        pair.wait_normal(60)
    for turn in range(2):
        all_at_once.append(count / timed(change_by_hand, pair.second,
                                         lambda dhcp4, seconds=4700 + turn: set_first(dhcp4, count, seconds)))
        pair.wait_normal(60)
    put_back(pair)
    table.heading(f"{count:,} changes of as many scopes by range-update at one server; peer: config-get and config-set at "
                  "the partner for each")
    table.add("until the partner serves the last", spread(arrived, "/s", digits=0), spread(one, "/s", digits=2),
              f"{statistics.median(arrived) / statistics.median(one):,.0f} times", "")
    table.add("until the last command's answer", spread(given, "/s", digits=0))
    table.add("peer: all in one config-set", "", spread(all_at_once, "/s", digits=0),
              f"{statistics.median(arrived) / statistics.median(all_at_once):.2f} times")


def set_first(dhcp4, count, seconds):
    for scope in dhcp4["subnet4"][1:count + 1]:
        set_lifetime(scope, seconds)


def sustain(pair, count, last):
    """Makes the pools of `count` scopes end with .`last`; the seconds until the last answer, and until the partner has
    received all and shows the last."""
    pools = [(number, record, end.rsplit(".", 1)[0] + f".{last}")
             for number, record, end in tables.query(pair.first, POOLS, count)]
    before = pair.second.sync_status()["scopes-received"]
    begun = time.monotonic()
    for _, record, end in pools:
        pair.first.command("range-update", {"record-id": record, "modified-properties": ["end-ip-address"],
                                            "end-ip-address": end})
    answered = time.monotonic() - begun
    number, _, end = pools[-1]
    while pair.second.sync_status()["scopes-received"] < before + count or not ends_with(pair.second, number, end):
        if time.monotonic() - begun > 120:
            raise SystemExit("the changes did not arrive")
        time.sleep(0.005)
    served = time.monotonic() - begun
    running = pair.second.scopes()
    missing = [number for number, _, end in pools if not running[number]["subnet4"]["pools"][0]["pool"].endswith(end)]
    if missing:
        raise SystemExit(f"the partner does not serve the changes of {len(missing)} scopes, the first is {missing[0]}")
    pair.wait_settled(60)
    return answered, served


def ends_with(server, number, end):
    definition = server.command("scope-get", {"subnet-id": number})["scope"]["definition"]
    return definition["subnet4"]["pools"][0]["pool"].endswith(end)
