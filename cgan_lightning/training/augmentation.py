"""Differentiable augmentation (Zhao et al. 2020) for grey clothes on black: what D sees, real and fake, is moved and changed.

Random numbers come from outside, uniform on [0, 1], so that an update stays a function of its inputs. Gradients flow through.
"""

from abc import ABC, abstractmethod
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cgan_lightning.registry import register, setting

Images = Float[Tensor, "batch 1 size size"]
Draws = Float[Tensor, "batch draws"]


class Augmentation(ABC):
    """A differentiable change of pictures (batch, 1, size, size) in [-1, 1], by `draws` uniform numbers for each."""

    draws: int

    @abstractmethod
    def __call__(self, images: Images, draws: Draws) -> Images:
        """`draws` (batch, self.draws) are uniform on [0, 1]."""


@register("augmentation", "diffaugment")
class DiffAugment(Augmentation):
    """Brightness, shift and cutout of each picture, each up to its strength; 0 leaves it out.

    Zhao et al.'s colour changes have no place here: no saturation in grey, and contrast about a mean that is mostly
    background would light the black up. `brightness` b scales a garment's light over the black by 1 - b to 1 + b. `shift` moves
    by up to that share of the side, black coming in. `cutout` blackens a square of that share of the side, anywhere.
    """

    draws = 5

    def __init__(
        self,
        *,
        brightness: Annotated[float, setting("an image's light is changed by up to this share", at_least=0, at_most=1)] = 0.2,
        shift: Annotated[
            float, setting("each image is moved by up to this share of its side, in whole pixels", at_least=0, at_most=0.5)
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
    """Each picture moved by whole pixels, -most to most down and right, each as likely; 0 comes in."""
    if not most:
        return light
    size = light.shape[-1]
    start = (draws * (2 * most + 1)).long()  # (batch, 2), where in the enlarged picture
    down, right = (start[:, axis, None] + torch.arange(size, device=light.device) for axis in (0, 1))  # (batch, size)
    picture = torch.arange(len(light), device=light.device)[:, None, None]
    return F.pad(light, [most] * 4)[picture, 0, down[:, :, None], right[:, None, :]][:, None]


def without_square(light: Images, draws: Float[Tensor, "batch 2"], side: int) -> Images:
    """Each picture with a square of `side` pixels made 0; its centre is any pixel, so it may reach over the edge."""
    if not side:
        return light
    size = light.shape[-1]
    first = (draws * size).long() - side // 2  # (batch, 2)
    place = torch.arange(size, device=light.device)
    inside = (place >= first[..., None]) & (place < first[..., None] + side)  # (batch, 2, size)
    return light * ~(inside[:, 0, :, None] & inside[:, 1, None, :])[:, None]
