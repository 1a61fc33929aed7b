"""Batches of an epoch: shuffled by (seed, epoch), sliced by rank, started at any update, handed out a call at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cgan_lightning.utils import seeding
from cgan_lightning.utils.images import normalise

Batch = tuple[Float[Tensor, "updates batch 1 size size"], Int[Tensor, "updates batch"]]  # of one call


@dataclass(frozen=True)
class EpochOrder:
    """Which images make which batch: a function of (seed, epoch) alone.

    Every image comes at most once an epoch. The remainder smaller than one batch is left out, another one each epoch, so
    that all batches have one shape. Ranks take disjoint slices of the global batch.
    """

    count: int  # images
    batch_size: int  # of all ranks together
    seed: int
    rank: int = 0
    ranks: int = 1

    @property
    def updates(self) -> int:
        """Batches in an epoch."""
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
    """All classes in turn, so that every batch has as many images of one as of another, or one more.

    An epoch is as long as without balance. Where classes differ in size, all have the same share of it: the smaller ones come
    again, in another order each time, and of the larger ones a part is left out, another one each epoch.
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
    """`rows` as they are, then in one random order after another, up to `count`."""
    again = -(-count // len(rows)) - 1
    if again:
        orders = torch.rand(again, len(rows), generator=generator, device=rows.device).argsort(dim=1)
        rows = torch.cat([rows, rows[orders].flatten()])
    return rows[:count]


@dataclass(frozen=True)
class Calls:
    """Which updates are done in one call: `most` of them, or as many as are left until something is due.

    That is an epoch's end, the run's last update, and every so many updates.
    """

    most: int
    due_every: int = 1
    last_update: int | None = None  # of the run; None: as many as there are

    def __call__(self, update: int, epoch_end: int) -> list[int]:
        """The numbers of updates of each call from `update` up to `epoch_end`."""
        ends = [epoch_end] if self.last_update is None else [epoch_end, self.last_update]
        counts = []
        while update < epoch_end:
            due = [*ends, (update // self.due_every + 1) * self.due_every]
            counts.append(min(self.most, *(end - update for end in due if end > update)))
            update += counts[-1]
        return counts


class Batches:
    """An epoch's batches from update `next_update()` on, so that a resumed run goes on in mid-epoch.

    `next_update` counts over the whole run; the epoch follows from it. There is no length: it would differ by epoch.
    """

    def __init__(
        self,
        images: UInt8[Tensor, "count 1 size size"],
        labels: Int[Tensor, " count"],
        order: EpochOrder,
        calls: Calls,
        next_update: Callable[[], int],
    ) -> None:
        self.images, self.labels, self.order, self.calls, self.next_update = images, labels, order, calls, next_update

    def rows(self, device: torch.device | str) -> tuple[Tensor, ...]:
        """Which images make the batches of each call: (updates, local_batch)."""
        update = self.next_update()
        epoch, position = divmod(update, self.order.updates)
        return self.order(epoch, device)[position:].split(self.calls(update, (epoch + 1) * self.order.updates))

    def state_dict(self) -> dict:
        """Nothing: the position follows from the update. Lightning takes it as the word that the loader can resume."""
        return {}

    def load_state_dict(self, state: dict) -> None:
        pass


class ResidentBatches(Batches):
    """Images live on the training device; a batch is an index and a normalisation there, with no copy from the host."""

    def __iter__(self) -> Iterator[Batch]:
        for rows in self.rows(self.images.device):
            yield normalise(self.images[rows]), self.labels[rows]


class HostBatches(Batches):
    """Images stay in the host's memory; worker processes prepare batches, pinned for the copy to a GPU."""

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
        """All of a call at once: PyTorch calls this in place of one `__getitem__` an image."""
        of_updates = torch.tensor(rows)
        return normalise(self.images[of_updates]), self.labels[of_updates]


def _as_is(batch: Any) -> Any:
    return batch  # _Rows has put it together already
