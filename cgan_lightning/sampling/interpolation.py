"""Interpolation between images in equal steps: along the label, along z, or along both."""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.sampling import sampling
from cgan_lightning.sampling.class_names import Label

Paths = Float[Tensor, "paths steps channels size size"]


def shares(steps: int) -> Float[Tensor, "steps 1"]:
    """Return `steps` equally spaced numbers from 0 to 1."""
    return torch.linspace(0, 1, steps)[:, None]


def along_label(trained: TrainedGenerator, start: Label, end: Label, seeds: Sequence[int], steps: int) -> Paths:
    """Return a path for each image seed on which the label changes from `start` to `end`."""
    z = sampling.latents(trained.prior, trained.latent_dim, seeds)
    labels = torch.lerp(torch.tensor(start.weights), torch.tensor(end.weights), shares(steps))
    return _drawn(trained, z[:, None].expand(-1, steps, -1), labels.expand(len(z), -1, -1))


def along_z(trained: TrainedGenerator, labels: Sequence[Label], start: int, end: int, steps: int) -> Paths:
    """Return a path for each label on which z is interpolated between two image seeds, by its prior."""
    z = trained.prior.interpolate(*sampling.latents(trained.prior, trained.latent_dim, [start, end]).split(1), shares(steps))
    weights = torch.tensor([label.weights for label in labels])
    return _drawn(trained, z.expand(len(labels), -1, -1), weights[:, None].expand(-1, steps, -1))


def along_both(trained: TrainedGenerator, start: Label, end: Label, seeds: Sequence[tuple[int, int]], steps: int) -> Paths:
    """Return a path for each pair of image seeds on which both the label and z change."""
    starts, ends = (sampling.latents(trained.prior, trained.latent_dim, side) for side in zip(*seeds, strict=True))
    labels = torch.lerp(torch.tensor(start.weights), torch.tensor(end.weights), shares(steps))
    return _drawn(trained, trained.prior.interpolate(starts, ends, shares(steps)), labels.expand(len(seeds), -1, -1))


def random_along_label(trained: TrainedGenerator, seeds: Sequence[int], steps: int) -> Paths:
    """Return a path for each image seed between two classes, cycling through all ordered pairs."""
    classes = len(trained.class_names)
    pairs = [(one, other) for one in range(classes) for other in range(classes) if one != other]
    ends = torch.eye(classes)[torch.tensor([pairs[seed % len(pairs)] for seed in seeds])]  # (paths, 2, classes)
    labels = torch.lerp(ends[:, :1], ends[:, 1:], shares(steps))
    z = sampling.latents(trained.prior, trained.latent_dim, seeds)
    return _drawn(trained, z[:, None].expand(-1, steps, -1), labels)


def random_along_z(trained: TrainedGenerator, seeds: Sequence[int], steps: int) -> Paths:
    """Return a path for each image seed to the z of the next one with a fixed class, cycling through all classes."""
    z = sampling.latents(trained.prior, trained.latent_dim, [*seeds, seeds[-1] + 1])
    labels = torch.eye(len(trained.class_names))[torch.tensor(seeds) % len(trained.class_names)]
    return _drawn(trained, trained.prior.interpolate(z[:-1], z[1:], shares(steps)), labels[:, None].expand(-1, steps, -1))


def _drawn(
    trained: TrainedGenerator, z: Float[Tensor, "paths steps latent"], labels: Float[Tensor, "paths steps classes"]
) -> Paths:
    images = sampling.sample(trained.network, z.flatten(0, 1), labels.flatten(0, 1))
    return cast(Tensor, images.unflatten(0, z.shape[:2]))
