"""A study as one HTML file that needs nothing beside it, a CSV file, Markdown tables and a picture of samples."""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup
from PIL import Image

from cgan_lightning.files import write_atomically
from cgan_lightning.generation import checkpoint, sampling
from cgan_lightning.images import beside, labelled_grid
from cgan_lightning.reporting import figures, statistics, verdicts
from cgan_lightning.reporting.collect import METRICS, Study
from cgan_lightning.reporting.statistics import Effect, Interval

PICTURES = 5  # of each class, image seeds 0 and on
BESIDE = ("class_accuracy", "training_class_accuracy")  # the first that there is, beside what the verdict goes by
CURVE = "fid"  # of the looks in training


@dataclass
class Findings:
    """What is said of one metric above all, and of the others in a table."""

    metric: str
    settings: dict[str, dict[str, Interval]]  # metric: setting: mean, interval, seeds' values
    effects: dict[str, list[Effect]]  # by metric; none where the runs were not trained alike
    simple: list[list[Effect]]  # of each of the metric's effects: at each value of what it depends on, if it does
    interactions: list[Effect]
    cost: pd.DataFrame  # a row a setting
    threshold: float
    quickest: float | None  # seconds that the quickest run trained for, by which settings are compared; None: by no time


def find(study: Study, metric: str, threshold: float | None) -> Findings:
    """`threshold`: FID in training, to which time is measured; None: the best that the worst run reached."""
    reached = [min(point[CURVE] for point in curve) for curve in study.curves.values() if curve]
    threshold = threshold if threshold is not None else max(reached, default=0.0)
    together, effects, simple = [], {}, []
    if study.unequal is None:
        together = statistics.interactions(study.finished, study.factors, metric)
        effects = {name: statistics.effects(study.finished, study.factors, name) for name in study.measured}
        simple = [statistics.simple_effects(study.finished, study.factors, metric, each, together) for each in effects[metric]]
    quickest = float(study.finished.seconds.min()) if study.time_problem is None else None
    return Findings(
        metric=metric,
        settings={name: _by_setting(study, name) for name in study.measured},
        effects=effects,
        simple=simple,
        interactions=[effect for effect in together if effect.significant],
        cost=_costs(study, threshold, quickest),
        threshold=threshold,
        quickest=quickest,
    )


def sentences(study: Study, found: Findings) -> list[str]:
    """The verdict on each factor, and on what depends on what; of a factor that does, at each value of what it depends on."""
    row = METRICS[found.metric]
    if study.unequal:
        return []
    prices = verdicts.costs(study.finished, study.factors, times=study.time_problem is None)
    shown = [each for main, simple in zip(found.effects[found.metric], found.simple, strict=True) for each in simple or [main]]
    told = [verdicts.effect(each, row, prices) for each in shown]
    told += [verdicts.interaction(each, row) for each in found.interactions]
    if len(study.factors) > 1 and study.seeds > 1 and not found.interactions and not any(found.simple):
        told.append(
            f"Whether one factor's effect on {row.name} depends on another's value: not that {study.seeds} seeds can show."
        )
    return told


def write(study: Study, found: Findings, folder: Path) -> None:
    """report.html, results.csv, results.md and samples.png in `folder`."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cgan_lightning.reporting", "."), autoescape=True, trim_blocks=True
    )
    environment.filters["text"] = _markdown
    environment.globals |= {"metrics": METRICS, "interval": _interval, "short": _short_time}
    shown = {"study": study, "found": found, "sentences": sentences(study, found), "row": METRICS[found.metric]}
    sheets = _sheets(study)
    page = environment.get_template("page.html.j2").render(
        **shown,
        pictures={label: _address(sheet) for label, sheet in sheets.items()},
        figures=_figures(study, found),
        labels=study.runs.apply(study.label, axis=1),
    )
    markdown = environment.get_template("table.md.j2").render(**shown)
    write_atomically(folder / "report.html", lambda path: path.write_text(page))
    write_atomically(folder / "results.md", lambda path: path.write_text(markdown))
    together = Image.fromarray(beside(list(sheets.values()), list(sheets)))
    write_atomically(folder / "samples.png", lambda path: together.save(path, format="PNG", optimize=True))
    write_atomically(folder / "results.csv", lambda path: _spreadsheet(study.runs).to_csv(path, index=False))


def _markdown(sentence: str) -> Markup:
    """Text that Markdown doesn't take for HTML; quotes stay, unlike on the page."""
    return Markup(html.escape(sentence, quote=False))  # noqa: S704  escaped here


def _spreadsheet(runs: pd.DataFrame) -> pd.DataFrame:
    """What a spreadsheet would take for a formula has an apostrophe before it, and so is text to it."""
    return runs.drop(columns=["path"]).map(
        lambda cell: f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
    )


def _by_setting(study: Study, metric: str) -> dict[str, Interval]:
    known = study.finished.dropna(subset=[metric])
    return {label: statistics.interval(part[metric].tolist()) for label, part in _settings(study, known)}


def _settings(study: Study, runs: Any) -> list[tuple[str, pd.DataFrame]]:
    """Runs by setting, in the order of the sweep."""
    labels = runs.apply(study.label, axis=1)
    return [(label, runs[labels == label]) for label in dict.fromkeys(labels)]


def _costs(study: Study, threshold: float, quickest: float | None) -> pd.DataFrame:
    """A row a setting; without `quickest` what is measured in time is left empty."""
    rows = []
    for label, part in _settings(study, study.finished):
        sizes = {"setting": label, **{name: part[name].mean() for name in ("parameters", "peak_memory_mib")}}
        if quickest is None:
            timed = ("seconds", "images_per_second", "seconds_to_threshold", "reached", "at_equal_seconds")
            rows.append(sizes | dict.fromkeys(timed))
            continue
        to_threshold = [_seconds_to(study, run, threshold) for run in part.to_dict("records")]
        reached = [seconds for seconds in to_threshold if seconds is not None]
        by_then = [fid for run in part.to_dict("records") if (fid := _at(study, run, quickest)) is not None]
        rows.append(sizes | {
            **{name: part[name].mean() for name in ("seconds", "images_per_second")},
            "seconds_to_threshold": sum(reached) / len(reached) if reached else None,
            "reached": f"{len(reached)} of {len(part)}",
            "at_equal_seconds": statistics.interval(by_then) if len(by_then) == len(part) else None,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _seconds_to(study: Study, run: dict[Any, Any], threshold: float) -> float | None:
    """Training time of a run until the first look with an FID at the threshold or below."""
    images = [point["images_seen"] for point in study.curves[run["name"]] if point[CURVE] <= threshold]
    return min(images) / run["images_per_second"] if images else None


def _at(study: Study, run: dict[Any, Any], seconds: float) -> float | None:
    """FID at the last look of a run within so many seconds of training; None where there was none."""
    seen = seconds * run["images_per_second"] * 1.001  # the quickest run's own last look counts, however times are rounded
    return next((point[CURVE] for point in reversed(study.curves[run["name"]]) if point["images_seen"] <= seen), None)


def _figures(study: Study, found: Findings) -> dict[str, list[str]]:
    row = METRICS[found.metric]
    means = {label: each.mean * row.scale for label, each in found.settings[found.metric].items()}
    shown = dict.fromkeys([found.metric, *(name for name in BESIDE if name in found.settings)][:2])
    drawn = {"points": [_points(found, name) for name in shown], "curves": [], "pareto": []}
    for cost, title, unit in (("seconds", "training time, minutes", 60), ("parameters", "parameters, millions", 1e6)):
        if found.quickest is None and cost == "seconds":
            continue
        priced = [(label, float(price) / unit, means[label])
                  for label, price in zip(found.cost.setting, found.cost[cost], strict=True) if label in means]  # fmt: skip
        if len({price for _, price, _ in priced}) > 1:
            drawn["pareto"].append(figures.pareto(priced, title, row.name, lower_is_better=row.better != "higher"))
    for groups in _groups(study):
        drawn["curves"].append(figures.curves(groups, "FID to training images"))
    return drawn


def _points(found: Findings, metric: str) -> str:
    row = METRICS[metric]
    scaled = {label: statistics.interval([value * row.scale for value in each.values])
              for label, each in found.settings[metric].items()}  # fmt: skip
    return figures.points(scaled, row.name)


def _groups(study: Study) -> list[dict[str, Sequence[figures.Curve]]]:
    """Curves by setting; where these are too many to tell apart, by each factor's values."""
    told: Any = study.finished[study.finished.name.map(lambda name: len(study.curves[name]) > 1)]
    if told.empty:
        return []
    settings = _settings(study, told)
    parts = [settings]
    if len(settings) > len(figures.COLOURS):
        parts = [[(f"{factor} {value}", told[told[factor] == value]) for value in values]
                 for factor, values in study.factors.items()]  # fmt: skip
    return [{label: [[(point["images_seen"], point[CURVE]) for point in study.curves[name]] for name in part.name]
             for label, part in each if len(part)} for each in parts]  # fmt: skip


def _sheets(study: Study) -> dict[str, np.ndarray]:
    """A sheet a setting: the same z and classes in each, drawn by the first seed's run."""
    sheets = {}
    for label, part in _settings(study, study.finished):
        trained = checkpoint.load(Path(part.iloc[0].path))
        classes = range(len(trained.class_names))
        sheets[label] = labelled_grid(
            sampling.sample_grid(trained.network, trained.prior, classes, range(PICTURES)), trained.class_names, scale=2
        )
    return sheets


def _address(sheet: np.ndarray) -> str:
    """A picture as a data address."""
    stream = io.BytesIO()
    Image.fromarray(sheet).save(stream, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _interval(each: Interval, metric: str) -> str:
    """ "0.512 ± 0.031", as the metric is shown."""
    row = METRICS[metric]
    return row.show(each.mean) + ("" if each.half is None else f" ± {row.show(each.half)}")


def _short_time(seconds: float | None) -> str:
    if seconds is None or np.isnan(seconds):
        return "not compared"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
