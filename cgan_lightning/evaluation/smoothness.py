"""Smoothness: how evenly image features change while z or the label changes in equal steps."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Smoothness(NamedTuple):
    """Means over many paths. The length of a path in z or label is 1, that of a step 1 / number of steps."""

    path_length: float  # perceptual path length: squared feature distance of a step over its squared length
    worst_step: float  # the same for the largest step of each path
    largest_share: float  # share of a path's total feature distance in its largest step: 1/steps is even, 1 is a jump


def smoothness(features: Float[Tensor, "paths points width"]) -> Smoothness:
    """Return the smoothness of paths in feature space with points at equal steps (Karras et al. 2019, section 4.1)."""
    steps = features.double().diff(dim=1).norm(dim=2)  # (paths, points - 1)
    count = steps.shape[1]
    whole, worst = steps.sum(1), steps.max(1).values
    shares = (worst / whole).nan_to_num(1 / count)  # a constant path counts as even
    return Smoothness(
        path_length=(steps.square().mean() * count**2).item(),
        worst_step=(worst.square().mean() * count**2).item(),
        largest_share=shares.mean().item(),
    )
