"""Each loss against its formula, and pushing the right way."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from cgan_lightning.training.losses import BinaryCrossEntropy, Hinge, LeastSquares, Relativistic, Wasserstein

LOSSES = [BinaryCrossEntropy(), BinaryCrossEntropy(real_label=0.9), LeastSquares(), Hinge(), Wasserstein(), Relativistic()]
logits = st.lists(st.floats(-50, 50), min_size=1, max_size=8).map(torch.tensor)
one = st.tuples(st.floats(-50, 50), st.floats(-50, 50))
both = st.lists(one, min_size=1, max_size=8).map(lambda pairs: torch.tensor(pairs).unbind(1))


@given(both, st.floats(0.5, 1))
def test_binary_cross_entropy_is_what_pytorch_has(pair, label):
    real, fake = pair
    targets = torch.full_like(real, label), torch.zeros_like(fake)
    expected = [F.binary_cross_entropy_with_logits(*each, reduction="none") for each in zip(pair, targets, strict=True)]
    torch.testing.assert_close(BinaryCrossEntropy(real_label=label).d(real, fake), sum(expected), atol=1e-4, rtol=1e-5)
    up = F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake), reduction="none")
    torch.testing.assert_close(BinaryCrossEntropy().g(fake, real), up)


def test_an_undecided_discriminator_costs_two_logarithms_of_two():
    assert BinaryCrossEntropy().d(torch.zeros(1), torch.zeros(1)).item() == pytest.approx(2 * math.log(2))
    assert Relativistic().d(torch.ones(1), torch.ones(1)).item() == pytest.approx(math.log(2))


@given(both)
def test_the_others_are_their_formulas(pair):
    real, fake = pair
    zero = torch.zeros(())
    torch.testing.assert_close(Hinge().d(real, fake), torch.maximum(zero, 1 - real) + torch.maximum(zero, 1 + fake))
    torch.testing.assert_close(LeastSquares(real_label=0.9).d(real, fake), 0.5 * (real - 0.9) ** 2 + 0.5 * fake**2)
    torch.testing.assert_close(Wasserstein().d(real, fake), fake - real)
    torch.testing.assert_close(Relativistic().d(real, fake), -F.logsigmoid(real - fake))


@given(both, st.floats(-5, 5))
def test_a_relativistic_loss_knows_differences_alone(pair, more):
    real, fake = pair
    torch.testing.assert_close(Relativistic().d(real + more, fake + more), Relativistic().d(real, fake), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(Relativistic().g(fake, real), Relativistic().d(fake, real))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_gradients_push_the_right_way(loss):
    """Real up and fake down for D, fake up for G, from an undecided start."""
    real, fake = torch.full((3,), 0.1, requires_grad=True), torch.full((3,), 0.1, requires_grad=True)
    loss.d(real, fake).sum().backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()
    again = torch.full((3,), 0.1, requires_grad=True)
    loss.g(again, real.detach()).sum().backward()
    assert (again.grad < 0).all()


@pytest.mark.parametrize(
    "loss", [loss for loss in LOSSES if not isinstance(loss, LeastSquares)], ids=lambda loss: type(loss).__name__
)
def test_the_generators_gradient_does_not_vanish_where_the_discriminator_is_sure(loss):
    sure = torch.full((3,), -100.0, requires_grad=True)
    loss.g(sure, torch.full((3,), 100.0)).sum().backward()
    torch.testing.assert_close(sure.grad, torch.full((3,), -1.0))


def test_scores_stand_for_probabilities_where_the_loss_makes_them_such():
    assert [loss.probabilistic for loss in LOSSES] == [True, True, False, False, False, False]
