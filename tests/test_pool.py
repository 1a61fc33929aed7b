"""hydra/launcher=pool: several jobs of a sweep at a time, each as if it were alone."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from safetensors.torch import load_file

from cgan_lightning.config import pool
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed
from tests.helpers.processes import Forked, fork_command, run_command
from tests.helpers.runs import small

POOL = ("-m", *small("hydra/launcher=pool", "hydra.launcher.jobs_per_device=2", "validation.every_n_epochs=null"))


def states(folder: Path) -> list[str]:
    said = fork_command("status", str(next(folder.glob("runs/sweeps/*"))), cwd=folder).stdout
    return [line.split()[0] for line in said.splitlines()[:-1]]


def started(folder: Path) -> Forked:
    """A long sweep of three seeds, two at a time, when the first two have trained for an epoch."""
    words = (*POOL, "seed=0,1,2", "trainer.max_epochs=400")
    sweep = Forked("cgan_lightning.train", *words, cwd=folder, OMP_NUM_THREADS="1")
    deadline = time.monotonic() + 120
    while len(list(folder.glob("runs/*/checkpoints/last.ckpt"))) < 2 and time.monotonic() < deadline and sweep.poll() is None:
        time.sleep(0.05)
    return sweep


def job_of(sweep: Forked, seed: int) -> int:
    children = Path(f"/proc/{sweep.pid}/task").glob("*/children")
    pids = [int(word) for file in children for word in file.read_text().split()]
    return next(pid for pid in pids if f"seed={seed}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"))


@pytest.mark.matrix
def test_four_jobs_end_as_each_does_alone(tmp_path):
    grid = ("model.latent_dim=4,8", "seed=0,1", "trainer.max_steps=4")
    done = run_command("train", *POOL, *grid, cwd=tmp_path, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert "\n4 jobs: 4 finished\n" in done.stderr
    assert done.stderr.count("ended with exit code 0") == 4
    alone = [word for word in POOL if "launcher" not in word]
    done = fork_command("train", *alone, *grid, "run_root=alone", cwd=tmp_path, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    files = sorted(tmp_path.glob("runs/*/generator.safetensors"))
    assert len(files) == 4
    for file in files:
        ours, theirs = load_file(file), load_file(tmp_path / "alone" / file.parent.name / file.name)
        assert ours.keys() == theirs.keys()
        assert all(ours[key].equal(theirs[key]) for key in ours)


@pytest.mark.matrix
def test_a_failing_job_stops_no_other(tmp_path):
    words = (*POOL, "warm_start.checkpoint=null,nowhere", "trainer.max_steps=1")
    done = fork_command("train", *words, cwd=tmp_path, OMP_NUM_THREADS="1")
    assert done.returncode == 1
    assert "there is no nowhere/checkpoints/last.ckpt; give the folder of a run" in done.stderr
    assert states(tmp_path) == ["finished", "failed"]


@pytest.mark.matrix
def test_a_killed_job_takes_no_other_with_it_and_a_signal_saves_the_rest(tmp_path):
    sweep = started(tmp_path)
    first, second = (job_of(sweep, seed) for seed in (0, 1))
    os.kill(first, signal.SIGKILL)
    os.kill(second, signal.SIGSTOP)  # else the others have as much to catch up with at the end
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("runs/*seed2*/progress.json")) and time.monotonic() < deadline:
        time.sleep(0.05)  # the next job has the killed one's place
    os.kill(second, signal.SIGCONT)
    sweep.send_signal(signal.SIGTERM)
    assert sweep.wait(60) == 128 + signal.SIGTERM
    assert states(tmp_path) == ["failed", "interrupted", "interrupted"]
    (second,) = tmp_path.glob("runs/*seed1*/train.log")
    assert "Stopped by SIGTERM after update" in second.read_text()
    updates = max(json.loads(path.read_text())["updates"] for path in tmp_path.glob("runs/*/progress.json"))
    longer = ("trainer.max_epochs=400", f"trainer.max_steps={updates + 1}")
    done = fork_command("train", *POOL, "seed=0,1,2", *longer, cwd=tmp_path, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr


@pytest.mark.matrix
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: no other system tells a process that its parent ended")
def test_jobs_of_a_killed_pool_save_and_stop(tmp_path):
    sweep = started(tmp_path)
    sweep.kill()
    sweep.wait(60)
    deadline = time.monotonic() + 60
    while "running" in states(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert states(tmp_path) == ["interrupted", "interrupted", "waiting"]
    for log in tmp_path.glob("runs/*/train.log"):
        assert "Stopped by SIGTERM after update" in log.read_text()


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("trainer=ddp_cpu",), "trainer.devices=2: a job of hydra/launcher=pool is one process on one device: 1"),
        (("trainer=cpu,gpu",), "trainer=cpu,gpu: all jobs of a pool use the same devices; use a separate command for each"),
        (("hydra.launcher.jobs_per_device=0",), "hydra.launcher.jobs_per_device=0: must be a whole number at least 1, or null"),
    ],
)
def test_what_can_not_be_is_refused(overrides, sentence):
    parsed = OverridesParser.create().parse_overrides(["hydra/launcher=pool", *overrides])
    config = composed(*(override.input_line for override in parsed if not override.is_sweep_override()))

    def checked() -> None:
        pool.check_settings()
        pool.check(config, parsed)

    with pytest.raises(UserError) as refused:
        checked()
    assert str(refused.value) == sentence


def test_jobs_are_dealt_round_the_gpus_that_the_sweep_sees():
    assert [pool.gpu_of(slot, None, 2) for slot in range(4)] == ["0", "1", "0", "1"]
    assert [pool.gpu_of(slot, "3, 5", 2) for slot in range(3)] == ["3", "5", "3"]
    assert pool.gpu_of(1, "GPU-5e1f,GPU-77aa", 2) == "GPU-77aa"
