"""A command's config without its command line: for notebooks, studies and tests."""

import re

import hydra
from hydra import initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from cgan_lightning.config import checks, compatibility, schema, sizes, trust
from cgan_lightning.config.paths import CONF
from cgan_lightning.utils.errors import UserError


def compose(*overrides: str, command: str = "train", check: bool = True) -> DictConfig:
    """What `python -m cgan_lightning.COMMAND *overrides` would be given, Hydra's own part set as it would be there.

    Raises UserError for a value out of its range or a name of foreign code, and Hydra's own errors for a key or choice that
    isn't there.
    """
    return accepted(with_hydras_part(*overrides, command=command), check=check)


def with_hydras_part(*overrides: str, command: str = "train") -> DictConfig:
    """As Hydra composes it: nothing is checked, and `hydra` is in it."""
    schema.register()
    try:
        with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
            return hydra.compose(command, [in_full(override) for override in overrides], return_hydra_config=True)
    except RecursionError:
        raise _too_deep() from None


def accepted(config: DictConfig, *, check: bool = True) -> DictConfig:
    """`config` without Hydra's part, which becomes the one that is set; names of foreign code and wrong values are refused."""
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
    """Raises UserError for values out of range, and of a training for what is known to fail before it is begun."""
    checks.check(config)
    if OmegaConf.get_type(config) is schema.Train:
        compatibility.check(config)
        compatibility.check_shared(config)
        compatibility.check_warm_start(config)
        compatibility.check_decay(config)
        compatibility.check_objective(config)
        sizes.check(config)


def _too_deep() -> UserError:
    return UserError("the settings are nested too deeply: nothing here needs more than five levels")


def in_full(override: str) -> str:
    """`resume=auto` is short for `resume.run=auto`: suggestions.in_short the other way round."""
    return re.sub("^resume=", "resume.run=", override)
