"""A folder that one live process holds; the system lets go of it when the process ends, however it ends."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from cgan_lightning.utils.errors import UserError

NAME = ".lock"
PATIENCE_S = 0.5  # whoever only asks (`is_held`) has the lock for an instant


@contextlib.contextmanager
def hold(folder: Path, *, whose: str) -> Iterator[None]:
    """Makes `folder` and holds it. Raises UserError when it cannot be written, or when a live process holds it already."""
    from filelock import FileLock, Timeout  # 0.1 s to import, and not needed to ask

    # a lock file in place of the system's lock would outlive its process
    lock = FileLock(folder / NAME, timeout=PATIENCE_S, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = lock.acquire()
    except Timeout:
        raise UserError(f"{folder} is in use: another process runs {whose} right now") from None
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be written ({error.strerror}): set run_root") from None
    with held:
        yield


def is_held(folder: Path) -> bool:
    """Whether a live process holds `folder`. Nothing is written there, and several may ask at once."""
    try:
        with (folder / NAME).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
