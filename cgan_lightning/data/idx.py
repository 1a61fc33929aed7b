"""Read the verified IDX files of a data set."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.data.spec import DatasetSpec, IdxFile
from cgan_lightning.utils.errors import UserError


class OtherDataError(UserError):
    """A file whose content is not that of the data set."""


def read(folder: Path, file: IdxFile, spec: DatasetSpec = FASHION_MNIST) -> bytearray:
    """Return the decompressed, verified content of `file`, plain or gzipped, in `folder`.

    Reads at most one byte more than expected, so that a malicious archive cannot fill the memory. Raises UserError, naming
    the file and the problem.
    """
    plain, packed = paths(folder, file)
    path, content = plain, bytearray(file.size + 1)
    try:
        path = plain if plain.is_file() else packed
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}")
        if not path.is_file():
            raise UserError(f"{plain}[.gz] is missing")
        with opened(path) as stream:
            del content[stream.readinto(content) :]
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from None
    verify(content, file, path, spec)
    return content


def paths(folder: Path, file: IdxFile) -> tuple[Path, Path]:
    """Return where `file` may be in `folder`: plain, and gzipped."""
    return folder / file.name, folder / f"{file.name}.gz"


def opened(path: Path) -> io.BufferedIOBase:
    """Open a file, decompressed if its name ends in .gz."""
    return gzip.GzipFile(path) if path.suffix == ".gz" else path.open("rb")


def verify(content: bytes | bytearray, file: IdxFile, source: object, spec: DatasetSpec) -> None:
    """Raise OtherDataError unless `content` is exactly the data set's `file`; the message names the first difference.

    Without a known SHA-256, the labels' numbers of each class must be right.
    """
    if content[: len(file.header)] != file.header:
        raise OtherDataError(
            f"{source} is not the IDX file of {_counts(file.shape)} unsigned bytes that {spec.title} has: "
            f"{_header_of(content, file)}"
        )
    if len(content) != file.size:
        raise OtherDataError(f"{source} has {'more' if len(content) > file.size else 'fewer'} than {file.size:,} bytes")
    if len(file.shape) == 1:
        _verify_labels(np.frombuffer(content, np.uint8, offset=len(file.header)), file, source, spec)
    if file.sha256 is not None and hashlib.sha256(content).hexdigest() != file.sha256:
        raise OtherDataError(f"{source} differs from {spec.title} (its SHA-256 does not match)")


def _verify_labels(labels: np.ndarray, file: IdxFile, source: object, spec: DatasetSpec) -> None:
    first, last = spec.first_label, spec.first_label + len(spec.class_names) - 1
    if labels.min() < first or labels.max() > last:
        raise OtherDataError(f"{source} has a label outside {first}..{last}")
    if file in spec.train and file.sha256 is None and tuple(np.bincount(labels)[first:]) != spec.counts:
        raise OtherDataError(f"{source} differs from {spec.title} (its numbers of images per class)")


def _header_of(content: bytes | bytearray, file: IdxFile) -> str:
    """Describe how the header of `content` differs from that of `file`: size, magic number (type and rank) or counts."""
    if len(content) < len(file.header):
        return f"it has {len(content)} bytes"
    magic, counts = content[:4], content[4 : len(file.header)]
    if magic != file.header[:4]:
        return f"its magic number is {magic.hex()}, not {file.header[:4].hex()}"
    return f"its header says {_counts(int.from_bytes(counts[at : at + 4], 'big') for at in range(0, len(counts), 4))}"


def _counts(shape: Iterable[int]) -> str:
    return "×".join(f"{count:,}" for count in shape)
