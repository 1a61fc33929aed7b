"""All metrics from one pass over the samples: the features of each set of images are computed once."""

import itertools
from typing import Any, TypeVar, cast

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from cgan_lightning import registry
from cgan_lightning.data.facts import CLASS_NAMES
from cgan_lightning.distributed import collectives
from cgan_lightning.evaluation import against_test, cache, classifier, frechet, memorisation
from cgan_lightning.evaluation.against_test import Features
from cgan_lightning.evaluation.classification import class_accuracy
from cgan_lightning.evaluation.feature_extractor import FeatureExtractor
from cgan_lightning.utils import seeding
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.images import normalise

Labelled = tuple[UInt8[Tensor, "_ 1 28 28"], Int[Tensor, " _"]]

SCORE_EPOCHS = 16  # of the classifiers of the accuracy score: as the feature extractor
BATCH_SIZE = 500  # of the feature extractor
LEAST_PER_CLASS = 10  # below, no covariance means anything
PAIRS = 10  # of samples and their nearest training images, kept to be shown

AGAINST_TRAINING = ("fid_to_train", "nearest_train_ratio", "closest_pairs")  # what `measure` gives beside `compare`


def measure(fake: Features, train: Features, test: Features, *, seed: int) -> dict[str, Any]:
    """The drawn images, as many of each class, against the test set, which has the same classes.

    Raises UserError where they are too few.
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
    """The distance of each test image to its nearest training image: the same for every generator."""
    return cache.kept(
        "nearest", (test.features, train.features),
        lambda: {"distances": memorisation.nearest(test.features, train.features)[0]},
    )["distances"]  # fmt: skip


def real_baseline(train: Features, test: Features, per_class: int, *, seed: int) -> dict[str, Any]:
    """What `measure` gives for as many real training images: the same for every generator."""
    real, apart = part(train, per_class, seed=seed), part(train, per_class, seed=seed + 1)
    return compare(real, part(test, per_class, seed=seed), seed=seed) | {
        "fid_to_train": frechet.fid(apart.features, real.features),  # other training images: how far training is from itself
        "nearest_train_ratio": 1.0,
    }


def compare(images: Features, real: Features, *, seed: int) -> dict[str, Any]:
    """How close `images` are to `real`: to the distribution, to its classes, to the requested classes.

    What has an entry for each class has it for those of `real`, in their order; a row of the confusion has all classes.
    """
    values = dict[str, Any]()
    for _, metrics in itertools.groupby(registry.metrics().values(), lambda metric: metric.target):
        first = next(metrics)
        if len(images.labels) >= first.least_samples:
            value = first.load()(images, real, seed=seed)
            values |= value if isinstance(value, dict) else {first.name: value}
    return values


def measured(samples: int) -> list[str]:
    """The names of all that `measure` gives of so many samples."""
    return [
        *(name for name, each in registry.metrics().items() if samples >= each.least_samples),
        *(*against_test.BESIDE, *AGAINST_TRAINING),
    ]


def validate(fake: Features, real: Features) -> dict[str, float]:
    """FID and class accuracy: cheap enough for every epoch."""
    return {"fid": frechet.fid(real.features, fake.features), "class_accuracy": class_accuracy(fake.logits, fake.labels)}


def accuracy_scores(drawn: Labelled, train: Labelled, test: Labelled, *, seed: int) -> dict[str, float]:
    """Accuracy on the test set of classifiers that have learned from samples alone, and from as many real images.

    The classification accuracy score of Ravuri and Vinyals 2019.
    """
    rows = balanced_rows(train[1], len(drawn[1]) // len(test[1].unique()), seed=seed)
    scores = {}
    for name, (pixels, labels) in {"samples": drawn, "real_baseline": (train[0][rows], train[1][rows])}.items():
        network = classifier.fit(pixels, labels, epochs=SCORE_EPOCHS, seed=seed)
        scores[name] = class_accuracy(classifier.outputs(network, normalise(test[0]))[1], test[1])
    return scores


def features_of_real(
    extractor: FeatureExtractor, pixels: UInt8[Tensor, "count 1 28 28"], labels: Int[Tensor, " count"]
) -> Features:
    """`features_of` images that are used again and again, from the cache; but not on several ranks, which must do the same."""
    if collectives.several_ranks():
        return features_of(extractor, pixels, labels)
    device = next(extractor.network.parameters()).device

    def compute() -> dict[str, Tensor]:
        computed = features_of(extractor, pixels, labels)
        return {"features": computed.features, "logits": computed.logits}

    kept = cache.kept(f"features {extractor.hash} {device.type}", (pixels,), compute)
    return Features(kept["features"], kept["logits"], labels)


def features_of(extractor: FeatureExtractor, pixels: UInt8[Tensor, "count 1 28 28"], labels: Int[Tensor, " count"]) -> Features:
    """By the feature extractor. Where there are several ranks, all must call it: each computes its part, and gets all."""
    mine = collectives.rank_slice(len(pixels), BATCH_SIZE)
    features, logits = classifier.outputs(extractor.network, normalise(pixels[mine]), batch_size=BATCH_SIZE)
    return Features(collectives.all_gather(features), collectives.all_gather(logits), labels)


def class_entry(classes: Int[Tensor, " classes"]) -> dict[str, list[str]]:
    """The classes in a protocol: nothing where all are evaluated."""
    return {} if len(classes) == len(CLASS_NAMES) else {"classes": [CLASS_NAMES[number] for number in classes]}


Images = TypeVar("Images", bound=tuple[Tensor, ...])  # Features, Labelled: the last are labels


def of_classes(images: Images, classes: Int[Tensor, " classes"]) -> Images:
    """Those of `classes` alone, in their order."""
    return _at(images, torch.isin(images[-1], classes))


def part(images: Images, per_class: int, *, seed: int) -> Images:
    return _at(images, balanced_rows(images[-1], per_class, seed=seed))


def _at(images: Images, rows: Tensor) -> Images:
    chosen = [tensor[rows] for tensor in images]
    return cast(Images, Features(*chosen) if isinstance(images, Features) else tuple(chosen))


def balanced_rows(labels: Int[Tensor, " count"], per_class: int, *, seed: int) -> Int[Tensor, " rows"]:
    """Rows of `per_class` images of each class, drawn without replacement."""
    order = torch.randperm(len(labels), generator=seeding.generator(seed, "balanced rows"))
    return torch.cat([order[labels[order] == label][:per_class] for label in labels.unique()])
