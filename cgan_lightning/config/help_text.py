"""The text of --help: every setting with its default, description and range; groups, launchers, sweepers and flags.

Descriptions of settings are in the schema; that of an option is the first sentence of its file in conf/.
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

WIDTHS = (60, 100)  # minimum and maximum, whatever the terminal's width
INDENT, COLUMN = 2, 30  # of keys; the column where descriptions begin
HYDRAS_OWN = {
    ("hydra/launcher", "basic"): "Run jobs one after another in this process.",
    ("hydra/sweeper", "basic"): "Run every combination of the given values.",
}
FLAGS = {
    "--help": "show this help, with the values of any settings given",
    "--cfg job": "print the composed config and exit",
    "--config-dir DIR": "a folder with additional options for the groups",
    "--hydra-help": "show Hydra's other flags",
    "--version": "print the versions of this package, Python, PyTorch and Hydra",
    "--shell-completion": "install=bash prints the script for completion in bash: see docs/settings.md",
}
OF_SWEEPS = {
    "-m, --multirun": "run a sweep over all combinations of values: -m model.channels=128,256 seed=0,1",
    "--cfg hydra --package hydra.launcher hydra/launcher=pool": "show a launcher's settings: hydra.launcher.jobs_per_device=3",
}
Setting = tuple[str, Any, dataclasses.Field]  # key, value, the schema's field


def text(config: DictConfig, command: str) -> str:
    """Return the help text of a command with the (unchecked) config `config`, wrapped to the terminal's width."""
    trains, about = command == "train", schema.NODES[command].__doc__
    lines = [f"python -m cgan_lightning.{command} {'[group=choice] ' * trains}[key=value]", "", *_wrapped(about)]
    if trains:
        lines += ["", "Groups: choose one option of each; its settings are below"]
        for group in [*(name for name in config if name in _choices()), "experiment", "sweep"]:
            lines += ["", *_group(str(group), config)]
    lines += ["", "Settings: key=default, description (allowed values)", ""]
    listed = {*_choices()} - {*schema.BESIDE_KEYS}
    shown = [setting for setting in _fields(config) if setting[0].partition(".")[0] not in listed]
    for _, section in itertools.groupby(shown, lambda setting: "." in setting[0] and setting[0].partition(".")[0]):
        lines += [*(line for setting in section for line in _setting(*setting)), ""]
    if trains:
        lines += ["Sweeps: -m, and how their jobs are chosen and run"]
        for group in ("hydra/launcher", "hydra/sweeper"):
            lines += ["", *_group(group, config)]
        lines.append("")
    lines += ["Flags", ""]
    lines += [line for flag, about in ((OF_SWEEPS if trains else {}) | FLAGS).items() for line in _entry(flag, about)]
    return "\n".join(lines)


def _choices() -> dict[str, Any]:
    """Return the chosen option of each group, or the list of options given; Hydra's own record lacks lists."""
    given = checks.given().items()
    return dict(HydraConfig.get().runtime.choices) | {key: value for key, value in given if group_files.options(key)}


def _fields(config: DictConfig, prefix: str = "") -> Iterator[Setting]:
    """Yield the settings that users set, without `_target_` and similar keys and whole components."""
    for key, value, field in checks.leaves(config, prefix):
        is_object = key.rpartition(".")[2].startswith("_") or (isinstance(value, dict) and "_target_" in value)
        if field is not None and not is_object:
            yield key, value, field


def _group(group: str, config: DictConfig) -> list[str]:
    """List a group, its options and their settings, each setting once."""
    chosen, options = _choices().get(group), _options(group)
    lines = _entry(f"{group}={checks.show(chosen)}", _about(group))
    for option in options:
        words = HYDRAS_OWN.get((group, option)) or suggestions.about(group, option) or "From another package."
        lines += _entry(option, re.split(r"(?<=[.?]) +(?=[A-Z`])", words)[0], INDENT + 4)
    is_ours = not group.startswith("hydra/")
    brought, having = dict[tuple[str, str], Setting](), dict[tuple[str, str], list[str]]()
    whole = chosen if is_ours and group in schema.BESIDE_KEYS else None  # the keys of the one chosen are among the settings
    part: Any = config if is_ours else HydraConfig.get()
    for option in filter(functools.partial(group_files.bases, group), options):
        if option == whole:
            continue
        values = part[group.removeprefix("hydra/")] if option == chosen else group_files.with_schema(group, option)
        for setting in _fields(values, f"{group.replace('/', '.')}."):
            meaning = setting[0], _meaning(setting[2])  # one key may mean different things in two options
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
    """Return the options in conf/ and of Hydra's installed plugins; slurm only if submitit's plugin is installed."""
    own = {*group_files.options(group)}
    if not group.startswith("hydra/"):
        return sorted(own)
    plugins = {name.removesuffix(".yaml") for name in ConfigStore.instance().list(group)}
    return sorted((own if "submitit_slurm" in plugins else own - {"slurm"}) | plugins)


def _setting(key: str, value: Any, field: dataclasses.Field, whose: str = "") -> list[str]:
    required = value == "???"
    default = field.metadata.get("example", "...") if required else _short(value)
    about = f"{whose}{'required: ' * required}{_meaning(field)}"
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
    """Format `left` with `right` in the second column, or below it if `left` is too long."""
    lines = _wrapped(right, COLUMN)
    if indent + len(left) > COLUMN - 2:
        return [" " * indent + left, *lines]
    return [f"{' ' * indent}{left}".ljust(COLUMN) + lines[0].lstrip(), *lines[1:]]


def _wrapped(words: str, indent: int = 0) -> list[str]:
    width = min(max(shutil.get_terminal_size().columns, WIDTHS[0]), WIDTHS[1])
    margin = " " * indent
    return textwrap.wrap(words, width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
