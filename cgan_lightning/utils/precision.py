"""Enable or disable TF32 on GPUs, which rounds factors of float32 products to 10 bits: faster, but inexact."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def use_tf32(on: bool) -> None:
    """Enable or disable TF32 in this process. PyTorch's default enables it only for convolutions."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = on


@contextmanager
def without_tf32() -> Iterator[None]:
    """Disable TF32 inside the context, so that images are the same on every device."""
    earlier = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    use_tf32(False)
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = earlier
