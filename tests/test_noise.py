import pytest
import torch
from scipy import stats

from cgan_lightning import noise, seeding


@pytest.mark.parametrize(
    ("prior", "distribution"),
    [(noise.StandardNormal(), stats.norm(0, 1)), (noise.Uniform(), stats.uniform(-1, 2))],
    ids=["randn", "uniform"],
)
def test_priors_follow_their_distribution(prior, distribution):
    z = prior(1000, 50, seeding.generator(0, "test"))
    assert z.shape == (1000, 50)
    assert z.dtype == torch.float32
    assert stats.kstest(z.flatten().numpy(), distribution.cdf).pvalue > 0.01


def test_uniform_stays_in_its_interval():
    assert noise.Uniform()(1000, 100, seeding.generator(0, "test")).abs().max() <= 1
