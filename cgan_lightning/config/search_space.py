"""hydra/sweeper=optuna: its settings, and the search space that a command line spans."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from omegaconf import MISSING

from cgan_lightning.config.schema_fields import anything, number, one_of, seed
from cgan_lightning.utils.errors import UserError

MAXIMIZED = ("class_accuracy", "images_per_second")  # objectives of which more is better


@dataclass
class Optuna:
    """The settings of hydra/sweeper=optuna."""

    _target_: str = MISSING
    n_trials: int = number("number of trials, finished or failed; a higher one continues the study", at_least=1)
    n_jobs: int = number("trials chosen at a time, which hydra/launcher= may run concurrently", at_least=1)
    direction: str | None = one_of(f"null: maximize for {' and '.join(MAXIMIZED)}, else minimize", "minimize", "maximize")
    sampler: str = one_of("tpe: tree-structured Parzen estimator; random: independent trials", "tpe", "random")
    seed: int = seed("determines which trials are chosen")
    params: dict[str, Any] | None = anything("the search space, in a file of sweep=", must_be="keys and their values")


@dataclass(frozen=True)
class Choices:
    """Values without an order, as on a command line."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Numbers:
    """Numbers from `low` to `high`, inclusive: whole ones if both are; `step`: None for any number."""

    low: float
    high: float
    step: float | None = None
    log: bool = False


def space(overrides: Sequence[Override]) -> dict[str, Choices | Numbers]:
    """Return the values of each swept key; of one key given twice, the last counts. Raises UserError for an empty interval."""
    last = {override.get_key_element(): override for override in overrides}
    return {key: _dimension(override) for key, override in last.items() if override.is_sweep_override()}


def _dimension(override: Override) -> Choices | Numbers:
    value, line = override.value(), override.input_line
    if isinstance(value, IntervalSweep):
        low, high, log = value.start or 0, value.end or 0, "log" in value.tags
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise UserError(f"{line}: an interval is from a lower to a higher number")
        if log and low <= 0:
            raise UserError(f"{line}: a logarithmic interval begins above 0")
        return Numbers(low, high, log=log)
    if isinstance(value, RangeSweep):
        numbers: list[Any] = sorted(override.sweep_iterator(), key=float)  # pyright: ignore[reportArgumentType]
        return Numbers(numbers[0], numbers[-1], step=abs(value.step))
    return Choices(tuple(override.sweep_string_iterator()))


def job_of(overrides: Sequence[Override], settings: Mapping[str, str]) -> list[str]:
    """Return the overrides of a trial's job: those of the command line, with the trial's settings for the swept keys."""
    last = {override.get_key_element(): override.input_line or "" for override in overrides}
    return [*(last | {key: f"{key}={value}" for key, value in settings.items()}).values()]
