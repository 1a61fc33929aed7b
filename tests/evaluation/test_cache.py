"""What is found out about real images is computed once, and never taken for what it isn't."""

import pytest
import torch

from cgan_lightning.data.sources import CACHE_VARIABLE
from cgan_lightning.evaluation import cache


@pytest.fixture
def sums(tmp_path, monkeypatch):
    """`kept` of row sums, and a list with an entry for each time that they are computed."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    computed = []

    def kept(rows: torch.Tensor, what: str = "sums") -> torch.Tensor:
        def compute():
            computed.append(what)
            return {"sums": rows.sum(1)}

        return cache.kept(what, (rows,), compute)["sums"]

    return kept, computed, tmp_path / "real_images"


ROWS = torch.rand(cache.LEAST, 3, generator=torch.Generator().manual_seed(0))


def test_the_same_is_computed_once(sums):
    kept, computed, folder = sums
    assert torch.equal(kept(ROWS), kept(ROWS))
    assert torch.equal(kept(ROWS.clone()), ROWS.sum(1))
    assert computed == ["sums"]
    assert [path.suffix for path in folder.iterdir()] == [".safetensors"], "and nothing beside it"


def test_other_images_or_another_computation_are_others(sums):
    kept, computed, _ = sums
    other = ROWS.clone()
    other[-1, -1] += 1
    kept(ROWS)
    assert torch.equal(kept(other), other.sum(1))
    kept(ROWS, "more sums")
    assert len(computed) == 3


def test_a_damaged_entry_is_made_again(sums):
    kept, computed, folder = sums
    whole = kept(ROWS)
    (entry,) = folder.iterdir()
    entry.write_bytes(entry.read_bytes()[:-10])
    assert torch.equal(kept(ROWS), whole)
    assert torch.equal(kept(ROWS), whole)
    assert len(computed) == 2


def test_where_nothing_can_be_kept_it_is_computed_each_time(sums):
    kept, computed, folder = sums
    folder.write_text("a file where the folder should be")
    assert torch.equal(kept(ROWS), kept(ROWS))
    assert len(computed) == 2


def test_few_images_are_not_kept(sums):
    kept, computed, folder = sums
    kept(ROWS[1:])
    assert not folder.exists()
    assert len(computed) == 1
