"""hydra/sweeper=optuna: a study goes on whatever becomes of its trials, and the same command continues it."""

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from cgan_lightning import status
from cgan_lightning.config import search, search_space
from cgan_lightning.config.search_space import Choices, Numbers
from cgan_lightning.storage import study
from cgan_lightning.storage.sweep_folder import SweepFolder
from cgan_lightning.utils.errors import UserError
from tests.helpers import commands
from tests.helpers.configs import composed
from tests.helpers.processes import run_command
from tests.helpers.runs import At, stop_at

pytest.importorskip("optuna", reason="needs the extra optuna")
pytestmark = pytest.mark.training

SEARCH = ("-m", "hydra/sweeper=optuna", "objective_metric=loss_g", "validation.every_n_epochs=null", "trainer.max_steps=2")
LR = "optimizer.generator.lr=tag(log,interval(1e-4,1e-2))"


def n_trials(number: int) -> str:
    return f"hydra.sweeper.n_trials={number}"


def the_study() -> SweepFolder:
    (folder,) = Path("runs/sweeps").iterdir()
    return SweepFolder(folder)


def in_the_file(folder: SweepFolder) -> list[str]:
    """The states in Optuna's own file."""
    with sqlite3.connect(folder.study) as file:
        return [state for (state,) in file.execute("select state from trials order by number")]


def test_refused_settings_fail_their_trials_and_the_study_goes_on(multirun, monkeypatch, capsys):
    code, said = multirun(*SEARCH, n_trials(4), "model.stages=choice(2,3)", LR)
    assert code == 0, said
    folder = the_study()
    assert folder.path.name.startswith("stages-lr-")
    trials = folder.trials()
    assert [trial.state for trial in trials] == [
        {"2": "finished", "3": "failed"}[trial.settings["model.stages"]] for trial in trials
    ]
    failed = [trial for trial in trials if trial.state == "failed"]
    assert 0 < len(failed) < 4
    assert all("28 pixels cannot be halved 3 times" in (trial.failure or "") for trial in failed)
    assert in_the_file(folder) == [{"finished": "COMPLETE", "failed": "FAIL"}[trial.state] for trial in trials]
    assert f"\n4 trials: {4 - len(failed)} finished, {len(failed)} failed\n" in said
    best = min((trial for trial in trials if trial.value), key=lambda trial: trial.value)
    settings = " ".join(f"{key}={value}" for key, value in best.settings.items())
    assert said.splitlines()[-1] == (
        f"Best: trial {best.number}, loss_g {best.value:.4g} ({settings}); "
        f"next: python -m cgan_lightning.report runs={folder.path}"
    )
    monkeypatch.setattr("sys.argv", ["status", str(folder.path)])
    status.main()
    assert capsys.readouterr().out.splitlines()[-1] == f"4 trials: {4 - len(failed)} finished, {len(failed)} failed"


@pytest.mark.matrix
def test_a_crash_and_a_diverged_run_fail_their_trials(multirun):
    runs = itertools.count()

    def break_two(_trainer, module):
        number = next(runs)
        if number == 0:
            raise ZeroDivisionError("nobody foresaw this")
        if number == 1:
            next(module.generator.parameters()).data.fill_(float("nan"))

    code, said = multirun(*SEARCH, n_trials(4), LR, "hydra.sweeper.sampler=random", callbacks=[At(2, break_two)])
    assert code == 0, said
    trials = the_study().trials()
    assert [trial.state for trial in trials] == ["failed", "failed", "finished", "finished"]
    assert trials[0].failure == "nobody foresaw this"
    assert "NaN" in (trials[1].failure or "")
    assert "\n4 trials: 2 finished, 2 failed\n" in said


def test_without_a_finished_trial_there_is_no_best(multirun):
    def crash(*_):
        raise ZeroDivisionError("nobody foresaw this")

    code, said = multirun(*SEARCH, n_trials(1), "model.latent_dim=4,8", callbacks=[At(1, crash)])
    assert (code, said.splitlines()[-1]) == (1, "no trial finished: try other values, or more of them")


@pytest.mark.matrix
def test_a_stopped_study_ends_as_one_that_nothing_happened_to(multirun):
    """The trial that was stopped is taken up with its settings, its run resumed, and no trial is too many."""
    search = (*SEARCH, n_trials(3), LR, "trainer.max_steps=5")
    code, _ = multirun(*search, callbacks=[stop_at(3)])
    assert code == 128 + signal.SIGTERM
    folder = the_study()
    (begun,) = folder.trials()
    assert in_the_file(folder) == ["RUNNING"]
    assert folder.table().startswith("interrupted  0: optimizer.generator.lr=")
    code, said = multirun(*search)
    assert code == 0, said
    trials = folder.trials()
    assert "Resuming" in said
    assert trials[0].settings == begun.settings
    assert "3 trials: 3 finished" in said
    assert in_the_file(folder) == ["COMPLETE"] * 3
    assert len(list(Path("runs").glob("*/run.json"))) == 3, "the run that was stopped is that of the first trial"
    code, said = multirun(*search, "run_root=whole")
    assert code == 0, said
    (whole,) = Path("whole/sweeps").iterdir()
    assert [(trial.settings, trial.value) for trial in SweepFolder(whole).trials()] == [
        (trial.settings, trial.value) for trial in trials
    ]


@pytest.mark.matrix
def test_more_trials_continue_a_study_and_trials_of_the_same_settings_share_a_run(multirun):
    search = (*SEARCH, "noise=randn,uniform")
    assert multirun(*search, n_trials(2))[0] == 0
    code, said = multirun(*search, n_trials(5), "hydra.sweeper.n_jobs=3")
    assert code == 0, said
    assert "\n5 trials: 5 finished\n" in said
    folder = the_study()
    assert len(list(Path("runs").glob("*/results.json"))) == 2 == len(folder.jobs())
    assert {trial.settings["noise"] for trial in folder.trials()} == {"randn", "uniform"}
    assert len({trial.value for trial in folder.trials()}) == 2
    before = folder.trials()
    code, said = multirun(*search, n_trials(5))
    assert (code, folder.trials()) == (0, before), "there is nothing left to do"
    study.opened(folder, "minimize").ask()  # as by a sweep that was killed before the trial had its settings
    assert multirun(*search, n_trials(6))[0] == 0
    assert folder.trials()[5].failure == "the sweep was stopped while its settings were chosen"
    assert in_the_file(folder) == ["COMPLETE"] * 5 + ["FAIL"]
    for other in ("hydra.sweeper.seed=1", "hydra.sweeper.direction=maximize", "hydra.sweeper.sampler=random", "seed=1"):
        multirun(*search, n_trials(1), other)
    assert len(list(Path("runs/sweeps").iterdir())) == 5


@pytest.mark.matrix
def test_trials_run_concurrently_in_a_pool(tmp_path):
    pool = ("hydra/launcher=pool", "hydra.launcher.jobs_per_device=2", "hydra.sweeper.n_jobs=2", n_trials(4))
    small = ("trainer=cpu", "data.limit=64", "data.batch_size=16", "model.stages=choice(2,3)", LR)
    done = run_command("train", *SEARCH, *small, *pool, cwd=tmp_path, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("runs/sweeps/*")
    states = [trial.state for trial in SweepFolder(path).trials()]
    assert f"\n4 trials: {states.count('finished')} finished, {states.count('failed')} failed\n" in done.stderr
    assert set(states) == {"finished", "failed"}
    assert done.stderr.count("ended with exit code 0") == states.count("finished")


@pytest.mark.matrix
def test_a_killed_job_fails_its_trial(tmp_path):
    small = ("trainer=cpu", "data.limit=64", "data.batch_size=16", "trainer.max_steps=4000", LR)
    command = [sys.executable, "-m", "cgan_lightning.train", *SEARCH, *small, "hydra/launcher=pool", n_trials(1)]
    searching = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("runs/*/progress.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    pids = [int(word) for file in Path(f"/proc/{searching.pid}/task").glob("*/children") for word in file.read_text().split()]
    os.kill(next(pid for pid in pids if b"resume.run=auto" in Path(f"/proc/{pid}/cmdline").read_bytes()), signal.SIGKILL)
    said = searching.communicate(timeout=60)[1]
    assert searching.returncode == 1, said
    assert "\n1 trials: 1 failed\nno trial finished" in said
    (path,) = tmp_path.glob("runs/sweeps/*")
    assert SweepFolder(path).trials()[0].failure.startswith("killed by SIGKILL")


def test_what_a_key_may_be_is_what_the_command_line_says():
    given = {
        "noise=randn,uniform": Choices(("randn", "uniform")),
        "model.stages=choice(2,3)": Choices(("2", "3")),
        "model.latent_dim=range(4,64,8)": Numbers(4, 60, step=8),
        "ema.halflife_images=range(1,0,-0.25)": Numbers(0.25, 1.0, step=0.25),
        "model.latent_dim=int(interval(4,64))": Numbers(4, 64),
        LR: Numbers(1e-4, 1e-2, log=True),
    }
    for text, dimension in given.items():
        (found,) = search_space.space(OverridesParser.create().parse_overrides(["seed=3", text])).values()
        assert found == dimension, text
    assert search_space.space(OverridesParser.create().parse_overrides(["seed=1,2", "seed=3"])) == {}, "the last one counts"


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("hydra.sweeper.n_trials=0", "hydra.sweeper.n_trials=0: must be a whole number at least 1"),
        ("hydra.sweeper.n_trials=many", "hydra.sweeper.n_trials=many: must be a whole number at least 1"),
        ("hydra.sweeper.n_jobs=1.5", "hydra.sweeper.n_jobs=1.5: must be a whole number at least 1"),
        ("hydra.sweeper.n_trails=4", "hydra.sweeper.n_trails: unknown setting; did you mean hydra.sweeper.n_trials?"),
        ("hydra.sweeper.sampler=tpee", "hydra.sweeper.sampler=tpee: must be tpe or random; did you mean tpe?"),
        ("hydra.sweeper.direction=max", "hydra.sweeper.direction=max: must be minimize or maximize or null"),
        ("hydra.sweeper.seed=-1", "hydra.sweeper.seed=-1: must be a whole number at least 0 and below 4294967296"),
        ("objective_metric=null", "objective_metric=null: hydra/sweeper=optuna needs a metric to optimise"),
        ("rerun=true", "rerun=true: a study keeps its trials"),
        ("seed=3", "hydra/sweeper=optuna: there is nothing to search"),
        ("noise=randn,unifrm", "noise=unifrm: must be randn or uniform; did you mean uniform?"),
        ("model.stages=choice(3,4)", "model.stages=3, data.image_size=28: 28 pixels cannot be halved 3 times"),
        ("model.stages=range(3,3)", "model.stages=range(3,3): there is no value in this range"),
        (
            "ema.halflife_images=interval(2,1)",
            "ema.halflife_images=interval(2,1): an interval is from a lower to",
        ),
        ("ema.halflife_images=tag(log,interval(0,1))", "ema.halflife_images=tag(log,interval(0,1)): a logarithmic interval"),
    ],
)
def test_what_can_not_be_searched_is_refused_in_one_sentence(monkeypatch, tmp_path, override, sentence):
    monkeypatch.chdir(tmp_path)
    given = commands.give("train", *SEARCH, "trainer=cpu", override)
    assert (given.code, given.said.count("\n")) == (2, 1), given.said
    assert given.said.startswith(sentence)
    assert list(Path().iterdir()) == []


@pytest.mark.matrix
def test_a_search_may_begin_at_refused_settings(multirun):
    assert multirun(*SEARCH, n_trials(3), "model.stages=choice(3,2)")[0] == 0


def test_without_optuna_a_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UserError, match=r"hydra/sweeper=optuna needs the package optuna: pip install 'cgan-lightning\[optuna\]'"
    ):
        search.check(composed("hydra/sweeper=optuna"), [], lambda _: None)
