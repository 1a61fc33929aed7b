"""Turn errors of Hydra, OmegaConf and YAML into one sentence: the file, the key, the value, what would be valid."""

import dataclasses
import re
from collections.abc import Callable, Sequence

import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigKeyError,
    ConfigTypeError,
    GrammarParseError,
    InterpolationKeyError,
    InterpolationResolutionError,
    OmegaConfBaseException,
    ValidationError,
)

from cgan_lightning.config import checks, group_files, own_files, suggestions
from cgan_lightning.config.own_files import OwnFile
from cgan_lightning.utils.errors import UserError, shown

ERRORS = (HydraException, OmegaConfBaseException, yaml.YAMLError, OSError, ValueError)  # of composing a config


def explain(
    error: Exception,
    composed: Callable[..., DictConfig],
    chosen: Sequence[str],
    given: Sequence[str],
    own: Sequence[OwnFile] = (),
) -> str:
    """Return the message for `error`, raised by a command line with group choices `chosen`, keys `given` and files `own`.

    `composed` composes an unchecked config from group choices.
    """
    if message := own_files.unreadable(error, own):
        return message
    default = composed()  # also sets HydraConfig, for `groups`
    if message := _of_defaults(error, own, [*checks.keys(default), *groups()]):
        return message
    file, cause = own_files.of_error(error, own), _cause(error)
    if file is None and not isinstance(error, HydraException | OmegaConfBaseException):
        raise error
    if file is not None and (message := _without_settings(file)):
        return f"{file}: {message}"
    key = re.sub(r"\[\d+\]$", "", str(getattr(cause, "full_key", None)))
    if isinstance(cause, GrammarParseError | InterpolationResolutionError):
        return _unresolved(key, cause)
    known = _known(composed, chosen, own) if file else composed(*chosen) if chosen else default
    if isinstance(cause, ConfigKeyError) or "not in" in str(cause):
        others = checks.keys(default) if chosen else ()
        key = next((each for each in given if each.startswith(f"{key}.")), key)  # Hydra reports only the first part
        message = suggestions.unknown_key(key, list(dict.fromkeys([*_fields(known), *others, *groups()])))
    else:
        message = _wrong_value(key, cause, known, file)
    message = message or " ".join(re.sub(r"^In '?[^:]*'?: ", "", str(error)).split())
    return f"{file}: {message}" if file else message


def _cause(error: Exception) -> Exception:
    """Return OmegaConf's own error, which Hydra puts into words when a file has caused it."""
    for each in (error, error.__cause__, error.__context__):
        if isinstance(each, OmegaConfBaseException):
            return each
    return error


def _known(composed: Callable[..., DictConfig], chosen: Sequence[str], own: Sequence[OwnFile]) -> DictConfig:
    """Compose the choices on the command line and in the files `own`, without these files: one of them is broken."""
    names = {(each.group, each.path.stem) for each in own}
    choices = dict(choice.split("=", 1) for choice in chosen) | dict(choice for each in own for choice in each.choices())
    try:
        return composed(*(f"{group}={name}" for group, name in choices.items() if (group, name) not in names))
    except (*ERRORS, UserError):
        return composed()


def _fields(known: DictConfig) -> dict[str, dataclasses.Field]:
    """Return the fields of a config, and of its sweeper if that has a schema of ours."""
    of_sweeper = [each for each in checks.leaves(HydraConfig.get().sweeper, "hydra.sweeper.") if each[2] and each[2].metadata]
    return {name: field for name, _, field in [*checks.leaves(known), *of_sweeper] if field is not None}


def _wrong_value(key: str, cause: Exception, known: DictConfig, file: OwnFile | None) -> str:
    """Return the message for a value of the wrong type; "" for other errors."""
    fields = _fields(known)
    sections = {name: inside for inside in reversed(fields) for name in [inside.rpartition(".")[0]] if name}
    if key == "" and file is not None:  # OmegaConf does not say which section of the file
        key = next((each for each in file.set_keys() if each in sections and not file.contains_settings(each)), "")
    if inside := [name for name in fields if name.startswith(f"{key}.")]:
        return f"{key} is a section of settings: set its keys, as in {inside[0]}=..."
    if isinstance(cause, ValidationError) and key in fields:
        return checks.refusal(key, cause.value, fields[key])
    if isinstance(cause, ConfigTypeError) and key in fields:  # a list for a section, or the other way round
        return f"{key}: must be {checks.requirement(fields[key])}"
    return ""


def _unresolved(key: str, cause: Exception) -> str:
    """Return the message for an interpolation `${...}` that is invalid or names nothing."""
    if isinstance(cause, GrammarParseError):
        value = shown(getattr(cause, "value", ""))
        return f"{key}={value}: not a valid interpolation; write it as ${{seed}} or ${{oc.env:NAME}}"
    if isinstance(cause, InterpolationKeyError) and (name := re.search(r"'(.+)' not found", str(cause))):
        return f"{key}: there is no setting {name[1]} for its ${{{name[1]}}}"
    return f"{key}: its interpolation cannot be resolved ({shown(str(cause).partition(chr(10))[0].partition(': ')[2])})"


def _without_settings(file: OwnFile) -> str | None:
    """Return the message for a file that holds no settings, or in a section of their own."""
    if not isinstance(file.content, dict):
        return "it must contain settings as `key: value`"
    if file.lacks_header:
        return f"its first line must be `{own_files.GLOBAL}`, so that its keys are settings"
    return None


def _of_defaults(error: Exception, own: Sequence[OwnFile], known: Sequence[str]) -> str | None:
    """Return the message for a defaults list with a group or an option that does not exist, or not in this form."""
    if isinstance(error, MissingConfigException):
        group, _, choice = (error.missing_cfg_file or "").rpartition("/")
        file = own_files.of_error(error, own) or own_files.naming(group, choice, own)
        if file and group.startswith(f"{file.group}/"):
            return f"{file}: {_as_absolute(group.removeprefix(f'{file.group}/'), choice)}"
        message = _missing(group, choice, error)
        return f"{file}: {message}" if file else message
    if unused := re.search(r"Could not override '([^'@]+).*No match in the defaults", str(error)):
        if (file := own_files.of_error(error, own)) is None:
            return suggestions.unknown_key(unused[1], known)
        group = unused[1].removeprefix(f"{file.group}/")
        option = next((option for name, option in file.choices() if name == unused[1]), "")
        is_relative = group != unused[1]
        return f"{file}: {_as_absolute(group, option) if is_relative else suggestions.unknown_group(group, groups())}"
    if double := re.search(r"Multiple values for (\S+)\.", str(error)):
        file = own_files.naming(double[1], None, own)
        option = next((option for group, option in file.choices() if group == double[1]), "OPTION") if file else "OPTION"
        return f"{file or '--config-dir'}: {double[1]}= has an option already; write `override /{double[1]}: {option}`"
    return None


def _as_absolute(group: str, option: str) -> str:
    """Return the message for an entry of defaults without a slash, which Hydra looks for beside the file."""
    if group not in groups():
        return suggestions.unknown_group(group, groups())
    return f"its defaults need the group with a slash: `override /{group}: {option}`"


def _missing(group: str, choice: str, error: MissingConfigException) -> str:
    if choice == "submitit_slurm":
        return "hydra/launcher=slurm needs the package hydra-submitit-launcher: pip install 'cgan-lightning[slurm]'"
    if choice.startswith("base_"):
        return f"there is no {choice}: name the plugin that has it, as in plugins=[my_lab.parts]"
    options = error.options or group_files.options(group)  # none for one of several options
    if not options or not group:
        return f"{error.missing_cfg_file}: no such file in conf/ or --config-dir"
    return suggestions.choice(group, choice, options)


def groups() -> list[str]:
    """Return the groups of the last composed config, and the launcher and sweeper groups."""
    choices = HydraConfig.get().runtime.choices
    return [group for group in choices if not group.startswith("hydra/")] + ["hydra/launcher", "hydra/sweeper"]
