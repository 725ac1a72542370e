"""What is seen of a server from outside: its memory, its processor time, how its packets fare."""

import re
import time

from lab import load


def memory(server):
    """Megabytes it holds now, and the most it held since the last forget_peak()."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        text = file.read()
    return tuple(int(re.search(rf"{word}:\s+(\d+) kB", text)[1]) / 1024 for word in ("VmRSS", "VmHWM"))


def forget_peak(server):
    with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def processor_seconds(server):
    """Of all its threads, by the clock that the kernel keeps for a process, in nanoseconds."""
    return time.clock_gettime(~server.process.pid << 3 | 2)


class Packets:
    """perfdhcp at a steady rate while something else happens: discovers, because an offer writes nothing. What is late is
    waited for, so that only what was never answered counts as lost."""

    def __init__(self, lab_network, seconds, rate=200, patience=20):
        self.seconds, self.rate, self.patience = seconds, rate, patience
        self._process = load.start_perfdhcp(lab_network, rate, seconds, 5000,
                                            ("-i", "-d", str(patience), "-W", str(1000000 * min(patience, 3))))
        self._begun = time.monotonic()
        self.longest = self.average = self.lost = None

    def still_running(self):
        return self._process.poll() is None

    def finish(self):
        """Waits for its end. `longest` and `average` are milliseconds until an answer, `lost` is never answered."""
        exchanges = load.finish_perfdhcp(self._process, self.seconds + self.patience)
        self.longest = float(re.search(r"max delay: ([\d.]+) ms", exchanges.report)[1])
        self.average = float(re.search(r"avg delay: ([\d.]+) ms", exchanges.report)[1])
        self.lost = exchanges.sent - exchanges.received
        return self
