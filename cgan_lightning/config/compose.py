"""A command's config without its command line: for notebooks, studies and tests."""

import re

import hydra
from hydra import initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from cgan_lightning.config import checks, schema, trust
from cgan_lightning.config.paths import CONF
from cgan_lightning.errors import UserError


def compose(*overrides: str, command: str = "train", check: bool = True) -> DictConfig:
    """What `python -m cgan_lightning.COMMAND *overrides` would be given, Hydra's own part set as it would be there.

    Raises UserError for a value out of its range or a name of foreign code, and Hydra's own errors for a key or choice that
    isn't there.
    """
    schema.register()
    try:
        with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
            config = hydra.compose(command, [in_full(override) for override in overrides], return_hydra_config=True)
        HydraConfig.instance().set_config(config)
        trust.check(config)
    except RecursionError:
        raise UserError("the settings are nested too deeply: nothing here needs more than five levels") from None
    with open_dict(config):
        del config["hydra"]
    if check:
        checks.check(config)
    return config


def in_full(override: str) -> str:
    """`resume=auto` is short for `resume.run=auto`, beside which `resume.allow_changes` stands."""
    return re.sub("^resume=", "resume.run=", override)
