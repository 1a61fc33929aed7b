"""Registers hydra/launcher=pool; Hydra imports this file at start-up."""

from hydra_plugins.cgan_pool._launcher import PoolLauncher as PoolLauncher
