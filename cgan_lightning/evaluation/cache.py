"""What is found out about real images, kept in the cache folder: every command needs it, and it follows from the images."""

import contextlib
import hashlib
import os
from collections.abc import Callable

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from cgan_lightning.data.sources import cache_folder

LEAST = 5_000  # images; fewer take no time


def kept(what: str, inputs: tuple[Tensor, ...], compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """`compute()`, on the CPU, from the cache where it was computed before of the same `inputs` by this version of PyTorch.

    `what` names the computation and all else that its bits depend on.
    """
    if len(inputs[0]) < LEAST:
        return compute()
    digest = hashlib.sha256(f"{what} {torch.__version__}".encode())
    for tensor in inputs:
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    path = cache_folder() / "real_images" / f"{what.split()[0]}-{digest.hexdigest()[:16]}.safetensors"
    with contextlib.suppress(OSError, safetensors.SafetensorError):  # not there, or damaged
        return safetensors.torch.load_file(path)
    result = {name: tensor.cpu().contiguous() for name, tensor in compute().items()}
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):  # no room, or not ours to write: it is computed again
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(safetensors.torch.save(result))
        beside.replace(path)
    return result
