"""The Lightning plugin that writes and reads training checkpoints with checkpoint_io."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from cgan_lightning.storage import checkpoint_io
from cgan_lightning.utils import old_names


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write checkpoints atomically, and unpickle nothing but tensors and plain containers.

    `previous` maps a file to the one that keeps its previous version.
    """

    def __init__(self, previous: Mapping[Path, Path]) -> None:
        super().__init__()
        self.previous = previous

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        checkpoint_io.write(checkpoint, Path(path), keep=self.previous.get(Path(path)))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        # To the CPU, because the original device may be missing; Lightning moves the state to the right device.
        state = torch.load(path, map_location=map_location or "cpu", weights_only=True)
        return state | {"callbacks": old_names.current(state["callbacks"])}
