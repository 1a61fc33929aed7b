"""Differentiable augmentation (Zhao et al. 2020) of D's input, real and fake, for images on a black background.

The random numbers, uniform on [0, 1], are arguments, so that an update is a function of its inputs.
"""

from abc import ABC, abstractmethod
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cgan_lightning.registry import register, setting

Images = Float[Tensor, "batch channels size size"]
Draws = Float[Tensor, "batch draws"]


class Augmentation(ABC):
    """A differentiable augmentation of images (batch, channels, size, size) in [-1, 1], with `draws` uniform numbers each."""

    draws: int

    @abstractmethod
    def __call__(self, images: Images, draws: Draws) -> Images:
        """Return the augmented images; `draws` (batch, self.draws) are uniform on [0, 1]."""


@register("augmentation", "diffaugment")
class DiffAugment(Augmentation):
    """Random brightness, shift and cutout of each image, up to the given strengths; 0 turns one off.

    Zhao et al.'s other colour changes are omitted: grey has no saturation, and changing the contrast about a mean that is
    mostly background would brighten the black. `brightness` b scales intensity above black by a factor from 1 - b to 1 + b.
    `shift` translates by up to that share of the side, filled with black. `cutout` is the side of a black square, as such a
    share.
    """

    draws = 5

    def __init__(
        self,
        *,
        brightness: Annotated[float, setting("an image's intensity changes by up to this share", at_least=0, at_most=1)] = 0.2,
        shift: Annotated[
            float, setting("each image is shifted by up to this share of its side, in whole pixels", at_least=0, at_most=0.5)
        ] = 0.125,
        cutout: Annotated[float, setting("side of a black square, as a share of the image's", at_least=0, at_most=1)] = 0.0,
    ) -> None:
        self.brightness, self.shift, self.cutout = brightness, shift, cutout

    def __call__(self, images: Images, draws: Draws) -> Images:
        light = (images + 1) * (1 + self.brightness * (2 * draws[:, 0, None, None, None] - 1))  # 0 is black
        size = images.shape[-1]
        light = shifted(light, draws[:, 1:3], int(self.shift * size + 0.5))
        return without_square(light, draws[:, 3:5], int(self.cutout * size + 0.5)) - 1


def shifted(light: Images, draws: Float[Tensor, "batch 2"], most: int) -> Images:
    """Shift each image down and right by -most to most whole pixels, drawn uniformly, filled with 0."""
    if not most:
        return light
    size = light.shape[-1]
    start = (draws * (2 * most + 1)).long()  # (batch, 2), position in the padded image
    down, right = (start[:, axis, None] + torch.arange(size, device=light.device) for axis in (0, 1))  # (batch, size)
    image = torch.arange(len(light), device=light.device)[:, None, None]
    moved = F.pad(light, [most] * 4).movedim(1, -1)[image, down[:, :, None], right[:, None, :]]  # channels last
    return moved.movedim(-1, 1)


def without_square(light: Images, draws: Float[Tensor, "batch 2"], side: int) -> Images:
    """Set a square of `side` pixels in each image to 0; its centre is any pixel, so it may extend over the edge."""
    if not side:
        return light
    size = light.shape[-1]
    first = (draws * size).long() - side // 2  # (batch, 2)
    position = torch.arange(size, device=light.device)
    inside = (position >= first[..., None]) & (position < first[..., None] + side)  # (batch, 2, size)
    return light * ~(inside[:, 0, :, None] & inside[:, 1, None, :])[:, None]
