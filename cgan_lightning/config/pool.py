"""What a pool of jobs on one machine can't do, said before a job is started; and which device a job has."""

from collections.abc import Sequence

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from cgan_lightning.config.checks import show
from cgan_lightning.config.slurm import RANKS
from cgan_lightning.utils.errors import UserError


def check(config: DictConfig, overrides: Sequence[Override]) -> None:
    """Raises UserError where the jobs of `config`, one of the sweep's, can't share this machine's devices."""
    launcher = HydraConfig.get().launcher
    if not str(launcher._target_).startswith("hydra_plugins.cgan_pool."):
        return
    for override in overrides:
        if override.is_sweep_override() and override.key_or_group in RANKS:
            raise UserError(f"{override.input_line}: all jobs of a pool are on the same devices; give a command for each")
    for key in ("devices", "num_nodes"):
        if config.trainer[key] != 1:
            raise UserError(
                f"trainer.{key}={show(config.trainer[key])}: a job of hydra/launcher=pool is one process on one device: 1"
            )
    at_a_time = launcher.jobs_per_device
    if at_a_time is not None and (type(at_a_time) is not int or at_a_time < 1):
        raise UserError(f"hydra.launcher.jobs_per_device={show(at_a_time)}: must be a whole number at least 1, or null")


def gpu_of(slot: int, visible: str | None, gpus: int) -> str:
    """What CUDA_VISIBLE_DEVICES is for the job in `slot`, slots dealt round the GPUs; `visible` is its value for the sweep.

    >>> [gpu_of(slot, None, 2) for slot in range(4)], gpu_of(1, "GPU-5e1f,GPU-77aa", 2)
    (['0', '1', '0', '1'], 'GPU-77aa')
    """
    names = visible.split(",") if visible else [str(number) for number in range(gpus)]
    return names[slot % gpus].strip()
