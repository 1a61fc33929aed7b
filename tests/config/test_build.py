"""What a config becomes on a GPU, as far as a machine without one can tell."""

import pytest
import torch

from cgan_lightning.config import build, identity
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed


@pytest.fixture
def a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ((), 64),
        (("data.batch_size=512",), 64),
        (("data.batch_size=4096",), 8),
        (("data.batch_size=60000",), 1),
        (("trainer.updates_per_call=7", "regularizer.interval=4", "log_every_n_updates=50"), 7),
        (("trainer=cpu",), 1),
    ],
)
def test_how_many_updates_a_call_has(a_gpu, overrides, expected):
    assert build.data(composed("trainer=gpu", *overrides)).updates_per_call == expected


@pytest.mark.parametrize(
    ("overrides", "ranks", "said"),
    [
        ((), 1, "; CUDA graphs, in calls of up to 50 updates"),
        (("log_every_n_updates=1000",), 1, "; CUDA graphs, in calls of up to 64 updates"),
        (("trainer.cuda_graphs=false",), 1, "; no CUDA graphs (trainer.cuda_graphs=false)"),
        ((), 2, "; no CUDA graphs (ranks all-reduce gradients during an update)"),
    ],
)
def test_the_headline_says_how_updates_are_launched(a_gpu, overrides, ranks, said):
    config = composed("trainer=gpu", *overrides)
    assert build.launches(config, build.data(config), ranks) == said


def test_nccl_is_for_gpus():
    with pytest.raises(UserError, match=r"^trainer\.backend=nccl works only on GPUs: omit it, or take gloo$"):
        build.ranks(composed("trainer=cpu", "trainer.backend=nccl"))


def test_tf32_is_part_of_a_runs_name_where_it_is_not_what_it_was():
    default = identity.run_name(composed())
    assert identity.run_name(composed("trainer.tf32=true")) == default
    assert identity.run_name(composed("trainer.tf32=false")) != default
