"""The last and the best training state and generator.safetensors, written between updates."""

from pathlib import Path
from typing import Any, NamedTuple

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from cgan_lightning.models import generator_file
from cgan_lightning.training.due import epoch_due
from cgan_lightning.utils.files import write_atomically


class Files(NamedTuple):
    """The paths of one checkpoint: the training state, and the generator alone."""

    state: Path
    generator: Path


class Checkpoints(Checkpoint):
    """Save the last checkpoint every n epochs and after the last update; `save` also writes the best one.

    Lightning calls this callback after all others.
    """

    def __init__(self, *, last: Files, best: Files, model_spec: dict[str, Any], every_n_epochs: int) -> None:
        self.last, self.best = last, best
        self.model_spec = model_spec
        self.every_n_epochs = every_n_epochs

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if epoch_due(trainer, self.every_n_epochs):
            self.save(trainer, pl_module, self.last)

    def save(self, trainer: Trainer, pl_module: Any, files: Files) -> None:
        for logger in trainer.loggers:  # a resumed run goes on from what is on disk
            logger.save()
        trainer.save_checkpoint(files.state)
        if trainer.is_global_zero:
            average = None if pl_module.ema is None else pl_module.ema.generator
            write_atomically(
                files.generator,
                lambda path: generator_file.save(path, self.model_spec, raw=pl_module.generator, ema=average),
            )
