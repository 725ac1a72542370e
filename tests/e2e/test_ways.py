"""A partner without this library is served as well as it can be: with Kea's subnet commands where it has them, else by
setting its configuration, which keeps everything that is no scope. One that gets the library is served with it."""

import copy
import os
import sqlite3

import pytest
from lab import config, keywords
from lab import pair as lab_pair
from lab.release import Release
from lab.waiting import stays, wait_until
from test_replication import scope_list_edit, without

OURS, SUBNET_COMMANDS = "libdhcp_failover_sync.so", "libdhcp_subnet_cmds.so"
RELEASE = Release(os.environ.get("KFS_TREE", ""))
HAS_COMMANDS = os.path.exists(RELEASE.outside(f"{RELEASE.hooks}/{SUBNET_COMMANDS}"))
WAYS = ["config-set"] + (["subnet-commands"] if HAS_COMMANDS else [])
SOON = 15  # seconds: config-set waits for five since the last one
PASSWORD = "n0t-f0r-the-l0g"


def hook_of(server):
    return next(hook for hook in server.configuration["hooks-libraries"] if OURS in hook["library"])


def drop_library(dhcp4):
    dhcp4["hooks-libraries"] = [hook for hook in dhcp4["hooks-libraries"] if OURS not in hook["library"]]


def add_commands(dhcp4):
    dhcp4["hooks-libraries"].append({"library": f"{RELEASE.hooks}/{SUBNET_COMMANDS}"})


def start(pair, way, bare="server2"):
    """The pair, of which one server has not got the library but what the way needs. Returns the one that has it."""
    server = pair.servers[bare]
    changed = copy.deepcopy(server.configuration)
    drop_library(changed)
    if way == "subnet-commands":
        add_commands(changed)
    server.write(changed)
    pair.start()
    ours = pair.second if server is pair.first else pair.first
    wait_settled(pair, ours)
    return ours


def wait_settled(pair, ours, seconds=SOON):
    def settled():
        status = ours.sync_status()
        return status.get("queued") == 0 and status.get("out-of-sync") == 0
    wait_until(settled, seconds, "nothing is queued or out of sync", every=0.05)
    pair.wait_normal()


def change(pair, ours, edit, seconds=SOON):
    """One change at the server with the library, and its way to the other."""
    ours.change_by_file(edit)
    pair.wait_agree(seconds)
    wait_settled(pair, ours, seconds)


def everything_else(server):
    running = server.running()
    return {key: value for key, value in running.items() if key not in ("subnet4", "shared-networks")}


def history(server):
    with sqlite3.connect(f"file:{server.store}?mode=ro", uri=True) as database:
        return database.execute("SELECT ObjectId, Definition FROM ObjectHistory ORDER BY RecordId").fetchall()


@pytest.fixture(scope="module", params=WAYS)
def served(request):
    """A partner without the library, and how it is served. Its HA peers have a password that must stay its own."""
    ha = {"peers": [{"name": name, "role": role, "url": f"http://{config.SERVER_ADDRESSES[name]}:{config.HTTP_PORT}/",
                     "auto-failover": True, "basic-auth-user": "ha", "basic-auth-password": PASSWORD}
                    for name, role in (("server1", "primary"), ("server2", "secondary"))]}
    scopes = [config.scope(1), config.scope(2), config.scope(3), config.link_scope()]
    local = copy.deepcopy(scopes)
    local[1]["interface"] = "eth0"  # of the second server alone
    pair = lab_pair.Pair(scopes, local, ha=ha)
    pair.way = request.param
    try:
        pair.ours = start(pair, request.param)
        yield pair
    finally:
        pair.remove()


def test_it_is_shown_how_the_partner_is_served(served):
    assert served.ours.sync_status()["way"] == served.way
    told = served.first.logged("FAILOVER_SYNC_WAY")
    assert len(told) == 1 and served.way in told[0]
    assert ("WARN" in told[0] and "restarts its High Availability" in told[0]) == (served.way == "config-set")
    with sqlite3.connect(f"file:{served.first.store}?mode=ro", uri=True) as database:
        wait_until(lambda: database.execute(
            "SELECT ServerVersion FROM ADM_DHCPServersTable WHERE HaName = 'server2'").fetchone()[0] ==
                   ".".join(map(str, RELEASE.version)), 5, "the partner's row has its version")


def test_what_both_have_already_is_not_sent(served):
    """The same scopes in both files: read, found equal, and nothing was set."""
    assert not served.second.logged("SUBNET_CMDS_SUBNET_(ADD|UPDATE|DEL)")
    assert len(served.second.logged("DHCP4_CONFIG_COMPLETE")) == 1


def test_scopes_arrive_change_and_go(served):
    before = everything_else(served.second)
    mark = served.second.mark()
    change(served, served.ours, lambda dhcp4: dhcp4["subnet4"].append(config.scope(20)))
    assert 20 in served.second.scopes()
    change(served, served.ours, scope_list_edit(20, lambda scope: scope.update({"valid-lifetime": 1234})))
    assert served.second.scopes()[20]["subnet4"]["valid-lifetime"] == 1234
    change(served, served.ours, scope_list_edit(2, lambda scope: scope.update({"valid-lifetime": 777})))
    assert served.second.scopes()[2]["subnet4"]["valid-lifetime"] == 777
    change(served, served.ours, without(20))
    assert set(served.second.scopes()) == {1, 2, 3, 60000}
    assert served.second.scopes()[2]["subnet4"]["interface"] == "eth0"
    assert everything_else(served.second) == before
    assert not served.first.logged("FAILOVER_SYNC_CONFLICT")
    if served.way == "subnet-commands":
        assert not served.second.disturbances(mark, loading=served.first)


def test_a_shared_network_arrives_changes_and_goes(served):
    before = everything_else(served.second)
    network = copy.deepcopy(keywords.SHARED_NETWORK)
    for subnet in network["subnet4"]:
        subnet.pop("reservations", None)
    mark = served.second.mark()
    change(served, served.ours, lambda dhcp4: dhcp4.update({"shared-networks": [network]}))
    assert served.second.scopes()[802]["shared-network"]["name"] == "campus"

    def move_in(dhcp4):
        dhcp4["shared-networks"][0]["subnet4"].append({**config.scope(3), "authoritative": True})
        without(3)(dhcp4)
    change(served, served.ours, move_in)
    assert served.second.scopes()[3]["shared-network"]["name"] == "campus"

    def move_out(dhcp4):
        dhcp4["shared-networks"][0]["subnet4"].pop()
        dhcp4["subnet4"].append(config.scope(3))
    change(served, served.ours, move_out)
    assert served.second.scopes()[3]["shared-network"] is None
    if served.way == "subnet-commands":
        assert not served.second.disturbances(mark, loading=served.first)

    def rename_option(dhcp4):
        dhcp4["shared-networks"][0]["option-data"][0]["data"] = "south.example.org"
    change(served, served.ours, rename_option)  # no subnet command for that: config-set
    assert served.second.scopes()[801]["shared-network"]["option-data"][0]["data"] == "south.example.org"
    change(served, served.ours, lambda dhcp4: dhcp4.update({"shared-networks": []}))
    assert served.second.running()["shared-networks"] == []
    assert everything_else(served.second) == before
    assert not served.first.logged("FAILOVER_SYNC_CONFLICT")


def test_every_keyword_arrives(served):
    """Reservations among them, which no subnet command takes."""
    before = everything_else(served.second)
    change(served, served.ours, lambda dhcp4: dhcp4["subnet4"].append(copy.deepcopy(keywords.EVERYTHING)))
    assert len(served.second.scopes()[700]["subnet4"]["reservations"]) == len(keywords.RESERVATIONS)
    odd = {"user-context": {"comment": "\u00fcber \u20ac"}, "cache-threshold": 0.35}
    change(served, served.ours, scope_list_edit(700, lambda scope: scope.update(odd)))
    change(served, served.ours, without(700))
    assert everything_else(served.second) == before


def test_the_partners_own_passwords_stay_where_they_are(served):
    peers = everything_else(served.second)["hooks-libraries"][1]["parameters"]["high-availability"][0]["peers"]
    assert [peer["basic-auth-password"] for peer in peers] == [PASSWORD, PASSWORD]
    assert not served.first.logged(PASSWORD)
    assert PASSWORD not in str(served.first.ask("failover-status")) + str(served.first.ask("scope-get-all"))
    for name in os.listdir(served.first.path("")):
        if name.startswith("failover-sync.db"):
            with open(served.first.path(name), "rb") as file:
                assert PASSWORD.encode() not in file.read(), name


def test_a_scope_that_the_partner_refuses_does_not_hold_up_others(served):
    before = everything_else(served.second)

    def with_definition(dhcp4):
        dhcp4["option-def"].append({"name": "only-here", "code": 230, "type": "uint8", "space": "dhcp4"})
        for number in range(30, 34):
            dhcp4["subnet4"].append(config.scope(number))
        dhcp4["subnet4"].append(config.scope(35, **{"option-data": [{"name": "only-here", "data": "5"}]}))
        for number in range(36, 40):
            dhcp4["subnet4"].append(config.scope(number))
    served.ours.change_by_file(with_definition)
    wait_until(lambda: {30, 33, 36, 39} <= set(served.second.scopes()), SOON, "the good ones arrive")

    def refused():
        state = served.ours.command("scope-get", {"subnet-id": 35})["scope"]
        return state if state["sync-status"] == "OutOfSync" and "refused" in state.get("sync-reason", "") else None
    state = wait_until(refused, SOON, "the other one is out of sync, with the partner's words")
    assert "only-here" in state["sync-reason"], state
    assert 35 not in served.second.scopes() and everything_else(served.second) == before
    if served.way == "config-set":
        mark = served.second.mark()
        stays(lambda: not served.second.logged("'config-(get|test|set)'", mark), 3, "it is not tested at each heartbeat",
              every=0.5)

    def as_before(dhcp4):
        dhcp4["option-def"].pop()
        dhcp4["subnet4"] = [subnet for subnet in dhcp4["subnet4"] if not 30 <= subnet["id"] < 40]
    change(served, served.ours, as_before)


def test_the_primarys_version_counts(served):
    """Changed on both; the partner's is replaced and kept."""
    served.second.change_by_set(scope_list_edit(1, lambda scope: scope.update({"valid-lifetime": 2222})))
    served.wait_normal()
    served.ours.change_by_file(scope_list_edit(1, lambda scope: scope.update({"valid-lifetime": 3333})))
    wait_until(lambda: served.second.scopes()[1]["subnet4"]["valid-lifetime"] == 3333, SOON, "the primary's is there")
    wait_settled(served, served.ours)
    assert served.first.logged("FAILOVER_SYNC_CONFLICT")
    lost = [definition for subnet_id, definition in history(served.first) if subnet_id == 1]
    assert len(lost) == 1 and "2222" in lost[0]


@pytest.mark.parametrize("way", WAYS)
def test_the_version_of_a_primary_without_the_library_is_taken_over(make_pair, way):
    pair = make_pair([config.scope(1), config.scope(2)])
    ours = start(pair, way, bare="server1")
    pair.first.change_by_set(scope_list_edit(1, lambda scope: scope.update({"valid-lifetime": 2222})))
    pair.wait_normal()
    ours.change_by_file(scope_list_edit(1, lambda scope: scope.update({"valid-lifetime": 3333})))
    wait_until(lambda: ours.scopes()[1]["subnet4"]["valid-lifetime"] == 2222, SOON, "the primary's version is here")
    wait_settled(pair, ours)
    assert pair.first.scopes()[1]["subnet4"]["valid-lifetime"] == 2222 and pair.agree()
    assert ["3333" in definition for subnet_id, definition in history(ours) if subnet_id == 1] == [True]
    change(pair, ours, scope_list_edit(1, lambda scope: scope.update({"valid-lifetime": 4444})))
    assert pair.first.scopes()[1]["subnet4"]["valid-lifetime"] == 4444


def test_what_is_forbidden_is_not_done_until_the_library_comes(make_pair):
    """The queue stays and says why; a partner that gets the library is served with it, at once."""
    pair = make_pair([config.scope(1)], library_parameters={"server1": {"apply": ["scope-receive"]}})
    hook = copy.deepcopy(hook_of(pair.second))
    changed = copy.deepcopy(pair.second.configuration)
    drop_library(changed)
    pair.second.write(changed)
    pair.start()
    before = pair.second.running()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(9)))

    def reason():
        return pair.first.command("scope-get", {"subnet-id": 9})["scope"].get("sync-reason", "")
    expected = "server2 does not know scope-receive: load libdhcp_failover_sync.so there, or allow config-set"
    wait_until(lambda: reason() == expected, 5, "the scope says what the partner lacks")
    status = pair.first.sync_status()
    assert status["way"] == "none" and status["last-error"] == expected and status["queued"] >= 1, status
    assert pair.first.logged("FAILOVER_SYNC_NO_WAY")
    stays(lambda: pair.second.running() == before, 2, "nothing is done to the partner", every=0.5)
    mark = pair.second.mark()
    stays(lambda: pair.second.running() == before, 5, "nothing is done to the partner", every=0.5)
    assert len(pair.second.logged("'list-commands'", mark)) <= 3, "it is asked less and less often, whatever its heartbeats"

    pair.second.change_by_file(lambda dhcp4: dhcp4["hooks-libraries"].append(hook))
    wait_until(lambda: 9 in pair.second.scopes(), SOON, "it is served with the library")
    pair.wait_settled()
    assert pair.first.sync_status()["way"] == "scope-receive" and pair.agree()


@pytest.mark.parametrize("way", WAYS)
def test_a_partner_that_loses_the_library_and_gets_it_again(make_pair, way):
    """Each time by the best way, and without taking its own earlier work for a change of the partner's."""
    pair = make_pair([config.scope(1), config.scope(2)]).start()
    pair.wait_settled()
    hook = copy.deepcopy(hook_of(pair.second))
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(4)))
    pair.wait_agree()
    pair.wait_settled()  # without the library nobody would answer for what it took
    assert pair.first.sync_status()["way"] == "scope-receive"

    def lose(dhcp4):
        drop_library(dhcp4)
        dhcp4["subnet4"].append(config.scope(4))  # else the file would revert it
        if way == "subnet-commands":
            add_commands(dhcp4)
    pair.second.change_by_file(lose)
    pair.wait_normal()
    change(pair, pair.first, scope_list_edit(4, lambda scope: scope.update({"valid-lifetime": 4000})))
    assert pair.first.sync_status()["way"] == way
    change(pair, pair.first, lambda dhcp4: dhcp4["subnet4"].append(config.scope(5)))

    def regain(dhcp4):
        dhcp4["hooks-libraries"].append(hook)
        dhcp4["subnet4"] = copy.deepcopy(pair.first.configuration["subnet4"])
    pair.second.change_by_file(regain)
    pair.wait_settled()
    mark = pair.second.mark()
    change(pair, pair.first, scope_list_edit(4, lambda scope: scope.update({"valid-lifetime": 4001})), seconds=5)
    assert pair.first.sync_status()["way"] == "scope-receive"
    assert not pair.second.disturbances(mark, loading=pair.first)
    assert not pair.first.logged("FAILOVER_SYNC_CONFLICT") and not pair.second.logged("FAILOVER_SYNC_CONFLICT")


def test_many_changes_in_a_row_are_few_config_sets(make_pair):
    pair = make_pair([config.scope(1)])
    ours = start(pair, "config-set")
    mark = pair.second.mark()
    for number in range(40, 52):
        ours.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(number)))
    pair.wait_agree(20)
    wait_settled(pair, ours, 20)
    assert set(range(40, 52)) <= set(pair.second.scopes())
    assert 1 <= len(pair.second.logged("DHCP4_CONFIG_COMPLETE", mark)) <= 2
