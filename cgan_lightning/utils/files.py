"""Files that are whole or not there: written beside, flushed to disk, renamed."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cgan_lightning.utils.errors import UserError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, the quota, the largest file that is allowed


def write_atomically(path: Path, write: Callable[[Path], object], *, keep: Path | None = None) -> None:
    """Calls `write` with a path beside `path` and renames the result; an earlier file stays until the new one is whole.

    With `keep`, the earlier file has that name afterwards, in place of whatever had it. What fails leaves no part behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.partial")
    try:
        write(beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if keep is not None and path.exists():
        path.replace(keep)
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # the renaming itself
    os.close(folder)


def remove_partial(folder: Path) -> None:
    """What writers that were killed have left in `folder` and below it; for its one owner."""
    for beside in folder.rglob(".*.partial"):
        beside.unlink()


def write_json(path: Path, content: dict[str, Any] | list[Any]) -> None:
    write_atomically(path, lambda beside: beside.write_text(json.dumps(content, indent=2) + "\n"))


def read_json(path: Path) -> dict[str, Any]:
    """Raises UserError for what `write_json` hasn't written."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged: it holds no JSON object")
    return content
