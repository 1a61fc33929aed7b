"""Where a data set is found: a folder of the user's, this machine, its mirrors, Debian's package."""

import functools
import hashlib
import http.client
import logging
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from cgan_lightning.data import idx
from cgan_lightning.data.sets import FASHION_MNIST, FILES
from cgan_lightning.data.spec import DatasetSpec, IdxFile
from cgan_lightning.utils.errors import UserError

log = logging.getLogger(__name__)

CACHE_VARIABLE = "CGAN_LIGHTNING_CACHE"
SYSTEM_FOLDER = Path("/usr/share/datasets")
MIRROR_PATIENCE_S = 10
APT_PATIENCE_S = 300


def cache_folder() -> Path:
    """`$CGAN_LIGHTNING_CACHE`, else cgan_lightning in the user's cache folder. Raises UserError where there is none."""
    from platformdirs import user_cache_path  # 0.04 s to import, and not needed where `root` is given

    try:
        return Path(os.environ.get(CACHE_VARIABLE) or user_cache_path("cgan_lightning"))
    except RuntimeError:
        raise UserError(f"There is no home folder for the cache: set {CACHE_VARIABLE}") from None


def locate(root: Path | None = None, spec: DatasetSpec = FASHION_MNIST, *, key: str = "data.root") -> Path:
    """A folder with the data set's four verified files: `root`, or the cache, which the first source that works fills.

    A `root` that was given, under the name `key`, must be right: nothing else is taken in its place. Safe when several
    processes start together: one fetches, the others wait for it. Raises UserError with what is wrong in `root`, or with all
    that was tried, why each failed, and what would help.
    """
    if root is not None:
        return _given(root, spec, key)
    cached = cache_folder() / spec.name.replace("_", "-")
    with _lock(cached):
        if cached.is_dir():
            try:
                _verify(cached, spec)
                return cached
            except UserError as error:
                log.warning("The cache is damaged (%s); fetching it anew", error)
        failures = _fill(cached, spec)
    if cached.is_dir():
        return cached
    names = ", ".join(f"{file.name}[.gz]" for file in spec.files)
    if not failures:
        raise UserError(f"data={spec.name} cannot be downloaded: put {names} in a folder and give {key}=FOLDER; {spec.instead}")
    tried = "".join(f"\n  - {failure}" for failure in failures)
    package = f"install Debian's package {spec.debian_package}; " if spec.debian_package else ""
    raise UserError(
        f"{spec.title} was not found. Tried:{tried}\n"
        f"Any of these helps: put the four IDX files ({names}) in a folder and give {key}=FOLDER; "
        f"{package}or run once with a network connection."
    )


def _given(root: Path, spec: DatasetSpec, key: str) -> Path:
    folder = Path(os.path.expanduser(root))  # noqa: PTH111  Path's own raises where there is no such user
    try:
        _verify(folder, spec)
    except idx.OtherDataError as error:
        raise UserError(f"{key}={root}: {error}; give data={FILES} for data of your own, or data= with its name") from None
    except UserError as error:
        raise UserError(f"{key}={root}: {error}; correct it, or leave {key} out: the data is then found or fetched") from None
    return folder


def _verify(folder: Path, spec: DatasetSpec = FASHION_MNIST) -> None:
    """Verify each file, once in a process unless it changes: a training asks several times, for 0.1 s each."""
    for file in spec.files:
        _verify_once(folder, file, spec, tuple(map(_version, idx.paths(folder, file))))


@functools.lru_cache(maxsize=64)
def _verify_once(folder: Path, file: IdxFile, spec: DatasetSpec, _versions: tuple[tuple[int, ...], ...]) -> None:
    idx.read(folder, file, spec)


def _version(path: Path) -> tuple[int, ...]:
    """Return what changes with the content of a file."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _fill(cached: Path, spec: DatasetSpec) -> list[str]:
    """Tries the sources in order until one has filled `cached`; returns what went wrong with those before it."""
    failures = []
    for name, fetch in _sources(spec).items():
        with tempfile.TemporaryDirectory(dir=cached.parent, prefix="fetching-") as workspace:
            try:
                _store(fetch(Path(workspace)), Path(workspace), cached, spec)
            except UserError as error:
                failures.append(f"{name}: {error}")
                log.info("%s, %s", spec.title, failures[-1])
                continue
        log.info("%s: from %s, saved to %s", spec.title, name, cached)
        break
    return failures


def _sources(spec: DatasetSpec) -> dict[str, Callable[[Path], Path]]:
    """Return the functions that give a folder with the files, by the name of the source, in the order to try them."""
    package = {} if spec.debian_package is None else {
        f"Debian's package {spec.debian_package}": lambda folder: _download_debian_package(folder, spec),
    }  # fmt: skip
    system = {str(_system_folder(spec)): lambda _: _system_folder(spec)} if package else {}
    mirrors = {
        f"the mirror {address}": lambda folder, address=address: _download_from_mirror(folder, spec, address)
        for address in spec.mirrors
    }
    return system | mirrors | package


def _system_folder(spec: DatasetSpec) -> Path:
    return SYSTEM_FOLDER / spec.name.replace("_", "-")


def _store(result: Path, workspace: Path, cached: Path, spec: DatasetSpec) -> None:
    """Verifies the files of `result`, unpacks them beside `cached` and puts them there in one step."""
    whole = workspace / "whole"
    whole.mkdir()
    for file in spec.files:
        (whole / file.name).write_bytes(idx.read(result, file, spec))
    shutil.rmtree(cached, ignore_errors=True)
    whole.rename(cached)


def _download_from_mirror(folder: Path, spec: DatasetSpec, address: str) -> Path:
    for file in spec.files:
        try:
            with _ask(f"{address}{file.name}.gz") as answer:
                content = answer.read(file.size)
        except (OSError, http.client.HTTPException) as error:
            raise UserError(f"no answer ({error})") from None
        if file.md5_of_gz is not None and hashlib.md5(content, usedforsecurity=False).hexdigest() != file.md5_of_gz:
            raise UserError(f"{file.name}.gz differs from {spec.title} (its MD5 does not match)")
        (folder / f"{file.name}.gz").write_bytes(content)
    return folder


def _ask(address: str) -> Any:
    """The answer's beginning, within MIRROR_PATIENCE_S, and so much again for each wait while it is read.

    urllib's own time-out leaves out the look-up of the name and starts anew at each of a host's addresses.
    """
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(address, timeout=MIRROR_PATIENCE_S))  # noqa: S310  of data/sets.py
        except (OSError, http.client.HTTPException) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=MIRROR_PATIENCE_S)
    except queue.Empty:
        raise TimeoutError(f"none in {MIRROR_PATIENCE_S} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _download_debian_package(folder: Path, spec: DatasetSpec = FASHION_MNIST) -> Path:
    """`apt-get download` and `dpkg-deb -x`, neither of which needs root; with package lists of its own if need be."""
    lists, package = folder / "apt", str(spec.debian_package)
    for part in ("lists/partial", "archives/partial"):
        (lists / part).mkdir(parents=True)
    private = [f"-oDir::State::Lists={lists}/lists", f"-oDir::Cache={lists}"]
    try:
        _run(folder, "apt-get", "download", package)
    except UserError:  # most often: this machine has no package lists yet
        _run(folder, "apt-get", *private, "update")
        _run(folder, "apt-get", *private, "download", package)
    _run(folder, "dpkg-deb", "-x", next(folder.glob("*.deb")).name, "unpacked")
    return folder / "unpacked" / _system_folder(spec).relative_to("/")


def _run(folder: Path, program: str, *arguments: str) -> None:
    if not (path := shutil.which(program)):
        raise UserError(f"{program} is not on this machine")
    command = [path, *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=APT_PATIENCE_S)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise UserError(f"{program} took over {APT_PATIENCE_S} s") from None
    if done.returncode:
        reason = [line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg-deb: error"))]
        raise UserError(reason[-1] if reason else f"{program} exited with {done.returncode}")


def _lock(cached: Path) -> AbstractContextManager[Any]:
    """The cache's lock, which this process now has; the system drops it when the process ends, however it ends."""
    from filelock import FileLock  # 0.1 s to import, and not needed where `root` is given

    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(cached.with_suffix(".lock"), fallback_to_soft=False).acquire()
    except OSError as error:
        raise UserError(f"The cache folder {cached.parent} cannot be written ({error}): set {CACHE_VARIABLE}") from None
