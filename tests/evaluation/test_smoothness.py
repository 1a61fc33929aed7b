"""Smoothness has its direction: even steps below uneven ones, a jump above all."""

import pytest
import torch

from cgan_lightning.evaluation.smoothness import smoothness

EVEN = torch.linspace(0, 1, 17)
JUMP = (EVEN > 0.5).float()


def path(positions: torch.Tensor) -> torch.Tensor:
    """From one place to another in a space of 3 dimensions, 5 apart."""
    return (positions[:, None] * torch.tensor([3.0, 0.0, 4.0]))[None]


def test_even_steps_have_a_sixteenth_each_and_a_jump_has_all():
    even, jump = smoothness(path(EVEN)), smoothness(path(JUMP))
    assert even.largest_share == pytest.approx(1 / 16)
    assert even.path_length == even.worst_step == pytest.approx(25), "the squared distance of its ends"
    assert jump.largest_share == pytest.approx(1)
    assert jump.path_length == pytest.approx(25 * 16)
    assert jump.worst_step == pytest.approx(25 * 256)


def test_the_more_uneven_the_worse():
    found = [smoothness(path(EVEN**power)) for power in (1, 2, 4, 8)]
    for measure in zip(*found, strict=True):
        assert list(measure) == sorted(measure)


def test_what_does_not_change_has_no_jump():
    still = smoothness(torch.ones(1, 17, 3))
    assert still == (0, 0, 1 / 16)
    both = smoothness(torch.cat([path(JUMP), torch.ones(1, 17, 3)]))
    assert both.largest_share == pytest.approx((1 + 1 / 16) / 2), "a mean over paths"
