"""Processes found by what /proc tells of them: a daemon's children cannot be found by their parents, which end first."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def started_with(name: str, value: str) -> list[int]:
    """All that have `name=value` in their environment, but for this one."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if pid != os.getpid() and environment(pid).get(name) == value]


def environment(pid: int) -> dict[str, str]:
    """What a process was started with; nothing if it is gone, a zombie or another user's."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def open_files(pid: int) -> set[Path]:
    """Also its sockets, as `socket:[12345]`."""
    files = set()
    with suppress(OSError):  # it is gone
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # it closed this one
                files.add(link.readlink())
    return files


def kill(find: Callable[[], list[int]]) -> None:
    """Again until none is found: they may start others meanwhile."""
    deadline = time.monotonic() + 20
    while pids := find():
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {pids} survive SIGKILL")
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
