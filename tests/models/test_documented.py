"""The documented pair against its transcription, at both widths."""

import pytest
import torch

from cgan_lightning.config import build, build_model
from cgan_lightning.models import spec
from experiments.bench import plain_script
from tests.helpers.configs import composed
from tests.helpers.training import copy_in_order


def networks(*overrides: str):
    config = composed("experiment=documented", *overrides)
    model_spec = build_model.model_spec(config, build.data(config))
    torch.manual_seed(1)
    return spec.build(model_spec["generator"]), spec.build(model_spec["discriminator"])


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("channels", "count"), [(128, 771_045), (256, 1_541_221)])
def test_parameter_counts_are_the_documented_ones(channels, count):
    generator, discriminator = networks(f"model.channels={channels}")
    assert parameters(generator) == count
    assert parameters(discriminator) == 81_611


@pytest.mark.parametrize("channels", [128, 256])
@pytest.mark.parametrize("training", [True, False])
def test_forward_passes_agree_with_the_transcription(channels, training):
    generator, discriminator = (network.train(training) for network in networks(f"model.channels={channels}"))
    g_reference = plain_script.Generator(channels).train(training)
    d_reference = plain_script.Discriminator().train(training)
    copy_in_order(generator, g_reference)
    copy_in_order(discriminator, d_reference)
    z, labels = torch.randn(32, 100), torch.randint(10, (32,))
    with torch.no_grad():
        images, expected = generator(z, labels), g_reference(z, labels)
        torch.testing.assert_close(images, expected, atol=1e-5, rtol=0)
        probability = discriminator(expected, labels).sigmoid()
        torch.testing.assert_close(probability, d_reference(expected, labels)[:, 0], atol=1e-5, rtol=0)


def test_a_pass_has_the_shape_and_range_of_images():
    generator, discriminator = networks()
    images = generator(torch.randn(4, 100) * 50, torch.arange(4))
    assert images.shape == (4, 1, 28, 28)
    assert images.abs().max() <= 1
    assert discriminator(images, torch.arange(4)).shape == (4,)
