"""What a sweep can say: means with intervals, effects of what was swept, and whether they would hold for another seed.

One model for all of it: a metric's value is its setting's mean plus an effect of its seed plus noise of one size (a randomised
block design; Montgomery, Design and Analysis of Experiments, chapter 4). Runs of one seed share their draws, so comparing
settings within seeds takes the seed's part of the noise out.
"""

import itertools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.tools.sm_exceptions import SingularMatrixWarning

LEVEL = 0.95
Cell = tuple[Any, ...]  # a setting: one value of each factor


@dataclass(frozen=True)
class Interval:
    """A mean with half the width of its 95 % interval, None where there is but one value; and the values themselves."""

    mean: float
    half: float | None
    values: list[float]


@dataclass
class Effect:
    """What a metric changes by from one value of a factor to another, averaged over the other factors' settings.

    For an interaction, `factor` has two names, and it is what the first one's effect changes by. `half` and `p` are None
    where there is no noise to compare with: one seed. `p` is corrected for all comparisons made (Holm 1979).
    """

    factor: tuple[str, ...]
    levels: tuple[Any, ...]  # from, to; for an interaction of both factors
    difference: float
    half: float | None
    p: float | None
    settings: int  # pairs of settings compared
    seeds: int

    @property
    def significant(self) -> bool:
        return self.p is not None and self.p < 1 - LEVEL


def interval(values: Sequence[float]) -> Interval:
    """By Student's t."""
    array = np.asarray(values, float)
    half = None
    if len(array) > 1:
        half = float(stats.t.ppf((1 + LEVEL) / 2, len(array) - 1) * stats.sem(array))
    return Interval(float(array.mean()), half, list(map(float, array)))


def effects(runs: pd.DataFrame, factors: dict[str, list[Any]], metric: str) -> list[Effect]:
    """Of every factor, from its first value to each other one: one family of comparisons."""
    model = _Model(runs, list(factors), metric)
    found = []
    for place, (factor, levels) in enumerate(factors.items()):
        low = levels[0]
        for high in levels[1:]:
            pairs = [(cell, other) for cell in model.cells if cell[place] == low
                     and (other := _with(cell, place, high)) in model.cells and model.share_seeds(cell, other)]  # fmt: skip
            if pairs:
                weights = [(cell, sign) for pair in pairs for cell, sign in zip(pair, (-1, 1), strict=True)]
                found.append(model.effect((factor,), (low, high), weights, len(pairs)))
    return _corrected(found)


def interactions(runs: pd.DataFrame, factors: dict[str, list[Any]], metric: str) -> list[Effect]:
    """Of every two factors, from the first value of each: whether the one's effect depends on the other's value."""
    model = _Model(runs, list(factors), metric)
    found = []
    for (one, two), levels in _two_by_two(factors):
        squares = [square for cell in model.cells if (square := _square(cell, list(factors), (one, two), levels, model))]
        if squares:
            weights = [(cell, sign) for square in squares for cell, sign in zip(square, (1, -1, -1, 1), strict=True)]
            found.append(model.effect((one, two), levels, weights, len(squares)))
    return _corrected(found)


class _Model:
    """Setting plus seed, by least squares; a contrast of settings has its difference, interval and p from there."""

    def __init__(self, runs: pd.DataFrame, factors: list[str], metric: str) -> None:
        known = runs.dropna(subset=[metric])
        rows = [(tuple(row[factor] for factor in factors), row["seed"]) for row in known.to_dict("records")]
        self.cells: dict[Cell, set[Any]] = {}
        for cell, seed in rows:
            self.cells.setdefault(cell, set()).add(seed)
        self.order, seeds = list(self.cells), sorted({seed for _, seed in rows})
        design = [[*(cell == other for other in self.order), *(seed == other for other in seeds[1:])] for cell, seed in rows]
        with warnings.catch_warnings():  # seeds may not join all settings; contrasts are made of what they join
            warnings.simplefilter("ignore", SingularMatrixWarning)
            self.fit: Any = OLS(known[metric].to_numpy(float), np.asarray(design, float)).fit() if rows else None
        self.unseen = len(seeds[1:])

    def share_seeds(self, *cells: Cell) -> set[Any]:
        return set.intersection(*(self.cells[cell] for cell in cells))

    def effect(self, factor: tuple[str, ...], levels: tuple[Any, ...], weights: list[tuple[Cell, int]], count: int) -> Effect:
        contrast = np.zeros(len(self.order) + self.unseen)
        for cell, sign in weights:
            contrast[self.order.index(cell)] += sign / count
        difference = float(contrast @ self.fit.params)
        half = p = None
        if self.fit.df_resid > 0:
            tested = self.fit.t_test(contrast)
            half, p = float(np.ptp(tested.conf_int(1 - LEVEL)) / 2), float(tested.pvalue)
        seeds = set.union(*(self.cells[cell] for cell, _ in weights))
        return Effect(factor, levels, difference, half, p, count, len(seeds))


def _two_by_two(factors: dict[str, list[Any]]) -> Iterator[tuple[tuple[str, str], tuple[Any, ...]]]:
    for one, two in itertools.combinations(factors, 2):
        for high, second in itertools.product(factors[one][1:], factors[two][1:]):
            yield (one, two), (factors[one][0], high, factors[two][0], second)


def _square(cell: Cell, names: list[str], pair: tuple[str, str], levels: tuple[Any, ...], model: _Model) -> list[Cell] | None:
    """The four settings around `cell`, if it is the first of them and all were run with a common seed."""
    one, two = map(names.index, pair)
    low, high, first, second = levels
    if (cell[one], cell[two]) != (low, first):
        return None
    four = [cell, _with(cell, one, high), _with(cell, two, second), _with(_with(cell, one, high), two, second)]
    return four if all(each in model.cells for each in four) and model.share_seeds(*four) else None


def _with(cell: Cell, place: int, value: Any) -> Cell:
    return (*cell[:place], value, *cell[place + 1 :])


def _corrected(found: list[Effect]) -> list[Effect]:
    tested = [(effect, effect.p) for effect in found if effect.p is not None]
    if tested:
        corrected: Any = multipletests([p for _, p in tested], method="holm")[1]
        for (effect, _), p in zip(tested, corrected, strict=True):
            effect.p = float(p)
    return found
