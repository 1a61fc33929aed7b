"""Write TensorBoard events to the run folder itself, so that `--logdir runs` names runs by their folders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.tensorboard.summary import hparams
from torch.utils.tensorboard.writer import SummaryWriter

from cgan_lightning.registry import register
from cgan_lightning.storage.run_logger import RunLogger
from cgan_lightning.utils.images import tensorboard_format


@register("logger", "tensorboard")
class TensorBoard(RunLogger):
    """Scalars, images and histograms as events; on resuming, those after `done` are hidden, because they are written again."""

    def __init__(self, *, folder: Path, done: int) -> None:
        super().__init__(folder=folder, done=done)
        self.experiment = SummaryWriter(str(folder), purge_step=done + 1 if done else None)

    def log_settings(self, settings: Mapping[str, Any]) -> None:
        """Show the run in the HPARAMS tab: `settings` and the last value of each scalar.

        Without an experiment summary, TensorBoard collects settings and scalars over all runs, those that differ first.
        Lightning's own method writes such a summary for one run, and placeholder values.
        """
        _, session_start, _ = hparams(dict(settings), {})  # experiment summary, this run's settings, end of session
        self.experiment._get_file_writer().add_summary(session_start)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        for tag, value in metrics.items():
            self.experiment.add_scalar(tag, value, step)

    def log_images(self, images: Mapping[str, np.ndarray], step: int) -> None:
        for tag, pixels in images.items():
            self.experiment.add_image(tag, pixels, step, dataformats=tensorboard_format(pixels))
        self.experiment.flush()

    def log_histogram(self, tag: str, values: Tensor, step: int) -> None:
        self.experiment.add_histogram(tag, values, step, bins="auto")

    def save(self) -> None:
        self.experiment.flush()

    def finalize(self, status: str) -> None:
        self.experiment.flush()
        self.experiment.close()
