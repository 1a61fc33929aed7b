"""A cache of values computed from real images, which are the same for every command."""

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from cgan_lightning.data.sources import cache_folder
from cgan_lightning.distributed import collectives

LEAST = 5_000  # images; fewer are not cached, as they take little time


def kept(
    what: str, inputs: tuple[Tensor, ...], compute: Callable[[], dict[str, Tensor]], *, by_all_ranks: bool = False
) -> dict[str, Tensor]:
    """Return `compute()`, on the CPU, or its cached result for the same `inputs` and PyTorch version.

    `what` names the computation and everything else that its result depends on. `by_all_ranks`: all ranks call this, and
    they compute unless each of them has a cached result.
    """
    if len(inputs[0]) < LEAST:
        return compute()
    digest = hashlib.sha256(f"{what} {torch.__version__}".encode())
    for tensor in inputs:
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    path = cache_folder() / "real_images" / f"{what.split()[0]}-{digest.hexdigest()[:16]}.safetensors"
    found = _read(path)
    on_all = collectives.all_reduce_min(found is not None) if by_all_ranks else True
    if found is not None and on_all:
        return found
    result = {name: tensor.cpu().contiguous() for name, tensor in compute().items()}
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):  # disk full or no permission: it is computed again
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(safetensors.torch.save(result))
        temporary.replace(path)
    return result


def _read(path: Path) -> dict[str, Tensor] | None:
    """Return a cached result, or None if it is missing or damaged."""
    with contextlib.suppress(OSError, safetensors.SafetensorError):
        return safetensors.torch.load_file(path)
    return None
