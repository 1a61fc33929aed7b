"""A command in a process of its own, and the most memory that it took."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import skip_without

ALLOWED_MIB = 200  # above what the command's imports alone take

# Linux's own account of this program; getrusage's also has the peak of the process that started it.
MEASURED = """
import atexit, re, sys
def keep():
    with open("/proc/self/status") as status, open({memory!r}, "w") as file:
        file.write(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1])
atexit.register(keep)
"""
RUN = """
import runpy
module, sys.argv[1:] = sys.argv[1], sys.argv[2:]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@dataclass
class Ended:
    """How a process ended."""

    code: int
    said: str
    peak_mib: float


def run(folder: Path, program: str, *arguments: str) -> Ended:
    """`program`, Python code, with one thread."""
    if not Path("/proc/self/status").is_file():
        skip_without("Linux's /proc, which knows a program's peak of memory")
    memory = folder / "peak"
    done = subprocess.run(
        [sys.executable, "-c", MEASURED.replace("{memory!r}", repr(str(memory))) + program, *arguments],
        cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    peak = int(memory.read_text()) / 1024
    memory.unlink()
    return Ended(done.returncode, done.stderr, peak)


def command(folder: Path, name: str, *arguments: str) -> Ended:
    """`python -m cgan_lightning.NAME ARGUMENTS`."""
    return run(folder, RUN, f"cgan_lightning.{name}", *arguments)


def idle(folder: Path, *modules: str) -> float:
    """MiB that importing `modules` takes by itself."""
    return run(folder, f"import {', '.join(modules)}").peak_mib
