"""Hydra's submitit launcher for sweeps whose jobs are preempted or cancelled, or outlive the launcher."""

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

from cgan_lightning.config import sweep
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.storage.sweep_folder import Job, SweepFolder
from cgan_lightning.utils.errors import Interrupted, UserError
from cgan_lightning.utils.files import write_json

POLL_S = (1, 10)  # between two looks at the queue: short at first, then easy on the controller
SETTLE_S = 10  # for a shared file system to show what a job that has left the queue wrote last


class SweepLauncher(SlurmLauncher):
    """Submits one array of the jobs that aren't finished and waits until all have left the queue, whatever became of them.

    A job's outcome is what its run folder says, so no accounting database is needed. Jobs that an earlier launcher of the
    same sweep submitted and that are still in the queue are waited for, not submitted again.
    """

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        assert self.config is not None  # noqa: S101
        jobs = [self._job(overrides, number) for number, overrides in enumerate(job_overrides, initial_job_idx)]
        submitted = self._submit(SweepFolder(Path(self.config.hydra.sweep.dir)), jobs)
        _wait_for(set(submitted.values()))
        _settle(jobs)
        return [self._outcome(job, submitted.get(job.name)) for job in jobs]

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
        """SLURM's id of each job, by the name of its run; for a finished one there is none."""
        record = folder.path / "slurm" / "jobs.json"
        earlier: dict[str, str] = json.loads(record.read_text()) if record.is_file() else {}
        queue = _queue() or set()
        going = {name: job_id for name, job_id in earlier.items() if job_id in queue}
        new = [job for job in jobs if job.name not in going and job.state()[0] != "finished"]
        submitted = going | dict(zip((job.name for job in new), self._sbatch(new), strict=True))
        write_json(record, submitted)
        if going:
            _say(f"{len(going)} jobs are in SLURM's queue already: {_ids([*going.values()])}")
        if new:
            _say(f"{len(new)} jobs submitted: {_ids([submitted[job.name] for job in new])}")
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
            raise UserError("sbatch refused the jobs, as it says above: hydra.launcher.* is what they ask for") from None

    def _resources(self) -> dict[str, Any]:
        """sbatch's options in submitit's names; a GPU a rank, where the trainer wants GPUs and the site says nothing."""
        assert self.config is not None  # noqa: S101
        common = set(BaseQueueConf.__dataclass_fields__)
        requested = {key: value for key, value in self.params.items() if key not in ("submitit_folder", "max_num_timeout")}
        if self.config.trainer.accelerator == "gpu" and not (
            requested["gpus_per_node"] or requested["gpus_per_task"] or requested["gres"]
        ):
            requested["gpus_per_node"] = self.config.trainer.devices
        named = {key if key in common else f"slurm_{key}": value for key, value in requested.items()}
        return named | {"slurm_srun_args": ["--kill-on-bad-exit=1"]}  # or ranks would wait for one that died

    def _outcome(self, job: Job, job_id: str | None) -> JobReturn:
        """What a sweeper that searches wants: the run's metric, or NaN."""
        assert self.config is not None  # noqa: S101
        state, _ = job.state()
        if state not in ("finished", "failed") and job_id:
            _say(f"{job.name}: SLURM job {job_id} ended as {_how(job_id)}")
        metric = RunFolder(Path(job.run)).metric(self.config.objective_metric) if state == "finished" else float("nan")
        outcome = JobReturn(overrides=job.overrides, status=JobStatus.COMPLETED)
        outcome.return_value = metric
        return outcome


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _wait_for(job_ids: set[str]) -> None:
    pause = POLL_S[0]
    try:
        while (queue := _queue()) is None or job_ids & queue:
            time.sleep(pause)
            pause = min(pause * 1.5, POLL_S[1])
    except Interrupted as stop:
        going = _ids(sorted(job_ids & (_queue() or set())))
        sentence = f"The jobs go on in SLURM: the same command waits for them again, scancel {going} ends them"
        raise Interrupted(stop.signum, sentence) from None


def _settle(jobs: Sequence[Job]) -> None:
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline and any(job.state()[0] not in ("finished", "failed") for job in jobs):
        time.sleep(1)


def _queue() -> set[str] | None:
    """This user's jobs that SLURM still has to do with, array elements one by one; None where the controller doesn't answer."""
    requested = subprocess.run(["squeue", "--me", "--noheader", "--array", "--format=%i"], capture_output=True, text=True)  # noqa: S607
    return set(requested.stdout.split()) if requested.returncode == 0 else None


def _how(job_id: str) -> str:
    """SLURM's word for a job's end, as long as it remembers."""
    requested = subprocess.run(["scontrol", "--oneliner", "show", "job", job_id], capture_output=True, text=True)  # noqa: S603, S607
    words = dict(word.split("=", 1) for word in requested.stdout.split() if "=" in word)
    return words.get("JobState", "unknown")


def _ids(job_ids: Sequence[str]) -> str:
    """The arrays that these jobs belong to."""
    return " ".join(dict.fromkeys(job_id.split("_")[0] for job_id in job_ids))
