"""All scopes to a partner that has only the clients' own, while it answers clients; and what both servers hold then."""

import time

from relay import Relay
from servers import make_pair, scopes
from table import spread, times
from watch import Packets, forget_peak, memory, processor_seconds

QUIET_SECONDS = 5
BOUND_US = 5000  # that a batch may keep the partner's packets waiting for


class Filling:
    """One transfer, watched from its making: `seconds` until the partner serves all, the packets meanwhile and before,
    megabytes before and after and processor seconds by server ("sender", "partner"), the exchanges between them."""

    def __init__(self, lab_network, servers):
        self._servers, self.seconds, self.pauses, self.requests, self.batches = servers, None, [], [], 0
        self.quiet = Packets(lab_network)
        time.sleep(QUIET_SECONDS)
        self.quiet.finish()
        self.before = {name: memory(server) for name, server in servers.items()}
        for server in servers.values():
            forget_peak(server)
        self.packets = Packets(lab_network)
        self._processor = {name: processor_seconds(server) for name, server in servers.items()}

    def end(self):
        self.processor = {name: processor_seconds(server) - self._processor[name] for name, server in self._servers.items()}
        self.after = {name: memory(server) for name, server in self._servers.items()}
        self.packets.finish()


def measure(ground, rounds, table):
    for threads in (True, False):
        ours = [replicated(ground.count, threads) for _ in range(1 if rounds < 4 else 2)]
        peer = [by_hand(ground.count, threads) for _ in ours]
        table.heading(f"{ground.count - 1:,} scopes to a partner without, {'with' if threads else 'without'} packet threads;"
                      " peer: config-set of all there, without the library")
        show(ours, peer, table, threads)


def show(ours, peer, table, threads):
    def both(what, seen, unit, digits, aim="", word="times as long"):
        mine, other = [seen(one) for one in ours], [seen(one) for one in peer]
        table.add(what, spread(mine, unit, digits=digits), spread(other, unit, digits=digits), times(mine, other, word, 2), aim)
    both("until the partner serves all", lambda one: one.seconds, "s", 2)
    both("a client's longest wait for an answer", lambda one: one.packets.pause, "ms", 1, "5 ms" if threads else "")
    both("... when nothing happens", lambda one: one.quiet.pause, "ms", 1)
    table.add("discovers never answered", spread([one.packets.lost for one in ours], "", digits=0),
              spread([one.packets.lost for one in peer], "", digits=0))
    table.add("pause of one batch, as the partner tells", spread([max(one.pauses) / 1000 for one in ours], "ms at most"),
              "", "", "5 ms" if threads else "")
    table.add("... of them within 5 ms", spread([within(one.pauses) for one in ours], "%", digits=2))
    table.add("one request at the partner's door", spread([max(one.requests) for one in ours], "ms at most", 1000))
    table.add("requests, of them with scopes", f"{len(ours[0].requests)}, {ours[0].batches}")
    both("processor time of the partner", lambda one: one.processor["partner"], "s", 1, word="times as much")
    table.add("processor time of the sender", spread([one.processor["sender"] for one in ours], "s"))
    table.add("memory of the partner: before, after, most", *(megabytes(one, "partner") for one in (ours[0], peer[0])))
    table.add("memory of the sender: before, after, most", megabytes(ours[0], "sender"))


def within(pauses):
    """How many of the batches that tell a pause kept to the bound, in per cent."""
    told = [pause for pause in pauses if pause > 0]
    return 100 * sum(pause <= BOUND_US for pause in told) / len(told)


def megabytes(filling, name):
    return f"{filling.before[name][0]:.0f}, {filling.after[name][0]:.0f}, {filling.after[name][1]:.0f} MB"


def replicated(count, threads):
    """From the answer to the sender's config-set. The standby sends, because the active server is the one with packets."""
    pair = make_pair(scopes(1), multi_threading=threads, library_parameters=Relay.parameters("server2", "server1"))
    relay = Relay(pair.first)
    try:
        pair.start()
        pair.wait_settled()
        filling = Filling(pair.network, {"sender": pair.second, "partner": pair.first})
        relay.take()
        begun = pair.second.change_by_set(lambda dhcp4: dhcp4.update({"subnet4": scopes(count)}))
        while pair.first.command("failover-status").get("scopes", 0) < count:
            if time.monotonic() - begun > 180:
                raise SystemExit("not all scopes arrived")
            time.sleep(0.05)
        filling.seconds = time.monotonic() - begun
        pair.wait_settled(60)
        filling.end()
        assert len(pair.first.scopes()) == count
        pushed = [exchange for exchange in relay.take() if exchange.command()["command"] == "scope-receive"]
        filling.pauses = [exchange.arguments().get("pause-us", 0) for exchange in pushed]
        filling.batches = sum("scopes" in exchange.command()["arguments"] for exchange in pushed)
        filling.requests = [exchange.seconds for exchange in pushed]
        return filling
    finally:
        relay.close()
        pair.remove()


def by_hand(count, threads):
    pair = make_pair(scopes(1), multi_threading=threads, library=False)
    try:
        pair.start()
        filling = Filling(pair.network, {"partner": pair.first})
        begun = time.monotonic()
        pair.first.change_by_set(lambda dhcp4: dhcp4.update({"subnet4": scopes(count)}))
        filling.seconds = time.monotonic() - begun
        pair.wait_normal(60)  # its state machine began anew, and answers no client before it is done
        filling.end()
        return filling
    finally:
        pair.remove()
