"""Whether a training shared its machine with other processes; if so its times are not comparable."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

MOST_WAITING = 0.05  # share of the time; above it a training counts as having shared its machine


def time_and_waiting() -> tuple[float, float] | None:
    """Return the time and this thread's total waiting time for a core, in seconds; None if the system does not report it."""
    try:
        _, waited_ns, _ = Path("/proc/thread-self/schedstat").read_text().split()
    except (OSError, ValueError):
        return None
    return time.perf_counter(), int(waited_ns) / 1e9


class Contention(Callback):
    """Measure how long the training thread was runnable without a core, summed over all resumptions of a run.

    Read from Linux (/proc/thread-self/schedstat). On a GPU, other compute processes on it count too (nvidia-smi).
    """

    def __init__(self, now: Callable[[], tuple[float, float] | None] = time_and_waiting) -> None:
        self.now = now
        self.seconds, self.waiting = 0.0, 0.0
        self.gpu_shared = False
        self.known = True  # since the start of the run
        self._mark: tuple[float, float] | None = None  # time, seconds of waiting

    def alone(self) -> bool | None:
        """Whether the training had the machine to itself; None if unknown for any part of the run."""
        self._count()
        if not self.known or not self.seconds:
            return None
        return self.waiting / self.seconds <= MOST_WAITING and not self.gpu_shared

    def state_dict(self) -> dict[str, Any]:
        self._count()
        return {name: getattr(self, name) for name in ("seconds", "waiting", "gpu_shared", "known")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step and not self.seconds:  # a checkpoint of a version without this callback
            self.known = False
        self._mark = self.now()
        self.known = self.known and self._mark is not None
        if pl_module.device.type == "cuda":
            self._check_gpu(pl_module.device)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if pl_module.device.type == "cuda":
            self._check_gpu(pl_module.device)

    def _check_gpu(self, device: torch.device) -> None:
        users = _processes_on(device)
        self.known = self.known and users is not None
        self.gpu_shared = self.gpu_shared or (users or 0) > 1

    def _count(self) -> None:
        if self._mark is not None and (now := self.now()) is not None:
            self.seconds, self.waiting = self.seconds + now[0] - self._mark[0], self.waiting + now[1] - self._mark[1]
            self._mark = now


def _processes_on(device: torch.device) -> int | None:
    """Return the number of compute processes on a GPU, including this one; None if unknown."""
    query = ["nvidia-smi", f"--id=GPU-{torch.cuda.get_device_properties(device).uuid}", "--query-compute-apps=pid"]
    try:
        done = subprocess.run([*query, "--format=csv,noheader"], capture_output=True, text=True, timeout=30)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return len(done.stdout.split()) if done.returncode == 0 else None
