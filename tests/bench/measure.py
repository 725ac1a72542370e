"""Runs the parts of the bench that were asked for, one after the other, and prints what they found."""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import arrival  # noqa: E402
import changes  # noqa: E402
import drain  # noqa: E402
import fill  # noqa: E402
import loading  # noqa: E402
import reconcile  # noqa: E402
import throughput  # noqa: E402
from lab import network  # noqa: E402
from lab.release import Release  # noqa: E402
from servers import Ground  # noqa: E402
from table import Table  # noqa: E402

PARTS = {"arrival": arrival, "load": loading, "throughput": throughput, "changes": changes, "drain": drain, "fill": fill,
         "reconcile": reconcile}


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures the library on two real servers.")
    parser.add_argument("scopes", nargs="?", type=int, default=10000)
    parser.add_argument("rounds", nargs="?", type=int, default=4, help="more of them, less chance")
    parser.add_argument("--only", metavar="PART", nargs="+", choices=PARTS, default=list(PARTS), help=", ".join(PARTS))
    return parser.parse_args()


def main():
    given = arguments()
    network.sweep()
    ground, table, begun = Ground(given.scopes), Table(), time.monotonic()
    try:
        for name, part in PARTS.items():
            if name in given.only:
                started = time.monotonic()
                part.measure(ground, given.rounds, table)
                print(f"{name}: measured in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    finally:
        ground.remove()
    version = ".".join(map(str, Release().version))
    print(f"Kea {version}, {given.scopes:,} scopes, {os.cpu_count()} processors, {time.monotonic() - begun:.0f} s; "
          "medians, and the smallest to the largest\n")
    table.show()


if __name__ == "__main__":
    main()
