"""What the tests share: a pair of servers per module, and the library they are about."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from campaign import field as campaign_field  # noqa: E402
from lab import config, network, pair as lab_pair, processes  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "plain: needs no failover-sync library")


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("the end-to-end tests make network namespaces: run them as root", 2)
    network.sweep()
    campaign_field.sweep()


def pytest_sessionfinish(session, exitstatus):
    processes.end_all()


def pytest_collection_modifyitems(items):
    if not lab_pair.library_of_run():
        for item in items:
            if not item.get_closest_marker("plain"):
                pytest.exit("KFS_LIBRARY must name the library under test (tests/run.sh sets it)", 2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failure brings what the servers logged in its course."""
    report = (yield).get_result()
    if report.failed and report.when in ("setup", "call"):
        for pair in lab_pair.PAIRS:
            for server in (*pair.servers.values(), *pair.others):
                lines = [line for line in server.logged("WARN|ERROR|FATAL|FAILOVER_SYNC|HA_STATE")
                         if "COMMAND_RECEIVED" not in line]
                report.sections.append((f"log of {server.name}", "\n".join(lines[-25:])))


@pytest.fixture(scope="module")
def pair():
    """A settled pair with three scopes and the clients' link, in load-balancing mode."""
    pair = lab_pair.Pair([config.scope(1), config.scope(2), config.scope(3), config.link_scope()])
    try:
        yield pair.start()
    finally:
        pair.remove()


@pytest.fixture(autouse=True)
def both_run(request):
    """A test that failed half-way leaves no server down for the next."""
    if "pair" in request.fixturenames:
        for server in request.getfixturevalue("pair").servers.values():
            if not server.alive:
                server.stop()
                server.start()


@pytest.fixture
def make_pair():
    """Makes pairs that end with the test."""
    made = []

    def make(*arguments, **keywords):
        made.append(lab_pair.Pair(*arguments, **keywords))
        return made[-1]

    yield make
    for pair in made:
        pair.remove()


@pytest.fixture
def undisturbed(pair):
    """The second server's HA state, name and hooks stay as they are during the test."""
    pair.wait_settled()
    watch = Undisturbed(pair.second, pair.first)
    yield watch
    watch.check()


class Undisturbed:
    def __init__(self, server, loading):
        self.server, self.loading = server, loading
        self.mark = server.mark()
        self.before = self.see()

    def see(self):
        answer = self.server.command("status-get")
        hooks = self.server.running()["hooks-libraries"]
        return (answer["high-availability"][0]["ha-servers"]["local"]["state"], answer["pid"], hooks)

    def check(self):
        assert self.see() == self.before
        assert not self.server.disturbances(self.mark, self.loading)
