"""Precision, recall, density and coverage against plain loops, and which way they go."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cgan_lightning.evaluation.manifold import density_coverage, precision_recall, squared_distances, squared_radii
from cgan_lightning.utils.errors import UserError


def draw(count: int, seed: int, width: int = 8) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def distance(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.sqrt(((x - y) ** 2).sum()))


def radius(points: np.ndarray, index: int, k: int) -> float:
    return sorted(distance(points[index], points[other]) for other in range(len(points)) if other != index)[k - 1]


def slow_precision(real: np.ndarray, fake: np.ndarray, k: int) -> float:
    radii = [radius(real, i, k) for i in range(len(real))]
    return np.mean([any(distance(x, y) <= r for x, r in zip(real, radii, strict=True)) for y in fake]).item()


def slow_density_coverage(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float]:
    radii = [radius(real, i, k) for i in range(len(real))]
    within = [[distance(x, y) < r for y in fake] for x, r in zip(real, radii, strict=True)]
    return sum(map(sum, within)) / (k * len(fake)), sum(map(any, within)) / len(real)


@settings(deadline=None)  # the first example pays for lazy imports
@given(st.integers(0, 1000), st.integers(6, 20), st.integers(6, 20), st.integers(1, 5))
def test_they_are_what_plain_loops_count(seed, reals, fakes, k):
    """On whole numbers, so that duplicates and equal distances come up, and every sum is exact."""
    draws = torch.Generator().manual_seed(seed)
    real = torch.randint(0, 5, (reals, 3), generator=draws).float()
    fake = torch.randint(0, 5, (fakes, 3), generator=draws).float() + torch.randint(0, 2, (1,), generator=draws)
    x, y = real.numpy(), fake.numpy()
    assert precision_recall(real, fake, k=k) == (slow_precision(x, y, k), slow_precision(y, x, k))
    assert density_coverage(real, fake, k=k) == slow_density_coverage(x, y, k)


@pytest.mark.parametrize("offset", [0, 100])
def test_plain_loops_agree_on_features_too(offset):
    """Also far from the origin, where |x|² + |y|² - 2 x·y keeps no digit of such distances in float32."""
    real, fake = offset + 0.01 * draw(60, 0), offset + 0.008 * draw(50, 1) + 0.003
    x, y = real.double().numpy(), fake.double().numpy()
    assert precision_recall(real, fake) == (slow_precision(x, y, 3), slow_precision(y, x, 3))
    assert density_coverage(real, fake) == pytest.approx(slow_density_coverage(x, y, 5))


def test_a_set_against_itself_scores_one_throughout():
    features = draw(300, 0)
    assert precision_recall(features, features) == (1, 1)
    assert density_coverage(features, features) == pytest.approx((1, 1))


def test_equal_distributions_score_high():
    real, fake = draw(1000, 0, width=3), draw(1000, 1, width=3)
    assert min(precision_recall(real, fake)) > 0.9
    density, coverage = density_coverage(real, fake)
    assert density == pytest.approx(1, abs=0.1)
    assert coverage == pytest.approx(1 - 2**-5, abs=0.02)  # Naeem et al. 2020, section 3.3: 1 - 1 / 2**k


def test_a_collapsed_generator_has_high_precision_and_low_recall():
    real = draw(500, 0)
    fake = real[:1] + 0.01 * draw(500, 1)
    precision, recall = precision_recall(real, fake)
    assert precision == 1
    assert recall <= 0.01
    assert density_coverage(real, fake).coverage < 0.1


def test_one_image_again_and_again_is_the_same_collapse():
    """Balls of radius 0 hold the point that they are around, whatever rounding does to its distance."""
    real = 100 + draw(200, 0, width=128)
    assert precision_recall(real, real[7:8].repeat(50, 1)) == (1, 1 / 200)


def test_noise_has_low_precision_and_density():
    real, fake = draw(500, 0), 10 * draw(500, 1)
    assert precision_recall(real, fake).precision < 0.05
    assert density_coverage(real, fake).density < 0.05


def test_missing_half_of_the_classes_halves_recall_and_coverage():
    real, fake = draw(600, 0, width=3), draw(600, 1, width=3)
    real[:300, 0] += 100
    precision, recall = precision_recall(real, fake)
    density, coverage = density_coverage(real, fake)
    assert precision > 0.9
    assert density > 0.9
    assert 0.4 < recall <= 0.5
    assert 0.4 < coverage <= 0.5


def test_density_exceeds_one_where_samples_crowd_in_the_middle():
    assert density_coverage(draw(500, 0), 0.3 * draw(500, 1)).density > 1.5


def test_one_outlier_fools_precision_and_not_density():
    """Naeem et al. 2020, figure 1: its ball is as big as it is far away."""
    real = torch.cat([draw(200, 0), torch.full((1, 8), 20.0)])
    fake = 20 + 5 * draw(100, 1)
    assert precision_recall(real, fake).precision == 1
    assert density_coverage(real, fake).density == pytest.approx(1 / 5)


@pytest.mark.parametrize("chunk", [1, 7, 50, 1000])
def test_chunks_change_nothing(chunk):
    real, fake = draw(50, 0), 0.7 * draw(43, 1)
    assert precision_recall(real, fake, chunk=chunk) == precision_recall(real, fake)
    assert density_coverage(real, fake, chunk=chunk) == density_coverage(real, fake)
    torch.testing.assert_close(squared_radii(real, 3, chunk), squared_radii(real, 3))


def test_a_point_is_no_neighbour_of_its_own_and_its_double_is():
    points = torch.tensor([[0.0], [0.0], [1.0], [3.0]], dtype=torch.float64)
    torch.testing.assert_close(squared_radii(points, 1), torch.tensor([0.0, 0.0, 1.0, 4.0], dtype=torch.float64))
    torch.testing.assert_close(squared_radii(points, 3), torch.tensor([9.0, 9.0, 4.0, 9.0], dtype=torch.float64))


def test_distances_are_exact_and_equal_points_are_at_none():
    points, others = 50 + draw(40, 0, width=128).double(), 50 + draw(30, 1, width=128).double()
    squares = torch.cat(list(squared_distances(points, others, 7)))
    torch.testing.assert_close(squares, ((points[:, None] - others) ** 2).sum(2), rtol=1e-9, atol=0)
    (to_themselves,) = squared_distances(points, points, 40)
    assert (to_themselves.diagonal() == 0).all()


@pytest.mark.parametrize(
    ("measure", "sentence"),
    [
        (lambda: precision_recall(draw(3, 0), draw(9, 1)), "Precision and recall with k=3 need at least 4 real samples, not 3"),
        (
            lambda: precision_recall(draw(9, 0), draw(2, 1), k=2),
            "Precision and recall with k=2 need at least 3 generated samples, not 2",
        ),
        (lambda: density_coverage(draw(5, 0), draw(9, 1)), "Density and coverage with k=5 need at least 6 real samples, not 5"),
        (lambda: density_coverage(draw(9, 0), draw(0, 1)), "Density and coverage need at least 1 generated sample, not 0"),
    ],
)
def test_too_few_samples_are_refused_in_a_sentence(measure, sentence):
    with pytest.raises(UserError, match=f"^{sentence}$"):
        measure()
