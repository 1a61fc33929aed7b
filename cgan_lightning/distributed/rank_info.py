"""The rank of a process that srun, torchrun or rank zero started as one of several."""

from collections.abc import Mapping
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class RankInfo:
    """This process's rank, the number of ranks, and the address of rank zero."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0  # among those on the same machine
    address: str = LOOPBACK
    port: int = 0  # 0: any free port


def given(environment: Mapping[str, str]) -> RankInfo | None:
    """Return the rank given by the environment, or None if there is only one process.

    torchrun's variables take precedence, because rank zero also sets them for the ranks that it starts; then those of srun.
    """
    if "RANK" in environment and "WORLD_SIZE" in environment:
        rank, size, local_rank, port = (int(environment[key]) for key in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT"))
        return RankInfo(rank, size, local_rank, environment["MASTER_ADDR"], port)
    size = int(environment.get("SLURM_STEP_NUM_TASKS", 1))
    if size == 1:
        return None
    from lightning.fabric.plugins.environments import SLURMEnvironment  # takes seconds to import

    first = SLURMEnvironment.resolve_root_node_address(environment["SLURM_STEP_NODELIST"])
    default = LOOPBACK if environment["SLURM_STEP_NUM_NODES"] == "1" else first
    return RankInfo(
        rank=int(environment["SLURM_PROCID"]),
        size=size,
        local_rank=int(environment["SLURM_LOCALID"]),
        address=environment.get("MASTER_ADDR", default),
        port=int(environment.get("MASTER_PORT", 15_000 + int(environment["SLURM_JOB_ID"]) % 10_000)),
    )
