"""One way of measuring generators: drawn once, looked at once, kept with its protocol."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cgan_lightning.generation import checkpoint, output, sampling, transitions
from cgan_lightning.images import without_border
from cgan_lightning.metrics import classifier, inception, judge, suite
from cgan_lightning.metrics.smoothness import smoothness
from cgan_lightning.metrics.suite import Labelled
from cgan_lightning.runtime import environment, results

PATHS, STEPS = 180, 16  # on which smoothness is measured: each class to each other one, twice; as many between two z


@dataclass
class Evaluation:
    """How generators are measured, against what. Where there are several ranks, all must call `seen` and `drawn`."""

    judge: judge.Judge
    train: Labelled
    test: Labelled
    samples: int  # as many of each class
    seed: int = 0
    weights: str = "ema"
    accuracy_score: bool = False
    inception: nn.Module | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def protocol(self) -> dict[str, Any]:
        """What two evaluations must have in common to be compared."""
        classes = len(self.test[1].unique())
        told = {
            "samples": self.samples - self.samples % classes,
            "seed": self.seed,
            "weights": self.weights,
            "judge": self.judge.hash,
            "reference": "test split, as many of each class",
            "pixels": "rounded to 8 bits",
        }
        return told | ({} if self.inception is None else {"inception": judge.hash_of(self.inception)})

    def is_kept(self, place: Path) -> bool:
        """Whether `place` has all this already."""
        return results.is_evaluated(place, self.protocol, {"accuracy_score"} if self.accuracy_score else set())

    def real(self) -> "Real":
        """The real images through all eyes: the same for every generator."""
        train, test = (suite.look(self.judge, *split) for split in (self.train, self.test))
        per_class = self.samples // len(self.test[1].unique())
        if self.inception is None:
            return Real(train, test, per_class, self.seed)
        rows = (suite.balanced_rows(split[1], per_class, seed=self.seed) for split in (self.train, self.test))
        chosen = [split[0][each] for split, each in zip((self.train, self.test), rows, strict=True)]
        return Real(train, test, per_class, self.seed, *(inception.look(self.inception, pixels) for pixels in chosen))

    def drawn(self, generator: Path) -> "Drawn":
        """Samples of a run folder's generator, or of a file with one, through all eyes."""
        trained = checkpoint.load(generator, weights=self.weights, device=self.device)
        classes = len(trained.class_names)
        images = sampling.balanced(trained.network, trained.prior, classes, self.samples, seed=self.seed)
        by_inception = None if self.inception is None else inception.look(self.inception, images[0])
        return Drawn(images, suite.look(self.judge, *images), self._smoothness(trained), by_inception)

    def _smoothness(self, trained: checkpoint.TrainedGenerator) -> dict[str, float]:
        """Along z and along the label; each rank finds the same."""
        seeds, size, found = range(self.seed, self.seed + PATHS), self.test[0].shape[-1], {}
        for what, draw in (("z", transitions.random_along_z), ("label", transitions.random_along_label)):
            paths = without_border(draw(trained, seeds, STEPS + 1), size)
            features, _ = classifier.outputs(self.judge.network, paths.flatten(0, 1))
            measured = smoothness(features.unflatten(0, paths.shape[:2]))
            found |= {f"{name}_along_{what}": value for name, value in measured._asdict().items()}
        return found

    def measured(self, drawn: "Drawn", real: "Real") -> dict[str, dict[str, Any]]:
        """`samples` beside the `floor`; for one rank."""
        samples = suite.measure(drawn.seen, real.train, real.test, seed=self.seed) | drawn.smoothness
        found = {"samples": samples, "floor": dict(real.floor)}
        if self.accuracy_score:
            scores = suite.accuracy_scores(drawn.images, self.train, self.test, seed=self.seed)
            found = {side: values | {"accuracy_score": scores[side]} for side, values in found.items()}
        if drawn.by_inception is not None and real.test_by_inception is not None and real.train_by_inception is not None:
            for side, features in {"samples": drawn.by_inception, "floor": real.train_by_inception}.items():
                found[side] |= inception.compare(features, real.test_by_inception, seed=self.seed)
        return found

    def keep(self, found: dict[str, dict[str, Any]], drawn: "Drawn", place: Path) -> Path:
        """Puts what was `found` into the JSON file at `place`; gives the picture of the closest pairs beside it."""
        results.keep_evaluation(place, found | {"protocol": self.protocol} | environment.describe(self.device))
        picture = place.with_name("closest_pairs.png")
        output.write_pairs(picture, drawn.images[0], self.train[0], found["samples"]["closest_pairs"])
        return picture


@dataclass
class Drawn:
    """Samples as bytes, and through all eyes."""

    images: Labelled
    seen: suite.Seen
    smoothness: dict[str, float]
    by_inception: torch.Tensor | None = None


@dataclass
class Real:
    """The real images through all eyes."""

    train: suite.Seen
    test: suite.Seen
    per_class: int
    seed: int
    train_by_inception: torch.Tensor | None = None  # as many as are drawn
    test_by_inception: torch.Tensor | None = None

    @cached_property
    def floor(self) -> dict[str, Any]:
        """As many training images, measured in place of samples."""
        return suite.floor(self.train, self.test, self.per_class, seed=self.seed)
