"""Precision, recall, density and coverage, from balls around each point with its k-th nearest neighbour on the surface.

Computed in float64, with distances in chunks of `chunk` rows: 10,000 points against 10,000 need about 100 MB.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from cgan_lightning.utils.errors import UserError


class PrecisionRecall(NamedTuple):
    """Precision and recall, in 0..1; higher is better."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Density, at least 0 and about 1 for equal distributions, and coverage, in 0..1; higher is better."""

    density: float
    coverage: float


def precision_recall(
    real: Float[Tensor, "reals width"], fake: Float[Tensor, "fakes width"], *, k: int = 3, chunk: int = 100
) -> PrecisionRecall:
    """Precision and recall: Kynkäänniemi et al. 2019, equations 1 and 2.

    Precision is the share of samples in a ball of a real image, recall the share of real images in a ball of a sample. A
    collapsed generator has high precision and low recall; noise has low precision.
    """
    _check("Precision and recall", k, real=len(real), generated=len(fake))
    real, fake = real.double(), fake.double()
    real_radii, fake_radii = squared_radii(real, k, chunk), squared_radii(fake, k, chunk)
    precise = torch.zeros(len(fake), dtype=torch.bool, device=fake.device)
    recalled = 0
    for squares, radii in zip(squared_distances(real, fake, chunk), real_radii.split(chunk), strict=True):  # (chunk, fakes)
        precise |= (squares <= radii[:, None]).any(0)
        recalled += int((squares <= fake_radii).any(1).sum())
    return PrecisionRecall(int(precise.sum()) / len(fake), recalled / len(real))


def density_coverage(
    real: Float[Tensor, "reals width"], fake: Float[Tensor, "fakes width"], *, k: int = 5, chunk: int = 100
) -> DensityCoverage:
    """Density and coverage: Naeem et al. 2020, section 3.2.

    Density is the mean number of real balls that contain a sample, over k; it is less sensitive to an outlier's large ball
    than precision. Coverage is the share of real balls that contain a sample; unlike recall it uses no balls around samples.
    The balls are open, as in the authors' code, so that a set against itself has density 1.
    """
    _check("Density and coverage", k, real=len(real))
    if not len(fake):
        raise UserError("Density and coverage need at least 1 generated sample, not 0")
    real, fake = real.double(), fake.double()
    inside = covered = 0
    for squares, radii in zip(squared_distances(real, fake, chunk), squared_radii(real, k, chunk).split(chunk), strict=True):
        within = squares < radii[:, None]  # (chunk, fakes)
        inside += int(within.sum())
        covered += int(within.any(1).sum())
    return DensityCoverage(inside / (k * len(fake)), covered / len(real))


def squared_radii(points: Float[Tensor, "count width"], k: int, chunk: int = 100) -> Float[Tensor, " count"]:
    """Return the squared distance of each point to its k-th nearest other point; duplicates count, at distance 0."""
    radii = points.new_empty(len(points))  # filled in place: small tensors allocated between large ones would fragment memory
    for number, squares in enumerate(squared_distances(points, points, chunk)):
        squares.diagonal(number * chunk).fill_(torch.inf)  # a point is no neighbour of its own
        radii[number * chunk :][: len(squares)] = squares.topk(k, largest=False, sorted=False).values.amax(1)
    return radii


def squared_distances(
    points: Float[Tensor, "points width"], others: Float[Tensor, "others width"], chunk: int
) -> Iterator[Float[Tensor, "chunk others"]]:
    """Yield |x|² + |y|² - 2 x·y of `chunk` points at a time to all others, by one matrix product each.

    A value below 1e-12 of |x|² + |y|² is the rounding error of equal points in float64, and is set to 0.
    """
    norms = others.square().sum(1)
    for part in points.split(chunk):
        sums = part.square().sum(1)[:, None] + norms
        squares = torch.addmm(sums, part, others.T, alpha=-2)
        yield squares.masked_fill_(squares < sums.mul_(1e-12), 0)


def _check(metrics: str, k: int, **counts: int) -> None:
    for name, count in counts.items():
        if count <= k:
            raise UserError(f"{metrics} with k={k} need at least {k + 1} {name} samples, not {count}")
