"""Which runs a report is of: a sweep's, or any, by their folders or patterns of them."""

import glob
import hashlib
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
    """A run, where its results are if it has finished, and its state as a sweep's table has it."""

    run: RunFolder
    end: RunFolder | None
    state: str
    detail: str = ""

    @property
    def identity(self) -> dict[str, Any]:
        """What run.json says; nothing where the run was never begun."""
        return read_json(self.run.identity) if self.run.identity.is_file() else {}


@dataclass
class Selection:
    """Runs, where a report of them goes, and the command that makes these runs or this report again."""

    entries: list[Entry]
    folder: Path
    command: str


def selected(runs: str | Sequence[str]) -> Selection:
    """Raises UserError for what is neither a sweep's folder nor a run's, and fits none."""
    requested = [runs] if isinstance(runs, str) else list(runs)
    if len(requested) == 1 and SweepFolder(Path(requested[0])).record.is_file():
        sweep = SweepFolder(Path(requested[0]))
        return Selection(_of_sweep(sweep), sweep.path, read_json(sweep.record)["command"])
    places = dict.fromkeys(place for each in requested for place in _places(each))
    entries = [of_run(place) for place in places]
    digest = hashlib.sha256("\n".join(sorted(map(str, places))).encode()).hexdigest()[:8]
    folder = entries[0].run.path.parent / "reports" / f"{len(entries)}-runs-{digest}"
    given = f"runs={runs}" if isinstance(runs, str) else f"runs=[{','.join(requested)}]"
    return Selection(entries, folder, shlex.join(["python", "-m", "cgan_lightning.report", given]))


def of_run(place: Path) -> Entry:
    """A run by its folder, at its last end; or by the folder of an earlier end."""
    if place.parent.name == "ends":
        return Entry(RunFolder(place.parents[1]), RunFolder(place), "finished", str(place))
    run, ends = RunFolder(place), RunFolder(place).ends()
    if lock.is_held(place):
        return Entry(run, None, "running")
    return Entry(run, ends[max(ends)], "finished", str(place)) if ends else Entry(run, None, "interrupted")


def _of_sweep(sweep: SweepFolder) -> list[Entry]:
    jobs = [(job, *job.state()) for job in sweep.jobs()]
    return [Entry(RunFolder(Path(job.run)), job.end() if state == "finished" else None, state, detail)
            for job, state, detail in jobs]  # fmt: skip


def _places(given: str) -> Iterator[Path]:
    """The run folders that `given`, a path or a pattern, means; of a sweep's folder its runs."""
    result = [Path(given)] if Path(given).exists() else [Path(path) for path in sorted(glob.glob(given))]  # noqa: PTH207  it may be absolute
    runs = [path for path in result if _is_run(path)]
    sweeps = [SweepFolder(path) for path in result if SweepFolder(path).record.is_file()]
    if not runs and not sweeps:
        raise UserError(
            f"runs={shown(given)} is no sweep's folder and no run's: give one of runs/sweeps/, or run folders as in "
            "runs=[runs/A,runs/B] or runs='runs/*seed0*'"
        )
    yield from runs
    for sweep in sweeps:
        yield from (entry.end.path for entry in _of_sweep(sweep) if entry.end)


def _is_run(path: Path) -> bool:
    return RunFolder(path).identity.is_file() or (path.parent.name == "ends" and RunFolder(path).results.is_file())
