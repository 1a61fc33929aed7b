"""What is found out about real images is computed once, and never taken for what it isn't."""

import os
import socket
from pathlib import Path

import pytest
import torch
from torch import distributed

from cgan_lightning.data.sources import CACHE_VARIABLE
from cgan_lightning.distributed import collectives
from cgan_lightning.evaluation import cache
from tests.helpers.processes import fork_context


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


@pytest.mark.process
def test_ranks_compute_together_unless_each_has_a_cached_result(sums, tmp_path, monkeypatch):
    kept, _, _ = sums
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "0"))
    kept(ROWS)
    ranks = [fork_context().Process(target=rank_of_two, args=(rank, tmp_path), daemon=True) for rank in (0, 1)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(60)
    assert [process.exitcode for process in ranks] == [0, 0]
    assert [len((tmp_path / f"computed{rank}").read_text()) for rank in (0, 1)] == [1, 1], "rank one had none, then both had it"


def rank_of_two(rank: int, folder: Path) -> None:
    """Ask twice for what only rank zero has at first; ranks that do not compute together wait for ever."""
    os.environ[CACHE_VARIABLE] = str(folder / str(rank))
    os.environ["GLOO_SOCKET_IFNAME"] = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)

    def compute() -> dict[str, torch.Tensor]:
        with (folder / f"computed{rank}").open("a") as computed:
            computed.write("x")
        return {"sums": collectives.all_gather(ROWS[collectives.rank_slice(len(ROWS), 500)].sum(1))}

    for _ in range(2):
        assert torch.equal(cache.kept("sums", (ROWS,), compute, by_all_ranks=True)["sums"], ROWS.sum(1))
    distributed.destroy_process_group()
