"""What is done while the packet threads stand still: the leases, which may be in a database, are not asked then; and a
change that the server fails half-way leaves nothing half done."""

import os
import shutil

import pytest
from lab import config, processes
from lab.pair import shared_view
from lab.waiting import wait_until

HERE = os.path.dirname(__file__)
SHIM = os.path.join(HERE, "..", "..", "shim")


def watch(server):
    """The server starts with lab/kea_faults.cc before its libraries, built for its release."""
    shutil.copy(os.path.join(HERE, "lab", "kea_faults.cc"), server.path("kea_faults.cc"))
    shutil.copytree(os.path.join(SHIM, "kea-2.2"), server.path("kea-2.2"))
    root = server.release.root
    processes.run(*(["chroot", root] if root else []), "g++", "-std=c++17", "-O1", "-shared", "-fPIC", "-Wno-deprecated",
                  "-I/usr/include/kea", *(["-I" + server.inside("kea-2.2")] if server.release.version < (2, 6) else []),
                  "-o", server.inside("kea_faults.so"), server.inside("kea_faults.cc"),
                  "-lkea-dhcpsrv", "-lkea-util", "-lkea-exceptions", timeout=300)
    os.makedirs(server.path("faults"))
    os.chmod(server.path("faults"), 0o777)
    server.environment.update({"LD_PRELOAD": server.inside("kea_faults.so"), "KFS_FAULTS": server.inside("faults")})


def noted(server, name):
    path = server.path(f"faults/{name}")
    return os.path.exists(path)


@pytest.fixture
def watched(make_pair):
    pair = make_pair([config.scope(1)], multi_threading=True, library_parameters={"both": {"reconcile-interval": 1}})
    watch(pair.second)
    pair.start()
    pair.wait_settled()
    return pair


def test_leases_are_counted_while_packets_are_served(watched):
    """Of a new scope, and of new pools where the release counts by pool."""
    first, second = watched.first, watched.second
    for name in ("asked", "asked-in-a-pause"):
        if noted(second, name):
            os.unlink(second.path(f"faults/{name}"))
    first.change_by_set(lambda dhcp4: dhcp4["subnet4"].extend(config.scope(number) for number in range(2, 12)))
    wait_until(lambda: 11 in second.scopes(), 5, "new scopes arrive")
    assert noted(second, "asked"), "the leases of the new scopes were counted"
    if second.release.version >= (2, 6):
        os.unlink(second.path("faults/asked"))
        first.change_by_set(lambda dhcp4: dhcp4["subnet4"][0]["pools"].append({"pool": "10.100.1.252/32", "pool-id": 7}))
        wait_until(lambda: len(second.scopes()[1]["subnet4"]["pools"]) == 2, 5, "a new pool arrives")
        assert noted(second, "asked"), "and those of the new pool"
    first.change_by_set(lambda dhcp4: dhcp4["subnet4"].pop(5))
    wait_until(lambda: len(second.scopes()) == 10, 5, "a removal arrives")
    assert not noted(second, "asked-in-a-pause")


def test_a_network_that_cannot_be_replaced_stays_whole(watched):
    """The third of its five members is refused by the server: all are in the network as it was, then in the new one."""
    first, second = watched.first, watched.second
    network = {"name": "campus", "valid-lifetime": 1111, "subnet4": [config.scope(number) for number in range(20, 25)]}
    first.change_by_set(lambda dhcp4: dhcp4.update({"shared-networks": [network]}))
    wait_until(lambda: 24 in second.scopes(), 5, "the network arrives")
    watched.wait_settled()
    before = shared_view(second.scopes())
    with open(second.path("faults/fail-to-add"), "w", encoding="ascii") as file:
        file.write("3\n")
    os.chmod(second.path("faults/fail-to-add"), 0o666)
    mark = first.mark()
    watched.network.cut("server1")
    first.change_by_set(lambda dhcp4: dhcp4["shared-networks"][0].update({"valid-lifetime": 2222}))
    watched.network.mend("server1")
    wait_until(lambda: first.logged("FAILOVER_SYNC_SCOPE_OUT_OF_SYNC.*made to fail", mark), 20, "one scope was refused")
    wait_until(lambda: all(second.scopes()[number]["shared-network"]["valid-lifetime"] == 2222 for number in range(20, 25)),
               20, "it comes again, with the others")
    assert set(second.scopes()) == set(before)
    watched.wait_settled()
    assert watched.agree()
