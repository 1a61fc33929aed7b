"""How long the vectors are that both networks learn of each class, as histograms in TensorBoard."""

from typing import Annotated, Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from cgan_lightning.models.class_vectors import class_vectors
from cgan_lightning.registry import register, setting
from cgan_lightning.training.due import epoch_due


@register("callbacks", "class_vector_norms")
class ClassVectorNorms(Callback):
    """A histogram of norms for each network that learns class vectors: at the start, every n epochs and at the end."""

    def __init__(self, *, every_n_epochs: Annotated[int, setting("how often they are logged", at_least=1)]) -> None:
        self.every_n_epochs = every_n_epochs

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step == 0:
            self.log_norms(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if epoch_due(trainer, self.every_n_epochs):
            self.log_norms(trainer, pl_module)

    def log_norms(self, trainer: Trainer, pl_module: Any) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                for name in ("generator", "discriminator"):
                    if (vectors := class_vectors(getattr(pl_module, name).state_dict())) is not None:
                        norms = vectors.detach().float().norm(dim=1)
                        tag = f"weights/class vector norms of the {name}"
                        logger.experiment.add_histogram(tag, norms, trainer.global_step, bins="auto")
