"""A command in a process of its own, and the most memory that it took."""

from dataclasses import dataclass
from pathlib import Path

from tests.helpers.needs import skip_without
from tests.helpers.processes import TIMEOUT_S, Forked

ALLOWED_MIB = 200  # above what the imports alone take


@dataclass
class Ended:
    """How a process ended."""

    code: int
    said: str
    peak_mib: float


def run(folder: Path, module: str, *arguments: str) -> Ended:
    """`python -m MODULE ARGUMENTS`, with one thread."""
    if not Path("/proc/self/status").is_file():
        skip_without("Linux's /proc, which knows a process's peak of memory")
    memory = folder / "peak"
    forked = Forked("tests.hostile.measured", str(memory), module, *arguments, cwd=folder, OMP_NUM_THREADS="1")
    code = forked.wait(TIMEOUT_S)
    peak = int(memory.read_text()) / 1024
    memory.unlink()
    return Ended(code, forked.stderr, peak)


def command(folder: Path, name: str, *arguments: str) -> Ended:
    """`python -m cgan_lightning.NAME ARGUMENTS`."""
    return run(folder, f"cgan_lightning.{name}", *arguments)
