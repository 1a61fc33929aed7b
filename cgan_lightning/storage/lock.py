"""A folder that one live process holds; the system lets go of it when the process ends, however it ends."""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from cgan_lightning.utils.errors import UserError

NAME = ".lock"
TRIES, PAUSE_S = 5, 0.1  # whoever only asks (`is_held`) has the lock for an instant


@contextlib.contextmanager
def hold(folder: Path, *, whose: str) -> Iterator[None]:
    """Makes `folder` and holds it. Raises UserError when it can't be written, or when a live process holds it already."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / NAME).open("w")
    except OSError as error:
        raise UserError(f"The folder {folder} can't be written ({error.strerror}): set run_root") from None
    with file:
        if not any(_try(file) for _ in range(TRIES)):
            raise UserError(f"{folder} is in use: another process runs {whose} right now")
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


def _try(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(PAUSE_S)
        return False
    return True
