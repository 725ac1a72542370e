"""All scopes to a partner that has only the clients' own, while it answers clients; and what both servers hold then."""

import time

from relay import Relay
from servers import make_pair, scopes
from table import spread
from watch import Packets, forget_peak, memory, processor_seconds

QUIET_SECONDS = 5


class Filling:
    """What one of them took: seconds until the partner serves all, the packets meanwhile, megabytes before and after by
    server ("sender", "partner"), and processor seconds."""

    def __init__(self, servers):
        self._servers, self.seconds, self.settled, self.pauses, self.requests = servers, None, None, [], []
        self.quiet = self.packets = None
        self.before = {name: memory(server) for name, server in servers.items()}
        for server in servers.values():
            forget_peak(server)
        self._processor = {name: processor_seconds(server) for name, server in servers.items()}

    def end(self):
        self.packets.finish()
        self.after = {name: memory(server) for name, server in self._servers.items()}
        self.processor = {name: processor_seconds(server) - self._processor[name] for name, server in self._servers.items()}


def measure(ground, rounds, table):
    for threads in (True, False):
        ours = [replicated(ground.count, threads) for _ in range(1 if rounds < 4 else 2)]
        peer = [by_hand(ground.count, threads) for _ in ours]
        table.heading(f"{ground.count - 1:,} scopes to a partner without, {'with' if threads else 'without'} packet threads;"
                      " peer: config-set of all there, without the library")
        show(ours, peer, table, threads)


def show(ours, peer, table, threads):
    def both(what, seen, unit, digits, aim=""):
        mine, other = [seen(one) for one in ours], [seen(one) for one in peer]
        quotient = sorted(other)[len(other) // 2] / (sorted(mine)[len(mine) // 2] or float("nan"))
        table.add(what, spread(mine, unit, digits=digits), spread(other, unit, digits=digits), f"{quotient:,.2f} (peer / ours)", aim)
    both("until the partner serves all", lambda one: one.seconds, "s", 2)
    both("a client's longest wait meanwhile", lambda one: one.packets.longest, "ms", 1)
    both("... when nothing happens", lambda one: one.quiet.longest, "ms", 1)
    both("discovers never answered", lambda one: one.packets.lost, "", 0)
    table.add("pause of one batch, as the partner tells", spread([max(one.pauses) / 1000 for one in ours], "ms at most"),
              "", "", "5 ms" if threads else "")
    table.add("one request at the partner's door", spread([max(one.requests) for one in ours], "ms at most", 1000))
    for name in ("sender", "partner"):
        table.add(f"memory of the {name}: before, after, most",
                  *(f"{one.before[name][0]:.0f}, {one.after[name][0]:.0f}, {one.after[name][1]:.0f} MB" if name in one.before
                    else "" for one in (ours[0], peer[0])))
        if name in peer[0].before:
            both(f"processor time of the {name}", lambda one, name=name: one.processor[name], "s", 1)
        else:
            table.add(f"processor time of the {name}", spread([one.processor[name] for one in ours], "s"))


def watched(pair, filling):
    filling.quiet = Packets(pair.network, QUIET_SECONDS).finish()
    filling.packets = Packets(pair.network, 60)
    time.sleep(1)  # until it is under way
    return time.monotonic()


def replicated(count, threads):
    """From the answer to the sender's config-set. The standby sends, because the active server is the one with packets."""
    pair = make_pair(scopes(1), multi_threading=threads, library_parameters=Relay.parameters("server2", "server1"))
    relay = Relay(pair.first)
    try:
        pair.start()
        pair.wait_settled()
        filling = Filling({"sender": pair.second, "partner": pair.first})
        watched(pair, filling)
        relay.take()
        begun = pair.second.change_by_set(lambda dhcp4: dhcp4.update({"subnet4": scopes(count)}))
        while pair.first.command("failover-status")["scopes"] < count:
            if time.monotonic() - begun > 180:
                raise SystemExit("not all scopes arrived")
            time.sleep(0.05)
        filling.seconds = time.monotonic() - begun
        filling.end()
        pair.wait_settled(60)
        assert len(pair.first.scopes()) == count
        pushed = [exchange for exchange in relay.take() if exchange.command()["command"] == "scope-receive"]
        filling.pauses = [exchange.arguments().get("pause-us", 0) for exchange in pushed]
        filling.requests = [exchange.seconds for exchange in pushed]
        return filling
    finally:
        relay.close()
        pair.remove()


def by_hand(count, threads):
    pair = make_pair(scopes(1), multi_threading=threads, library=False)
    try:
        pair.start()
        filling = Filling({"partner": pair.first})
        begun = watched(pair, filling)
        pair.first.change_by_set(lambda dhcp4: dhcp4.update({"subnet4": scopes(count)}))
        filling.seconds = time.monotonic() - begun
        pair.wait_normal(60)  # its state machine began anew, and answers no client before it is done
        filling.end()
        return filling
    finally:
        pair.remove()
