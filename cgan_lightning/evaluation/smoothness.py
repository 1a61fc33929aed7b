"""How evenly the features of pictures change while z or the label is moved in equal steps."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Smoothness(NamedTuple):
    """Means over many paths. A path's length is 1, and so is a step's the inverse of their number."""

    path_length: float  # perceptual path length: squared distance of a step's ends over its squared length
    worst_step: float  # the same of each path's worst step
    largest_share: float  # of all that changes on a path, in its worst step: 1/steps is perfectly even, 1 is a jump


def smoothness(features: Float[Tensor, "paths points width"]) -> Smoothness:
    """Of paths through feature space, each of points in equal steps of what was moved (Karras et al. 2019, section 4.1)."""
    steps = features.double().diff(dim=1).norm(dim=2)  # (paths, points - 1)
    count = steps.shape[1]
    whole, worst = steps.sum(1), steps.max(1).values
    shares = (worst / whole).nan_to_num(1 / count)  # where nothing changes, nothing jumps
    return Smoothness(
        path_length=(steps.square().mean() * count**2).item(),
        worst_step=(worst.square().mean() * count**2).item(),
        largest_share=shares.mean().item(),
    )
