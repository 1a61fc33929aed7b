"""Normalisations, heads and the residual pair: what the papers say of them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from cgan_lightning.models.conditioning import Embedding, Unconditional
from cgan_lightning.models.discriminator import Discriminator
from cgan_lightning.models.generator import Generator
from cgan_lightning.models.heads import AuxiliaryClassifier, Logit, Projection
from cgan_lightning.models.layers import BilinearUpsample, NearestUpsample, TransposedUpsample
from cgan_lightning.models.normalization import (
    BATCH,
    SCALED,
    ConditionalBatch,
    ConditionalBatchNorm,
    SelfModulated,
    Spectral,
)
from cgan_lightning.models.residual import ResidualBlock, ResidualDiscriminator, ResidualGenerator

LABELS = torch.arange(10)
FEATURES = torch.randn(10, 8, 3, 3, generator=torch.Generator().manual_seed(0))


def test_a_conditional_norm_is_a_batch_norm_with_gains_and_biases_of_its_label():
    layer = ConditionalBatchNorm(8, nn.Linear(5, 16))
    nn.init.normal_(layer.modulation.bias)
    label = torch.randn(10, 5)
    gain, bias = layer.modulation(label).chunk(2, dim=1)
    plain = F.batch_norm(FEATURES, None, None, training=True)
    torch.testing.assert_close(layer(FEATURES, label), plain * (1 + gain[:, :, None, None]) + bias[:, :, None, None])


def test_a_self_modulated_norms_gains_and_biases_depend_on_z_and_on_the_label():
    """With the maps fixed, so that z acts by the norm alone."""
    network = Generator(
        latent_dim=3, channels=64, conditioning=Embedding(num_classes=10, width=4), upsampling=NearestUpsample,
        normalization=SelfModulated(),
    )  # fmt: skip
    first, z = network.blocks[0], torch.randn(10, 3)
    assert (network.condition_width, network.project.in_features) == (7, 7)
    maps = torch.randn(10, 64, 7, 7)

    def at(z, labels):
        return first(maps, torch.cat([z, network.conditioning(labels)], dim=1))

    assert not torch.allclose(at(z, LABELS), at(z + 1, LABELS))
    assert not torch.allclose(at(z, LABELS), at(z, LABELS.flip(0)))
    nn.init.zeros_(first.modulation[-1].weight)
    torch.testing.assert_close(at(z, LABELS), F.batch_norm(maps, None, None, training=True))


def test_a_conditional_norm_has_the_eps_that_it_is_given():
    assert ConditionalBatch().maps(8, condition_width=5, eps=0.8).norm.eps == 0.8


def test_a_residual_discriminators_maps_are_half_as_many_at_each_finer_size():
    """(1 + label planes) → channels/4 → channels/2 → channels."""
    network = ResidualDiscriminator(channels=512, conditioning=Embedding(num_classes=10, width=3), stages=3, image_size=32)
    shapes = [block.weight.shape[:2] for block in network.blocks if isinstance(getattr(block, "weight", None), torch.Tensor)]
    assert shapes[:3] == [(128, 4), (256, 128), (512, 256)]


def test_a_spectral_norm_keeps_the_largest_singular_value_near_one():
    layer = Spectral().layer(nn.Conv2d(8, 16, 3))
    nn.init.normal_(layer.parametrizations.weight.original, std=3.0)
    for _ in range(500):  # an iteration of the power method each; it is slow where the largest two are close
        layer(FEATURES)
    assert torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item() == pytest.approx(1, abs=0.02)


@settings(max_examples=20)
@given(st.integers(4, 64), st.integers(0, 100))
@pytest.mark.parametrize(
    "make",
    [
        lambda channels: nn.Conv2d(channels, 64, 3, padding=1),
        lambda channels: nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
        lambda channels: TransposedUpsample(channels, 64),
        lambda channels: NearestUpsample(channels, 64),
    ],
    ids=["convolution", "depthwise", "transposed", "nearest"],
)
def test_scaled_first_weights_keep_the_variance_through_a_leaky_relu(make, channels, seed):
    torch.manual_seed(seed)
    maps = F.leaky_relu(torch.randn(16, channels, 14, 14), 0.2)
    layer = SCALED.layer(make(channels))
    middle = layer(maps)[..., 4:-4, 4:-4]  # away from borders
    before, after = maps.square().mean(), middle.square().mean() * (1 + 0.2**2) / 2
    assert 0.3 < after / before < 3


def test_a_projection_is_the_inner_product_of_the_paper():
    head = Projection(72, 10, BATCH)
    logits, label_losses = head(FEATURES, LABELS)
    flat = FEATURES.flatten(1)
    expected = head.logit.weight @ flat.T + (head.classes.weight[LABELS] * flat).sum(1) + head.logit.bias
    torch.testing.assert_close(logits, expected[0])
    assert label_losses is None


def test_an_auxiliary_classifier_adds_its_cross_entropy_and_takes_no_label():
    head = AuxiliaryClassifier(72, 10, BATCH, weight=0.5)
    logits, label_losses = head(FEATURES, LABELS)
    expected = 0.5 * F.cross_entropy(head.classes(FEATURES), LABELS, reduction="none")
    torch.testing.assert_close(label_losses, expected)
    assert torch.equal(logits, head(FEATURES, LABELS.flip(0))[0])


def test_a_plain_logit_takes_no_label():
    head = Logit(72, 10, BATCH)
    assert torch.equal(head(FEATURES, LABELS)[0], head(FEATURES, LABELS.flip(0))[0])


def test_a_residual_block_begins_as_nothing_where_it_has_no_norm():
    maps = torch.randn(2, 16, 7, 7)
    assert torch.equal(ResidualBlock(16, SCALED)(maps), maps)
    assert not torch.equal(ResidualBlock(16, BATCH)(maps), maps)


@pytest.mark.parametrize("upsampling", [NearestUpsample, TransposedUpsample, BilinearUpsample])
@pytest.mark.parametrize("normalization", [BATCH, ConditionalBatch(), SCALED], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("kind", [Generator, ResidualGenerator])
@pytest.mark.parametrize(("stages", "image_size"), [(1, 28), (2, 28), (3, 32)])
def test_generators_draw_images_that_depend_on_z_and_the_label(kind, normalization, upsampling, stages, image_size):
    network = kind(
        latent_dim=16, channels=64, conditioning=Embedding(num_classes=10, width=6), upsampling=upsampling,
        normalization=normalization, stages=stages, image_size=image_size,
    )  # fmt: skip
    if isinstance(normalization, ConditionalBatch):
        assert network.project.in_features == 16, "the label isn't beside z"
    z, labels = torch.randn(10, 16), torch.arange(10)
    network(z, labels)  # statistics of a batch
    network.eval()
    images = network(z, labels)
    assert images.shape == (10, 1, image_size, image_size)
    assert images.abs().max() <= 1
    assert not torch.allclose(images, network(z, labels.flip(0)), atol=1e-6)
    assert not torch.allclose(images, network(z.flip(0), labels), atol=1e-6)


@pytest.mark.parametrize("normalization", [BATCH, Spectral(), SCALED], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(("kind", "sizes"), [(Discriminator, {}), (ResidualDiscriminator, {"channels": 64, "blocks": 2})])
@pytest.mark.parametrize(("stages", "image_size"), [(1, 28), (2, 28), (3, 32)])
def test_the_discriminators_output_depends_on_the_label(kind, sizes, normalization, stages, image_size):
    network = kind(
        conditioning=Unconditional(num_classes=10), head=Projection, normalization=normalization, stages=stages,
        image_size=image_size, **sizes,
    )  # fmt: skip
    images, labels = torch.randn(10, 1, image_size, image_size), torch.arange(10)
    logits = network(images, labels)
    assert logits.shape == (10,)
    assert not torch.allclose(logits, network(images, labels.flip(0)))
    if normalization is not BATCH:
        network.eval()
        torch.testing.assert_close(network(images, labels)[:3], network(images[:3], labels[:3]), atol=1e-5, rtol=1e-5)
