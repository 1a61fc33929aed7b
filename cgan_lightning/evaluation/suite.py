"""All metrics of a set of samples; the features of each set of images are computed once."""

import itertools
from typing import Any, TypeVar, cast

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from cgan_lightning import registry
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.data.spec import DatasetSpec
from cgan_lightning.distributed import collectives
from cgan_lightning.evaluation import against_test, cache, classifier, frechet, memorisation
from cgan_lightning.evaluation.against_test import Features
from cgan_lightning.evaluation.classification import class_accuracy
from cgan_lightning.evaluation.feature_extractor import FeatureExtractor
from cgan_lightning.utils import seeding
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.images import normalise

Labelled = tuple[UInt8[Tensor, "_ channels size size"], Int[Tensor, " _"]]

SCORE_EPOCHS = 16  # of the accuracy score's classifiers, as for the feature extractor
BATCH_SIZE = 500  # of the feature extractor
LEAST_PER_CLASS = 10  # fewer make the covariance meaningless
PAIRS = 10  # of samples and their nearest training images

AGAINST_TRAINING = ("fid_to_train", "nearest_train_ratio", "closest_pairs")  # in `measure` in addition to `compare`


def measure(fake: Features, train: Features, test: Features, *, seed: int) -> dict[str, Any]:
    """Return all metrics of samples, equally many of each class, against the test set of the same classes.

    Raises UserError for too few samples.
    """
    classes = len(test.labels.unique())
    per_class = len(fake.labels) // classes
    if per_class < LEAST_PER_CLASS:
        raise UserError(f"samples={len(fake.labels)}: metrics need {LEAST_PER_CLASS * classes} or more, as many of each class")
    distances, indices = memorisation.nearest(fake.features, train.features)
    return compare(fake, part(test, per_class, seed=seed), seed=seed) | {
        "fid_to_train": frechet.fid(part(train, per_class, seed=seed).features, fake.features),
        "nearest_train_ratio": memorisation.nearest_ratio(distances, _from_test_to_train(test, train)),
        "closest_pairs": memorisation.closest_pairs(distances, indices, PAIRS).tolist(),
    }


def _from_test_to_train(test: Features, train: Features) -> Float[Tensor, " tests"]:
    """Return the distance of each test image to its nearest training image, the same for every generator."""
    return cache.kept(
        "nearest", (test.features, train.features),
        lambda: {"distances": memorisation.nearest(test.features, train.features)[0]},
    )["distances"]  # fmt: skip


def real_baseline(train: Features, test: Features, per_class: int, *, seed: int) -> dict[str, Any]:
    """Return `measure` of as many real training images, the same for every generator."""
    real, apart = part(train, per_class, seed=seed), part(train, per_class, seed=seed + 1)
    return compare(real, part(test, per_class, seed=seed), seed=seed) | {
        "fid_to_train": frechet.fid(apart.features, real.features),  # against other training images
        "nearest_train_ratio": 1.0,
    }


def compare(images: Features, real: Features, *, seed: int) -> dict[str, Any]:
    """Return all registered metrics of `images` against `real`.

    Values per class are for the classes of `real`, in order; a row of the confusion matrix has all classes.
    """
    values = dict[str, Any]()
    for _, metrics in itertools.groupby(registry.metrics().values(), lambda metric: metric.target):
        first = next(metrics)
        if len(images.labels) >= first.least_samples:
            value = first.load()(images, real, seed=seed)
            values |= value if isinstance(value, dict) else {first.name: value}
    return values


def measured(samples: int) -> list[str]:
    """Return the names of the values in `measure` for that number of samples."""
    return [
        *(name for name, each in registry.metrics().items() if samples >= each.least_samples),
        *(*against_test.BESIDE, *AGAINST_TRAINING),
    ]


def validate(fake: Features, real: Features) -> dict[str, float]:
    """Return FID and class accuracy, which are cheap enough for every epoch."""
    return {"fid": frechet.fid(real.features, fake.features), "class_accuracy": class_accuracy(fake.logits, fake.labels)}


def accuracy_scores(drawn: Labelled, train: Labelled, test: Labelled, *, seed: int, mirrored: bool = True) -> dict[str, float]:
    """Return the classification accuracy score (Ravuri and Vinyals 2019) of samples and of as many real images.

    It is the test accuracy of a classifier trained on them alone.
    """
    rows = balanced_rows(train[1], len(drawn[1]) // len(test[1].unique()), seed=seed)
    scores = {}
    for name, (pixels, labels) in {"samples": drawn, "real_baseline": (train[0][rows], train[1][rows])}.items():
        network = classifier.fit(pixels, labels, epochs=SCORE_EPOCHS, seed=seed, mirrored=mirrored)
        scores[name] = class_accuracy(classifier.outputs(network, normalise(test[0]))[1], test[1])
    return scores


def features_of_real(
    extractor: FeatureExtractor, pixels: UInt8[Tensor, "count channels size size"], labels: Int[Tensor, " count"]
) -> Features:
    """Return `features_of` with a cache."""
    device = next(extractor.network.parameters()).device

    def compute() -> dict[str, Tensor]:
        computed = features_of(extractor, pixels, labels)
        return {"features": computed.features, "logits": computed.logits}

    kept = cache.kept(f"features {extractor.hash} {device.type}", (pixels,), compute, by_all_ranks=True)
    return Features(kept["features"], kept["logits"], labels)


def features_of(
    extractor: FeatureExtractor, pixels: UInt8[Tensor, "count channels size size"], labels: Int[Tensor, " count"]
) -> Features:
    """Return the features of images. On several ranks all must call it: each computes a share and gets all of them."""
    mine = collectives.rank_slice(len(pixels), BATCH_SIZE)
    batches = pixels[mine].split(BATCH_SIZE)  # bytes take a quarter of the memory of floats
    parts = [classifier.outputs(extractor.network, normalise(batch), batch_size=BATCH_SIZE) for batch in batches]
    features, logits = (torch.cat(each) for each in zip(*parts, strict=True))
    return Features(collectives.all_gather(features), collectives.all_gather(logits), labels)


def data_entry(spec: DatasetSpec, classes: Int[Tensor, " classes"]) -> dict[str, Any]:
    """Return the data set and the classes as protocol entries: none for Fashion-MNIST, and none for all classes."""
    entry = {} if spec == FASHION_MNIST else {"dataset": spec.title}
    some = len(classes) < len(spec.class_names)
    return entry | ({"classes": [spec.class_names[number] for number in classes]} if some else {})


Images = TypeVar("Images", bound=tuple[Tensor, ...])  # Features or Labelled: labels are last


def of_classes(images: Images, classes: Int[Tensor, " classes"]) -> Images:
    """Return the images of `classes` only, in their order; of all classes, `images` itself and no copy."""
    rows = torch.isin(images[-1], classes)
    return images if rows.all() else _at(images, rows)


def part(images: Images, per_class: int, *, seed: int) -> Images:
    return _at(images, balanced_rows(images[-1], per_class, seed=seed))


def _at(images: Images, rows: Tensor) -> Images:
    chosen = [tensor[rows] for tensor in images]
    return cast(Images, Features(*chosen) if isinstance(images, Features) else tuple(chosen))


def balanced_rows(labels: Int[Tensor, " count"], per_class: int, *, seed: int) -> Int[Tensor, " rows"]:
    """Return row indices of `per_class` images of each class, drawn without replacement."""
    order = torch.randperm(len(labels), generator=seeding.generator(seed, "balanced rows"))
    return torch.cat([order[labels[order] == label][:per_class] for label in labels.unique()])
