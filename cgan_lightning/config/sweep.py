"""A sweep: the jobs of a command line, the sweep folder, and the handling of failed jobs."""

import hashlib
import itertools
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig

from cgan_lightning.config import identity, plugin_options, sizes
from cgan_lightning.distributed import rank_info
from cgan_lightning.distributed.rank_info import RankInfo
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.storage.sweep_folder import Job, SweepFolder
from cgan_lightning.utils.errors import Interrupted, RunError, UserError


def points(overrides: Sequence[Override]) -> list[list[str]]:
    """Return every point of the grid of `overrides`; of one key given twice, the last counts.

    Intervals, from which a sweeper chooses, are left out; the points are then not the sweep's jobs.
    """
    values = {override.get_key_element(): _values(override) for override in overrides}
    return [list(point) for point in itertools.product(*(choices for choices in values.values() if choices))]


def point(overrides: Sequence[Override], place: int) -> list[str]:
    """Return the first (0) or last (-1) point of `overrides`, whose intervals consist of both ends."""
    values = {override.get_key_element(): _values(override) or _ends(override) for override in overrides}
    return [choices[place] for choices in values.values()]


def grid(overrides: Sequence[Override]) -> dict[str, list[str]]:
    """Return the values of each key that is swept."""
    swept = {override.get_key_element(): _values(override) for override in overrides if override.is_sweep_override()}
    return {key: [value.removeprefix(f"{key}=") for value in values] for key, values in swept.items()}


def _values(override: Override) -> list[str]:
    if not override.is_sweep_override():
        return [override.input_line or ""]
    if not override.is_discrete_sweep():
        return []
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]


def _ends(override: Override) -> list[str]:
    interval: Any = override.value()
    if not override.is_interval_sweep():
        raise UserError(f"{override.input_line}: there is no value in this range")
    return [f"{override.get_key_element()}={end}" for end in (interval.start, interval.end)]


def job(config: DictConfig, number: int) -> Job:
    """Return the job of a config composed here or by Hydra. Raises UserError if a file's overrides name a plugin."""
    plugin_options.check(config)
    return Job(
        number=number,
        name=identity.first_name(config),
        overrides=list(HydraConfig.get().overrides.task),
        run=str(identity.run_folder(config).path),
        max_epochs=config.trainer.max_epochs,
        max_steps=config.trainer.max_steps,
        updates=sizes.planned_updates(config),
    )


def refuse_longer_runs(jobs: Sequence[Job]) -> None:
    """Raise UserError for the first job whose run is longer than this sweep's, without results at its length."""
    for each in jobs:
        RunFolder(Path(each.run)).end(each.updates or 0)


def folder(run_root: str, overrides: Sequence[Override], jobs: Sequence[Job]) -> SweepFolder:
    """Return the sweep folder, named by the swept keys and a hash of the runs, so that the same command finds it again."""
    content = "\n".join(sorted(job.name for job in jobs)) or "\n".join(str(override.input_line) for override in overrides)
    return named(run_root, overrides, content)


def named(run_root: str, overrides: Sequence[Override], content: str) -> SweepFolder:
    """Return the sweep folder with the swept keys and a hash of `content` in its name."""
    swept = [re.split(r"[./]", override.key_or_group)[-1] for override in overrides if override.is_sweep_override()]
    choices = [str(override.value()) for override in overrides if override.key_or_group == "sweep"]
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(choices or swept))[:80]
    return SweepFolder(Path(run_root) / "sweeps" / f"{readable or 'one'}-{digest}")


def is_job(config: DictConfig) -> bool:
    """Return whether a config from Hydra is a training job of a sweep."""
    return "run_root" in config and HydraConfig.get().mode == RunMode.MULTIRUN


def isolated(task: Callable[[DictConfig], Any]) -> Callable[[DictConfig], Any]:
    """Wrap `task` so that a failure is recorded in the sweep folder and returns NaN instead of stopping the other jobs.

    A signal still stops the sweep. A job in a process of its own ends with its
    own exit code instead.
    """

    def run(config: DictConfig) -> Any:
        hydra_part = HydraConfig.get()
        this_job, sweep = job(config, hydra_part.job.num), SweepFolder(Path(hydra_part.sweep.dir))
        if (rank_info.given(os.environ) or RankInfo()).rank:
            return task(config)  # only rank zero reports
        sweep.write(this_job)
        try:
            returned = task(config)
            print(sweep.pace(), file=sys.stderr)
            return returned
        except Interrupted:
            raise
        except Exception as error:
            if not isinstance(error, UserError | RunError):
                traceback.print_exc()  # an unexpected error: the message alone is not enough
            message = f"{error or type(error).__name__}"
            sweep.write(replace(this_job, failure=message))
            if "SUBMITIT_EXECUTOR" in os.environ:
                raise error if isinstance(error, UserError) else RunError(message) from None
            print(f"{this_job.name} failed: {message}\n{sweep.pace()}", file=sys.stderr)
            return float("nan")

    return run
