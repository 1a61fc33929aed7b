"""Random draws as functions of (seed, purpose, index): no draw depends on what was drawn before it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def generator(seed: int, purpose: str, index: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator for draw number `index` of one purpose ("noise", "order", ...) of a run.

    Equal arguments give equal draws on one kind of device, in any process and in any order: this is what makes a resumed
    run exact. PyTorch's CPU generator reads the low 32 bits of a seed alone, so indices count up from a hashed start:
    within a purpose no two of them meet in the first 2**32.

    >>> int(torch.randint(1000, (), generator=generator(0, "example", 7)))
    612
    """
    return torch.Generator(device).manual_seed((_start(seed, purpose) + index) % 2**63)


@contextmanager
def seeded(seed: int, purpose: str) -> Iterator[None]:
    """Inside, PyTorch's global CPU generator is seeded (layers draw their first weights from it); outside, untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(_start(seed, purpose))
        yield


def _start(seed: int, purpose: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}/{purpose}".encode(), digest_size=7).digest(), "little")
