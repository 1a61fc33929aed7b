"""A job of SLURM that was stopped for its time, or for a more urgent job, asks to be started again."""

import logging
import os
import signal
import subprocess

log = logging.getLogger("cgan_lightning")
WARNING = signal.SIGUSR2  # sbatch --signal=USR2@120, submitit's too: the time is nearly up


def asked_for(signum: int) -> bool:
    """Whether SLURM will start this job again: rank zero asks it to, after `signum` has stopped the run and all is saved."""
    if "SLURM_JOB_ID" not in os.environ or not (signum == WARNING or (signum == signal.SIGTERM and _is_preempted())):
        return False
    if os.environ.get("SLURM_PROCID", "0") != "0":
        return True
    if "SUBMITIT_EXECUTOR" in os.environ:
        return _through_submitit()
    return _scontrol("requeue", _job()).returncode == 0


def _job() -> str:
    """The last element of an array has the array's own id, which means all of them: elements have names of their own."""
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        return f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    return os.environ["SLURM_JOB_ID"]


def _through_submitit() -> bool:
    """submitit keeps count of a job's time-outs; its handler requeues the job and exits, or raises the reason why not."""
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
    """Whether SIGTERM came because the job makes room for another: then it has a PreemptTime, and it is RUNNING still.

    A cancelled job, or one whose time is over, is COMPLETING: requeued, it would come back for good.
    """
    words = _scontrol("--oneliner", "show", "job", _job()).stdout.split()
    known = dict(word.split("=", 1) for word in words if "=" in word)
    return known.get("JobState") == "RUNNING" and known.get("PreemptTime", "None") != "None"


def _scontrol(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["scontrol", *arguments], capture_output=True, text=True)  # noqa: S603, S607
