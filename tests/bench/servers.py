"""The pair that is measured, and what is done to its servers in more than one part."""

import copy
import time

from lab import config
from lab.pair import Pair

OURS = "failover_sync"
CHANGED = 2  # the scope that is changed; scope 1 is the clients' own, first in line as Kea looks for it


def scopes(count):
    return [config.link_scope(1)] + [config.scope(number) for number in range(2, count + 1)]


def make_pair(given, given2=None, **more):
    """Hot-standby, so that the first server alone answers clients, and no lease passes between the two."""
    return Pair(given, given2, mode="hot-standby", ha={"sync-leases": False, "send-lease-updates": False},
                log_level="ERROR", **more)


class Ground:
    """The parts' common pair: started for the first that asks for it, in step and as its files say for each."""

    def __init__(self, count):
        self.count, self._pair = count, None

    def pair(self):
        if self._pair is None:
            self._pair = make_pair(scopes(self.count))
            self._pair.start()
        self._pair.wait_settled(180)
        return self._pair

    def remove(self):
        if self._pair is not None:
            self._pair.remove()


def timed(function, *arguments):
    started = time.monotonic()
    function(*arguments)
    return time.monotonic() - started


def of_scope(dhcp4, number):
    return next(scope for scope in dhcp4["subnet4"] if scope["id"] == number)


def without_library(dhcp4):
    dhcp4["hooks-libraries"] = [hook for hook in dhcp4["hooks-libraries"] if OURS not in hook["library"]]
    return dhcp4


def set_lifetime(scope, seconds):
    """In what config-get shows the two limits stand beside it."""
    scope.update({"valid-lifetime": seconds, "max-valid-lifetime": seconds, "min-valid-lifetime": seconds})


def change_by_hand(server, edit):
    """What an administrator does at the partner instead: config-get, change, config-set. Without our library."""
    running = server.running()
    running.pop("hash", None)
    edit(without_library(running))
    server.command("config-set", {"Dhcp4": running})


def given_to(server, with_library, lifetime):
    changed = copy.deepcopy(server.configuration)
    if not with_library:
        without_library(changed)
    of_scope(changed, CHANGED)["valid-lifetime"] = lifetime
    return {"Dhcp4": changed}


def at_rest(server, with_library):
    """Until the library has done what it does after a load; the same time without it."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        server.command("version-get")
        time.sleep(0.1)
    if with_library:
        while server.sync_status().get("queued", 1) and time.monotonic() < deadline + 30:
            time.sleep(0.1)


def put_back(pair):
    """Both as their files say, and in step again."""
    pair.second.reload()
    pair.first.reload()
    pair.wait_settled(120)
