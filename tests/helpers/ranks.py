"""Run tests/storage/job.py: a training whose ranks perform an action on the way."""

import os
import subprocess
import sys
from pathlib import Path

from tests.helpers.processes import TIMEOUT_S, Forked, ended

JOB = "tests.storage.job"
PATHS = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))


def job(action: str, *overrides: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the job with rank zero forked; it starts the other ranks as usual."""
    return ended(Forked(JOB, action, *overrides, cwd=cwd, PYTHONPATH=PATHS))


def torchrun_job(action: str, *overrides: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the job with both ranks started by torchrun."""
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    return subprocess.run(
        [*torchrun, "-m", JOB, action, *overrides],
        cwd=cwd, env=os.environ | {"PYTHONPATH": PATHS}, capture_output=True, text=True, timeout=TIMEOUT_S,
    )  # fmt: skip


def only(pattern: str, folder: Path) -> Path:
    (path,) = folder.glob(pattern)
    return path
