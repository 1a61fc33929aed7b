"""From one picture to another in small steps: along the label, along z, along both."""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.sampling import sampling
from cgan_lightning.sampling.class_names import Label

Paths = Float[Tensor, "paths steps 1 size size"]


def shares(steps: int) -> Float[Tensor, "steps 1"]:
    """0 to 1 in so many equal places."""
    return torch.linspace(0, 1, steps)[:, None]


def along_label(trained: TrainedGenerator, start: Label, end: Label, seeds: Sequence[int], steps: int) -> Paths:
    """Each image seed's picture while its label turns from one into the other."""
    z = sampling.latents(trained.prior, trained.latent_dim, seeds)
    labels = torch.lerp(torch.tensor(start.weights), torch.tensor(end.weights), shares(steps))
    return _drawn(trained, z[:, None].expand(-1, steps, -1), labels.expand(len(z), -1, -1))


def along_z(trained: TrainedGenerator, labels: Sequence[Label], start: int, end: int, steps: int) -> Paths:
    """Each label's picture while z goes from one image seed's to another's, as its prior goes."""
    z = trained.prior.interpolate(*sampling.latents(trained.prior, trained.latent_dim, [start, end]).split(1), shares(steps))
    weights = torch.tensor([label.weights for label in labels])
    return _drawn(trained, z.expand(len(labels), -1, -1), weights[:, None].expand(-1, steps, -1))


def along_both(trained: TrainedGenerator, start: Label, end: Label, seeds: Sequence[tuple[int, int]], steps: int) -> Paths:
    """Pictures while the label turns and z goes from the first to the second of each pair of image seeds."""
    starts, ends = (sampling.latents(trained.prior, trained.latent_dim, side) for side in zip(*seeds, strict=True))
    labels = torch.lerp(torch.tensor(start.weights), torch.tensor(end.weights), shares(steps))
    return _drawn(trained, trained.prior.interpolate(starts, ends, shares(steps)), labels.expand(len(seeds), -1, -1))


def random_along_label(trained: TrainedGenerator, seeds: Sequence[int], steps: int) -> Paths:
    """A path for each image seed from one class to another: every class turns into every other in turn."""
    classes = len(trained.class_names)
    pairs = [(one, other) for one in range(classes) for other in range(classes) if one != other]
    ends = torch.eye(classes)[torch.tensor([pairs[seed % len(pairs)] for seed in seeds])]  # (paths, 2, classes)
    labels = torch.lerp(ends[:, :1], ends[:, 1:], shares(steps))
    z = sampling.latents(trained.prior, trained.latent_dim, seeds)
    return _drawn(trained, z[:, None].expand(-1, steps, -1), labels)


def random_along_z(trained: TrainedGenerator, seeds: Sequence[int], steps: int) -> Paths:
    """A path for each image seed to the z of the next one, its class staying: every class in turn."""
    z = sampling.latents(trained.prior, trained.latent_dim, [*seeds, seeds[-1] + 1])
    labels = torch.eye(len(trained.class_names))[torch.tensor(seeds) % len(trained.class_names)]
    return _drawn(trained, trained.prior.interpolate(z[:-1], z[1:], shares(steps)), labels[:, None].expand(-1, steps, -1))


def _drawn(
    trained: TrainedGenerator, z: Float[Tensor, "paths steps latent"], labels: Float[Tensor, "paths steps classes"]
) -> Paths:
    images = sampling.sample(trained.network, z.flatten(0, 1), labels.flatten(0, 1))
    return cast(Tensor, images.unflatten(0, z.shape[:2]))
