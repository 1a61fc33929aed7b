"""Restrict which code config files may name: a config folder or someone else's run is untrusted data.

Hydra instantiates whatever `_target_` names, and logging its `class` and `()`; a name can reach a module's imports
(`a_module.os.system`). So each key has an allow-list of names.
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
from cgan_lightning.utils.errors import UserError, shown

HYDRAS_OBJECTS = ("launcher", "sweeper", "callbacks", "job_logging", "hydra_logging")  # the sections that Hydra instantiates
KNOWN_AT_THE_START = {"runtime": {"output_dir": "."}, "job": {"id": "0", "num": 0}}
RULES = (  # key pattern, allowed names, their description; the first matching key counts
    # For these two, Hydra itself accepts only plugin classes, nothing else in their modules.
    (r"hydra\.(launcher|sweeper)\._target_", r"(hydra_plugins|hydra\._internal\.core_plugins)(\.\w+)+",
     "a plugin in hydra_plugins or hydra._internal.core_plugins"),
    (r"hydra\.callbacks\..+\._target_", r"hydra\.experimental\.callbacks\.\w+", "one of hydra.experimental.callbacks"),
    (r"hydra\.(job|hydra)_logging\.(.+\.)?(\(\)|class)", r"(logging|colorlog)\.\w+|logging\.handlers\.\w*FileHandler",
     "one of logging or colorlog"),
    (r"hydra\.(job|hydra)_logging\..+\.(listener|queue)", r"(?!)", "left out"),
    (r"hydra\.(.+\.)?_target_", r"(?!)", "left out"),
)  # fmt: skip
NAME = r"\w+([./-]\w+)*"
CHOICE = re.compile(rf"{NAME}|\[({NAME}(, ?{NAME})*)?\]")  # paths to a group's files that cannot leave conf/


def check(config: DictConfig) -> None:
    """Raise UserError for a class name in `config`, including Hydra's section, that is not allowed for its key."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    started = config.copy()
    OmegaConf.set_readonly(started.hydra, False)
    started.merge_with({"hydra": KNOWN_AT_THE_START})
    for part in HYDRAS_OBJECTS:  # resolved, because an interpolation can turn a string into a dictionary
        result = started.hydra.get(part)
        if OmegaConf.is_config(result):
            with contextlib.suppress(OmegaConfBaseException):  # Hydra cannot instantiate what cannot be resolved
                plain["hydra"][part] = OmegaConf.to_container(result, resolve=True)
    for key, value in _all(plain):
        _check(key, value)


def _check(key: str, value: Any) -> None:
    if re.fullmatch(r"(?!hydra\.)(.+\.)?_target_", key):
        group, _, of_option = key.partition(".")
        names = targets(group).get(of_option, set())
        if not isinstance(value, str) or value not in names:
            raise UserError(f"{shown(key)}={shown(value)}: must be {' or '.join(sorted(names)) or 'left out'}")
        return
    for pattern, names, words in RULES:
        if re.fullmatch(pattern, key):
            if not isinstance(value, str) or not re.fullmatch(names, value):
                raise UserError(f"{shown(key)}={shown(value)}: must be {words}")
            return
    if isinstance(value, str) and value.startswith("ext://") and value not in ("ext://sys.stdout", "ext://sys.stderr"):
        raise UserError(f"{shown(key)}={shown(value)}: must be ext://sys.stdout or ext://sys.stderr")


@functools.cache
def targets(group: str) -> dict[str, set[str]]:
    """Return the class names in the options of `group`, by key: `_target_`, `head._target_`."""
    result: dict[str, set[str]] = {}
    for option in group_files.options(group):
        for key, value in _all(OmegaConf.to_container(group_files.with_schema(group, option))):
            if key.rpartition(".")[2] == "_target_":
                result.setdefault(key, set()).add(value)
    return result


def _all(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (key, value) of everything in `node`, at any depth."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in pairs:
        yield f"{prefix}{name}", value
        yield from _all(value, f"{prefix}{name}.")


def overrides_of_run(folder: str, begun: Any) -> list[Override]:
    """Return the overrides in `begun`, the run.json of the run in `folder`, without `run_root`.

    Raises UserError for anything but settings of train.
    """
    prefix = f"resume={folder}: its run.json has"
    words = begun.get("overrides") if isinstance(begun, dict) else None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UserError(f"{prefix} no list of overrides: give the run's settings instead of its folder")
    try:
        overrides = OverridesParser.create().parse_overrides(words)
    except (OverrideParseException, RecursionError):
        raise UserError(f"{prefix} overrides that cannot be parsed: {shown(words)}") from None
    for override in overrides:
        key, choice = override.key_or_group, (override.input_line or "").partition("=")[2]
        is_hydra_key = key.split(".")[0].split("/")[0] == "hydra" or override.package is not None
        leads_elsewhere = "." not in key and choice and key not in ("run_root", "resume") and not CHOICE.fullmatch(choice)
        if is_hydra_key or leads_elsewhere:
            raise UserError(f"{prefix} {shown(override.input_line)}, which is not a setting of train")
    return [override for override in overrides if override.key_or_group != "run_root"]
