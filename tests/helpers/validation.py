"""Repeat a run's validation from its saved weights."""

from pathlib import Path

from cgan_lightning.data import splits
from cgan_lightning.evaluation import feature_extractor, suite
from cgan_lightning.models import generator_file
from cgan_lightning.sampling import sampling


def measured_again(folder: Path, weights: str) -> dict[str, float]:
    """Return the run's expected validation of the generator in `weights`, by the functions that `evaluate` uses."""
    extractor, trained = feature_extractor.load(), generator_file.load(folder / weights)
    pixels, labels = (part[:64] for part in splits.of_training())
    rows = suite.balanced_rows(labels, 6, seed=0)
    drawn = sampling.balanced(trained.network, trained.prior, 10, 60, seed=0)
    return suite.validate(suite.features_of(extractor, *drawn), suite.features_of(extractor, pixels[rows], labels[rows]))
