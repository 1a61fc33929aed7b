"""What a user's own Trainer expects of the module: logged values, plain batches, and a sentence where it is not supported."""

from typing import Any

from lightning import LightningModule
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor

from cgan_lightning.distributed.strategy import UnwrappedDDP
from cgan_lightning.utils.errors import UserError


class UserTrainerModule(LightningModule):
    """A LightningModule whose updates work in any Trainer of one device, or of several with `UnwrappedDDP`."""

    logs_values = True  # TrainingLog logs in its place

    def setup(self, stage: str) -> None:
        """Raises UserError for a strategy that wraps the module, as DDP does: an update trains one network after the other."""
        strategy = self.trainer.strategy
        if not isinstance(strategy, SingleDeviceStrategy | UnwrappedDDP):
            raise UserError(
                f"strategy={type(strategy).__name__}: an update has several losses, each of one network; train with "
                "python -m cgan_lightning.train trainer=ddp, which averages their gradients itself"
            )

    @classmethod
    def load_from_checkpoint(cls, *args: Any, **kwargs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Raises UserError: a training checkpoint holds no settings."""
        raise UserError(f"{cls.__name__}.load_from_checkpoint: use cgan_lightning.load_training(RUN_FOLDER)")

    def logged(self, values: dict[str, Tensor], batch_size: int) -> dict[str, Tensor]:
        """Log the last of `values` by name, the losses in the progress bar too, and return `values`."""
        if self.logs_values:
            for name, each in values.items():
                self.log(name, each[-1], prog_bar=name.startswith("loss"), batch_size=batch_size)
        return values
