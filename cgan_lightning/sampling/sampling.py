"""Sampling from a generator: an image is a function of its seed and class, not of the batch it is drawn in."""

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
    """Return one z per image seed, drawn on the CPU, so that a seed gives the same image on every device."""
    return torch.cat([prior(1, latent_dim, seeding.generator(seed, "image")) for seed in seeds])


def read_latents(path: Path, latent_dim: int) -> Float[Tensor, "count latent"]:
    """Read z from a .npy file of shape (count, latent_dim) or (latent_dim,). Raises UserError for any other file."""
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
) -> Float[Tensor, "count channels size size"]:
    """Return G(z, labels) in eval mode, in batches, on the CPU; the network's mode is restored.

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
) -> Float[Tensor, "rows columns channels size size"]:
    """Return an image for each label (row) and each z (column)."""
    images = sample(network, z.repeat(len(labels), 1), labels.repeat_interleave(len(z), 0), batch_size=batch_size)
    return images.unflatten(0, (len(labels), len(z)))


def sample_grid(
    network: ConditionalGenerator,
    prior: Callable[[int, int, torch.Generator], Tensor],
    classes: Sequence[int],
    seeds: Sequence[int],
    *,
    batch_size: int = 256,
) -> Float[Tensor, "classes seeds channels size size"]:
    """Return an image for each class (row) and image seed (column); a column has one z."""
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
) -> tuple[UInt8[Tensor, "count channels size size"], Int[Tensor, " count"]]:
    """Return `count` images as bytes, equally many of each class, with image seeds from `seed`; a border is cropped to `size`.

    On several ranks all must call it: each draws a share, in the same batches as a single rank, and gets all images.
    """
    labels = torch.arange(count - count % classes) % classes
    mine = collectives.rank_slice(len(labels), batch_size)
    z = latents(prior, network.latent_dim, range(seed, seed + len(labels)))[mine]
    images = without_border(sample(network, z, labels[mine], batch_size=batch_size), size)
    return collectives.all_gather(to_uint8(images)), labels
