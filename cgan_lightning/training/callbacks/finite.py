"""Stop a run whose loss or gradient is not finite, before its weights are written to a checkpoint."""

from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from cgan_lightning.distributed import collectives
from cgan_lightning.training.callbacks.later import Later
from cgan_lightning.training.due import epoch_due
from cgan_lightning.utils.errors import RunError

NEVER = 2**62


class FiniteLosses(Callback):
    """Raise RunError with the first update that has a NaN or infinite loss or gradient, on any rank.

    The device records that update. It is read every `every_n_updates`, on a GPU one interval late so that no update waits for
    it, and also at the end of an epoch and before each checkpoint, so that the last good one is kept.
    """

    def __init__(self, *, every_n_updates: int) -> None:
        self.every_n_updates = every_n_updates

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.first_bad = torch.full((1,), NEVER, dtype=torch.long, device=pl_module.device)
        self._behind, self._noted = self.first_bad.is_cuda, Later(self.first_bad)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        finite = torch.stack([outputs["loss_d"], outputs["loss_g"]]).isfinite().all(0)
        finite[-1] &= torch.cat([*outputs.values()]).isfinite().all()  # more values are known for the last update
        updates = torch.arange(trainer.global_step - len(finite), trainer.global_step, device=finite.device) + 1
        self.first_bad = torch.minimum(self.first_bad, torch.where(finite, NEVER, updates).min())
        if epoch_due(trainer, 1):
            self.check()
        elif trainer.global_step % self.every_n_updates == 0:
            now, earlier = Later(self.first_bad), self._noted
            self._raise_for(earlier if self._behind else now)
            self._noted = now

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.check()

    def check(self) -> None:
        self._raise_for(Later(self.first_bad))

    def _raise_for(self, first_bad: Later) -> None:
        if (update := collectives.all_reduce_min(int(first_bad.read()[0]))) < NEVER:
            raise RunError(
                f"The loss or its gradient was NaN or infinite at update {update}: the run has stopped and its "
                "last checkpoint, from before that, is kept; a lower optimizer.generator.lr or optimizer.discriminator.lr "
                "often helps"
            )
