"""Read weights from an untrusted .safetensors file: its header is validated before any tensor is read."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor, nn

from cgan_lightning.utils import old_names
from cgan_lightning.utils.errors import UserError, shown

HEADER_LIMIT = 2**20  # bytes; this project's have some thousands, and parsing takes many times the length
REAL = {"F32": torch.float32, "F64": torch.float64}  # as saved for each `trainer.precision`


@contextmanager
def opened(path: Path, what: str) -> Iterator[Any]:
    """Open the file and parse its header. Raises UserError, also while it is in use, if it is no valid `what`."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if length > HEADER_LIMIT:
            raise UserError(f"it is no {what} (its header claims {length:,} bytes)")
        with safetensors.safe_open(path, "pt") as file:
            yield file
    except (safetensors.SafetensorError, OSError) as error:
        raise UserError(f"it is no {what} ({shown(error)})") from None


def metadata(file: Any, key: str) -> Any:
    """Return the JSON metadata under `key`. Raises UserError if it is missing or not JSON."""
    try:
        return json.loads(old_names.current(file.metadata() or {})[key])
    except KeyError:
        raise UserError(f"it has no {key}") from None
    except RecursionError:
        raise UserError(f"its {key} is too deeply nested") from None
    except ValueError as error:
        raise UserError(f"its {key} is no JSON ({shown(error)})") from None


def read(file: Any, network: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    """Read the state of `network`, built on the meta device, from the tensors of `file` whose names begin with `prefix`.

    Floats are returned as float32 copies. Raises UserError unless names, shapes and types match the network's.
    """
    expected = network.state_dict()
    stored = {key.removeprefix(prefix): key for key in file.keys() if key.startswith(prefix)}  # noqa: SIM118  no dictionary
    if differing := sorted(expected.keys() ^ stored.keys()):
        raise UserError(f"it {'lacks' if differing[0] in expected else 'has'} {prefix}{shown(differing[0])}")
    for key, like in expected.items():
        part = file.get_slice(stored[key])
        shape, kind = tuple(part.get_shape()), part.get_dtype()
        if shape != tuple(like.shape):
            raise UserError(f"{stored[key]} has shape {shown(shape)}, but its network needs {tuple(like.shape)}")
        if (kind not in REAL) if like.is_floating_point() else kind != "I64":
            raise UserError(f"{stored[key]} has type {kind}, which does not match its network")
    return {key: file.get_tensor(stored[key]).to(like.dtype, copy=True) for key, like in expected.items()}
