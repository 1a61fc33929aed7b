"""What a data set is: its classes, sizes, files and feature extractor, without importing PyTorch."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cgan_lightning.data.own_data import OwnData
from cgan_lightning.utils.errors import UserError


@dataclass(frozen=True)
class IdxFile:
    """An IDX file of unsigned bytes: its name and shape, and the hashes of its content and of its gzipped form, if known."""

    name: str
    shape: tuple[int, ...]
    sha256: str | None = None
    md5_of_gz: str | None = None

    @property
    def size(self) -> int:
        """The size in bytes: two zeros, type (8: unsigned byte), rank, four bytes per dimension, then the values."""
        return 4 + 4 * len(self.shape) + int(np.prod(self.shape))

    @property
    def header(self) -> bytes:
        return bytes([0, 0, 8, len(self.shape)]) + b"".join(n.to_bytes(4, "big") for n in self.shape)


@dataclass(frozen=True)
class UserFiles:
    """A user's own files: one .npz with images and labels, or an IDX file of each; the test split may have its own."""

    images: Path
    labels: Path | None = None
    test_images: Path | None = None
    test_labels: Path | None = None


@dataclass(frozen=True)
class PluginData:
    """A data set of a plugin: its option of data=, its class with the settings, and data.root."""

    name: str
    settings: tuple[tuple[str, Any], ...]  # `_target_` and the settings
    root: Path | None
    data: OwnData = field(compare=False)

    @property
    def module(self) -> str:
        return str(dict(self.settings)["_target_"]).rpartition(".")[0]


@dataclass(frozen=True)
class DatasetSpec:
    """A data set of square images with one label each.

    `hash` identifies its content: results of different data are never compared, and the feature extractor is stored by it.
    The training and test split are the IDX files `train` and `test`, or come from `source`.
    """

    name: str  # the option of data=
    title: str  # for people
    class_names: tuple[str, ...]
    counts: tuple[int, ...]  # training images of each class
    hash: str
    image_size: int = 28
    channels: int = 1
    mirrored: bool = False  # an image and its mirror image are of one class, which the feature extractor's training uses
    files: tuple[IdxFile, ...] = ()  # images and labels of the training split, then of the test split
    first_label: int = 0  # the label of the first class in the files
    transposed: bool = False  # the files have each image's columns as rows
    mirrors: tuple[str, ...] = ()  # addresses of folders with the gzipped files
    instead: str = ""  # where users get the files of a data set without mirrors
    debian_package: str | None = None
    source: UserFiles | PluginData | None = field(default=None, compare=False)

    @property
    def train(self) -> tuple[IdxFile, ...]:
        return self.files[:2]

    @property
    def test(self) -> tuple[IdxFile, ...]:
        return self.files[2:]

    @property
    def is_balanced(self) -> bool:
        return len(set(self.counts)) == 1

    def with_border(self, wanted: int | None) -> int:
        """Return the height and width of images with a border up to `wanted`. Raises UserError for one that is impossible."""
        size = self.image_size if wanted is None else wanted
        if size < self.image_size or (size > self.image_size and size % 2):
            raise UserError(
                f"data.image_size={size} must be {self.image_size}, or a larger even number ({self.image_size} plus a border)"
            )
        return size

    def record(self, classes: Sequence[int]) -> dict[str, Any]:
        """Return what a generator file says about the data that it was trained on, of which it has `classes`."""
        settings = {"settings": dict(self.source.settings)} if isinstance(self.source, PluginData) else {}
        return {
            "name": self.name, "title": self.title, "hash": self.hash, "image_size": self.image_size,
            "channels": self.channels, "classes": [*classes], **settings,
        }  # fmt: skip


def hash_of(*parts: bytes | str) -> str:
    """Return the first sixteen hex digits of the SHA-256 of `parts`, or of the hashes of files."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()[:16]
