import torch
from hypothesis import given
from hypothesis import strategies as st

from cgan_lightning.utils import seeding

seeds = st.integers(0, 2**32 - 1)
indices = st.integers(0, 2**31)


def draw(*arguments) -> torch.Tensor:
    return torch.rand(8, generator=seeding.generator(*arguments))


@given(seeds, indices)
def test_a_draw_is_a_function_of_its_arguments(seed, index):
    assert torch.equal(draw(seed, "noise", index), draw(seed, "noise", index))


@given(seeds, indices, st.integers(1, 2**31))
def test_indices_purposes_and_seeds_draw_apart(seed, index, step):
    assert not torch.equal(draw(seed, "noise", index), draw(seed, "noise", index + step))
    assert not torch.equal(draw(seed, "noise", index), draw(seed, "labels", index))
    assert not torch.equal(draw(seed, "noise", index), draw(seed + step, "noise", index))


def test_seeded_leaves_the_global_generator_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeding.seeded(0, "generator"):
        inside = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeding.seeded(0, "generator"):
        assert torch.equal(torch.rand(3), inside)
