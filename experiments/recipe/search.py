"""Successive halving (Jamieson and Talwalkar 2016) among the recipes of candidates.yaml, by `train`'s own objective.

    python -m experiments.recipe.search --epochs 1,3,6

Each candidate trains for the first number of epochs; the better half (or one of `--eta`), by FID to training images, goes on to
the second, and so on, each from where it stopped, `--jobs` of them at a time. Candidates are compared at the same images seen;
seconds are kept beside. A line for each candidate and rung is appended to trials.jsonl: what has a line already isn't done
again, so the search goes on after any stop, and on another machine. The test split and the other judge have no part in it:
they are for the comparison that README.md describes, and read once.
"""

import argparse
import json
import math
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from cgan_lightning.config import identity
from cgan_lightning.config.compose import compose

HERE = Path(__file__).parent
CANDIDATES, TRIALS = HERE / "candidates.yaml", HERE / "trials.jsonl"
COMPOSING = threading.Lock()  # Hydra has one config at a time in a process


def candidates() -> dict[str, list[str]]:
    """Each candidate's overrides by its name, what all have in common first; a part that is a list has several."""
    written: Any = OmegaConf.to_container(OmegaConf.load(CANDIDATES))
    found = {}
    for name, parts in written["candidates"].items():
        lists = [part if isinstance(part, list) else [part] for part in parts]
        found[name] = [*written["common"], *(override for each in lists for override in each)]
    return found


def trials() -> list[dict[str, Any]]:
    return [json.loads(line) for line in TRIALS.read_text().splitlines()] if TRIALS.exists() else []


def trial(name: str, overrides: list[str], *, epochs: int, seed: int, extra: list[str]) -> dict[str, Any]:
    """The line of a candidate that was trained for so many epochs, by the command that a user gives."""
    asked = [*overrides, f"seed={seed}"]
    for line in trials():
        if (line["overrides"], line["epochs"]) == (asked, epochs):
            return line
    given = [*asked, *extra, f"trainer.max_epochs={epochs}", "resume=auto"]
    subprocess.run([sys.executable, "-m", "cgan_lightning.train", *given], check=True)  # noqa: S603  our own command
    with COMPOSING:
        folder = identity.run_folder(compose(*given))
    return kept(name, asked, epochs, json.loads(folder.results.read_text()))


def kept(name: str, asked: list[str], epochs: int, results: dict[str, Any]) -> dict[str, Any]:
    """The line of a run's results, appended to the others."""
    line = {
        "candidate": name, "epochs": epochs, "overrides": asked,
        "fid": results["metrics"]["fid"], "class_accuracy": results["metrics"]["class_accuracy"],
        "curve": [[point["images_seen"], point["fid"], point["class_accuracy"]] for point in results["validation"]["curve"]],
        "seconds": results["images_seen"] / results["images_per_second"],
        **{key: results[key] for key in ("seed", "images_seen", "parameters", "machine", "versions", "git_revision")},
    }  # fmt: skip
    with TRIALS.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return line


def halving(rungs: list[int], seed: int, jobs: int, extra: list[str], eta: int = 2) -> list[dict[str, Any]]:
    """The lines of the last rung, the best first; one of `eta` goes on from each rung."""
    left, lines = candidates(), list[dict[str, Any]]()
    for rung, epochs in enumerate(rungs):
        with ThreadPoolExecutor(jobs) as pool:
            trained = [pool.submit(trial, *each, epochs=epochs, seed=seed, extra=extra) for each in left.items()]
            lines = [each.result() for each in trained]
        lines.sort(key=lambda line: line["fid"])
        print(table(lines), flush=True)
        if rung < len(rungs) - 1:
            left = {line["candidate"]: left[line["candidate"]] for line in lines[: math.ceil(len(lines) / eta)]}
    return lines


def table(lines: list[dict[str, Any]]) -> str:
    rows = [
        f"| {each['candidate']} | {each['epochs']} | {each['fid']:.2f} | {each['class_accuracy']:.1%} | {each['seconds']:.0f} |"
        for each in lines
    ]
    return "\n".join(["| candidate | epochs | FID | class accuracy | seconds |", "|---|---|---|---|---|", *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", default="1,3,6", help="of each rung")
    parser.add_argument("--eta", type=int, default=2, help="one candidate of so many goes on, the better ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="at a time; on a CPU with OMP_NUM_THREADS=1, one for each core")
    parser.add_argument("overrides", nargs="*", help="for all candidates, beside their own: run_root=..., trainer=gpu")
    arguments = parser.parse_intermixed_args()
    rungs = [int(epochs) for epochs in arguments.epochs.split(",")]
    halving(rungs, arguments.seed, arguments.jobs, arguments.overrides, arguments.eta)


if __name__ == "__main__":
    main()
