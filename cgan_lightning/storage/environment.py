"""Describe the environment of a measurement: machine, versions, git revision, memory."""

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
    """Return machine, versions and git revision, for results.json (invariant 10)."""
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
    """Return the peak memory since `memory.count_peak_anew` in MiB, of the GPU if `device` is one, else of this process.

    None if the system does not report it: getrusage only has the peak of the process's whole lifetime.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:")), None)


@functools.cache  # of the code that this process runs, even if commits are made meanwhile
def git_revision() -> str | None:
    """Return the checkout's commit, with "+changes" if the tree differs from it; None outside a checkout."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, text=True)  # noqa: S603, S607
        return done.stdout.strip() if done.returncode == 0 else ""

    revision = git("rev-parse", "HEAD")
    return revision + ("+changes" if git("status", "--porcelain") else "") if revision else None


def _version(package: str) -> str | None:
    """Return the installed version; None for a package that is not installed, such as a checkout on PYTHONPATH."""
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
