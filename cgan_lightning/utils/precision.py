"""Whether a GPU rounds the factors of float32 convolutions and matrix products to TF32's 10 bits: faster, and inexact."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def use_tf32(on: bool) -> None:
    """In this process from now on. Without it PyTorch has TF32 for convolutions alone."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = on


@contextmanager
def without_tf32() -> Iterator[None]:
    """Inside, float32 is float32, so that pictures are the same on every device."""
    earlier = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    use_tf32(False)
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = earlier
