"""What it costs two servers that are in step to find that out: bytes on the wire, and time at the partner."""

import statistics
import time

from relay import Counter, Relay
from servers import make_pair, scopes, timed
from table import spread
from watch import processor_seconds

SECONDS = 15  # of comparisons, one a second
CALLS = 1000


def measure(ground, rounds, table):
    parameters = Relay.parameters("server1", "server2")
    parameters["server1"]["reconcile-interval"] = 1
    parameters["server2"] = {"reconcile-interval": 3600}
    pair = make_pair(scopes(ground.count), library_parameters=parameters)
    relay = Relay(pair.second)
    try:
        pair.start()
        pair.wait_settled(180)
        pair.wait_quiet()
        counter = Counter(pair.second)
        kept, compared = on_the_wire(relay, counter)
        relay.hangs_up = True
        anew, _ = on_the_wire(relay, counter)
        request = compared[-1].command()["arguments"]
        taken = {command: [] for command in ("scope-digest", "version-get")}
        spent = {command: [] for command in taken}
        for _ in range(rounds):
            for command, arguments in (("scope-digest", request), ("version-get", None)):
                before = processor_seconds(pair.second)
                taken[command].append(timed(call, pair.second, command, arguments) / CALLS)
                spent[command].append((processor_seconds(pair.second) - before) / CALLS)
        assert pair.second.command("scope-digest", request)["equal"]
    finally:
        relay.close()
        pair.remove()
    table.heading(f"One comparison of two servers in step, {ground.count:,} scopes; peer: version-get, an empty command")
    table.add("request and answer, HTTP heads included",
              spread([exchange.size for exchange in compared], "bytes", digits=0), "", "", "under 1,024")
    table.add("IP packets, over an open connection", f"{kept:,.0f} bytes", "", "", "under 1,024")
    table.add("IP packets, over a connection of its own", f"{anew:,.0f} bytes", "", "", "under 1,024")
    table.add("at the partner's door, over its control agent", spread([exchange.seconds for exchange in compared], "ms", 1000, 2))
    for what, seen in (("answer over the unix socket", taken), ("processor time of it", spent)):
        ours, peer = (statistics.median(seen[command]) for command in ("scope-digest", "version-get"))
        table.add(what, spread(seen["scope-digest"], "ms", 1000, 3), spread(seen["version-get"], "ms", 1000, 3),
                  f"{1000 * (ours - peer):+.3f} ms", "under 5 ms")


def call(server, command, arguments):
    for _ in range(CALLS):
        server.command(command, arguments)


def on_the_wire(relay, counter):
    """Bytes of one comparison, and the comparisons as they passed. The first over a new kind of connection is not counted."""
    time.sleep(1.5)
    relay.take()
    before = counter.read()
    time.sleep(SECONDS)
    compared = relay.take()
    size = counter.read() - before
    foreign = [exchange for exchange in compared if exchange.command()["command"] != "scope-digest"]
    if foreign or not compared:
        raise SystemExit(f"{len(compared)} exchanges in {SECONDS} s, {len(foreign)} of them no comparison")
    return size / len(compared), compared
