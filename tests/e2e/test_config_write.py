"""A file that the server has written itself (config-write) is no edit: what the partner changes after that stays."""

import pytest
from lab import config
from lab.waiting import stays, wait_until

QUICK = {"both": {"reconcile-interval": 1}}
BY_FIRST = {"user-context": {"by": "first"}}


def not_in_file(server):
    return server.command("failover-status")["scopes-not-in-file"]


def context(server, number):
    return server.scopes()[number]["subnet4"].get("user-context")


@pytest.mark.parametrize("named", [False, True], ids=["by itself", "by name"])
@pytest.mark.parametrize("how", ["restart", "reload"])
def test_what_the_partner_changes_after_a_config_write_stays(make_pair, named, how):
    """Of a scope that stood in both files, of one that came from the partner, and of one that the partner removes."""
    pair = make_pair([config.scope(1), config.scope(2)], library_parameters=QUICK).start()
    first, second = pair.first, pair.second
    pair.wait_settled()
    first.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(9)))
    wait_until(lambda: 9 in second.scopes() and not_in_file(second) == 1, 5, "a scope arrives that is in no file")
    second.command("config-write", {"filename": second.inside("kea-dhcp4.conf")} if named else None)
    wait_until(lambda: not_in_file(second) == 0, 5, "it is in the file")

    def edit(dhcp4):
        dhcp4["subnet4"] = [{**config.scope(number), **BY_FIRST} for number in (1, 9)]
    first.change_by_set(edit)
    wait_until(lambda: 2 not in second.scopes() and context(second, 1) == context(second, 9) == BY_FIRST["user-context"], 5,
               "the partner's changes arrive")
    if how == "restart":
        second.restart()
        pair.wait_normal()
    else:
        second.command("config-reload")
    pair.wait_settled()
    for server in (first, second):
        assert set(server.scopes()) == {1, 9}, server.name
        assert context(server, 1) == context(server, 9) == BY_FIRST["user-context"], server.name
        assert not server.logged("FAILOVER_SYNC_CONFLICT")


def test_a_file_written_elsewhere_is_not_the_servers(make_pair):
    pair = make_pair([config.scope(1)], library_parameters=QUICK).start()
    pair.wait_settled()
    pair.first.change_by_set(lambda dhcp4: dhcp4["subnet4"].append(config.scope(9)))
    wait_until(lambda: 9 in pair.second.scopes() and not_in_file(pair.second) == 1, 5, "a scope arrives")
    pair.second.command("config-write", {"filename": pair.second.inside("copy.conf")})
    stays(lambda: not_in_file(pair.second) == 1, 1.5, "it is in a copy only")
