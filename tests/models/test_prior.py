import pytest
import torch
from scipy import stats

from cgan_lightning.models.prior import StandardNormal, Uniform
from cgan_lightning.utils import seeding


@pytest.mark.parametrize(
    ("prior", "distribution"),
    [(StandardNormal(), stats.norm(0, 1)), (Uniform(), stats.uniform(-1, 2))],
    ids=["randn", "uniform"],
)
def test_priors_follow_their_distribution(prior, distribution):
    z = prior(1000, 50, seeding.generator(0, "test"))
    assert z.shape == (1000, 50)
    assert z.dtype == torch.float32
    assert stats.kstest(z.flatten().numpy(), distribution.cdf).pvalue > 0.01


def test_uniform_stays_in_its_interval():
    assert Uniform()(1000, 100, seeding.generator(0, "test")).abs().max() <= Uniform.bound


@pytest.mark.parametrize("prior", [StandardNormal(), Uniform()], ids=["randn", "uniform"])
def test_what_is_between_two_z_could_be_one(prior):
    """As long as others where lengths are what is typical (randn), inside the cube where that is (uniform)."""
    start, end = prior(200, 100, seeding.generator(0, "test")).split(100)
    way = prior.interpolate(start, end, torch.linspace(0, 1, 9)[:, None])
    assert way.shape == (100, 9, 100)
    torch.testing.assert_close(way[:, 0], start, atol=1e-5, rtol=0)
    torch.testing.assert_close(way[:, -1], end, atol=1e-5, rtol=0)
    if isinstance(prior, StandardNormal):
        lengths = way.norm(dim=2)
        ends = torch.stack([start, end]).norm(dim=2)
        assert (lengths <= ends.max(0).values[:, None] + 1e-3).all()
        assert (lengths >= ends.min(0).values[:, None] - 1e-3).all()
        steps = torch.nn.functional.normalize(way, dim=2).diff(dim=1).norm(dim=2)
        torch.testing.assert_close(steps, steps[:, :1].expand_as(steps), atol=1e-4, rtol=0)
    else:
        assert way.abs().max() <= 1
        torch.testing.assert_close(way[:, 4], (start + end) / 2)


@pytest.mark.parametrize("prior", [StandardNormal(), Uniform()], ids=["randn", "uniform"])
def test_between_a_z_and_itself_is_itself(prior):
    z = prior(3, 10, seeding.generator(0, "test"))
    way = prior.interpolate(z, z, torch.linspace(0, 1, 5)[:, None])
    torch.testing.assert_close(way, z[:, None].expand_as(way), atol=1e-3, rtol=0)
