"""Turn errors of Hydra and OmegaConf into one sentence: the key, the value, what would be valid."""

import re
from collections.abc import Callable, Sequence

from hydra.core.hydra_config import HydraConfig
from hydra.errors import MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException, ValidationError

from cgan_lightning.config import checks, suggestions


def explain(error: Exception, composed: Callable[..., DictConfig], chosen: Sequence[str], given: Sequence[str]) -> str:
    """Return the message for `error`, raised by a command line with group choices `chosen` and keys `given`.

    `composed` composes an unchecked config from group choices.
    """
    if isinstance(error, MissingConfigException):
        return _missing(error)
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    key = re.sub(r"\[\d+\]$", "", str(getattr(cause, "full_key", None)))
    known = composed(*chosen)
    if isinstance(cause, ConfigKeyError) or "not in" in str(cause):
        others = checks.keys(composed()) if chosen else ()
        key = next((each for each in given if each.startswith(f"{key}.")), key)  # Hydra reports only the first part
        return suggestions.unknown_key(key, list(dict.fromkeys([*checks.keys(known), *others, *groups()])))
    fields = {name: field for name, _, field in checks.leaves(known) if field is not None}
    if inside := [name for name in fields if name.startswith(f"{key}.")]:
        return f"{key} is a section of settings: set its keys, as in {inside[0]}=..."
    if isinstance(cause, ValidationError) and key in fields:
        return checks.refusal(key, cause.value, fields[key])
    return " ".join(str(error).split())


def _missing(error: MissingConfigException) -> str:
    group, _, choice = (error.missing_cfg_file or "").rpartition("/")
    if choice == "submitit_slurm":
        return "hydra/launcher=slurm needs the package hydra-submitit-launcher: pip install 'cgan-lightning[slurm]'"
    if choice.startswith("base_"):
        return f"a settings file names {choice}, which no class here has: name its plugin, as in plugins=[my_lab.parts]"
    if not error.options:
        return f"{error.missing_cfg_file}: no such file in conf/"
    return suggestions.choice(group, choice, error.options)


def groups() -> list[str]:
    """Return the groups of the last composed config, and the launcher and sweeper groups."""
    choices = HydraConfig.get().runtime.choices
    return [group for group in choices if not group.startswith("hydra/")] + ["hydra/launcher", "hydra/sweeper"]
