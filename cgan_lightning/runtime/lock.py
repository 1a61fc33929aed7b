"""A folder that one live process holds; the system lets go of it when the process ends, however it ends."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from cgan_lightning.errors import UserError

NAME = ".lock"


@contextlib.contextmanager
def hold(folder: Path, *, whose: str) -> Iterator[None]:
    """Makes `folder` and holds it. Raises UserError when it can't be written, or when a live process holds it already."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / NAME).open("w")
    except OSError as error:
        raise UserError(f"The folder {folder} can't be written ({error.strerror}): set run_root") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder} is in use: another process runs {whose} right now") from None
        yield


def is_held(folder: Path) -> bool:
    """Whether a live process holds `folder`."""
    try:
        with (folder / NAME).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
