"""A user's own images: what they are taken for, and what is said of files that cannot be trained on."""

import gzip

import numpy as np
import pytest
import torch

from cgan_lightning.config import build, checks, identity
from cgan_lightning.config.compose import compose
from cgan_lightning.data import splits
from cgan_lightning.utils.errors import UserError
from tests.helpers import own_data
from tests.helpers.configs import composed


def made(*overrides: str):
    data = build.data(composed("data=files", "data.batch_size=16", *overrides))
    data.setup("fit")
    return data


def test_an_npz_in_colour(tmp_path):
    path = own_data.colour(tmp_path / "shapes.npz")
    data = made(f"data.images={path}", "data.class_names=[square,stripes,ring]")
    assert data.images.shape == (342, 3, 32, 32), "every tenth of each class is held out"
    assert data.labels.bincount().tolist() == [135, 108, 99] == list(data.spec.counts)
    assert (data.class_names, data.spec.title) == (("square", "stripes", "ring"), "shapes.npz")
    test_images, test_labels = splits.of_test(None, data.spec)
    assert test_labels.bincount().tolist() == [15, 12, 11]
    with np.load(path) as file:
        every = torch.from_numpy(file["images"]).movedim(-1, 1)
    assert torch.equal(data.images[0], every[0])
    assert len(torch.cat([data.images, test_images]).flatten(1).unique(dim=0)) == len(every)


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_with_gaps_in_the_labels(tmp_path, packed):
    overrides = own_data.clothes(tmp_path)
    if packed:
        for name in ("clothes.images", "clothes.labels"):
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes(), 1))
        overrides = [f"{each}.gz" if "clothes" in each else each for each in overrides]
    data = made(*overrides)
    assert (data.class_names, data.images.shape) == (("1", "4", "5"), (162, 1, 28, 28))
    assert made(*overrides, "data.classes=[5,1]").class_names == ("1", "5"), "a number is the label that is a name"
    assert made(*overrides, "data.class_names=[a,b,c]").class_names == ("a", "b", "c")
    assert made(*overrides, "data.class_names=[a,b,c,d,e,f]").class_names == ("b", "e", "f"), "a name for each number"


def test_a_test_split_of_its_own(tmp_path):
    overrides = own_data.clothes(tmp_path)
    data = made(*overrides, "data.test_images=clothes.images", "data.test_labels=clothes.labels")
    assert len(data.labels) == len(splits.of_test(None, data.spec)[1]) == 180
    images, labels = np.zeros((4, 28, 28), np.uint8), np.arange(4) % 2
    np.savez(tmp_path / "both.npz", images=np.repeat(images, 9, 0), labels=np.repeat(labels, 9), test_images=images,
             test_labels=labels)  # fmt: skip
    data = made(f"data.images={tmp_path}/both.npz")
    assert (len(data.labels), len(splits.of_test(None, data.spec)[1])) == (36, 4)


def test_one_class_and_odd_sizes(tmp_path):
    path = own_data.colour(tmp_path / "one.npz", counts=(40,), size=29)
    data = made(f"data.images={path}", "data.image_size=32")
    assert (data.class_names, data.images.shape) == (("0",), (36, 3, 32, 32))
    assert data.images[:, :, 0].max() == data.images[:, :, -2:].max() == data.images[..., -2:].max() == 0
    with pytest.raises(UserError, match=r"data.image_size=29: 29 pixels cannot be halved 2 times"):
        made(f"data.images={path}")


def test_a_run_is_named_by_the_content_and_not_by_the_place(tmp_path):
    one, other = own_data.colour(tmp_path / "one.npz"), own_data.colour(tmp_path / "other.npz")
    more = own_data.colour(tmp_path / "more.npz", counts=(151, 120, 110))
    names = [identity.run_name(composed("data=files", f"data.images={path}")) for path in (one, other, more)]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("channels256-latent24-randn-embedding-files-seed0-")
    assert checks.result_settings(composed("data=files", f"data.images={one}"))["data.image_size"] == 32


IMAGES, LABELS = np.zeros((40, 28, 28), np.uint8), np.arange(40) % 4


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"images": None}, "has no array images: it must have images and labels"),
        ({"labels": None}, "has no array labels"),
        ({"images": IMAGES.astype(np.float32)}, "images are float32, and must be uint8"),
        (
            {"images": IMAGES[:, :20, :20]},
            "images are 20×20 pixels with 1 channel, and must be square, at least 28 and at most 64",
        ),
        ({"images": np.zeros((40, 28, 30), np.uint8)}, "images are 28×30 pixels"),
        ({"images": np.zeros((40, 65, 65), np.uint8)}, "images are 65×65 pixels"),
        ({"images": np.zeros((40, 28, 28, 2), np.uint8)}, r"images have shape \(40, 28, 28, 2\)"),
        ({"images": IMAGES[:, 0]}, r"must have \(n, height, width\)"),
        ({"images": IMAGES[:39]}, "39 images and 40 labels"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "0 images and 0 labels"),
        ({"labels": LABELS - 1}, "labels must be a whole number of 0 or more"),
        ({"labels": LABELS / 2}, "labels must be a whole number"),
        ({"labels": np.array(["a"] * 40)}, "labels must be a whole number"),
        ({"labels": np.array([None] * 40)}, "is no .npz file of numbers"),
        ({"images": np.zeros((2000, 28, 28), np.uint8), "labels": np.arange(2000)}, "2,000 different labels; .* up to 1,000"),
        ({"test_images": IMAGES}, "test_images and test_labels belong together"),
        ({"test_images": IMAGES, "test_labels": LABELS + 9}, "there is label 9, which no training image has"),
        ({"test_images": np.zeros((40, 32, 32), np.uint8), "test_labels": LABELS}, "test_images: 32×32 .* are 28×28"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_a_sentence(tmp_path, arrays, sentence):
    path = own_data.colour(tmp_path / "own.npz", **{"images": IMAGES, "labels": LABELS} | arrays)
    with pytest.raises(UserError, match=sentence) as error:
        composed("data=files", f"data.images={path}")
    assert str(path) in str(error.value) or str(error.value).startswith("data.")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ([], "data=files needs data.images="),
        (["data.images=none.npz"], r"data.images=\S*none.npz cannot be read \(No such file"),
        (
            ["data.images=none.idx", "data.labels=none.idx"],
            r"none.idx cannot be read \(No such file or directory\)",
        ),
        (["data.images=text.gz", "data.labels=text.gz"], r"text.gz cannot be read \(Not a gzipped file"),
        (["data.images=text.npz"], "is no .npz file of numbers"),
        (["data.images=text.idx", "data.labels=text.idx"], "is no IDX file of unsigned bytes, nor does its name end in .npz"),
        (["data.images=own.npz", "data.labels=text.idx"], "has the labels.*leave it out"),
        (["data.images=cut.idx", "data.labels=cut.idx"], "has fewer bytes than its header says"),
        (["data.images=bomb.idx", "data.labels=cut.idx"], "its header says"),
        (["data.images=cut.idx"], "an IDX file needs data.labels"),
        (["data.images=own.npz", "data.class_names=[a,b]"], r"2 names for 3 classes"),
        (["data.images=own.npz", "data.class_names=[a,b,a]"], "a must be one name, given once"),
        (["data.images=own.npz", "data.class_names=abc"], "must be a list of names"),
        (["data.images=own.npz", "data.batch_size=400"], "data.batch_size=400 exceeds the 342 training images"),
    ],
)
def test_what_is_no_file_is_named(tmp_path, overrides, sentence):
    own_data.colour(tmp_path / "own.npz")
    for name in ("text.npz", "text.idx", "text.gz"):
        (tmp_path / name).write_text("Remember the milk.")
    whole = own_data.idx(tmp_path / "cut.idx", IMAGES).read_bytes()
    (tmp_path / "cut.idx").write_bytes(whole[:-1])
    (tmp_path / "bomb.idx").write_bytes(whole[:4] + b"\xff" * 12)
    with pytest.raises(UserError, match=sentence):
        composed("data=files", f"data.root={tmp_path}", *overrides)


def test_files_belong_to_files_alone():
    with pytest.raises(UserError, match=r"^data.images=some.npz: only data=files has files of your own"):
        composed("data=mnist", "data.images=some.npz")
    with pytest.raises(UserError, match=r"data.dataset=cifar: must be fashion_mnist or mnist"):
        compose("data.dataset=cifar")
