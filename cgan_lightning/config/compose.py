"""Compose a command's config without a command line: for notebooks, studies and tests."""

import re

import hydra
from hydra import initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from cgan_lightning.config import checks, compatibility, components, identity, plugin_options, schema, sizes, trust
from cgan_lightning.config.paths import CONF
from cgan_lightning.utils.errors import UserError


def compose(*overrides: str, command: str = "train", check: bool = True) -> DictConfig:
    """Compose the config of `python -m cgan_lightning.COMMAND *overrides`, and set HydraConfig accordingly.

    Raises UserError for a value out of range or an untrusted class name, and Hydra's errors for an unknown key or option.
    """
    return accepted(with_hydras_part(*overrides, command=command), check=check)


def with_hydras_part(*overrides: str, command: str = "train") -> DictConfig:
    """Compose the config as Hydra does: unchecked, and with its `hydra` section."""
    schema.register()
    try:
        with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
            return hydra.compose(command, [in_full(override) for override in overrides], return_hydra_config=True)
    except RecursionError:
        raise _too_deep() from None


def accepted(config: DictConfig, *, check: bool = True) -> DictConfig:
    """Move the `hydra` section to HydraConfig and return the rest; untrusted class names and invalid values are rejected."""
    HydraConfig.instance().set_config(config)
    try:
        trust.check(config)
    except RecursionError:
        raise _too_deep() from None
    with open_dict(config):
        del config["hydra"]
    if check:
        refuse_wrong(config)
    return config


def refuse_wrong(config: DictConfig) -> None:
    """Raise UserError for values out of range and, for training, for combinations that cannot work."""
    if OmegaConf.get_type(config) is schema.Train:
        several = components.WITHOUT_EFFECT_ON_RESULTS
        checks.check_components(config, (*identity.CHOICES, *several), removable=several)
    checks.check(config)
    plugin_options.check(config)
    if OmegaConf.get_type(config) is schema.Train:
        compatibility.check(config)
        compatibility.check_colour(config)
        compatibility.check_shared(config)
        compatibility.check_warm_start(config)
        compatibility.check_decay(config)
        compatibility.check_objective(config)
        compatibility.check_loggers(config)
        sizes.check(config)


def _too_deep() -> UserError:
    return UserError("the settings are nested too deeply: no valid setting has more than five levels")


def in_full(override: str) -> str:
    """Expand `resume=auto` to `resume.run=auto`, the inverse of suggestions.in_short."""
    return re.sub("^resume=", "resume.run=", override)
