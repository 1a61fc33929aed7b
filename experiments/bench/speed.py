"""Images/s of a plain script and of this project's `train`, callbacks and logging at their defaults, in turn and repeated.

`make bench ARGS="--repeats 3 --channels 128 --batch-size 64"`. Appends a line to experiments/bench/results/speed.jsonl.
"""

import argparse
import json
import logging
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import torch

from cgan_lightning.config import build, identity
from cgan_lightning.config.compose import compose
from cgan_lightning.data import sources
from cgan_lightning.runtime import environment
from cgan_lightning.train import train
from experiments.bench import plain_script

RESULTS = Path(__file__).parent / "results" / "speed.jsonl"


def ours(folder: Path, *, channels: int, batch_size: int, timed: int) -> float:
    """`train`'s own figure, which leaves out its first update; logging at its default."""
    overrides = [
        "experiment=documented", f"model.channels={channels}", f"data.batch_size={batch_size}", f"run_root={folder}",
        f"trainer.max_steps={1 + timed}", "rerun=true",
    ]  # fmt: skip
    config = compose(*overrides)
    train(config)
    return json.loads(identity.run_folder(config).results.read_text())["images_per_second"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--timed", type=int, default=150, help="updates that are timed, after a first one that isn't")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    device = build.device_named("auto")
    size = {"channels": options.channels, "batch_size": options.batch_size, "timed": options.timed}

    speeds: dict[str, list[float]] = {"plain script": [], "cgan_lightning": []}
    with tempfile.TemporaryDirectory() as name:
        raw = Path(name) / "FashionMNIST" / "raw"
        raw.parent.mkdir()
        raw.symlink_to(sources.locate())
        for repeat in range(options.repeats):
            speeds["plain script"].append(plain_script.images_per_second(Path(name), device=device, **size))
            speeds["cgan_lightning"].append(ours(Path(name) / "runs", **size))
            print(f"{repeat + 1}/{options.repeats}: " + ", ".join(f"{k} {v[-1]:,.0f} images/s" for k, v in speeds.items()))

    medians = {name: statistics.median(values) for name, values in speeds.items()}
    ratio = medians["cgan_lightning"] / medians["plain script"]
    for name, values in speeds.items():
        print(f"{name:>15}: {medians[name]:8,.0f} images/s ({min(values):,.0f} to {max(values):,.0f})")
    print(f"          ratio: {ratio:8.2f}")
    record = {"time": datetime.now(UTC).isoformat(timespec="seconds"), **size, "images_per_second": speeds, "ratio": ratio}
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(json.dumps(record | environment.describe(torch.device(device))) + "\n")


if __name__ == "__main__":
    main()
