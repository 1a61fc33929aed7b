"""Sweeps: jobs fail each for itself, the same command goes on where it stopped, two of the same never run at once."""

import contextlib
import json
import re
import shlex
import signal
import sys
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser

from cgan_lightning import status
from cgan_lightning.config import sweep
from cgan_lightning.config.compose import compose
from cgan_lightning.config.paths import CONF
from cgan_lightning.storage import lock
from cgan_lightning.train import train as train_command
from tests.helpers.configs import composed
from tests.helpers.runs import At, assert_same_end, small, state, stop_at

pytestmark = pytest.mark.training


def only(pattern: str) -> Path:
    (path,) = Path().glob(pattern)
    return path


def table_of(folder: Path, capsys, monkeypatch) -> list[str]:
    monkeypatch.setattr(sys, "argv", ["status", str(folder)])
    status.main()
    return capsys.readouterr().out.splitlines()


GRID = ("-m", "noise=randn,uniform", "warm_start.checkpoint=null,nowhere", "trainer.max_steps=2")


def test_a_failing_job_stops_no_other_and_the_exit_code_and_a_table_say_so(multirun, capsys, monkeypatch):
    code, said = multirun(*GRID)
    assert code == 1
    folder = only("runs/sweeps/noise-checkpoint-*")
    lines = table_of(folder, capsys, monkeypatch)
    assert [line.split()[:3] for line in lines[:4]] == [
        [state, f"noise={noise}", f"warm_start.checkpoint={checkpoint}"]
        for noise in ("randn", "uniform")
        for state, checkpoint in (("finished", "null"), ("failed", "nowhere"))
    ]
    assert lines[1].endswith("there is no nowhere/checkpoints/last.ckpt; give the folder of a run")
    assert lines[4] == "4 jobs: 2 finished, 2 failed"
    assert "\n".join(lines) in said
    assert said.endswith("2 failed; run the same command to try again\n")
    assert "Traceback" not in said
    record = json.loads((folder / "sweep.json").read_text())
    assert record["grid"] == {"noise": ["randn", "uniform"], "warm_start.checkpoint": ["null", "nowhere"]}
    assert record["command"].startswith("python -m cgan_lightning.train -m trainer=cpu")


@pytest.mark.parametrize(
    ("sweep", "sentence"),
    [
        (("loss=bce,wasserstein", "regularizer=none"), "loss=wasserstein: the discriminator is unbounded"),
        (("seed=0,1", "data.batch_size=4096", "data.limit=2048"), "data.batch_size=4096 exceeds the 2,048 training images"),
        (("data.image_size=28,29",), "data.image_size=29 must be 28, or a larger even number"),
        (("model.stages=2,3",), "model.stages=3, data.image_size=28: 28 pixels cannot be halved 3 times"),
        (("seed=0,1", "trainer=ddp_cpu", "data.batch_size=17"), "data.batch_size=17 is divided among 2 ranks"),
    ],
)
def test_nothing_starts_that_is_known_to_fail(multirun, sweep, sentence):
    code, said = multirun("-m", *sweep)
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith(sentence)
    assert list(Path().iterdir()) == []


@pytest.mark.matrix
def test_a_sweep_that_wants_less_than_its_runs_have_is_refused(multirun):
    multirun("-m", "noise=randn,uniform", "trainer.max_epochs=2")
    code, said = multirun("-m", "noise=randn,uniform", "trainer.max_epochs=1")
    assert code == 2
    assert "is finished at 2 epochs (8 updates), without results at the requested 4 updates" in said
    assert len(list(Path("runs/sweeps").iterdir())) == 1


@pytest.mark.matrix
def test_the_same_command_skips_the_finished_and_tries_the_failed_again(multirun):
    multirun(*GRID)
    finished = {path: path.stat().st_mtime_ns for path in Path("runs").glob("*/results.json")}
    assert len(finished) == 2
    code, said = multirun(*GRID)
    assert {path: path.stat().st_mtime_ns for path in Path("runs").glob("*/results.json")} == finished
    assert said.count("already finished") == 2
    assert (code, said.count("there is no nowhere")) == (1, 4), "tried, and in the table"
    assert len(list(Path("runs/sweeps").iterdir())) == 1


@pytest.mark.matrix
def test_what_nobody_foresaw_fails_one_job_with_its_traceback(multirun):
    def explode(_trainer, module):
        if type(module.prior).__name__ == "StandardNormal":
            raise ZeroDivisionError("nobody foresaw this")

    code, said = multirun("-m", "noise=randn,uniform", "trainer.max_steps=2", callbacks=[At(1, explode)])
    assert code == 1
    assert "Traceback" in said
    assert "1 finished" in said
    assert re.search(r"^failed +noise=randn +nobody foresaw this$", said, re.M)


@pytest.mark.matrix
def test_a_stopped_sweep_is_finished_by_the_same_command(multirun, monkeypatch, capsys, trained):
    whole = trained("trainer.max_epochs=3", "run_root=whole")
    arguments = ("-m", "noise=randn,uniform", "trainer.max_epochs=3")
    code, _ = multirun(*arguments, callbacks=[stop_at(6)])
    assert code == 128 + signal.SIGTERM
    lines = table_of(only("runs/sweeps/*"), capsys, monkeypatch)
    assert lines[0].startswith("interrupted  noise=randn")
    assert lines[1].startswith("waiting      noise=uniform")
    code, said = multirun(*arguments)
    assert code == 0
    assert "\n2 jobs: 2 finished\n" in said
    stopped = only("runs/*-randn-*")
    assert stopped.name == whole.name
    assert_same_end(stopped, whole)


@pytest.mark.matrix
def test_a_finished_sweep_that_is_to_be_longer_says_what_is_left(multirun, monkeypatch, capsys):
    """The results of the shorter run are still there while the longer one is under way."""
    assert multirun("-m", "seed=0,1", "trainer.max_epochs=1")[0] == 0
    assert multirun("-m", "seed=0,1", "trainer.max_epochs=3", callbacks=[stop_at(9)])[0] == 128 + signal.SIGTERM
    lines = table_of(only("runs/sweeps/*"), capsys, monkeypatch)
    assert re.fullmatch(r"interrupted  seed=0  FID \d+\.\d{3}  at 75%", lines[0])
    assert lines[1] == "waiting      seed=1", "what the shorter run had is none of this one's"
    assert multirun("-m", "seed=0,1", "trainer.max_epochs=3")[0] == 0
    assert {state(folder.parent)["global_step"] for folder in Path("runs").glob("*/results.json")} == {12}


@pytest.mark.matrix
def test_the_same_sweep_twice_at_once_is_refused_and_another_is_not(multirun):
    arguments = ("-m", "seed=0,1", "trainer.max_steps=1")
    assert multirun(*arguments)[0] == 0
    with lock.hold(only("runs/sweeps/*"), whose="this sweep"):
        code, said = multirun(*arguments)
        assert code == 2
        assert "is in use: another process runs this sweep right now" in said
        assert multirun("-m", "seed=2,3", "trainer.max_steps=1")[0] == 0
    assert len(list(Path("runs/sweeps").iterdir())) == 2


def test_going_on_with_one_run_is_no_sweep(multirun, train):
    folder = train("trainer.max_steps=1")
    code, said = multirun("-m", f"resume={folder}", "seed=0,1")
    assert code == 2, said
    assert said.splitlines()[-1].endswith("resumes one run; a sweep resumes its runs by default: omit it")


@pytest.mark.matrix
def test_a_folder_with_an_awkward_name_will_do(multirun):
    code, said = multirun("-m", "noise=randn,uniform", "trainer.max_steps=1", r"run_root='it\'s (a, b) = c'")
    assert code == 0, said
    assert len(list(Path("it's (a, b) = c/sweeps").glob("noise-*/jobs/*.json"))) == 2


@pytest.mark.matrix
def test_a_running_job_says_how_far_it_is_and_how_long_it_will_take(multirun, train, capsys, monkeypatch):
    multirun("-m", "seed=0,1", "trainer.max_steps=1")
    run = only("runs/*-seed0-*")
    (run / "results.json").unlink()
    told = {"updates": 250, "planned": 1000, "batch_size": 64, "images_per_second": 640.0, "fid": 1.5}
    with lock.hold(run, whose="a test"):
        (run / "progress.json").write_text(json.dumps(told))
        assert table_of(only("runs/sweeps/*"), capsys, monkeypatch)[0] == "running      seed=0  FID 1.500   25%, 0:01:15 left"


@pytest.mark.matrix
def test_a_sweep_is_watched_until_it_ends(multirun, capsys, monkeypatch):
    multirun("-m", "seed=0,1", "trainer.max_steps=1")
    run, folder = only("runs/*-seed1-*"), only("runs/sweeps/*")
    (run / "results.json").unlink()
    told = {"planned": 1000, "batch_size": 64, "images_per_second": None, "fid": None}
    with contextlib.ExitStack() as live:
        live.enter_context(lock.hold(folder, whose="a test"))
        live.enter_context(lock.hold(run, whose="a test"))
        updates = iter([100, 100, 200])

        def advance(_seconds):
            if (now := next(updates, None)) is None:
                live.close()
            else:
                (run / "progress.json").write_text(json.dumps(told | {"updates": now}))

        monkeypatch.setattr(status.time, "sleep", advance)
        monkeypatch.setattr(sys, "argv", ["status", str(folder), "--watch"])
        status.main()
    shown = [line.split("  ")[-1] for line in capsys.readouterr().out.splitlines() if "seed=1" in line]
    assert [each for each in shown if each in ("10%", "20%")] == ["10%", "20%"], "what hasn't changed isn't said again"


@pytest.mark.matrix
def test_a_sweep_says_how_far_it_is_and_what_comes_next(multirun):
    """What is to be pasted is read as the folder's name, whatever is in it."""
    code, said = multirun("-m", "noise=randn,uniform", "trainer.max_steps=1", r"run_root='it\'s (a, b) = c'")
    assert code == 0, said
    lines = said.splitlines()
    assert re.search(r"^1 of 2 jobs done in 0:\d\d:\d\d, about 0:\d\d:\d\d left$", said, re.M)
    assert re.search(r"^2 of 2 jobs done in 0:\d\d:\d\d$", said, re.M)
    assert "[HYDRA]" not in said
    assert "Launching 2 jobs locally" in lines
    for line, name, key in zip(lines[-2:], ("evaluate", "report"), ("checkpoint", "runs"), strict=True):
        python, _, module, *words = shlex.split(line)
        assert (python, module) == ("python", f"cgan_lightning.{name}")
        assert Path(compose(*words, command=name)[key]) == only("it's (a, b) = c/sweeps/*")


@pytest.mark.matrix
def test_a_live_run_writes_how_far_it_is(train):
    told = json.loads((train("trainer.max_steps=6") / "progress.json").read_text())
    assert (told["updates"], told["planned"], told["batch_size"]) == (6, 6, 16)
    assert told["images_per_second"] > 0


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("name", "jobs"), [("channels", 6), ("latent_dim", 15), ("noise", 6), ("conditioning", 12), ("ablation", 24)]
)
def test_a_sweep_file_turns_multirun_on_and_composes_with_an_experiment(name, jobs):
    composed(f"sweep={name}", "experiment=documented")
    hydra_part = HydraConfig.get()
    assert hydra_part.mode.name == "MULTIRUN"
    params = OverridesParser.create().parse_overrides([f"{key}={value}" for key, value in hydra_part.sweeper.params.items()])
    points = sweep.points(params)
    assert len(points) == jobs
    assert len({sweep.job(composed(*each, "experiment=documented"), 0).name for each in points}) == jobs


def test_every_sweep_file_is_among_those_tested():
    assert {path.stem for path in (CONF / "sweep").glob("*.yaml")} == {
        "channels", "latent_dim", "noise", "conditioning", "ablation",
    }  # fmt: skip


@pytest.mark.matrix
def test_a_sweep_file_runs_without_a_flag_and_a_value_given_beside_it_counts(multirun):
    code, said = multirun("sweep=noise", "experiment=quick", "seed=7", "trainer.max_steps=1")
    assert code == 0
    assert "\n2 jobs: 2 finished\n" in said
    assert sorted(path.parent.name.rsplit("-", 1)[0] for path in Path("runs").glob("*/results.json")) == [
        *(f"channels256-latent24-{noise}-embedding-quick-limit64-batch_size16-seed7" for noise in ("randn", "uniform")),
    ]  # fmt: skip
    assert only("runs/sweeps/*").name.startswith("noise-")


def test_train_returns_the_metric_that_a_sweeper_asks_for(train):
    folder = train("trainer.max_steps=2")
    metrics = json.loads((folder / "results.json").read_text())["metrics"]
    finished = composed(*small("trainer.max_steps=2", "objective_metric=loss_g"))
    assert train_command(finished) == metrics["loss_g"]
    assert train_command(composed(*small("trainer.max_steps=2"))) is None
    assert state(folder)["global_step"] == 2
