"""A zip file's own SHA-256 in its comment, where torch.load and every unzip leave it alone: damage shows before loading."""

import hashlib
import zipfile
from pathlib import Path

from cgan_lightning.utils.errors import UserError

DIGITS = 64
CHUNK = 2**20


class DamagedError(UserError):
    """A file that isn't what was written."""


def sealed(content: bytes) -> bytes:
    """`content`, a zip file without a comment as torch.save makes it, with its SHA-256 as comment."""
    body = content[:-2] + DIGITS.to_bytes(2, "little")  # the last field of a zip file: how long its comment is
    return body + hashlib.sha256(body).hexdigest().encode()


def check(path: Path) -> None:
    """Raises DamagedError unless `path` is, to the bit, what `sealed` gave."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        left = path.stat().st_size - DIGITS
        while left > 0 and (part := file.read(min(left, CHUNK))):
            digest.update(part)
            left -= len(part)
        expected = file.read()
    if expected != digest.hexdigest().encode():
        raise DamagedError(f"{path} is damaged, or no checkpoint of cgan_lightning: its SHA-256 is not the one that it tells")
    try:
        with zipfile.ZipFile(path) as archive:
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        stored = False
    if not stored:  # a few bytes could become gigabytes
        raise DamagedError(f"{path} is no checkpoint of cgan_lightning: it is no zip file, or a compressed one")
