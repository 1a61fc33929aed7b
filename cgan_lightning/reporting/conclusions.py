"""Conclusions: effects and their costs as sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cgan_lightning.evaluation.table import Row
from cgan_lightning.reporting import statistics
from cgan_lightning.reporting.statistics import Effect

COSTS = {"seconds": "the time", "parameters": "the parameters", "peak_memory_mib": "the memory"}
SAME = 0.05  # smaller differences in cost are not reported: machines vary by as much


def effect(result: Effect, row: Row, costs: Mapping[str, Sequence[Effect]]) -> str:
    """Return "channels 256 instead of 128 lowers FID by 3.1 ± 1.2 (p = 0.01); it takes 1.9 times the time"."""
    (factor,), (low, high) = result.factor, result.levels
    subject = f"{factor} {high} instead of {low}" + (f" at {result.at[0]} {result.at[1]}" if result.at else "")
    difference = f"{abs(result.difference) * row.scale:{_precision(row)}}"
    price = _price(result, costs)
    if result.p is None or result.half is None:
        way = "lower" if result.difference < 0 else "higher"
        return f"{subject}: {row.name} is {way} by {difference} with {_seeds(result)}, too few to generalise{price}."
    if result.significant:
        way = "lowers" if result.difference < 0 else "raises"
        return (
            f"{subject} {way} {row.name} by {difference} ± {result.half * row.scale:{_precision(row)}} ({_p(result.p)}){price}."
        )
    shown = f"{result.difference * row.scale:+{_precision(row)}} ± {result.half * row.scale:{_precision(row)}}, {_p(result.p)}"
    return f"{subject}: no significant difference in {row.name} ({_seeds(result)}; {shown}){price}."


def interaction(result: Effect, row: Row) -> str:
    (one, two), (low, high, first, second) = result.factor, result.levels
    return (
        f"The effect of {one} {high} instead of {low} on {row.name} depends on {two}: it differs by "
        f"{result.difference * row.scale:+{_precision(row)}} ± {(result.half or 0) * row.scale:{_precision(row)}} "
        f"between {second} and {first} ({_p(result.p or 1)})."
    )


def costs(runs: pd.DataFrame, factors: dict[str, list[Any]], *, times: bool = True) -> dict[str, list[Effect]]:
    """Return the effects on the logarithm of each cost that all runs have; without `times`, not on training time."""
    known = [cost for cost in COSTS if bool(runs[cost].notna().to_numpy().all()) and (times or cost != "seconds")]
    return {cost: statistics.effects(runs.assign(**{cost: np.log(runs[cost].astype(float))}), factors, cost) for cost in known}


def _price(result: Effect, costs: Mapping[str, Sequence[Effect]]) -> str:
    """Describe the cost of the same change if it exceeds both SAME and the noise."""
    growth = []
    for cost, effects in costs.items():
        for each in effects:
            same_change = (each.factor, each.levels) == (result.factor, result.levels)
            if same_change and abs(each.difference) > max(SAME, each.half or 0):
                low, high = (np.exp(each.difference + side * (each.half or 0)) for side in (-1, 1))
                spread = f" ({low:.1f} to {high:.1f})" if f"{low:.1f}" != f"{high:.1f}" else ""
                growth.append(f"{np.exp(each.difference):.1f}{spread} times {COSTS[cost]}")
    if growth:
        return f"; it takes {' and '.join(growth)}"
    names = [name.removeprefix("the ") for name in map(COSTS.get, costs) if name]
    return f"; no clear difference in {' or '.join(names)}" if names else ""


def _precision(row: Row) -> str:
    return row.form.removeprefix("{:").removesuffix("}")


def _seeds(result: Effect) -> str:
    return "one seed" if result.seeds == 1 else f"{result.seeds} seeds"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
