"""What the library costs packets: perfdhcp under more load than the server takes, in turn with and without it."""

import statistics

from lab import load
from servers import at_rest, given_to, put_back
from table import spread
from watch import processor_seconds


def measure(ground, rounds, table):
    pair = ground.pair()
    rates, costs = throughput(pair, rounds)
    put_back(pair)
    table.heading("perfdhcp with more asked than the server takes; peer: without the library")
    table.add("answers", spread(rates[True], "/s", digits=0), spread(rates[False], "/s", digits=0), ratio(rates),
              "0.99 or more")
    table.add("processor time of one", spread(costs[True], "us", 1e6, 0), spread(costs[False], "us", 1e6, 0), ratio(costs))


def ratio(values):
    return f"{statistics.median(values[True]) / statistics.median(values[False]):.3f}"


def throughput(pair, rounds, seconds=5, offered=2000):
    """Answers per second (offers and acknowledgements), and the processor time of one, which other work on the machine
    disturbs less."""
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
