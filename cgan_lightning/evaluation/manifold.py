"""How far two sets of features cover each other, by balls around each point that reach to its k-th nearest neighbour.

Features become float64, and distances come `chunk` rows at a time: 10,000 points against 10,000 need some 100 MB.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from cgan_lightning.utils.errors import UserError


class PrecisionRecall(NamedTuple):
    """Both in 0..1; higher is better."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Density from 0 upwards, around 1 for equal distributions; coverage in 0..1. Higher is better."""

    density: float
    coverage: float


def precision_recall(
    real: Float[Tensor, "reals width"], fake: Float[Tensor, "fakes width"], *, k: int = 3, chunk: int = 100
) -> PrecisionRecall:
    """Which samples lie in a ball of a real one, and the reverse: Kynkäänniemi et al. 2019, equations 1 and 2.

    Precision is the share of samples that look real, recall the share of real images that the generator could have made.
    A collapsed generator has high precision and low recall; noise has low precision.
    """
    _check("Precision and recall", k, real=len(real), generated=len(fake))
    real, fake = real.double(), fake.double()
    real_radii, fake_radii = squared_radii(real, k, chunk), squared_radii(fake, k, chunk)
    looks_real = torch.zeros(len(fake), dtype=torch.bool, device=fake.device)
    could_be_made = 0
    for squares, radii in zip(squared_distances(real, fake, chunk), real_radii.split(chunk), strict=True):  # (chunk, fakes)
        looks_real |= (squares <= radii[:, None]).any(0)
        could_be_made += int((squares <= fake_radii).any(1).sum())
    return PrecisionRecall(int(looks_real.sum()) / len(fake), could_be_made / len(real))


def density_coverage(
    real: Float[Tensor, "reals width"], fake: Float[Tensor, "fakes width"], *, k: int = 5, chunk: int = 100
) -> DensityCoverage:
    """In how many real balls a sample lies, over k; which real balls hold a sample: Naeem et al. 2020, section 3.2.

    Density does not let one outlier's big ball count as much as a crowd's small ones, as precision does; coverage does not
    trust balls around samples, as recall does. The balls are open, as in the authors' code: a set against itself has
    density 1, where closed ones would count the k-th neighbour as well.
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
    """From each point to its k-th nearest other one. Equal points are others too, at distance 0."""
    radii = points.new_empty(len(points))  # filled in place: small tensors kept between big ones would scatter the memory
    for number, squares in enumerate(squared_distances(points, points, chunk)):
        squares.diagonal(number * chunk).fill_(torch.inf)  # a point is no neighbour of its own
        radii[number * chunk :][: len(squares)] = squares.topk(k, largest=False, sorted=False).values.amax(1)
    return radii


def squared_distances(
    points: Float[Tensor, "points width"], others: Float[Tensor, "others width"], chunk: int
) -> Iterator[Float[Tensor, "chunk others"]]:
    """|x|² + |y|² - 2 x·y from `chunk` points after `chunk` points to all others, by one matrix product each.

    A difference below 1e-12 of |x|² + |y|² is what rounding leaves between equal points in float64: it becomes 0.
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
