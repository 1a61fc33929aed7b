"""A report's figures: drawn once, inlined in the page in its text colour, and saved as files for papers."""

import functools
import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from cgan_lightning.reporting.statistics import Interval
from cgan_lightning.utils import plots
from cgan_lightning.utils.origin import Origin

INK = "#010203"  # black in files; replaced by the text colour in the page
STYLE: Any = plots.STYLE | {
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": INK, "ytick.color": INK, "legend.frameon": False, "grid.color": INK, "grid.alpha": 0.12, "grid.linewidth": 1,
}  # fmt: skip
# Each setting takes the next of each. The lengths are coprime, so that 385 settings have distinct combinations, and up to 35
# settings that share one of the three differ in the two others.
COLOURS = (plots.BLUE, plots.ORANGE, plots.GREEN, plots.PURPLE, INK, plots.VERMILLION, plots.SKY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "*", ">", "d")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)))
WIDTH = 5.2  # inches
BESIDE, ABOVE = 26, 56  # characters per line of a label beside the axes and above them
LEGEND = 10  # size of a legend's text
TICK_GAP = 1 / 8  # of an axis: the least distance of two ticks, more than a line of text

Curve = Sequence[tuple[float, float]]


@dataclass
class Drawing:
    """A figure with the name of its files and its title."""

    name: str
    title: str
    figure: Figure

    def inline(self) -> str:
        """Return SVG for the page, with no background, the page's text colour, and the title as accessible label."""
        stream = io.StringIO()
        with mpl.rc_context(STYLE):
            self.figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        drawn = stream.getvalue()
        drawn = drawn[drawn.index("<svg") :].replace(INK, "currentColor")
        return drawn.replace("<svg ", f'<svg role="img" aria-label="{self.title}" ', 1)

    def save(self, folder: Path, origin: Origin) -> None:
        plots.save(self.figure, folder, self.name, self.title, origin)


def _styled(draw: Callable[..., Drawing]) -> Callable[..., Drawing]:
    @functools.wraps(draw)
    def styled(*args: Any, **kwargs: Any) -> Drawing:
        with mpl.rc_context(STYLE):
            drawing = draw(*args, **kwargs)
            drawing.figure.draw_without_rendering()
            drawing.figure.set_layout_engine("none")  # laid out once, not again for each file
            return drawing

    return styled


def line_style(index: int) -> dict[str, Any]:
    """Return colour, marker and dashes of setting number `index`, from 0."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": DASHES[index % len(DASHES)],
    }


@_styled
def points(name: str, rows: Mapping[str, Interval | None], title: str) -> Drawing:
    """Draw a line per setting: the value of each seed, their mean and its 95 % interval, cut off at the axes; None: empty."""
    labels = [textwrap.fill(label, BESIDE) for label in rows]
    lines = max(label.count("\n") + 1 for label in labels)
    figure, axes = _axes(1.1 + (0.14 + 0.2 * lines) * len(rows))
    known = {index: each for index, each in enumerate(rows.values()) if each}
    for index, each in known.items():
        height, style = len(rows) - 1 - index, line_style(index) | {"linestyle": "none"}
        if each.half is not None:
            ends = [each.mean - each.half, each.mean + each.half]
            axes.plot(ends, [height] * 2, color=style["color"], linewidth=2, alpha=0.5)
        axes.plot(each.values, [height] * len(each.values), **style, markersize=6, alpha=0.7)
        axes.plot([each.mean], [height], "|", color=style["color"], markersize=17, markeredgewidth=2.5)
    axes.set_yticks(range(len(rows)), labels[::-1])
    axes.set_xlim(*_limits(list(known.values())))
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(title)
    axes.grid(axis="x")
    return Drawing(f"points-{name}", f"{title} of each setting", figure)


@_styled
def curves(name: str, groups: Mapping[str, Sequence[Curve]], title: str) -> Drawing:
    """Draw mean and range over the runs of each group by images seen; a group without runs only reserves its style."""
    known = {label: (line_style(index), runs) for index, (label, runs) in enumerate(groups.items()) if runs}
    figure, axes = _axes(3.2 + _legend_height(known))
    for index, (label, (style, runs)) in enumerate(known.items()):
        images_seen, values = _together(runs)
        interval = -(-len(images_seen) // 8)  # validations per marker
        marked = slice(index % interval, None, interval)  # shifted between curves
        axes.plot(images_seen / 1000, values.mean(0), **style, label=label, linewidth=2, markersize=6, markevery=marked)
        shade = min(0.18, 0.8 / len(known))
        axes.fill_between(images_seen / 1000, values.min(0), values.max(0), color=style["color"], alpha=shade, linewidth=0)
    values = [value for runs in groups.values() for run in runs for _, value in run]
    if min(values) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(FixedLocator(log_ticks(*axes.get_ylim())))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("images seen, thousands")
    axes.set_ylabel(title)
    axes.grid()
    _legend(figure, known)
    return Drawing(f"curves-{name}", f"{title} over images seen", figure)


def _together(runs: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Return all images seen at validations within the common range of the runs, and each run's interpolated values there."""
    first, last = max(run[0][0] for run in runs), min(run[-1][0] for run in runs)
    images_seen = np.asarray(sorted({images for run in runs for images, _ in run if first <= images <= last} or {last}))
    return images_seen, np.asarray([np.interp(images_seen, *np.asarray(run).T) for run in runs])


def log_ticks(low: float, high: float) -> list[float]:
    """Return as many round ticks of a logarithmic axis from `low` to `high` as their labels have room; at least two."""
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    choices = [np.outer(decades, steps).ravel() for steps in ((1, 2, 3, 5), (1, 2, 5), (1, 3), (1,))]
    choices += [decades[::step] for step in range(2, len(decades))]
    choices += [MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high) for count in (6, 5, 4, 3, 2)]
    inside = [[float(each) for each in ticks if low <= each <= high] for ticks in choices]
    gap = TICK_GAP * np.log(high / low)
    return max((ticks for ticks in inside if len(ticks) < 2 or np.diff(np.log(ticks)).min() >= gap), key=len)


@_styled
def pareto(
    name: str, settings: Mapping[str, tuple[float, Interval] | None], cost: str, quality: str, *, lower_is_better: bool
) -> Drawing:
    """Draw quality over cost of each setting (cost, quality), with its 95 % interval cut off at the axes; None: omitted.

    The line and the filled markers show the Pareto front.
    """
    known = [(label, line_style(index), *each) for index, (label, each) in enumerate(settings.items()) if each]
    labels = [label for label, *_ in known]
    figure, axes = _axes(3.4 + _legend_height(labels))
    front = pareto_front([(price, each.mean if lower_is_better else -each.mean) for _, _, price, each in known])
    line = sorted((known[index][2], known[index][3].mean) for index in front)
    axes.plot(*zip(*line, strict=True), color=INK, alpha=0.5, linewidth=1.5, drawstyle="steps-post", zorder=1)
    for index, (label, style, price, each) in enumerate(known):
        if each.half is not None:
            bar = {"ecolor": style["color"], "elinewidth": 1.5, "capsize": 3, "alpha": 0.6}
            axes.errorbar([price], [each.mean], each.half, fmt="none", **bar)
        face = style["color"] if index in front else "none"
        point = {"markersize": 9, "markeredgewidth": 2, "markerfacecolor": face, "zorder": 3}
        axes.plot([price], [each.mean], **style | {"linestyle": "none"}, **point, label=label)
    axes.margins(x=0.12)
    axes.set_ylim(*_limits([each for *_, each in known]))
    axes.set_xlabel(cost)
    axes.set_ylabel(quality)
    axes.grid()
    _legend(figure, labels)
    return Drawing(f"pareto-{name}", f"{quality} over {cost}", figure)


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the points that no other point dominates; lower is better in both coordinates."""
    return [
        index
        for index, (cost, value) in enumerate(points)
        if not any(other != (cost, value) and other[0] <= cost and other[1] <= value for other in points)
    ]


def file_name(text: str) -> str:
    """Return `text`, from an untrusted file, as a safe part of a file name."""
    return re.sub(r"[^\w.-]+", "_", text)


def _axes(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _limits(shown: Sequence[Interval]) -> tuple[float, float]:
    """Return axis limits for all values, and for intervals (wide with two seeds) only as far as the values stay readable."""
    values = [value for each in shown for value in each.values]
    low, high = min(values), max(values)
    margin = max((high - low) * 0.6, abs(high) * 0.05) or 1
    ends = [each.mean + side * (each.half or 0) for each in shown for side in (-1, 1)]
    low, high = min(low, max(min(ends), low - margin)), max(high, min(max(ends), high + margin))
    return low - margin / 6, high + margin / 6


def _legend(figure: Figure, labels: Any) -> None:
    handles, _ = figure.axes[0].get_legend_handles_labels()
    names = [textwrap.fill(label, ABOVE) for label in labels]
    figure.legend(handles, names, loc="outside upper left", fontsize=LEGEND, ncols=_legend_columns(labels), handlelength=4)


def _legend_columns(labels: Any) -> int:
    """Return two columns for more than three labels if they are short enough, otherwise one."""
    return 2 if len(labels) > 3 and max(map(len, labels)) <= ABOVE // 2 - 6 else 1


def _legend_height(labels: Any) -> float:
    """Return the height of a legend in inches."""
    lines = sum(textwrap.fill(label, ABOVE).count("\n") + 1 for label in labels)
    return 0.2 * -(-lines // _legend_columns(labels))
