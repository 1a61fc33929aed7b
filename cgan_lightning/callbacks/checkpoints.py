"""checkpoints/last.ckpt (the whole training state) and generator.safetensors, written between two updates."""

from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from cgan_lightning.callbacks.schedule import epoch_due
from cgan_lightning.files import write_atomically
from cgan_lightning.generation import checkpoint


class Checkpoints(Checkpoint):
    """Writes both files every n epochs and after the last update. Lightning calls it after all other callbacks."""

    def __init__(self, *, file: Path, generator_file: Path, recipe: dict[str, Any], every_n_epochs: int = 1) -> None:
        self.file = file
        self.generator_file = generator_file
        self.recipe = recipe
        self.every_n_epochs = every_n_epochs

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if epoch_due(trainer, self.every_n_epochs):
            self.save(trainer, pl_module)

    def save(self, trainer: Trainer, pl_module: Any) -> None:
        trainer.save_checkpoint(self.file)
        if trainer.is_global_zero:
            average = None if pl_module.ema is None else pl_module.ema.generator
            write_atomically(
                self.generator_file,
                lambda path: checkpoint.save(path, self.recipe, raw=pl_module.generator, ema=average),
            )
