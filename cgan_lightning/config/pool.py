"""Check a sweep that runs as a pool of jobs on one machine, and assign devices to its jobs."""

from collections.abc import Sequence

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from cgan_lightning.config import suggestions
from cgan_lightning.config.checks import show
from cgan_lightning.config.slurm import RANKS
from cgan_lightning.utils.errors import UserError


def check(config: DictConfig, overrides: Sequence[Override]) -> None:
    """Raise UserError if jobs such as `config`, one of the sweep's, cannot share this machine's devices."""
    if not _is_chosen():
        return
    for override in overrides:
        if override.is_sweep_override() and override.key_or_group in RANKS:
            raise UserError(f"{override.input_line}: all jobs of a pool use the same devices; use a separate command for each")
    for key in ("devices", "num_nodes"):
        if config.trainer[key] != 1:
            raise UserError(
                f"trainer.{key}={show(config.trainer[key])}: a job of hydra/launcher=pool is one process on one device: 1"
            )


def check_settings() -> None:
    """Raise UserError for a setting of the launcher that is unknown or out of range; it has no schema."""
    if not _is_chosen():
        return
    launcher = HydraConfig.get().launcher
    for name in launcher:
        if name not in ("_target_", "jobs_per_device"):
            raise UserError(suggestions.unknown_key(f"hydra.launcher.{name}", ["hydra.launcher.jobs_per_device"]))
    jobs = launcher.jobs_per_device
    if jobs is not None and (type(jobs) is not int or jobs < 1):
        raise UserError(f"hydra.launcher.jobs_per_device={show(jobs)}: must be a whole number at least 1, or null")


def _is_chosen() -> bool:
    return str(HydraConfig.get().launcher._target_).startswith("hydra_plugins.cgan_pool.")


def gpu_of(slot: int, visible: str | None, gpus: int) -> str:
    """Return CUDA_VISIBLE_DEVICES for a job in `slot`, with slots assigned round-robin; `visible` is the sweep's value.

    >>> [gpu_of(slot, None, 2) for slot in range(4)], gpu_of(1, "GPU-5e1f,GPU-77aa", 2)
    (['0', '1', '0', '1'], 'GPU-77aa')
    """
    names = visible.split(",") if visible else [str(number) for number in range(gpus)]
    return names[slot % gpus].strip()
