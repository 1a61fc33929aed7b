"""What --help prints: every setting with its default, what it is for and what it must be; groups, launchers, sweepers, flags.

Descriptions are the schema's (fields.py), those of choices the first sentence of their files in conf/.
"""

import dataclasses
import functools
import itertools
import re
import shutil
import textwrap
from collections.abc import Iterator
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cgan_lightning.config import checks, group_files, schema, suggestions
from cgan_lightning.config.paths import CONF

WIDTHS = (60, 100)  # at least and at most, whatever the terminal has
INDENT, COLUMN = 2, 30  # of keys, and where descriptions begin
HYDRAS_OWN = {
    ("hydra/launcher", "basic"): "One job after another, in this process.",
    ("hydra/sweeper", "basic"): "Every combination of the values that are given.",
}
FLAGS = {
    "--help": "this page; settings given beside it are shown as they are then",
    "--cfg job": "show the composed settings and stop",
    "--config-dir DIR": "a folder of yours with more files for the groups",
    "--hydra-help": "Hydra's other flags",
    "--version": "ours, and those of what results depend on",
    "--shell-completion": "install=bash prints what bash needs to complete settings: see docs/settings.md",
}
OF_SWEEPS = {
    "-m, --multirun": "a sweep, of every combination of several values: -m model.channels=128,256 seed=0,1",
    "--cfg hydra --package hydra.launcher hydra/launcher=pool": "what a launcher can be told: hydra.launcher.jobs_per_device=3",
}
Setting = tuple[str, Any, dataclasses.Field]  # key, value, the schema's field


def text(config: DictConfig, command: str) -> str:
    """Of a command whose config, unchecked, is `config`; as wide as the terminal allows."""
    trains, about = command == "train", schema.NODES[command].__doc__
    lines = [f"python -m cgan_lightning.{command} {'[group=choice] ' * trains}[key=value]", "", *_wrapped(about)]
    if trains:
        lines += ["", "Groups: one choice of each, with the settings that it brings"]
        for group in [*(name for name in config if name in _choices()), "experiment", "sweep"]:
            lines += ["", *_group(str(group), config)]
    lines += ["", "Settings: key=default, what it is for, what it must be", ""]
    shown = [setting for setting in _fields(config) if setting[0].partition(".")[0] not in _choices()]
    for _, section in itertools.groupby(shown, lambda setting: "." in setting[0] and setting[0].partition(".")[0]):
        lines += [*(line for setting in section for line in _setting(*setting)), ""]
    if trains:
        lines += ["Sweeps: -m, and where and how their jobs run"]
        for group in ("hydra/launcher", "hydra/sweeper"):
            lines += ["", *_group(group, config)]
        lines.append("")
    lines += ["Flags", ""]
    lines += [line for flag, about in ((OF_SWEEPS if trains else {}) | FLAGS).items() for line in _entry(flag, about)]
    return "\n".join(lines)


def _choices() -> dict[str, Any]:
    return HydraConfig.get().runtime.choices


def _fields(config: DictConfig, prefix: str = "") -> Iterator[Setting]:
    """The settings that are for users: not the classes that choices name, nor what is made of one."""
    for key, value, field in checks.leaves(config, prefix):
        is_object = key.rpartition(".")[2].startswith("_") or (isinstance(value, dict) and "_target_" in value)
        if field is not None and not is_object:
            yield key, value, field


def _group(group: str, config: DictConfig) -> list[str]:
    """A group, its choices, and the settings that they bring, each once."""
    chosen, options = _choices().get(group), _options(group)
    lines = _entry(f"{group}={checks.show(chosen)}", _about(group))
    for option in options:
        words = HYDRAS_OWN.get((group, option)) or suggestions.about(group, option) or "Of another package."
        lines += _entry(option, re.split(r"(?<=[.?]) +(?=[A-Z`])", words)[0], INDENT + 4)
    brought, having = dict[tuple[str, str], Setting](), dict[tuple[str, str], list[str]]()
    for option in filter(functools.partial(group_files.bases, group), options):
        for setting in _fields(config[group] if option == chosen else group_files.with_schema(group, option), f"{group}."):
            meaning = setting[0], _meaning(setting[2])  # a key of two choices may be two things
            if option == chosen or meaning not in brought:
                brought[meaning] = setting
            having.setdefault(meaning, []).append(option)
    for meaning, setting in brought.items():
        owners = having[meaning]
        lines += _setting(*setting, whose="" if len(owners) == len(options) else f"with {', '.join(owners)}: ")
    return lines


def _about(group: str) -> str:
    described = {field.name: field.metadata["about"] for field in dataclasses.fields(schema.Train) if "about" in field.metadata}
    return (described | schema.BESIDE_KEYS)[group]


def _options(group: str) -> list[str]:
    """Those in conf/ and, of Hydra's groups, of the plugins that are there: without submitit's the launcher slurm is not."""
    ours = {file.stem for file in (CONF / group).glob("*.yaml")}
    if not group.startswith("hydra/"):
        return sorted(ours)
    plugins = {name.removesuffix(".yaml") for name in ConfigStore.instance().list(group)}
    return sorted((ours if "submitit_slurm" in plugins else ours - {"slurm"}) | plugins)


def _setting(key: str, value: Any, field: dataclasses.Field, whose: str = "") -> list[str]:
    needed = value == "???"
    default = field.metadata.get("example", "...") if needed else _short(value)
    about = f"{whose}{'needed: ' * needed}{_meaning(field)}"
    return _entry(f"{suggestions.in_short(key)}={default}", about)


def _meaning(field: dataclasses.Field) -> str:
    return f"{field.metadata['about']} ({checks.requirement(field)})"


def _short(value: Any) -> str:
    """
    >>> _short([0.0, 0.99]), _short(1500000.0), _short(1e-05), _short(None)
    ('[0, 0.99]', '1500000', '1e-05', 'null')
    """
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    return str(int(value)) if isinstance(value, float) and value == int(value) else checks.show(value)


def _entry(left: str, right: str, indent: int = INDENT) -> list[str]:
    """`left`, and `right` beside it from a fixed column on; below it where it is too long."""
    lines = _wrapped(right, COLUMN)
    if indent + len(left) > COLUMN - 2:
        return [" " * indent + left, *lines]
    return [f"{' ' * indent}{left}".ljust(COLUMN) + lines[0].lstrip(), *lines[1:]]


def _wrapped(words: str, indent: int = 0) -> list[str]:
    width = min(max(shutil.get_terminal_size().columns, WIDTHS[0]), WIDTHS[1])
    margin = " " * indent
    return textwrap.wrap(words, width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
