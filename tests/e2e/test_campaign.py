"""The short form of the fault campaign: the same rounds as `python3 -m campaign`, a few of them, in one pair.

KFS_CAMPAIGN_SEED repeats a run, KFS_CAMPAIGN_ROUNDS makes it longer; what a failed round's servers left behind stays in
the folder that the failure names."""

import os
import random

import pytest
from campaign import run

SEED = int(os.environ.get("KFS_CAMPAIGN_SEED") or random.SystemRandom().randrange(1 << 31))
ROUNDS = int(os.environ.get("KFS_CAMPAIGN_ROUNDS") or 25)


@pytest.fixture(scope="module")
def campaign():
    outcomes = []
    chapters = run.Chapters(SEED, run.FAILURES)
    try:
        yield chapters, outcomes
    finally:
        chapters.close()
        print(f"\n{run.totals(outcomes)}")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_nothing_is_lost_whatever_goes_wrong(campaign, number):
    chapters, outcomes = campaign
    outcome = chapters.run(number)
    outcomes.append(outcome.as_record())
    print(outcome.line())
    assert outcome.good, f"python3 -m campaign --round {SEED}:{number} repeats this round\n{outcome.story()}"
