"""A folder that contains several runs or sweeps, where one is meant, is answered with what it holds."""

import os
import shutil
from pathlib import Path

import pytest

from cgan_lightning.config import run_arguments
from cgan_lightning.utils.errors import UserError
from tests.helpers import commands


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    """runs/ with seven runs, the last the newest, and two sweeps."""
    monkeypatch.chdir(tmp_path)
    for number in range(7):
        folder = Path("runs", f"run{number}")
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
        os.utime(folder, (number, number))
    for name in ("one", "two"):
        Path("runs/sweeps", name).mkdir(parents=True)
        Path("runs/sweeps", name, "sweep.json").write_text("{}")
        os.utime(Path("runs/sweeps", name), (0, 0))
    return Path("runs")


SEVEN = "runs contains 7 runs: give one of them; the newest are runs/run6, runs/run5, runs/run4, runs/run3 and runs/run2"


def said(folder: Path, *kinds: str) -> str:
    with pytest.raises(UserError) as error:
        run_arguments.check_folder(str(folder), folder, kinds)
    return str(error.value)


def test_what_a_folder_holds_is_named(runs):
    assert said(runs, "run") == SEVEN
    assert said(runs, "run", "sweep").startswith(
        "runs contains 7 runs and 2 sweeps: give one of them; the newest are runs/run6, "
    )
    assert said(runs, "sweep") == "runs contains 2 sweeps: give runs/sweeps/one or runs/sweeps/two"
    assert said(runs / "sweeps", "sweep") == "runs/sweeps contains 2 sweeps: give runs/sweeps/one or runs/sweeps/two"


def test_one_that_is_meant_and_one_that_holds_none_are_left_to_the_command(runs, tmp_path):
    for folder in (runs / "run0", tmp_path / "nowhere", tmp_path, runs / "sweeps"):
        run_arguments.check_folder("it", folder, ("run",))
    run_arguments.check_folder("it", runs / "sweeps" / "one", ("sweep",))
    run_arguments.check_folder("it", runs / "run0", ("sweep",))


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("sample", "checkpoint=runs"),
        ("explore", "checkpoint=runs"),
        ("train", "resume=runs"),
        ("train", "warm_start.checkpoint=runs"),
    ],
)
def test_every_command_that_takes_a_run_says_so(runs, command, word):
    assert commands.give(command, word) == commands.Answer(2, f"{word.partition('=')[0]}={SEVEN}\n")


@pytest.mark.parametrize(("command", "word"), [("report", "runs=runs"), ("status", "runs")])
def test_every_command_that_takes_a_sweep_says_so(runs, command, word):
    answer = f"{word} contains 2 sweeps: give runs/sweeps/one or runs/sweeps/two\n"
    assert commands.give(command, word) == commands.Answer(2, answer)


def test_status_of_runs_without_a_sweep_names_what_lists_them(runs):
    shutil.rmtree("runs/sweeps")
    answer = "runs contains runs but no sweep: python -m cgan_lightning.runs runs lists them\n"
    assert commands.give("status", "runs") == commands.Answer(2, answer)
