"""Copies of training images are found, and fresh images are not taken for copies."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cgan_lightning.evaluation.memorisation import closest_pairs, nearest, nearest_ratio
from cgan_lightning.utils.errors import UserError


def draw(count: int, seed: int, width: int = 8) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None)  # the first example pays for lazy imports
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 5), st.integers(0, 1000))
def test_the_nearest_is_the_nearest_in_any_chunks(queries, references, chunk, seed):
    points, others = draw(queries, seed), draw(references, seed + 1)
    expected = torch.stack([(point - others).norm(dim=1) for point in points]).min(1)
    distances, indices = nearest(points, others, chunk=chunk)
    torch.testing.assert_close(distances, expected.values)
    assert torch.equal(indices, expected.indices)


def test_near_copies_are_measured_exactly_far_from_the_origin():
    """In float32 |x|² + |y|² - 2 x·y is off by about 0.1 here."""
    references = 100 + draw(50, 0, width=128)
    queries = references.clone()
    queries[:, 3] += 2**-6
    distances, indices = nearest(queries, references)
    assert torch.equal(indices, torch.arange(50))
    torch.testing.assert_close(distances, torch.full((50,), 2**-6), rtol=1e-3, atol=0)


def ratio(fake: torch.Tensor, train: torch.Tensor, test: torch.Tensor) -> float:
    return nearest_ratio(nearest(fake, train)[0], nearest(test, train)[0])


def test_copies_have_a_small_ratio_and_fresh_draws_one_of_about_one():
    train, test = draw(500, 0), draw(500, 1)
    fresh, copied = draw(500, 2), train[:400] + 0.01 * draw(400, 3)
    assert ratio(copied, train, test) < 0.05
    assert ratio(train, train, test) == 0
    assert ratio(fresh, train, test) == pytest.approx(1, abs=0.1)
    assert ratio(3 * fresh, train, test) > 1.5, "far from all real images"


def test_the_closest_pairs_are_the_copies_closest_first():
    train, fake = draw(100, 0), draw(60, 1)
    for step, (sample, image) in enumerate([(40, 7), (3, 99), (17, 7)], start=1):
        fake[sample] = train[image] + 0.001 * step
    pairs = closest_pairs(*nearest(fake, train), 10)
    assert pairs[:3].tolist() == [[40, 7], [3, 99], [17, 7]]
    distances = (fake[pairs[:, 0]] - train[pairs[:, 1]]).norm(dim=1)
    assert (distances.diff() >= 0).all()
    assert len(set(pairs[:, 0].tolist())) == 10, "each sample once"
    assert torch.equal(closest_pairs(*nearest(fake, train), 3), pairs[:3])
    assert closest_pairs(*nearest(fake, train), 1000).shape == (60, 2), "no more than there are"


def test_what_cannot_be_measured_is_refused_in_a_sentence():
    some, none = draw(5, 0), draw(0, 0)
    with pytest.raises(UserError, match="at least 1 image"):
        nearest(some, none)
    with pytest.raises(UserError, match="not 0 and 5"):
        nearest_ratio(none[:, 0], some[:, 0])
    with pytest.raises(UserError, match="half the test images are training images"):
        ratio(draw(5, 1), some, some)
