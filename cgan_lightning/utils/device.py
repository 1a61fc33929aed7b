"""The device that an `accelerator` setting selects; imports only torch, so that not all commands import Lightning."""

import torch

from cgan_lightning.utils.errors import UserError


def device_named(accelerator: str, key: str = "device", *, rank: int = 0) -> torch.device:
    """Return the device; auto is the GPU of the local `rank` if there is one. Raises UserError for gpu without a GPU."""
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise UserError(f"{key}=gpu: PyTorch finds no GPU on this machine; take cpu or auto")
    return torch.device("cuda", rank) if accelerator != "cpu" and torch.cuda.is_available() else torch.device("cpu")
