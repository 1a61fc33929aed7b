"""Stops a run whose loss or gradient is no number any more, before such weights reach a checkpoint."""

from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from cgan_lightning import collectives
from cgan_lightning.callbacks.schedule import epoch_due
from cgan_lightning.errors import RunError

NEVER = 2**62


class FiniteLosses(Callback):
    """Raises RunError that names the first update with a NaN or infinite loss or gradient.

    The device notes that update by itself; it is asked every `every_n_updates`, at an epoch's end, and before any checkpoint
    is written, so that no update waits for the device and the last good checkpoint stays. A loss of any rank counts.
    """

    def __init__(self, *, every_n_updates: int) -> None:
        self.every_n_updates = every_n_updates

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.first_bad = torch.full((), NEVER, dtype=torch.long, device=pl_module.device)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        finite = torch.stack([outputs["loss_d"], outputs["loss_g"]]).isfinite().all(0)
        finite[-1] &= torch.cat([*outputs.values()]).isfinite().all()  # of the last update more is known
        updates = torch.arange(trainer.global_step - len(finite), trainer.global_step, device=finite.device) + 1
        self.first_bad = torch.minimum(self.first_bad, torch.where(finite, NEVER, updates).min())
        if trainer.global_step % self.every_n_updates == 0 or epoch_due(trainer, 1):
            self.check()

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.check()

    def check(self) -> None:
        if (update := collectives.lowest(int(self.first_bad))) < NEVER:
            raise RunError(
                f"The loss or its gradient was NaN or infinite at update {update}: the run has stopped and its "
                "last checkpoint, from before that, is kept; a lower optimizer.generator.lr or optimizer.discriminator.lr "
                "often helps"
            )
