"""mode=embeddings: the similarity of class embeddings in each network, compared with the classifier's confusion."""

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from scipy import stats
from torch import Tensor
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter

from cgan_lightning.evaluation import feature_extractor, suite
from cgan_lightning.evaluation.classification import confusion
from cgan_lightning.exploration import class_figures
from cgan_lightning.exploration.made_from import made_from
from cgan_lightning.models.class_vectors import class_vectors
from cgan_lightning.models.generator_file import TrainedGenerator
from cgan_lightning.sampling import sampling
from cgan_lightning.utils import pasteable
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.files import write_atomically

PER_CLASS = 500  # samples for the classifier
PERMUTATIONS = 9999
LEAST_CLASSES = 3  # fewer have only one pair
UNLEARNED = "has no learned class vectors: its labels are fixed numbers, or none"

Matrix = Float[np.ndarray, "classes classes"]


def explore(trained: TrainedGenerator, discriminator: dict[str, Tensor] | None, *, seed: int, output: Path) -> list[str]:
    """Write figures, a table and data for TensorBoard's projector to `output`; return messages.

    `discriminator` is its state dictionary, None if only the generator is available. Raises UserError if there is nothing to
    compare.
    """
    if (count := len(trained.class_names)) < LEAST_CLASSES:
        raise UserError(f"mode=embeddings compares {LEAST_CLASSES} classes or more, and this generator has {count}")
    networks = {"generator": trained.network.state_dict(), "discriminator": discriminator or {}}
    result = {name: class_vectors(state) for name, state in networks.items()}
    vectors = {name: each.detach().float().cpu() for name, each in result.items() if each is not None}
    missing = [f"The {name} {UNLEARNED}" for name in networks if name not in vectors and networks[name]]
    missing += [] if discriminator else ["The discriminator is kept by a run folder's checkpoint alone: give that"]
    if not vectors:
        raise UserError(f"mode=embeddings has nothing to compare. {'. '.join(missing)}")
    similarities = {name: cosines(each) for name, each in vectors.items()}
    mistaken = mistaken_for(trained, seed=seed)
    output.mkdir(parents=True, exist_ok=True)
    names, order = trained.class_names, class_figures.leaves(next(iter(similarities.values())))
    origin = made_from(trained, [seed])
    class_figures.matrices(output, similarities, mistaken, names, order, origin=origin)
    class_figures.dendrograms(output, similarities, names, origin=origin)
    table = _table(names, similarities, mistaken)
    write_atomically(output / "similarity.csv", lambda path: path.write_text(table))
    _projector(trained, vectors, seed, output)
    return [
        *missing,
        *(sentence for name, each in similarities.items() for sentence in _summary(name, each, mistaken, names, seed)),
        f"{output / 'similarity.png'}: similarity of classes; dendrogram.png: their dendrograms; similarity.csv: all pairs",
        f"TensorBoard shows the vectors in its projector:\n  {pasteable.tensorboard(output)}",
    ]


def cosines(vectors: Float[Tensor, "classes width"]) -> Matrix:
    """Return the cosine similarity of each pair of class vectors, in -1..1."""
    directions = F.normalize(vectors.double())
    return (directions @ directions.T).clamp(-1, 1).numpy()


def mistaken_for(trained: TrainedGenerator, *, seed: int) -> Matrix:
    """Return the share of PER_CLASS samples of each class (row) that are classified as each class (column)."""
    extractor = feature_extractor.of_data(trained.dataset, next(trained.network.parameters()).device)
    classes, size = torch.tensor(trained.dataset.classes), trained.dataset.image_size
    drawn = sampling.balanced(trained.network, trained.prior, len(classes), PER_CLASS * len(classes), seed=seed, size=size)
    features = suite.features_of(extractor, *drawn)
    counts = confusion(features.logits.cpu(), classes[features.labels.cpu()], features.logits.shape[1])
    return counts[classes][:, classes].numpy() / PER_CLASS


def rank_correlation(one: Matrix, other: Matrix, *, seed: int = 0) -> tuple[float, float]:
    """Return Spearman's rho over all pairs of classes and its p-value; nan if all pairs of a matrix are equal.

    Pairs that share a class are not independent, so the p-value comes from permutations of the classes (Mantel 1967).
    """
    pairs = np.triu_indices(len(one), 1)
    ranks, others = (stats.rankdata(each[pairs]) for each in (one, other))
    if ranks.std() == 0 or others.std() == 0:
        return float("nan"), float("nan")
    square = np.zeros_like(one)
    square[pairs] = stats.zscore(ranks)  # mean 0 and variance 1 over pairs for any order of classes
    square += square.T
    draws = np.random.default_rng(seed)
    orders = np.stack([np.arange(len(one)), *(draws.permutation(len(one)) for _ in range(PERMUTATIONS))])
    result = square[orders[:, pairs[0]], orders[:, pairs[1]]] @ stats.zscore(others) / len(others)
    as_strong = np.abs(result) >= abs(result[0]) - 1e-9  # includes the observed one, which is the first
    return float(result[0]), float(as_strong.mean())


def _summary(network: str, similarity: Matrix, mistaken: Matrix, names: Sequence[str], seed: int) -> Iterator[str]:
    ranked = sorted(itertools.combinations(range(len(names)), 2), key=lambda pair: -similarity[pair])
    nearest, farthest = (
        ", ".join(f"{names[one]} and {names[other]} {similarity[one, other]:+.2f}" for one, other in pairs)
        for pairs in (ranked[:3], ranked[:-3:-1])
    )
    yield f"{network}: most alike {nearest}; least {farthest} (cosines)"
    rho, p = rank_correlation(similarity, mistaken + mistaken.T, seed=seed)
    if np.isnan(rho):
        yield f"{network}: the classifier confuses no two classes, so there is nothing to compare with"
    else:
        correlation = f"{rho:+.2f}, p = {p:.2g} by {PERMUTATIONS:,} permutations"
        yield f"{network}: rank correlation with the classifier's confusion {correlation}"


def _table(names: Sequence[str], similarities: dict[str, Matrix], mistaken: Matrix) -> str:
    """Return a CSV row per pair of classes: cosines, and the share of their samples classified as the other class."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["class", "other", *(f"cosine in the {network}" for network in similarities), "mistaken"])
    for one, other in itertools.combinations(range(len(names)), 2):
        shares = (mistaken[one, other] + mistaken[other, one]) / 2
        writer.writerow(
            [names[one], names[other], *(f"{each[one, other]:.4f}" for each in similarities.values()), f"{shares:.4f}"]
        )
    return text.getvalue()


def _projector(trained: TrainedGenerator, vectors: dict[str, Tensor], seed: int, output: Path) -> None:
    """Write each network's class vectors for TensorBoard's projector, with a sample of each class as its image."""
    thumbnails = sampling.sample_grid(trained.network, trained.prior, range(len(trained.class_names)), [seed])[:, 0]
    with SummaryWriter(str(output)) as events:
        for network, each in vectors.items():
            events.add_embedding(each, list(trained.class_names), (thumbnails.cpu() + 1) / 2, tag=network)
