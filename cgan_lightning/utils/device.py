"""Which device `accelerator` means on this machine. Imports nothing but torch: commands that don't train need no Lightning."""

import torch

from cgan_lightning.utils.errors import UserError


def device_named(accelerator: str, key: str = "device", *, rank: int = 0) -> torch.device:
    """auto: a GPU where there is one, that of the machine's `rank`. Raises UserError, naming `key`, where there is none."""
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise UserError(f"{key}=gpu: PyTorch finds no GPU on this machine; take cpu or auto")
    return torch.device("cuda", rank) if accelerator != "cpu" and torch.cuda.is_available() else torch.device("cpu")
