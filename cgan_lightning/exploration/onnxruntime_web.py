"""onnxruntime-web, which runs the generator in a browser: fetched once through npm, verified and cached."""

import hashlib
import logging
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from cgan_lightning.data.sources import CACHE_VARIABLE, cache_folder
from cgan_lightning.utils.errors import UserError, shown

log = logging.getLogger(__name__)

PACKAGE = "onnxruntime-web@1.30.0"
FILES = {  # SHA-256; the smallest build, for the CPU, which needs no special response headers
    "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
PATIENCE_S = 300


def locate() -> Path:
    """Return a folder with verified FILES, fetched by npm if not cached. Raises UserError with a remedy."""
    cached = cache_folder() / PACKAGE
    if wrong(cached):
        _fetch(cached)
    return cached


def wrong(folder: Path) -> list[str]:
    """Return the names in FILES that are missing or differ."""
    return [
        name
        for name, digest in FILES.items()
        if not (folder / name).is_file() or hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    ]


def _fetch(cached: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(f"mode=page needs npm once, to fetch {PACKAGE}: install Debian's package npm, or Node.js")
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent, prefix="fetching-") as workspace:
            whole = Path(workspace) / "whole"
            _unpack(_packed(npm, Path(workspace)), whole)
            if result := wrong(whole):
                raise UserError(
                    f"mode=page: npm gave another {' and '.join(result)} of {PACKAGE} than this version was made for"
                )
            shutil.rmtree(cached, ignore_errors=True)
            whole.rename(cached)
    except OSError as error:
        raise UserError(f"The cache folder {cached.parent} cannot be written ({error}): set {CACHE_VARIABLE}") from None
    log.info("%s: from npm, saved to %s", PACKAGE, cached)


def _packed(npm: str, folder: Path) -> Path:
    """Download the package's archive into `folder` and return its path."""
    command = [npm, "pack", PACKAGE, "--pack-destination", str(folder), "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise UserError(
            f"mode=page: npm pack {PACKAGE} took over {PATIENCE_S} s; try again with a network connection"
        ) from None
    if done.returncode:
        raise UserError(f"mode=page: npm pack {PACKAGE} failed ({shown(done.stderr)}); it needs a network connection once")
    return next(folder.glob("*.tgz"))


def _unpack(archive: Path, folder: Path) -> None:
    """Extract only FILES, each under its own name, so that an archive cannot write anywhere else."""
    folder.mkdir()
    with tarfile.open(archive) as packed:
        for name in FILES:
            try:
                member = packed.extractfile(f"package/dist/{name}")
            except KeyError:
                continue  # found when the digests are verified
            if member is not None:
                (folder / name).write_bytes(member.read())
