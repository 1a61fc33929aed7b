"""Visible measures of an image: brightness, height, width and left-right balance."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

THRESHOLD = 0.1  # of full intensity: anything darker is background


class Silhouette(NamedTuple):
    """The measures of each image."""

    brightness: Float[Tensor, " count"]  # mean intensity, in 0..1
    height: Float[Tensor, " count"]  # in pixels: rows above the threshold
    width: Float[Tensor, " count"]  # in pixels: columns above the threshold
    balance: Float[Tensor, " count"]  # the right half's share of the intensity minus the left half's, in -1..1; 0 if black


def silhouette(images: Float[Tensor, "count channels height width"]) -> Silhouette:
    light = (images.mean(1) + 1) / 2  # of colours, their mean
    lit = light > THRESHOLD
    half = light.shape[2] // 2
    left, right = light[:, :, :half].sum((1, 2)), light[:, :, -half:].sum((1, 2))
    return Silhouette(
        brightness=light.mean((1, 2)),
        height=lit.any(2).sum(1).float(),
        width=lit.any(1).sum(1).float(),
        balance=(right - left) / (right + left).clamp(min=torch.finfo(light.dtype).tiny),
    )
