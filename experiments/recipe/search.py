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
import itertools
import json
import math
import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from omegaconf import OmegaConf

from cgan_lightning.config import identity
from cgan_lightning.config.compose import compose
from cgan_lightning.data import splits
from cgan_lightning.evaluation import feature_extractor, suite
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import sampling
from cgan_lightning.storage.run_folder import RunFolder
from cgan_lightning.train import train
from cgan_lightning.utils import old_names
from cgan_lightning.utils.device import device_named

HERE = Path(__file__).parent
CANDIDATES, TRIALS = HERE / "candidates.yaml", HERE / "trials.jsonl"
AGAINST_TRAINING = ("class_fid_mean", "class_fids", "precision", "recall", "coverage", "class_accuracy")
WRITING = threading.Lock()


def candidates(file: Path = CANDIDATES) -> dict[str, list[str]]:
    """Return the overrides of each candidate by name, the common ones first; a part is an override or a list of them."""
    content: Any = OmegaConf.to_container(OmegaConf.load(file))
    result = {}
    for name, parts in content["candidates"].items():
        lists = [part if isinstance(part, list) else [part] for part in parts]
        result[name] = [*content["common"], *(override for each in lists for override in each)]
    return result


def trials(file: Path = TRIALS) -> list[dict[str, Any]]:
    return [old_names.current(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


def trial(
    name: str, overrides: list[str], *, epochs: int, seed: int, extra: list[str], file: Path, until: float
) -> dict[str, Any] | None:
    """Train a candidate for that many epochs in a process of its own, unless it has been trained; return its line.

    None if it fails or is not done at `until`, which is a time.monotonic().
    """
    trained = [*overrides, f"seed={seed}"]
    for line in trials(file):
        if (line["overrides"], line["epochs"]) == (trained, epochs):
            return line
    if time.monotonic() >= until:
        return None
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cgan_lightning.train", "cgan_lightning.evaluation.suite", "torchmetrics", "scipy.signal"])
    results, sender = context.Pipe(duplex=False)
    arguments = [*trained, *extra, f"trainer.max_epochs={epochs}", "resume=auto"]
    process = context.Process(target=train_and_measure, args=(arguments, sender))
    process.start()
    sender.close()
    try:
        found = results.recv() if results.poll(max(0, until - time.monotonic()) if until < math.inf else None) else None
    except EOFError:
        found = None
    if found is None:
        process.kill()
    process.join()
    return None if found is None else kept(name, trained, epochs, found, file)


def train_and_measure(arguments: list[str], sender: Connection) -> None:
    """Send the results of a run that is trained here, with its metrics against training images."""
    config = compose(*arguments)
    train(config)
    folder = identity.run_folder(config)
    device = device_named(config.trainer.accelerator)
    measured = against_training(folder, device, config.validation.samples)
    sender.send(json.loads(folder.results.read_text()) | {"against_training": measured})


def against_training(folder: RunFolder, device: torch.device, samples: int) -> dict[str, Any]:
    """Return metrics of the EMA generator against training images, that many of each, as in validation."""
    trained = generator_file.load(folder.generator)
    pixels, labels = sampling.balanced(trained.network, trained.prior, len(trained.class_names), samples, seed=0)
    extractor, train = feature_extractor.load(device=device), splits.of_training()
    real = suite.features_of_real(extractor, *suite.part(train, samples // len(trained.class_names), seed=0))
    values = suite.compare(suite.features_of(extractor, pixels, labels), real, seed=0)
    return {name: values[name] for name in AGAINST_TRAINING}


def kept(name: str, overrides: list[str], epochs: int, results: dict[str, Any], to: Path = TRIALS) -> dict[str, Any]:
    """Append the line of a run's results to the file and return it."""
    line = {
        "candidate": name, "epochs": epochs, "overrides": overrides,
        "fid": results["metrics"]["fid"], "class_accuracy": results["metrics"]["class_accuracy"],
        "curve": [[point["images_seen"], point["fid"], point["class_accuracy"]] for point in results["validation"]["curve"]],
        "against_training": results["against_training"],
        "seconds": results["images_seen"] / results["images_per_second"],
        **{key: results[key] for key in ("seed", "images_seen", "parameters", "machine", "versions", "git_revision")},
    }  # fmt: skip
    with WRITING, to.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return line


def halving(
    left: dict[str, list[str]], rungs: list[int], seeds: list[int], jobs: int, extra: list[str],
    *, eta: int = 2, file: Path = TRIALS, limit_s: float = math.inf,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the lines of the last rung, the best candidate first; 1/eta of the candidates continue from each rung."""
    until = time.monotonic() + limit_s
    lines = list[dict[str, Any]]()
    for epochs in rungs:
        with ThreadPoolExecutor(jobs) as pool:
            trained = [
                pool.submit(trial, *each, epochs=epochs, seed=seed, extra=extra, file=file, until=until)
                for seed, each in itertools.product(seeds, left.items())
            ]
            lines = [line for each in trained if (line := each.result())]
        fids = {name: mean([line["fid"] for line in lines if line["candidate"] == name] or [math.inf]) for name in left}
        best = sorted(left, key=lambda name: fids[name])
        lines.sort(key=lambda line: (best.index(line["candidate"]), line["seed"]))
        print(table(lines), flush=True)
        left = {name: left[name] for name in best[: math.ceil(len(best) / eta)]}
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
    parser.add_argument("--seeds", default="0", help="seeds of each candidate, as in 0,1,2")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time; on a CPU one per core, with OMP_NUM_THREADS=1")
    parser.add_argument("--limit-s", type=float, default=math.inf, help="seconds after which trials are ended")
    parser.add_argument("--trials", type=Path, default=TRIALS, help="the file of results")
    parser.add_argument("overrides", nargs="*", help="more overrides for all candidates, such as run_root=... or trainer=gpu")
    arguments = parser.parse_intermixed_args()
    rungs = [int(epochs) for epochs in arguments.epochs.split(",")]
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    halving(
        candidates(arguments.candidates), rungs, seeds, arguments.jobs, arguments.overrides,
        eta=arguments.eta, file=arguments.trials, limit_s=arguments.limit_s,
    )  # fmt: skip


if __name__ == "__main__":
    main()
