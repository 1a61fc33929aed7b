"""The training split as it is asked for: of some classes, few of each, the first so many."""

import pytest
import torch

from cgan_lightning.config import build
from cgan_lightning.data import splits
from cgan_lightning.data.module import ImageData
from cgan_lightning.data.sets import FASHION_MNIST
from tests.helpers.configs import composed


@pytest.fixture(scope="module")
def split():
    return splits.of_training()


def test_images_stay_on_the_device_where_nothing_is_said():
    assert ImageData().placement == "device"


def made(*overrides: str):
    data = build.data(composed("trainer=cpu", *overrides))
    data.setup("fit")
    return data


def test_all_classes_are_the_split_as_it_is(split):
    data = made()
    assert data.count == 60_000
    assert data.class_names == FASHION_MNIST.class_names
    assert torch.equal(data.images, split[0])
    assert torch.equal(data.labels, split[1])
    assert data.reference[0].data_ptr() == data.images.data_ptr(), "kept once"


def test_some_classes_are_renumbered_in_fashion_mnists_order(split):
    data = made("data.classes=[ankle boot,2,dress,Dress]")
    assert data.class_names == ("Pullover", "Dress", "Ankle boot")
    assert (data.num_classes, data.count, data.updates_per_epoch) == (3, 18_000, 281)
    images, numbers = split
    for label, number in enumerate((2, 3, 9)):
        assert torch.equal(data.images[data.labels == label], images[numbers == number])


def test_a_limit_for_each_class_keeps_the_first_ones_of_it(split):
    data = made("data.per_class_limit={Ankle boot: 100, 3: 7}")
    assert data.count == len(data.labels) == 48_107
    assert data.labels.bincount().tolist() == [6000] * 3 + [7] + [6000] * 5 + [100]
    images, numbers = split
    assert torch.equal(data.images[data.labels == 9], images[numbers == 9][:100])
    assert [len(part) for part in data.reference] == [60_000] * 2, "what is aimed at has no limit"
    assert made("data.per_class_limit=9").labels.bincount().tolist() == [9] * 10
    assert made("data.per_class_limit=9999").count == 60_000


def test_the_first_so_many_are_taken_of_what_the_others_leave():
    data = made("data.classes=[Bag,Dress]", "data.per_class_limit={Bag: 5}", "data.limit=1000")
    assert data.count == len(data.labels) == 1000
    assert data.labels.bincount().tolist() == [995, 5]
    assert data.reference[1].bincount().sum() == 1000
    assert min(data.reference[1].bincount()) > 400
    few = made("data.per_class_limit=7", "data.limit=1000")
    assert few.count == len(few.labels) == 70, "no more than there are"
