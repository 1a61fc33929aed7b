"""Images/s of (a) a plain script, (b) a bare loop and (c) this project's `train` with default callbacks and logging.

`make bench`, or with ARGS="--recipe documented --channels 128 --batch-size 64 --repeats 5" for one size. Each measurement is a
separate process that runs alone; the three alternate for a number of repeats. (b) and (c) train the recipe of `--recipe`, (a)
always the documented one. ARGS=--growth measures `train` with more images and wider networks. A line for each size is appended
to experiments/bench/results/speed.jsonl.
"""

import argparse
import itertools
import json
import logging
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from cgan_lightning.config import identity
from cgan_lightning.config.compose import compose
from cgan_lightning.storage import environment, memory
from cgan_lightning.train import train
from cgan_lightning.utils import precision
from cgan_lightning.utils.device import device_named
from experiments.bench import bare_loop, plain_script
from experiments.bench.recipes import RECIPES

RESULTS = Path(__file__).parent / "results" / "speed.jsonl"
Contestant = Callable[..., float]


def trained(
    folder: Path, *, recipe: str, channels: int, batch_size: int, timed: int, device: torch.device, more: Sequence[str] = ()
) -> float:
    """Return the speed that `train` reports, which excludes its first calls (graph capture) and validation."""
    updates = timed + (128 if device.type == "cuda" else 1)
    config = compose(
        *RECIPES[recipe], f"model.channels={channels}", f"data.batch_size={batch_size}", f"run_root={folder / 'runs'}",
        f"trainer={'gpu' if device.type == 'cuda' else 'cpu'}", f"trainer.max_steps={updates}", f"trainer.max_epochs={updates}",
        "rerun=true", "validation.every_n_epochs=null", *more,
    )  # fmt: skip
    train(config)
    return json.loads(identity.run_folder(config).results.read_text())["images_per_second"]


def plain(folder: Path, *, recipe: str, timed: int, **size: Any) -> float:
    return plain_script.images_per_second(folder, timed=min(timed, PLAIN_IMAGES // size["batch_size"]), **size)


PLAIN_IMAGES = 30_000  # at most, as the others are many times faster on a GPU
CONTESTANTS: dict[str, Contestant] = {
    "plain script": plain,
    "bare loop": bare_loop.images_per_second,
    "train": trained,
}


def measure(contestant: str, folder: Path, size: dict[str, Any], timed: int, accelerator: str = "auto") -> dict[str, Any]:
    """Return speed and peak memory of one contestant."""
    logging.disable(logging.INFO)
    device = device_named(accelerator)
    memory.count_peak_anew()
    precision.use_tf32(True)  # as `train` does
    if contestant == "plain script":
        torch.backends.cuda.matmul.allow_tf32 = False  # PyTorch's default
    speed = CONTESTANTS[contestant](folder, timed=timed, device=device, **size)
    return {"images_per_second": speed, "peak_memory_mib": environment.peak_memory_mib(device)}


def matrix_product_rate() -> float:
    """Return the GFLOP/s of a float32 product of 2048 × 2048 matrices, best of ten."""
    device = device_named("auto")
    a, b = torch.randn(2, 2048, 2048, device=device)
    best = 0.0
    for _ in range(10):
        start = time.perf_counter()
        (a @ b)[0, 0].item()
        best = max(best, 2 * 2048**3 / (time.perf_counter() - start) / 1e9)
    return best


def mflop_per_image(*, recipe: str, channels: int, batch_size: int) -> dict[str, float]:
    """Return millions of floating-point operations per image in one update, by PyTorch's counter."""
    z, labels, images = torch.randn(batch_size, 100), torch.arange(batch_size) % 10, torch.zeros(batch_size, 1, 28, 28)
    plain = plain_script.updates(plain_script.Generator(channels), plain_script.Discriminator(), [(images, labels, z, labels)])
    bare, _ = bare_loop.update(recipe, channels=channels, batch_size=batch_size, device=torch.device("cpu"))
    latent_dim = compose(*RECIPES[recipe]).model.latent_dim
    found = {}
    for name, work in {
        "plain script": lambda: next(plain),
        "train": lambda: bare(False, images, labels, z[:, :latent_dim], labels, torch.tensor(0.004)),  # without penalty
    }.items():
        with FlopCounterMode(display=False) as counter:
            work()
        found[name] = counter.get_total_flops() / batch_size / 1e6
    return found


def alone(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `function` in a new process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def compare(folder: Path, size: dict[str, Any], *, repeats: int, images: int) -> dict[str, Any]:
    """Measure the contestants alternately, several times; print each result and a table at the end."""
    timed = max(10, images // size["batch_size"])
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    for repeat in range(repeats):
        for name, results in found.items():
            results.append(alone(measure, name, folder, size, timed))
        print(f"  {repeat + 1}/{repeats}: " + ", ".join(f"{k} {v[-1]['images_per_second']:,.0f}" for k, v in found.items()))
    record: dict[str, Any] = {**size, "timed": timed, "matrix_product_gflops": alone(matrix_product_rate)}
    record["mflop_per_image"] = alone(mflop_per_image, **size)
    for key in ("images_per_second", "peak_memory_mib"):
        record[key] = {name: [each[key] for each in results] for name, results in found.items()}
    medians = {name: statistics.median(values) for name, values in record["images_per_second"].items()}
    record["ratios"] = {f"train / {name}": medians["train"] / medians[name] for name in ("plain script", "bare loop")}
    print(table(record, medians))
    return record


def table(record: dict[str, Any], medians: dict[str, float]) -> str:
    """Return the results of `compare` as text."""
    lines = [f"{record['recipe']}, {record['channels']} channels, batch {record['batch_size']}:"]
    for name, speeds in record["images_per_second"].items():
        ms, memory = record["batch_size"] / medians[name] * 1e3, statistics.median(record["peak_memory_mib"][name])
        lines.append(
            f"  {name:>12}: {medians[name]:9,.0f} images/s ({min(speeds):,.0f} to {max(speeds):,.0f}), {ms:7.1f} ms an update, "
            f"{60_000 / medians[name]:6.1f} s an epoch, {memory:,.0f} MiB"
        )
    lines += [f"  {name}: {ratio:.2f}" for name, ratio in record["ratios"].items()]
    written, computed = (record["mflop_per_image"][name] for name in ("plain script", "train"))
    rate = record["matrix_product_gflops"]
    share = computed * medians["train"] / 1e3 / rate
    lines.append(f"  {written:.0f} MFLOP an image as written, {computed:.0f} as computed: {share:.0%} of {rate:,.0f} GFLOP/s")
    return "\n".join(lines)


def growth(folder: Path, *, images: int) -> dict[str, Any]:
    """Measure `train` only: 1, 2 and 4 times the images, then 64 to 512 channels."""
    found: dict[str, Any] = {"images": {}, "channels": {}}
    for what, channels, factor in [
        *(("images", 128, n) for n in (1, 2, 4)),
        *(("channels", n, 1) for n in (64, 128, 256, 512)),
    ]:
        size = {"recipe": "documented", "channels": channels, "batch_size": 64}
        result = alone(measure, "train", folder, size, factor * images // 64)
        found[what][factor * images if what == "images" else channels] = result
        print(f"  {channels} channels, {factor * images:,} images: {result['images_per_second']:,.0f} images/s, "
              f"{result['peak_memory_mib']:,.0f} MiB")  # fmt: skip
    return {"growth": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--recipe", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--channels", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--batch-size", type=int, nargs="+", default=[64, 512])
    parser.add_argument("--images", type=int, help="images per measurement; default 6,400 on a CPU, 300,000 on a GPU")
    parser.add_argument("--growth", action="store_true")
    options = parser.parse_args()
    device = device_named("auto")
    images = options.images or (300_000 if device.type == "cuda" else 6_400)

    with tempfile.TemporaryDirectory() as name:
        plain_script.lay_out_data(Path(name))
        if options.growth:
            keep(growth(Path(name), images=images), device)
            return
        for recipe, channels, batch_size in itertools.product(options.recipe, options.channels, options.batch_size):
            size = {"recipe": recipe, "channels": channels, "batch_size": batch_size}
            keep(compare(Path(name), size, repeats=options.repeats, images=images), device)


def keep(record: dict[str, Any], device: torch.device) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    when = {"time": datetime.now(UTC).isoformat(timespec="seconds")}
    with RESULTS.open("a") as file:
        file.write(json.dumps(when | record | environment.describe(device)) + "\n")


if __name__ == "__main__":
    main()
