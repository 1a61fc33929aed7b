"""The sweep folder: the sweep's command, its jobs and their failures, and a search's trials. The runs are elsewhere."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cgan_lightning.storage import lock
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils import pasteable
from cgan_lightning.utils.files import write_json
from cgan_lightning.utils.old_names import read_json

STATES = ("finished", "failed", "running", "interrupted", "waiting")


@dataclass(frozen=True)
class Job:
    """A job of a sweep: its overrides, planned length, run folder and failure."""

    number: int  # index in the sweep, from 0
    name: str
    overrides: list[str]
    run: str
    max_epochs: int
    max_steps: int | None = None
    updates: int | None = None  # total; absent in sweeps of earlier versions, which use the two above
    failure: str | None = None

    def end(self) -> RunFolder | None:
        """Return the folder with the results at this sweep's length, even if the run was extended since; else None."""
        for updates, folder in sorted(RunFolder(Path(self.run)).ends().items()):
            if updates == self.updates or (self.updates is None and self._is_long_enough(read_json(folder.results))):
                return folder
        return None

    def _is_long_enough(self, results: dict) -> bool:
        return results["epochs"] >= self.max_epochs or results["updates"] >= (self.max_steps or float("inf"))

    def state(self) -> tuple[str, str]:
        """Return waiting, running, finished, failed or interrupted, with the progress, folder or reason."""
        run = RunFolder(Path(self.run))
        if self.failure is None and (end := self.end()):
            return "finished", str(end.path)
        progress = _read(run.progress)
        done = f"{progress['updates'] / progress['planned']:.0%}" if progress else ""
        if lock.is_held(run.path):
            return "running", f"{done}{_left(progress)}" if progress else "starting"
        if self.failure:
            return "failed", self.failure
        begun = progress is not None and progress["updates"] < progress["planned"]
        return ("interrupted", f"at {done}") if begun else ("waiting", "")

    def fid(self) -> float | None:
        """Return the run's FID to the training images at this sweep's length, else the latest; None if there is none yet."""
        if end := self.end():
            return read_json(end.results)["metrics"].get("fid")
        return (_read(RunFolder(Path(self.run)).progress) or {}).get("fid")


@dataclass(frozen=True)
class Trial:
    """A trial of a search: one choice of the swept settings. Trials with the same settings have the same job."""

    number: int
    settings: dict[str, str]  # swept keys and their values, as on a command line
    state: str  # running, finished or failed
    value: float | None = None  # the objective of a finished one
    failure: str | None = None
    job: str | None = None  # the job's name; None if its settings were refused


class SweepFolder:
    """`sweep.json` (the command and the grid) and a file for each job, written atomically; a search has trials.json too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = path / "sweep.json"
        self.study = path / "study.db"  # Optuna's
        self._trials = path / "trials.json"

    @contextlib.contextmanager
    def claim(
        self, command: str, grid: dict[str, list[str]], jobs: list[Job], search: dict[str, Any] | None = None
    ) -> Iterator[None]:
        """Lock the folder during the sweep and clear earlier failures, so that failed jobs run again.

        `search`: number of trials, metric and direction of a search, whose jobs are chosen while it runs.
        """
        with lock.hold(self.path, whose="this sweep"):
            write_json(self.record, {"command": command, "grid": grid} | ({"search": search} if search else {}))
            for job in jobs:
                self.write(job)
            yield

    def write(self, job: Job) -> None:
        write_json(self.path / "jobs" / f"{job.name}.json", asdict(job))

    def jobs(self) -> list[Job]:
        """Return the jobs in order, with run paths relative to the sweep folder if the recorded ones do not exist."""
        jobs = [Job(**read_json(path)) for path in (self.path / "jobs").glob("*.json")]
        root = self.path.absolute().parents[1]
        result = [job if Path(job.run).exists() else replace(job, run=str(root / Path(job.run).name)) for job in jobs]
        return sorted(result, key=lambda job: (job.number, job.name))

    def search(self) -> dict[str, Any] | None:
        """Return the number of trials, the metric and the direction of a search; None of a grid."""
        return read_json(self.record).get("search")

    def write_trials(self, trials: Sequence[Trial]) -> None:
        write_json(self._trials, {"trials": [asdict(trial) for trial in trials]})

    def trials(self) -> list[Trial]:
        """Return a search's trials by number."""
        return [Trial(**each) for each in read_json(self._trials)["trials"]] if self._trials.is_file() else []

    def best(self) -> Trial | None:
        """Return the finished trial with the best objective, the first one of several."""
        finished = [(trial.value, -trial.number, trial) for trial in self.trials() if trial.value is not None]
        if (self.search() or {}).get("direction") == "minimize":
            finished = [(-value, number, trial) for value, number, trial in finished]
        return max(finished, default=(None, None, None))[2]

    def in_words(self, trial: Trial) -> str:
        """Return "trial 7, fid 12.3 (model.latent_dim=32 noise=randn)"."""
        return f"trial {trial.number}, {self._objective(trial)} ({_settings(trial)})"

    def _objective(self, trial: Trial) -> str:
        return "" if trial.value is None else f"{(self.search() or {})['metric']} {trial.value:.4g}"

    def finished_runs(self) -> list[RunFolder]:
        """Return the folders with the results at this sweep's length."""
        return [end for job in self.jobs() if job.failure is None and (end := job.end())]

    def table(self) -> str:
        """Return a table: per job or trial its state, swept values, FID or objective, and progress or failure; then the number
        of jobs or trials by state."""
        rows = self._rows_of_trials() if self.search() else self._rows_of_jobs()
        widths = [max((len(row[column]) for row in rows), default=0) for column in (1, 2)]
        lines = [f"{state:<12} {label:<{widths[0]}}  {value:<{widths[1]}}{more}".rstrip() for state, label, value, more in rows]
        states, what = [row[0] for row in rows], "trials" if self.search() else "jobs"
        counts = [f"{states.count(state)} {state}" for state in STATES if state in states]
        return "\n".join([*lines, f"{len(rows)} {what}: {', '.join(counts)}"])

    def _rows_of_jobs(self) -> list[tuple[str, str, str, str]]:
        swept, rows = read_json(self.record)["grid"], []
        for job in self.jobs():
            label = " ".join(word for word in job.overrides if word.split("=")[0] in swept) or job.name
            state, detail = job.state()
            rows.append((state, label, _fid_column(job.fid() if state != "waiting" else None), detail))
        return rows

    def _rows_of_trials(self) -> list[tuple[str, str, str, str]]:
        jobs, rows = {job.name: job for job in self.jobs()}, []
        for trial in self.trials():
            job = jobs.get(trial.job or "")
            state, detail = (trial.state, trial.failure or (job.run if job else ""))
            if trial.state == "running" and job:
                state, detail = job.state()
            value = self._objective(trial)
            rows.append((state, f"{trial.number}: {_settings(trial)}", f"{value}  " if value else "", detail))
        return rows

    def pace(self) -> str:
        """Return the number of jobs done, the time since the sweep was started, and an estimate of the time left."""
        begun, jobs = self.record.stat().st_mtime, self.jobs()
        if search := self.search():
            states = [state for state, *_ in self._rows_of_trials()]
            done = states.count("finished") + states.count("failed")
            return f"{done} of {search['n_trials']} trials done in {_clock(time.time() - begun)}"
        ended = [job for job in jobs if job.state()[0] in ("finished", "failed")]
        now = [job for job in ended if job.failure or _written(RunFolder(Path(job.run)).progress) >= begun]
        seconds, left = time.time() - begun, len(jobs) - len(ended)
        known = all(read_json(self.record)["grid"].values())  # else a sweeper chooses jobs while it runs
        about = f", about {_clock(seconds / len(now) * left)} left" if known and now and left else ""
        return f"{len(ended)} {f'of {len(jobs)} ' if known else ''}jobs done in {_clock(seconds)}{about}"

    def next_commands(self, plugins: Sequence[str]) -> str:
        """Return the commands that evaluate the sweep and report on it, ready to paste."""
        evaluate = pasteable.command("evaluate", checkpoint=str(self.path), **pasteable.plugins(plugins))
        return "\n".join(["Next:", f"  {evaluate}", f"  {self.report_command(plugins)}"])

    def report_command(self, plugins: Sequence[str]) -> str:
        return pasteable.command("report", runs=str(self.path), **pasteable.plugins(plugins))

    def is_live(self) -> bool:
        return lock.is_held(self.path)

    def states(self) -> Counter[str]:
        return Counter(job.state()[0] for job in self.jobs())


def using(run: Path, updates: int) -> list[Path]:
    """Return the sweep folders next to a run that have it as a job of `updates` updates."""
    jobs = {job: read_json(job) for job in (run.parent / "sweeps").glob("*/jobs/*.json")}
    return sorted({path.parents[1] for path, job in jobs.items()
                   if Path(job["run"]).name == run.name and job.get("updates") in (None, updates)})  # fmt: skip


def _settings(trial: Trial) -> str:
    return " ".join(f"{key}={value}" for key, value in trial.settings.items())


def _fid_column(fid: float | None) -> str:
    return "" if fid is None else f"FID {fid:.3f}  "


def _read(path: Path) -> dict | None:
    return read_json(path) if path.is_file() else None


def _left(progress: dict) -> str:
    if not progress["images_per_second"]:
        return ""
    seconds = (progress["planned"] - progress["updates"]) * progress["batch_size"] / progress["images_per_second"]
    return f", {_clock(seconds)} left"


def _written(path: Path) -> float:
    """Return the file's modification time in seconds since the epoch; 0 without a file."""
    return path.stat().st_mtime if path.is_file() else 0.0


def _clock(seconds: float) -> str:
    """Format seconds as "1:05:09"."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
