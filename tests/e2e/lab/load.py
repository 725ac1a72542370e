"""What clients do: perfdhcp for many of them, udhcpc for one real one."""

import os
import re
import subprocess

from . import processes

_SCRIPT = """#!/bin/sh
# Called by udhcpc; keeps what the lease says where the test reads it, and touches nothing else of the machine.
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev "$interface" 2>/dev/null
echo "ip=$ip mask=$mask router=$router server=$serverid lease=$lease opt43=$opt43" > "$KFS_LEASE"
"""


class Exchanges:
    """The report of one perfdhcp run: sent, received and dropped, of the two halves of the exchanges together."""

    def __init__(self, report):
        self.report = report
        self.sent = sum(int(number) for number in re.findall(r"sent packets: (\d+)", report))
        self.received = sum(int(number) for number in re.findall(r"received packets: (\d+)", report))
        self.dropped = sum(int(number) for number in re.findall(r"drops: (-?\d+)", report))
        self.completed = int(re.findall(r"received packets: (\d+)", report)[-1]) if self.sent else 0
        if not self.sent:
            raise AssertionError(f"perfdhcp sent nothing:\n{report}")

    def __repr__(self):
        return f"{self.completed} exchanges, {self.sent} sent, {self.sent - self.received} dropped"

    @property
    def drop_ratio(self):
        return (self.sent - self.received) / self.sent


def perfdhcp(network, rate, seconds, clients=5000, more=()):
    """Runs perfdhcp to its end in the clients' namespace."""
    return finish_perfdhcp(start_perfdhcp(network, rate, seconds, clients, more), seconds)


def start_perfdhcp(network, rate, seconds, clients=5000, more=()):
    """Starts it, for what is to happen meanwhile; see finish_perfdhcp."""
    argv = ["ip", "netns", "exec", network.clients, "/usr/sbin/perfdhcp", "-4", "-l", "br0", "-R", str(clients), "-W",
            "1000000", "-p", str(seconds), *(["-r", str(rate)] if rate else []), *more]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            start_new_session=True, preexec_fn=processes._die_with_parent)


def finish_perfdhcp(process, seconds):
    report, _ = process.communicate(timeout=seconds + 30)
    return Exchanges(report)


def lease_of_client(network, namespace, folder, seconds=20, broadcast=True, options=()):
    """Runs a real DHCP client (busybox's) in a namespace until it has a lease; what the lease says, or None. `options`
    are the codes of those that it asks for besides."""
    script, lease = os.path.join(folder, "udhcpc.sh"), os.path.join(folder, f"{namespace}.lease")
    with open(script, "w", encoding="utf-8") as file:
        file.write(_SCRIPT)
    os.chmod(script, 0o755)
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KFS_LEASE": lease}
    subprocess.run(["ip", "netns", "exec", namespace, "/bin/busybox", "udhcpc", "-i", "eth0", "-s", script, "-f", "-n", "-q",
                    "-t", str(seconds), "-T", "1", *(f"-O{code}" for code in options)], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=seconds + 10, check=False)
    if not os.path.exists(lease):
        return None
    with open(lease, encoding="utf-8") as file:
        return dict(word.split("=", 1) for word in file.read().split() if not word.endswith("="))
