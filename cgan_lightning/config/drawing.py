"""Types, ranges and descriptions of the keys of sample, explore and report."""

from dataclasses import dataclass
from typing import Any

from cgan_lightning.config.schema_fields import anything, device, number, of_one, one_of, plugins, seed, weights

MIXTURES = "a class, a mixture of classes or a list of these, or null"


@dataclass
class Sample:
    """Draw samples from a trained generator."""

    checkpoint: str = anything("the trained generator", must_be="a run folder or its generator.safetensors", **of_one("run"))
    classes: Any = anything("as in [Dress, 9], or a mixture: {Dress: 0.7, Coat: 0.3}; null: all classes", must_be=MIXTURES)
    z: str | None = anything("latent vectors of shape (count, latent_dim), instead of count and seed", must_be="a .npy file")
    directions: str | None = anything("directions of z, written by explore mode=directions", must_be="a .json file")
    move: Any = anything(
        "distance to move every z along each direction: {boot_height: 2.5}", must_be="{direction: number}, or null"
    )
    count: int = number("images per class; image j has image seed seed + j", at_least=1, at_most=100_000)
    seed: int = seed("image seed of the first image")
    output: str = anything(".png: one grid; .npz: arrays; no suffix: a folder of PNG files", must_be="a file or folder")
    weights: str = weights()
    batch_size: int = number("images per forward pass; does not change them", at_least=1)
    device: str = device()
    plugins: list[str] = plugins()


@dataclass
class Explore:
    """Explore how z and the label affect the images of a trained generator."""

    checkpoint: str = anything("the trained generator", must_be="a run folder or its generator.safetensors", **of_one("run"))
    mode: str = one_of(
        "interpolation: between two classes and between two z; directions: what the strongest directions of z change; "
        "embeddings: similarity of the class embeddings; training: an animation of the sample grids during training; "
        "page: a web page that runs the generator in the browser",
        "interpolation", "directions", "embeddings", "training", "page",
    )  # fmt: skip
    classes: Any = anything(
        "interpolation: start and end, null for [Dress, Coat], or the first two; directions: classes, each separately, "
        "null for all classes together", must_be=MIXTURES,
    )  # fmt: skip
    seed: int = number("image seed of the first z", at_least=0, below=2**32 - 1001)
    rows: int = number("number of z", at_least=1, at_most=1000)
    steps: int = number("mode=interpolation: images from start to end", at_least=2, at_most=1000)
    count: int = number("mode=directions: number of strongest directions of each kind", at_least=1, at_most=100)
    names: Any = anything(
        "mode=directions: extra names for directions: {boot_height: sefa3}, or {boot_height: height}, the one that increases "
        "the height (a column of the table) most",
        must_be="{new name: direction}, or null",
    )
    serve: bool = anything(
        "mode=page: serve the page on this machine until Ctrl-C; false: only write the folder, for any static host"
    )
    port: int = number("port of the page; 0: any free port", at_least=0, at_most=65535)
    output: str | None = anything("output folder; null: explore/GENERATOR/MODE", must_be="a folder")
    weights: str = weights()
    device: str = device()
    plugins: list[str] = plugins()


@dataclass
class Report:
    """Compare runs: write a web page, figures, a CSV file and tables."""

    runs: Any = anything(
        "the runs: a sweep folder, run folders, or a glob pattern",
        must_be="a folder in runs/sweeps/, a list as [runs/A,runs/B], or 'runs/*seed0*'",
        **of_one("sweep", example="SWEEP_FOLDER"),
    )  # fmt: skip
    metric: str | None = anything(
        "metric for the conclusions; null: fid on the test set if all runs were evaluated, else val_best_fid",
        must_be="a metric of results.json",
    )
    threshold: float | None = number(
        "validation FID up to which time is measured; null: the best that every run reached", above=0
    )
    output: str | None = anything(
        "output folder; null: the sweep folder, or one in reports/ next to the runs", must_be="a folder"
    )
    plugins: list[str] = plugins()
