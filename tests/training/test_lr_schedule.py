import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cgan_lightning.training.lr_schedule import Cosine, LearningRate, Linear

seen = torch.arange(0, 3_000_000, 1000)


@given(st.floats(1e-5, 1), st.floats(0, 1e-5), st.floats(1000, 2e6))
def test_it_falls_from_one_to_the_other_and_stays_there(lr, final_lr, images):
    rates = LearningRate(lr=lr, final_lr=final_lr, decay_images=images)(seen, planned_images=7)
    assert rates[0].item() == pytest.approx(lr)
    assert (rates.diff() <= 1e-18).all()
    assert rates[seen >= images].tolist() == pytest.approx([final_lr] * int((seen >= images).sum()))
    half = LearningRate(lr=lr, final_lr=final_lr, decay_images=images)(torch.tensor([int(images / 2)]), planned_images=7)
    assert half.item() == pytest.approx((lr + final_lr) / 2, rel=5e-3)


@pytest.mark.parametrize("decay", [Cosine(), Linear()])
def test_a_fall_has_its_ends_and_its_middle(decay):
    rates = LearningRate(lr=1.0, final_lr=0.2, decay=decay, decay_images=1000.0)(
        torch.tensor([0, 500, 1000, 2000]), planned_images=7
    )
    assert rates.tolist() == pytest.approx([1, 0.6, 0.2, 0.2])


def test_a_straight_line_has_equal_steps():
    steps = LearningRate(lr=1.0, decay=Linear(), decay_images=100.0)(torch.arange(0, 101, 10), planned_images=7).diff()
    assert steps.tolist() == pytest.approx([-0.1] * 10)


def test_without_a_fall_it_is_the_very_number():
    assert LearningRate(lr=2e-4)(seen, planned_images=7).unique().tolist() == [2e-4]


def test_over_a_share_it_is_as_over_so_many_images():
    by_share = LearningRate(lr=2e-4, final_lr=1e-5, decay_images=7.0, decay_share=0.25)
    by_images = LearningRate(lr=2e-4, final_lr=1e-5, decay_images=500_000.0)
    assert torch.equal(by_share(seen, planned_images=2_000_000), by_images(seen, planned_images=7))
