"""A sweep that searches with hydra/sweeper=optuna: its checks, and its folder, in which the same command finds its study."""

import importlib.util
import json
from collections.abc import Callable, Sequence
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from cgan_lightning.config import checks, identity, search_space, suggestions, sweep
from cgan_lightning.storage.sweep_folder import SweepFolder
from cgan_lightning.utils.errors import UserError


def is_chosen() -> bool:
    """Return whether the sweeper of the last composed config is Optuna's."""
    return HydraConfig.initialized() and str(HydraConfig.get().sweeper.get("_target_")).startswith("hydra_plugins.cgan_optuna.")


def check_settings() -> None:
    """Raise UserError for the first setting of the sweeper that is unknown or out of range."""
    if not is_chosen():
        return
    settings = list(checks.leaves(HydraConfig.get().sweeper, "hydra.sweeper."))
    for key, value, field in settings:
        if field is None:
            raise UserError(suggestions.unknown_key(key, [name for name, _, known in settings if known is not None]))
        if not checks.is_right(value, field):
            raise UserError(checks.refusal(key, value, field))


def check(config: DictConfig, overrides: Sequence[Override], composed: Callable[[list[str]], DictConfig]) -> None:
    """Raise UserError if a search cannot begin: without Optuna, an objective or a search space, and with `rerun=true`.

    `config` is that of the first job. `composed` composes one unchecked, and so refuses unknown options and wrong types; other
    mistakes may depend on the other settings, and fail a trial.
    """
    if importlib.util.find_spec("optuna") is None:
        raise UserError("hydra/sweeper=optuna needs the package optuna: pip install 'cgan-lightning[optuna]'")
    if config.objective_metric is None:
        raise UserError(
            "objective_metric=null: hydra/sweeper=optuna needs a metric to optimise, as in objective_metric=best_fid"
        )
    if config.rerun:
        raise UserError("rerun=true: a study keeps its trials; omit it, or begin another study with another hydra.sweeper.seed")
    space = search_space.space(overrides)
    if not space:
        raise UserError(
            "hydra/sweeper=optuna: there is nothing to search; give several values of a setting, as in model.latent_dim=16,32 "
            "or 'optimizer.generator.lr=tag(log,interval(1e-4,1e-2))'"
        )
    for key, dimension in space.items():
        for value in dimension.values[1:] if isinstance(dimension, search_space.Choices) else ():
            composed([f"{key}={value}" if word.partition("=")[0] == key else word for word in sweep.point(overrides, 0)])


def described(config: DictConfig) -> dict[str, Any]:
    """Return what the sweep folder records of a search."""
    settings, metric = HydraConfig.get().sweeper, config.objective_metric
    otherwise = "maximize" if metric in search_space.MAXIMIZED else "minimize"
    return {"n_trials": settings.n_trials, "metric": metric, "direction": settings.direction or otherwise}


def folder(config: DictConfig, overrides: Sequence[Override]) -> SweepFolder:
    """Return the sweep folder, named by all that a study's trials depend on, and not by their number.

    `config` is that of one job.
    """
    settings, search = HydraConfig.get().sweeper, described(config)
    content = {
        "space": {key: repr(dimension) for key, dimension in search_space.space(overrides).items()},
        "job": identity.first_name(config),
        "length": [config.trainer.max_epochs, config.trainer.max_steps],
        "validation": [config.validation.every_n_epochs, config.validation.samples],
        "search": [search["metric"], search["direction"], settings.sampler, settings.seed],
    }
    return sweep.named(config.run_root, overrides, json.dumps(content, sort_keys=True))
