"""Commands in processes of their own: begun anew, or forked from one that has imported already, which saves their imports."""

import multiprocessing
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

TIMEOUT_S = 300
STREAMS = {"out": 1, "err": 2}
IMPORTED = [f"cgan_lightning.{name}" for name in ("config.build", "config.build_evaluation", "config.build_model",
                                                  "config.command", "generation.output", "runtime.warm_start")]  # fmt: skip


def run_command(module: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m cgan_lightning.MODULE` in a process of its own, begun anew, without the shape checks."""
    return subprocess.run(
        [sys.executable, "-m", f"cgan_lightning.{module}", *arguments],
        cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=TIMEOUT_S,
    )  # fmt: skip


def fork_command(module: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """As `run_command`, forked."""
    forked = Forked(f"cgan_lightning.{module}", *arguments, cwd=cwd, **environment)
    return subprocess.CompletedProcess(arguments, forked.wait(TIMEOUT_S), forked.stdout, forked.stderr)


class Forked:
    """`python -m MODULE ARGUMENTS`, forked: what tests use of a subprocess.Popen. After `wait`, what it said."""

    stdout = stderr = ""

    def __init__(self, module: str, *arguments: str, cwd: Path, **environment: str) -> None:
        self.said = Path(tempfile.mkdtemp())
        given = (module, arguments, cwd, {**os.environ, **environment}, self.said)
        self.process = _server().Process(target=_become, args=given)
        self.process.start()
        self.pid = self.process.pid

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, timeout: float) -> int:
        self.process.join(timeout)
        if late := self.process.exitcode is None:
            self.kill()
            self.process.join()
        if self.said.is_dir():
            self.stdout, self.stderr = ((self.said / stream).read_text() for stream in STREAMS)
            shutil.rmtree(self.said)
        if late:
            raise subprocess.TimeoutExpired(self.stderr, timeout)
        return self.process.exitcode

    def send_signal(self, signum: int) -> None:
        os.kill(self.pid, signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _server() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


def _become(module: str, arguments: tuple[str, ...], cwd: Path, environment: dict[str, str], said: Path) -> None:
    import torch

    for name, stream in STREAMS.items():
        os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    if "OMP_NUM_THREADS" in environment:
        torch.set_num_threads(int(environment["OMP_NUM_THREADS"]))
    sys.argv[:] = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
