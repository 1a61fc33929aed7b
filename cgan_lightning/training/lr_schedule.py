"""How an optimizer's learning rate goes with the images seen."""

import math
from abc import ABC, abstractmethod
from collections.abc import Collection

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cgan_lightning.registry import register

Progress = Float[Tensor, " updates"]  # of the fall, from 0 to 1


class Decay(ABC):
    """The way from `lr` down to `final_lr`."""

    @abstractmethod
    def __call__(self, progress: Progress) -> Progress:
        """What is left of the way, from 1 where `progress` is 0 to 0 where it is 1."""


@register("lr_schedule", "cosine")
class Cosine(Decay):
    """Half a cosine (Loshchilov and Hutter 2017, equation 5)."""

    def __call__(self, progress: Progress) -> Progress:
        return (1 + (math.pi * progress).cos()) / 2


@register("lr_schedule", "linear")
class Linear(Decay):
    """A straight line."""

    def __call__(self, progress: Progress) -> Progress:
        return 1 - progress


class LearningRate:
    """From `lr` down to `final_lr` as `decay` says, over the first `decay_images` images, and `final_lr` from then on; None:
    always `lr`.

    With `decay_share`, which comes before it, that is a share of all images that the run is planned to see, in (0, 1]. A fall
    over so many images is that of a longer run, too; one over a share is not.
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
        """Of the updates before which so many images had been seen. In double precision, as optimizers count."""
        images_before = images_seen.double()
        images = self.decay_images if self.decay_share is None else self.decay_share * planned_images
        if images is None:
            return torch.full_like(images_before, self.lr)
        return self.final_lr + (self.lr - self.final_lr) * self.decay((images_before / images).clamp(max=1))


def rates_of(
    schedules: Collection[LearningRate], images_seen: Int[Tensor, " updates"], *, planned_images: int
) -> Float[Tensor, "updates schedules"]:
    """What each of `schedules` gives, side by side."""
    return torch.stack([schedule(images_seen, planned_images=planned_images) for schedule in schedules], dim=1)
