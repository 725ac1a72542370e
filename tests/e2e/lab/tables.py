"""The store of a server as an administrator sees it with sqlite3, while the server runs."""

import sqlite3

from . import processes


def query(server, sql, *values):
    with sqlite3.connect(f"file:{server.store}?mode=ro", uri=True, timeout=10) as database:
        return database.execute(sql, values).fetchall()


def change(server, sql, *values):
    """Writes beside the server, as the sqlite3 program would."""
    database = sqlite3.connect(server.store, timeout=10)
    try:
        database.execute("PRAGMA foreign_keys = ON")
        with database:
            return database.execute(sql, values).lastrowid
    finally:
        database.close()


def dump(server):
    """Every table and row, as text."""
    return processes.run("sqlite3", "-readonly", server.store, ".dump").stdout.splitlines()


def differences(before, after):
    """The lines of two dumps that are not in the other."""
    return [f"- {line}" for line in before if line not in after] + [f"+ {line}" for line in after if line not in before]


def assert_sound(server):
    assert query(server, "PRAGMA integrity_check") == [("ok",)]
    assert query(server, "PRAGMA foreign_key_check") == []
