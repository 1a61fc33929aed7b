"""How Lightning writes and reads training checkpoints: by checkpoint_io."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from cgan_lightning.storage import checkpoint_io
from cgan_lightning.utils import old_names


class SealedCheckpointIO(TorchCheckpointIO):
    """Never leaves half a file under the name, and never unpickles more than tensors and plain containers.

    `before` says, for a file, which other keeps the one before it.
    """

    def __init__(self, before: Mapping[Path, Path]) -> None:
        super().__init__()
        self.before = before

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        checkpoint_io.write(checkpoint, Path(path), keep=self.before.get(Path(path)))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        # To the CPU whatever it was written on: that device may not be here, and what is loaded moves by itself.
        state = torch.load(path, map_location=map_location or "cpu", weights_only=True)
        return state | {"callbacks": old_names.current(state["callbacks"])}
