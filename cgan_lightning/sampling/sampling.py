"""Pictures from a generator: image i is a function of its own seed and class, not of the batch it is drawn in."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from cgan_lightning.distributed import collectives
from cgan_lightning.models.conditioning import Labels
from cgan_lightning.models.generator import ConditionalGenerator
from cgan_lightning.utils import seeding
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.images import to_uint8, without_border
from cgan_lightning.utils.precision import without_tf32


def latents(
    prior: Callable[[int, int, torch.Generator], Tensor], latent_dim: int, seeds: Sequence[int]
) -> Float[Tensor, "count latent"]:
    """One z an image seed, drawn on the CPU, so that a seed means the same picture on every device."""
    return torch.cat([prior(1, latent_dim, seeding.generator(seed, "image")) for seed in seeds])


def read_latents(path: Path, latent_dim: int) -> Float[Tensor, "count latent"]:
    """z from a .npy file, of shape (count, latent_dim) or, for one, (latent_dim,). Raises UserError for anything else."""
    try:
        result = np.atleast_2d(np.load(path, allow_pickle=False))
    except FileNotFoundError:
        raise UserError(f"z={path}: there is no such file; numpy.save writes one, of shape (count, {latent_dim})") from None
    except (OSError, ValueError, EOFError):
        raise UserError(f"z={path} is no .npy file; numpy.save writes one, of shape (count, {latent_dim})") from None
    if result.ndim != 2 or result.shape[1] != latent_dim or not len(result):
        raise UserError(f"z={path} has shape {result.shape}: this generator takes (count, {latent_dim})")
    if result.dtype.kind not in "fiu" or not np.isfinite(result).all():
        raise UserError(f"z={path} holds {result.dtype}: it must hold numbers, none of them infinite or missing")
    return torch.from_numpy(result.astype(np.float32))


@torch.no_grad()
def sample(
    network: nn.Module, z: Float[Tensor, "count latent"], labels: Labels, *, batch_size: int = 256
) -> Float[Tensor, "count 1 size size"]:
    """G(z, labels) in eval mode, `batch_size` at a time, on the CPU; the network is left in the mode it was in.

    A label is a class index, or a weight for each class.
    """
    like = next(network.parameters())
    labels = labels.to(like) if labels.is_floating_point() else labels.to(like.device)
    was_training = network.training
    network.eval()
    parts = zip(z.to(like).split(batch_size), labels.split(batch_size), strict=True)
    with without_tf32():
        images = torch.cat([network(*part).float().cpu() for part in parts])
    network.train(was_training)
    return images


def every_pair(
    network: nn.Module, z: Float[Tensor, "columns latent"], labels: Labels, *, batch_size: int = 256
) -> Float[Tensor, "rows columns 1 size size"]:
    """A row a label, a column a z."""
    images = sample(network, z.repeat(len(labels), 1), labels.repeat_interleave(len(z), 0), batch_size=batch_size)
    return images.unflatten(0, (len(labels), len(z)))


def sample_grid(
    network: ConditionalGenerator,
    prior: Callable[[int, int, torch.Generator], Tensor],
    classes: Sequence[int],
    seeds: Sequence[int],
    *,
    batch_size: int = 256,
) -> Float[Tensor, "classes seeds 1 size size"]:
    """A row a class, a column an image seed: one z down each column."""
    z = latents(prior, network.latent_dim, seeds)
    return every_pair(network, z, torch.tensor(classes), batch_size=batch_size)


def balanced(
    network: ConditionalGenerator,
    prior: Callable[[int, int, torch.Generator], Tensor],
    classes: int,
    count: int,
    *,
    seed: int,
    size: int = 28,
    batch_size: int = 250,
) -> tuple[UInt8[Tensor, "count 1 size size"], Int[Tensor, " count"]]:
    """`count` pictures as bytes, image seeds `seed` and on, as many of each class; a border around `size` is cut off.

    Where there are several ranks, all must call it: each draws its part, in the batches that one would draw, and gets all.
    """
    labels = torch.arange(count - count % classes) % classes
    mine = collectives.rank_slice(len(labels), batch_size)
    z = latents(prior, network.latent_dim, range(seed, seed + len(labels)))[mine]
    images = without_border(sample(network, z, labels[mine], batch_size=batch_size), size)
    return collectives.all_gather(to_uint8(images)), labels
