"""When a callback is due, in updates (`trainer.global_step`), and whether the run has been asked to stop early."""

from dataclasses import dataclass
from typing import Any

from lightning import Trainer


@dataclass
class StopRequest:
    """The signal received, if any; set by a signal handler and read between updates."""

    signum: int = 0


def data_of(trainer: Trainer) -> Any:
    """Return the run's data module."""
    return trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]


def planned_updates(trainer: Trainer) -> int:
    """Return the total number of updates of the run."""
    return trainer.max_steps


def is_last_update(trainer: Trainer) -> bool:
    return trainer.global_step >= planned_updates(trainer)


def epoch_due(trainer: Trainer, every_n_epochs: int) -> bool:
    """Whether the last update was the last of an n-th epoch or of the run."""
    return is_last_update(trainer) or trainer.global_step % (every_n_epochs * data_of(trainer).updates_per_epoch) == 0
