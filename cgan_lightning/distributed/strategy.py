"""Lightning's strategy and cluster environment for ranks that already exist."""

from lightning.fabric.plugins.environments import ClusterEnvironment
from lightning.pytorch.strategies import DDPStrategy

from cgan_lightning.distributed import collectives
from cgan_lightning.distributed.ranks import Alone, Ranks


class UnwrappedDDP(DDPStrategy):
    """Lightning's DDP without DistributedDataParallel, which expects one loss that uses every parameter.

    module.py all-reduces the gradients of the network that each phase trains. All ranks start from rank zero's weights and
    batch-norm statistics; after that only gradients are exchanged.
    """

    def _configure_launcher(self) -> None:
        pass  # the ranks already exist; Lightning's launcher would also change their number of threads

    def configure_ddp(self) -> None:
        assert self.model is not None  # noqa: S101
        collectives.copy_from_zero_([*self.model.state_dict().values()])


class GivenRanks(ClusterEnvironment):
    """The existing ranks, `local_ranks` of them on this machine.

    Also used for a single rank: Lightning would otherwise take over any SLURM job and its signals.
    """

    def __init__(self, ranks: Alone | Ranks, local_ranks: int) -> None:
        self.ranks, self.local_ranks = ranks, local_ranks

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return self.ranks.here.address

    @property
    def main_port(self) -> int:
        return self.ranks.here.port

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self.ranks.size

    def set_world_size(self, size: int) -> None:
        pass

    def global_rank(self) -> int:
        return self.ranks.rank

    def set_global_rank(self, rank: int) -> None:
        pass

    def local_rank(self) -> int:
        return self.ranks.local_rank

    def node_rank(self) -> int:
        return self.ranks.rank // self.local_ranks
