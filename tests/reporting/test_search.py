"""What is reported of a search with hydra/sweeper=optuna."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from cgan_lightning.reporting.search import searched
from cgan_lightning.storage.sweep_folder import SweepFolder
from cgan_lightning.utils import plots
from tests.helpers import commands
from tests.helpers.runs import small

pytest.importorskip("optuna", reason="needs the extra optuna")
pytestmark = pytest.mark.training

SEARCH = ("-m", *small(), "hydra/sweeper=optuna", "objective_metric=fid", "trainer.max_steps=4", "hydra.sweeper.n_trials=5",
          "model.stages=choice(2,3)", "optimizer.generator.lr=tag(log,interval(1e-4,1e-2))")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Five trials of one epoch, some of which fail."""
    here = tmp_path_factory.mktemp("searched")
    with contextlib.chdir(here):
        done = commands.give("train", *SEARCH)
    assert done.code == 0, done.said
    return next((here / "runs/sweeps").iterdir())


@pytest.mark.matrix
def test_a_report_has_the_trials_their_importance_and_the_best(folder, monkeypatch):
    monkeypatch.setattr(plots, "KINDS", {})
    done = commands.give("report", f"runs={folder}")
    assert done.code == 0, done.said
    sweep = SweepFolder(folder)
    trials, best = sweep.trials(), sweep.best()
    failed = sum(trial.state == "failed" for trial in trials)
    assert 0 < failed <= 3
    counted, words = f"5 trials: {5 - failed} finished, {failed} failed.", f"Best so far, of 5 trials: {sweep.in_words(best)}."
    for name in ("report.html", "results.md"):
        text = (folder / name).read_text()
        assert counted in text, name
        assert words in text, name
        assert "Parameter importance by PED-ANOVA" in text, name
        assert text.count("28 pixels can") == failed, "a remark on each that failed"
    assert words in done.said
    assert r"importance, \%" in (folder / "results.tex").read_text()
    kept = pd.read_csv(folder / "trials.csv")
    assert kept.state.tolist() == [trial.state for trial in trials]
    assert kept.fid.min() == pytest.approx(best.value)
    shares = searched(sweep).importance
    assert shares.keys() == {"model.stages", "optimizer.generator.lr"}
    assert sum(shares.values()) == pytest.approx(1)


def test_with_one_finished_trial_the_report_says_why_importance_is_unknown(folder, monkeypatch):
    sweep = SweepFolder(folder)
    one = [sweep.best(), *(trial for trial in sweep.trials() if trial.state == "failed")]
    monkeypatch.setattr(SweepFolder, "trials", lambda _: one)
    found = searched(sweep)
    assert (found.importance, found.unknown) == ({}, "it needs two finished trials")


def test_a_damaged_study_is_one_sentence(folder, tmp_path):
    broken = SweepFolder(tmp_path / "sweep")
    for name in ("sweep.json", "trials.json"):
        (tmp_path / "sweep").mkdir(exist_ok=True)
        (broken.path / name).write_bytes((folder / name).read_bytes())
    assert searched(broken).unknown == "there is no study.db"
    broken.study.write_text("no study" * 1000)
    with pytest.raises(
        ValueError, match=r"study.db cannot be read \(file is not a database\): remove .* to start the study over$"
    ):
        searched(broken)


@pytest.mark.matrix
@pytest.mark.process
def test_a_report_of_other_runs_imports_no_optuna(folder):
    program = "import sys; from cgan_lightning.reporting import collect; from cgan_lightning import train, report, status\n"
    program += "collect.study([sys.argv[1]]); print('optuna' in sys.modules, 'sqlalchemy' in sys.modules)"
    runs = [str(run.parent) for run in folder.parents[1].glob("*/results.json")]
    done = subprocess.run([sys.executable, "-c", program, runs[0]], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
