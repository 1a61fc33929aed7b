"""A report's tables, for the page, Markdown and LaTeX, with units in the headers."""

import html
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from markupsafe import Markup

from cgan_lightning.evaluation.table import Row
from cgan_lightning.reporting.collect import METRICS
from cgan_lightning.reporting.search import Search
from cgan_lightning.reporting.statistics import Effect, Interval

ARROWS = {"": "", "lower": "\u00a0↓", "higher": "\u00a0↑"}  # better direction
NONE = "–"
LATEX_COLUMNS = 5  # that fit on a page
LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "±": r"$\pm$", "×": r"$\times$", "→": r"$\rightarrow$", "↓": r"$\downarrow$", "↑": r"$\uparrow$", "−": "$-$", "–": "--",
    "\u00a0": "~", "∞": r"$\infty$", "σ": r"$\sigma$",
})  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """The text of a cell and its sort key; None comes last in either direction."""

    text: str
    key: float | str | None = None
    marked: bool = False


@dataclass(frozen=True)
class Group:
    """Rows that are sorted among themselves, with an optional title."""

    title: str
    rows: list[list[Cell]]


@dataclass(frozen=True)
class Table:
    """A table whose first column describes the row."""

    caption: str
    header: list[str]
    groups: list[Group]
    words: tuple[int, ...] = (0,)  # indices of text columns

    def parts(self, width: int) -> list["Table"]:
        """Split the table into tables of up to `width` columns, each with the first column."""
        starts = range(1, len(self.header), width - 1)
        return [self._columns([0, *range(start, min(start + width - 1, len(self.header)))]) for start in starts]

    def _columns(self, indices: Sequence[int]) -> "Table":
        groups = [Group(group.title, [[row[index] for index in indices] for row in group.rows]) for group in self.groups]
        words = tuple(new for new, old in enumerate(indices) if old in self.words)
        return replace(self, header=[self.header[index] for index in indices], groups=groups, words=words)


def settings(by_metric: dict[str, dict[str, Interval]], labels: Iterable[str], seeds: int, protocols: Iterable[str]) -> Table:
    """Return a table with one row per setting and one column per metric; `protocols` are part of its caption."""
    rows = [
        [_text(label), *(_interval(each.get(label), METRICS[name]) for name, each in by_metric.items())] for label in labels
    ]
    header = [_titled(METRICS[name]) for name in by_metric]
    spread = f"Mean ± half of the 95 % interval over {seeds} seeds" if seeds > 1 else "One seed"
    caption = ". ".join([spread, "↓ lower is better, ↑ higher is better", *protocols])
    return Table(f"{caption}.", ["setting", *header], [Group("", rows)])


def effects(by_metric: dict[str, list[Effect]]) -> Table:
    """Return a table with one row per comparison, by metric; difference and p come first, for narrow screens."""
    rows = {name: [_effect(each, METRICS[name]) for each in result] for name, result in by_metric.items()}
    groups = [Group(_titled(METRICS[name]), each) for name, each in rows.items() if each]
    header = ["change", "difference", "p, corrected", "± 95 %", "pairs × seeds"]
    return Table("Effects in the metric's own unit.", header, groups)


def costs(cost: pd.DataFrame, threshold: float, quickest: float | None) -> Table:
    """Return a table with one row per setting and one unit of time; empty columns are omitted.

    Without `quickest`, the shortest training time, times are not compared.
    """
    if quickest is None:
        return _sizes(cost)
    unit, seconds = _unit(max(quickest, cost.seconds.max()))
    columns = {
        f"training time, {unit}": [_number(each / seconds, "{:,.1f}") for each in cost.seconds],
        "images/s": [_number(each, "{:,.0f}") for each in cost.images_per_second],
        **_size_columns(cost),
        f"time to FID {threshold:.3f}, {unit}": [
            _number(each / seconds if each is not None else None, "{:,.1f}", "never") for each in cost.seconds_to_threshold
        ],
        "runs that reached it": [_text(each) for each in cost.reached],
        f"FID after {quickest / seconds:.1f} {unit}": [
            _interval(each, METRICS["val_fid"], "not validated by then") for each in cost.at_equal_seconds
        ],
    }
    return _of_costs(cost, columns)


def _sizes(cost: pd.DataFrame) -> Table:
    return _of_costs(cost, {"training time": [Cell("not compared", "")] * len(cost), **_size_columns(cost)})


def _size_columns(cost: pd.DataFrame) -> dict[str, list[Cell]]:
    return {
        "parameters, millions": [_number(each / 1e6, "{:,.3f}") for each in cost.parameters],
        "peak memory, MiB": [_number(each, "{:,.0f}") for each in cost.peak_memory_mib],
    }


def _of_costs(cost: pd.DataFrame, columns: dict[str, list[Cell]]) -> Table:
    known = {name: cells for name, cells in columns.items() if any(cell.key is not None for cell in cells)}
    rows = [[_text(label), *cells] for label, *cells in zip(cost.setting, *known.values(), strict=True)]
    return Table("Cost of each setting: means over seeds.", ["setting", *known], [Group("", rows)])


def runs(all_runs: pd.DataFrame, labels: Iterable[str], metric: str) -> Table:
    """Return a table with one row per run, finished or not."""
    row = METRICS[metric]
    values = all_runs[metric].astype(float) * row.scale
    rows = [
        [_text(label), _number(seed, "{:.0f}"), _number(value, row.form), _text(state), _text(name)]
        for label, seed, value, state, name in zip(labels, all_runs.seed, values, all_runs.state, all_runs.name, strict=True)
    ]
    return Table("Every run.", ["setting", "seed", row.name, "state", "run"], [Group("", rows)], words=(0, 3, 4))


def search(found: Search) -> list[Table]:
    """Return a table of a search's trials, and one of the importance of the settings if it is known."""
    keys = list(dict.fromkeys(key for trial in found.trials for key in trial.settings))
    rows = [
        [
            Cell(str(trial.number), trial.number),
            *(_setting(trial.settings.get(key, NONE)) for key in keys),
            _number(trial.value, "{:.4g}"),
            _text(trial.state),
        ]
        for trial in found.trials
    ]
    finished = sum(trial.state == "finished" for trial in found.trials)
    failed = sum(trial.state == "failed" for trial in found.trials)
    objective = found.metric + ARROWS["lower" if found.direction == "minimize" else "higher"]
    caption = f"{len(rows)} trials: {finished} finished, {failed} failed."
    trials = Table(caption, ["trial", *keys, objective, "state"], [Group("", rows)], words=(len(keys) + 2,))
    shares = [[_text(key), _number(share * 100, "{:.0f}")] for key, share in found.importance.items()]
    about = (
        "Parameter importance by PED-ANOVA (Watanabe et al. 2023): how much a setting's values in the best tenth of the "
        "finished trials differ from those in all of them."
    )
    return [trials, *([Table(about, ["setting", "importance, %"], [Group("", shares)])] if shares else [])]


def _setting(text: str) -> Cell:
    """Return the cell of a value as on a command line; fractions with four digits."""
    try:
        number = float(text)
    except ValueError:
        return Cell(text, text)
    return Cell(text if text.lstrip("-").isdigit() else f"{number:.4g}", number)


def spreadsheet(rows: pd.DataFrame) -> pd.DataFrame:
    """Prefix cells that a spreadsheet would treat as formulas with an apostrophe."""
    return rows.map(
        lambda cell: f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
    )


def markdown(sentence: str) -> Markup:
    """Escape text for Markdown tables: HTML and cell separators, but not quotes."""
    return Markup(html.escape(sentence, quote=False).replace("|", "&#124;"))  # noqa: S704  escaped here


def latex(text: str, width: int = 0) -> str:
    """Return `text` escaped for LaTeX; with `width`, wrapped to lines of that many characters."""
    lines = textwrap.wrap(text, width, break_long_words=False) if width else [text]
    stacked = r" \\ ".join(line.translate(LATEX) for line in lines)
    return stacked if len(lines) == 1 else rf"\shortstack{{{stacked}}}"


def _titled(row: Row) -> str:
    return row.name + ARROWS[row.better]


def _effect(each: Effect, row: Row) -> list[Cell]:
    factor, (low, high) = each.factor[0], each.levels
    change = f"{factor} {low} → {high}" + (f" at {each.at[0]} {each.at[1]}" if each.at else "")
    difference = each.difference * row.scale
    p = Cell(NONE) if each.p is None else Cell("< 0.001" if each.p < 0.001 else f"{each.p:.3f}", each.p)
    cells = [
        Cell(change, change),
        Cell(_written(difference, row.form, "+"), difference),
        p,
        _number(None if each.half is None else each.half * row.scale, row.form),
        Cell(f"{each.settings} × {each.seeds}", each.settings * each.seeds),
    ]
    return [replace(cell, marked=each.significant) for cell in cells]


def _interval(each: Interval | None, row: Row, otherwise: str = NONE) -> Cell:
    if each is None:
        return Cell(otherwise)
    spread = "" if each.half is None else f" ± {_written(each.half * row.scale, row.form)}"
    return Cell(_written(each.mean * row.scale, row.form) + spread, each.mean)


def _number(value: Any, form: str, otherwise: str = NONE) -> Cell:
    return Cell(otherwise) if pd.isna(value) else Cell(_written(value, form), float(value))


def _written(value: float, form: str, plus: str = "") -> str:
    """Format with a minus sign if negative and `plus` if positive, without a sign if it rounds to zero."""
    shown = form.format(abs(value))
    return shown if not shown.strip("0.,") else ("−" if value < 0 else plus) + shown


def _text(value: Any) -> Cell:
    return Cell(str(value), str(value))


def _unit(seconds: float) -> tuple[str, float]:
    """Return a readable unit for times up to `seconds`, and its length in seconds."""
    return ("s", 1) if seconds < 120 else ("min", 60) if seconds < 7200 else ("h", 3600)
