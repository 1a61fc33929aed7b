"""Distances between two sets of features: FID, intra-class FID and KID."""

import warnings

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cgan_lightning.utils import seeding
from cgan_lightning.utils.errors import UserError

INFINITY_POINTS = 15  # subset sizes, as in Chong and Forsyth's code


class _AsTheyAre(nn.Module):
    """An identity in place of torchmetrics' Inception network, for precomputed features."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def fid(real: Float[Tensor, "reals width"], fake: Float[Tensor, "fakes width"]) -> float:
    """|m - m'|² + Tr(C + C' - 2 (C C')^½) of means m and covariances C, Heusel et al. 2017, equation 6; lower is better.

    0 (up to rounding) for equal sets. Fewer samples give a higher value for the same generator (Chong and Forsyth 2020):
    only values for equal counts are comparable.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance  # takes seconds

    _check(2, "FID", real=real, generated=fake)
    # Not synchronised between ranks: one of several may compute it alone.
    metric = FrechetInceptionDistance(_AsTheyAre(real.shape[1]), sync_on_compute=False)
    metric.update(real.cpu().double(), real=True)  # float64 in, float64 out
    metric.update(fake.cpu().double(), real=False)
    return metric.compute().item()


def fid_infinity(real: Float[Tensor, "reals width"], fake: Float[Tensor, "fakes width"], *, seed: int) -> float:
    """FID∞, `fid` extrapolated to infinitely many samples; lower is better.

    The FID of subsets is linear in 1 / count to first order; this is the fitted line's value at 0 (Chong and Forsyth 2020,
    section 3). The number of real images stays the same. The subsets depend on `seed` only.
    """
    counts = np.linspace(len(fake) / 5, len(fake), INFINITY_POINTS).round().astype(int)
    draws = seeding.generator(seed, "fid infinity")
    fids = [fid(real, fake[torch.randperm(len(fake), generator=draws)[:count]]) for count in counts]
    return float(np.polyfit(1 / counts, fids, deg=1)[1])


def class_fids(
    real: Float[Tensor, "reals width"],
    real_labels: Int[Tensor, " reals"],
    fake: Float[Tensor, "fakes width"],
    fake_labels: Int[Tensor, " fakes"],
    classes: int,
) -> list[float]:
    """Intra-class FID, `fid` of each class 0..classes-1 (Miyato and Koyama 2018, section 4); lower is better.

    Unlike `fid` over all classes it detects good images with wrong labels.
    """
    pairs = [(real[real_labels == label], fake[fake_labels == label]) for label in range(classes)]
    for label, (reals, fakes) in enumerate(pairs):
        _check(2, f"FID of class {label}", real=reals, generated=fakes)
    return [fid(reals, fakes) for reals, fakes in pairs]


def kid(
    real: Float[Tensor, "reals width"], fake: Float[Tensor, "fakes width"], *, subsets: int, subset_size: int, seed: int
) -> tuple[float, float]:
    """Squared MMD with the kernel (x·y / width + 1)³, Binkowski et al. 2018, section 4: its mean and spread over subsets.

    Lower is better. Unbiased at any sample count: about 0 for equal distributions, possibly negative. The spread is the
    standard deviation over subsets, which depend on `seed` only.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    if subset_size < 2:
        raise UserError(f"KID needs subsets of at least 2 samples, not {subset_size}")
    _check(subset_size, "KID", real=real, generated=fake)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Metric `Kernel Inception Distance` will save all extracted features")
        metric = KernelInceptionDistance(
            _AsTheyAre(real.shape[1]), subsets=subsets, subset_size=subset_size, sync_on_compute=False
        )
    metric.update(real.cpu().double(), real=True)
    metric.update(fake.cpu().double(), real=False)
    with seeding.seeded(seed, "kid"):  # torchmetrics draws from the global generator
        mean, spread = metric.compute()
    return mean.item(), spread.item()


def _check(least: int, metric: str, **sets: Tensor) -> None:
    for name, features in sets.items():
        if len(features) < least:
            raise UserError(f"{metric} needs at least {least} {name} samples, not {len(features)}")
        finite = int(features.isfinite().all(1).sum())  # LAPACK may abort the process on a NaN
        if finite < len(features):
            raise UserError(f"{metric} needs finite features: {len(features) - finite} {name} samples have others")
