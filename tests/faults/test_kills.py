"""Signals at random moments: the same command goes on, and ends in the bits of a run that nobody touched."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.runs import ONE, TWO, Outcome, Training, assert_survived, signalled

pytestmark = pytest.mark.faults
RANDOM_KILLS, KILLED_WRITERS, TWO_RANK_KILLS, POLITE = 12, 10, 6, 3
HALVES, MOST_WRITERS = 4, 40  # how many of the killed writers must leave half a file; a fast disk needs more of them


def disturbed(outcome: Outcome, folder: Path, where: tuple[str, ...], whole: Path, signum: int, times: int, seed: int) -> None:
    """`times` signals, one a process; a run that ends before its signal comes is checked, and another one begun."""
    rng, training = random.Random(seed), Training(folder, where)
    while outcome.tried < times:
        ended = signalled(training, signum, rng)
        if ended is None:
            assert_survived(outcome, training, whole)
            training = Training(folder, where, name=f"runs{outcome.tried}")
        else:
            outcome.tried += 1
            if signum != signal.SIGKILL or where == TWO:
                outcome.slowest_end_s = max(outcome.slowest_end_s or 0, ended)
    assert_survived(outcome, training, whole)


def test_killed_at_random(tmp_path, whole_one, outcome):
    row = outcome("SIGKILL at a random moment")
    disturbed(row, tmp_path, ONE, whole_one, signal.SIGKILL, RANDOM_KILLS, seed=0)


def test_killed_while_a_checkpoint_is_written(tmp_path, whole_one, outcome):
    """At the n-th checkpoint of each process: as soon as its file is seen, or some milliseconds later."""
    row, rng, training = outcome("SIGKILL while a checkpoint is written"), random.Random(1), Training(tmp_path, ONE)
    halves = 0
    while (row.tried < KILLED_WRITERS or halves < HALVES) and row.tried < MOST_WRITERS:
        process = training.start()
        if not all(training.wait_for_a_checkpoint() for _ in range(rng.randint(1, 3))):
            training.end()
            assert_survived(row, training, whole_one)
            training = Training(tmp_path, ONE, name=f"runs{row.tried}")
            continue
        time.sleep(rng.uniform(0, 0.015))
        os.kill(process.pid, signal.SIGKILL)
        training.end()
        row.tried += 1
        halves += training.writes_checkpoint()
    row.remarks.append(f"{halves} of them left half a file")
    assert_survived(row, training, whole_one)
    assert halves >= HALVES


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_at_random(tmp_path, whole_one, outcome, signum):
    row = outcome(f"{signum.name} at a random moment")
    disturbed(row, tmp_path, ONE, whole_one, signum, POLITE, seed=2)


def test_one_of_two_ranks_killed(tmp_path, whole_two, outcome):
    row = outcome("two ranks: SIGKILL to one of them")
    disturbed(row, tmp_path, TWO, whole_two, signal.SIGKILL, TWO_RANK_KILLS, seed=3)


def test_one_of_two_ranks_told_to_stop(tmp_path, whole_two, outcome):
    row = outcome("two ranks: SIGTERM to one of them")
    disturbed(row, tmp_path, TWO, whole_two, signal.SIGTERM, POLITE, seed=4)
