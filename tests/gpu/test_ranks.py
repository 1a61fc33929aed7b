"""Two ranks on one GPU, through gloo: nccl wants a GPU for each, which one machine may not have."""

import os
import socket
import subprocess
import sys

import pytest
import torch

from tests.gpu.conftest import ON, only_gpu
from tests.helpers.ranks import PATHS, job, only
from tests.helpers.runs import state

RUN = (
    *("data.limit=64", "data.batch_size=16", "samples.columns=2", "log_every_n_updates=1", "validation.every_n_epochs=null"),
    *(f"trainer={ON}", "trainer.precision=64-true", "trainer.max_steps=12", "trainer.max_epochs=5", "trainer.tf32=false"),
)
TWO = ("trainer.num_nodes=2", "trainer.backend=gloo", "run_root=two")  # two machines of one GPU each, as it seems to them


def two_ranks(action, *overrides, cwd):
    """Both ranks' processes, each told its place as torchrun would."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place = {"WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, "-m", "tests.storage.job", action, *RUN, *TWO, *overrides]
    shared = os.environ | place | {"PYTHONPATH": PATHS}
    ranks = [
        subprocess.Popen(command, cwd=cwd, env=shared | {"RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    said = [rank.communicate(timeout=100)[1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], "\n".join(said)


@pytest.mark.parametrize(
    ("action", "overrides"),
    [
        ("without_batch_norm", ("experiment=documented",)),
        pytest.param("nothing", ("experiment=documented", "trainer.sync_batchnorm=true"), marks=only_gpu),
    ],
)
def test_two_ranks_with_half_the_batch_each_are_one_rank_with_all_of_it(action, overrides, tmp_path):
    one = job(action, *RUN, *overrides, "run_root=one", cwd=tmp_path)
    assert one.returncode == 0, one.stderr
    two_ranks(action, *overrides, cwd=tmp_path)
    ends = [state(only(f"{root}/*", tmp_path)) for root in ("one", "two")]
    assert [end["global_step"] for end in ends] == [12, 12]
    for part in ("state_dict", "optimizer_states"):
        ours, theirs = (_without_counts(end[part]) for end in ends)
        torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=0)


def _without_counts(part):
    """SyncBatchNorm counts its batches, ours doesn't."""
    return {key: value for key, value in part.items() if "num_batches" not in key} if isinstance(part, dict) else part
