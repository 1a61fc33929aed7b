"""Evaluation of generators: samples and features are computed once, and results are saved with their protocol."""

import logging
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cgan_lightning.data.spec import DatasetSpec
from cgan_lightning.evaluation import classifier, feature_extractor, inception, suite
from cgan_lightning.evaluation.smoothness import Smoothness, smoothness
from cgan_lightning.evaluation.suite import Labelled
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import interpolation, output, sampling
from cgan_lightning.storage import environment, results
from cgan_lightning.utils.errors import UserError, shown
from cgan_lightning.utils.images import without_border

log = logging.getLogger(__name__)

InceptionFeatures = tuple[Tensor, Tensor]  # and labels
PATHS, STEPS = 180, 16  # for smoothness: each ordered pair of classes twice; as many paths between two z
FEWEST_PATHS = 10


@dataclass
class Evaluation:
    """The settings and reference data of an evaluation. On several ranks, all must call `real` and `drawn`.

    A generator of some of the classes is compared with these, with the same number of images per class as for all. Raises
    UserError if a class has too few images.
    """

    spec: DatasetSpec
    extractor: feature_extractor.FeatureExtractor
    train: Labelled
    test: Labelled
    samples: int  # equally many of each class, for a generator of all; fewer where a class has fewer real images
    seed: int = 0
    weights: str = "ema"
    accuracy_score: bool = False
    inception: nn.Module | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def __post_init__(self) -> None:
        for name, fewest in zip(self.spec.class_names, self._real_images(), strict=True):
            if fewest < suite.LEAST_PER_CLASS:
                raise UserError(
                    f"{self.spec.title} has {fewest} test images of class {name}: metrics need {suite.LEAST_PER_CLASS} or more"
                )

    @cached_property
    def per_class(self) -> int:
        return min(self.samples // len(self.spec.class_names), *self._real_images())

    @property
    def paths(self) -> int:
        """Of each kind, for smoothness: fewer where these had more images than the samples."""
        return min(PATHS, max(FEWEST_PATHS, self.samples // (2 * (STEPS + 1))))

    def _real_images(self) -> list[int]:
        """Return the number of images of each class in the split that has fewer of them."""
        classes = len(self.spec.class_names)
        train, test = (torch.bincount(labels, minlength=classes) for _, labels in (self.train, self.test))
        return torch.minimum(train, test).tolist()

    def protocol(self, classes: Tensor) -> dict[str, Any]:
        """Return what two evaluations must have in common to be comparable."""
        protocol: dict[str, Any] = {
            "samples": self.per_class * len(classes),
            "seed": self.seed,
            "weights": self.weights,
            "feature_extractor": self.extractor.hash,
            "reference": "test split, as many of each class",
            "pixels": "rounded to 8 bits",
        }
        if self.inception is not None:
            protocol["inception"] = feature_extractor.hash_of(self.inception)
        if self.paths < PATHS:
            protocol["paths"] = self.paths
        return protocol | suite.data_entry(self.spec, classes) | {"metrics": self._metrics(len(classes))}

    def _metrics(self, classes: int) -> list[str]:
        """Return the names of all metrics of a generator of `classes` classes."""
        smoothness = [f"{name}_along_{way}" for way in _ways(classes) for name in Smoothness._fields]
        by_inception = () if self.inception is None else inception.MEASURED
        accuracy_score = ("accuracy_score",) if self.accuracy_score else ()
        return sorted((*suite.measured(self.per_class * classes), *smoothness, *accuracy_score, *by_inception))

    def is_kept(self, generator: Path, path: Path) -> bool:
        """Whether `path` already has this evaluation of `generator`."""
        return results.is_evaluated(path, self.protocol(self._classes(self._loaded(generator))))

    def real(self) -> "Real":
        """Return the features of the real images, which are the same for every generator."""
        log.info("Real images: features of %s, computed or from the cache", f"{len(self.train[1]) + len(self.test[1]):,}")
        train, test = (suite.features_of_real(self.extractor, *split) for split in (self.train, self.test))
        if self.inception is None:
            return Real(train, test, self.per_class, self.seed)
        chosen = [suite.part(split, self.per_class, seed=self.seed) for split in (self.train, self.test)]
        log.info("Real images: Inception-v3 features of %s", f"{sum(len(labels) for _, labels in chosen):,}")
        by_inception = [(inception.features_of(self.inception, pixels), labels) for pixels, labels in chosen]
        return Real(train, test, self.per_class, self.seed, *by_inception)

    def drawn(self, generator: Path) -> "Drawn":
        """Return samples of a generator, from a run folder or a file, with their features."""
        trained = self._loaded(generator)
        classes, (prior, network) = self._classes(trained), (trained.prior, trained.network)
        count = self.per_class * len(classes)
        log.info("%s: drawing %s samples and computing their features", generator, f"{count:,}")
        pixels, labels = sampling.balanced(network, prior, len(classes), count, seed=self.seed, size=self.spec.image_size)
        images = pixels, classes[labels]
        by_inception = None if self.inception is None else inception.features_of(self.inception, pixels)
        return Drawn(
            trained.class_names,
            classes,
            images,
            suite.features_of(self.extractor, *images),
            self._smoothness(trained),
            by_inception,
        )

    def _loaded(self, generator: Path) -> generator_file.TrainedGenerator:
        return generator_file.load(generator, weights=self.weights, device=self.device)

    def _classes(self, trained: generator_file.TrainedGenerator) -> Tensor:
        """Return the data set's indices of the generator's classes. Raises UserError for a generator of other data."""
        if trained.dataset.hash != self.spec.hash:
            one, other = (f"{data.title} (hash {data.hash})" for data in (trained.dataset, self.spec))
            raise UserError(f"checkpoint={trained.path}: it was trained on {one}, not on {other}")
        names = self.spec.class_names
        if self.spec.source is None and (unknown := [name for name in trained.class_names if name not in names]):
            raise UserError(f"{shown(unknown[0])} is not a class of {self.spec.title}; its classes are {', '.join(names)}")
        return torch.tensor(trained.dataset.classes)

    def _smoothness(self, trained: generator_file.TrainedGenerator) -> dict[str, float]:
        """Return smoothness along z and, for two or more classes, along the label; the same on each rank."""
        log.info("Measuring smoothness along %d paths through z and labels, of %d images each", self.paths, STEPS + 1)
        seeds, size, result = range(self.seed, self.seed + self.paths), self.spec.image_size, {}
        for what, draw in _ways(len(trained.class_names)).items():
            paths = without_border(draw(trained, seeds, STEPS + 1), size)
            features, _ = classifier.outputs(self.extractor.network, paths.flatten(0, 1))
            measured = smoothness(features.unflatten(0, paths.shape[:2]))
            result |= {f"{name}_along_{what}": value for name, value in measured._asdict().items()}
        return result

    def measured(self, drawn: "Drawn", real: "Real") -> dict[str, dict[str, Any]]:
        """Return the metrics of `samples` and of the `real_baseline`; call it on one rank."""
        log.info("Comparing samples with the test images")
        real = real.of(drawn.classes)
        samples = suite.measure(drawn.features, real.train, real.test, seed=self.seed) | drawn.smoothness
        result = {"samples": samples, "real_baseline": dict(real.real_baseline)}
        if self.accuracy_score:
            log.info("Training two classifiers, on samples and on real images")
            train, test = (suite.of_classes(split, drawn.classes) for split in (self.train, self.test))
            scores = suite.accuracy_scores(drawn.images, train, test, seed=self.seed, mirrored=self.spec.mirrored)
            result = {side: values | {"accuracy_score": scores[side]} for side, values in result.items()}
        if drawn.by_inception is not None and real.test_by_inception is not None and real.train_by_inception is not None:
            for side, features in {"samples": drawn.by_inception, "real_baseline": real.train_by_inception[0]}.items():
                result[side] |= inception.compare(features, real.test_by_inception[0], seed=self.seed)
        return result

    def keep(self, measured: dict[str, dict[str, Any]], drawn: "Drawn", path: Path) -> Path:
        """Save `measured` to the JSON file at `path`; return the image of the closest pairs in the same folder."""
        protocol = self.protocol(drawn.classes)
        results.keep_evaluation(path, measured | {"protocol": protocol} | environment.describe(self.device))
        image = path.with_name("closest_pairs.png")
        train = suite.of_classes(self.train, drawn.classes)
        output.write_pairs(image, drawn.images[0], train[0], measured["samples"]["closest_pairs"])
        return image


@dataclass
class Drawn:
    """Samples as bytes, and their features; labels and classes are the feature extractor's class indices."""

    class_names: list[str]
    classes: Tensor
    images: Labelled
    features: suite.Features
    smoothness: dict[str, float]
    by_inception: Tensor | None = None


@dataclass
class Real:
    """The features of the real images."""

    train: suite.Features
    test: suite.Features
    per_class: int
    seed: int
    train_by_inception: InceptionFeatures | None = None  # as many as samples
    test_by_inception: InceptionFeatures | None = None
    parts: dict[tuple[int, ...], "Real"] = field(default_factory=dict, init=False)

    def of(self, classes: Tensor) -> "Real":
        """Return the features of `classes` only; cached by classes."""
        key = tuple(classes.tolist())
        if key not in self.parts:
            train, test = (suite.of_classes(each, classes) for each in (self.train, self.test))
            by_inception = (
                None if each is None else suite.of_classes(each, classes)
                for each in (self.train_by_inception, self.test_by_inception)
            )
            self.parts[key] = Real(train, test, self.per_class, self.seed, *by_inception)
        return self.parts[key]

    @cached_property
    def real_baseline(self) -> dict[str, Any]:
        """The metrics of as many training images in place of samples."""
        log.info("Comparing training images with the test images: the real baseline")
        return suite.real_baseline(self.train, self.test, self.per_class, seed=self.seed)


def _ways(classes: int) -> dict[str, Any]:
    """Return the path types of smoothness and the functions that draw them; a single class has no label paths."""
    return {"z": interpolation.random_along_z} | ({"label": interpolation.random_along_label} if classes > 1 else {})
