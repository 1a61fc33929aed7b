"""Hydra's submitit launcher, for sweeps whose jobs may be preempted or cancelled, or outlive the launcher."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher
from omegaconf import open_dict

from cgan_lightning.config import plugin_options, sweep
from cgan_lightning.config.command_line import parse
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.storage.sweep_folder import Job, SweepFolder
from cgan_lightning.utils.errors import Interrupted, UserError
from cgan_lightning.utils.files import write_json

POLL_S = (1, 10)  # between queries of the queue: short at first, then longer to reduce load on the controller
SETTLE_S = 10  # until a shared file system shows the last writes of a job that has left the queue


class SweepLauncher(SlurmLauncher):
    """Submits the unfinished jobs as one array and waits until all have left the queue, finished or not.

    A job's outcome is read from its run folder, so no accounting database is needed. Jobs that an earlier launcher of the same
    sweep submitted and that are still in the queue are waited for, not submitted again.
    """

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        assert self.config is not None  # noqa: S101
        jobs = [self._job(overrides, number) for number, overrides in enumerate(job_overrides, initial_job_idx)]
        submitted = self._submit(SweepFolder(Path(self.config.hydra.sweep.dir)), jobs)
        _wait_for(set(submitted.values()))
        _settle(jobs)
        return [self._outcome(job, submitted.get(job.name)) for job in jobs]

    def __call__(self, sweep_overrides: list[str], *arguments: Any) -> JobReturn:
        """Run a job, in its own process, with the plugins of the sweep's command line."""
        plugin_options.use(parse(sweep_overrides))
        return super().__call__(sweep_overrides, *arguments)

    def _job(self, overrides: Sequence[str], number: int) -> Job:
        assert self.hydra_context is not None  # noqa: S101
        assert self.config is not None  # noqa: S101
        config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        HydraConfig.instance().set_config(config)
        with open_dict(config):
            del config["hydra"]
        job = sweep.job(config, number)
        HydraConfig.instance().set_config(self.config)
        return job

    def _submit(self, folder: SweepFolder, jobs: Sequence[Job]) -> dict[str, str]:
        """Submit unfinished jobs that are not in the queue; return the SLURM id of each unfinished job by run name."""
        record = folder.path / "slurm" / "jobs.json"
        earlier: dict[str, str] = json.loads(record.read_text()) if record.is_file() else {}
        queue = _queue() or set()
        active = {name: job_id for name, job_id in earlier.items() if job_id in queue}
        new = [job for job in jobs if job.name not in active and job.state()[0] != "finished"]
        submitted = active | dict(zip((job.name for job in new), self._sbatch(new), strict=True))
        write_json(record, submitted)
        if active:
            _print(f"{len(active)} jobs are already in SLURM's queue: {_ids([*active.values()])}")
        if new:
            _print(f"{len(new)} jobs submitted: {_ids([submitted[job.name] for job in new])}")
        return submitted

    def _sbatch(self, jobs: Sequence[Job]) -> list[str]:
        from submitit import AutoExecutor  # slow, and Hydra imports this file at every start
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        if not jobs:
            return []
        executor = AutoExecutor(
            cluster="slurm", folder=self.params["submitit_folder"], slurm_max_num_timeout=self.params["max_num_timeout"]
        )
        arguments = [
            (job.overrides, "hydra.sweep.dir", job.number, f"job_id_for_{job.number}", Singleton.get_state()) for job in jobs
        ]
        try:
            executor.update_parameters(**self._resources())
            return [job.job_id for job in executor.map_array(self, *zip(*arguments, strict=True))]
        except (FailedJobError, FailedSubmissionError):
            raise UserError("sbatch rejected the jobs (see above): check the resources in hydra.launcher.*") from None

    def _resources(self) -> dict[str, Any]:
        """Return sbatch's options by submitit's names; by default one GPU per rank if the trainer uses GPUs."""
        assert self.config is not None  # noqa: S101
        common = set(BaseQueueConf.__dataclass_fields__)
        requested = {key: value for key, value in self.params.items() if key not in ("submitit_folder", "max_num_timeout")}
        if self.config.trainer.accelerator == "gpu" and not (
            requested["gpus_per_node"] or requested["gpus_per_task"] or requested["gres"]
        ):
            requested["gpus_per_node"] = self.config.trainer.devices
        named = {key if key in common else f"slurm_{key}": value for key, value in requested.items()}
        return named | {"slurm_srun_args": ["--kill-on-bad-exit=1"]}  # else ranks would wait for one that died

    def _outcome(self, job: Job, job_id: str | None) -> JobReturn:
        """Return the run's metric, or NaN, for an optimising sweeper."""
        assert self.config is not None  # noqa: S101
        state, _ = job.state()
        if state not in ("finished", "failed") and job_id:
            _print(f"{job.name}: SLURM job {job_id} ended as {_how(job_id)}")
        metric = RunFolder(Path(job.run)).metric(self.config.objective_metric) if state == "finished" else float("nan")
        outcome = JobReturn(overrides=job.overrides, status=JobStatus.COMPLETED)
        outcome.return_value = metric
        return outcome


def _print(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _wait_for(job_ids: set[str]) -> None:
    pause = POLL_S[0]
    try:
        while (queue := _queue()) is None or job_ids & queue:
            time.sleep(pause)
            pause = min(pause * 1.5, POLL_S[1])
    except Interrupted as stop:
        active = _ids(sorted(job_ids & (_queue() or set())))
        message = f"The jobs continue in SLURM: run the same command to wait for them again, or scancel {active} to cancel them"
        raise Interrupted(stop.signum, message) from None


def _settle(jobs: Sequence[Job]) -> None:
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline and any(job.state()[0] not in ("finished", "failed") for job in jobs):
        time.sleep(1)


def _queue() -> set[str] | None:
    """Return the ids of this user's jobs in the queue, array elements separately; None if the controller does not answer."""
    done = subprocess.run(["squeue", "--me", "--noheader", "--array", "--format=%i"], capture_output=True, text=True)  # noqa: S607
    return set(done.stdout.split()) if done.returncode == 0 else None


def _how(job_id: str) -> str:
    """Return SLURM's state of an ended job, if it is still known."""
    done = subprocess.run(["scontrol", "--oneliner", "show", "job", job_id], capture_output=True, text=True)  # noqa: S603, S607
    words = dict(word.split("=", 1) for word in done.stdout.split() if "=" in word)
    return words.get("JobState", "unknown")


def _ids(job_ids: Sequence[str]) -> str:
    """Return the ids of the arrays that these jobs belong to."""
    return " ".join(dict.fromkeys(job_id.split("_")[0] for job_id in job_ids))
