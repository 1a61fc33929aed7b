"""Lightning's checkpoints, whole or not there, and read as data alone."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from cgan_lightning.files import write_atomically


class AtomicCheckpointIO(TorchCheckpointIO):
    """Never leaves half a file under the name, and never unpickles more than tensors and plain containers."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        write_atomically(Path(path), lambda beside: torch.save(checkpoint, beside))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return torch.load(path, map_location=map_location, weights_only=True)


def updates_of(checkpoint: Path) -> int:
    """The update after which `checkpoint` was written."""
    return torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)["global_step"]
