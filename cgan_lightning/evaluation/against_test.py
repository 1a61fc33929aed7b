"""Metrics that compare the features of samples with those of as many real images of the same classes.

A new metric is a function here or in a new file in this folder.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cgan_lightning.evaluation import classification, frechet, manifold
from cgan_lightning.registry import metric

KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000
MANIFOLD_K, DENSITY_K = 3, 5  # neighbours, as in the papers
BESIDE = ("kid_spread", "class_fids", "confusion")  # additional values of metrics: a spread, values for each class


class Features(NamedTuple):
    """The feature extractor's outputs for images, and their real or requested classes as its class indices."""

    features: Float[Tensor, "count width"]
    logits: Float[Tensor, "count classes"]
    labels: Int[Tensor, " count"]


@metric("fid", "FID", "{:.3f}", better="lower")
def fid(images: Features, real: Features, *, seed: int) -> float:
    """FID: Heusel et al. 2017, equation 6."""
    return frechet.fid(real.features, images.features)


@metric("fid_infinity", "FID∞", "{:.3f}", better="lower", least_samples=2000)  # a fifth is several times the features' width
def fid_infinity(images: Features, real: Features, *, seed: int) -> float:
    """FID extrapolated to infinitely many samples (Chong and Forsyth 2020, section 4)."""
    return frechet.fid_infinity(real.features, images.features, seed=seed)


@metric("class_fid_mean", "intra-class FID, mean", "{:.3f}", better="lower")
@metric("class_fid_max", "intra-class FID, worst class", "{:.3f}", better="lower")
def class_fids(images: Features, real: Features, *, seed: int) -> dict[str, Any]:
    """Intra-class FID: mean, maximum, and `class_fids` for each class of `real`, in order."""
    classes = real.labels.unique()
    rows, requested = (torch.searchsorted(classes, each.labels) for each in (real, images))
    fids = frechet.class_fids(real.features, rows, images.features, requested, len(classes))
    return {"class_fid_mean": sum(fids) / len(classes), "class_fid_max": max(fids), "class_fids": fids}


@metric("kid", "KID × 1000", "{:.2f}", better="lower", scale=1000)
def kid(images: Features, real: Features, *, seed: int) -> dict[str, float]:
    """KID over subsets: Bińkowski et al. 2018, section 4."""
    size = min(KID_SUBSET_SIZE, len(images.labels), len(real.labels))
    mean, spread = frechet.kid(real.features, images.features, subsets=KID_SUBSETS, subset_size=size, seed=seed)
    return {"kid": mean, "kid_spread": spread}


@metric("precision", "precision", "{:.3f}", better="higher")
@metric("recall", "recall", "{:.3f}", better="higher")
def precision_recall(images: Features, real: Features, *, seed: int) -> dict[str, float]:
    """Precision and recall: Kynkäänniemi et al. 2019, equation 2."""
    return manifold.precision_recall(real.features, images.features, k=MANIFOLD_K)._asdict()


@metric("density", "density", "{:.3f}", better="higher")
@metric("coverage", "coverage", "{:.3f}", better="higher")
def density_coverage(images: Features, real: Features, *, seed: int) -> dict[str, float]:
    """Density and coverage: Naeem et al. 2020, equations 3 and 4."""
    return manifold.density_coverage(real.features, images.features, k=DENSITY_K)._asdict()


@metric("class_accuracy", "class accuracy, %", "{:.1f}", better="higher", scale=100)
def class_accuracy(images: Features, real: Features, *, seed: int) -> dict[str, Any]:
    """The share of samples classified as the requested class; `confusion` has a row for each class of `real`."""
    classes, logits = real.labels.unique(), images.logits
    return {
        "class_accuracy": classification.class_accuracy(logits, images.labels),
        "confusion": classification.confusion(logits, images.labels, logits.shape[1])[classes].tolist(),
    }
