"""A command in a process of its own, and the most memory that it took."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ALLOWED_MIB = 200  # above what the command's imports alone take

RUN = """
import resource, runpy, sys
module, sys.argv[1:] = sys.argv[1], sys.argv[2:]
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
finally:
    with open({memory!r}, "w") as file:
        file.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
"""


@dataclass
class Ended:
    """How a process ended."""

    code: int
    said: str
    peak_mib: float


def run(folder: Path, program: str, *arguments: str) -> Ended:
    """`program`, Python code in which {memory} stands for the file that its peak goes to; with one thread."""
    memory = folder / "peak_mib"
    done = subprocess.run(
        [sys.executable, "-c", program.format(memory=str(memory)), *arguments],
        cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    peak = float(memory.read_text())
    memory.unlink()
    return Ended(done.returncode, done.stderr, peak)


def command(folder: Path, name: str, *arguments: str) -> Ended:
    """`python -m cgan_lightning.NAME ARGUMENTS`."""
    return run(folder, RUN, f"cgan_lightning.{name}", *arguments)


def idle(folder: Path, *modules: str) -> float:
    """MiB that importing `modules` takes by itself."""
    program = "import resource, " + ", ".join(modules)
    program += "\nopen({memory!r}, 'w').write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))"
    return run(folder, program).peak_mib
