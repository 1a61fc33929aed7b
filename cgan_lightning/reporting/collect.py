"""Runs as one table: what differs, how good they are, at what cost; finished or not."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cgan_lightning.evaluation import table
from cgan_lightning.reporting.factors import swept
from cgan_lightning.reporting.selection import Entry, selected
from cgan_lightning.storage.results import comparable
from cgan_lightning.utils.errors import UserError, shown
from cgan_lightning.utils.old_names import read_json

IN_TRAINING = {  # by the looks that a run takes while it trains, against training images
    "val_fid": table.Row("FID in training", "{:.3f}", "lower"),
    "val_best_fid": table.Row("lowest FID in training", "{:.3f}", "lower"),
    "val_class_accuracy": table.Row("class accuracy in training, %", "{:.1f}", "higher", 100),
}
METRICS = table.ROWS | IN_TRAINING
SAME_LENGTH = 0.01  # of training: runs whose numbers of images differ by no more than this share were trained alike


@dataclass
class Study:
    """What a report is made of. `runs` has a row a job, those that haven't finished with empty cells."""

    folder: Path
    command: str
    factors: dict[str, list[Any]]  # what was swept, and its values in the order of the sweep; the seed is none
    runs: pd.DataFrame  # name, state, detail, path, seed, the factors, METRICS, seconds, images_per_second, ...
    curves: dict[str, list[dict[str, float]]]  # of each finished run: looks in training
    origins: dict[str, list[str]]  # revisions, machines and versions of all that has finished
    remarks: list[str]  # what a reader must know before the numbers
    protocols: dict[str, str]  # how the numbers of each part, "evaluation" and "validation", were measured, in words
    unequal: str | None  # why there is no conclusion on quality: the runs were not trained alike
    time_problem: str | None  # why times are not compared

    @property
    def finished(self) -> pd.DataFrame:
        return self.runs.query("state == 'finished'")

    @property
    def seeds(self) -> int:
        return int(self.finished.seed.nunique())

    @property
    def measured(self) -> list[str]:
        """The METRICS that some finished run has."""
        counts: Any = self.finished.count()
        return [name for name in METRICS if counts.get(name, 0)]

    def label(self, run: Mapping[Any, Any]) -> str:
        """A run's or setting's values of what was swept: "channels 256, noise uniform"."""
        return ", ".join(f"{factor} {run[factor]}" for factor in self.factors) or "the one setting"


def study(runs: str | Sequence[str]) -> Study:
    """Of a sweep's folder, or of any run folders, given by their paths or by patterns of paths.

    Raises UserError where there are none, or none has finished.
    """
    chosen = selected(runs)
    entries, finished = chosen.entries, [entry for entry in chosen.entries if entry.end]
    if not finished:
        raise UserError(f"runs={shown(runs)}: none of the {_counted(len(entries), 'run')} has finished")
    factors = swept([entry.identity for entry in entries if entry.identity])
    results = [_read(entry.end.results) if entry.end else {} for entry in entries]
    unequal, time_problem = _unequal(results), _time_problem(results)
    remarks = [*_unfinished(entries), *filter(None, [unequal]), *_incomparable(results), *filter(None, [time_problem])]
    rows = [
        {"name": entry.run.path.name, "state": entry.state, "detail": entry.detail, "path": str((entry.end or entry.run).path)}
        | ({"seed": entry.identity["settings"]["seed"]} | factors.values_of(entry.identity) if entry.identity else {})
        | (_figures(result) if result else {})
        for entry, result in zip(entries, results, strict=True)
    ]
    table = pd.DataFrame(rows).reindex(columns=_columns(list(factors.keys), rows))
    return Study(
        folder=chosen.folder,
        command=chosen.command,
        factors={name: list(dict.fromkeys(table[name].dropna())) for name in factors.keys},
        runs=table,
        curves={
            entry.run.path.name: result["validation"]["curve"] for entry, result in zip(entries, results, strict=True) if result
        },
        origins=_origins([result for result in results if result]),
        remarks=remarks,
        protocols=_protocols(results),
        unequal=unequal,
        time_problem=time_problem,
    )


def _figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a finished run."""
    speed, samples = result["images_per_second"], result.get("evaluation", {}).get("samples", {})
    return {
        **{name: samples[name] for name in table.ROWS if name in samples},
        **{name: result["metrics"].get(name.removeprefix("val_")) for name in IN_TRAINING if result["validation"]["curve"]},
        "images_seen": result["images_seen"],
        "images_per_second": speed,
        "seconds": result["images_seen"] / speed if speed else None,
        "parameters": sum(result["parameters"].values()),
        "peak_memory_mib": result.get("job_peak_memory_mib"),  # "peak_memory_mib", kept once, was of all earlier jobs too
    }


def _columns(factors: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    found = {name for row in rows for name in row}
    fixed = ["name", "state", "detail", "path", "seed", *factors, *METRICS]
    cost = ["images_seen", "images_per_second", "seconds", "parameters", "peak_memory_mib"]
    return [name for name in [*fixed, *cost] if name in found or name in ("seed", *factors, *cost)]


def _origins(results: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """All that runs were made on and with: one entry each where they agree."""
    machine = [
        f"{each['machine']['device']}, {_counted(each['machine']['threads'], 'thread')}, {_counted(each['ranks'], 'rank')}"
        for each in results
    ]
    versions = [
        ", ".join(f"{name} {version or 'not installed'}" for name, version in each["versions"].items()) for each in results
    ]
    extractors = [each.get("evaluation", {}).get("protocol", {}).get("feature_extractor") for each in results]
    found = {"revision": [str(each["git_revision"]) for each in results], "machine": machine, "versions": versions}
    return {name: sorted(set(values)) for name, values in found.items()} | {
        "feature_extractor": sorted({each for each in extractors if each})
    }


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _unfinished(entries: Sequence[Entry]) -> list[str]:
    return [f"{shown(entry.run.path.name)} is {entry.state}" + (f": {shown(entry.detail)}" if entry.detail else "")
            for entry in entries if entry.state != "finished"]  # fmt: skip


def _incomparable(results: Sequence[dict[str, Any]]) -> list[str]:
    """Takes values out of `results` that were measured differently than most were; says so, and what else differs."""
    finished, remarks = [result for result in results if result], []
    for part in ("validation", "evaluation"):
        protocols = Counter(_protocol(result[part]) for result in finished if part in result)
        usual = protocols.most_common(1)[0][0] if protocols else ""
        for result in finished:
            if part in result and _protocol(result[part]) != usual:
                result[part] = {"curve": []}
        if others := sum(protocols.values()) - protocols[usual]:
            remarks.append(f"{others} of {len(finished)} runs: {part} with another feature extractor or protocol, left out")
    if changed := sum(bool(result.get("changes")) for result in finished):
        remarks.append(f"{changed} of {len(finished)} runs went on otherwise than they were begun (changes, in results.json)")
    if missing := sum("evaluation" not in result for result in finished):
        remarks.append(f"{missing} of {len(finished)} finished runs were never evaluated on the test set")
    return remarks


def _unequal(results: Sequence[Mapping[str, Any]]) -> str | None:
    """Runs that differ by an incomplete last batch or so were trained alike."""
    lengths = Counter(result["images_seen"] for result in results if result)
    if max(lengths) <= min(lengths) * (1 + SAME_LENGTH):
        return None
    listed = ", ".join(f"{count} with {images:,}" for images, count in sorted(lengths.items()))
    return f"The runs have not seen equally many images ({listed}): quality is not compared"


def _time_problem(results: Sequence[Mapping[str, Any]]) -> str | None:
    """Times compare between runs that each had the machine to itself, all on the same one."""
    machines = [result["machine"] for result in results if result]
    places = {(each["device"], each.get("cpus"), each["threads"]) for each in machines}
    alone = Counter(each.get("alone") for each in machines)
    if len(places) > 1:
        return f"Times are not compared: the runs were on {len(places)} different machines or numbers of threads"
    if alone[False]:
        return f"Times are not compared: {alone[False]} of {_counted(len(machines), 'run')} shared the machine with other work"
    if alone[None]:
        return f"Times are not compared: {alone[None]} of {_counted(len(machines), 'run')} may have shared the machine"
    return None


def _protocols(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Of what is left in `results`, which is measured alike."""
    found = {}
    for result in results:
        for part, said in (("evaluation", _of_evaluation), ("validation", _of_validation)):
            if protocol := result.get(part, {}).get("protocol"):
                found.setdefault(part, said(protocol))
    return found


def _of_evaluation(protocol: Mapping[str, Any]) -> str:
    return (
        f"{protocol['samples']:,} samples against the {protocol['reference']}; seed {protocol['seed']}; "
        f"{'averaged' if protocol['weights'] == 'ema' else 'raw'} weights; feature extractor {protocol['feature_extractor']}"
    )


def _of_validation(protocol: Mapping[str, Any]) -> str:
    return (
        f"{protocol['samples']:,} samples against {protocol['training_images']:,} training images, while training; "
        f"feature extractor {protocol['feature_extractor']}"
    )


def _protocol(measured: Mapping[str, Any]) -> str:
    return json.dumps(comparable(measured["protocol"]), sort_keys=True)


def _read(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}
