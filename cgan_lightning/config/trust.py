"""What files of settings may make Hydra do: a folder of configs, or someone else's run, is data and names no code.

Hydra makes an object of whatever `_target_` names, and logging of its `class` and `()`; a name may go through a module to
what that has imported (`a_module.os.system`). So each place has names of its own.
"""

import contextlib
import functools
import re
from collections.abc import Iterator
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cgan_lightning.config import group_files
from cgan_lightning.config.paths import CONF
from cgan_lightning.utils.errors import UserError, shown

HYDRAS_OBJECTS = ("launcher", "sweeper", "callbacks", "job_logging", "hydra_logging")  # what Hydra makes objects of
KNOWN_AT_THE_START = {"runtime": {"output_dir": "."}, "job": {"id": "0", "num": 0}}
RULES = (  # key, the names that it may have, these in words; the first key that fits counts
    # Of these two Hydra itself takes plugins alone, not what else their modules hold.
    (r"hydra\.(launcher|sweeper)\._target_", r"(hydra_plugins|hydra\._internal\.core_plugins)(\.\w+)+",
     "a plugin in hydra_plugins or hydra._internal.core_plugins"),
    (r"hydra\.sweeper\..+\._target_", r"optuna\.(samplers|pruners)\.\w+", "one of optuna.samplers or optuna.pruners"),
    (r"hydra\.callbacks\..+\._target_", r"hydra\.experimental\.callbacks\.\w+", "one of hydra.experimental.callbacks"),
    (r"hydra\.(job|hydra)_logging\.(.+\.)?(\(\)|class)", r"(logging|colorlog)\.\w+|logging\.handlers\.\w*FileHandler",
     "one of logging or colorlog"),
    (r"hydra\.(job|hydra)_logging\..+\.(listener|queue)", r"(?!)", "left out"),
    (r"hydra\.(.+\.)?_target_", r"(?!)", "left out"),
)  # fmt: skip
CHOICE = re.compile(r"\w+([./-]\w+)*")  # a group's file, by a path that leads nowhere else


def check(config: DictConfig) -> None:
    """Raises UserError for a name in `config`, Hydra's own part included, that isn't allowed where it stands."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    started = config.copy()
    OmegaConf.set_readonly(started.hydra, False)
    started.merge_with({"hydra": KNOWN_AT_THE_START})
    for part in HYDRAS_OBJECTS:  # resolved: an interpolation can make a dictionary of a text
        result = started.hydra.get(part)
        if OmegaConf.is_config(result):
            with contextlib.suppress(OmegaConfBaseException):  # what can't be resolved, Hydra makes nothing of
                plain["hydra"][part] = OmegaConf.to_container(result, resolve=True)
    for key, value in _all(plain):
        _check(key, value)


def _check(key: str, value: Any) -> None:
    if re.fullmatch(r"(?!hydra\.)(.+\.)?_target_", key):
        group, _, place = key.partition(".")
        names = targets(group).get(place, set())
        if not isinstance(value, str) or value not in names:
            raise UserError(f"{shown(key)}={shown(value)}: must be {' or '.join(sorted(names)) or 'left out'}")
        return
    for place, names, words in RULES:
        if re.fullmatch(place, key):
            if not isinstance(value, str) or not re.fullmatch(names, value):
                raise UserError(f"{shown(key)}={shown(value)}: must be {words}")
            return
    if isinstance(value, str) and value.startswith("ext://") and value not in ("ext://sys.stdout", "ext://sys.stderr"):
        raise UserError(f"{shown(key)}={shown(value)}: must be ext://sys.stdout or ext://sys.stderr")


@functools.cache
def targets(group: str) -> dict[str, set[str]]:
    """The classes that the files of `group` in conf/ name, by where in a file: `_target_`, `head._target_`."""
    result: dict[str, set[str]] = {}
    for file in (CONF / group).glob("*.yaml"):
        for place, value in _all(OmegaConf.to_container(group_files.with_schema(group, file.stem))):
            if place.rpartition(".")[2] == "_target_":
                result.setdefault(place, set()).add(value)
    return result


def _all(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(key, value) of everything in `node`, at any depth."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in pairs:
        yield f"{prefix}{name}", value
        yield from _all(value, f"{prefix}{name}.")


def overrides_of_run(folder: str, begun: Any) -> list[Override]:
    """What the run in `folder` says that it was asked for, by `begun`, its run.json: settings of a training and no others.

    `run_root` is left out: the folder is given. Raises UserError for anything else.
    """
    prefix = f"resume={folder}: its run.json has"
    words = begun.get("overrides") if isinstance(begun, dict) else None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UserError(f"{prefix} no list of overrides: give the run's settings, and not its folder")
    try:
        overrides = OverridesParser.create().parse_overrides(words)
    except (OverrideParseException, RecursionError):
        raise UserError(f"{prefix} overrides that cannot be parsed: {shown(words)}") from None
    for override in overrides:
        key, choice = override.key_or_group, (override.input_line or "").partition("=")[2]
        is_hydras = key.split(".")[0].split("/")[0] == "hydra" or override.package is not None
        leads_elsewhere = "." not in key and choice and key not in ("run_root", "resume") and not CHOICE.fullmatch(choice)
        if is_hydras or leads_elsewhere:
            raise UserError(f"{prefix} {shown(override.input_line)}, which is not a setting of train")
    return [override for override in overrides if override.key_or_group != "run_root"]
