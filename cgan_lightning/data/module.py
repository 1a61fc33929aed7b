"""A data set as a Lightning data module."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Int
from lightning import LightningDataModule
from torch import Tensor
from torch.nn.functional import pad

from cgan_lightning.data import sources, splits
from cgan_lightning.data.batches import BalancedOrder, Batches, Calls, EpochBatches, EpochOrder, HostBatches, ResidentBatches
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.data.spec import DatasetSpec
from cgan_lightning.utils.errors import UserError


class ImageData(LightningDataModule):
    """Provides the training split of `spec`, normalised to [-1, 1]: images (batch, channels, size, size), labels (batch,).

    `classes` are the class indices to use (default: all); labels are renumbered in their order. `at_most` keeps the first N
    images of a class, then `limit` the first N of all. `reference` is the data without `at_most`, which limits the training
    images but not the target distribution. `batch_size` is global and divided among ranks. `balanced` batches have equally many
    images of each class. `image_size` above that of the data adds a black border. `placement` "device" keeps the pixels (47 MB
    of bytes for Fashion-MNIST) on the training device; "host" prepares batches in `workers` processes.
    With `updates_per_call`, as `train` uses it, each item has the batches of up to so many updates, (updates, batch, ...), and
    ends where something is due: every `due_every` updates, and at an epoch's end; it starts at the trainer's `global_step`.
    Raises UserError for incompatible settings.
    """

    def __init__(
        self,
        *,
        spec: DatasetSpec = FASHION_MNIST,
        batch_size: int = 64,
        seed: int = 0,
        root: str | None = None,
        classes: Sequence[int] | None = None,
        at_most: Mapping[int, int] | None = None,
        limit: int | None = None,
        balanced: bool = False,
        image_size: int | None = None,
        placement: str = "device",
        workers: int = 2,
        updates_per_call: int | None = None,
        due_every: int = 1,
    ) -> None:
        super().__init__()
        self.spec, self.batch_size, self.seed = spec, batch_size, seed
        self.image_size = spec.with_border(image_size)
        self.balanced, self.prepared = balanced, False
        self.root = Path(root) if root else None
        self.placement, self.workers = placement, workers
        self.updates_per_call, self.due_every = updates_per_call, due_every
        self.classes = sorted(set(range(len(spec.class_names)) if classes is None else classes))
        self.class_names = tuple(spec.class_names[number] for number in self.classes)
        counts = {number: spec.counts[number] for number in self.classes}
        self.at_most = [min(count, (at_most or {}).get(number, count)) for number, count in counts.items()]
        self.limit, self.count = limit, min(limit or sum(self.at_most), sum(self.at_most))
        if batch_size > self.count:
            raise UserError(f"data.batch_size={batch_size} exceeds the {self.count:,} training images")

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def updates_per_epoch(self) -> int:
        return self.count // self.batch_size

    def prepare_data(self) -> None:
        """Find, fetch and verify the data, once: `train` needs them before Lightning asks."""
        if self.spec.source is None and not self.prepared:
            sources.locate(self.root, self.spec)
        self.prepared = True

    def setup(self, stage: str) -> None:
        images, numbers = splits.of_training(self.root, self.spec)
        if len(self.classes) < len(self.spec.class_names):
            wanted = torch.isin(numbers, torch.tensor(self.classes))
            images, numbers = images[wanted], numbers[wanted]
        labels = torch.searchsorted(torch.tensor(self.classes), numbers)
        self.reference = self._limited(images), self._limited(labels)
        if sum(self.at_most) < len(labels):
            rows = first_of_each(labels, self.at_most)[: self.limit]
            images, self.labels = images[rows], labels[rows]
        else:
            images, self.labels = self.reference
        before, odd = divmod(self.image_size - self.spec.image_size, 2)
        border = [before, before + odd] * 2
        self.images = pad(images, border) if any(border) else images  # without a border, shared with `reference` if possible

    def _limited(self, of_images: Tensor) -> Tensor:
        """Return the first `limit` rows, as a copy: a view would keep all of them in memory."""
        return of_images if self.limit is None else of_images[: self.limit].clone()

    def train_dataloader(self) -> Batches | EpochBatches:
        trainer = self.trainer
        if trainer is None:
            self.setup("fit")
        settings = (self.count, self.batch_size, self.seed, *((trainer.global_rank, trainer.world_size) if trainer else ()))
        order = BalancedOrder(*settings, labels=self.labels) if self.balanced else EpochOrder(*settings)
        device = trainer.strategy.root_device if trainer else torch.device("cpu")
        if trainer is None or self.updates_per_call is None:
            on_device = self.placement == "device"
            images, labels = (each.to(device) if on_device else each for each in (self.images, self.labels))
            return EpochBatches(images, labels, order, self._epoch)

        def next_update() -> int:
            return trainer.global_step

        calls = Calls(self.updates_per_call, self.due_every, None if trainer.max_steps < 0 else trainer.max_steps)
        if self.placement == "device":
            return ResidentBatches(self.images.to(device), self.labels.to(device), order, calls, next_update)
        on_gpu = device.type == "cuda"
        return HostBatches(self.images, self.labels, order, calls, next_update, workers=self.workers, pin_memory=on_gpu)

    def _epoch(self) -> int:
        """The epoch whose order counts: the trainer's, or the first where it overfits some batches or there is none."""
        return 0 if self.trainer is None or getattr(self.trainer, "overfit_batches", 0) else self.trainer.current_epoch


def first_of_each(labels: Int[Tensor, " count"], at_most: Sequence[int]) -> Int[Tensor, " rows"]:
    """Return the indices of the first `at_most[label]` images of each label, in ascending order."""
    rows = [(labels == label).nonzero().flatten()[:most] for label, most in enumerate(at_most)]
    return torch.cat(rows).sort().values
