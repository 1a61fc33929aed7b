"""The real files, and everything that can be wrong with a file."""

import gzip

import pytest
import torch

from cgan_lightning.config import build
from cgan_lightning.data import idx, sources, splits
from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed


@pytest.fixture(scope="module")
def folder():
    return sources.locate()


@pytest.fixture(scope="module")
def content(folder):
    return idx.read(folder, FASHION_MNIST.train[1])


def test_the_real_data_has_the_published_counts(folder):
    images, labels = splits.of_training(folder)
    assert (images.shape, images.dtype, labels.dtype) == ((60_000, 1, 28, 28), torch.uint8, torch.int64)
    assert labels.bincount().tolist() == [6_000] * 10
    assert (images.min(), images.max()) == (0, 255)
    assert images.numpy().mean() / 255 == pytest.approx(0.2860, abs=1e-4)  # the figure that everyone normalises by
    assert labels[:5].tolist() == [9, 0, 0, 3, 0]
    test_images, test_labels = splits.of_test(folder)
    assert test_images.shape == (10_000, 1, 28, 28)
    assert test_labels.bincount().tolist() == [1_000] * 10


def flipped(content):
    return content[:100] + bytes([(content[100] + 1) % 10]) + content[101:]


def labelled_ten(content):
    return content[:-1] + b"\x0a"


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda _: b"", "is not the IDX file of 60,000 unsigned bytes that Fashion-MNIST has: it has 0 bytes"),
        (lambda c: c[:7], "that Fashion-MNIST has: it has 7 bytes"),
        (lambda c: b"\x00\x00\x0d" + c[3:], "its magic number is 00000d01, not 00000801"),
        (lambda c: c[:4] + (2**31).to_bytes(4, "big") + c[8:], "its header says 2,147,483,648"),
        (lambda c: c[:4] + (59_999).to_bytes(4, "big") + c[8:-1], "its header says 59,999"),
        (lambda c: c[:-1], "has fewer than 60,008 bytes"),
        (lambda c: c + b"\x00", "has more than 60,008 bytes"),
        (labelled_ten, "has a label outside 0..9"),
        (flipped, "differs from Fashion-MNIST"),
    ],
    ids=["empty", "half a header", "wrong type", "2^31 labels", "a label less", "truncated", "too long", "label 10", "changed"],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_spoiled_file_is_named_with_its_fault(tmp_path, content, spoil, complaint, packed):
    spoiled = spoil(content)
    path = tmp_path / (FASHION_MNIST.train[1].name + (".gz" if packed else ""))
    path.write_bytes(gzip.compress(spoiled) if packed else spoiled)
    with pytest.raises(UserError, match=complaint) as error:
        idx.read(tmp_path, FASHION_MNIST.train[1])
    assert str(path) in str(error.value)


def test_gzipped_garbage_and_a_cut_archive_are_named(tmp_path, content):
    path = tmp_path / f"{FASHION_MNIST.train[1].name}.gz"
    for spoiled in (b"garbage", gzip.compress(content)[:-100], gzip.compress(content)[:-8] + b"\x00" * 8):
        path.write_bytes(spoiled)
        with pytest.raises(UserError, match="cannot be read"):
            idx.read(tmp_path, FASHION_MNIST.train[1])
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte\[.gz\] is missing"):
        idx.read(tmp_path, FASHION_MNIST.train[0])
    with pytest.raises(UserError, match="there is no folder"):
        idx.read(tmp_path / "none", FASHION_MNIST.train[1])
    with pytest.raises(UserError, match="File name too long"):
        idx.read(tmp_path / ("n" * 300), FASHION_MNIST.train[1])


def test_limit_and_border():
    data = build.data(composed("data.limit=128", "data.image_size=32"))
    data.setup("fit")
    assert data.images.shape == (128, 1, 32, 32)
    assert data.images[:, :, :2].max() == data.images[..., -2:].max() == 0
    assert data.images[:, :, 2:-2, 2:-2].max() == 255


def test_settings_that_do_not_go_together_are_refused():
    with pytest.raises(UserError, match=r"data.batch_size=64 exceeds the 32 training images"):
        build.data(composed("data.limit=32"))
    with pytest.raises(UserError, match=r"data.image_size=29"):
        build.data(composed("data.image_size=29"))
