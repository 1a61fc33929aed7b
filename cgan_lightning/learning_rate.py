"""How an optimizer's learning rate goes with the images seen."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


class LearningRate:
    """From `lr` down to `final_lr` along half a cosine (Loshchilov and Hutter 2017, equation 5) over the first
    `decay_images` images, and `final_lr` from then on; None: always `lr`.

    It goes by images and not by a run's length, so that a run that is trained for longer is the same run.
    """

    def __init__(self, *, lr: float, final_lr: float = 0.0, decay_images: float | None = None) -> None:
        self.lr, self.final_lr, self.decay_images = lr, final_lr, decay_images

    def __call__(self, images_seen: Int[Tensor, " updates"]) -> Float[Tensor, " updates"]:
        """Of the updates before which so many images had been seen. In double precision, as optimizers count."""
        seen = images_seen.double()
        if self.decay_images is None:
            return torch.full_like(seen, self.lr)
        share = (1 + (math.pi * (seen / self.decay_images).clamp(max=1)).cos()) / 2
        return self.final_lr + (self.lr - self.final_lr) * share
