"""Found by Hydra at start-up: hydra/launcher=slurm, where the extra `slurm` is installed."""

import contextlib

with contextlib.suppress(ImportError):
    from hydra_plugins.cgan_slurm._launcher import SweepLauncher as SweepLauncher
