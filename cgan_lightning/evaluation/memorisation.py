"""Memorisation: the distances of samples to their nearest training images, by features or by flattened pixels."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cgan_lightning.evaluation.manifold import squared_distances
from cgan_lightning.utils.errors import UserError


def nearest(
    queries: Float[Tensor, "queries width"], references: Float[Tensor, "references width"], *, chunk: int = 100
) -> tuple[Float[Tensor, " queries"], Int[Tensor, " queries"]]:
    """Return the Euclidean distance of each query to its nearest reference, and its index; `chunk` queries at a time."""
    if not len(references):
        raise UserError("The nearest image needs at least 1 image to be found among, not 0")
    indices = torch.empty(len(queries), dtype=torch.long, device=queries.device)
    for squares, part in zip(squared_distances(queries, references, chunk), indices.split(chunk), strict=True):
        part.copy_(squares.argmin(1))
    # Computed again from the differences: the matrix product is inaccurate for small distances.
    return torch.linalg.vector_norm(queries - references[indices], dim=1), indices


def nearest_ratio(from_fake: Float[Tensor, " fakes"], from_test: Float[Tensor, " tests"]) -> float:
    """Return the median distance of samples to their nearest training image over that of test images.

    Well under 1: training images are copied. About 1 or more: they are not (far above 1: samples are far from all real
    images). The same three sets as in Meehan et al. 2020, "A non-parametric test to detect data-copying", without cells.
    """
    if not len(from_fake) or not len(from_test):
        sizes = f"{len(from_fake)} and {len(from_test)}"
        raise UserError(f"The nearest-image ratio needs at least 1 sample and 1 test image, not {sizes}")
    fake, test = from_fake.median().item(), from_test.median().item()
    if test == 0:
        raise UserError("The nearest-image ratio means nothing where half the test images are training images: give others")
    return fake / test


def closest_pairs(distances: Float[Tensor, " fakes"], indices: Int[Tensor, " fakes"], count: int) -> Int[Tensor, "pairs 2"]:
    """Return (sample, training image) indices of the `count` samples nearest to a training image, closest first.

    `distances` and `indices` come from `nearest`; each sample occurs once.
    """
    order = distances.argsort(stable=True)[:count]
    return torch.stack([order, indices[order]], dim=1)
