"""Penalties against closed forms: of a linear D, whose slope is its weights, and of a quadratic one."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cgan_lightning.training.penalties import DOutput, GradientPenalty, R1R2Penalty

SIZE = 4
weights = st.lists(st.floats(-3, 3), min_size=SIZE**2, max_size=SIZE**2).map(lambda x: torch.tensor(x).view(1, 1, SIZE, SIZE))
MIX = torch.rand(5, 1, generator=torch.Generator().manual_seed(0))


def d_output(discriminator, images):
    images, labels = images.clone().requires_grad_(), torch.zeros(len(images), dtype=torch.long)
    logits = discriminator(images, labels)
    return DOutput(images, labels, logits, None)


def sides(discriminator):
    torch.manual_seed(0)
    return d_output(discriminator, torch.randn(5, 1, SIZE, SIZE)), d_output(discriminator, torch.randn(5, 1, SIZE, SIZE))


@given(weights, st.floats(0.01, 20), st.integers(1, 8))
def test_of_a_linear_discriminator(weight, gamma, interval):
    def linear(images, labels):
        return (weight * images).sum(dim=(1, 2, 3))

    real, fake = sides(linear)
    square = weight.square().sum()
    for on_real, on_fake in ((True, False), (False, True), (True, True)):
        penalty = R1R2Penalty(on_real=on_real, on_fake=on_fake, gamma=gamma, interval=interval)(linear, real, fake, MIX)
        torch.testing.assert_close(
            penalty, (interval * gamma / 2 * (on_real + on_fake) * square).expand(5), rtol=1e-4, atol=1e-5
        )
    penalty = GradientPenalty(gamma=gamma, interval=interval)(linear, real, fake, MIX)
    torch.testing.assert_close(penalty, (interval * gamma * (square.sqrt() - 1) ** 2).expand(5), rtol=1e-3, atol=1e-3)


def test_each_is_of_its_own_side_and_place():
    """D = |x|²/2 has slope x: R1 is that of real pictures, R2 of fake ones, the gradient penalty's of those between."""

    def quadratic(images, labels):
        return images.square().sum(dim=(1, 2, 3)) / 2

    real, fake = sides(quadratic)
    r1 = R1R2Penalty(on_real=True, on_fake=False, gamma=2.0)(quadratic, real, fake, MIX)
    torch.testing.assert_close(r1, real.images.square().sum(dim=(1, 2, 3)))
    r2 = R1R2Penalty(on_real=False, on_fake=True, gamma=2.0)(quadratic, real, fake, MIX)
    torch.testing.assert_close(r2, fake.images.square().sum(dim=(1, 2, 3)))
    between = MIX[:, :, None, None] * real.images + (1 - MIX[:, :, None, None]) * fake.images
    expected = (between.square().sum(dim=(1, 2, 3)).sqrt() - 1) ** 2
    torch.testing.assert_close(GradientPenalty(gamma=1.0)(quadratic, real, fake, MIX), expected)


@pytest.mark.parametrize("penalty", [R1R2Penalty(on_real=True, on_fake=True, gamma=1.0), GradientPenalty(gamma=1.0)])
def test_discriminators_learn_from_it(penalty):
    weight = torch.full((1, 1, SIZE, SIZE), 2.0, requires_grad=True)

    def linear(images, labels):
        return (weight * images).sum(dim=(1, 2, 3))

    penalty(linear, *sides(linear), MIX).mean().backward()
    assert (weight.grad > 0).all(), "a steep D becomes flatter"


def test_a_flat_discriminator_has_a_gradient_too():
    """The root of a slope of 0 has none that is finite."""
    weight = torch.zeros(1, 1, SIZE, SIZE, requires_grad=True)

    def linear(images, labels):
        return (weight * images).sum(dim=(1, 2, 3))

    GradientPenalty(gamma=1.0)(linear, *sides(linear), MIX).mean().backward()
    assert weight.grad.isfinite().all()
