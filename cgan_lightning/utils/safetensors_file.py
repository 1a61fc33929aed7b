"""Weights from a .safetensors file, which may come from anyone: nothing is read before all that it promises is right."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor, nn

from cgan_lightning.utils.errors import UserError, shown

HEADER_LIMIT = 2**20  # bytes; ours have some thousands, and a longer one costs many times its length to parse
REAL = {"F32": torch.float32, "F64": torch.float64}  # as `trainer.precision` keeps them


@contextmanager
def opened(path: Path, what: str) -> Iterator[Any]:
    """The file, its header parsed. Raises UserError, then and while it is used, where it is no `what`."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if length > HEADER_LIMIT:
            raise UserError(f"it is no {what} (its header would have {length:,} bytes)")
        with safetensors.safe_open(path, "pt") as file:
            yield file
    except (safetensors.SafetensorError, OSError) as error:
        raise UserError(f"it is no {what} ({shown(error)})") from None


def metadata(file: Any, key: str) -> Any:
    """What the file says of itself as JSON under `key`. Raises UserError where that isn't there, or no JSON."""
    try:
        return json.loads((file.metadata() or {})[key])
    except KeyError:
        raise UserError(f"it has no {key}") from None
    except RecursionError:
        raise UserError(f"its {key} is too deeply nested") from None
    except ValueError as error:
        raise UserError(f"its {key} is no JSON ({shown(error)})") from None


def read(file: Any, network: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    """The state that `network`, built on the meta device, needs, from the tensors of `file` whose names begin with `prefix`.

    Real numbers come as float32, in memory of their own. Raises UserError unless names, shapes and types are the network's.
    """
    wanted = network.state_dict()
    there = {key.removeprefix(prefix): key for key in file.keys() if key.startswith(prefix)}  # noqa: SIM118  no dictionary
    if differing := sorted(wanted.keys() ^ there.keys()):
        raise UserError(f"it {'lacks' if differing[0] in wanted else 'has'} {prefix}{shown(differing[0])}")
    for key, like in wanted.items():
        part = file.get_slice(there[key])
        shape, kind = tuple(part.get_shape()), part.get_dtype()
        if shape != tuple(like.shape):
            raise UserError(f"{there[key]} has shape {shown(shape)}, and its network has {tuple(like.shape)}")
        if (kind not in REAL) if like.is_floating_point() else kind != "I64":
            raise UserError(f"{there[key]} has type {kind}, which is none of its network's")
    return {key: file.get_tensor(there[key]).to(like.dtype, copy=True) for key, like in wanted.items()}
