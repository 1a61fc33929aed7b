"""What a number was measured on: machine, versions, revision, memory."""

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("cgan-lightning", "torch", "torchvision", "lightning", "torchmetrics", "hydra-core", "omegaconf", "numpy")


def describe(device: torch.device) -> dict[str, Any]:
    """Machine, versions and git revision, for results.json (invariant 10)."""
    return {
        "machine": {
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu_name(),
            "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "threads": torch.get_num_threads(),
            "system": f"{platform.system()} {platform.release()}",
        },
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "git_revision": git_revision(),
    }


def peak_memory_mib(device: torch.device) -> float | None:
    """The most memory that was in use at once since `memory.count_peak_anew`, in MiB: the GPU's where there is one, else all
    of this process. None where the system doesn't tell: getrusage knows the peak of the process's whole life alone.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:")), None)


@functools.cache  # of the code that this process runs, whatever is committed meanwhile
def git_revision() -> str | None:
    """The checkout's commit, with "+changes" when the tree differs from it; None outside a checkout."""
    here = Path(__file__).parents[2]
    if not (here / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(here), *arguments], capture_output=True, text=True)  # noqa: S603, S607
        return done.stdout.strip() if done.returncode == 0 else ""

    revision = git("rev-parse", "HEAD")
    return revision + ("+changes" if git("status", "--porcelain") else "") if revision else None


def _version(package: str) -> str | None:
    """None for what is imported without being installed, as a checkout on PYTHONPATH is."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
