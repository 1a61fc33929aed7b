"""Whether an output can be written: asked before the work that it is for, with nothing left behind by asking."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cgan_lightning.utils.errors import UserError


def file(path: Path, setting: str) -> None:
    """Raises UserError, in a sentence that begins with what was `setting` for, unless a file can be put at `path`."""
    with _said(setting):
        if path.exists() and not path.is_file():  # a folder, or a device that a file would take the place of
            raise UserError(f"{setting} can't be written (what is there is no file)")
        _try(path.parent)


def folder(path: Path, setting: str) -> None:
    """The same of files in the folder `path`, which need not be there yet."""
    with _said(setting):
        _try(path)


def _try(folder: Path) -> None:
    """A file without a name: permissions say little to root, or of a file system that is read-only."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    with tempfile.TemporaryFile(dir=nearest):
        pass


@contextmanager
def _said(setting: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{setting} can't be written ({error.strerror})") from None
