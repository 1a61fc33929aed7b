"""Checkpoints that a disk has spoilt: seen, named, and the one before is gone on from."""

import random
from pathlib import Path

import pytest

from cgan_lightning.storage import checksum
from tests.faults.runs import ONE, Training, assert_survived

pytestmark = pytest.mark.faults
LOOKED_AT = 200


def flipped(content: bytes, rng: random.Random) -> bytes:
    """One bit of it is another."""
    spoilt = bytearray(content)
    spoilt[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def truncated(content: bytes, rng: random.Random) -> bytes:
    """Its end is lost."""
    return content[: rng.randrange(len(content))]


def test_no_damage_goes_unseen(whole_one: Path, tmp_path: Path, outcome):
    row, rng = outcome("bit flipped or file truncated: detected"), random.Random(5)
    content, path = (whole_one / "checkpoints" / "last.ckpt").read_bytes(), tmp_path / "spoilt.ckpt"
    for spoil in (flipped, truncated) * (LOOKED_AT // 2):
        path.write_bytes(spoil(content, rng))
        row.tried += 1
        with pytest.raises(checksum.DamagedError):
            checksum.check(path)
        row.survived += 1


def test_the_checkpoint_before_a_damaged_one_is_gone_on_from(tmp_path: Path, whole_one: Path, outcome):
    row = outcome("the same: previous checkpoint used")
    rng, training = random.Random(6), Training(tmp_path, ONE)
    for spoil in (flipped, truncated, flipped, truncated):
        process = training.start()
        assert all(training.wait_for_a_checkpoint() for _ in range(6))  # the last, and at times the best
        process.kill()
        training.end()
        last = training.run / "checkpoints" / "last.ckpt"
        assert last.with_name("previous.ckpt").exists()
        last.write_bytes(spoil((last if last.exists() else last.with_name("previous.ckpt")).read_bytes(), rng))
        row.tried += 1
    assert_survived(row, training, whole_one)
    assert (training.run / "train.log").read_text().count("last.ckpt is damaged") == row.tried
