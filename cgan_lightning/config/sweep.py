"""A sweep: which jobs a command line asks for, where it is remembered, and what becomes of a job that fails."""

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

from cgan_lightning.config import identity, sizes
from cgan_lightning.distributed import rank_info
from cgan_lightning.distributed.rank_info import RankInfo
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.storage.sweep_folder import Job, SweepFolder
from cgan_lightning.utils.errors import Interrupted, RunError, UserError


def points(overrides: Sequence[Override]) -> list[list[str]]:
    """Every point of the grid that `overrides` sweep over; of one key given twice, the last counts.

    An interval is a sweeper's to choose from: it is left out, and then the points are not the sweep's jobs.
    """
    values = {override.get_key_element(): _values(override) for override in overrides}
    return [list(point) for point in itertools.product(*(choices for choices in values.values() if choices))]


def grid(overrides: Sequence[Override]) -> dict[str, list[str]]:
    """What is swept: the values of each key that has several."""
    swept = {override.get_key_element(): _values(override) for override in overrides if override.is_sweep_override()}
    return {key: [value.removeprefix(f"{key}=") for value in values] for key, values in swept.items()}


def _values(override: Override) -> list[str]:
    if not override.is_sweep_override():
        return [override.input_line or ""]
    if not override.is_discrete_sweep():
        return []
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]


def job(config: DictConfig, number: int) -> Job:
    """The job that a config, composed or given by Hydra, is."""
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
    """Raises UserError for the first job whose run is longer than this sweep wants it, and has no results of that length."""
    for each in jobs:
        RunFolder(Path(each.run)).end(each.updates or 0)


def folder(run_root: str, overrides: Sequence[Override], jobs: Sequence[Job]) -> SweepFolder:
    """Named by what is swept and by the runs that it makes: the same command finds it again, another makes another."""
    swept = [re.split(r"[./]", override.key_or_group)[-1] for override in overrides if override.is_sweep_override()]
    named = [str(override.value()) for override in overrides if override.key_or_group == "sweep"]
    content = "\n".join(sorted(job.name for job in jobs)) or "\n".join(str(override.input_line) for override in overrides)
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(named or swept))[:80]
    return SweepFolder(Path(run_root) / "sweeps" / f"{readable or 'one'}-{digest}")


def is_job(config: DictConfig) -> bool:
    """Whether a config that Hydra gives is that of a training in a sweep."""
    return "run_root" in config and HydraConfig.get().mode == RunMode.MULTIRUN


def isolated(task: Callable[[DictConfig], Any]) -> Callable[[DictConfig], Any]:
    """`task`, whose failure is remembered in the sweep's folder and doesn't stop the other jobs; it then returns NaN.

    Optuna's sweeper and its like take NaN for a failed trial. A signal does stop the sweep. A job that is a process of its
    own ends with its own exit code instead.
    """

    def run(config: DictConfig) -> Any:
        hydra_part = HydraConfig.get()
        here, sweep = job(config, hydra_part.job.num), SweepFolder(Path(hydra_part.sweep.dir))
        if (rank_info.given(os.environ) or RankInfo()).rank:
            return task(config)  # rank zero speaks for all
        sweep.write(here)
        try:
            returned = task(config)
            print(sweep.pace(), file=sys.stderr)
            return returned
        except Interrupted:
            raise
        except Exception as error:
            if not isinstance(error, UserError | RunError):
                traceback.print_exc()  # nothing that we know: the sentence alone wouldn't do
            sentence = f"{error or type(error).__name__}"
            sweep.write(replace(here, failure=sentence))
            if "SUBMITIT_EXECUTOR" in os.environ:
                raise error if isinstance(error, UserError) else RunError(sentence) from None
            print(f"{here.name} failed: {sentence}\n{sweep.pace()}", file=sys.stderr)
            return float("nan")

    return run
