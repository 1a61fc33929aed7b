"""Types, ranges and descriptions of the keys of sample and explore, which draw from a trained generator."""

from dataclasses import dataclass
from typing import Any

from cgan_lightning.config.schema_fields import anything, device, number, of_one, one_of, seed, weights

MIXTURES = "a class, a mixture of classes or a list of these, or null"


@dataclass
class Sample:
    """Draws pictures from a trained generator."""

    checkpoint: str = anything("which generator", must_be="a run folder or its generator.safetensors", **of_one("run"))
    classes: Any = anything("as in [Dress, 9], or a mixture: {Dress: 0.7, Coat: 0.3}; null: all ten", must_be=MIXTURES)
    z: str | None = anything("an array of shape (count, latent_dim), in place of count and seed", must_be="a .npy file")
    directions: str | None = anything("directions of z, which explore mode=directions writes", must_be="a .json file")
    move: Any = anything(
        "along which of them every z goes, and how far: {boot_height: 2.5}", must_be="{direction: number}, or null"
    )
    count: int = number("pictures of each class; picture j has image seed seed + j", at_least=1, at_most=100_000)
    seed: int = seed("image seed of the first picture")
    output: str = anything(".png: one grid; .npz: arrays; anything else: a folder of PNG files", must_be="a file or folder")
    weights: str = weights()
    batch_size: int = number("pictures at a time, which does not change them", at_least=1)
    device: str = device()


@dataclass
class Explore:
    """Shows what z and the label mean to a trained generator."""

    checkpoint: str = anything("which generator", must_be="a run folder or its generator.safetensors", **of_one("run"))
    mode: str = one_of(
        "interpolation: between two classes and between two z; directions: what the strongest directions of z change; "
        "embeddings: which classes have similar embeddings; training: the sample grids over the training, as an animation; "
        "page: a web page that draws in the browser",
        "interpolation", "directions", "embeddings", "training", "page",
    )  # fmt: skip
    classes: Any = anything(
        "interpolation: from which to which, null for [Dress, Coat]; directions: of which, each by itself, null for all "
        "classes together", must_be=MIXTURES,
    )  # fmt: skip
    seed: int = number("image seed of the first z", at_least=0, below=2**32 - 1001)
    rows: int = number("how many z", at_least=1, at_most=1000)
    steps: int = number("pictures from one end to the other, in mode=interpolation", at_least=2, at_most=1000)
    count: int = number("the strongest so many directions of each kind, in mode=directions", at_least=1, at_most=100)
    names: Any = anything(
        "directions that are kept under such names too, in mode=directions: {boot_height: sefa3}, or {boot_height: height}, "
        "the one along which the height (a column of the table) grows most",
        must_be="{new name: direction}, or null",
    )
    serve: bool = anything("mode=page: on this machine alone, until Ctrl-C; false: only the folder, for any static host")
    port: int = number("where the page is served; 0: any that is free", at_least=0, at_most=65535)
    output: str | None = anything("where it is written; null: explore/GENERATOR/MODE", must_be="a folder")
    weights: str = weights()
    device: str = device()
