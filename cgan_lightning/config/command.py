"""Runs a command under Hydra: composes and checks first, so that a mistake costs one sentence and leaves nothing behind."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException, ValidationError

from cgan_lightning.config import checks, identity, schema
from cgan_lightning.config.paths import CONF
from cgan_lightning.errors import Interrupted, RunError, UserError


def run(task: Callable[[DictConfig], Any], config_name: str) -> None:
    """`task` with the config that the command line asks for; exits with 2 on a user's mistake, 1 on a failed run.

    Hydra does the rest: --help, --cfg, --multirun, launchers and sweepers work as in any Hydra application.
    """

    def checked(config: DictConfig) -> Any:
        checks.check(config)  # a sweeper may have chosen values that were not on the command line
        return task(config)

    schema.register()
    _answering(_check_command_line)(config_name)
    hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(_answering(checked))()


def _answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, with the errors that are for the user said in one sentence, and the exit code that says which."""

    def answer(argument: Any) -> Any:
        try:
            return function(argument)
        except UserError as error:
            code, sentence = 2, str(error)
        except RunError as error:
            code, sentence = 1, str(error)
        except Interrupted as stop:
            code, sentence = 128 + stop.signum, str(stop)
        print(sentence, file=sys.stderr)
        sys.exit(code)

    return answer


def _check_command_line(config_name: str) -> None:
    arguments = get_args_parser().parse_args()
    if arguments.help or arguments.hydra_help or arguments.shell_completion:
        return
    overrides = _with_those_of_the_resumed_run(arguments.overrides)
    if overrides != arguments.overrides:
        sys.argv[1:] = [word for word in sys.argv[1:] if word not in arguments.overrides] + overrides
    for combination in _combinations(overrides, arguments):
        checks.check(_compose(arguments.config_name or config_name, combination, arguments))


def _with_those_of_the_resumed_run(overrides: list[str]) -> list[str]:
    """`resume=FOLDER` alone means all settings of that run: what it was started with, then what is given now."""
    given = {override.key_or_group: override for override in _parse(overrides)}
    folder = given["resume"].value() if "resume" in given else None
    if folder in (None, "auto"):
        return overrides
    earlier = [override.input_line or "" for override in _parse(identity.begun(str(folder))["overrides"])
               if override.key_or_group not in {*given, "resume", "rerun"}]  # fmt: skip
    return earlier + overrides


def _combinations(overrides: list[str], arguments: argparse.Namespace) -> Iterator[list[str]]:
    """Overrides to check: those given; of a sweep, each value once beside the first of the others."""
    parsed = _parse(overrides)
    sweeps = [override for override in parsed if override.is_sweep_override()]
    multirun = arguments.multirun or any(override.key_or_group == "hydra.mode" for override in parsed)
    if sweeps and not multirun:
        raise UserError(f"{sweeps[0].input_line} has several values: add -m to run each of them, or write a list as [a,b]")
    values = [values for values in map(_values, parsed) if values]
    first = [choices[0] for choices in values]
    yield first
    for index, choices in enumerate(values):
        for choice in choices[1:]:
            yield [*first[:index], choice, *first[index + 1 :]]


def _values(override: Override) -> list[str]:
    """The override, or one for each value that it sweeps over; none for an interval, which is a sweeper's to choose from."""
    if not override.is_sweep_override():
        return [override.input_line or ""]
    if not override.is_discrete_sweep():
        return []
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]


def _parse(overrides: list[str]) -> list[Override]:
    try:
        return OverridesParser.create().parse_overrides(overrides)
    except OverrideParseException as error:
        raise UserError(f"{error.override} can't be read: write key=value or group=choice") from None


def _compose(config_name: str, overrides: list[str], arguments: argparse.Namespace) -> DictConfig:
    """The config without Hydra's own part."""
    if arguments.config_dir:
        overrides = [*overrides, f"hydra.searchpath=[file://{Path(arguments.config_dir).absolute()}]"]
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        try:
            return compose(config_name, overrides)
        except (HydraException, OmegaConfBaseException) as error:
            raise UserError(_explain(error, config_name)) from None


def _explain(error: Exception, config_name: str) -> str:
    """Hydra's and OmegaConf's errors in one sentence: the key, the value, what would be right."""
    if isinstance(error, MissingConfigException):
        group, _, choice = (error.missing_cfg_file or "").rpartition("/")
        if not error.options:
            return f"{error.missing_cfg_file}: there is no such file in conf/"
        return f"{group}={choice}: must be {' or '.join(error.options)}"
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    key, known = getattr(cause, "full_key", None), compose(config_name)
    if isinstance(cause, ConfigKeyError) or "not in" in str(cause):
        return checks.unknown_key(str(key), checks.keys(known))
    fields = {name: field for name, _, field in checks.leaves(known) if field is not None}
    if inside := [name for name in fields if name.startswith(f"{key}.")]:
        return f"{key} is a section of settings: set them one by one, as in {inside[0]}=..."
    if isinstance(cause, ValidationError) and key in fields:
        return f"{key}={checks.show(cause.value)}: must be {checks.requirement(fields[key])}"
    return " ".join(str(error).split())
