"""Collect runs, finished or not, into one table: differing settings, metrics and costs."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cgan_lightning.evaluation import table
from cgan_lightning.reporting.factors import short, swept
from cgan_lightning.reporting.search import CHOSEN, Search, searched
from cgan_lightning.reporting.selection import Entry, selected
from cgan_lightning.storage.results import comparable
from cgan_lightning.utils.errors import UserError, shown
from cgan_lightning.utils.old_names import read_json

IN_TRAINING = {  # by validation during training, against training images
    "val_fid": table.Row("validation FID", "{:.3f}", "lower"),
    "val_best_fid": table.Row("lowest validation FID", "{:.3f}", "lower"),
    "val_class_accuracy": table.Row("validation class accuracy, %", "{:.1f}", "higher", 100),
}
METRICS = table.ROWS | IN_TRAINING
SAME_LENGTH = 0.01  # runs whose numbers of images seen differ by at most this share count as equally long


@dataclass
class Study:
    """The data of a report. `runs` has a row for each job, with empty cells for unfinished ones."""

    folder: Path
    command: str
    factors: dict[str, list[Any]]  # swept settings except the seed, and their values in the order of the sweep
    runs: pd.DataFrame  # name, state, detail, path, seed, the factors, METRICS, seconds, images_per_second, ...
    curves: dict[str, list[dict[str, float]]]  # validations of each finished run
    origins: dict[str, list[str]]  # revisions, machines and versions of all finished runs
    remarks: list[str]  # caveats
    protocols: dict[str, str]  # the protocols of "evaluation" and "validation", in words
    unequal: str | None  # why metrics are not compared: the runs differ in training length, or were chosen by a search
    time_problem: str | None  # why times are not compared
    search: Search | None = None

    @property
    def finished(self) -> pd.DataFrame:
        return self.runs.query("state == 'finished'")

    @property
    def seeds(self) -> int:
        return int(self.finished.seed.nunique())

    @property
    def measured(self) -> list[str]:
        """The METRICS that at least one finished run has."""
        counts: Any = self.finished.count()
        return [name for name in METRICS if counts.get(name, 0)]

    def label(self, run: Mapping[Any, Any]) -> str:
        """Return the swept values of a run, such as "channels 256, noise uniform"."""
        return ", ".join(f"{factor} {short(run[factor])}" for factor in self.factors) or "the one setting"


def study(runs: str | Sequence[str]) -> Study:
    """Collect the runs of a sweep's folder, or of run folders given by paths or patterns.

    Raises UserError if there are none, or none has finished.
    """
    chosen = selected(runs)
    entries = chosen.entries
    if not any(entry.end for entry in entries):
        raise UserError(f"runs={shown(runs)}: none of the {_counted(len(entries), 'run')} has finished")
    factors = swept([entry.identity for entry in entries if entry.identity])
    results = [_read(entry.end.results) if entry.end else {} for entry in entries]
    found = searched(chosen.sweep) if chosen.sweep else None
    unequal, time_problem = _unequal(results) or (CHOSEN if found else None), _time_problem(results)
    unfinished = found.remarks if found else _unfinished(entries)
    remarks = [*unfinished, *filter(None, [unequal]), *_incomparable(results), *filter(None, [time_problem])]
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
        search=found,
    )


def _figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a finished run."""
    speed, samples = result["images_per_second"], result.get("evaluation", {}).get("samples", {})
    return {
        **{name: samples[name] for name in table.ROWS if name in samples},
        **{name: result["metrics"].get(name.removeprefix("val_")) for name in IN_TRAINING if result["validation"]["curve"]},
        "images_seen": result["images_seen"],
        "images_per_second": speed,
        "seconds": result["images_seen"] / speed if speed else None,
        "parameters": sum(result["parameters"].values()),
        "peak_memory_mib": result.get("job_peak_memory_mib"),  # the former "peak_memory_mib" included earlier jobs
    }


def _columns(factors: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = {name for row in rows for name in row}
    fixed = ["name", "state", "detail", "path", "seed", *factors, *METRICS]
    cost = ["images_seen", "images_per_second", "seconds", "parameters", "peak_memory_mib"]
    return [name for name in [*fixed, *cost] if name in names or name in ("seed", *factors, *cost)]


def _origins(results: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the distinct revisions, machines, versions and feature extractors of runs."""
    machine = [
        f"{each['machine']['device']}, {_counted(each['machine']['threads'], 'thread')}, {_counted(each['ranks'], 'rank')}"
        for each in results
    ]
    versions = [
        ", ".join(f"{name} {version or 'not installed'}" for name, version in each["versions"].items()) for each in results
    ]
    extractors = [each.get("evaluation", {}).get("protocol", {}).get("feature_extractor") for each in results]
    origins = {"revision": [str(each["git_revision"]) for each in results], "machine": machine, "versions": versions}
    return {name: sorted(set(values)) for name, values in origins.items()} | {
        "feature_extractor": sorted({each for each in extractors if each})
    }


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _unfinished(entries: Sequence[Entry]) -> list[str]:
    return [f"{shown(entry.run.path.name)} is {entry.state}" + (f": {shown(entry.detail)}" if entry.detail else "")
            for entry in entries if entry.state != "finished"]  # fmt: skip


def _incomparable(results: Sequence[dict[str, Any]]) -> list[str]:
    """Remove values from `results` whose protocol differs from the most common one; return remarks on these and others."""
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
        remarks.append(f"{changed} of {len(finished)} runs were resumed with changes, listed in results.json")
    if missing := sum("evaluation" not in result for result in finished):
        remarks.append(f"{missing} of {len(finished)} finished runs were never evaluated on the test set")
    return remarks


def _unequal(results: Sequence[Mapping[str, Any]]) -> str | None:
    """Return a remark if the runs differ in images seen by more than about an incomplete batch."""
    lengths = Counter(result["images_seen"] for result in results if result)
    if max(lengths) <= min(lengths) * (1 + SAME_LENGTH):
        return None
    listed = ", ".join(f"{count} with {images:,}" for images, count in sorted(lengths.items()))
    return f"The runs have not seen equally many images ({listed}): their metrics are not compared"


def _time_problem(results: Sequence[Mapping[str, Any]]) -> str | None:
    """Return a remark unless all runs were on the same machine and none shared it."""
    machines = [result["machine"] for result in results if result]
    kinds = {(each["device"], each.get("cpus"), each["threads"]) for each in machines}
    alone = Counter(each.get("alone") for each in machines)
    if len(kinds) > 1:
        return f"Times are not compared: the runs used {len(kinds)} different machines or numbers of threads"
    if alone[False]:
        return f"Times are not compared: {alone[False]} of {_counted(len(machines), 'run')} shared the machine with other work"
    if alone[None]:
        return f"Times are not compared: {alone[None]} of {_counted(len(machines), 'run')} may have shared the machine"
    return None


def _protocols(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Describe the protocol of each part, which all remaining `results` share."""
    protocols = {}
    for result in results:
        for part, describe in (("evaluation", _of_evaluation), ("validation", _of_validation)):
            if protocol := result.get(part, {}).get("protocol"):
                protocols.setdefault(part, describe(protocol))
    return protocols


def _of_evaluation(protocol: Mapping[str, Any]) -> str:
    return (
        f"{protocol['samples']:,} samples against the {protocol['reference']}; seed {protocol['seed']}; "
        f"{'EMA' if protocol['weights'] == 'ema' else 'raw'} weights; {_extractor(protocol)}"
    )


def _of_validation(protocol: Mapping[str, Any]) -> str:
    return (
        f"{protocol['samples']:,} samples against {protocol['training_images']:,} training images, during training; "
        f"{_extractor(protocol)}"
    )


def _extractor(protocol: Mapping[str, Any]) -> str:
    of_data = f", of {shown(protocol['dataset'])}" if "dataset" in protocol else ""
    return f"feature extractor {protocol['feature_extractor']}{of_data}"


def _protocol(measured: Mapping[str, Any]) -> str:
    return json.dumps(comparable(measured["protocol"]), sort_keys=True)


def _read(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}
