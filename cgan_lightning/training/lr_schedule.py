"""Learning-rate schedules as functions of the images seen."""

import math
from abc import ABC, abstractmethod
from collections.abc import Collection

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cgan_lightning.registry import register

Progress = Float[Tensor, " updates"]  # of the decay, from 0 to 1


class Decay(ABC):
    """The shape of the decay from `lr` to `final_lr`."""

    @abstractmethod
    def __call__(self, progress: Progress) -> Progress:
        """Return the remaining share of the decay: 1 at `progress` 0, 0 at `progress` 1."""


@register("lr_schedule", "cosine")
class Cosine(Decay):
    """Half a cosine (Loshchilov and Hutter 2017, equation 5)."""

    def __call__(self, progress: Progress) -> Progress:
        return (1 + (math.pi * progress).cos()) / 2


@register("lr_schedule", "linear")
class Linear(Decay):
    """Linear decay."""

    def __call__(self, progress: Progress) -> Progress:
        return 1 - progress


class LearningRate:
    """A decay from `lr` to `final_lr` over the first `decay_images` images, then `final_lr`; None: constant `lr`.

    `decay_share`, which takes precedence, is the length of the decay as a share of the run's planned images, in (0, 1]. With
    `decay_images` a longer run has the same schedule, with `decay_share` it does not.
    """

    def __init__(
        self,
        *,
        lr: float,
        final_lr: float = 0.0,
        decay: Decay | None = None,
        decay_images: float | None = None,
        decay_share: float | None = None,
    ) -> None:
        self.decay = decay or Cosine()
        self.lr, self.final_lr, self.decay_images, self.decay_share = lr, final_lr, decay_images, decay_share

    def __call__(self, images_seen: Int[Tensor, " updates"], *, planned_images: int) -> Float[Tensor, " updates"]:
        """Return the learning rates of updates by the images seen before each, in double precision."""
        images_before = images_seen.double()
        images = self.decay_images if self.decay_share is None else self.decay_share * planned_images
        if images is None:
            return torch.full_like(images_before, self.lr)
        return self.final_lr + (self.lr - self.final_lr) * self.decay((images_before / images).clamp(max=1))


def rates_of(
    schedules: Collection[LearningRate], images_seen: Int[Tensor, " updates"], *, planned_images: int
) -> Float[Tensor, "updates schedules"]:
    """Return the learning rates of all `schedules`, one column each."""
    return torch.stack([schedule(images_seen, planned_images=planned_images) for schedule in schedules], dim=1)
