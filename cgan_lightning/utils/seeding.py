"""Random draws as functions of (seed, purpose, index), independent of earlier draws."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def generator(seed: int, purpose: str, index: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a new generator for draw number `index` of one purpose ("noise", "order", ...) of a run.

    Equal arguments give equal draws on one kind of device, in any process and order, which makes resuming exact. PyTorch's CPU
    generator uses only the low 32 bits of a seed, so indices are added to a hashed start: the first 2**32 of a purpose differ.

    >>> int(torch.randint(1000, (), generator=generator(0, "example", 7)))
    612
    """
    return torch.Generator(device).manual_seed((_start(seed, purpose) + index) % 2**63)


@contextmanager
def seeded(seed: int, purpose: str) -> Iterator[None]:
    """Seed PyTorch's global CPU generator inside the context, for weight initialisation, and restore it afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(_start(seed, purpose))
        yield


def _start(seed: int, purpose: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}/{purpose}".encode(), digest_size=7).digest(), "little")
