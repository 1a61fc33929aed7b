"""What effects mean, in words, with what they cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cgan_lightning.evaluation.table import Row
from cgan_lightning.reporting import statistics
from cgan_lightning.reporting.statistics import Effect

COSTS = {"seconds": "the time", "parameters": "the parameters", "peak_memory_mib": "the memory"}
SAME = 0.05  # a cost that differs by less isn't worth a word: machines drift by as much


def effect(found: Effect, row: Row, costs: Mapping[str, Sequence[Effect]]) -> str:
    """ "channels 256 instead of 128 lowers FID by 3.1 ± 1.2 (p = 0.01); it takes 1.9 times the time"."""
    (factor,), (low, high) = found.factor, found.levels
    subject = f"{factor} {high} instead of {low}" + (f" at {found.at[0]} {found.at[1]}" if found.at else "")
    difference = f"{abs(found.difference) * row.scale:{_precision(row)}}"
    price = _price(found, costs)
    if found.p is None or found.half is None:
        way = "lower" if found.difference < 0 else "higher"
        return f"{subject}: {row.name} is {way} by {difference} with {_seeds(found)}, which can't speak of another one{price}."
    if found.significant:
        way = "lowers" if found.difference < 0 else "raises"
        return (
            f"{subject} {way} {row.name} by {difference} ± {found.half * row.scale:{_precision(row)}} ({_p(found.p)}){price}."
        )
    shown = f"{found.difference * row.scale:+{_precision(row)}} ± {found.half * row.scale:{_precision(row)}}, {_p(found.p)}"
    return f"{subject}: no difference in {row.name} that {_seeds(found)} can show ({shown}){price}."


def interaction(found: Effect, row: Row) -> str:
    (one, two), (low, high, first, second) = found.factor, found.levels
    return (
        f"What {one} {high} instead of {low} does to {row.name} depends on {two}: it differs by "
        f"{found.difference * row.scale:+{_precision(row)}} ± {(found.half or 0) * row.scale:{_precision(row)}} "
        f"between {second} and {first} ({_p(found.p or 1)})."
    )


def costs(runs: pd.DataFrame, factors: dict[str, list[Any]], *, times: bool = True) -> dict[str, list[Effect]]:
    """Effects on the logarithm of each cost that all runs have, without `times` not of those: factors by which it grows."""
    known = [cost for cost in COSTS if bool(runs[cost].notna().to_numpy().all()) and (times or cost != "seconds")]
    return {cost: statistics.effects(runs.assign(**{cost: np.log(runs[cost].astype(float))}), factors, cost) for cost in known}


def _price(found: Effect, costs: Mapping[str, Sequence[Effect]]) -> str:
    """What the same change costs, where that is more than SAME and more than noise."""
    told = []
    for cost, effects in costs.items():
        for each in effects:
            if (each.factor, each.levels) == (found.factor, found.levels) and abs(each.difference) > max(SAME, each.half or 0):
                low, high = (np.exp(each.difference + side * (each.half or 0)) for side in (-1, 1))
                spread = f" ({low:.1f} to {high:.1f})" if f"{low:.1f}" != f"{high:.1f}" else ""
                told.append(f"{np.exp(each.difference):.1f}{spread} times {COSTS[cost]}")
    if told:
        return f"; it takes {' and '.join(told)}"
    names = [name.removeprefix("the ") for name in map(COSTS.get, costs) if name]
    return f"; no difference in {' or '.join(names)} to be seen" if names else ""


def _precision(row: Row) -> str:
    return row.form.removeprefix("{:").removesuffix("}")


def _seeds(found: Effect) -> str:
    return "one seed" if found.seeds == 1 else f"{found.seeds} seeds"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
