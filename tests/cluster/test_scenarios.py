"""What happens to jobs on a cluster: each scenario ends with the bits of a run that nothing happened to, in one folder."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.here import LAUNCHED, ONE, PER_EPOCH, RUN, TWO, TWO_NODES, UPDATES, Here
from tests.helpers import processes
from tests.helpers.processes import Forked
from tests.helpers.runs import assert_same_end, state

pytestmark = pytest.mark.cluster


@pytest.fixture
def here(tmp_path, cluster) -> Iterator[Here]:
    here = Here(tmp_path, cluster)
    yield here
    here.end_launchers()


@pytest.fixture(scope="session")
def whole(once):
    """The run that nothing happens to, of one rank and of two, without SLURM."""

    def get(ranks: tuple[str, ...], *overrides: str) -> Path:
        given = (*(ONE if ranks == ONE else TWO), *overrides)

        def train(folder: Path) -> None:
            done = processes.fork_command("train", *RUN, *given, cwd=folder, OMP_NUM_THREADS="1")
            assert done.returncode == 0, done.stderr

        (run,) = once(" ".join(("whole", *given)), train).glob("runs/*/")
        return run

    return get


def ended(launcher: Forked) -> tuple[int, str]:
    done = processes.ended(launcher)
    return done.returncode, done.stderr


def assert_finished(launcher: Forked, here: Here) -> str:
    code, said = ended(launcher)
    assert code == 0, said + here.logs()
    return said


def assert_whole(folder: Path, reference: Path) -> None:
    """Both networks at the same update, and all of it to the bit as in the run that nothing happened to."""
    assert_same_end(folder, reference)
    generator, discriminator = state(folder)["optimizer_states"]
    steps = {int(entry["step"]) for optimizer in (generator, discriminator) for entry in optimizer["state"].values()}
    assert steps == {state(folder)["global_step"]}


def test_a_sweep(here, whole):
    """Two by two, each job as it would be on a laptop."""
    grid = (*ONE, "noise=randn,uniform", "seed=0,1", "trainer.max_epochs=2")
    done = processes.run_command("train", *LAUNCHED, *grid, cwd=here.folder, **here.cluster.environment)
    assert done.returncode == 0, done.stderr + here.logs()
    assert "\n4 jobs: 4 finished\n" in done.stderr
    assert len(list(here.folder.glob("runs/*/results.json"))) == 4
    assert_whole(here.run("*-randn-*-seed0-*"), whole(ONE, "trainer.max_epochs=2"))
    assert "submitted" not in assert_finished(here.launch(*grid), here), "what is finished isn't submitted again"


def test_a_sweep_with_a_plugin(here):
    """A job is a process of its own on another machine, and finds the plugin in the sweep's folder."""
    (here.folder / "parts.py").write_text(
        "from cgan_lightning.registry import register\nfrom cgan_lightning.training.losses import Hinge\n\n"
        "@register('loss', 'my_loss')\nclass MyLoss(Hinge):\n    pass\n"
    )
    said = assert_finished(here.launch(*TWO, "plugins=[parts]", "loss=my_loss,hinge", "trainer.max_epochs=1"), here)
    assert "\n2 jobs: 2 finished\n" in said


def test_a_search(here):
    """Two trials at a time are jobs of one array; those whose settings are refused are never submitted."""
    settings = ("model.stages=choice(2,3)", "optimizer.generator.lr=tag(log,interval(1e-4,1e-2))", "objective_metric=loss_g")
    study = ("hydra/sweeper=optuna", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=2", "validation.every_n_epochs=null")
    said = assert_finished(here.launch(*ONE, *settings, *study, "trainer.max_epochs=1"), here)
    finished = len(list(here.folder.glob("runs/*/results.json")))
    assert 0 < finished < 4
    assert f"\n4 trials: {finished} finished, {4 - finished} failed\n" in said
    assert "\nBest: trial " in said


@pytest.mark.parametrize("ranks", [TWO, TWO_NODES], ids=["on one node", "on two nodes"])
def test_two_ranks(here, whole, ranks):
    assert_finished(here.launch(*ranks), here)
    assert_whole(here.run(), whole(TWO))
    assert json.loads((here.run() / "results.json").read_text())["ranks"] == 2


def test_a_time_limit_in_mid_epoch(here, whole):
    """SLURM's own warning and submitit's own requeue; worker processes prepare the batches."""
    launcher = here.launch(*TWO, "data.placement=host", "data.workers=1")
    job_id = here.job_id()
    with here.mid_epoch():
        here.cluster.run("scontrol", "update", f"JobId={job_id}", "TimeLimit=1")  # less than signal_delay_s is left
    here.cluster.wait_for(job_id, "PENDING", restarts=1)
    stopped = state(here.run())["global_step"]
    assert PER_EPOCH < stopped < UPDATES
    assert f"Stopped by SIGUSR2 after update {stopped}, which is saved" in here.log()
    here.cluster.run("scontrol", "update", f"JobId={job_id}", "TimeLimit=10")
    assert_finished(launcher, here)
    assert_whole(here.run(), whole(TWO))


def test_a_time_limit_once_too_often(here, whole):
    """The launcher gets the job back, saved; the same command goes on."""
    launcher = here.launch(*ONE, "hydra.launcher.max_num_timeout=0")
    job_id = here.job_id()
    with here.mid_epoch():
        here.cluster.run("scontrol", "update", f"JobId={job_id}", "TimeLimit=1")
    code, said = ended(launcher)
    assert (code, here.cluster.job(job_id)["ExitCode"]) == (1, f"{128 + signal.SIGUSR2}:0"), said + here.logs()
    assert "1 interrupted; run the same command to try again" in said
    assert_finished(here.launch(*ONE), here)
    assert_whole(here.run(), whole(ONE))


def test_a_preemption_with_ranks_out_of_step(here, whole):
    """A job of a higher partition takes both nodes; rank one hears of it when rank zero waits for it already."""
    launcher = here.launch(*TWO)
    job_id = here.job_id()
    with here.mid_epoch():
        os.kill(here.ranks()[0], signal.SIGCONT)
        urgent = here.urgent_job()
    here.cluster.wait_for(job_id, "PENDING", restarts=1)
    here.cluster.cancel(urgent)
    assert_finished(launcher, here)
    assert "Stopped by SIGUSR2 after update" in here.log()
    assert_whole(here.run(), whole(TWO))


@pytest.mark.parametrize("warned", [True, False], ids=["with a warning", "with SIGTERM alone"])
def test_a_preemption_of_a_plain_job(here, whole, warned):
    """experiments/slurm/train.sbatch, two tasks; most clusters send SIGTERM and nothing before it."""
    job_id = here.sbatch(*TWO, options=("--ntasks-per-node=2",), warned=warned)
    with here.mid_epoch():
        urgent = here.urgent_job()
    here.cluster.wait_for(job_id, "PENDING", restarts=1)
    here.cluster.cancel(urgent)
    here.cluster.wait_for(job_id, "COMPLETED", timeout_s=120)
    assert f"Stopped by {'SIGUSR2' if warned else 'SIGTERM'} after update" in here.log(), here.logs()
    assert_whole(here.run(), whole(TWO))


@pytest.mark.parametrize("ranks", [ONE, TWO_NODES], ids=["of one", "of two"])
def test_a_killed_node(here, whole, ranks):
    """Its power fails: the job starts anew from the last epoch's checkpoint, on the other node or when this one is back."""
    launcher = here.launch(*ranks)
    job_id = here.job_id()
    with here.mid_epoch():
        here.cluster.crash_node("node2" if ranks is TWO_NODES else here.cluster.job(job_id)["NodeList"])
        for pid in here.ranks():
            os.kill(pid, signal.SIGCONT)
    here.cluster.wait_for(job_id, "PENDING", "RUNNING", restarts=1)
    here.cluster.revive_node("node2")
    assert_finished(launcher, here)
    assert_whole(here.run(), whole(ranks))


def test_a_cancelled_job_is_noticed_and_the_same_command_goes_on(here, whole):
    launcher = here.launch(*ONE)
    with here.mid_epoch():
        here.cluster.cancel(here.job_id())
    code, said = ended(launcher)
    assert code == 1, said
    assert "ended as CANCELLED" in said
    assert said.endswith("1 jobs: 1 interrupted\n1 interrupted; run the same command to try again\n")
    assert "Stopped by SIGTERM after update" in here.log()
    assert_finished(here.launch(*ONE), here)
    assert_whole(here.run(), whole(ONE))


def test_a_killed_launcher_finds_its_jobs_again(here, whole):
    launcher = here.launch(*ONE)
    job_id = here.job_id()
    with here.mid_epoch():
        launcher.kill()
        ended(launcher)
        again = here.launch(*ONE)
        (submitted,) = here.folder.glob("runs/sweeps/*/slurm/jobs.json")
        before = submitted.stat().st_mtime_ns
        here.wait(lambda: submitted.stat().st_mtime_ns > before)
        for pid in here.ranks():
            os.kill(pid, signal.SIGCONT)
    said = assert_finished(again, here)
    assert f"1 jobs are already in SLURM's queue: {job_id}" in said
    assert "submitted" not in said
    assert len(here.cluster.jobs()) == len({job["JobId"] for job in here.cluster.jobs()})
    assert_whole(here.run(), whole(ONE))


def test_what_slurm_refuses_is_said_in_a_sentence(here):
    code, said = ended(here.launch(*ONE, "hydra.launcher.partition=nowhere"))
    assert code == 2, said
    assert said.splitlines()[-1].startswith("sbatch rejected the jobs")
    assert "invalid partition specified: nowhere" in said
    assert "Traceback" not in said
