"""How long one change takes until the partner serves it."""

import time

from servers import CHANGED, change_by_hand, of_scope, put_back, set_lifetime, timed
from table import milliseconds, times


def measure(ground, rounds, table):
    pair = ground.pair()
    arrived = replicated(pair, rounds)
    by_hand = []
    for turn in range(max(2, rounds // 2)):
        by_hand.append(timed(change_by_hand, pair.second,
                             lambda dhcp4, seconds=3600 + turn: set_lifetime(of_scope(dhcp4, CHANGED), seconds)))
        pair.wait_normal(60)
    put_back(pair)
    table.heading("One scope changed, from the command's answer until the partner serves it; peer: config-get and "
                  "config-set there")
    table.add("time", milliseconds(arrived), milliseconds(by_hand), times(by_hand, arrived, "times faster"), "100")


def replicated(pair, rounds):
    taken, number = [], 5000 % len(pair.first.configuration["subnet4"]) or 1

    def lifetime():
        scope = pair.second.command("scope-get", {"subnet-id": number})["scope"]
        return scope["definition"]["subnet4"]["valid-lifetime"]
    for turn in range(rounds):
        pair.wait_settled(120)
        answered = pair.first.change_by_set(lambda dhcp4: of_scope(dhcp4, number).update({"valid-lifetime": 2000 + turn}))
        while lifetime() != 2000 + turn:
            if time.monotonic() - answered > 60:
                raise SystemExit("the change did not arrive")
            time.sleep(0.0005)
        taken.append(time.monotonic() - answered)
    pair.wait_settled(120)
    return taken
