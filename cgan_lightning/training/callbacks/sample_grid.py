"""Pictures in TensorBoard: a tag for each class and an overview, the same z at every step."""

from pathlib import Path
from typing import Annotated, Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image

from cgan_lightning.registry import register, setting
from cgan_lightning.sampling.sampling import sample_grid
from cgan_lightning.training.due import data_of, epoch_due
from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.images import grid, labelled_grid, tensorboard_format

FILE_NAME = "samples.png"


@register("callbacks", "sample_grid")
class SampleGrid(Callback):
    """Draws `columns` images of each class before the first update, every n epochs and at the end.

    Picture j of a class has the z of image seed j, at every step: a column of the overview shows one z across classes, the
    slider one image maturing. The last overview is also samples.png in the run folder.
    """

    def __init__(
        self,
        *,
        columns: Annotated[int, setting("images of each class", at_least=1, at_most=100)],
        every_n_epochs: Annotated[int, setting("how often they are drawn", at_least=1)],
    ) -> None:
        self.columns = columns
        self.every_n_epochs = every_n_epochs
        self._per_row = 5 if columns % 5 == 0 else columns  # in a class's own picture: TensorBoard's cards are narrow

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step == 0:
            self.draw(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if epoch_due(trainer, self.every_n_epochs):
            self.draw(trainer, pl_module)

    def draw(self, trainer: Trainer, pl_module: Any) -> None:
        if not trainer.is_global_zero:
            return
        names, file = data_of(trainer).class_names, Path(trainer.default_root_dir) / FILE_NAME
        images = sample_grid(pl_module.best_generator, pl_module.prior, range(len(names)), range(self.columns))
        overview = labelled_grid(images, names)
        write_atomically(file, lambda path: Image.fromarray(overview).save(path, format="PNG"))
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                writer, step = logger.experiment, trainer.global_step
                writer.add_image("samples/overview", overview, step, dataformats=tensorboard_format(overview))
                for label, name in enumerate(names):
                    picture = grid(images[label].unflatten(0, (-1, self._per_row)))
                    writer.add_image(f"samples/{label} {name}", picture, step, dataformats=tensorboard_format(picture))
                writer.flush()
