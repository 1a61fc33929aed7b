"""Write samples to files: a sample grid, arrays, or a folder of images."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from cgan_lightning.sampling.class_names import Label
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.files import write_atomically
from cgan_lightning.utils.images import arrays, labelled_grid, normalise, to_uint8


def check_ending(output: Path) -> None:
    """Raise UserError for a file extension that `write` does not support."""
    if output.suffix not in (".png", ".npz", ""):
        raise UserError(f"output={output}: end it in .png for a grid, .npz for arrays, or not at all for a folder")


def write(
    output: Path,
    images: Float[Tensor, "rows columns channels size size"],
    rows: Sequence[Label],
    columns: Mapping[str, np.ndarray],  # "seeds": the image seed of each column; "z": its z, from a file or moved
    names: Sequence[str],
) -> str:
    """Write `images` to `output` and return a sentence about what was written.

    .png: a sample grid with one titled row per label. .npz: `images` uint8 (rows × columns, size, size[, 3]),
    `labels`, `class_names`, the entries of `columns`, and `label_weights` if a row is a mixture. No extension: a folder with
    one PNG file per image. Raises UserError if `output` cannot be written.
    """
    written = f"Wrote {images.shape[0] * images.shape[1]:,} images to {output}"
    try:
        if output.suffix == ".png":
            grid = Image.fromarray(labelled_grid(images, [row.title for row in rows]))
            write_atomically(output, lambda path: grid.save(path, format="PNG"))
        elif output.suffix == ".npz":
            _write_arrays(output, images, rows, columns, names)
        else:
            _write_folder(output, images, rows, columns)
    except OSError as error:
        raise UserError(f"output={output} cannot be written ({error.strerror})") from None
    return written


def write_pairs(
    output: Path,
    drawn: UInt8[Tensor, "count channels size size"],
    train: UInt8[Tensor, "images channels size size"],
    pairs: Sequence[Sequence[int]],  # (drawn, train)
) -> None:
    """Write drawn images, each above the training image that it is paired with, as one PNG."""
    drawn_rows, train_rows = torch.tensor(pairs).unbind(1)
    grid = labelled_grid(normalise(torch.stack([drawn[drawn_rows], train[train_rows]])), ("drawn", "training"))
    write_atomically(output, lambda path: Image.fromarray(grid).save(path, format="PNG"))


def _write_arrays(
    output: Path, images: Tensor, rows: Sequence[Label], columns: Mapping[str, np.ndarray], names: Sequence[str]
) -> None:
    weights = np.asarray([row.weights for row in rows])
    content = {
        "images": arrays(to_uint8(images).flatten(0, 1)),
        "labels": np.repeat(weights.argmax(1), images.shape[1]),
        "class_names": np.asarray(names),
        **{name: np.concatenate([values] * len(rows)) for name, values in columns.items()},
        **({"label_weights": np.repeat(weights, images.shape[1], axis=0)} if any(row.is_mixture for row in rows) else {}),
    }

    def save(path: Path) -> None:
        with path.open("wb") as file:  # with a path, numpy would append an extension
            np.savez_compressed(file, **content)

    write_atomically(output, save)


def _write_folder(output: Path, images: Tensor, rows: Sequence[Label], columns: Mapping[str, np.ndarray]) -> None:
    output.mkdir(parents=True, exist_ok=True)
    pixels = arrays(to_uint8(images))
    for index, row in enumerate(rows):
        title = re.sub(r"\W+", "-", row.title).lower()
        for column in range(images.shape[1]):
            drawn = f"seed{columns['seeds'][column]}" if "seeds" in columns else f"z{column}"
            name = f"{title}-{drawn}" if row.is_mixture else f"{row.main}-{title}-{drawn}"
            Image.fromarray(pixels[index, column]).save(output / f"{name}.png")
