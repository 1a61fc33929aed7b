"""The log of Weights & Biases, offline in the run folder."""

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from cgan_lightning.registry import register
from cgan_lightning.storage.run_logger import LoggedSteps, RunLogger
from cgan_lightning.utils.files import write_atomically


@register("logger", "wandb")
class Wandb(RunLogger):
    """An offline run in wandb/; a resumed run goes on in another file of the same run, which `wandb sync` puts together.

    The variables WANDB_MODE and WANDB_PROJECT have their usual meaning.
    """

    def __init__(self, *, folder: Path, done: int) -> None:
        super().__init__(folder=folder, done=done)
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # a machine may be offline
        import wandb  # an optional package

        self._folder = folder / "wandb"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._steps = LoggedSteps(self._folder / "logged.jsonl")
        self.experiment = wandb.init(
            dir=folder.absolute(),  # its process may be an earlier run's, started in another folder
            name=folder.name, id=self._id(), resume="allow",
            project=os.environ.get("WANDB_PROJECT", "cgan_lightning"), mode=os.environ.get("WANDB_MODE", "offline"),  # pyright: ignore
            settings=wandb.Settings(silent=True, console="off", x_disable_stats=True, x_disable_meta=True),
        )  # fmt: skip
        self._image, self._histogram = wandb.Image, wandb.Histogram
        self.experiment.define_metric("update")
        self.experiment.define_metric("*", step_metric="update")

    def _id(self) -> str:
        """Return the run's id, which is kept in the folder."""
        file = self._folder / "id"
        if not file.is_file():
            write_atomically(file, lambda path: path.write_text(uuid.uuid4().hex[:12]))
        return file.read_text()

    def log_settings(self, settings: Mapping[str, Any]) -> None:
        self.experiment.config.update(dict(settings), allow_val_change=True)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        if new := self._steps.new(metrics, step or 0):
            self.experiment.log({tag: metrics[tag] for tag in new} | {"update": step})

    def log_images(self, images: Mapping[str, np.ndarray], step: int) -> None:
        self.log_metrics({tag: self._image(pixels) for tag, pixels in images.items()}, step)

    def log_histogram(self, tag: str, values: Tensor, step: int) -> None:
        self.log_metrics({tag: self._histogram(values.tolist())}, step)

    def log_final(self, metrics: Mapping[str, float], step: int) -> None:
        self.experiment.summary.update({f"final/{name}": value for name, value in metrics.items()})

    def finalize(self, status: str) -> None:
        self.experiment.finish(exit_code=0 if status == "success" else 1)
