"""Training checkpoints: whole or not there, the last two kept, sealed with their SHA-256, and read as data alone."""

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cgan_lightning.storage import checksum
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.files import write_atomically

FORMAT = 1
_FORMAT = "cgan_lightning_format"
_PARTS = {"global_step", "state_dict", "optimizer_states", "callbacks", "loops"}


def write(checkpoint: Mapping[str, Any], path: Path, *, keep: Path | None = None) -> None:
    """Never leaves half a file under the name; what was at `path` is then at `keep`, where that is given."""
    content = io.BytesIO()
    torch.save({_FORMAT: FORMAT, **checkpoint}, content)
    whole = checksum.sealed(content.getvalue())
    write_atomically(path, lambda beside: beside.write_bytes(whole), keep=keep)


def examine(path: Path, model: nn.Module) -> int:
    """The update after which the checkpoint at `path` was written; its tensors aren't read.

    Raises as `read` does, and UserError for a checkpoint that can't be gone on from with `model`.
    """
    checkpoint = read(path)
    check_fits(str(path), checkpoint["state_dict"], model)
    return checkpoint["global_step"]


def read(path: Path) -> dict[str, Any]:
    """A training checkpoint on the CPU; its tensors are read when they are used.

    Raises DamagedError for a file that isn't as it was written, UserError for one that is no training checkpoint.
    """
    checksum.check(path)
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, EOFError, OSError):
        raise UserError(f"{path} is no checkpoint of cgan_lightning: it holds more than tensors and plain data") from None
    if not isinstance(checkpoint, dict) or not checkpoint.keys() >= _PARTS:
        raise UserError(f"{path} is no training checkpoint of cgan_lightning: it lacks what one is made of")
    if checkpoint.get(_FORMAT) != FORMAT:
        raise UserError(f"{path} has format {checkpoint.get(_FORMAT)}, this version reads {FORMAT}")
    return checkpoint


def check_fits(prefix: str, kept: Any, model: nn.Module) -> None:
    """Raises UserError unless `kept`, of what is `prefix`, has the names and shapes of the state of `model`."""
    theirs, ours = _shapes(kept if isinstance(kept, dict) else {}), _shapes(model.state_dict())
    for name in sorted(theirs.keys() | ours.keys()):
        if theirs.get(name) != ours.get(name):
            have, need = (" × ".join(map(str, shapes[name])) if name in shapes else "nothing" for shapes in (theirs, ours))
            raise UserError(f"{prefix} doesn't fit these settings: {name} is {have} there, {need} is needed")


def _shapes(weights: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {str(name): tuple(tensor.shape) for name, tensor in weights.items() if isinstance(tensor, torch.Tensor)}
