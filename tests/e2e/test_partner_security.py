"""Replication over TLS with certificates and over basic authentication, by HA's parameters and by our own: what is right
goes through; what is wrong keeps the change and says what to mend, and once that is mended, the change arrives. What is
secret stays where the administrator put it."""

import base64
import copy
import os
import shutil

import pytest
from lab import config, processes, tables
from lab.agent import PORT, Agent
from lab.network import SERVER_ADDRESSES
from lab.operations import ended, outcome
from lab.pair import Pair
from lab.tls import Authority
from lab.waiting import wait_until

USER, PASSWORD, OTHER_PASSWORD = "kfs", "s3same-0pen", "wr0ng-0ne"
MISPLACED = "wr0ng-place"
NO_OVERRIDE = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]  # for this root, modes count as for any user


def trusting(authority):
    """A wrapper for a server on a machine that trusts an authority, as it does those of browsers."""
    folder = os.path.dirname(authority.certificate) + "/machine"
    os.mkdir(folder)
    shutil.copy(authority.certificate, folder)
    processes.run("openssl", "rehash", folder)
    shutil.copy(authority.certificate, f"{folder}/ca-certificates.crt")
    return ["sh", "-c", 'mount --bind "$0" /etc/ssl/certs && exec "$@"', folder]  # seen inside its namespace alone


def write(path, text, mode=0o600):
    if os.path.lexists(path):
        os.chmod(path, 0o600)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def accounts(**passwords):
    return {"type": "basic", "realm": "kea",
            "clients": [{"user": user.replace("_", "-"), "password": password} for user, password in passwords.items()]}


class Locks:
    """The files that the first server shows, and those of the second server's agent. Right once made."""

    def __init__(self, pair):
        self.folder = f"{pair.folder}/tls"
        self.ours = Authority(self.folder)
        self.others = Authority(f"{self.folder}/others", "others")
        self.show(self.ours.issue("server1"))
        self.trust()
        self.password = f"{self.folder}/password"
        write(self.password, PASSWORD + "\n")
        self.identity = self.ours.issue("server2", ["DNS:server2.example", f"IP:{SERVER_ADDRESSES['server2']}"])

    def show(self, certificate, key=None):
        """Under the names that the configuration knows."""
        if isinstance(certificate, tuple):
            certificate, key = certificate
        shutil.copy(certificate, f"{self.folder}/client.crt")
        shutil.copy(key, f"{self.folder}/client.key")

    def trust(self, authority=None):
        shutil.copy((authority or self.ours).certificate, f"{self.folder}/trusted.crt")

    def agent(self, identity=None, **more):
        certificate, key = identity or self.identity
        return {"trust-anchor": self.ours.certificate, "cert-file": certificate, "key-file": key, "cert-required": True,
                "authentication": accounts(**{USER: PASSWORD}), **more}

    @property
    def access(self):
        """What the parameter "partners" is to say of the second server."""
        return {"url": f"https://{SERVER_ADDRESSES['server2']}:{PORT}/", "trust-anchor": f"{self.folder}/trusted.crt",
                "cert-file": f"{self.folder}/client.crt", "key-file": f"{self.folder}/client.key",
                "basic-auth-user": USER, "basic-auth-password-file": self.password}

    def secrets(self):
        found = [PASSWORD, OTHER_PASSWORD, *(base64.b64encode(f"{USER}:{word}".encode()).decode()
                                             for word in (PASSWORD, OTHER_PASSWORD))]
        with open(f"{self.folder}/server1.key", encoding="ascii") as file:
            found.append(file.read().splitlines()[1])
        return [secret.encode() for secret in found]


def tell_partners(pair, access):
    """In the first server's file."""
    hook = next(hook for hook in pair.first.configuration["hooks-libraries"] if "failover_sync" in hook["library"])
    hook["parameters"]["partners"] = {"server2": access}
    pair.first.write(pair.first.configuration)


@pytest.fixture(scope="module")
def locked():
    """A pair whose first server replicates to a locked agent, logging all there is, while HA goes by another way."""
    pair = Pair([config.scope(1), config.scope(2), config.link_scope()], log_level="DEBUG",
                library_parameters={"server1": {"retry": {"min-ms": 50, "max-ms": 300}}})
    try:
        pair.locks = Locks(pair)
        pair.first.wrapper = [*trusting(pair.locks.others), *NO_OVERRIDE]
        tell_partners(pair, pair.locks.access)
        pair.agent = Agent(pair.second, pair.locks.agent())
        pair.start()
        pair.wait_settled()
        yield pair
        pair.agent.stop()
    finally:
        pair.remove()


def pool_end(server):
    return server.scopes()[1]["subnet4"]["pools"][0]["pool"].replace(" ", "").split("-")[1]


def change(pair, end):
    """A change that leaves HA alone, which no config-set does."""
    scope = pair.first.command("scope-get", {"subnet-id": 1})["scope"]
    row = pair.first.command("range-get-all", {"scope-record-id": scope["record-id"]})["ranges"][0]
    answer = outcome(pair.first, pair.first.ask("range-update", {
        "record-id": row["record-id"], "modified-properties": ["end-ip-address"], "end-ip-address": f"10.100.1.{end}"}))
    assert answer["result"] == 0, answer
    OPERATIONS.append(answer["arguments"]["operation-id"])


OPERATIONS = []
_end = iter(range(50, 200))


def assert_arrives(pair, seconds=5):
    end = next(_end)
    change(pair, end)
    wait_until(lambda: pool_end(pair.second) == f"10.100.1.{end}", seconds, "the change arrives")
    pair.wait_settled()
    assert not pair.first.sync_status().get("last-error")


# What is wrong, what must be said of it, and how it comes to be wrong. All is right again afterwards.

def client_of_others(pair):
    pair.locks.show(pair.locks.others.issue("server1"))


def expired_client(pair):
    pair.locks.show(pair.locks.ours.issue("late", days=-1))


def key_of_another(pair):
    pair.locks.show(pair.locks.ours.issue("one")[0], pair.locks.ours.issue("two")[1])


def unreadable_key(pair):
    os.chmod(f"{pair.locks.folder}/client.key", 0)


def missing_certificate(pair):
    os.unlink(f"{pair.locks.folder}/client.crt")


def server_of_others(pair):
    """Of an authority that the machine trusts, and trust-anchor does not name."""
    pair.agent.start(pair.locks.agent(pair.locks.others.issue("server2")))


def others_trusted(pair):
    pair.locks.trust(pair.locks.others)


def missing_trust_anchor(pair):
    os.unlink(f"{pair.locks.folder}/trusted.crt")


def expired_server(pair):
    pair.agent.start(pair.locks.agent(pair.locks.ours.issue("late", days=-1)))


def no_tls(pair):
    pair.agent.start({"authentication": accounts(**{USER: PASSWORD})})


def wrong_password(pair):
    write(pair.locks.password, OTHER_PASSWORD + "\n")


def missing_password(pair):
    os.unlink(pair.locks.password)


def unreadable_password(pair):
    os.chmod(pair.locks.password, 0)


def empty_password(pair):
    write(pair.locks.password, "")


def password_is_a_folder(pair):
    os.unlink(pair.locks.password)
    os.mkdir(pair.locks.password)


def another_account(pair):
    pair.agent.start(pair.locks.agent(authentication=accounts(**{USER: OTHER_PASSWORD})))


WRONG = [
    (client_of_others, ["cert-file", "client.crt"]), (expired_client, ["cert-file", "client.crt"]),
    (key_of_another, ["key-file", "client.key"]), (unreadable_key, ["key-file", "client.key", "Permission denied"]),
    (missing_certificate, ["cert-file", "client.crt", "No such file"]),
    (server_of_others, ["certificate", "trust-anchor", "trusted.crt"]),
    (others_trusted, ["certificate", "trust-anchor", "trusted.crt"]),
    (missing_trust_anchor, ["trust-anchor", "trusted.crt", "No such file"]),
    (expired_server, ["certificate has expired", "new certificate"]),
    (no_tls, ["TLS", "url"]),
    (wrong_password, ["401", "basic-auth"]), (another_account, ["401", "basic-auth"]),
    (missing_password, ["password", "No such file"]), (unreadable_password, ["password", "Permission denied"]),
    (empty_password, ["password", "empty"]), (password_is_a_folder, ["password", "not a file"]),
]


def mend(pair):
    locks = pair.locks
    for name in ("client.crt", "client.key", "trusted.crt"):
        if os.path.exists(f"{locks.folder}/{name}"):
            os.chmod(f"{locks.folder}/{name}", 0o600)
    locks.show(f"{locks.folder}/server1.crt", f"{locks.folder}/server1.key")
    locks.trust()
    if os.path.isdir(locks.password):
        os.rmdir(locks.password)
    write(locks.password, PASSWORD + "\n")


def test_with_the_right_certificates_and_password_a_change_arrives(locked):
    assert_arrives(locked)
    assert locked.first.sync_status()["partner-url"].startswith("https://")


@pytest.mark.parametrize("wrong, words", WRONG, ids=[case[0].__name__ for case in WRONG])
def test_what_is_wrong_keeps_the_change_and_is_said(locked, wrong, words):
    first, second = locked.first, locked.second
    end, marks = next(_end), [server.mark() for server in (first, second)]
    before = [server.ha_state() for server in (first, second)]
    old = pool_end(second)
    locked.agent.stop()  # so that no open connection, which was let in long ago, serves on
    try:
        locked.agent.start(locked.locks.agent())
        wrong(locked)
        change(locked, end)

        def said():
            error = first.sync_status().get("last-error", "")
            return error if all(word in error for word in words) else None
        try:
            wait_until(said, 5, f"the error says {words}")
        except AssertionError as late:
            raise AssertionError(f"{late}: {first.sync_status().get('last-error')!r}") from None
        status = first.sync_status()
        assert status["queued"] == 1 and status["out-of-sync"] == 1, status
        operation = first.command("scope-replicate", {"subnet-ids": [1]})["operation-id"]
        OPERATIONS.append(operation)
        fault = ended(first, operation)["fault"]
        assert fault["code"] == "Receiver" and all(word in fault["reason"] for word in words), fault
        assert pool_end(first) == f"10.100.1.{end}" and pool_end(second) == old
    finally:
        mend(locked)
        locked.agent.start(locked.locks.agent())
    wait_until(lambda: pool_end(second) == f"10.100.1.{end}", 5, "what was queued arrives")
    locked.wait_settled()
    assert not first.sync_status().get("last-error")
    assert [server.ha_state() for server in (first, second)] == before
    for server, mark in zip((first, second), marks):
        assert not server.disturbances(mark)


def reload_with(pair, **changed):
    """The parameter "partners" anew; None leaves one out."""
    access = {**pair.locks.access, **changed}
    tell_partners(pair, {key: value for key, value in access.items() if value is not None})
    pair.first.reload()
    pair.wait_normal()


def change_in_file(pair, end):
    """For a reload not to revert it."""
    pair.first.configuration["subnet4"][0]["pools"] = [{"pool": f"10.100.1.10 - 10.100.1.{end}"}]


def assert_refused(pair, *words):
    """Returns the end of the pool that waits."""
    end = next(_end)
    change(pair, end)
    wait_until(lambda: all(word in pair.first.sync_status().get("last-error", "") for word in words), 5,
               f"the error says {words}")
    assert pair.first.sync_status()["queued"] == 1 and pool_end(pair.second) != f"10.100.1.{end}"
    return end


def test_a_parameter_that_is_missing_is_mended_by_a_reload(locked):
    reload_with(locked, **{"cert-file": None, "key-file": None, "basic-auth-password-file": None})
    locked.agent.start(locked.locks.agent())
    end = assert_refused(locked, "cert-file '(none)'")
    assert pool_end(locked.first) == f"10.100.1.{end}"
    change_in_file(locked, end)
    reload_with(locked)
    wait_until(lambda: pool_end(locked.second) == f"10.100.1.{end}", 10, "what was queued arrives")
    locked.wait_settled()


def test_https_without_a_word_on_whom_to_trust_is_not_spoken(locked):
    """The machine trusts the authority of the certificate, as it does those of browsers: that is not enough."""
    reload_with(locked, **{"trust-anchor": None})
    server_of_others(locked)
    end = assert_refused(locked, "trust-anchor", "certificate-name", "https")
    lines = locked.first.logged("FAILOVER_SYNC_PUSH_FAILED")
    assert "nothing says whose certificate to believe" in lines[-1], lines[-1]
    locked.agent.start(locked.locks.agent(locked.locks.others.issue("server2", ["DNS:server2.example"])))
    change_in_file(locked, end)
    reload_with(locked, **{"trust-anchor": None, "certificate-name": "server2.example"})
    wait_until(lambda: pool_end(locked.second) == f"10.100.1.{end}", 10, "a name that the machine's authorities vouch for")
    locked.wait_settled()
    locked.agent.start(locked.locks.agent())
    change_in_file(locked, end)
    reload_with(locked)
    locked.wait_settled()


def test_a_trust_anchor_may_be_a_folder(locked):
    folder = f"{locked.locks.folder}/anchors"
    os.mkdir(folder)
    shutil.copy(locked.locks.ours.certificate, folder)
    processes.run("openssl", "rehash", folder)
    reload_with(locked, **{"trust-anchor": folder})
    assert_arrives(locked)
    server_of_others(locked)
    end = assert_refused(locked, "trust-anchor", folder)
    locked.agent.start(locked.locks.agent())
    wait_until(lambda: pool_end(locked.second) == f"10.100.1.{end}", 5, "what was queued arrives")


def test_a_partner_is_known_by_the_name_that_we_were_told(locked):
    """HA's parameters have none, and HA looks at none: without it, the authority's word is enough."""
    reload_with(locked)
    locked.agent.start(locked.locks.agent(locked.locks.ours.issue("server9", ["DNS:server9.example"])))
    assert_arrives(locked)
    reload_with(locked, **{"certificate-name": "server9.example"})
    assert_arrives(locked)
    reload_with(locked, **{"certificate-name": "server2.example"})
    end = assert_refused(locked, "'server2.example'", "certificate-name")
    locked.agent.start(locked.locks.agent())
    wait_until(lambda: pool_end(locked.second) == f"10.100.1.{end}", 5, "the one of that name gets what was queued")
    reload_with(locked, **{"certificate-name": SERVER_ADDRESSES["server2"]})
    assert_arrives(locked)


def test_a_partner_whose_url_has_a_name_must_bear_it(locked):
    way = processes.start(
        ["ip", "netns", "exec", locked.first.namespace, "socat", f"TCP-LISTEN:{PORT},bind=127.0.0.1,fork,reuseaddr",
         f"TCP:{locked.second.address}:{PORT}"], locked.first.path("way.log"))
    try:
        reload_with(locked, url=f"https://localhost:{PORT}/")
        end = assert_refused(locked, "'localhost'", "certificate of that name")
        locked.agent.start(locked.locks.agent(locked.locks.ours.issue("local", ["DNS:localhost"])))
        wait_until(lambda: pool_end(locked.second) == f"10.100.1.{end}", 5, "what was queued arrives")
    finally:
        locked.agent.start(locked.locks.agent())
        reload_with(locked)
        processes.end(way)


BAD = [
    ("a map as password", {"basic-auth-password-file": {"is": MISPLACED}}, "basic-auth-password-file"),
    ("the password itself", {"basic-auth-password": MISPLACED}, "unknown name 'basic-auth-password'"),
    ("a password in the url", {"url": f"https://{USER}:{MISPLACED}@{SERVER_ADDRESSES['server2']}/"}, "basic-auth-user"),
    ("a url that is none", {"url": f"ftp://{USER}:{MISPLACED}@{SERVER_ADDRESSES['server2']}/"}, "url"),
]


@pytest.mark.parametrize("what, access, word", BAD, ids=[case[0] for case in BAD])
def test_a_bad_parameter_is_named_and_not_shown(locked, what, access, word):
    first, mark = locked.first, locked.first.mark()
    before = copy.deepcopy(first.configuration)
    tell_partners(locked, {**locked.locks.access, **access})
    bad = copy.deepcopy(first.configuration)
    first.write(before)
    answer = first.ask("config-set", {"Dhcp4": bad})
    lines = first.logged("FAILOVER_SYNC_IDLE", mark)
    assert answer["result"] == 0 and lines and word in lines[0], (answer, lines)
    assert MISPLACED not in str(first.command("failover-status"))
    assert MISPLACED not in str(answer)
    assert MISPLACED not in str(first.logged("FAILOVER_SYNC_", mark)), "Kea itself logs what it is given at this level"
    first.command("config-reload")


def test_a_password_in_a_relationships_url_is_refused_and_not_kept(locked):
    """Not even in the answer, which others may read in the operation's fault."""
    answer = locked.first.ask("failover-add", {
        "relationship-name": "north", "mode": "HotStandby", "server1-name": "server1", "server2-name": "server9",
        "control-url": f"http://{USER}:{MISPLACED}@10.53.0.9:8000/", "subnet-ids": [1]})
    assert answer["result"] == 1 and "control-url" in str(answer), answer
    assert MISPLACED not in answer["text"] + str(list(everything_said(locked.first)))
    assert not any(MISPLACED in row for row in tables.dump(locked.first))


def everything_said(server):
    for command, arguments in (("failover-status", None), ("failover-get-all", None), ("scope-get-all", None),
                               ("adm-get", {"limit": 1000}), ("scope-get", {"subnet-id": 1})):
        yield command, str(server.ask(command, arguments)).encode()
    for number, operation in enumerate(OPERATIONS):
        yield f"operation-get {number}", str(server.ask("operation-get", {"operation-id": operation})).encode()


def test_no_secret_is_stored_logged_or_shown(locked):
    """By the end of all the above; the log is of the most that there is."""
    locked.wait_quiet()
    found = dict(everything_said(locked.first))
    assert any(b"'operation'" in text for where, text in found.items() if where.startswith("operation-get"))
    assert b"'relationships': [{" in found["failover-status"] and b"server2" in found["adm-get"], found
    assert locked.first.logged("DEBUG .*failover-sync|FAILOVER_SYNC_PUSH_FAILED")
    for server in locked.servers.values():
        for name in ("failover-sync.db", "failover-sync.db-wal", "server.log"):
            if os.path.exists(server.path(name)):
                with open(server.path(name), "rb") as file:
                    found[f"{server.name}'s {name}"] = file.read()
    for where, text in found.items():
        for secret in locked.locks.secrets():
            assert secret not in text, (where, secret)


# ---- HA's own parameters ----

HA_PASSWORD = "0nly-for-ha"


def lock_ha(pair, listener=False):
    """HA speaks TLS with certificates and a password; the library is told nothing. Each server has its own certificate."""
    authority = Authority(f"{pair.folder}/tls")
    write(f"{pair.folder}/tls/ha-password", HA_PASSWORD)
    for server in pair.servers.values():
        certificate, key = authority.issue(server.name)
        files = {"trust-anchor": authority.certificate, "cert-file": certificate, "key-file": key}
        ha = next(hook for hook in server.configuration["hooks-libraries"] if "libdhcp_ha" in hook["library"])
        ha = ha["parameters"]["high-availability"][0]
        ha.update(files)
        for peer in ha["peers"]:
            peer["url"] = peer["url"].replace("http:", "https:")
            peer["basic-auth-user"] = "ha"
            if peer["name"] == "server1":
                peer["basic-auth-password"] = HA_PASSWORD
            else:
                peer["basic-auth-password-file"] = f"{pair.folder}/tls/ha-password"
        server.write(server.configuration)
        server.agent_more = {**files, "cert-required": True, "authentication": accounts(ha=HA_PASSWORD)}


def assert_both_ways(pair):
    for server, other, lifetime in ((pair.first, pair.second, 1111), (pair.second, pair.first, 2222)):
        server.change_by_set(lambda dhcp4: dhcp4["subnet4"][0].update({"valid-lifetime": lifetime}))
        wait_until(lambda: other.scopes()[1]["subnet4"]["valid-lifetime"] == lifetime, 5, f"{other.name} has the change")
        pair.wait_settled()


def assert_hidden(pair):
    secrets = [HA_PASSWORD.encode(), base64.b64encode(f"ha:{HA_PASSWORD}".encode())]
    for server in pair.servers.values():
        found = dict(everything_said(server))
        found["log"] = "\n".join(server.logged("FAILOVER_SYNC_")).encode()
        for name in ("failover-sync.db", "failover-sync.db-wal"):
            if os.path.exists(server.path(name)):
                with open(server.path(name), "rb") as file:
                    found[name] = file.read()
        for where, text in found.items():
            assert not any(secret in text for secret in secrets), (server.name, where)


def test_has_own_certificates_and_password_serve_the_library_too(make_pair):
    pair = make_pair([config.scope(1), config.link_scope()], log_level="DEBUG",
                     library_parameters={"both": {"retry": {"min-ms": 50, "max-ms": 300}}})
    lock_ha(pair)
    pair.start()
    assert pair.first.sync_status()["partner-url"].startswith("https://")
    assert_both_ways(pair)

    pair.second.agent_more["authentication"] = accounts(ha=OTHER_PASSWORD)
    pair.second.start_agent()
    end = next(_end)
    change(pair, end)
    wait_until(lambda: "401" in pair.first.sync_status().get("last-error", ""), 5, "the error says 401")
    assert pair.first.sync_status()["queued"] == 1 and pool_end(pair.second) != f"10.100.1.{end}"
    pair.second.agent_more["authentication"] = accounts(ha=HA_PASSWORD)
    pair.second.start_agent()
    wait_until(lambda: pool_end(pair.second) == f"10.100.1.{end}", 10, "what was queued arrives")
    pair.wait_settled()
    assert_hidden(pair)


def test_has_own_listener_with_tls_serves_the_library_too(make_pair):
    pair = make_pair([config.scope(1), config.link_scope()], mode="hot-standby", dedicated_listener=True,
                     multi_threading=True)
    lock_ha(pair)
    pair.start()
    assert not pair.first.agent and not pair.second.agent
    assert_both_ways(pair)
    assert_hidden(pair)
