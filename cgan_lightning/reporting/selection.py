"""Select the runs of a report: those of a sweep, or any, by folders or patterns."""

import glob
import hashlib
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cgan_lightning.storage import lock
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.storage.sweep_folder import SweepFolder
from cgan_lightning.utils.errors import UserError, shown
from cgan_lightning.utils.old_names import read_json


@dataclass
class Entry:
    """A run, the folder of its results if it has finished, and its state as in a sweep's table."""

    run: RunFolder
    end: RunFolder | None
    state: str
    detail: str = ""

    @property
    def identity(self) -> dict[str, Any]:
        """The content of run.json; empty if the run has not started."""
        return read_json(self.run.identity) if self.run.identity.is_file() else {}


@dataclass
class Selection:
    """Runs, the folder of their report, and the command that reproduces the runs or the report; a single sweep's folder."""

    entries: list[Entry]
    folder: Path
    command: str
    sweep: SweepFolder | None = None


def selected(runs: str | Sequence[str]) -> Selection:
    """Return the selected runs. Raises UserError for a path or pattern without run or sweep folders."""
    requested = [runs] if isinstance(runs, str) else list(runs)
    if len(requested) == 1 and SweepFolder(Path(requested[0])).record.is_file():
        sweep = SweepFolder(Path(requested[0]))
        return Selection(_of_sweep(sweep), sweep.path, read_json(sweep.record)["command"], sweep)
    folders = dict.fromkeys(folder for each in requested for folder in _run_folders(each))
    entries = [of_run(folder) for folder in folders]
    digest = hashlib.sha256("\n".join(sorted(map(str, folders))).encode()).hexdigest()[:8]
    folder = entries[0].run.path.parent / "reports" / f"{len(entries)}-runs-{digest}"
    override = f"runs={runs}" if isinstance(runs, str) else f"runs=[{','.join(requested)}]"
    return Selection(entries, folder, shlex.join(["python", "-m", "cgan_lightning.report", override]))


def of_run(path: Path) -> Entry:
    """Return a run by its folder, with its last results, or by the folder of earlier results (in ends/)."""
    if path.parent.name == "ends":
        return Entry(RunFolder(path.parents[1]), RunFolder(path), "finished", str(path))
    run, ends = RunFolder(path), RunFolder(path).ends()
    if lock.is_held(path):
        return Entry(run, None, "running")
    return Entry(run, ends[max(ends)], "finished", str(path)) if ends else Entry(run, None, "interrupted")


def _of_sweep(sweep: SweepFolder) -> list[Entry]:
    jobs = [(job, *job.state()) for job in sweep.jobs()]
    return [Entry(RunFolder(Path(job.run)), job.end() if state == "finished" else None, state, detail)
            for job, state, detail in jobs]  # fmt: skip


def _run_folders(pattern: str) -> Iterator[Path]:
    """Yield the run folders of a path or pattern; for a sweep's folder its runs."""
    literal = Path(pattern).exists()
    found = [pattern] if literal else sorted(glob.glob(pattern), key=_by_numbers)  # noqa: PTH207  may be absolute
    result = [Path(path) for path in found]
    runs = [path for path in result if _is_run(path)]
    sweeps = [SweepFolder(path) for path in result if SweepFolder(path).record.is_file()]
    if not runs and not sweeps:
        raise UserError(
            f"runs={shown(pattern)} is no sweep's folder and no run's: give one of runs/sweeps/, or run folders as in "
            "runs=[runs/A,runs/B] or runs='runs/*seed0*'"
        )
    yield from runs
    for sweep in sweeps:
        yield from (entry.end.path for entry in _of_sweep(sweep) if entry.end)


def _by_numbers(path: str) -> list[str | int]:
    """Return a sort key by which channels64 comes before channels128; the first run's values are a report's baseline."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path)]


def _is_run(path: Path) -> bool:
    return RunFolder(path).identity.is_file() or (path.parent.name == "ends" and RunFolder(path).results.is_file())
