"""Samples as files: one grid, arrays, or a folder of pictures."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from cgan_lightning.errors import UserError
from cgan_lightning.files import write_atomically
from cgan_lightning.images import labelled_grid, normalise, to_uint8


def check_ending(output: Path) -> None:
    """Raises UserError for an ending that `write` doesn't know."""
    if output.suffix not in (".png", ".npz", ""):
        raise UserError(f"output={output}: end it in .png for a grid, .npz for arrays, or not at all for a folder")


def write(
    output: Path,
    images: Float[Tensor, "classes seeds 1 size size"],
    classes: Sequence[int],
    seeds: Sequence[int],
    names: Sequence[str],
) -> str:
    """Writes `images` to `output` and says what was written, in a sentence.

    .png: one grid, a labelled row a class. .npz: `images` uint8 (classes × seeds, size, size), `labels`, `seeds`,
    `class_names`. No ending: a folder of PNG files, one an image. Raises UserError for an unwritable place.
    """
    written = f"{len(classes) * len(seeds):,} images to {output}"
    try:
        if output.suffix == ".png":
            grid = labelled_grid(images, [names[label] for label in classes])
            write_atomically(output, lambda path: Image.fromarray(grid).save(path, format="PNG"))
        elif output.suffix == ".npz":
            _write_arrays(output, images, classes, seeds, names)
        else:
            _write_folder(output, images, classes, seeds, names)
    except OSError as error:
        raise UserError(f"output={output} can't be written ({error.strerror})") from None
    return written


def write_pairs(
    output: Path,
    drawn: UInt8[Tensor, "count 1 size size"],
    train: UInt8[Tensor, "images 1 size size"],
    pairs: Sequence[Sequence[int]],  # (drawn, train)
) -> None:
    """Drawn images, and below each the training image that it is paired with, as one PNG."""
    ours, theirs = torch.tensor(pairs).unbind(1)
    grid = labelled_grid(normalise(torch.stack([drawn[ours], train[theirs]])), ("drawn", "training"))
    write_atomically(output, lambda path: Image.fromarray(grid).save(path, format="PNG"))


def _write_arrays(output: Path, images: Tensor, classes: Sequence[int], seeds: Sequence[int], names: Sequence[str]) -> None:
    arrays = {
        "images": to_uint8(images).flatten(0, 2).numpy(),
        "labels": np.repeat(np.asarray(classes, np.int64), len(seeds)),
        "seeds": np.tile(np.asarray(seeds, np.int64), len(classes)),
        "class_names": np.asarray(names),
    }

    def save(path: Path) -> None:
        with path.open("wb") as file:  # given a path, numpy would add its own ending
            np.savez_compressed(file, **arrays)

    write_atomically(output, save)


def _write_folder(output: Path, images: Tensor, classes: Sequence[int], seeds: Sequence[int], names: Sequence[str]) -> None:
    output.mkdir(parents=True, exist_ok=True)
    pixels = to_uint8(images)[:, :, 0].numpy()
    for row, label in enumerate(classes):
        name = re.sub(r"\W+", "-", names[label]).lower()
        for column, seed in enumerate(seeds):
            Image.fromarray(pixels[row, column]).save(output / f"{label}-{name}-seed{seed}.png")
