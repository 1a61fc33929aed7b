"""Pictures from a generator: image i is a function of its own seed and class, not of the batch it is drawn in."""

from collections.abc import Callable, Sequence
from typing import cast

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from cgan_lightning import collectives, seeding
from cgan_lightning.images import to_uint8, without_border


def latents(
    prior: Callable[[int, int, torch.Generator], Tensor], latent_dim: int, seeds: Sequence[int]
) -> Float[Tensor, "count latent"]:
    """One z an image seed, drawn on the CPU, so that a seed means the same picture on every device."""
    return torch.cat([prior(1, latent_dim, seeding.generator(seed, "image")) for seed in seeds])


@torch.no_grad()
def sample(
    network: nn.Module, z: Float[Tensor, "count latent"], labels: Sequence[int], *, batch_size: int = 256
) -> Float[Tensor, "count 1 size size"]:
    """G(z, labels) in eval mode, `batch_size` at a time, on the CPU; the network is left in the mode it was in."""
    like = next(network.parameters())
    classes = torch.tensor(labels, dtype=torch.long, device=like.device)
    was_training = network.training
    network.eval()
    parts = zip(z.to(like).split(batch_size), classes.split(batch_size), strict=True)
    images = torch.cat([network(*part).float().cpu() for part in parts])
    network.train(was_training)
    return images


def sample_grid(
    network: nn.Module,
    prior: Callable[[int, int, torch.Generator], Tensor],
    classes: Sequence[int],
    seeds: Sequence[int],
    *,
    batch_size: int = 256,
) -> Float[Tensor, "classes seeds 1 size size"]:
    """A row a class, a column an image seed: one z down each column."""
    z = latents(prior, cast(int, network.latent_dim), seeds).repeat(len(classes), 1)
    images = sample(network, z, [label for label in classes for _ in seeds], batch_size=batch_size)
    return images.unflatten(0, (len(classes), len(seeds)))


def balanced(
    network: nn.Module,
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
    labels = [index % classes for index in range(count - count % classes)]
    mine = collectives.share(len(labels), batch_size)
    z = latents(prior, cast(int, network.latent_dim), range(seed, seed + len(labels)))[mine]
    images = without_border(sample(network, z, labels[mine], batch_size=batch_size), size)
    return collectives.joined(to_uint8(images)), torch.tensor(labels)
