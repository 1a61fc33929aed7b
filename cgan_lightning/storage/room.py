"""No room on the disk: what is written is whole or not there, and the run ends with a sentence."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cgan_lightning.utils.errors import RunError
from cgan_lightning.utils.files import NO_ROOM


@contextmanager
def needed(folder: Path, checkpoint: Path) -> Iterator[None]:
    """Raises RunError when there is none left for what is written to `folder` inside; `checkpoint` is the run's last one."""
    says = threading.excepthook
    # TensorBoard's thread, whose error comes to us with the next event, would print a traceback too
    threading.excepthook = lambda raised: None if _is_lacking(raised.exc_value) else says(raised)
    try:
        yield
    except OSError as error:
        if not _is_lacking(error):
            raise
        kept = "resume=auto goes on from its last good checkpoint" if checkpoint.is_file() else "nothing was saved yet"
        raise RunError(f"There is no room for {error.filename or folder} ({error.strerror}): {kept}") from error
    finally:
        threading.excepthook = says


def _is_lacking(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in NO_ROOM
