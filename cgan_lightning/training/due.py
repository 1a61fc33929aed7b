"""When something is due, in updates (`trainer.global_step`), and whether the run has been asked to stop early."""

import math
from dataclasses import dataclass
from typing import Any

from lightning import Trainer

from cgan_lightning.utils.errors import UserError


@dataclass
class StopRequest:
    """The signal received, if any; set by a signal handler and read between updates."""

    signum: int = 0


def data_of(trainer: Trainer) -> Any:
    """Return the run's data module. Raises UserError if the trainer was given data in another way."""
    data = getattr(trainer, "datamodule", None)
    if data is None:
        raise UserError("this callback needs the class names and the batch size: give trainer.fit an ImageData as datamodule=")
    return data


def updates_per_epoch(trainer: Trainer) -> int | float:
    """Return the updates of an epoch: those of the data module, or the trainer's batches if there are fewer or no module."""
    of_data = getattr(getattr(trainer, "datamodule", None), "updates_per_epoch", math.inf)
    return min(of_data, trainer.num_training_batches)


def planned_updates(trainer: Trainer) -> int:
    """Return the total number of updates of the run, by `max_steps` and `max_epochs`; without either, it is never reached."""
    steps = trainer.max_steps if trainer.max_steps >= 0 else math.inf
    epochs = trainer.max_epochs if trainer.max_epochs is not None and trainer.max_epochs >= 0 else math.inf
    planned = min(steps, epochs * updates_per_epoch(trainer))
    return int(planned) if math.isfinite(planned) else 2**62


def is_last_update(trainer: Trainer) -> bool:
    return trainer.global_step >= planned_updates(trainer)


def epoch_due(trainer: Trainer, every_n_epochs: int) -> bool:
    """Whether the last update was the last of an n-th epoch or of the run."""
    return is_last_update(trainer) or trainer.global_step % (every_n_epochs * updates_per_epoch(trainer)) == 0
