import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from cgan_lightning.losses.adversarial import bce_d, bce_g

logits = st.lists(st.floats(-50, 50), min_size=1, max_size=8).map(torch.tensor)


@given(logits)
def test_they_are_binary_cross_entropy(x):
    ones, zeros = torch.ones_like(x), torch.zeros_like(x)
    real = F.binary_cross_entropy_with_logits(x, ones, reduction="none")
    fake = F.binary_cross_entropy_with_logits(x, zeros, reduction="none")
    torch.testing.assert_close(bce_d(x, x), real + fake)
    torch.testing.assert_close(bce_g(x), real)


def test_an_undecided_discriminator_costs_two_logarithms_of_two():
    assert bce_d(torch.zeros(1), torch.zeros(1)).item() == pytest.approx(2 * math.log(2))


def test_gradients_push_the_right_way_and_do_not_vanish():
    """Real up and fake down for D; fake up for G, also where D is sure: the point of the non-saturating form."""
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    bce_d(real, fake).sum().backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()
    sure = torch.full((3,), -100.0, requires_grad=True)
    bce_g(sure).sum().backward()
    torch.testing.assert_close(sure.grad, torch.full((3,), -1.0))
