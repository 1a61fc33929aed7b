"""Whether a generator gives back training images: how near its samples are to them. By features or by flattened pixels."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cgan_lightning.evaluation.manifold import squared_distances
from cgan_lightning.utils.errors import UserError


def nearest(
    queries: Float[Tensor, "queries width"], references: Float[Tensor, "references width"], *, chunk: int = 100
) -> tuple[Float[Tensor, " queries"], Int[Tensor, " queries"]]:
    """The Euclidean distance from each query to its nearest reference, and which one that is; `chunk` queries at a time."""
    if not len(references):
        raise UserError("The nearest image needs at least 1 image to be found among, not 0")
    indices = torch.empty(len(queries), dtype=torch.long, device=queries.device)
    for squares, part in zip(squared_distances(queries, references, chunk), indices.split(chunk), strict=True):
        part.copy_(squares.argmin(1))
    # Again from the differences: the matrix product rounds the small distances of near copies.
    return torch.linalg.vector_norm(queries - references[indices], dim=1), indices


def nearest_ratio(from_fake: Float[Tensor, " fakes"], from_test: Float[Tensor, " tests"]) -> float:
    """Median distance of samples to their nearest training image, over the same of test images, which can't be copies.

    Well under 1: training images are copied. About 1 or more: they are not (far above 1: samples are far from all real
    images). The three sets of Meehan et al. 2020, "A non-parametric test to detect data-copying", without their cells.
    """
    if not len(from_fake) or not len(from_test):
        sizes = f"{len(from_fake)} and {len(from_test)}"
        raise UserError(f"The nearest-image ratio needs at least 1 sample and 1 test image, not {sizes}")
    fake, test = from_fake.median().item(), from_test.median().item()
    if test == 0:
        raise UserError("The nearest-image ratio means nothing where half the test images are training images: give others")
    return fake / test


def closest_pairs(distances: Float[Tensor, " fakes"], indices: Int[Tensor, " fakes"], count: int) -> Int[Tensor, "pairs 2"]:
    """(sample, training image) of the `count` samples that lie nearest to one, closest first; each sample comes once.

    From what `nearest` gives.
    """
    order = distances.argsort(stable=True)[:count]
    return torch.stack([order, indices[order]], dim=1)
