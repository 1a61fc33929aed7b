"""Figures as SVG that takes its text colour from the page, so that they are right in light and in dark."""

import functools
import io
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from cgan_lightning.reporting.statistics import Interval

INK = "#010203"  # stands for the page's own colour
COLOURS = ("#2f81f7", "#e8710a", "#1a9e75", "#c05ad1", "#d64545", "#8a8f98", "#a8860b", "#00a3b8")
STYLE: Any = {
    "font.size": 12, "font.family": "sans-serif", "svg.fonttype": "none", "svg.hashsalt": "cgan_lightning",
    "text.parse_math": False,  # labels come from files: a $ is a $
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": INK, "ytick.color": INK, "legend.frameon": False, "grid.color": INK, "grid.alpha": 0.12, "grid.linewidth": 1,
}  # fmt: skip
DASHES = ("-", "--", ":", "-.")  # for what has a colour that was there before
WIDTH = 5.2  # inches, of 72 units
BESIDE, ABOVE = 26, 56  # characters in a line of a label, beside the axes and above them

Curve = Sequence[tuple[float, float]]


def _styled(draw: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(draw)
    def styled(*args: Any, **kwargs: Any) -> str:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


@_styled
def points(rows: dict[str, Interval], title: str) -> str:
    """A line a setting: each seed's value, their mean and its 95 % interval where that fits."""
    labels = [textwrap.fill(label, BESIDE) for label in rows]
    lines = max(label.count("\n") + 1 for label in labels)
    figure, axes = _axes(1.1 + (0.22 + 0.2 * lines) * len(rows))
    every = [value for each in rows.values() for value in each.values]
    low, high = min(every), max(every)
    room = max((high - low) * 0.6, abs(high) * 0.05) or 1
    for place, each in enumerate(reversed(rows.values())):
        colour = COLOURS[(len(rows) - 1 - place) % len(COLOURS)]
        if each.half is not None:
            axes.plot([each.mean - each.half, each.mean + each.half], [place, place], color=colour, linewidth=2, alpha=0.5)
        axes.plot(each.values, [place] * len(each.values), "o", color=colour, markersize=5, alpha=0.7)
        axes.plot([each.mean], [place], "|", color=colour, markersize=17, markeredgewidth=2.5)
    axes.set_yticks(range(len(rows)), labels[::-1])
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(title)
    axes.grid(axis="x")
    return _svg(figure, f"{title} of each setting")


@_styled
def curves(groups: Mapping[str, Sequence[Curve]], title: str) -> str:
    """Mean and range over runs of each group's (images seen, value)."""
    labels = [textwrap.fill(label, ABOVE) for label in groups]
    figure, axes = _axes(2.2 + 0.25 * max(8, sum(label.count("\n") + 1 for label in labels)))
    for place, (label, runs) in enumerate(zip(labels, groups.values(), strict=True)):
        colour, dashes = COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)]
        seen, values = _together(runs)
        thousands = seen / 1000
        axes.plot(thousands, values.mean(0), color=colour, label=label, linestyle=dashes, linewidth=2, marker="o", markersize=3)
        axes.fill_between(thousands, values.min(0), values.max(0), color=colour, alpha=0.18, linewidth=0)
    positive = all(value > 0 for runs in groups.values() for run in runs for _, value in run)
    if positive:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 3, 4, 6)))
        for axis_formatter in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            axis_formatter("{x:g}")
    axes.set_xlabel("images seen, thousands")
    axes.set_ylabel(title)
    axes.grid(which="both")
    figure.legend(loc="outside upper left", fontsize=11)
    return _svg(figure, f"{title} over images seen")


def _together(runs: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Where any of the runs was looked at while all went on, and each one's values there, between its own looks too."""
    first, last = max(run[0][0] for run in runs), min(run[-1][0] for run in runs)
    seen = np.asarray(sorted({images for run in runs for images, _ in run if first <= images <= last} or {last}))
    return seen, np.asarray([np.interp(seen, *np.asarray(run).T) for run in runs])


@_styled
def pareto(settings: Sequence[tuple[str, float, float]], cost: str, quality: str, *, lower_is_better: bool) -> str:
    """Quality over cost of each setting (label, cost, quality); the line joins those that nothing beats in both."""
    figure, axes = _axes(4.2)
    front = pareto_front([(price, value if lower_is_better else -value) for _, price, value in settings])
    line = sorted((settings[place][1], settings[place][2]) for place in front)
    axes.plot(*zip(*line, strict=True), color=INK, alpha=0.5, linewidth=1.5, drawstyle="steps-post", zorder=1)
    for place, (label, price, value) in enumerate(settings):
        colour = COLOURS[place % len(COLOURS)]
        on_it = place in front
        axes.plot([price], [value], "o", markersize=9, label=label, markeredgecolor=colour, markeredgewidth=2,
                  markerfacecolor=colour if on_it else "none", zorder=2)  # fmt: skip
    axes.set_xlabel(cost)
    axes.set_ylabel(quality)
    axes.margins(0.12)
    axes.grid()
    if len(settings) <= len(COLOURS):
        figure.legend(loc="outside upper left", fontsize=11)
    return _svg(figure, f"{quality} over {cost}")


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Places of the points that no other is as good as in both numbers and better in one; lower is better in both."""
    return [
        place
        for place, (cost, value) in enumerate(points)
        if not any(other != (cost, value) and other[0] <= cost and other[1] <= value for other in points)
    ]


def _axes(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Figure, description: str) -> str:
    """Without a background, its ink being the page's, `description` for those who can't see it."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = stream.getvalue()
    drawn = drawn[drawn.index("<svg") :].replace(INK, "currentColor")
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{description}" ', 1)
