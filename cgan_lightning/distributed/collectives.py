"""Collective operations between the ranks of one run; without effect for a single rank.

All ranks must call the same function at the same point: each call waits for the others. CPU tensors use gloo, GPU tensors nccl.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, distributed


def several_ranks() -> bool:
    return distributed.is_available() and distributed.is_initialized()


@torch.no_grad()
def average_(tensors: Sequence[Tensor]) -> None:
    """Average each tensor over the ranks in place, with one all-reduce of all tensors concatenated."""
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
    """Broadcast the tensors of rank zero in place."""
    if several_ranks():
        for tensor in tensors:
            distributed.broadcast(tensor, 0)


def rank_slice(count: int, chunk: int) -> slice:
    """Return this rank's slice of `count` items: contiguous, in rank order, and a multiple of `chunk` except at the end."""
    if not several_ranks():
        return slice(0, count)
    chunks, rank, ranks = -(-count // chunk), distributed.get_rank(), distributed.get_world_size()
    first, last = (min(count, part * chunks // ranks * chunk) for part in (rank, rank + 1))
    return slice(first, last)


@torch.no_grad()
def all_gather(part: Tensor) -> Tensor:
    """Concatenate the ranks' parts in rank order, on every rank; their lengths may differ."""
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
    """Return the maximum of the ranks' values, on every rank."""
    if not several_ranks():
        return value
    tensor = torch.tensor(value)
    distributed.all_reduce(tensor, distributed.ReduceOp.MAX)
    return int(tensor)


def all_reduce_min(value: int) -> int:
    return -all_reduce_max(-value)
