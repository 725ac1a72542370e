"""The three questions of the bench, each answered by runs of both kinds in turn, on the same servers."""

import copy
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from lab import config, load, network  # noqa: E402
from lab.pair import Pair  # noqa: E402

OURS = "failover_sync"
CHANGED = 2  # the scope that is changed; scope 1 is the clients' own, first in line as Kea looks for it


def timed(function, *arguments):
    started = time.monotonic()
    function(*arguments)
    return time.monotonic() - started


def milliseconds(values):
    return f"{1000 * statistics.median(values):9.1f} ms (of {len(values)}: {1000 * min(values):.1f} to {1000 * max(values):.1f})"


def of_scope(dhcp4, number):
    return next(scope for scope in dhcp4["subnet4"] if scope["id"] == number)


def arrival(pair, rounds):
    """From the answer to the change command until the partner serves the change."""
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


def by_hand(pair, rounds):
    """What an administrator would do instead, at the partner: config-get, change, config-set. Without our library."""
    taken = []
    for turn in range(rounds):
        def get_and_set():
            running = pair.second.running()
            running.pop("hash", None)
            running["hooks-libraries"] = [hook for hook in running["hooks-libraries"] if OURS not in hook["library"]]
            of_scope(running, CHANGED)["valid-lifetime"] = 3600 + turn  # max- and min-valid-lifetime stand beside it
            of_scope(running, CHANGED)["max-valid-lifetime"] = of_scope(running, CHANGED)["min-valid-lifetime"] = 3600 + turn
            pair.second.command("config-set", {"Dhcp4": running})
        taken.append(timed(get_and_set))
        pair.wait_normal(60)
    return taken


def given_to(server, with_library, lifetime):
    changed = copy.deepcopy(server.configuration)
    if not with_library:
        changed["hooks-libraries"] = [hook for hook in changed["hooks-libraries"] if OURS not in hook["library"]]
    of_scope(changed, CHANGED)["valid-lifetime"] = lifetime
    return {"Dhcp4": changed}


def at_rest(server, with_library):
    """Until the library has done what it does after a load; the same time without it."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        server.command("version-get")
        time.sleep(0.1)
    if with_library:
        while server.sync_status()["queued"] and time.monotonic() < deadline + 30:
            time.sleep(0.1)


def load_times(server, rounds):
    """The answer times of config-set with one scope changed, in turn with and without the library; and how long the
    server's main thread is busy after the answer, seen by the next command."""
    answer, busy = {True: [], False: []}, {True: [], False: []}
    for turn in range(2 * rounds + 2):
        with_library = turn % 2 == 0
        taken = timed(server.command, "config-set", given_to(server, with_library, 5000 + turn))
        after = timed(server.command, "version-get")
        if turn >= 2:  # the first of each warms up
            answer[with_library].append(taken)
            busy[with_library].append(after)
        at_rest(server, with_library)
    return answer, busy


def processor_seconds(server):
    with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def throughput(pair, rounds, seconds=5, offered=2000):
    """Answers per second (offers and acknowledgements) under more load than the server takes, and the processor time of
    one answer, which other work on the machine disturbs less."""
    rates, costs = {True: [], False: []}, {True: [], False: []}
    for turn in range(2 * rounds + 2):
        with_library = (turn % 2 == 0) != (turn // 2 % 2 == 1)  # neither kind is always first
        pair.first.command("config-set", given_to(pair.first, with_library, 7000))
        at_rest(pair.first, with_library)
        pair.wait_normal(60)
        before = processor_seconds(pair.first)
        run = load.perfdhcp(pair.network, offered, seconds, clients=20000)
        if turn >= 2:
            rates[with_library].append(run.received / seconds)
            costs[with_library].append((processor_seconds(pair.first) - before) / run.received)
    return rates, costs


def main():
    count, rounds = int(sys.argv[1]), int(sys.argv[2])
    network.sweep()
    pair = Pair([config.link_scope(1)] + [config.scope(number) for number in range(2, count + 1)], mode="hot-standby",
                ha={"sync-leases": False, "send-lease-updates": False}, log_level="ERROR")
    try:
        pair.start()
        pair.wait_settled(180)
        print(f"Kea {'.'.join(map(str, pair.release.version))}, {count} scopes, medians of {rounds} rounds and more\n", flush=True)

        arrived = arrival(pair, rounds)
        hand = by_hand(pair, max(2, rounds // 2))
        ratio = statistics.median(hand) / statistics.median(arrived)
        print("One scope changed on the first server, until the second serves it")
        print(f"  replicated, from the command's answer {milliseconds(arrived)}")
        print(f"  config-get and config-set there       {milliseconds(hand)}")
        print(f"  ratio: {ratio:.1f} times faster (aim: 100)\n", flush=True)
        pair.second.reload()
        pair.wait_settled(120)

        answer, busy = load_times(pair.first, 2 * rounds)
        ratio = statistics.median(answer[True]) / statistics.median(answer[False])
        fastest = min(answer[True]) / min(answer[False])  # what is left when the machine does nothing else
        print("config-set of the whole configuration, until its answer")
        print(f"  with the library    {milliseconds(answer[True])}")
        print(f"  without             {milliseconds(answer[False])}")
        print(f"  ratio: {ratio:.3f} (aim: under 1.05); of the fastest runs: {fastest:.3f}")
        print(f"  next command answered after {milliseconds(busy[True])} with, {milliseconds(busy[False])} without\n", flush=True)

        rates, costs = throughput(pair, rounds)
        print("perfdhcp, answers per second with more asked than the server takes")
        for with_library, words in ((True, "with the library"), (False, "without")):
            values = rates[with_library]
            print(f"  {words:18} {statistics.median(values):8.0f} (of {len(values)}: {min(values):.0f} to {max(values):.0f});"
                  f" {1e6 * statistics.median(costs[with_library]):.0f} us of processor time each")
        print(f"  ratio: {statistics.median(rates[True]) / statistics.median(rates[False]):.3f} (aim: 0.99 or more);"
              f" of processor time: {statistics.median(costs[True]) / statistics.median(costs[False]):.3f}")
    finally:
        pair.remove()


if __name__ == "__main__":
    main()
