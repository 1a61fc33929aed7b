"""A list of runs: differing settings, state, metrics and end time."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cgan_lightning.reporting.factors import swept
from cgan_lightning.reporting.selection import Entry, of_run
from cgan_lightning.storage.results import comparable
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.old_names import read_json


@dataclass
class Listing:
    """A table of runs with remarks."""

    columns: list[str]
    rows: list[list[Any]]  # "" for a missing value
    remarks: list[str]


def listed(folder: Path, sort: str) -> Listing:
    """Return all runs in `folder`, sorted by a column. Raises UserError if there are none, or no such column."""
    entries = [of_run(path.parent) for path in sorted(folder.glob("*/run.json"))]
    if not entries:
        raise UserError(f"{folder} holds no runs: give the folder of run folders, as in runs")
    remarks, factors = list[str](), swept([entry.identity for entry in entries])
    results = [read_json(entry.end.results) if entry.end else {} for entry in entries]
    fid = _of_one_protocol(results, remarks)
    columns = ["run", "tags", "seed", *factors.keys, "state", "epochs", "FID", "val. FID", "ended"]
    rows = [
        [
            *(entry.identity.get("name") or entry.run.path.name, " ".join(entry.identity.get("tags") or [])),
            entry.identity["settings"]["seed"],
            *factors.values_of(entry.identity).values(),
            *(entry.state, _epochs(result), fid.get(index, ""), _rounded(result.get("metrics", {}).get("fid")), _ended(entry)),
        ]
        for index, (entry, result) in enumerate(zip(entries, results, strict=True))
    ]
    return Listing(columns, _sorted(rows, columns, sort), remarks)


def text(listing: Listing) -> str:
    """Return an aligned text table with numbers to the right, followed by the remarks."""
    shown = [[str(cell) for cell in row] for row in [listing.columns, *listing.rows]]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    right = [all(isinstance(cell, int | float) or cell == "" for cell in column) for column in zip(*listing.rows, strict=True)]
    sides = [str.rjust if to_right else str.ljust for to_right in right]
    lines = ["  ".join(side(*cell) for side, cell in zip(sides, zip(row, widths, strict=True), strict=True)) for row in shown]
    return "\n".join([*(line.rstrip() for line in lines), *listing.remarks])


def _of_one_protocol(results: Sequence[dict[str, Any]], remarks: list[str]) -> dict[int, float]:
    """Return test FIDs of the most common protocol by index of their run, and add a remark on the others."""
    measured = {index: result["evaluation"] for index, result in enumerate(results) if "evaluation" in result}
    protocols = {index: json.dumps(comparable(each["protocol"]), sort_keys=True) for index, each in measured.items()}
    if not protocols:
        return {}
    usual, count = Counter(protocols.values()).most_common(1)[0]
    protocol = json.loads(usual)
    remarks.append(
        f"FID: {protocol['samples']:,} samples against the {protocol['reference']}, seed {protocol['seed']}, "
        f"feature extractor {protocol['feature_extractor']}"
        + (f"; {len(protocols) - count} with another protocol are left out" if len(protocols) > count else "")
    )
    return {index: _rounded(measured[index]["samples"]["fid"]) for index, each in protocols.items() if each == usual}


def _rounded(value: float | None) -> Any:
    return "" if value is None else round(value, 4)


def _epochs(result: dict[str, Any]) -> Any:
    return round(result["epochs"], 2) if result else ""


def _ended(entry: Entry) -> str:
    if entry.end is None:
        return ""
    return datetime.fromtimestamp(entry.end.results.stat().st_mtime).strftime("%Y-%m-%d %H:%M")


def _sorted(rows: list[list[Any]], columns: list[str], sort: str) -> list[list[Any]]:
    """Sort by a column, or by -column in descending order; runs without a value come last."""
    name = sort.removeprefix("-")
    known = {column.casefold(): index for index, column in enumerate(columns)}
    if name.casefold() not in known:
        raise UserError(f"--sort {sort}: there is no such column; there are {', '.join(columns)}")
    index = known[name.casefold()]
    without = [row for row in rows if row[index] == ""]
    having = [row for row in rows if row[index] != ""]
    plain = all(isinstance(row[index], int | float) for row in having)
    return sorted(having, key=lambda row: row[index] if plain else str(row[index]), reverse=sort.startswith("-")) + without
