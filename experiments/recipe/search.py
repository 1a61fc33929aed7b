"""Successive halving (Jamieson and Talwalkar 2016) of the recipes in a file, by validation FID.

    python -m experiments.recipe.search --epochs 1,3,6
    python -m experiments.recipe.search --candidates experiments/recipe/quality.yaml --epochs 6 --jobs 2 run_root=runs/quality

Each candidate trains for the first number of epochs; the best half (or 1/ETA of them, by `--eta`), by FID to training images,
is resumed up to the second number, and so on, with `--jobs` runs at a time. Candidates are compared at the same images seen.
Other metrics (intra-class FID, precision, recall, coverage) and seconds are saved with the FID. A line for each candidate and
rung is appended to trials.jsonl, and trials with a line are not repeated, so that an interrupted search can be resumed, also on
another machine. The test split and the other feature extractor are not used: they are only for the final comparison that
README.md describes.
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
from cgan_lightning.data import splits
from cgan_lightning.evaluation import feature_extractor, suite
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import sampling
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.utils import old_names

HERE = Path(__file__).parent
CANDIDATES, TRIALS = HERE / "candidates.yaml", HERE / "trials.jsonl"
SAMPLES = 10_000
AGAINST_TRAINING = ("class_fid_mean", "class_fids", "precision", "recall", "coverage", "class_accuracy")
COMPOSING = threading.Lock()  # Hydra composes one config at a time in a process


def candidates(file: Path = CANDIDATES) -> dict[str, list[str]]:
    """Return the overrides of each candidate by name, the common ones first; a part is an override or a list of them."""
    content: Any = OmegaConf.to_container(OmegaConf.load(file))
    result = {}
    for name, parts in content["candidates"].items():
        lists = [part if isinstance(part, list) else [part] for part in parts]
        result[name] = [*content["common"], *(override for each in lists for override in each)]
    return result


def trials() -> list[dict[str, Any]]:
    return [old_names.current(json.loads(line)) for line in TRIALS.read_text().splitlines()] if TRIALS.exists() else []


def trial(name: str, overrides: list[str], *, epochs: int, seed: int, extra: list[str]) -> dict[str, Any]:
    """Train a candidate for that many epochs with the `train` command, unless it has been trained; return its line."""
    trained = [*overrides, f"seed={seed}"]
    for line in trials():
        if (line["overrides"], line["epochs"]) == (trained, epochs):
            return line
    arguments = [*trained, *extra, f"trainer.max_epochs={epochs}", "resume=auto"]
    subprocess.run([sys.executable, "-m", "cgan_lightning.train", *arguments], check=True)  # noqa: S603  own command
    with COMPOSING:
        folder = identity.run_folder(compose(*arguments))
    return kept(name, trained, epochs, json.loads(folder.results.read_text()) | {"against_training": against_training(folder)})


def against_training(folder: RunFolder) -> dict[str, Any]:
    """Return metrics of the EMA generator against training images, 10,000 of each, as in validation."""
    trained = generator_file.load(folder.generator)
    pixels, labels = sampling.balanced(trained.network, trained.prior, len(trained.class_names), SAMPLES, seed=0)
    extractor, train = feature_extractor.load(), splits.of_training()
    real = suite.features_of_real(extractor, *suite.part(train, SAMPLES // len(trained.class_names), seed=0))
    values = suite.compare(suite.features_of(extractor, pixels, labels), real, seed=0)
    return {name: values[name] for name in AGAINST_TRAINING}


def kept(name: str, overrides: list[str], epochs: int, results: dict[str, Any]) -> dict[str, Any]:
    """Append the line of a run's results to the file and return it."""
    line = {
        "candidate": name, "epochs": epochs, "overrides": overrides,
        "fid": results["metrics"]["fid"], "class_accuracy": results["metrics"]["class_accuracy"],
        "curve": [[point["images_seen"], point["fid"], point["class_accuracy"]] for point in results["validation"]["curve"]],
        "against_training": results["against_training"],
        "seconds": results["images_seen"] / results["images_per_second"],
        **{key: results[key] for key in ("seed", "images_seen", "parameters", "machine", "versions", "git_revision")},
    }  # fmt: skip
    with TRIALS.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return line


def halving(
    left: dict[str, list[str]], rungs: list[int], seed: int, jobs: int, extra: list[str], eta: int = 2
) -> list[dict[str, Any]]:
    """Return the lines of the last rung, the best first; 1/eta of the candidates continue from each rung."""
    lines = list[dict[str, Any]]()
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
    heads = ["candidate", "epochs", "FID", "FID within classes", "recall", "class accuracy", "seconds"]
    rows = [
        [
            *(each["candidate"], str(each["epochs"]), f"{each['fid']:.3f}"),
            *(
                f"{each['against_training'][name]:.3f}" if "against_training" in each else ""
                for name in ("class_fid_mean", "recall")
            ),
            *(f"{each['class_accuracy']:.1%}", f"{each['seconds']:.0f}"),
        ]
        for each in lines
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heads, ["---"] * len(heads), *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=Path, default=CANDIDATES, help="the file of recipes")
    parser.add_argument("--epochs", default="1,3,6", help="number of epochs of each rung")
    parser.add_argument("--eta", type=int, default=2, help="the best 1/ETA of the candidates continue")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time; on a CPU one per core, with OMP_NUM_THREADS=1")
    parser.add_argument("overrides", nargs="*", help="more overrides for all candidates, such as run_root=... or trainer=gpu")
    arguments = parser.parse_intermixed_args()
    rungs = [int(epochs) for epochs in arguments.epochs.split(",")]
    halving(candidates(arguments.candidates), rungs, arguments.seed, arguments.jobs, arguments.overrides, arguments.eta)


if __name__ == "__main__":
    main()
