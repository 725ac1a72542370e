#!/usr/bin/env python3
"""Prints which share of plugin/ the tests have reached, by folder.

   tests/coverage.py BUILD [--lines]     a folder configured with --enable-coverage, after `make check`

--lines names the lines that no test reached. A branch is one way out of a condition; the library's own folders count, and not what
the tests are made of."""

import collections
import json
import pathlib
import subprocess
import sys


class Share:
    def __init__(self):
        self.there, self.reached = [0, 0], [0, 0]  # lines, branches

    def add(self, line):
        self.count(0, line["count"] > 0)
        for branch in line["branches"]:
            self.count(1, branch["count"] > 0)

    def count(self, kind, reached):
        self.there[kind] += 1
        self.reached[kind] += reached

    def __str__(self):
        return "".join(f"{100 * reached / there:7.1f} % of {there:6}" if there else f"{'none':>18}"
                       for reached, there in zip(self.reached, self.there))


def files_of(build):
    """What gcov says of each source in plugin/, by its path from the top."""
    top = pathlib.Path(__file__).resolve().parent.parent
    for notes in sorted(build.glob("plugin/**/*.gcno")):
        counted = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", str(notes)], cwd=build,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        for file in json.loads(counted)["files"]:
            path = (build / file["file"]).resolve()
            if path.suffix == ".c" and path.is_relative_to(top / "plugin"):
                yield path.relative_to(top), file["lines"]


def main(build, lines=False):
    folders, total = collections.defaultdict(Share), Share()
    for path, told in files_of(pathlib.Path(build).resolve()):
        for line in told:
            folders[path.parent].add(line)
            total.add(line)
        if lines:
            print("\n".join(f"{path}:{line['line_number']}" for line in told if line["count"] == 0))
    if not total.reached[0]:
        sys.exit(f"coverage.py: no test has run in {build}, or it was configured without --enable-coverage")
    print(f"{'':24}{'lines':>18}{'branches':>18}")
    for folder in sorted(folders):
        print(f"{str(folder):24}{folders[folder]}")
    print(f"{'in all':24}{total}")


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[2:] not in ([], ["--lines"]):
        sys.exit(__doc__)
    main(sys.argv[1], len(sys.argv) > 2)
