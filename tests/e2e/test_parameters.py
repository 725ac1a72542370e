"""The library's parameters: good ones do what they say, bad ones name themselves: they fail a start, and after a reload
nothing is replicated."""

import copy

import pytest
from lab import config
from lab.waiting import stays, wait_until

BAD = [
    ("unknown", {"stroe": "/tmp/x.db"}, "stroe"),
    ("store is a number", {"store": 7}, "store"),
    ("store is empty", {"store": ""}, "store"),
    ("store ends as a folder does", {"store": "/tmp/"}, "/tmp/"),
    ("replicate is a boolean", {"replicate": True}, "replicate"),
    ("replicate is another word", {"replicate": "sometimes"}, "sometimes"),
    ("conflict is another word", {"conflict": "last-wins"}, "last-wins"),
    ("deletes is text", {"deletes": "yes"}, "deletes"),
    ("local-parameters is text", {"local-parameters": "interface"}, "local-parameters"),
    ("local-parameters holds a number", {"local-parameters": [1]}, "local-parameters"),
    ("max-delete-percent is too much", {"max-delete-percent": 101}, "max-delete-percent"),
    ("max-delete-percent is text", {"max-delete-percent": "25"}, "max-delete-percent"),
    ("persist is another word", {"persist": "sometimes"}, "sometimes"),
    ("reconcile-interval is text", {"reconcile-interval": "60"}, "reconcile-interval"),
    ("reconcile-interval is negative", {"reconcile-interval": -1}, "reconcile-interval"),
    ("apply is text", {"apply": "config-set"}, "apply"),
    ("apply is another way", {"apply": ["telepathy"]}, "telepathy"),
    ("apply is nothing", {"apply": []}, "apply"),
    ("retry is a number", {"retry": 200}, "retry"),
    ("retry's part is text", {"retry": {"min-ms": "200"}}, "min-ms"),
    ("retry's part is negative", {"retry": {"min-ms": -1}}, "min-ms"),
    ("retry's part is unknown", {"retry": {"minimum": 1}}, "minimum"),
    ("retry's bounds are crossed", {"retry": {"min-ms": 500, "max-ms": 100}}, "m"),
    ("partners is a list", {"partners": []}, "partners"),
    ("partner is text", {"partners": {"server2": "http://192.0.2.1/"}}, "server2"),
    ("partner's part is unknown", {"partners": {"server2": {"uri": "http://192.0.2.1/"}}}, "uri"),
    ("partner's url is a number", {"partners": {"server2": {"url": 1}}}, "url"),
    ("partner's url is no url", {"partners": {"server2": {"url": "gopher:server2"}}}, "gopher"),
]


def with_parameters(server, parameters):
    changed = copy.deepcopy(server.configuration)
    ours = next(hook for hook in changed["hooks-libraries"] if "failover_sync" in hook["library"])
    ours["parameters"] = {**ours["parameters"], **parameters}
    return changed


@pytest.mark.parametrize("what, parameters, word", BAD, ids=[case[0] for case in BAD])
def test_a_bad_parameter_at_a_reload_is_said_by_name(pair, what, parameters, word):
    """The configuration is taken, or the server would go on without the commands of High Availability."""
    pair.wait_normal()
    before, mark = pair.first.scopes(), pair.first.mark()
    assert pair.first.ask("config-set", {"Dhcp4": with_parameters(pair.first, parameters)})["result"] == 0
    lines = pair.first.logged("FAILOVER_SYNC_IDLE|FAILOVER_SYNC_STORE_UNUSABLE", mark)
    assert lines and word in lines[0].split("FAILOVER_SYNC_", 1)[1], lines
    status = pair.first.command("failover-status")
    assert status["mirror"] == "unavailable" and word in status["mirror-error"], status
    assert pair.first.command("ha-heartbeat")["state"]
    assert pair.first.scopes() == before
    assert pair.first.ask("config-set", {"Dhcp4": pair.first.configuration})["result"] == 0
    assert pair.first.scopes() == before
    wait_until(lambda: pair.first.command("failover-status")["mirror"] == "current", 5, "all is well with good parameters")


def test_a_mistyped_parameter_costs_replication_and_nothing_else(make_pair):
    """High Availability goes on on both sides, and both say what is wrong."""
    pair = make_pair([config.scope(1)], library_parameters={"both": {"reconcile-interval": 1}}).start()
    pair.wait_settled()
    good = copy.deepcopy(pair.first.configuration)
    pair.first.write(with_parameters(pair.first, {"reconcile-intervall": 60}))
    pair.first.reload()
    assert "reconcile-intervall" in pair.first.command("failover-status")["mirror-error"]
    assert {"ha-heartbeat", "ha-sync", "ha-scopes"} <= set(pair.first.command("list-commands"))
    pair.wait_normal()
    wait_until(lambda: "reconcile-intervall" in pair.second.sync_status().get("partner-error", ""), 10, "the partner knows")
    pair.second.change_by_set(lambda dhcp4: dhcp4["subnet4"][0].update({"valid-lifetime": 2222}))
    stays(lambda: pair.first.scopes()[1]["subnet4"]["valid-lifetime"] == 3600, 1, "nothing is replicated")
    pair.wait_normal()
    refused = pair.first.ask("scope-get", {"subnet-id": 1})
    assert refused["result"] == 1 and "reconcile-intervall" in refused["text"]
    pair.first.write(good)
    pair.first.reload()
    wait_until(lambda: pair.first.scopes()[1]["subnet4"]["valid-lifetime"] == 2222, 10, "what was changed meanwhile arrives")
    pair.wait_settled()


@pytest.mark.parametrize("path", ["/proc/none/x.db", "/tmp"], ids=["in a folder that cannot be", "a folder"])
def test_a_store_that_cannot_be_is_told_and_disturbs_nothing(pair, path):
    """What may become right without a new parameter is no wrong parameter."""
    pair.wait_normal()
    pair.first.command("config-set", {"Dhcp4": with_parameters(pair.first, {"store": path})})
    status = pair.first.command("failover-status")
    assert status["mirror"] == "unavailable" and path.removesuffix("/x.db") in status["mirror-error"]
    pair.wait_normal()
    assert pair.first.ask("config-set", {"Dhcp4": pair.first.configuration})["result"] == 0
    wait_until(lambda: pair.first.command("failover-status")["mirror"] == "current", 5, "the mirror is current again")


def test_a_server_does_not_start_with_a_bad_parameter(make_pair):
    pair = make_pair([config.scope(1)], library_parameters={"server1": {"replicate": "sometimes"}})
    pair.first.start(wait=False)
    wait_until(lambda: pair.first.logged("FAILOVER_SYNC_LOAD_FAILED.*replicate"), 10, "the log names the parameter")


def test_replicate_manual_waits_for_the_command(make_pair):
    pair = make_pair([config.scope(1)], library_parameters={"both": {"replicate": "manual"}}).start()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(2)))
    wait_until(lambda: pair.first.command("scope-get", {"subnet-id": 2})["scope"]["sync-status"] == "OutOfSync", 5,
               "the scope is mirrored as out of sync")
    stays(lambda: 2 not in pair.second.scopes(), 1.5, "nothing is sent")
    answer = pair.first.command("scope-replicate", {"subnet-ids": [2]})
    assert answer["scopes"] == [{"subnet-id": 2, "result": "queued"}]
    wait_until(lambda: 2 in pair.second.scopes(), 1, "on command the scope is sent")


def test_without_deletes_a_removed_scope_stays_at_the_partner(make_pair):
    pair = make_pair([config.scope(1), config.scope(2)], library_parameters={"both": {"deletes": False}}).start()
    pair.wait_settled()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].pop())
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"].append(config.scope(3)))
    wait_until(lambda: 3 in pair.second.scopes(), 1, "a later change has arrived")
    assert 2 in pair.second.scopes() and 2 not in pair.first.scopes()


def test_local_parameters_may_be_more(make_pair):
    pair = make_pair([config.scope(1, **{"next-server": "192.0.2.1"})],
                     library_parameters={"both": {"local-parameters": ["interface", "next-server"]}}).start()
    pair.wait_settled()
    pair.first.change_by_file(lambda dhcp4: dhcp4["subnet4"][0].update({"next-server": "192.0.2.77", "valid-lifetime": 55}))
    wait_until(lambda: pair.second.scopes()[1]["subnet4"]["valid-lifetime"] == 55, 1, "what is not local arrives")
    assert pair.second.scopes()[1]["subnet4"]["next-server"] == "192.0.2.1"


def test_conflict_hold_keeps_both_and_says_so(make_pair):
    pair = make_pair([config.scope(1), config.scope(2)], library_parameters={"both": {"conflict": "hold"}}).start()
    pair.wait_settled()
    pair.network.cut("server1")
    for server, lifetime in ((pair.second, 2222), (pair.first, 1111)):
        server.change_by_set(lambda dhcp4: dhcp4["subnet4"][0].update({"valid-lifetime": lifetime}))
    pair.network.mend("server1")

    def held():
        return all(server.command("scope-get", {"subnet-id": 1})["scope"]["sync-status"] == "OutOfSync"
                   and server.logged("FAILOVER_SYNC_CONFLICT|FAILOVER_SYNC_SCOPE_OUT_OF_SYNC") for server in (pair.first,))
    pair.wait_normal(60)
    wait_until(held, 30, "the scope is marked and a warning is logged", every=0.2)
    assert pair.first.scopes()[1]["subnet4"]["valid-lifetime"] == 1111
    assert pair.second.scopes()[1]["subnet4"]["valid-lifetime"] == 2222
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"][1].update({"valid-lifetime": 3333}))
    wait_until(lambda: pair.second.scopes()[2]["subnet4"]["valid-lifetime"] == 3333, 5, "other scopes are not held")
