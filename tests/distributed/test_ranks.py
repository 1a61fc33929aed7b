"""Two ranks do the work of one, stop as one and fail as one: real processes that talk through gloo."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from cgan_lightning.config import build
from cgan_lightning.distributed import rank_info
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed
from tests.helpers.processes import fork_command
from tests.helpers.ranks import job, only, torchrun_job
from tests.helpers.runs import assert_same_end, small, state
from tests.helpers.validation import measured_again
from tests.storage.job import UPDATE

TWO = small("trainer=ddp_cpu")


@pytest.mark.matrix
def test_two_ranks_with_half_the_batch_each_are_one_rank_with_all_of_it(tmp_path):
    """20 updates in float64, no batch norm (its statistics are each rank's own); the ranks are torchrun's."""
    exact = ("trainer.precision=64-true", "trainer.max_steps=20", "trainer.max_epochs=5")
    one = job("without_batch_norm", *small(*exact), "run_root=one", cwd=tmp_path)
    assert one.returncode == 0, one.stderr
    two = torchrun_job("without_batch_norm", *TWO, *exact, "run_root=two", cwd=tmp_path)
    assert two.returncode == 0, two.stderr
    ends = [state(only(f"{root}/*", tmp_path)) for root in ("one", "two")]
    assert [end["global_step"] for end in ends] == [20, 20]
    for part in ("state_dict", "optimizer_states"):
        torch.testing.assert_close(ends[0][part], ends[1][part], atol=1e-9, rtol=0)
    results = [json.loads(only(f"{root}/*/results.json", tmp_path).read_text()) for root in ("one", "two")]
    losses = [{name: value for name, value in each["metrics"].items() if name != "images_per_second"} for each in results]
    assert losses[0] == pytest.approx(losses[1], abs=1e-9), "the means over both ranks are logged"
    assert [each["ranks"] for each in results] == [1, 2]


@pytest.mark.matrix
def test_ranks_stop_at_one_update_and_go_on_to_the_same_bits(tmp_path):
    """SIGTERM to rank one alone; batch norm has statistics of its own on each rank, until a checkpoint is loaded."""
    whole = job("nothing", *TWO, "trainer.max_epochs=2", "run_root=whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    stopped = job("rank_one_gets_sigterm", *TWO, "trainer.max_epochs=2", cwd=tmp_path)
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr
    assert stopped.stderr.count(f"Stopped by SIGTERM after update {UPDATE}, which is saved") == 1
    folder = only("runs/*", tmp_path)
    assert state(folder)["global_step"] == UPDATE
    resumed = job("nothing", *TWO, "trainer.max_epochs=2", "resume=auto", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_end(folder, only("whole/*", tmp_path))
    ranks = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert ranks[0]["update"] == UPDATE
    assert torch.equal(ranks[0]["images"], ranks[1]["images"]), "equal in eval mode once a checkpoint is loaded"
    assert {path.name for path in folder.iterdir() if "rank" in path.name} == {"rank1.log"}
    assert (folder / "rank1.log").read_text() == ""


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ("rank_one_fails", "rank 1: ZeroDivisionError: nobody foresaw this"),
        ("rank_zero_fails", "nobody foresaw this"),
        ("rank_one_is_killed", "rank 1 was ended by SIGKILL"),
        ("rank_zero_never_comes_back", "rank 1: ZeroDivisionError: nobody foresaw this"),
        ("rank_one_has_nan", f"was NaN or infinite at update {UPDATE}"),
    ],
)
def test_all_ranks_end_with_the_sentence_of_the_one_that_failed(tmp_path, action, sentence):
    done = job(action, *TWO, "trainer.max_epochs=2", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert sentence in done.stderr
    began = (tmp_path / "rank0.pt").stat().st_mtime
    assert time.time() - began < 30
    assert not list(tmp_path.glob("runs/*/results.json"))
    assert sentence in only("runs/*/train.log", tmp_path).read_text()
    assert not second_ranks(tmp_path)


@pytest.mark.matrix
def test_a_rank_whose_rank_zero_is_killed_before_they_met_ends_too(tmp_path):
    first = subprocess.Popen([sys.executable, "-m", "cgan_lightning.train", *TWO], cwd=tmp_path, stderr=subprocess.DEVNULL)
    soon(lambda: second_ranks(tmp_path))
    first.kill()  # the second has its imports before it
    first.wait()
    assert second_ranks(tmp_path), "it was there when the first was killed"
    soon(lambda: not second_ranks(tmp_path))
    assert only("runs/*/rank1.log", tmp_path).read_text() == "rank 0, which started this one, ended without a word\n"


def second_ranks(folder: Path) -> list[int]:
    """The processes in a folder that were started as rank one."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_second(path, folder)]


def _is_second(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder and b"RANK=1" in (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False  # it has ended, or is someone else's


def soon(is_so: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.05)


@pytest.mark.matrix
def test_ranks_of_a_sweeps_job_train_that_job(tmp_path):
    done = fork_command("train", "-m", *TWO, "seed=0,1", "trainer.max_steps=2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\n2 jobs: 2 finished\n" in done.stderr
    assert len(list(tmp_path.glob("runs/*/results.json"))) == 2
    assert len(list(tmp_path.glob("runs/sweeps/*"))) == 1
    assert all(path.read_text() == "" for path in tmp_path.glob("runs/*/rank1.log"))


@pytest.mark.matrix
def test_ranks_measure_together_what_the_saved_generator_is(tmp_path):
    """Batch norm's statistics are each rank's own, and those of rank zero are saved: both ranks draw with these."""
    trained = fork_command("train", *TWO, "trainer.max_epochs=2", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    folder = only("runs/channels*", tmp_path)
    curve = json.loads((folder / "results.json").read_text())["validation"]["curve"]
    assert curve[-1]["fid"] == pytest.approx(measured_again(folder, "generator.safetensors")["fid"], rel=1e-3)


@pytest.mark.matrix
def test_two_ranks_evaluate_to_the_numbers_of_one(train, tmp_path):
    folder, found = train("trainer.max_epochs=2"), []
    for devices in (1, 2):
        asked = (f"checkpoint={folder}", "samples=600", "device=cpu", f"devices={devices}", f"output={devices}.json")
        done = fork_command("evaluate", *asked, cwd=tmp_path, OMP_NUM_THREADS="1")
        assert done.returncode == 0, done.stderr
        found.append(json.loads((tmp_path / f"{devices}.json").read_text())["evaluation"])
    assert found[0]["samples"] == found[1]["samples"]
    assert found[0]["real_baseline"] == found[1]["real_baseline"]
    assert (tmp_path / "rank1.log").read_text() == ""


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("data.batch_size=15",), "data.batch_size=15 is divided among 2 ranks (trainer.devices=2 × trainer.num_nodes=1)"),
        (("trainer.sync_batchnorm=true",), "trainer.sync_batchnorm=true: PyTorch supports it only on GPUs"),
        (("trainer.num_nodes=2",), "trainer.devices=2 × trainer.num_nodes=2: other machines' ranks are started by"),
    ],
)
def test_what_ranks_can_not_do_is_refused(overrides, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)), build.ranks(composed(*TWO, *overrides)):
        pass


def test_ranks_that_were_started_must_be_those_that_are_asked_for(monkeypatch):
    spoken = {"RANK": "0", "WORLD_SIZE": "4", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in spoken.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="is 2 ranks, and 4 were started"), build.ranks(composed(*TWO)):
        pass


STEP = {"SLURM_JOB_ID": "1234567", "SLURM_STEP_NODELIST": "gpu[07-08]", "SLURM_PROCID": "3", "SLURM_LOCALID": "1"}


def test_a_step_of_slurm_says_which_rank_this_is():
    two_nodes = STEP | {"SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": "2"}
    assert rank_info.given(two_nodes) == rank_info.RankInfo(rank=3, size=4, local_rank=1, address="gpu07", port=19_567)
    one_node = STEP | {"SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": "1"}
    assert rank_info.given(one_node) == rank_info.RankInfo(rank=3, size=4, local_rank=1, address="127.0.0.1", port=19_567)
    assert rank_info.given(STEP | {"SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_NUM_NODES": "1"}) is None
    assert rank_info.given({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}) is None, "a batch script's own process"
