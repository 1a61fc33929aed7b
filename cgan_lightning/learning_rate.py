"""How an optimizer's learning rate goes with the images seen."""

import math
from collections.abc import Collection

import torch
from jaxtyping import Float, Int
from torch import Tensor


class LearningRate:
    """From `lr` down to `final_lr` along half a cosine (Loshchilov and Hutter 2017, equation 5) over the first
    `decay_images` images, and `final_lr` from then on; None: always `lr`.

    With `decay_share`, which comes before it, that is a share of all images that the run is planned to see, in (0, 1]. A fall
    over so many images is that of a longer run, too; one over a share is not.
    """

    def __init__(
        self, *, lr: float, final_lr: float = 0.0, decay_images: float | None = None, decay_share: float | None = None
    ) -> None:
        self.lr, self.final_lr, self.decay_images, self.decay_share = lr, final_lr, decay_images, decay_share

    def __call__(self, images_seen: Int[Tensor, " updates"], *, planned_images: int) -> Float[Tensor, " updates"]:
        """Of the updates before which so many images had been seen. In double precision, as optimizers count."""
        seen = images_seen.double()
        images = self.decay_images if self.decay_share is None else self.decay_share * planned_images
        if images is None:
            return torch.full_like(seen, self.lr)
        share = (1 + (math.pi * (seen / images).clamp(max=1)).cos()) / 2
        return self.final_lr + (self.lr - self.final_lr) * share


def rates_of(
    schedules: Collection[LearningRate], images_seen: Int[Tensor, " updates"], *, planned_images: int
) -> Float[Tensor, "updates schedules"]:
    """What each of `schedules` gives, side by side."""
    return torch.stack([schedule(images_seen, planned_images=planned_images) for schedule in schedules], dim=1)
