"""A full disk: the run says so in one sentence and exits; with space again, it ends in the bits of an undisturbed run."""

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgan_lightning.storage import checksum
from tests.faults.runs import ONE, Outcome, Training, bytes_lost

pytestmark = pytest.mark.faults
ENOUGH = "200m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, in memory: `resize` says how large."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]).returncode:
        pytest.skip("mounting a small tmpfs needs root and the right to mount; the file-size limits are tested")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def says_so(training: Training, row: Outcome) -> None:
    """The running training ends for lack of space; what it has kept is whole."""
    said = training.end()
    assert training.process is not None
    assert training.process.returncode == 1, said
    assert said.splitlines()[-1].startswith("No disk space for "), said
    assert "Traceback" not in said
    if (last := training.run / "checkpoints" / "last.ckpt").exists():
        checksum.check(last)
    row.tried += 1


def goes_on(training: Training, row: Outcome, whole: Path) -> None:
    training.finish()
    row.bytes_lost += bytes_lost(training.run, whole)
    assert row.bytes_lost == 0
    row.survived = row.tried


def test_a_disk_that_is_too_small(disk, whole_one, outcome):
    """A checkpoint has 13 MB, a generator 6; there may be three of the one, two of the other, and a part of one."""
    row = outcome("disk full: checkpoints don't fit")
    for megabytes in (12, 25, 38, 55):
        resize(disk, f"{megabytes}m")
        training = Training(disk, ONE, name=f"runs{megabytes}")
        training.start()
        says_so(training, row)
        resize(disk, ENOUGH)
        goes_on(training, row, whole_one)
        subprocess.run(["rm", "-r", disk / training.name], check=True)


def test_a_disk_that_others_fill(disk, whole_one, outcome):
    row = outcome("disk filled by others during training")
    resize(disk, ENOUGH)
    training = Training(disk, ONE)
    for _ in range(3):
        training.start()
        assert training.wait_for_a_checkpoint()
        with (disk / "ballast").open("wb", buffering=0) as ballast:
            while _written(ballast):
                pass
        says_so(training, row)
        (disk / "ballast").unlink()
    goes_on(training, row, whole_one)


def _written(ballast) -> bool:
    try:
        return bool(ballast.write(bytes(2**12)))
    except OSError:
        return False


@pytest.mark.parametrize(
    ("limit", "what"),
    [(8_000_000, "checkpoints"), (20_000, "TensorBoard's events and pictures"), (200, "logs")],
    ids=lambda value: str(value),
)
def test_files_that_may_not_grow(tmp_path, whole_one, outcome, limit, what):
    row, training = outcome(f"file-size limit: {what}"), Training(tmp_path, ONE)
    process = training.start()
    assert all(training.wait_for_a_checkpoint() for _ in range(2))
    process.send_signal(signal.SIGTERM)
    training.end()
    resource.prlimit(training.start().pid, resource.RLIMIT_FSIZE, (limit, limit))
    says_so(training, row)
    goes_on(training, row, whole_one)
