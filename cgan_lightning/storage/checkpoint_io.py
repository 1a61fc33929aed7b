"""Training checkpoints: written atomically with a SHA-256, the last two kept, and loaded as data only."""

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
    """Write a checkpoint atomically; with `keep`, the previous file at `path` is renamed to it."""
    content = io.BytesIO()
    torch.save({_FORMAT: FORMAT, **checkpoint}, content)
    protected = checksum.with_checksum(content.getvalue())
    write_atomically(path, lambda partial: partial.write_bytes(protected), keep=keep)


def examine(path: Path, model: nn.Module) -> int:
    """Return the update at which the checkpoint at `path` was written, without reading its tensors.

    Raises the errors of `read`, and UserError if `model` cannot be resumed from the checkpoint.
    """
    checkpoint = read(path)
    check_fits(str(path), checkpoint["state_dict"], model)
    return checkpoint["global_step"]


def read(path: Path) -> dict[str, Any]:
    """Load a training checkpoint on the CPU; its tensors are memory-mapped.

    Raises DamagedError for a file that differs from what was written, UserError for one that is no training checkpoint.
    """
    checksum.check(path)
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, EOFError, OSError):
        raise UserError(f"{path} is not a checkpoint of cgan_lightning: it contains more than tensors and plain data") from None
    if not isinstance(checkpoint, dict) or not checkpoint.keys() >= _PARTS:
        raise UserError(f"{path} is not a training checkpoint of cgan_lightning: it lacks required parts")
    if checkpoint.get(_FORMAT) != FORMAT:
        raise UserError(f"{path} has format {checkpoint.get(_FORMAT)}, this version reads {FORMAT}")
    return checkpoint


def check_fits(prefix: str, kept: Any, model: nn.Module) -> None:
    """Raise UserError unless the state `kept` has the names and shapes of `model`'s; the message begins with `prefix`."""
    saved, needed = _shapes(kept if isinstance(kept, dict) else {}), _shapes(model.state_dict())
    for name in sorted(saved.keys() | needed.keys()):
        if saved.get(name) != needed.get(name):
            has, needs = (" × ".join(map(str, shapes[name])) if name in shapes else "none" for shapes in (saved, needed))
            raise UserError(f"{prefix} does not fit these settings: {name} has shape {has}, but {needs} is needed")


def _shapes(weights: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {str(name): tuple(tensor.shape) for name, tensor in weights.items() if isinstance(tensor, torch.Tensor)}
