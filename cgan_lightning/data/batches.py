"""Batches of an epoch: shuffled by (seed, epoch), sliced by rank, resumable at any update, grouped into calls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cgan_lightning.utils import seeding
from cgan_lightning.utils.images import normalise

Batch = tuple[Float[Tensor, "updates batch channels size size"], Int[Tensor, "updates batch"]]  # of one call


@dataclass(frozen=True)
class EpochOrder:
    """The image indices of each batch: a function of (seed, epoch) only.

    Every image is used at most once per epoch. A remainder smaller than one batch is dropped, a different one each epoch, so
    that all batches have the same shape. Ranks take disjoint slices of the global batch.
    """

    count: int  # images
    batch_size: int  # summed over all ranks
    seed: int
    rank: int = 0
    ranks: int = 1

    @property
    def updates(self) -> int:
        """The number of batches in an epoch."""
        return self.count // self.batch_size

    def __call__(self, epoch: int, device: torch.device | str = "cpu") -> Int[Tensor, "updates local_batch"]:
        generator = seeding.generator(self.seed, "order", epoch, device)
        order = self._shuffled(generator, device)
        batches = order[: self.updates * self.batch_size].view(self.updates, self.batch_size)
        return batches.chunk(self.ranks, dim=1)[self.rank]

    def _shuffled(self, generator: torch.Generator, device: torch.device | str) -> Int[Tensor, " count"]:
        return torch.randperm(self.count, generator=generator, device=device)


@dataclass(frozen=True)
class BalancedOrder(EpochOrder):
    """Alternates between all classes, so that their numbers of images in a batch differ by at most one.

    The epoch length is unchanged. If class sizes differ, all classes still have equal shares: small classes are repeated,
    reshuffled each time, and a part of large classes is dropped, a different one each epoch.
    """

    labels: Int[Tensor, " count"] | None = None  # of all images

    def _shuffled(self, generator: torch.Generator, device: torch.device | str) -> Int[Tensor, " count"]:
        order = super()._shuffled(generator, device)
        labels = cast(Tensor, self.labels).to(device)[order]
        classes = labels.unique()
        turns = -(-self.count // len(classes))
        columns = [_repeated(order[labels == label], turns, generator) for label in classes]
        return torch.stack(columns, dim=1).flatten()[: self.count]


def _repeated(rows: Int[Tensor, " rows"], count: int, generator: torch.Generator) -> Int[Tensor, " count"]:
    """Return `rows`, followed by random permutations of them, up to `count` in total."""
    again = -(-count // len(rows)) - 1
    if again:
        orders = torch.rand(again, len(rows), generator=generator, device=rows.device).argsort(dim=1)
        rows = torch.cat([rows, rows[orders].flatten()])
    return rows[:count]


@dataclass(frozen=True)
class Calls:
    """Group updates into calls of at most `most` updates that end where something is due.

    Due are an epoch's end, the run's last update, and every `due_every` updates.
    """

    most: int
    due_every: int = 1
    last_update: int | None = None  # of the run; None: unlimited

    def __call__(self, update: int, epoch_end: int) -> list[int]:
        """Return the number of updates in each call from `update` up to `epoch_end`."""
        ends = [epoch_end] if self.last_update is None else [epoch_end, self.last_update]
        counts = []
        while update < epoch_end:
            due = [*ends, (update // self.due_every + 1) * self.due_every]
            counts.append(min(self.most, *(end - update for end in due if end > update)))
            update += counts[-1]
        return counts


class EpochBatches:
    """An epoch's batches one by one, (batch, 1, size, size) and (batch,), for any Trainer or loop; `epoch()` is its number."""

    def __init__(
        self,
        images: UInt8[Tensor, "count channels size size"],
        labels: Int[Tensor, " count"],
        order: EpochOrder,
        epoch: Callable[[], int],
    ) -> None:
        self.images, self.labels, self.order, self.epoch = images, labels, order, epoch

    def __len__(self) -> int:
        return self.order.updates

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in self.order(self.epoch(), self.images.device):
            yield normalise(self.images[rows]), self.labels[rows]


class Batches:
    """An epoch's batches from update `next_update()` on, so that a run can resume in the middle of an epoch.

    `next_update` counts over the whole run and determines the epoch. There is no length, because it would differ by epoch.
    """

    def __init__(
        self,
        images: UInt8[Tensor, "count channels size size"],
        labels: Int[Tensor, " count"],
        order: EpochOrder,
        calls: Calls,
        next_update: Callable[[], int],
    ) -> None:
        self.images, self.labels, self.order, self.calls, self.next_update = images, labels, order, calls, next_update

    def rows(self, device: torch.device | str) -> tuple[Tensor, ...]:
        """Return the image indices of each call: (updates, local_batch)."""
        update = self.next_update()
        epoch, position = divmod(update, self.order.updates)
        return self.order(epoch, device)[position:].split(self.calls(update, (epoch + 1) * self.order.updates))

    def state_dict(self) -> dict:
        """Return no state: the position follows from the update. Its presence tells Lightning that the loader can resume."""
        return {}

    def load_state_dict(self, state: dict) -> None:
        pass


class ResidentBatches(Batches):
    """Images are stored on the training device; a batch is indexed and normalised there, without a copy from the host."""

    def __iter__(self) -> Iterator[Batch]:
        for rows in self.rows(self.images.device):
            yield normalise(self.images[rows]), self.labels[rows]


class HostBatches(Batches):
    """Images are stored in host memory; worker processes prepare batches, pinned for the copy to a GPU."""

    def __init__(self, *args, workers: int, pin_memory: bool) -> None:
        super().__init__(*args)
        self.workers, self.pin_memory = workers, pin_memory

    def __iter__(self) -> Iterator[Batch]:
        return iter(
            DataLoader(
                _Rows(self.images, self.labels),
                batch_sampler=[rows.tolist() for rows in self.rows("cpu")],
                collate_fn=_as_is,
                num_workers=self.workers,
                pin_memory=self.pin_memory,
            )
        )


class _Rows(Dataset):
    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels

    def __getitems__(self, rows: list[list[int]]) -> Batch:
        """Return all images of a call; PyTorch calls this instead of `__getitem__` for each image."""
        of_updates = torch.tensor(rows)
        return normalise(self.images[of_updates]), self.labels[of_updates]


def _as_is(batch: Any) -> Any:
    return batch  # _Rows has already collated it
