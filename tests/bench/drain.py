"""How fast a queue drains after an outage: every scope was changed while the partner was down."""

import time

from lab.waiting import wait_until
from servers import change_by_hand, put_back, set_lifetime, timed
from table import spread, times


def measure(ground, rounds, table):
    pair = ground.pair()
    drained, by_hand = [], []
    for turn in range(max(1, rounds // 2)):
        drained.append(outage(pair, ground.count, 1000 + turn))
    for turn in range(2):
        by_hand.append(timed(change_by_hand, pair.second, lambda dhcp4, seconds=3000 + turn: set_all(dhcp4, seconds)))
        pair.wait_normal(60)
    put_back(pair)
    table.heading(f"{ground.count:,} scopes changed while the partner was killed, from its first answer until nothing is "
                  "queued; peer: config-get and config-set there, of all at once")
    table.add("time", spread(drained, "s", digits=2), spread(by_hand, "s", digits=2), times(drained, by_hand, "times as long"))
    table.add("changes", spread([ground.count / seconds for seconds in drained], "/s", digits=0),
              spread([ground.count / seconds for seconds in by_hand], "/s", digits=0))


def set_all(dhcp4, seconds):
    for scope in dhcp4["subnet4"]:
        set_lifetime(scope, seconds)


def outage(pair, count, lifetime):
    pair.second.kill9()
    pair.first.change_by_set(lambda dhcp4: [scope.update({"valid-lifetime": lifetime}) for scope in dhcp4["subnet4"]])
    wait_until(lambda: pair.first.sync_status().get("queued") == count, 60, "all changes are queued")
    pair.second.start(wait=False)
    wait_until(lambda: pair.second.command("version-get"), 60, "the partner answers", every=0.005)
    begun = time.monotonic()
    while pair.first.sync_status().get("queued", 1):
        if time.monotonic() - begun > 180:
            raise SystemExit("the queue did not drain")
        time.sleep(0.02)
    taken = time.monotonic() - begun
    if any(scope["subnet4"]["valid-lifetime"] != lifetime for scope in pair.second.scopes().values()):
        raise SystemExit("nothing is queued, but the partner does not serve every change")
    pair.wait_settled(60)
    return taken
