"""Fréchet and kernel distances against closed forms and plain formulas, and which way they go."""

import numpy as np
import pytest
import scipy.linalg
import torch

from cgan_lightning.evaluation.frechet import class_fids, fid, fid_infinity, kid
from cgan_lightning.utils.errors import UserError

WIDTH = 6


def draw(count: int, seed: int, width: int = WIDTH) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def with_moments(mean: np.ndarray, covariance: np.ndarray, seed: int) -> torch.Tensor:
    """Samples whose own mean and covariance are exactly these."""
    samples = draw(200, seed).double().numpy()
    samples -= samples.mean(0)
    whitened = samples @ np.linalg.inv(np.linalg.cholesky(np.cov(samples.T))).T
    return torch.from_numpy(whitened @ np.linalg.cholesky(covariance).T + mean)


def gaussian(seed: int) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(seed)
    root = draws.normal(size=(WIDTH, WIDTH))
    return draws.normal(size=WIDTH), root @ root.T + 0.1 * np.eye(WIDTH)


def closed_form(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
    (mean, covariance), (other_mean, other_covariance) = one, other
    root = scipy.linalg.sqrtm(covariance @ other_covariance).real
    return ((mean - other_mean) ** 2).sum() + np.trace(covariance + other_covariance - 2 * root)


@pytest.mark.parametrize("seed", range(5))
def test_fid_of_gaussians_is_the_closed_form(seed):
    one, other = gaussian(seed), gaussian(seed + 100)
    measured = fid(with_moments(*one, seed=seed), with_moments(*other, seed=seed + 1))
    assert measured == pytest.approx(closed_form(one, other), rel=1e-9)


def test_fid_of_independent_widths_is_a_sum_over_them():
    scales = np.arange(1, WIDTH + 1.0)
    real = with_moments(np.zeros(WIDTH), np.eye(WIDTH), seed=0)
    fake = with_moments(np.full(WIDTH, 0.5), np.diag(scales**2), seed=1)
    assert fid(real, fake) == pytest.approx(0.25 * WIDTH + ((scales - 1) ** 2).sum(), rel=1e-9)


def test_fid_is_zero_for_equal_sets_and_grows_with_the_square_of_a_shift():
    real = draw(300, 0)
    assert fid(real, real) == pytest.approx(0, abs=1e-6)
    assert fid(real, real[torch.randperm(300)]) == pytest.approx(0, abs=1e-6)
    for shift in (0.1, 1.0, 10.0):
        assert fid(real.double(), real.double() + shift) == pytest.approx(WIDTH * shift**2, rel=1e-6)


def test_fid_of_fewer_samples_than_widths_is_a_number():
    """Covariances without full rank, such as those of a small class: the root goes through eigenvalues around 0."""
    real, fake = draw(20, 0, width=128), draw(20, 1, width=128)
    one, other = ((part.double().numpy().mean(0), np.cov(part.double().numpy().T)) for part in (real, fake))
    assert fid(real, fake) == pytest.approx(closed_form(one, other), rel=1e-4)
    assert fid(real, real) == pytest.approx(0, abs=1e-3)


def test_fid_has_float64s_digits_whatever_the_features_have():
    real, fake = draw(50, 0), draw(50, 1)
    assert fid(real, fake) == fid(real.double(), fake.double())


def test_collapse_and_noise_both_raise_fid():
    real, as_good = draw(500, 0), draw(500, 1)
    good = fid(real, as_good)
    assert good < 0.2
    assert fid(real, real[:1] + 0.01 * draw(500, 2)) > 10 * good
    assert fid(real, 3 * draw(500, 3)) > 10 * good


def test_class_fids_are_fids_of_the_classes_and_see_swapped_labels():
    centres = 5 * torch.eye(3, WIDTH)
    real_labels, fake_labels = torch.arange(3).repeat(50), torch.arange(3).repeat_interleave(40)
    real, fake = draw(150, 0) + centres[real_labels], draw(120, 1) + centres[fake_labels]
    measured = class_fids(real, real_labels, fake, fake_labels, 3)
    assert measured == [fid(real[real_labels == label], fake[fake_labels == label]) for label in range(3)]
    swapped = class_fids(real, real_labels, fake, torch.tensor([1, 0, 2])[fake_labels], 3)
    assert min(swapped[:2]) > 30 > max(measured)
    assert swapped[2] == measured[2]


def mmd(real: np.ndarray, fake: np.ndarray) -> float:
    """The unbiased estimate, in plain loops."""
    count, width = real.shape

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (x @ y / width + 1) ** 3

    within = sum(kernel(part[i], part[j]) for part in (real, fake) for i in range(count) for j in range(count) if i != j)
    across = sum(kernel(x, y) for x in real for y in fake)
    return within / (count * (count - 1)) - 2 * across / count**2


def test_kid_of_one_whole_subset_is_the_formula():
    real, fake = draw(30, 0), 1 + draw(30, 1)
    mean, spread = kid(real, fake, subsets=1, subset_size=30, seed=0)
    assert mean == pytest.approx(mmd(real.double().numpy(), fake.double().numpy()), rel=1e-9)
    assert spread == 0


def test_kid_of_equal_distributions_is_zero_within_its_spread():
    mean, spread = kid(draw(2000, 0), draw(2000, 1), subsets=50, subset_size=100, seed=0)
    assert abs(mean) < spread < 0.1
    shifted, _ = kid(draw(2000, 0), 1 + draw(2000, 1), subsets=50, subset_size=100, seed=0)
    further, _ = kid(draw(2000, 0), 2 + draw(2000, 1), subsets=50, subset_size=100, seed=0)
    assert 10 * spread < shifted < further


def test_kid_is_a_function_of_its_seed_and_leaves_the_global_generator():
    real, fake = draw(100, 0), draw(100, 1)
    before = torch.get_rng_state()
    first = kid(real, fake, subsets=5, subset_size=20, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(7)
    assert kid(real, fake, subsets=5, subset_size=20, seed=3) == first
    assert kid(real, fake, subsets=5, subset_size=20, seed=4) != first


def test_one_rank_can_measure_alone(monkeypatch):
    """torchmetrics would wait for the other ranks, and mix their samples in."""
    monkeypatch.setattr("torchmetrics.metric.jit_distributed_available", lambda: True)
    features = draw(20, 0)
    assert fid(features, features) == pytest.approx(0, abs=1e-6)
    kid(features, features, subsets=1, subset_size=20, seed=0)


@pytest.mark.parametrize(
    ("measure", "sentence"),
    [
        (lambda: fid(draw(1, 0), draw(9, 1)), "FID needs at least 2 real samples, not 1"),
        (lambda: fid(draw(9, 0), draw(0, 1)), "FID needs at least 2 generated samples, not 0"),
        (
            lambda: class_fids(draw(4, 0), torch.tensor([0, 0, 1, 1]), draw(3, 1), torch.tensor([0, 0, 1]), 2),
            "FID of class 1 needs at least 2 generated samples, not 1",
        ),
        (
            lambda: fid(draw(9, 0), draw(9, 1) / torch.arange(9)[:, None]),
            "FID needs finite features: 1 generated samples have others",
        ),
        (
            lambda: kid(draw(9, 0), draw(8, 1), subsets=2, subset_size=9, seed=0),
            "KID needs at least 9 generated samples, not 8",
        ),
        (
            lambda: kid(draw(9, 0), draw(8, 1), subsets=2, subset_size=1, seed=0),
            "KID needs subsets of at least 2 samples, not 1",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(measure, sentence):
    with pytest.raises(UserError, match=f"^{sentence}$"):
        measure()


def test_subsets_of_two_are_enough_for_kid():
    assert kid(draw(9, 0), draw(9, 1), subsets=3, subset_size=2, seed=0)[1] > 0


def test_fid_at_infinity_has_less_bias_than_at_any_count():
    """Gaussians of a known distance in 16 dimensions: means 1 apart in one of them, deviations 1 and 1.2; 400 samples."""
    draws = torch.Generator().manual_seed(0)
    real, known, biases = torch.randn(20_000, 16, generator=draws), 1 + 16 * 0.2**2, []
    for seed in range(12):
        fake = 1.2 * torch.randn(400, 16, generator=draws)
        fake[:, 0] += 1
        biases.append((fid(real, fake) - known, fid_infinity(real, fake, seed=seed) - known))
    plain, infinite = (sum(each) / len(each) for each in zip(*biases, strict=True))
    assert plain > 0.15, "few samples give a higher value"
    assert abs(infinite) < plain / 2


def test_fid_at_infinity_follows_from_its_seed():
    draws = torch.Generator().manual_seed(0)
    real, fake = torch.randn(500, 4, generator=draws), torch.randn(300, 4, generator=draws)
    assert fid_infinity(real, fake, seed=0) == fid_infinity(real, fake, seed=0) != fid_infinity(real, fake, seed=1)
