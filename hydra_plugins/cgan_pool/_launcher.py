"""Hydra launcher that runs several jobs of a sweep concurrently on this machine, each a process that sees only its device."""

import json
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from tqdm import tqdm

from cgan_lightning.config import pool, sweep
from cgan_lightning.config.this_job import this_job
from cgan_lightning.distributed import parent
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.storage.sweep_folder import Job, SweepFolder
from cgan_lightning.utils.errors import Interrupted

# Signals to the sweep and those forwarded to its jobs, which run in their own sessions and get no SIGHUP from a terminal.
SIGNALS = {each: each for each in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)} | {signal.SIGHUP: signal.SIGTERM}
POLL_S, LINE_EVERY_S = 0.2, 15


class PoolLauncher(Launcher):
    """Starts each job as a process from a joblib thread per slot, so that a killed job does not affect the others.

    Processes have their own sessions, so that Ctrl-C reaches them only once, through the sweep.
    """

    def __init__(self, jobs_per_device: int | None) -> None:
        self.jobs_per_device = jobs_per_device
        self.running: set[subprocess.Popen] = set()
        self.stopped: signal.Signals | None = None  # the signal that stopped the sweep

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.config = hydra_context, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        from joblib import Parallel, delayed  # Hydra imports this file at every start

        jobs = [self._job(overrides, number) for number, overrides in enumerate(job_overrides, initial_job_idx)]
        environments = self._environments(len(jobs))
        slots: queue.Queue[int] = queue.Queue()
        for slot in range(len(environments)):
            slots.put(slot)

        def run(job: Job, command: list[str]) -> JobReturn:
            slot = slots.get()
            try:
                return self._run(job, command, slot, environments[slot])
            finally:
                slots.put(slot)

        with self._forwarding_signals():
            outcomes = Parallel(n_jobs=len(environments), backend="threading")(
                delayed(run)(job, command) for job, command in jobs
            )
        if self.stopped:
            raise Interrupted(self.stopped, f"Stopped by {self.stopped.name}; run the same command to continue")
        return [outcome for outcome in outcomes if outcome]

    def _job(self, overrides: Sequence[str], number: int) -> tuple[Job, list[str]]:
        """Return the job and the command that runs it."""
        config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        HydraConfig.instance().set_config(config)
        with open_dict(config):
            del config["hydra"]
        # resume.run=auto comes last, because a sweep always resumes its runs.
        job, command = sweep.job(config, number), [*this_job("train"), "resume.run=auto"]
        HydraConfig.instance().set_config(self.config)
        return job, command

    def _environments(self, jobs: int) -> list[dict[str, str]]:
        """Return the environment of each slot, which sets its device and its share of the cores."""
        import torch  # takes seconds; Lightning, which the jobs alone need, takes more

        from cgan_lightning.utils.device import device_named

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        on_gpu = device_named(self.config.trainer.accelerator, "trainer.accelerator").type == "cuda"
        gpus = torch.cuda.device_count() if on_gpu else 0
        slots = min(jobs, (self.jobs_per_device or 2) * gpus if on_gpu else self.jobs_per_device or cores)
        threads = os.environ.get("OMP_NUM_THREADS", str(max(1, cores // slots)))
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        pins = [{"CUDA_VISIBLE_DEVICES": pool.gpu_of(slot, visible, gpus)} if on_gpu else {} for slot in range(slots)]
        common = {"OMP_NUM_THREADS": threads, parent.STARTED_BY: str(os.getpid())}
        return [os.environ | common | pin for pin in pins]

    def _run(self, job: Job, command: list[str], slot: int, environment: dict[str, str]) -> JobReturn:
        folder = SweepFolder(Path(self.config.hydra.sweep.dir))
        if not self.stopped:
            folder.write(job)
            if self.config.rerun or job.state()[0] != "finished":
                failure = self._run_process(job, command, slot, environment, folder.path / "logs" / f"{job.name}.log")
                if failure and not self.stopped:
                    folder.write(replace(job, failure=failure))
                if not self.stopped:
                    tqdm.write(folder.pace(), file=sys.stderr)
        outcome = JobReturn(overrides=job.overrides, status=JobStatus.COMPLETED)
        finished = job.state()[0] == "finished"
        outcome.return_value = RunFolder(Path(job.run)).metric(self.config.objective_metric) if finished else float("nan")
        return outcome

    def _run_process(self, job: Job, command: list[str], slot: int, environment: dict[str, str], log: Path) -> str | None:
        """Run the job's process to its end, and return the reason of a failure, or None."""
        log.parent.mkdir(exist_ok=True)
        with log.open("w") as file:
            process = subprocess.Popen(  # noqa: S603
                command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )
        self.running.add(process)
        if self.stopped:  # since the caller's check
            process.send_signal(SIGNALS[self.stopped])
        _follow(process, job, slot)
        self.running.discard(process)
        return _failure(process.returncode, log)

    @contextmanager
    def _forwarding_signals(self) -> Iterator[None]:
        """Forward signals to all running jobs, which save and stop; no further job is started."""

        def stop(signum: int, _frame: object) -> None:
            self.stopped = signal.Signals(signum)
            for process in list(self.running):
                process.send_signal(SIGNALS[self.stopped])

        earlier: dict[int, Any] = {signum: signal.signal(signum, stop) for signum in SIGNALS}
        try:
            yield
        finally:
            for signum, handler in earlier.items():
                signal.signal(signum, handler)


def _follow(process: subprocess.Popen, job: Job, slot: int) -> None:
    """Wait for the job's end, with a bar on a terminal, else a line at its start, its end and every LINE_EVERY_S."""
    on_terminal, next_line = sys.stderr.isatty(), time.monotonic() + LINE_EVERY_S
    bar = tqdm(position=slot, total=1, leave=False, bar_format=job.name, dynamic_ncols=True, disable=not on_terminal)
    if not on_terminal:
        _print(f"{job.name}: started")
    while process.poll() is None:
        time.sleep(POLL_S)
        if on_terminal:
            _advance(bar, job)
        elif time.monotonic() >= next_line:
            next_line = time.monotonic() + LINE_EVERY_S
            _print(f"{job.name}: {' '.join(job.state())}")
    bar.close()
    if not on_terminal:
        _print(f"{job.name}: ended with exit code {process.returncode}")


def _advance(bar: tqdm, job: Job) -> None:
    progress = RunFolder(Path(job.run)).progress
    if progress.is_file():
        state = json.loads(progress.read_text())
        bar.total, bar.n = state["planned"], state["updates"]
    bar.bar_format = f"{job.name} |{{bar}}| {job.state()[1] or 'starting'}"  # tqdm's own timer includes the process's start-up
    bar.refresh()


def _failure(code: int, log: Path) -> str | None:
    """Return why the job failed, by default its last log line; None if it finished, or saved and stopped on a signal."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name} (its log: {log})"
    if code in (1, 2):
        lines = log.read_text().strip().splitlines()
        return lines[-1] if lines else f"ended with exit code {code}"
    return None


def _print(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
