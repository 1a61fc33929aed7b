"""Commands in separate processes: started normally, or forked from one with all imports, which is faster."""

import gc
import importlib.util
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
                                                  "config.command", "sampling.output", "storage.warm_start")]  # fmt: skip
assert all(map(importlib.util.find_spec, IMPORTED)), "the fork server silently skips missing modules"


def run_command(module: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m cgan_lightning.MODULE` in a new process, without shape checks."""
    return subprocess.run(
        [sys.executable, "-m", f"cgan_lightning.{module}", *arguments],
        cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=TIMEOUT_S,
    )  # fmt: skip


def fork_command(module: str, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as `run_command`, but forked."""
    return ended(Forked(f"cgan_lightning.{module}", *arguments, cwd=cwd, **environment))


def ended(forked: "Forked") -> subprocess.CompletedProcess[str]:
    """Wait for a process and return its result."""
    try:
        code = forked.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        forked.kill()
        raise
    return subprocess.CompletedProcess(forked.arguments, code, forked.stdout, forked.stderr)


class Forked:
    """`python -m MODULE ARGUMENTS`, forked, with the parts of subprocess.Popen that tests use; output is read at the end."""

    stdout = stderr = ""

    def __init__(self, module: str, *arguments: str, cwd: Path, **environment: str) -> None:
        self.arguments, self.said = arguments, Path(tempfile.mkdtemp())
        given = (module, arguments, cwd, {**os.environ, **environment}, self.said)
        self.process = fork_context().Process(target=_become, args=given)
        self.process.start()
        self.pid = self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, timeout: float) -> int:
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired(self.arguments, timeout)
        if self.said.is_dir():
            files = [self.said / name for name in STREAMS]
            self.stdout, self.stderr = (file.read_text() if file.is_file() else "" for file in files)
            shutil.rmtree(self.said)
        return self.process.exitcode

    def send_signal(self, signum: int) -> None:
        os.kill(self.pid, signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def fork_context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


def _become(module: str, arguments: tuple[str, ...], cwd: Path, environment: dict[str, str], said: Path) -> None:
    import torch

    gc.freeze()  # what is imported is no garbage, as after the imports of a command
    for name, stream in STREAMS.items():
        os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    if "OMP_NUM_THREADS" in environment:
        torch.set_num_threads(int(environment["OMP_NUM_THREADS"]))
    sys.argv[:] = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
