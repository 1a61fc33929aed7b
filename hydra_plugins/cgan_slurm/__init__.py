"""Registers hydra/launcher=slurm if the extra `slurm` is installed; Hydra imports this file at start-up."""

import contextlib

with contextlib.suppress(ImportError):
    from hydra_plugins.cgan_slurm._launcher import SweepLauncher as SweepLauncher
