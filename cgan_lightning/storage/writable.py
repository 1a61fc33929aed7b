"""Check that an output can be written before the work starts, without leaving files behind."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cgan_lightning.utils.errors import UserError


def file(path: Path, setting: str) -> None:
    """Raise UserError unless a file can be written at `path`; the message begins with `setting`."""
    with _reporting(setting):
        if path.exists() and not path.is_file():  # a folder, or a device that would be overwritten
            raise UserError(f"{setting} cannot be written (not a regular file)")
        _try(path.parent)


def folder(path: Path, setting: str) -> None:
    """Raise UserError unless files can be written in the folder `path`, which need not exist yet."""
    with _reporting(setting):
        _try(path)


def _try(folder: Path) -> None:
    """Create a temporary file, because permission bits do not apply to root or to read-only file systems."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    with tempfile.TemporaryFile(dir=existing):
        pass


@contextmanager
def _reporting(setting: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{setting} cannot be written ({error.strerror})") from None
