"""Which rank this process is, when srun, torchrun or rank zero of its run started it as one of several."""

from collections.abc import Mapping
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class RankInfo:
    """A process among the ranks of its run, and where rank zero is found."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0  # among those on the same machine
    address: str = LOOPBACK
    port: int = 0  # 0: any that is free


def given(environment: Mapping[str, str]) -> RankInfo | None:
    """The place that the environment names, or None where nobody has started several processes.

    torchrun's variables come first, as rank zero uses them too for the ranks that it starts; then those of a srun step.
    """
    if "RANK" in environment and "WORLD_SIZE" in environment:
        rank, size, local_rank, port = (int(environment[key]) for key in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT"))
        return RankInfo(rank, size, local_rank, environment["MASTER_ADDR"], port)
    size = int(environment.get("SLURM_STEP_NUM_TASKS", 1))
    if size == 1:
        return None
    from lightning.fabric.plugins.environments import SLURMEnvironment  # seconds to import: not for a sweep's launcher

    first = SLURMEnvironment.resolve_root_node_address(environment["SLURM_STEP_NODELIST"])
    usual = LOOPBACK if environment["SLURM_STEP_NUM_NODES"] == "1" else first
    return RankInfo(
        rank=int(environment["SLURM_PROCID"]),
        size=size,
        local_rank=int(environment["SLURM_LOCALID"]),
        address=environment.get("MASTER_ADDR", usual),
        port=int(environment.get("MASTER_PORT", 15_000 + int(environment["SLURM_JOB_ID"]) % 10_000)),
    )
