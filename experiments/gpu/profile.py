"""A profile of an update on the device: kernels by kind, and the time of layers with two forms."""

import itertools
import os
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from cgan_lightning.config import build, build_model
from cgan_lightning.config.compose import compose
from cgan_lightning.utils import precision
from cgan_lightning.utils.device import device_named
from cgan_lightning.utils.files import write_json
from experiments.bench.recipes import RECIPES
from experiments.gpu import forms

UPDATES = {"gpu": 40, "cpu": 8}  # per call; the last call is profiled
KINDS = (  # by name, the first match
    ("optimizer", r"adam"),
    ("several tensors at once", r"multi_tensor|foreach"),
    ("copy", r"memcpy|memset|copy|nchwtonhwc|nhwctonchw|transpose|cat"),
    ("batch norm", r"batch_norm|bn_|batchnorm"),
    ("convolution and matrix product", r"conv|gemm|gemv|wgrad|dgrad|xmma|cutlass|cudnn|mm\b|linear"),
    ("reduction", r"reduce|softmax|sum|mean|norm"),
    ("elementwise", r"elementwise|vectorized|aten::"),
)


class Profiled(Callback):
    """Profile the last call of `updates` updates."""

    def __init__(self, on_gpu: bool, updates: int) -> None:
        self.activity = ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU
        self.on_gpu, self.updates = on_gpu, updates
        self.record: profile | None = None

    def on_train_batch_start(self, trainer: Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if trainer.global_step == trainer.max_steps - self.updates:
            self._wait()
            self.record = profile(activities=[self.activity])
            self.record.start()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.record is not None and trainer.global_step == trainer.max_steps:
            self._wait()
            self.record.stop()

    def _wait(self) -> None:
        if self.on_gpu:
            torch.cuda.synchronize()


def of_an_update(recipe: str, batch_size: int, device: str) -> dict[str, Any]:
    """Return the number and time of an update's kernels (on a CPU, operations), total and by kind, and the longest ones."""
    on_gpu, updates, calls = device == "gpu", UPDATES[device], 4 if device == "gpu" else 2
    config = compose(
        *RECIPES[recipe], f"data.batch_size={batch_size}", f"trainer={device}", f"log_every_n_updates={updates}",
        f"trainer.updates_per_call={updates}",
    )  # fmt: skip
    data = build.data(config)
    model = build_model.model(config, build_model.model_spec(config, data))
    callback = Profiled(on_gpu, updates)
    precision.use_tf32(config.trainer.tf32)
    Trainer(
        accelerator=device, devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback], max_steps=calls * updates, max_epochs=-1,
    ).fit(model, datamodule=data)  # fmt: skip
    assert callback.record is not None  # noqa: S101
    rows = [
        (event.key, event.count / updates, (event.self_device_time_total if on_gpu else event.self_cpu_time_total) / updates)
        for event in callback.record.key_averages()
        if (event.device_type == DeviceType.CUDA if on_gpu else event.key.startswith("aten::"))
    ]
    kinds: dict[str, dict[str, float]] = defaultdict(lambda: {"count": 0.0, "us": 0.0})
    for name, count, us in rows:
        kind = next((kind for kind, pattern in KINDS if re.search(pattern, name.lower())), "other")
        kinds[kind]["count"] += count
        kinds[kind]["us"] += us
    longest = sorted(rows, key=lambda row: -row[2])[:25]
    return {
        "recipe": recipe, "batch_size": batch_size, "of": "kernels" if on_gpu else "operations",
        "count": sum(row[1] for row in rows), "us": sum(row[2] for row in rows), "kinds": kinds,
        "longest": [{"name": name[:160], "count": count, "us": us} for name, count, us in longest],
    }  # fmt: skip


def main() -> None:
    file, device = Path(sys.argv[1]), sys.argv[2]
    os.environ["TEARDOWN_CUPTI"] = "0"  # tearing it down between two profiles with live graphs has failed
    result: dict[str, list[dict[str, Any]]] = {"updates": [], "forms": []}
    for record in forms.compared(device_named(device)):
        result["forms"].append(record)
        print(", ".join(f"{key} {value}" for key, value in record.items()), flush=True)
        write_json(file, result)
    for batch_size, recipe in itertools.product((64, 512) if device == "gpu" else (64,), RECIPES):
        record = of_an_update(recipe, batch_size, device)
        result["updates"].append(record)
        print(f"{recipe}, batch {batch_size}: {record['count']:.0f} {record['of']} in {record['us'] / 1e3:.2f} ms", flush=True)
        for kind, of_kind in sorted(record["kinds"].items(), key=lambda item: -item[1]["us"]):
            share = of_kind["us"] / record["us"]
            print(f"  {kind:>32}: {of_kind['count']:6.1f}  {of_kind['us']:8.1f} µs  {share:4.0%}")
        write_json(file, result)


if __name__ == "__main__":
    main()
