"""Found by Hydra at start-up: hydra/launcher=pool."""

from hydra_plugins.cgan_pool._launcher import PoolLauncher as PoolLauncher
