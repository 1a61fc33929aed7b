"""Registers hydra/sweeper=optuna; Hydra imports this file at start-up."""

from hydra_plugins.cgan_optuna._sweeper import OptunaSweeper as OptunaSweeper
