"""What DiffAugment does to grey pictures on black: bounded, the same for the same draws, and differentiable."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cgan_lightning.training.augmentation import DiffAugment, shifted, without_square

PICTURE = torch.zeros(1, 1, 28, 28)
PICTURE[..., 10:18, 12:16] = 1.0
share = st.floats(0, 1, exclude_max=True, width=32)


@given(share, share)
def test_a_shift_moves_the_whole_picture_and_brings_black_in(down, right):
    most = 4
    moved = shifted(PICTURE, torch.tensor([[down, right]]), most)
    rows, columns = (moved[0, 0].any(dim=axis).nonzero().flatten() for axis in (1, 0))
    assert moved.sum() == PICTURE.sum()
    assert rows[0] - 10 == most - int(down * (2 * most + 1))
    assert columns[0] - 12 == most - int(right * (2 * most + 1))


def test_every_shift_is_as_likely():
    draws = (torch.arange(9) + 0.5)[:, None].expand(-1, 2) / 9
    moved = shifted(PICTURE.expand(9, -1, -1, -1), draws, 4)
    assert sorted(int(picture.any(dim=1).nonzero()[0]) for picture in moved[:, 0]) == list(range(6, 15))


@given(share, share)
def test_cutout_blackens_one_square(down, right):
    cut = without_square(torch.ones(1, 1, 28, 28), torch.tensor([[down, right]]), 8)[0, 0] == 0
    rows, columns = cut.any(dim=1).sum(), cut.any(dim=0).sum()
    assert cut.sum() == rows * columns
    assert 4 <= rows <= 8
    assert 4 <= columns <= 8


@settings(max_examples=30)
@given(st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 1), st.integers(0, 1000))
def test_black_stays_black_and_brightness_is_a_garments_alone(brightness, shift, cutout, seed):
    draws = torch.rand(4, DiffAugment.draws, generator=torch.Generator().manual_seed(seed))
    black = torch.full((4, 1, 28, 28), -1.0)
    augment = DiffAugment(brightness=brightness, shift=shift, cutout=cutout)
    torch.testing.assert_close(augment(black, draws), black)
    seen = augment(2 * PICTURE.expand(4, -1, -1, -1) - 1, draws)
    assert seen.min() >= -1
    assert seen.max() <= 1 + 2 * brightness + 1e-5
    assert torch.equal(seen, augment(2 * PICTURE.expand(4, -1, -1, -1) - 1, draws))


def test_without_strength_pictures_stay_as_they_are():
    images, draws = torch.rand(4, 1, 28, 28) * 2 - 1, torch.rand(4, 5)
    torch.testing.assert_close(DiffAugment(brightness=0.0, shift=0.0, cutout=0.0)(images, draws), images)


@pytest.mark.parametrize("cutout", [0.0, 0.5])
def test_gradients_go_where_the_pixels_came_from(cutout):
    images = (torch.rand(4, 1, 28, 28) * 2 - 1).double().requires_grad_()
    augment, draws = DiffAugment(brightness=0.5, shift=0.2, cutout=cutout), torch.rand(4, 5).double()
    (slope,) = torch.autograd.grad(augment(images, draws).sum(), images)
    step = 1e-3 * torch.randn_like(images)
    change = (augment(images.detach() + step, draws) - augment(images.detach(), draws)).sum()
    torch.testing.assert_close(change, (slope * step).sum(), rtol=1e-6, atol=1e-9)
    assert 0 < (slope != 0).double().mean() < 1
