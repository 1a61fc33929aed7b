"""The classifier's training."""

import pytest
import torch

from cgan_lightning.evaluation import classifier


@pytest.mark.parametrize(("done", "share"), [(0.0, 0), (0.1, 0.5), (0.2, 1), (0.6, 0.5), (1.0, 0)])
def test_the_learning_rate_rises_for_a_fifth_and_falls_to_nothing(done, share):
    assert classifier._one_cycle(done) == pytest.approx(share, abs=1e-12)


def test_it_is_trained_from_its_seed_with_a_learning_rate_of_as_many_steps_as_there_are_whole_batches():
    """Golden losses: of three epochs, each with one batch and 100 images left over."""
    draws = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (classifier.BATCH_SIZE + 100,), generator=draws)
    shades = torch.randint(128, (len(labels), 1, 28, 28), generator=draws) + 64 * labels[:, None, None, None]
    losses = []
    classifier.fit(shades.to(torch.uint8), labels, epochs=3, seed=0, report=lambda _, loss: losses.append(loss))
    assert losses == pytest.approx([0.67607, 0.67925, 0.32449], rel=2e-3)
