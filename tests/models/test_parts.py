"""Conditioning, upsampling and sizes: the choices that the documented networks can be built with."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cgan_lightning.config import build, build_model
from cgan_lightning.models import conditioning
from cgan_lightning.models.layers import FeatureSum, HalvingConvolution, NearestUpsample
from cgan_lightning.utils.errors import UserError
from cgan_lightning.utils.limits import coarsest_size
from tests.helpers.configs import composed


def test_labels_become_what_their_choice_says():
    labels = torch.tensor([0, 9, 3])
    assert torch.equal(conditioning.OneHot(num_classes=10)(labels), torch.eye(10)[labels])
    integer = conditioning.Integer(num_classes=10)(labels)
    torch.testing.assert_close(integer, torch.tensor([[-1.0], [1.0], [-1 + 6 / 9]]))
    assert conditioning.Unconditional(num_classes=10)(labels).shape == (3, 0)
    embedding = conditioning.Embedding(num_classes=10, width=4)
    assert torch.equal(embedding(labels), embedding.rows[labels])


def test_only_an_embedding_learns_and_is_saved():
    for encoder in (conditioning.OneHot, conditioning.Integer, conditioning.Unconditional):
        assert not encoder(num_classes=10).state_dict()
    assert list(conditioning.Embedding(num_classes=10, width=4).state_dict()) == ["rows"]


def test_a_class_moves_its_own_row_alone():
    embedding = conditioning.Embedding(num_classes=10, width=4)
    embedding(torch.tensor([3, 3, 5])).sum().backward()
    assert embedding.rows.grad.abs().sum(1).nonzero().flatten().tolist() == [3, 5]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("encoding", "upsampling", "size"),
    [
        *itertools.product(
            ["embedding", "onehot", "integer", "none"], ["nearest", "transposed"], [(28, 1), (28, 2), (32, 3), (64, 4)]
        )
    ],
)
def test_every_combination_gives_images_and_logits(encoding, upsampling, size):
    image_size, stages = size
    config = composed(
        "experiment=documented", f"conditioning={encoding}", f"upsampling={upsampling}", "model.channels=64",
        f"data.image_size={image_size}", f"model.stages={stages}",
    )  # fmt: skip
    model = build_model.model(config, build_model.model_spec(config, build.data(config)))
    labels = torch.arange(4)
    images = model.generator(torch.randn(4, model.latent_dim), labels)
    assert images.shape == (4, 1, image_size, image_size)
    logits = model.discriminator(images, labels)
    assert logits.shape == (4,)
    uses_label = not torch.equal(logits, model.discriminator(images, labels + 1))
    assert uses_label == (encoding != "none")


def test_a_size_that_does_not_divide_says_which_do():
    assert coarsest_size(28, 2) == 7
    with pytest.raises(ValueError, match=r"28 pixels.*3 times.*stages 1 or 2.*divisible by 8: 24, 32, 40"):
        coarsest_size(28, 3)
    with pytest.raises(UserError, match=r"model.stages=3, data.image_size=28: 28 pixels"):
        composed("model.stages=3")


@pytest.mark.parametrize(
    ("make", "plain", "shape"),
    [
        (lambda: NearestUpsample(6, 5), lambda layer, maps: nn.Sequential.forward(layer, maps), (6, 7, 7)),
        (
            lambda: HalvingConvolution(3, 5),
            lambda layer, maps: F.conv2d(maps, layer.weight, layer.bias, stride=2, padding=1),
            (3, 14, 14),
        ),
        (
            lambda: FeatureSum(4 * 7 * 7, 1),
            lambda layer, maps: F.linear(maps.flatten(1), layer.weight, layer.bias),
            (4, 7, 7),
        ),
    ],
    ids=["nearest", "halving", "sum"],
)
def test_a_faster_layer_equals_the_plain_one_with_all_its_gradients(make, plain, shape):
    ours = make().double()
    maps = torch.randn(2, *shape, dtype=torch.float64, requires_grad=True)
    inputs = [maps, *ours.parameters()]
    expected, computed = plain(ours, maps), ours(maps)
    torch.testing.assert_close(computed, expected, atol=1e-12, rtol=0)
    towards = torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad(computed, inputs, towards), torch.autograd.grad(expected, inputs, towards), atol=1e-11, rtol=0
    )
