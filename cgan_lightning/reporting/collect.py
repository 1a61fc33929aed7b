"""The runs of a sweep as one table: what was swept, how good, at what cost; finished or not."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cgan_lightning.errors import UserError, shown
from cgan_lightning.files import read_json
from cgan_lightning.metrics import table
from cgan_lightning.runtime.results import comparable
from cgan_lightning.runtime.run_folder import RunFolder
from cgan_lightning.runtime.sweep_folder import Job, SweepFolder

IN_TRAINING = {  # by the looks that a run takes while it trains, against training images
    "training_fid": table.Row("FID in training", "{:.3f}", "lower"),
    "training_best_fid": table.Row("lowest FID in training", "{:.3f}", "lower"),
    "training_class_accuracy": table.Row("class accuracy in training, %", "{:.1f}", "higher", 100),
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
    unequal: str | None  # why quality has no verdict: the runs were not trained alike
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


def study(folder: Path) -> Study:
    """Raises UserError where `folder` is no sweep's, or no run of it has finished."""
    sweep = SweepFolder(folder)
    if not sweep.record.is_file():
        raise UserError(f"runs={folder} is no sweep's folder: give one of runs/sweeps/")
    jobs = sweep.jobs()
    states = [job.state() for job in jobs]
    if not any(state == "finished" for state, _ in states):
        raise UserError(f"runs={folder}: none of its {len(jobs)} runs has finished")
    identities = [_read(RunFolder(Path(job.run)).identity) for job in jobs]
    ends = [job.end() if state == "finished" else None for job, (state, _) in zip(jobs, states, strict=True)]
    factors = swept([identity for identity in identities if identity])
    results = [_read(end.results) if end else {} for end in ends]
    unequal, time_problem = _unequal(results), _time_problem(results)
    remarks = [*_unfinished(jobs, states), *filter(None, [unequal]), *_incomparable(results), *filter(None, [time_problem])]
    rows = [
        {"name": Path(job.run).name, "state": state, "detail": detail, "path": str(end.path) if end else job.run}
        | ({"seed": identity["settings"]["seed"]} | factors.values_of(identity) if identity else {})
        | (_figures(result) if result else {})
        for job, (state, detail), identity, result, end in zip(jobs, states, identities, results, ends, strict=True)
    ]
    runs = pd.DataFrame(rows).reindex(columns=_columns(list(factors.keys), rows))
    return Study(
        folder=folder,
        command=read_json(sweep.record)["command"],
        factors={name: list(dict.fromkeys(runs[name].dropna())) for name in factors.keys},
        runs=runs,
        curves={Path(job.run).name: result["validation"]["curve"] for job, result in zip(jobs, results, strict=True) if result},
        origins=_origins([result for result in results if result]),
        remarks=remarks,
        protocols=_protocols(results),
        unequal=unequal,
        time_problem=time_problem,
    )


class Swept:
    """Which settings differ between runs, by names as short as they can be told apart."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        self.keys = paths  # short name: key of the settings, or a group of choices

    def values_of(self, identity: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: identity["choices"].get(key, identity["settings"].get(key)) for name, key in self.keys.items()}
        return {name: value if isinstance(value, int | float) else _plain(value) for name, value in found.items()}


def swept(identities: Sequence[Mapping[str, Any]]) -> Swept:
    """What differs, from the configs themselves: choices by the names of their files, and numbers.

    What always goes with a named recipe (`experiment`) is that recipe; what differs beside it counts by itself.
    """
    recipes = [str(each["choices"].get("experiment")) for each in identities]
    differs = _differs_within(recipes) if len(set(recipes)) > 1 else _differs
    groups = sorted({group for each in identities for group in each["choices"]} - {"experiment"})
    choices = [group for group in groups if differs([each["choices"].get(group) for each in identities])]
    keys = {key for each in identities for key in each["settings"]} - {"seed"}
    own = {key for key in keys if key.split(".")[0] not in choices}
    differing = [key for key in sorted(own) if differs([_plain(each["settings"].get(key)) for each in identities])]
    choices += ["experiment"] if len(set(recipes)) > 1 else []
    return Swept({_short(key, [*choices, *differing]): key for key in [*differing, *choices]})


def _differs(values: Sequence[Any]) -> bool:
    return len(set(values)) > 1


def _differs_within(recipes: Sequence[str]) -> Callable[[Sequence[Any]], bool]:
    """Whether values differ among the runs of one recipe."""
    return lambda values: len({*zip(recipes, values, strict=True)}) > len(set(recipes))


def _short(key: str, keys: Sequence[str]) -> str:
    """The last part of `key`, or as many as tell it from the others."""
    parts = key.split(".")
    endings = [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]
    return next(end for end in endings if sum(other == end or other.endswith(f".{end}") for other in keys) <= 1)


def _figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a finished run."""
    speed, samples = result["images_per_second"], result.get("evaluation", {}).get("samples", {})
    return {
        **{name: samples[name] for name in table.ROWS if name in samples},
        **{
            name: result["metrics"].get(name.removeprefix("training_")) for name in IN_TRAINING if result["validation"]["curve"]
        },
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
    judges = [each.get("evaluation", {}).get("protocol", {}).get("judge") for each in results]
    found = {"revision": [str(each["git_revision"]) for each in results], "machine": machine, "versions": versions}
    return {name: sorted(set(values)) for name, values in found.items()} | {"judge": sorted({j for j in judges if j})}


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _unfinished(jobs: Sequence[Job], states: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{shown(job.name)} is {state}" + (f": {shown(detail)}" if detail else "")
            for job, (state, detail) in zip(jobs, states, strict=True) if state != "finished"]  # fmt: skip


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
            remarks.append(f"{others} of {len(finished)} runs: {part} by another judge or protocol than the rest, left out")
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
        f"{'averaged' if protocol['weights'] == 'ema' else 'raw'} weights; feature extractor {protocol['judge']}"
    )


def _of_validation(protocol: Mapping[str, Any]) -> str:
    return (
        f"{protocol['samples']:,} samples against {protocol['training_images']:,} training images, while training; "
        f"feature extractor {protocol['judge']}"
    )


def _protocol(measured: Mapping[str, Any]) -> str:
    return json.dumps(comparable(measured["protocol"]), sort_keys=True)


def _read(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _plain(value: Any) -> str:
    """A value as one would type it."""
    return json.dumps(value) if isinstance(value, dict | list) else "null" if value is None else shown(str(value))
