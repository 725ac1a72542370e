"""What must hold when everything is healed: both servers run the same scopes, whole; every acknowledged edit is in the
result, was superseded knowingly, or is in the history because the other server's edit counted; nothing runs that nobody
asked for; both stores are sound and say what runs; High Availability is normal and serves."""

import contextlib
import glob
import json
import sqlite3
from dataclasses import dataclass, field

from lab import load
from lab.pair import shared_view
from lab.waiting import wait_until

from .field import CALM_SECONDS
from .ledger import SERVERS, Version, number_in, registers_of, scopes_of, show, version_of

# Kea answers before we have written: the main thread does not wait for the disk. An edit that only Kea's memory held dies
# with it if the server is killed at once; how long "at once" may be, at most.
MEMORY_WINDOW = 0.3  # seconds
EXCHANGES_A_SECOND = 100
DROPS_WITH_THREADS = 3  # Kea 2.2 with multi-threading loses one request in every fourth such run, library or not


@dataclass
class Verdict:
    violations: list = field(default_factory=list)
    lost_with_memory: list = field(default_factory=list)  # acknowledged edits that Kea itself lost
    lost_with_store: list = field(default_factory=list)
    conflicts: int = 0  # versions that went into a history
    exchanges: str = ""

    def wrong(self, text):
        self.violations.append(text)


@contextlib.contextmanager
def store(field_, name):
    database = sqlite3.connect(f"file:{field_.store_of(name)}?mode=ro", uri=True, timeout=5)
    try:
        yield database
    finally:
        database.close()


def set_aside(field_, name):
    """What was renamed because SQLite called it damaged."""
    return set(glob.glob(glob.escape(field_.store_of(name)) + ".damaged-*"))


def history_mark(field_):
    """The last number of each server's history."""
    marks = {}
    for name in SERVERS:
        with store(field_, name) as database:
            marks[name] = database.execute("SELECT COALESCE(MAX(RecordId), 0) FROM ObjectHistory").fetchone()[0]
    return marks


def judge(field_, marks):
    """Waits until all is calm and looks at everything."""
    verdict = Verdict()
    try:
        if field_.refused or field_.clock_set_back:
            field_.tidy_up()
        field_.wait_calm(CALM_SECONDS)
        wait_until(lambda: all(_is_filled(field_, name) for name in SERVERS), CALM_SECONDS, "both stores are there")
    except AssertionError as late:
        verdict.wrong(f"not calm: {late}\n{field_.differences()}\n{_status(field_)}")
    _clients_are_served(field_, verdict)
    if not field_.agree():
        verdict.wrong(f"the servers differ: {field_.differences()}")
    shown = {name: field_.servers[name].running() for name in SERVERS}
    for name in SERVERS:
        if not any(server == name for server, _ in field_.ledger.stores_lost) and set_aside(field_, name) - field_.set_aside[name]:
            verdict.wrong(f"a sound store of {name} was set aside")
        _store_is_sound(field_, name, shown[name], verdict)
        for line in field_.servers[name].logged("FAILOVER_SYNC_RESTORE_FAILED|FAILOVER_SYNC_COMMAND_FAILED", field_.log_marks[name]):
            verdict.wrong(f"{name} logged: {line}")
    _edits_are_kept(field_.ledger, registers_of(shown["server1"]), _history(field_, marks), verdict)
    _scopes_are_whole(field_.ledger, shown["server1"], verdict)
    return verdict


def _is_filled(field_, name):
    """Whether the store has its tables: one that was emptied a moment ago has none, and nothing that waits."""
    try:
        with store(field_, name) as database:
            return database.execute("SELECT COUNT(*) FROM ADM_DHCPScopesTable").fetchone()[0] > 0
    except sqlite3.Error:
        return False


def _status(field_):
    lines = []
    for name, server in field_.servers.items():
        try:
            lines.append(f"{name}: {server.ha_state()}, {json.dumps(server.command('failover-status'))}")
            with store(field_, name) as database:
                lines += [f"  waits: {row}" for row in database.execute(
                    "SELECT ObjectId, Removal, Attempts, Held, LastError FROM ReplicationQueue LIMIT 20")]
        except (OSError, ValueError, sqlite3.Error) as error:
            lines.append(f"{name}: {error}")
    return "\n".join(lines)


def _serve_clients(field_):
    """A second of clients; again if HA itself stopped serving meanwhile, for a heartbeat that a fault swallowed."""
    for _ in range(3):
        marks = {name: server.mark() for name, server in field_.servers.items()}
        done = load.perfdhcp(field_.network, EXCHANGES_A_SECOND, 1, more=("-W", "500000"))
        if not any(server.logged("HA_STATE_TRANSITION", marks[name]) for name, server in field_.servers.items()):
            break
        field_.wait_normal(CALM_SECONDS)
    return done


def _clients_are_served(field_, verdict):
    try:
        done = _serve_clients(field_)
    except AssertionError as error:
        verdict.wrong(str(error))
        return
    verdict.exchanges = repr(done)
    allowed = DROPS_WITH_THREADS if field_.threads else 0
    if done.sent - done.received > allowed or done.completed < EXCHANGES_A_SECOND * 0.8:
        verdict.wrong(f"clients were not all served: {done}\n{done.report}")
    try:
        field_.wait_normal(1)
    except AssertionError as error:
        verdict.wrong(f"HA is not normal after serving clients: {error}")


# ---- the stores ----

def _store_is_sound(field_, name, shown, verdict):
    with store(field_, name) as database:
        for pragma, good in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
            found = database.execute(f"PRAGMA {pragma}").fetchall()
            if found != good:
                verdict.wrong(f"the store of {name}: {pragma} says {found[:5]}")
        rows = database.execute(
            "SELECT server.IsLocal, scope.SubnetId, scope.Definition, scope.FailoverConfigSyncStatus FROM ADM_DHCPScopesTable"
            " AS scope JOIN ADM_DHCPServersTable AS server ON server.RecordId = scope.DHCPServerRecordId").fetchall()
    running = registers_of(shown)
    scopes = {number: value for (kind, number), value in running.items() if kind == "scope"}
    for local in (1, 0):
        whose = name if local else f"{name}, of its partner"
        known = {}
        for _, subnet_id, definition, status in (row for row in rows if row[0] == local):
            if definition is None:
                continue
            scope = json.loads(definition)
            network = scope.get("shared-network")
            known[subnet_id] = version_of(scope["subnet4"], network)
            if network and number_in(network) != running.get(("network", network["name"])):
                verdict.wrong(f"the store of {whose} has scope {subnet_id} with version {number_in(network)} of network "
                              f"{network['name']}, which runs as {running.get(('network', network['name']))}")
            if status != "InSync":
                verdict.wrong(f"the store of {whose} says that scope {subnet_id} is {status}")
        for subnet_id in sorted(set(known) | set(scopes)):
            if known.get(subnet_id) != scopes.get(subnet_id):
                verdict.wrong(f"the store of {whose} has scope {subnet_id} as {show(known.get(subnet_id))}, it runs as "
                              f"{show(scopes.get(subnet_id))}")


def _history(field_, marks):
    """What both histories got in this round: {register: [values]}."""
    found = {}
    marks = {name: 0 if any(server == name for server, _ in field_.ledger.stores_lost) else mark for name, mark in marks.items()}
    for name in SERVERS:
        with store(field_, name) as database:
            rows = database.execute("SELECT ObjectId, Definition FROM ObjectHistory WHERE RecordId > ?", (marks[name],)).fetchall()
        for subnet_id, definition in rows:
            if definition is None:
                found.setdefault(("scope", subnet_id), []).append(None)
                continue
            scope = json.loads(definition)
            network = scope.get("shared-network")
            found.setdefault(("scope", subnet_id), []).append(version_of(scope["subnet4"], network))
            if network:
                found.setdefault(("network", network["name"]), []).append(number_in(network))
    return found


# ---- the edits ----

def _edits_are_kept(ledger, running, history, verdict):
    verdict.conflicts = sum(len(values) for (kind, _), values in history.items() if kind == "scope")
    by_register = {}
    for edit in sorted(ledger.edits, key=lambda edit: edit.start):
        by_register.setdefault(edit.register, []).append(edit)

    def networks_of(edit):
        return {value.network for value in [edit.value, *_values_at(ledger, edit, by_register[edit.register])] if value}

    def carried(edit):
        """A scope carries its network's parameters: an edit of a network that it was in before or after changes the scope,
        and a conflict over the scope is one over the network's parameters."""
        kind, name = edit.register
        if kind == "scope":
            return [other for network in networks_of(edit) if network for other in by_register.get(("network", network), [])]
        return [other for register, others in by_register.items() if register[0] == "scope"
                for other in others if name in networks_of(other)]
    for register in sorted(set(ledger.before) | set(running) | set(by_register), key=str):
        edits, result = by_register.get(register, []), running.get(register)
        initial, kept = ledger.before.get(register), history.get(register, [])
        if register[0] == "network" and result is None:
            continue  # it went with its last scope
        if result != initial and all(edit.value != result for edit in edits):
            verdict.wrong(f"{register[0]} {register[1]} runs as {show(result)}, which nobody asked for in this round; it "
                          f"was {show(initial)}\n{_told(edits)}")
        _account(ledger, edits, result, kept, carried, verdict)


def _account(ledger, edits, result, history, carried, verdict):
    """Whether each certain edit of one register is accounted for."""
    excused, gone = [], []
    for edit in edits:
        if edit.value == result or edit.value in history or _was_seen(edit, edits):
            continue
        if edit.kept == "memory" and ledger.lived_after(edit) < MEMORY_WINDOW:
            excused.append(edit)
        elif _went_with_a_store(ledger, edit, edits) or (edit.unheard and edit.value is None):
            gone.append(edit)  # that something is missing in a file that was not seen before says nothing
    # What may never have happened supersedes nothing.
    happened = [edit for edit in edits if edit not in excused and edit not in gone and
                (edit.end is not None or edit.value == result or edit.value in history or _was_seen(edit, edits))]
    # Nor does what went with a store: with it goes what it replaced.
    gone += [edit for edit in edits if edit not in gone and edit.value != result and edit.value not in history and
             any(later.server == edit.server and later.start > edit.start for later in gone)]
    for edit in edits:
        if not edit.certain or edit.value == result:
            continue
        others = [later for later in happened if later is not edit]
        if any(later.server == edit.server and later.start >= edit.start for later in others):
            continue
        partners = [later for later in others if later.server != edit.server]
        if any(twin.value == edit.value and any(later.server == twin.server and later.start > twin.start for later in partners)
               for twin in partners):
            continue  # the partner did the same, and then something else
        if any(_knew(later, edit, edits) for later in partners):
            continue
        if any(later.end is None or later.end > edit.start for later in partners if later.heard or later.seen is None):
            continue  # it came between the look and the edit: known or not cannot be told
        if edit.value in history:
            rivals = partners + [other for other in carried(edit) if other.server != edit.server]
            # A server whose store is gone does not know what is an edit; its partner's version counts.
            forgot = any(server == edit.server and when < edit.start for server, when in ledger.stores_lost)
            # Nor does one whose store has not seen the file yet.
            forgot = forgot or edit.unheard
            # Nor does one that could not write down what it had received, once its library is loaded again.
            forgot = forgot or any(server == edit.server and since < edit.start < until
                                   for server, since, until in ledger.disks_full)
            # The same value as before: whether a server knew the old one or the one that came back cannot be told.
            forgot = forgot or any(rival.value in _values_before(ledger, rival, edits) for rival in rivals)
            if not forgot and all(_knew(edit, rival, edits + carried(edit)) for rival in rivals):
                verdict.wrong(f"in the history without a conflict: {edit}; the result is {show(result)}\n{_told(edits)}")
            continue
        if edit in excused:
            verdict.lost_with_memory.append(f"{edit}; killed {ledger.lived_after(edit) * 1000:.0f} ms later")
        elif edit in gone:
            verdict.lost_with_store.append(str(edit))
        else:
            verdict.wrong(f"lost: {edit}; the result is {show(result)}\n{_told(edits)}")


def _values_at(ledger, edit, edits):
    """What its register may have been on the server that it was made on."""
    return [edit.seen.get(edit.register)] if edit.seen is not None else _values_before(ledger, edit, edits)


def _values_before(ledger, edit, edits):
    """The values that its register had before an edit, as far as they are known."""
    return [ledger.before.get(edit.register)] + [other.value for other in edits
                                                 if other.register == edit.register and other.start < edit.start]


def _went_with_a_store(ledger, edit, edits):
    """Whether it was in a store that was lost, or is of a server that had forgotten what came before, so that nobody could
    tell it from a file that is behind; or was in a history that was lost."""
    disputed = any(other.server != edit.server for other in edits)
    in_file = edit.kept == "file" and edit.value is not None  # that something is missing in a file says nothing
    return any(not in_file or when < edit.start if server == edit.server else disputed and edit.start < when
               for server, when in ledger.stores_lost)


def _was_seen(edit, edits):
    """Whether some server ran its value later."""
    return any(later.start > edit.start and later.seen is not None and later.seen.get(edit.register) == edit.value
               for later in edits)


def _knew(later, edit, edits):
    """Whether the server that `later` was made on ran the value of `edit`, or one that was made on top of it."""
    if later.seen is None or later.start <= edit.start:
        return False
    seen = later.seen.get(edit.register)
    return seen == edit.value or any(
        between.register == edit.register and between.value == seen and between.start < later.start and
        (between.server == edit.server and between.start >= edit.start or _knew(between, edit, edits))
        for between in edits if between is not edit)


def _told(edits):
    first = min((edit.start for edit in edits), default=0.0)
    return "\n".join(f"    +{edit.start - first:.3f} {edit}"
                     f"{', seen ' + show(edit.seen.get(edit.register)) if edit.seen is not None else ''}"
                     f"{', heard' if edit.heard else ''}" for edit in edits)


# ---- the text ----

def _scopes_are_whole(ledger, shown, verdict):
    """What runs shows every word of the text it stands for."""
    for number, scope in shared_view(scopes_of(shown)).items():
        network = scope["shared-network"]
        value = version_of(scope["subnet4"], network)
        text = ledger.texts.get(("scope", number, value))
        if text is None:  # moved by another server's text: any text of that number will do
            text = next((said for (kind, identifier, version), said in reversed(ledger.texts.items())
                         if kind == "scope" and identifier == number and isinstance(version, Version)
                         and (version.number, version.pools) == (value.number, value.pools)), None)
        if text is None:
            verdict.wrong(f"scope {number} runs as {show(value)}, which nobody ever asked for")
        elif missing := _missing(text, scope["subnet4"]):
            verdict.wrong(f"scope {number} runs as {show(value)} but not whole: {missing}")
        said = network and ledger.texts.get(("network", network["name"], number_in(network)))
        if network and (missing := _missing({key: word for key, word in said.items() if key != "subnet4"}, network)):
            verdict.wrong(f"network {network['name']} runs as {number_in(network)} but not whole: {missing}")


def _missing(text, shown, path=""):
    """Where what is shown lacks a word of the text; None if it has them all."""
    if isinstance(text, dict):
        if not isinstance(shown, dict):
            return f"{path} is {shown!r}"
        for key, word in text.items():
            if path == "" and key == "interface":
                continue
            if key not in shown:
                if word in ([], {}, ""):
                    continue
                return f"{path}/{key} is not there, {word!r} was asked for"
            if found := _missing(word, shown[key], f"{path}/{key}"):
                return found
        return None
    if isinstance(text, list):
        if not isinstance(shown, list) or len(text) != len(shown):
            return f"{path} is {shown!r}, {text!r} was asked for"
        # Kea prints them in the order of a hash, with words that the text need not have.
        order = (lambda item: item["hw-address"]) if path.endswith("/reservations") else None
        pairs = zip(sorted(text, key=order), sorted(shown, key=order)) if order else zip(text, shown)
        return next((found for one, two in pairs if (found := _missing(one, two, path + "[]"))), None)
    if path.endswith("/pool"):
        text, shown = text.replace(" ", ""), shown.replace(" ", "")
    return None if text == shown else f"{path} is {shown!r}, {text!r} was asked for"
