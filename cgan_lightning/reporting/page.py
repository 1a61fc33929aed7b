"""Write a report: a self-contained HTML file, a CSV file, Markdown and LaTeX tables, and figures."""

import base64
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup
from PIL import Image

from cgan_lightning.models import generator_file
from cgan_lightning.reporting import conclusions, figures, statistics, tables
from cgan_lightning.reporting.collect import METRICS, Study
from cgan_lightning.reporting.factors import short
from cgan_lightning.reporting.statistics import Effect, Interval
from cgan_lightning.sampling import sampling
from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.images import beside, labelled_grid, save_png
from cgan_lightning.utils.origin import Origin

log = logging.getLogger("cgan_lightning")

PICTURES = 5  # images of each class, from image seed 0
BESIDE = ("class_accuracy", "val_class_accuracy")  # the first available one is shown next to the main metric
CURVE = "fid"  # the validation metric of learning curves
FIGURES = "figures"  # folder next to the page
MOST_CURVES = 14  # in one figure


@dataclass
class Findings:
    """The results for the main metric, and for the others in a table."""

    metric: str
    settings: dict[str, dict[str, Interval]]  # metric: setting: mean, interval, seeds' values
    effects: dict[str, list[Effect]]  # by metric; empty if the runs differ in training length
    simple: list[list[Effect]]  # for each effect on the main metric: simple effects, if it depends on another factor
    interactions: list[Effect]
    cost: pd.DataFrame  # one row per setting
    threshold: float
    quickest: float | None  # the shortest training time, in seconds, for comparison at equal time; None: times are not compared


def find(study: Study, metric: str, threshold: float | None) -> Findings:
    """Analyse a study; `threshold`: the validation FID for time to threshold; None: the best that every run reached."""
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


def sentences(study: Study, result: Findings) -> list[str]:
    """Return conclusions on all factors and interactions; a factor with simple effects has one for each of them."""
    row = METRICS[result.metric]
    if study.unequal:
        return [study.search.best] if study.search else []
    prices = conclusions.costs(study.finished, study.factors, times=study.time_problem is None)
    pairs = zip(result.effects[result.metric], result.simple, strict=True)
    shown = [each for main, simple in pairs for each in simple or [main]]
    sentences = [conclusions.effect(each, row, prices) for each in shown]
    sentences += [conclusions.interaction(each, row) for each in result.interactions]
    if len(study.factors) > 1 and study.seeds > 1 and not result.interactions and not any(result.simple):
        sentences.append(f"No significant interaction between factors in {row.name} ({study.seeds} seeds).")
    return sentences


def write(study: Study, result: Findings, folder: Path) -> None:
    """Write report.html, results.csv, results.md, results.tex, samples.png and figures/ to `folder`; of a search trials.csv."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cgan_lightning.reporting", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"text": tables.markdown, "short": short}
    environment.filters |= {"latex": lambda text, width=0: Markup(tables.latex(text, width))}  # noqa: S704
    labels = [study.label(run) if run["seed"] == run["seed"] else tables.NONE for run in study.runs.to_dict("records")]
    shown = {
        "study": study,
        "found": result,
        "sentences": sentences(study, result),
        "row": METRICS[result.metric],
        "settings": tables.settings(result.settings, result.cost.setting, study.seeds, study.protocols.values()),
        "effects": tables.effects(_with_simple(result)),
        "costs": tables.costs(result.cost, result.threshold, result.quickest),
        "searched": tables.search(study.search) if study.search else [],
        "runs": tables.runs(study.runs, labels, result.metric),
        "columns": tables.LATEX_COLUMNS,
    }
    grids, drawings = _grids(study), _figures(study, result)
    images = {label: _data_url(grid) for label, grid in grids.items()}
    written = {
        "report.html": environment.get_template("page.html.j2").render(**shown, images=images, figures=drawings),
        "results.md": environment.get_template("table.md.j2").render(**shown),
        "results.tex": environment.get_template("table.tex.j2").render(**shown),
    }
    for name, text in written.items():
        write_atomically(folder / name, lambda path, text=text: path.write_text(text))
    write_atomically(
        folder / "results.csv", lambda path: tables.spreadsheet(study.runs.drop(columns=["path"])).to_csv(path, index=False)
    )
    if study.search:
        trials = tables.spreadsheet(pd.DataFrame(study.search.rows))
        write_atomically(folder / "trials.csv", lambda path: trials.to_csv(path, index=False))
    origin = Origin(study.finished.name.tolist(), sorted(map(int, study.finished.seed.unique())), study.origins["revision"])
    if grids:
        save_png(folder / "samples.png", beside([*grids.values()], [*grids]), title="Samples of each setting", origin=origin)
    _keep([drawing for those in drawings.values() for drawing in those], folder / FIGURES, origin)


def _with_simple(result: Findings) -> dict[str, list[Effect]]:
    """Return all effects, with the main metric's simple effects before their average."""
    if not result.effects:
        return {}
    its = [each for main, simple in zip(result.effects[result.metric], result.simple, strict=True) for each in [*simple, main]]
    return result.effects | {result.metric: its}


def _keep(drawings: Sequence[figures.Drawing], folder: Path, origin: Origin) -> None:
    """Save all `drawings` as files and remove those of an earlier report."""
    for kind in ("points", "pareto", "curves"):
        for old in folder.glob(f"{kind}-*.*"):
            old.unlink()
    for drawing in drawings:
        drawing.save(folder, origin)


def _by_setting(study: Study, metric: str) -> dict[str, Interval]:
    known = study.finished.dropna(subset=[metric])
    return {label: statistics.interval(part[metric].tolist()) for label, part in _settings(study, known)}


def _settings(study: Study, runs: Any) -> list[tuple[str, pd.DataFrame]]:
    """Return the runs of each setting, in the order of the sweep."""
    labels = runs.apply(study.label, axis=1)
    return [(label, runs[labels == label]) for label in dict.fromkeys(labels)]


def _costs(study: Study, threshold: float, quickest: float | None) -> pd.DataFrame:
    """Return one row per setting; without `quickest` the columns of time are empty."""
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
    """Return the training time of a run until its first validation FID at or below the threshold."""
    images = [point["images_seen"] for point in study.curves[run["name"]] if point[CURVE] <= threshold]
    return min(images) / run["images_per_second"] if images else None


def _at(study: Study, run: dict[Any, Any], seconds: float) -> float | None:
    """Return the FID of a run's last validation within `seconds` of training, or None."""
    images_seen = seconds * run["images_per_second"] * 1.001  # tolerance for rounding
    return next((point[CURVE] for point in reversed(study.curves[run["name"]]) if point["images_seen"] <= images_seen), None)


def _figures(study: Study, result: Findings) -> dict[str, list[figures.Drawing]]:
    row = METRICS[result.metric]
    quality = _scaled(result, result.metric)
    shown = dict.fromkeys([result.metric, *(name for name in BESIDE if name in result.settings)][:2])
    points = [figures.points(name, _scaled(result, name), METRICS[name].name) for name in shown]
    pareto = []
    for cost, title, unit in (("seconds", "training time, minutes", 60), ("parameters", "parameters, millions", 1e6)):
        priced = {label: (float(price) / unit, each) if each and pd.notna(price) else None
                  for (label, each), price in zip(quality.items(), result.cost[cost], strict=True)}  # fmt: skip
        if len({known[0] for known in priced.values() if known}) > 1:
            pareto.append(figures.pareto(cost, priced, title, row.name, lower_is_better=row.better != "higher"))
    curves = [figures.curves(name, groups, "FID to training images") for name, groups in _groups(study).items()]
    return {"points": points, "curves": curves, "pareto": pareto}


def _scaled(result: Findings, metric: str) -> dict[str, Interval | None]:
    """Return each setting's values in the metric's displayed unit; None if it has none."""
    known = {label: statistics.interval([value * METRICS[metric].scale for value in each.values])
             for label, each in result.settings[metric].items()}  # fmt: skip
    return {label: known.get(label) for label in result.cost.setting}


def _groups(study: Study) -> dict[str, Mapping[str, Sequence[figures.Curve]]]:
    """Return curves by setting, or, if these are too many for one figure, a group for each factor by its values."""
    finished: Any = study.finished
    curves = {run: [(point["images_seen"], point[CURVE]) for point in curve]
              for run, curve in study.curves.items() if len(curve) > 1}  # fmt: skip
    parts = {"settings": _settings(study, finished)}
    if len(parts["settings"]) > MOST_CURVES:
        parts = {figures.file_name(factor): [(f"{factor} {value}", finished[finished[factor] == value]) for value in values]
                 for factor, values in study.factors.items()}  # fmt: skip
    groups = {name: {label: [curves[run] for run in part.name.tolist() if run in curves] for label, part in each}
              for name, each in parts.items()}  # fmt: skip
    return {name: each for name, each in groups.items() if any(each.values())}


def _grids(study: Study) -> dict[str, np.ndarray]:
    """Return a sample grid for each setting, with the same z and classes, drawn by the run of the first seed."""
    grids = {}
    for label, part in _settings(study, study.finished):
        try:
            trained = generator_file.load(Path(part.iloc[0].path))
        except generator_file.PluginError as error:
            log.warning("No samples of %s: %s", label, error)
            continue
        classes = range(len(trained.class_names))
        grids[label] = labelled_grid(
            sampling.sample_grid(trained.network, trained.prior, classes, range(PICTURES)), trained.class_names, scale=2
        )
    return grids


def _data_url(image: np.ndarray) -> str:
    """Return an image as a data URL."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
