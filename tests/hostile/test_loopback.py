"""What listens, listens on this machine alone unless asked."""

import socket
import subprocess
from pathlib import Path

import pytest

from cgan_lightning.distributed import ranks
from cgan_lightning.distributed.rank_info import RankInfo

ROOT = Path(__file__).parents[2]


@pytest.mark.process
def test_tensorboard_is_for_this_machine():
    told = subprocess.run(["make", "-n", "tensorboard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "--host 127.0.0.1" in told


def test_the_ranks_of_one_machine_meet_where_nobody_else_can_come():
    store = ranks._store(RankInfo(size=2))
    with socket.create_connection((ranks.LOOPBACK, store.port)):
        pass
    # Bound to every address, it would answer at this one too.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", store.port))
