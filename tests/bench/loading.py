"""What the library adds to a configuration load: config-set in turn with and without it."""

import statistics

from servers import at_rest, given_to, put_back, timed
from table import milliseconds


def measure(ground, rounds, table):
    pair = ground.pair()
    answer, busy = load_times(pair.first, 2 * rounds)
    put_back(pair)
    ratio = statistics.median(answer[True]) / statistics.median(answer[False])
    fastest = min(answer[True]) / min(answer[False])  # what is left when the machine does nothing else
    table.heading("config-set of the whole configuration; peer: the same without the library")
    table.add("until its answer", milliseconds(answer[True]), milliseconds(answer[False]),
              f"{ratio:.3f}, of the fastest {fastest:.3f}", "under 1.05")
    table.add("the next command's answer", milliseconds(busy[True]), milliseconds(busy[False]))


def load_times(server, rounds):
    """The answer times of config-set with one scope changed, and how long the server's main thread is busy after the
    answer, seen by the next command."""
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
