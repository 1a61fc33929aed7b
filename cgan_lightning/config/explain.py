"""Hydra's and OmegaConf's errors in one sentence: the key, the value, what would be right."""

import re
from collections.abc import Callable, Sequence

from hydra.errors import MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException, ValidationError

from cgan_lightning.config import checks


def explain(error: Exception, composed: Callable[..., DictConfig], chosen: Sequence[str]) -> str:
    """What is wrong with a command line whose group choices are `chosen`; `composed` gives a config, unchecked, of some."""
    if isinstance(error, MissingConfigException):
        return _missing(error)
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    key = re.sub(r"\[\d+\]$", "", str(getattr(cause, "full_key", None)))
    known = composed(*chosen)
    if isinstance(cause, ConfigKeyError) or "not in" in str(cause):
        others = checks.keys(composed()) if chosen else ()
        return checks.unknown_key(key, {*checks.keys(known), *others})
    fields = {name: field for name, _, field in checks.leaves(known) if field is not None}
    if inside := [name for name in fields if name.startswith(f"{key}.")]:
        return f"{key} is a section of settings: set them one by one, as in {inside[0]}=..."
    if isinstance(cause, ValidationError) and key in fields:
        return f"{key}={checks.show(cause.value)}: must be {checks.requirement(fields[key])}"
    return " ".join(str(error).split())


def _missing(error: MissingConfigException) -> str:
    group, _, choice = (error.missing_cfg_file or "").rpartition("/")
    if choice == "submitit_slurm":
        return "hydra/launcher=slurm needs the package hydra-submitit-launcher: pip install 'cgan-lightning[slurm]'"
    if not error.options:
        return f"{error.missing_cfg_file}: there is no such file in conf/"
    return f"{group}={choice}: must be {' or '.join(error.options)}"
