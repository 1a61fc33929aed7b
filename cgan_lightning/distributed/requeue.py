"""Requeue a SLURM job that was stopped by its time limit or preempted."""

import logging
import os
import signal
import subprocess

log = logging.getLogger("cgan_lightning")
WARNING = signal.SIGUSR2  # sbatch --signal=USR2@120, submitit's too: the time limit is near


def asked_for(signum: int) -> bool:
    """Requeue this job after `signum` has stopped the run and its state is saved; return whether SLURM will restart it."""
    if "SLURM_JOB_ID" not in os.environ or not (signum == WARNING or (signum == signal.SIGTERM and _is_preempted())):
        return False
    if os.environ.get("SLURM_PROCID", "0") != "0":
        return True
    if "SUBMITIT_EXECUTOR" in os.environ:
        return _through_submitit()
    return _scontrol("requeue", _job()).returncode == 0


def _job() -> str:
    """Return the job's id; for an array element ARRAY_TASK, because the array's id stands for all elements."""
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        return f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    return os.environ["SLURM_JOB_ID"]


def _through_submitit() -> bool:
    """Requeue through submitit, which counts time-outs; its handler requeues the job and exits, or raises the reason not to."""
    from submitit.core.utils import UncompletedJobError

    handler = signal.getsignal(WARNING)
    assert callable(handler)  # noqa: S101
    try:
        handler(WARNING, None)
    except SystemExit:
        return True
    except UncompletedJobError as error:
        log.info("%s", error)
    return False


def _is_preempted() -> bool:
    """Return whether SIGTERM came from preemption: the job then has a PreemptTime and is still RUNNING.

    A cancelled or timed-out job is COMPLETING and must not be requeued, or it would never end.
    """
    words = _scontrol("--oneliner", "show", "job", _job()).stdout.split()
    fields = dict(word.split("=", 1) for word in words if "=" in word)
    return fields.get("JobState") == "RUNNING" and fields.get("PreemptTime", "None") != "None"


def _scontrol(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["scontrol", *arguments], capture_output=True, text=True)  # noqa: S603, S607
