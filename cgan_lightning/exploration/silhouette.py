"""What a direction changes, as numbers that one can see: how bright, how tall, how wide, how lopsided a picture is."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

THRESHOLD = 0.1  # of full light: what is darker is background


class Silhouette(NamedTuple):
    """Of each picture."""

    brightness: Float[Tensor, " count"]  # mean light, in 0..1
    height: Float[Tensor, " count"]  # pixels: rows that have light
    width: Float[Tensor, " count"]  # pixels: columns that have light
    balance: Float[Tensor, " count"]  # the right half's share of the light less the left half's, in -1..1; 0 of a black one


def silhouette(images: Float[Tensor, "count 1 height width"]) -> Silhouette:
    light = (images[:, 0] + 1) / 2
    lit = light > THRESHOLD
    half = light.shape[2] // 2
    left, right = light[:, :, :half].sum((1, 2)), light[:, :, -half:].sum((1, 2))
    return Silhouette(
        brightness=light.mean((1, 2)),
        height=lit.any(2).sum(1).float(),
        width=lit.any(1).sum(1).float(),
        balance=(right - left) / (right + left).clamp(min=torch.finfo(light.dtype).tiny),
    )
