"""Each command once on the device, as a user gives it; a run that the others look at."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.gpu.conftest import ON, only_gpu
from tests.helpers import commands
from tests.helpers.processes import run_command
from tests.helpers.runs import small

DEVICE, TRAINER = f"device={ON}", f"trainer={ON}"
OTHERS = [word for word in small() if not word.startswith("trainer")]


def given(command, *words):
    answer = commands.give(command, *words)
    assert answer.code == 0, answer.said
    return answer.said


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a sweep of two seeds, whose runs have been trained on the device."""
    folder = tmp_path_factory.mktemp("commands")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        given("train", "-m", *OTHERS, TRAINER, "trainer.max_steps=8", "validation.samples=100", "seed=0,1")
    return folder


@pytest.fixture
def run(runs, monkeypatch) -> Path:
    monkeypatch.chdir(runs)
    return sorted(runs.glob("runs/*seed0*"))[0]


@only_gpu
def test_train_says_how_updates_are_launched(run):
    said = (run / "train.log").read_text()
    assert "; CUDA graphs, in calls of up to 1 updates" in said
    assert json.loads((run / "results.json").read_text())["job_peak_memory_mib"] > 1


def test_a_seed_is_the_same_picture_on_every_device(run):
    for name, device in (("ours", DEVICE), ("cpu", "device=cpu")):
        given("sample", f"checkpoint={run}", device, "count=4", f"output={name}.npz")
    ours, cpu = (np.load(f"{name}.npz")["images"] for name in ("ours", "cpu"))
    assert ours.shape == cpu.shape
    assert np.abs(ours.astype(float) - cpu.astype(float)).max() <= (1 if ours.dtype == np.uint8 else 1e-4)


def test_evaluate(run):
    given("evaluate", f"checkpoint={run}", DEVICE, "samples=100", "accuracy_score=false", "output=evaluation.json")
    assert json.loads(Path("evaluation.json").read_text())["evaluation"]["samples"]["fid"] > 0


@pytest.mark.parametrize("mode", ["interpolation", "directions", "embeddings", "page"])
def test_explore(run, mode):
    if mode == "page" and not (importlib.util.find_spec("onnxscript") and (shutil.which("npm") or ON == "cpu")):
        pytest.skip("needs onnxscript and npm, which brings ONNX Runtime for the browser")
    if mode == "embeddings":
        pytest.importorskip("scipy")
        pytest.importorskip("matplotlib")
    small = {"interpolation": ("rows=2", "steps=3"), "directions": ("rows=2", "count=2"), "page": ("serve=false",)}
    given("explore", f"checkpoint={run}", DEVICE, f"mode={mode}", *small.get(mode, ()), f"output={mode}")
    assert any(Path(mode).iterdir())


def test_feature_extractor(run):
    given("feature_extractor", DEVICE, "epochs=1", "limit=1024", "threads=1", "output=feature_extractor.safetensors")
    assert Path("feature_extractor.safetensors").stat().st_size > 1000


def test_report(run):
    for package in ("pandas", "scipy", "statsmodels", "matplotlib", "jinja2"):
        pytest.importorskip(package)
    (sweep,) = Path("runs/sweeps").iterdir()
    given("report", f"runs={sweep}", "output=report")
    assert Path("report/report.html").stat().st_size > 1000


def test_one_rank_of_ddp(runs, monkeypatch):
    monkeypatch.chdir(runs)
    ddp = ("trainer=ddp", "trainer.devices=1") if ON == "gpu" else ("trainer=ddp_cpu", "trainer.devices=1")
    given("train", *OTHERS, *ddp, "trainer.max_steps=3", "validation.every_n_epochs=null", "run_root=ddp")


@pytest.mark.parametrize("setting", ["trainer.precision=bf16-mixed", "trainer.deterministic=true", "trainer.tf32=false"])
def test_settings_of_the_device(runs, monkeypatch, setting):
    monkeypatch.chdir(runs)
    given(
        "train",
        *OTHERS,
        TRAINER,
        setting,
        "trainer.max_steps=8",
        "log_every_n_updates=4",
        "validation.samples=100",
        "run_root=set",
    )


def test_a_run_on_the_cpu_has_no_message_about_a_gpu(runs):
    done = run_command("train", *small("trainer.max_steps=1", "validation.every_n_epochs=null", "run_root=cpu"), cwd=runs)
    assert done.returncode == 0, done.stderr
    assert "GPU" not in done.stderr


def test_a_pool_of_four(tmp_path):
    done = run_command(
        "train", "-m", *OTHERS, TRAINER, "hydra/launcher=pool", "hydra.launcher.jobs_per_device=4", "seed=range(4)",
        "trainer.max_steps=8", "validation.every_n_epochs=null", cwd=tmp_path, OMP_NUM_THREADS="1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "\n4 jobs: 4 finished\n" in done.stderr
