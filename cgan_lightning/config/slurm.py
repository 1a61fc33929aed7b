"""Check a sweep over SLURM before anything is submitted."""

import shutil
from collections.abc import Sequence

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from cgan_lightning.utils.errors import UserError

EARLY_S = 60  # SLURM may send its signal up to this much earlier than requested
RANKS = ("trainer", "trainer.devices", "trainer.num_nodes", "trainer.accelerator")


def check(config: DictConfig, overrides: Sequence[Override]) -> None:
    """Raise UserError if SLURM cannot provide the ranks or the time that `config`, one of the sweep's jobs, needs."""
    launcher = HydraConfig.get().launcher
    if not str(launcher._target_).startswith("hydra_plugins.cgan_slurm."):
        return
    for override in overrides:
        if override.is_sweep_override() and override.key_or_group in RANKS:
            raise UserError(
                f"{override.input_line}: all jobs of a sweep over SLURM have the same ranks; use a separate command for each"
            )
    if config.trainer.devices is None:
        raise UserError("trainer.devices=null: SLURM needs the number of GPUs per node: trainer.devices=4")
    needed = launcher.signal_delay_s + 2 * EARLY_S
    if launcher.timeout_min * 60 < needed:
        raise UserError(
            f"hydra.launcher.timeout_min={launcher.timeout_min}: at least {-(-needed // 60)} with "
            f"hydra.launcher.signal_delay_s={launcher.signal_delay_s}, as SLURM may send its signal {EARLY_S} s early"
        )
    if shutil.which("sbatch") is None:
        raise UserError("hydra/launcher=slurm: there is no sbatch on this machine; run the command on the cluster's login node")
