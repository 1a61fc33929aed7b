"""What the ranks of one run tell each other; where there is one rank, nothing happens.

Every rank must call the same function at the same point: each call waits for all others. Tensors on the CPU go by gloo,
those on a GPU by nccl.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, distributed


def several_ranks() -> bool:
    return distributed.is_available() and distributed.is_initialized()


@torch.no_grad()
def average_(tensors: Sequence[Tensor]) -> None:
    """Each tensor becomes its mean over the ranks, in place, through one all-reduce of all of them laid end to end."""
    if not several_ranks():
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    parts = flat.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view(tensor.shape))


@torch.no_grad()
def copy_from_zero_(tensors: Sequence[Tensor]) -> None:
    """Each tensor becomes that of rank zero, in place."""
    if several_ranks():
        for tensor in tensors:
            distributed.broadcast(tensor, 0)


def rank_slice(count: int, chunk: int) -> slice:
    """This rank's part of `count` items: in the order of the ranks, and in whole chunks, whatever their number is."""
    if not several_ranks():
        return slice(0, count)
    chunks, rank, ranks = -(-count // chunk), distributed.get_rank(), distributed.get_world_size()
    first, last = (min(count, part * chunks // ranks * chunk) for part in (rank, rank + 1))
    return slice(first, last)


@torch.no_grad()
def all_gather(part: Tensor) -> Tensor:
    """The ranks' parts laid end to end in their order, on every rank; their lengths may differ."""
    if not several_ranks():
        return part
    ranks = distributed.get_world_size()
    lengths = [torch.zeros(1, dtype=torch.long) for _ in range(ranks)]
    distributed.all_gather(lengths, torch.tensor([len(part)]))
    padded = part.new_zeros(max(map(int, lengths)), *part.shape[1:])
    padded[: len(part)] = part
    parts = [torch.empty_like(padded) for _ in range(ranks)]
    distributed.all_gather(parts, padded)
    return torch.cat([each[: int(length)] for each, length in zip(parts, lengths, strict=True)])


def all_reduce_max(value: int) -> int:
    """The highest of the ranks' values, on every rank."""
    if not several_ranks():
        return value
    tensor = torch.tensor(value)
    distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
    return int(tensor)


def all_reduce_min(value: int) -> int:
    return -all_reduce_max(-value)
