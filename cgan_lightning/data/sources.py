"""Where Fashion-MNIST is found: a folder of the user's, this machine, torchvision's mirror, Debian's package."""

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

from cgan_lightning.data import fashion_mnist
from cgan_lightning.utils.errors import UserError

log = logging.getLogger(__name__)

CACHE_VARIABLE = "CGAN_LIGHTNING_CACHE"
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")
PACKAGE = "dataset-fashion-mnist"
MIRROR_PATIENCE_S = 10
APT_PATIENCE_S = 300


def cache_folder() -> Path:
    """`$CGAN_LIGHTNING_CACHE`, else cgan_lightning in the user's cache folder. Raises UserError where there is none."""
    from platformdirs import user_cache_path  # 0.04 s to import, and not needed where `root` is given

    try:
        return Path(os.environ.get(CACHE_VARIABLE) or user_cache_path("cgan_lightning"))
    except RuntimeError:
        raise UserError(f"There is no home folder for the cache: set {CACHE_VARIABLE}") from None


def locate(root: Path | None = None, *, key: str = "data.root") -> Path:
    """A folder with the four verified files: `root`, or the cache, which the first source that works fills.

    A `root` that was given, under the name `key`, must be right: nothing else is taken in its place. Safe when several
    processes start together: one fetches, the others wait for it. Raises UserError with what is wrong in `root`, or with all
    that was tried, why each failed, and what would help.
    """
    if root is not None:
        folder = Path(os.path.expanduser(root))  # noqa: PTH111  Path's own raises where there is no such user
        try:
            _verify(folder)
        except UserError as error:
            raise UserError(f"{key}={root}: {error}; mend it, or leave {key} out: the data is then found or fetched") from None
        return folder
    cached = cache_folder() / "fashion-mnist"
    with _lock(cached):
        if cached.is_dir():
            try:
                _verify(cached)
                return cached
            except UserError as error:
                log.warning("The cache is damaged (%s); fetching it anew", error)
        failures = _fill(cached)
    if cached.is_dir():
        return cached
    tried = "".join(f"\n  - {failure}" for failure in failures)
    raise UserError(
        f"Fashion-MNIST was not found. Tried:{tried}\n"
        "Any of these helps: put the four IDX files (gzipped or not) in a folder and give data.root=FOLDER; "
        f"install Debian's package {PACKAGE}; or run once with a network connection."
    )


def _verify(folder: Path) -> None:
    for file in fashion_mnist.FILES:
        fashion_mnist.read(folder, file)


def _fill(cached: Path) -> list[str]:
    """Tries the sources in order until one has filled `cached`; returns what went wrong with those before it."""
    failures = []
    sources: dict[str, Callable[[Path], Path]] = {
        str(SYSTEM_FOLDER): lambda _: SYSTEM_FOLDER,
        "torchvision's mirror": _download_from_mirror,
        f"Debian's package {PACKAGE}": _download_debian_package,
    }
    for name, fetch in sources.items():
        with tempfile.TemporaryDirectory(dir=cached.parent, prefix="fetching-") as workspace:
            try:
                _store(fetch(Path(workspace)), Path(workspace), cached)
            except UserError as error:
                failures.append(f"{name}: {error}")
                log.info("Fashion-MNIST, %s", failures[-1])
                continue
        log.info("Fashion-MNIST: from %s, saved to %s", name, cached)
        break
    return failures


def _store(result: Path, workspace: Path, cached: Path) -> None:
    """Verifies the files of `result`, unpacks them beside `cached` and puts them there in one step."""
    whole = workspace / "whole"
    whole.mkdir()
    for file in fashion_mnist.FILES:
        (whole / file.name).write_bytes(fashion_mnist.read(result, file))
    shutil.rmtree(cached, ignore_errors=True)
    whole.rename(cached)


def _download_from_mirror(folder: Path) -> Path:
    from torchvision.datasets import FashionMNIST  # a second to import, seldom needed

    for file in fashion_mnist.FILES:
        try:
            address = f"{FashionMNIST.mirrors[0]}{file.name}.gz"
            with _ask(address) as answer:
                (folder / f"{file.name}.gz").write_bytes(answer.read(file.size))
        except (OSError, http.client.HTTPException) as error:
            raise UserError(f"no answer ({error})") from None
    return folder


def _ask(address: str) -> Any:
    """The answer's beginning, within MIRROR_PATIENCE_S, and so much again for each wait while it is read.

    urllib's own time-out leaves out the look-up of the name and starts anew at each of a host's addresses.
    """
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(address, timeout=MIRROR_PATIENCE_S))  # noqa: S310  torchvision's address
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


def _download_debian_package(folder: Path) -> Path:
    """`apt-get download` and `dpkg-deb -x`, neither of which needs root; with package lists of its own if need be."""
    lists = folder / "apt"
    for part in ("lists/partial", "archives/partial"):
        (lists / part).mkdir(parents=True)
    private = [f"-oDir::State::Lists={lists}/lists", f"-oDir::Cache={lists}"]
    try:
        _run(folder, "apt-get", "download", PACKAGE)
    except UserError:  # most often: this machine has no package lists yet
        _run(folder, "apt-get", *private, "update")
        _run(folder, "apt-get", *private, "download", PACKAGE)
    _run(folder, "dpkg-deb", "-x", next(folder.glob("*.deb")).name, "unpacked")
    return folder / "unpacked" / SYSTEM_FOLDER.relative_to("/")


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
        raise UserError(f"The cache folder {cached.parent} can't be written ({error}): set {CACHE_VARIABLE}") from None
