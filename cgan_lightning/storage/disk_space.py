"""Full disks: files are written atomically, and the run ends with a one-sentence error."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cgan_lightning.utils.errors import RunError
from cgan_lightning.utils.files import NO_SPACE


@contextmanager
def required(folder: Path, checkpoint: Path) -> Iterator[None]:
    """Raise RunError if a write to `folder` inside the context finds no space; `checkpoint` is the run's last one."""
    original = threading.excepthook
    # TensorBoard's writer thread would print a traceback as well; its error is raised again with the next event
    threading.excepthook = lambda raised: None if _is_lacking(raised.exc_value) else original(raised)
    try:
        yield
    except OSError as error:
        if not _is_lacking(error):
            raise
        kept = "resume=auto resumes from the last intact checkpoint" if checkpoint.is_file() else "nothing was saved yet"
        raise RunError(f"No disk space for {error.filename or folder} ({error.strerror}): {kept}") from error
    finally:
        threading.excepthook = original


def _is_lacking(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in NO_SPACE
