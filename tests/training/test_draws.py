"""Draws are functions of (seed, update): whatever was drawn before, and however many updates are asked for at once."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cgan_lightning.models.prior import StandardNormal
from cgan_lightning.training.draws import MOST_NUMBERS, MOST_UPDATES, Draws

CPU = torch.device("cpu")


def draws(*, seed=0, latent_dim=3, **settings):
    return Draws(prior=StandardNormal(), latent_dim=latent_dim, num_classes=10, uniforms=2, seed=seed, **settings)


WHOLE = [draws()(range(update, update + 1), 5, CPU) for update in range(200)]


@given(st.lists(st.tuples(st.integers(0, 150), st.integers(1, 50)), min_size=1, max_size=5))
def test_any_range_has_the_rows_of_its_updates(asked):
    ours = draws()
    for first, count in asked:
        found = ours(range(first, first + count), 5, CPU)
        for kind, values in enumerate(found):
            expected = torch.cat([each[kind] for each in WHOLE[first : first + count]])
            assert torch.equal(values, expected)


def test_shapes_types_and_ranges():
    z, labels, uniform = draws()(range(10, 14), 6, CPU)
    assert (z.shape, labels.shape, uniform.shape) == ((4, 6, 3), (4, 6), (4, 6, 2))
    assert (z.dtype, labels.dtype, uniform.dtype) == (torch.float32, torch.long, torch.float32)
    assert uniform.min() >= 0
    assert uniform.max() < 1


def test_updates_blocks_and_seeds_differ():
    per_block = [draws()(range(update, update + 1), 64, CPU) for update in (0, 1, MOST_UPDATES, MOST_UPDATES + 1)]
    other_seed = draws(seed=1)(range(1), 64, CPU)
    for kind in range(3):
        values = [each[kind] for each in (*per_block, other_seed)]
        assert not any(torch.equal(a, b) for number, a in enumerate(values) for b in values[:number])


def test_labels_are_all_classes():
    labels = draws()(range(20), 64, CPU).labels
    assert labels.unique().tolist() == list(range(10))
    counts = torch.stack([row.bincount(minlength=10) for row in labels])
    assert counts.max() - counts.min() > 3


@pytest.mark.parametrize("batch_size", [2, 10, 64])
def test_balanced_labels_are_as_many_of_each_class(batch_size):
    labels = draws(balanced=True)(range(100), batch_size, CPU).labels
    counts = torch.stack([row.bincount(minlength=10) for row in labels])
    assert (counts.amax(1) - counts.amin(1)).max() <= 1
    assert len(labels[:, :2].unique(dim=0)) > 40, "of 90 pairs of first classes"


def test_a_block_of_large_batches_is_short_and_its_draws_are_what_they_are_whole():
    latent_dim, batch_size = 1024, 1500
    size = MOST_NUMBERS // (latent_dim * batch_size)
    assert size == 2
    whole = draws(latent_dim=latent_dim)(range(5), batch_size, CPU).z
    assert whole.shape == (5, batch_size, latent_dim)
    assert torch.equal(draws(latent_dim=latent_dim)(range(3, 4), batch_size, CPU).z[0], whole[3])


def test_the_z_of_a_batch_that_is_larger_than_a_block_is_drawn_alone():
    asked = []

    def prior(count, latent_dim, generator):
        asked.append(count)
        return torch.zeros(count, latent_dim)

    Draws(prior=prior, latent_dim=MOST_NUMBERS + 1, num_classes=10)(range(1), 1, CPU)
    assert asked == [1]


def test_labels_have_the_classes_shares():
    counts = draws(class_shares=[6, 3, 1] + [0] * 7)(range(50), 64, CPU).labels.flatten().bincount(minlength=10)
    assert counts.tolist()[3:] == [0] * 7
    assert (counts[:3] / counts.sum()).tolist() == pytest.approx([0.6, 0.3, 0.1], abs=0.02)
