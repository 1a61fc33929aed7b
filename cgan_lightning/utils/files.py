"""Atomic file writes: to a temporary file, flushed to disk, then renamed."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cgan_lightning.utils.errors import UserError

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # disk full, quota exceeded, file size limit


def write_atomically(path: Path, write: Callable[[Path], object], *, keep: Path | None = None) -> None:
    """Call `write` with a temporary path next to `path` and rename the result to `path`.

    With `keep`, the previous file is renamed to it, replacing any file there. A failed write leaves no partial file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if keep is not None and path.exists():
        path.replace(keep)
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # makes the rename durable
    os.close(folder)


def remove_partial(folder: Path) -> None:
    """Delete the partial files of killed writers in `folder`, recursively; only its owner may call this."""
    for partial in folder.rglob(".*.partial"):
        partial.unlink()


def write_json(path: Path, content: dict[str, Any] | list[Any]) -> None:
    write_atomically(path, lambda partial: partial.write_text(json.dumps(content, indent=2) + "\n"))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises UserError for anything else."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged: it holds no JSON object")
    return content
