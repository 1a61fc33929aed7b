"""Lightning's side of several ranks: it finds them as they are, and wraps nothing."""

from lightning.fabric.plugins.environments import ClusterEnvironment
from lightning.pytorch.strategies import DDPStrategy

from cgan_lightning.distributed import collectives
from cgan_lightning.distributed.ranks import Alone, Ranks


class UnwrappedDDP(DDPStrategy):
    """Lightning's DDP without DistributedDataParallel, which expects one loss that uses every parameter.

    module.py averages the gradients of the network that each phase trains. All ranks start from rank zero's weights and
    statistics; after that nothing but gradients is exchanged.
    """

    def _configure_launcher(self) -> None:
        pass  # the ranks are there; Lightning's would also change how many threads each has

    def configure_ddp(self) -> None:
        assert self.model is not None  # noqa: S101
        collectives.copy_from_zero_([*self.model.state_dict().values()])


class GivenRanks(ClusterEnvironment):
    """Ranks that exist already, `of_this_machine` here.

    Also for a single one: Lightning would take any SLURM job, its signals too, for its own.
    """

    def __init__(self, ranks: Alone | Ranks, of_this_machine: int) -> None:
        self.ranks, self.of_this_machine = ranks, of_this_machine

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
        return self.ranks.rank // self.of_this_machine
