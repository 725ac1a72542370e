"""What is seen of a server from outside: its memory, its processor time, how its packets fare."""

import re
import signal
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
    waited for, so that only what was never answered counts as lost. `longest` is milliseconds until the latest answer,
    `pause` the longest that clients got none: that, or as long as it took to send what was lost."""

    PATIENCE = 10
    MOST_SECONDS = 300

    def __init__(self, lab_network, rate=200):
        self._rate = rate
        self._process = load.start_perfdhcp(lab_network, rate, self.MOST_SECONDS, 5000,
                                            ("-i", "-d", str(self.PATIENCE), "-W", "1000000"))
        time.sleep(1)  # until it is under way

    def finish(self):
        """Ends it, and says what it saw."""
        self._process.send_signal(signal.SIGINT)
        exchanges = load.finish_perfdhcp(self._process, self.PATIENCE)
        self.longest = float(re.search(r"max delay: ([\d.]+) ms", exchanges.report)[1])
        self.lost = exchanges.sent - exchanges.received
        self.pause = max(self.longest, 1000 * self.lost / self._rate)
        return self
