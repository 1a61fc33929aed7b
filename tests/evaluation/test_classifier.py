"""The classifier's training: how its learning rate goes."""

import pytest

from cgan_lightning.evaluation import classifier


@pytest.mark.parametrize(("done", "share"), [(0.0, 0), (0.1, 0.5), (0.2, 1), (0.6, 0.5), (1.0, 0)])
def test_the_learning_rate_rises_for_a_fifth_and_falls_to_nothing(done, share):
    assert classifier._one_cycle(done) == pytest.approx(share, abs=1e-12)
