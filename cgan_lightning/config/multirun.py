"""Run a sweep: check and record all jobs, run them, and print a table of their states."""

import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from cgan_lightning.config import pool, search, slurm, sweep
from cgan_lightning.storage.sweep_folder import SweepFolder
from cgan_lightning.utils.errors import RunError


def run(
    application: Callable[[], Any],
    first: DictConfig,
    overrides: Sequence[Override],
    composed: Callable[[list[str], bool], DictConfig],
) -> None:
    """Run the sweep of `overrides`, whose first job has the config `first`; `composed` composes a job's, and checks it if its
    second argument is true."""
    slurm.check(first, overrides)
    pool.check(first, overrides)
    if search.is_chosen():
        _search(application, first, overrides, composed)
        return
    jobs = [sweep.job(composed(each, True), number) for number, each in enumerate(sweep.points(overrides))]
    if any(override.is_sweep_override() and not override.is_discrete_sweep() for override in overrides):
        jobs = []  # the sweeper chooses them while it runs
    if not first.rerun:
        sweep.refuse_longer_runs(jobs)
    folder = sweep.folder(first.run_root, overrides, jobs)
    command = _begin(folder, f"{len(jobs) or 'Some'} jobs")
    with folder.claim(command, sweep.grid(overrides), jobs):
        application()
    print(folder.table(), file=sys.stderr)
    if folder.states()["finished"]:
        print(folder.next_commands(first.plugins), file=sys.stderr)
    if left := [f"{count} {state}" for state, count in folder.states().items() if state != "finished"]:
        raise RunError(f"{', '.join(left)}; run the same command to try again")


def _search(
    application: Callable[[], Any],
    first: DictConfig,
    overrides: Sequence[Override],
    composed: Callable[[list[str], bool], DictConfig],
) -> None:
    """Run or continue a study; a failed trial is part of its result."""
    search.check(first, overrides, lambda each: composed(each, False))
    folder, described = search.folder(first, overrides), search.described(first)
    command = _begin(folder, f"{described['n_trials']} trials")
    with folder.claim(command, sweep.grid(overrides), [], described):
        application()
    print(folder.table(), file=sys.stderr)
    if (best := folder.best()) is None:
        raise RunError("no trial finished: try other values, or more of them")
    print(f"Best: {folder.in_words(best)}; next: {folder.report_command(first.plugins)}", file=sys.stderr)


def _begin(folder: SweepFolder, count: str) -> str:
    """Print how to follow the sweep, hand its folder to Hydra, and return the command as it was typed."""
    command = shlex.join(["python", "-m", "cgan_lightning.train", *sys.argv[1:]])
    watch = f"python -m cgan_lightning.status {shlex.quote(str(folder.path))} --watch"
    print(f"{count}; to follow their progress: {watch}", file=sys.stderr)
    quoted = str(folder.path).replace("\\", "\\\\").replace("'", "\\'")
    sys.argv.append(f"hydra.sweep.dir='{quoted}'")
    return command
