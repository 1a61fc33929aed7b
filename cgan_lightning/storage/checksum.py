"""Store a zip file's SHA-256 in its comment, which torch.load and unzip ignore, to detect damage before loading."""

import hashlib
import zipfile
from pathlib import Path

from cgan_lightning.utils.errors import UserError

DIGITS = 64
CHUNK = 2**20


class DamagedError(UserError):
    """The file differs from what was written."""


def with_checksum(content: bytes) -> bytes:
    """Return `content`, a zip file without a comment from torch.save, with its SHA-256 as the comment."""
    body = content[:-2] + DIGITS.to_bytes(2, "little")  # the last field of a zip file is the length of its comment
    return body + hashlib.sha256(body).hexdigest().encode()


def check(path: Path) -> None:
    """Raise DamagedError unless `path` contains exactly what `with_checksum` returned."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        left = path.stat().st_size - DIGITS
        while left > 0 and (part := file.read(min(left, CHUNK))):
            digest.update(part)
            left -= len(part)
        expected = file.read()
    if expected != digest.hexdigest().encode():
        raise DamagedError(f"{path} is damaged, or not a checkpoint of cgan_lightning: its SHA-256 does not match")
    try:
        with zipfile.ZipFile(path) as archive:
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        stored = False
    if not stored:  # a compressed file could expand to gigabytes
        raise DamagedError(f"{path} is not a checkpoint of cgan_lightning: it is not an uncompressed zip file")
