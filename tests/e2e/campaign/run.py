"""Rounds: what a round will do is drawn from its seed; then it is done, healed and judged. One pair of servers goes through
a chapter of rounds; after a round that failed, the next has a new pair.

    python3 -m campaign --rounds 1000 --seed 7 --pairs 2 --resume
    python3 -m campaign --round 7:37          that round again, in a pair of its own
    python3 -m campaign --round 7:26-37       with the rounds before it"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass, field

from lab import network, pair, processes

from . import edits, faults, oracle
from .field import Field, sweep
from .ledger import SERVERS

CHAPTER = 25  # rounds in one pair
EDITING = 3.0  # seconds of a round in which edits are made
FAILURES = os.path.join(tempfile.gettempdir(), "campaign-failures")  # what the servers of failed rounds left behind


@dataclass
class Plan:
    name: str  # "seed:number"
    edits: list
    faults: list


def draw_plan(seed, number):
    rng = random.Random(f"{seed}:{number}")
    chosen = faults.draw_faults(rng)
    planned = [edits.draw_edit(rng, rng.uniform(0, EDITING), server) for server in SERVERS for _ in range(rng.randrange(1, 6))]
    return Plan(f"{seed}:{number}", sorted(planned, key=lambda edit: edit.at), chosen)


def make_field(seed, number):
    """The pair of a chapter; what is particular about it is drawn from the chapter's seed."""
    rng = random.Random(f"{seed}:chapter {number // CHAPTER}")
    listener, threads = rng.choice([(None, None), (None, True), (True, True)])
    return Field(small_disk=rng.choice(SERVERS), count=rng.choice([30, 30, 150]), dedicated_listener=listener,
                 multi_threading=threads, mode=rng.choice(["load-balancing", "load-balancing", "hot-standby"]),
                 secret=rng.choice([False, True])).start()


@dataclass
class Outcome:
    name: str
    faults: list
    edits: dict  # how many were acknowledged, refused, unanswered, offline, skipped
    conflicts: int
    lost_with_memory: list
    lost_with_store: list
    violations: list
    seconds: float
    exchanges: str
    kept: str | None = None  # the folder that shows what happened
    journal: list = field(default_factory=list)

    @property
    def good(self):
        return not self.violations

    def line(self):
        told = ", ".join(f"{count} {word}" for word, count in sorted(self.edits.items()))
        lost = f", {len(self.lost_with_memory)} lost with Kea's memory" if self.lost_with_memory else ""
        lost += f", {len(self.lost_with_store)} lost with the store" if self.lost_with_store else ""
        return (f"{self.name:>8}  {'ok' if self.good else 'FAILED'}  {self.seconds:4.1f} s  edits: {told or 'none'}; "
                f"{self.conflicts} into the history{lost}; {' + '.join(self.faults) or 'no fault'}")

    def story(self):
        """What was lost and explained, and what was wrong."""
        lines = [f"explained: {text}" for text in self.lost_with_memory + self.lost_with_store]
        lines += [f"VIOLATION: {text}" for text in self.violations]
        return "\n".join(lines + ([f"see {self.kept}"] if self.kept else []))

    def as_record(self):
        return {**asdict(self), "journal": []}


# ---- one round ----

def run_round(field_, plan):
    began = time.monotonic()
    told, problems = Counter(), []
    field_.begin_round()
    marks = oracle.history_mark(field_)
    field_.set_aside = {name: oracle.set_aside(field_, name) for name in SERVERS}
    hands = [threading.Thread(target=_edit, args=(field_, plan, server, began, told, problems)) for server in SERVERS]
    for hand in hands:
        hand.start()
    try:
        _go_wrong(field_, plan, began)
        for hand in hands:
            hand.join()
        for name in SERVERS:
            field_.bring_up(name)
        field_.check_alive()
        field_.note("healed")
        verdict = oracle.judge(field_, marks)
        field_.check_alive()
    except Exception as error:
        verdict = oracle.Verdict([f"{type(error).__name__}: {error}"])
    for hand in hands:
        hand.join()
    verdict.violations += problems
    return Outcome(plan.name, [str(fault) for fault in plan.faults], dict(told), verdict.conflicts, verdict.lost_with_memory,
                   verdict.lost_with_store, verdict.violations, time.monotonic() - began, verdict.exchanges,
                   journal=list(field_.journal))


def _edit(field_, plan, server, began, told, problems):
    for planned in plan.edits:
        if planned.server != server:
            continue
        time.sleep(max(0.0, began + planned.at - time.monotonic()))
        field_.note(f"edit   {planned}")
        try:
            outcome = edits.perform(field_, planned)
        except Exception as error:
            problems.append(f"{planned}: {type(error).__name__}: {error}")
            outcome = "broken"
        told[outcome] += 1
        field_.note(f"  {outcome}: {planned}")


def _go_wrong(field_, plan, began):
    """Each fault begins and ends in its time, in this thread; all are healed on the way out, whatever happens."""
    waiting = [(fault.at, index, fault) for index, fault in enumerate(plan.faults)]
    standing = []
    try:
        while waiting or standing:
            due = min(waiting + standing)
            time.sleep(max(0.0, began + due[0] - time.monotonic()))
            if due in waiting:
                waiting.remove(due)
                field_.note(f"fault  {due[2]}")
                standing.append((time.monotonic() - began + due[2].lasting, due[1], due[2]))
                due[2].inject(field_)
            else:
                standing.remove(due)
                field_.note(f"heal   {due[2]}")
                due[2].heal(field_)
    finally:
        for _, _, fault in standing:
            fault.heal(field_)


# ---- many rounds ----

class Chapters:
    """Runs rounds, in a pair that is kept as long as it may be."""

    def __init__(self, seed, keep):
        self.seed, self.keep = seed, keep
        self._field = self._chapter = None

    def run(self, number):
        if self._field is not None and self._chapter != number // CHAPTER:
            self.close()
        if self._field is None:
            self._field, self._chapter = make_field(self.seed, number), number // CHAPTER
        plan = draw_plan(self.seed, number)
        outcome = run_round(self._field, plan)
        if not outcome.good:
            outcome.kept = self._keep_what_is_left(outcome)
            self.close()
        return outcome

    def close(self):
        if self._field is not None:
            self._field.remove()
            self._field = None

    def _keep_what_is_left(self, outcome):
        """Logs, stores and the course of events."""
        target = os.path.join(self.keep, outcome.name.replace(":", "-"))
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        with open(os.path.join(target, "round.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join([outcome.line(), "", *outcome.violations, "", *outcome.journal, ""]))
        for server in self._field.servers.values():
            shutil.copytree(server.path(""), os.path.join(target, server.name), ignore=shutil.ignore_patterns("filler", "*.sock*"),
                            ignore_dangling_symlinks=True)
        return target


def _run_share(arguments, numbers, results):
    """One pair's share of the rounds; each outcome is a line in the file of results."""
    chapters = Chapters(arguments.seed, arguments.keep)
    try:
        for number in numbers:
            outcome = chapters.run(number)
            with open(results, "a", encoding="utf-8") as file:
                file.write(json.dumps({**outcome.as_record(), "number": number}) + "\n")
            print(outcome.line(), *outcome.story().splitlines(), sep="\n          ", flush=True)
            if outcome.violations and arguments.stop:
                break
    finally:
        chapters.close()
        processes.end_all()


def totals(outcomes):
    """A summary of many rounds."""
    told, kinds = Counter(), Counter()
    for outcome in outcomes:
        told.update(outcome["edits"])
        kinds.update(name.split("(")[0] for name in outcome["faults"])
    bad = [outcome["name"] for outcome in outcomes if outcome["violations"]]
    lines = [f"{len(outcomes)} rounds, {len(bad)} failed{': ' + ', '.join(bad) if bad else ''}",
             f"edits: {', '.join(f'{count} {word}' for word, count in sorted(told.items()))}",
             f"versions that went into a history: {sum(outcome['conflicts'] for outcome in outcomes)}",
             f"acknowledged edits lost with Kea's memory, killed within {oracle.MEMORY_WINDOW * 1000:.0f} ms: "
             f"{sum(len(outcome['lost_with_memory']) for outcome in outcomes)}",
             f"acknowledged edits lost with a store: {sum(len(outcome['lost_with_store']) for outcome in outcomes)}",
             f"faults: {', '.join(f'{name} {count}' for name, count in sorted(kinds.items()))}"]
    return "\n".join(lines)


def _fork_shares(arguments, numbers, results):
    """Whole chapters go to one pair after the other, so that a resumed run meets the same."""
    children = []
    for share in range(arguments.pairs):
        mine = [number for number in numbers if number // CHAPTER % arguments.pairs == share]
        if not mine:
            continue
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _run_share(arguments, mine, results)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        children.append(child)
    broken = 0
    for child in children:
        broken += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    return broken


def main():
    parser = argparse.ArgumentParser(prog="python3 -m campaign", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seed", type=int, help="drawn and printed if it is not given")
    parser.add_argument("--pairs", type=int, default=1, help="side by side")
    parser.add_argument("--resume", action="store_true", help="go on with what the file of results does not have yet")
    parser.add_argument("--round", help="SEED:NUMBER or SEED:FIRST-LAST, instead of --seed and --rounds")
    parser.add_argument("--faults", help="only these kinds, separated by commas; to be given again with --round")
    parser.add_argument("--plan", action="store_true", help="print what the rounds would do")
    parser.add_argument("--stop", action="store_true", help="stop at the first failure")
    parser.add_argument("--keep", default=FAILURES,
                        help="where failed rounds and the file of results are kept")
    arguments = parser.parse_args()
    numbers = range(arguments.rounds)
    if arguments.faults:
        faults.keep_only(arguments.faults.split(","))
    if arguments.round:
        seed, _, span = arguments.round.partition(":")
        first, _, last = span.partition("-")
        arguments.seed, numbers = int(seed), range(int(first), int(last or first) + 1)
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 31)
    if arguments.plan:
        for number in numbers:
            plan = draw_plan(arguments.seed, number)
            print(plan.name, *(f"\n  {edit.at:6.3f}  {edit}" for edit in plan.edits),
                  *(f"\n  {fault.at:6.3f}  {fault}, healed after {fault.lasting:.3f} s" for fault in plan.faults))
        return 0
    if not pair.library_of_run():
        parser.error("KFS_LIBRARY must name the library under test")
    return _campaign(arguments, numbers)


def _campaign(arguments, numbers):
    network.sweep()
    sweep()
    os.makedirs(arguments.keep, exist_ok=True)
    results = os.path.join(arguments.keep, f"results-{arguments.seed}.jsonl")
    if not arguments.resume and os.path.exists(results):
        os.unlink(results)
    done = {outcome["number"] for outcome in _read(results)}
    print(f"seed {arguments.seed}, {len(set(numbers) - done)} rounds to run, {len(done)} done; results in {results}", flush=True)
    broken = _fork_shares(arguments, [number for number in numbers if number not in done], results)
    outcomes = _read(results)
    print(totals(outcomes))
    return 1 if broken or any(outcome["violations"] for outcome in outcomes) else 0


def _read(results):
    if not os.path.exists(results):
        return []
    with open(results, encoding="utf-8") as file:
        return [json.loads(line) for line in file]
