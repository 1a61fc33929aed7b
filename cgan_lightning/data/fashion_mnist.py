"""Read Fashion-MNIST (Xiao, Rasul and Vollgraf 2017) from verified IDX files into uint8 tensors."""

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from cgan_lightning.data.facts import CLASS_NAMES
from cgan_lightning.utils.errors import UserError, shown


def numbers(names: Sequence[str]) -> Int[Tensor, " names"]:
    """Return class indices of exact class names. Raises UserError for an unknown name."""
    if unknown := [name for name in names if name not in CLASS_NAMES]:
        raise UserError(f"{shown(unknown[0])} is not a class of Fashion-MNIST; its classes are {', '.join(CLASS_NAMES)}")
    return torch.tensor([CLASS_NAMES.index(name) for name in names])


@dataclass(frozen=True)
class IdxFile:
    """One of the four files: its name, and the shape and hash of its decompressed content."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def size(self) -> int:
        """The size in bytes: two zeros, type (8: unsigned byte), rank, four bytes per dimension, then the values."""
        return 4 + 4 * len(self.shape) + int(np.prod(self.shape))

    @property
    def header(self) -> bytes:
        return bytes([0, 0, 8, len(self.shape)]) + b"".join(n.to_bytes(4, "big") for n in self.shape)


TRAIN_IMAGES = IdxFile(
    "train-images-idx3-ubyte", (60_000, 28, 28), "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
)
TRAIN_LABELS = IdxFile("train-labels-idx1-ubyte", (60_000,), "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9")
TEST_IMAGES = IdxFile(
    "t10k-images-idx3-ubyte", (10_000, 28, 28), "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
)
TEST_LABELS = IdxFile("t10k-labels-idx1-ubyte", (10_000,), "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34")
TRAIN, TEST = (TRAIN_IMAGES, TRAIN_LABELS), (TEST_IMAGES, TEST_LABELS)
FILES = (*TRAIN, *TEST)


def read(folder: Path, file: IdxFile) -> bytes:
    """Return the decompressed, verified content of `file`, plain or gzipped, in `folder`.

    Reads at most one byte more than expected, so that a malicious archive cannot fill the memory. Raises UserError, naming
    the file and the problem.
    """
    plain, packed = folder / file.name, folder / f"{file.name}.gz"
    path = plain
    try:
        path = plain if plain.is_file() else packed
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}")
        if not path.is_file():
            raise UserError(f"{plain}[.gz] is missing")
        with plain.open("rb") if path == plain else gzip.open(packed) as stream:
            content = stream.read(file.size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from None
    verify(content, file, path)
    return content


def verify(content: bytes, file: IdxFile, source: object) -> None:
    """Raise UserError unless `content` is exactly Fashion-MNIST's `file`; the message names the first difference."""
    if content[: len(file.header)] != file.header:
        raise UserError(
            f"{source} is not the IDX file of {_counts(file.shape)} unsigned bytes that Fashion-MNIST has: "
            f"{_header_of(content, file)}"
        )
    if len(content) != file.size:
        raise UserError(f"{source} has {'more' if len(content) > file.size else 'fewer'} than {file.size:,} bytes")
    if len(file.shape) == 1 and max(content[len(file.header) :]) >= len(CLASS_NAMES):
        raise UserError(f"{source} has a label outside 0..{len(CLASS_NAMES) - 1}")
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise UserError(f"{source} differs from Fashion-MNIST (its SHA-256 does not match)")


def _header_of(content: bytes, file: IdxFile) -> str:
    """Describe how the header of `content` differs from that of `file`: size, magic number (type and rank) or counts."""
    if len(content) < len(file.header):
        return f"it has {len(content)} bytes"
    magic, counts = content[:4], content[4 : len(file.header)]
    if magic != file.header[:4]:
        return f"its magic number is {magic.hex()}, not {file.header[:4].hex()}"
    return f"its header says {_counts(int.from_bytes(counts[at : at + 4], 'big') for at in range(0, len(counts), 4))}"


def _counts(shape: Iterable[int]) -> str:
    return "×".join(f"{count:,}" for count in shape)


def tensors(
    folder: Path, images: IdxFile = TRAIN_IMAGES, labels: IdxFile = TRAIN_LABELS
) -> tuple[UInt8[Tensor, "count 1 28 28"], Int[Tensor, " count"]]:
    """Return the verified images 0..255 and labels 0..9 of one split from `folder`."""
    pixels, classes = (
        torch.frombuffer(bytearray(read(folder, file)), dtype=torch.uint8, offset=len(file.header)).view(file.shape)
        for file in (images, labels)
    )
    return pixels[:, None], classes.long()
