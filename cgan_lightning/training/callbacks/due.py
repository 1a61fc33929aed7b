"""When a callback is due, in updates: `trainer.global_step` counts them (one tick, one update of both networks).

And whether the run has been asked to stop before its end.
"""

from dataclasses import dataclass
from typing import Any

from lightning import Trainer


@dataclass
class StopRequest:
    """What a signal's handler leaves for those who act between updates."""

    signum: int = 0


def data_of(trainer: Trainer) -> Any:
    """The data module that the run was started with."""
    return trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]


def planned_updates(trainer: Trainer) -> int:
    """How many updates the run has when it ends."""
    return trainer.max_steps


def is_last_update(trainer: Trainer) -> bool:
    return trainer.global_step >= planned_updates(trainer)


def epoch_due(trainer: Trainer, every_n_epochs: int) -> bool:
    """After the last update of every n-th epoch, and after the last of the run."""
    return is_last_update(trainer) or trainer.global_step % (every_n_epochs * data_of(trainer).updates_per_epoch) == 0
