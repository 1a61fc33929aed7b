"""Statistics of a sweep: means with confidence intervals, effects of factors, and their significance over seeds.

One model: a metric's value is the mean of its setting plus an effect of its seed plus noise of equal variance (a randomised
block design; Montgomery, Design and Analysis of Experiments, chapter 4). Runs with the same seed share their draws, so that
comparing settings within seeds removes the seed's part of the noise.
"""

import itertools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
    """A mean with half the width of its 95 % interval (None for a single value), and the values."""

    mean: float
    half: float | None
    values: list[float]


@dataclass
class Effect:
    """The change of a metric from one value of a factor to another, averaged over the settings of the other factors.

    For an interaction, `factor` has two names, and the difference is the change of the first one's effect. `half` and `p` are
    None for one seed, which gives no estimate of noise. `p` is corrected for multiple comparisons (Holm 1979).
    """

    factor: tuple[str, ...]
    levels: tuple[Any, ...]  # from, to; for an interaction of both factors
    difference: float
    half: float | None
    p: float | None
    settings: int  # pairs of settings compared
    seeds: int
    at: tuple[str, Any] | None = None  # of a simple effect: the value of another factor at which it holds

    @property
    def significant(self) -> bool:
        return self.p is not None and self.p < 1 - LEVEL


def interval(values: Sequence[float]) -> Interval:
    """Return the mean and its 95 % interval by Student's t."""
    array = np.asarray(values, float)
    half = None
    if len(array) > 1:
        half = float(stats.t.ppf((1 + LEVEL) / 2, len(array) - 1) * stats.sem(array))
    return Interval(float(array.mean()), half, list(map(float, array)))


def effects(runs: pd.DataFrame, factors: dict[str, list[Any]], metric: str) -> list[Effect]:
    """Return the effect of each factor from its first value to each other one, as one family of comparisons."""
    model = _Model(runs, list(factors), metric)
    changes = [(factor, levels[0], high) for factor, levels in factors.items() for high in levels[1:]]
    result = [model.change(factor, low, high) for factor, low, high in changes]
    return _corrected([effect for effect in result if effect])


def simple_effects(
    runs: pd.DataFrame, factors: dict[str, list[Any]], metric: str, main: Effect, interactions: Sequence[Effect]
) -> list[Effect]:
    """Return the effect `main` at each value of each other factor that it depends on; empty if it depends on none.

    It depends on a factor if their interaction is significant, or if at some value all seeds have the opposite sign of `main`,
    so that the average does not represent that setting.
    """
    (factor,), (low, high) = main.factor, main.levels
    model, result = _Model(runs, list(factors), metric), []
    for other in (name for name in factors if name != factor):
        each = [effect for level in factors[other] if (effect := model.change(factor, low, high, at=(other, level)))]
        interact = any(effect.significant and set(effect.factor) == {factor, other} for effect in interactions)
        if interact or any(model.all_seeds_oppose(effect, main.difference) for effect in each):
            result += each
    return _corrected(result)


def interactions(runs: pd.DataFrame, factors: dict[str, list[Any]], metric: str) -> list[Effect]:
    """Return the interaction of each pair of factors, from the first value of each."""
    model = _Model(runs, list(factors), metric)
    result = []
    for (one, two), levels in _two_by_two(factors):
        squares = [square for cell in model.cells if (square := _square(cell, list(factors), (one, two), levels, model))]
        if squares:
            weights = [(cell, sign) for square in squares for cell, sign in zip(square, (1, -1, -1, 1), strict=True)]
            result.append(model.effect((one, two), levels, weights, len(squares)))
    return _corrected(result)


class _Model:
    """A least-squares model of setting plus seed, which gives the difference, interval and p of contrasts of settings."""

    def __init__(self, runs: pd.DataFrame, factors: list[str], metric: str) -> None:
        self.names, known = factors, runs.dropna(subset=[metric])
        rows = [(tuple(row[factor] for factor in factors), row["seed"]) for row in known.to_dict("records")]
        self.cells: dict[Cell, set[Any]] = {}
        for cell, seed in rows:
            self.cells.setdefault(cell, set()).add(seed)
        self.values = dict(zip(rows, known[metric].tolist(), strict=True))
        self.order, seeds = list(self.cells), sorted({seed for _, seed in rows})
        design = [[*(cell == other for other in self.order), *(seed == other for other in seeds[1:])] for cell, seed in rows]
        with warnings.catch_warnings():  # singular if seeds do not connect all settings; contrasts use connected ones
            warnings.simplefilter("ignore", SingularMatrixWarning)
            self.fit: Any = OLS(known[metric].to_numpy(float), np.asarray(design, float)).fit() if rows else None
        self.unseen = len(seeds[1:])

    def change(self, factor: str, low: Any, high: Any, at: tuple[str, Any] | None = None) -> Effect | None:
        """Return the effect of changing a factor, averaged over all settings or those with `at`."""
        pairs = self._pairs(factor, low, high, at)
        if not pairs:
            return None
        weights = [(cell, sign) for pair in pairs for cell, sign in zip(pair, (-1, 1), strict=True)]
        return replace(self.effect((factor,), (low, high), weights, len(pairs)), at=at)

    def all_seeds_oppose(self, simple: Effect, difference: float) -> bool:
        """Whether there are two or more seeds and each has a simple effect of the opposite sign to `difference`."""
        by_seed: dict[Any, list[float]] = {}
        (factor,), (low, high) = simple.factor, simple.levels
        for cell, changed in self._pairs(factor, low, high, simple.at):
            for seed in self.share_seeds(cell, changed):
                by_seed.setdefault(seed, []).append(self.values[changed, seed] - self.values[cell, seed])
        return len(by_seed) > 1 and all(sum(each) * difference < 0 for each in by_seed.values())

    def _pairs(self, factor: str, low: Any, high: Any, at: tuple[str, Any] | None) -> list[tuple[Cell, Cell]]:
        """Return pairs of settings that differ only in `factor` and have a seed in common."""
        index = self.names.index(factor)
        chosen = [cell for cell in self.cells if cell[index] == low and (at is None or cell[self.names.index(at[0])] == at[1])]
        pairs = [(cell, _with(cell, index, high)) for cell in chosen]
        return [(cell, other) for cell, other in pairs if other in self.cells and self.share_seeds(cell, other)]

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
    """Return the four settings of an interaction if `cell` is the first of them and they have a seed in common."""
    one, two = map(names.index, pair)
    low, high, first, second = levels
    if (cell[one], cell[two]) != (low, first):
        return None
    four = [cell, _with(cell, one, high), _with(cell, two, second), _with(_with(cell, one, high), two, second)]
    return four if all(each in model.cells for each in four) and model.share_seeds(*four) else None


def _with(cell: Cell, index: int, value: Any) -> Cell:
    return (*cell[:index], value, *cell[index + 1 :])


def _corrected(result: list[Effect]) -> list[Effect]:
    tested = [(effect, effect.p) for effect in result if effect.p is not None]
    if tested:
        corrected: Any = multipletests([p for _, p in tested], method="holm")[1]
        for (effect, _), p in zip(tested, corrected, strict=True):
            effect.p = float(p)
    return result
