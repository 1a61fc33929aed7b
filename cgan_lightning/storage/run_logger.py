"""What the loggers of a run have in common: Lightning's interface, settings, images and the metrics at the end."""

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from torch import Tensor

from cgan_lightning.utils.images import tensorboard_format


class RunLogger(Logger):
    """A logger of one run, named by the run folder; `done` is the update from which the run is resumed."""

    def __init__(self, *, folder: Path, done: int) -> None:
        super().__init__()
        self.folder, self.done = folder, done

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def save_dir(self) -> str:
        return str(self.folder)

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Lightning calls it with the module's arguments; `log_settings` has those of the run."""

    def log_settings(self, settings: Mapping[str, Any]) -> None:
        """Log the settings that distinguish the run from others; config.yaml has all of them."""

    def log_images(self, images: Mapping[str, np.ndarray], step: int) -> None:
        """Log pictures, (height, width) or (height, width, 3), by tag, where the logger supports images."""

    def log_histogram(self, tag: str, values: Tensor, step: int) -> None:
        """Log the distribution of `values`, where the logger supports it."""

    def log_final(self, metrics: Mapping[str, float], step: int) -> None:
        """Log the metrics of results.json, where these are not the last values of what was logged."""


class LoggedSteps:
    """The last step of each tag in a log that only grows, noted in `file` at once, so that a killed run leaves it too.

    An interrupted run repeats the updates since its last checkpoint, with the same values: they are not logged again.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.last: dict[str, int] = {}
        for line in file.read_text().splitlines() if file.is_file() else []:
            with contextlib.suppress(json.JSONDecodeError):  # the last line, where the machine stopped
                step, tags = json.loads(line)
                self.last |= dict.fromkeys(tags, step)

    def new(self, tags: Iterable[str], step: int) -> list[str]:
        """Return those of `tags` that have no value at `step` or later yet, and note that they have one now."""
        if result := [tag for tag in tags if self.last.get(tag, -1) < step]:
            self.last |= dict.fromkeys(result, step)
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a") as file:
                file.write(json.dumps([step, result]) + "\n")
        return result


def log_images(loggers: Sequence[Logger], images: Mapping[str, np.ndarray], step: int) -> None:
    """Log pictures, (height, width) or (height, width, 3), by tag to those of a trainer's loggers that support images."""
    for logger in loggers:
        if isinstance(logger, RunLogger):
            logger.log_images(images, step)
        elif isinstance(logger, TensorBoardLogger):
            for tag, pixels in images.items():
                logger.experiment.add_image(tag, pixels, step, dataformats=tensorboard_format(pixels))
            logger.experiment.flush()


def log_histogram(loggers: Sequence[Logger], tag: str, values: Tensor, step: int) -> None:
    """Log the distribution of `values` to those of a trainer's loggers that support it."""
    for logger in loggers:
        if isinstance(logger, RunLogger):
            logger.log_histogram(tag, values, step)
        elif isinstance(logger, TensorBoardLogger):
            logger.experiment.add_histogram(tag, values, step, bins="auto")
