"""The options of groups: files in conf/ and classes of plugins, and the schema nodes that they name in their defaults."""

import functools
import re
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import schema
from cgan_lightning.config.paths import CONF

BASE = re.compile(r"/base_(\w+)@(\w+)")


@dataclass(frozen=True)
class Option:
    """An option that a plugin adds, with the content that its file would have."""

    about: str
    content: dict[str, Any]


OF_PLUGINS: dict[tuple[str, str], Option] = {}  # by group and option; plugin_options.py adds to it


def options(group: str) -> list[str]:
    """Return the names of a group's options."""
    return sorted({file.stem for file in (CONF / group).glob("*.yaml")} | {name for of, name in OF_PLUGINS if of == group})


@functools.cache
def bases(group: str, option: str) -> dict[str, type]:
    """Return the schema nodes of an option by their key in the group ("" for the group itself), inherited ones too."""
    result = dict[str, type]()
    for name in plain(group, option).get("defaults", []):
        if base := BASE.fullmatch(str(name)):
            result["" if base[2] == "_here_" else base[2]] = schema.NODES[base[1]]
        elif isinstance(name, str) and name != "_self_":
            result |= bases(group, name)
    return result


def with_schema(group: str, option: str) -> DictConfig:
    """Compose an option's file with its schema, without overrides."""
    config = OmegaConf.create({group: {}})
    for key, node in bases(group, option).items():
        OmegaConf.update(config, f"{group}.{key}".rstrip("."), OmegaConf.structured(node), force_add=True)
    values = {key: value for key, value in plain(group, option).items() if key != "defaults"}
    config.merge_with({group: values})
    return config[group]


def plain(group: str, option: str) -> dict[str, Any]:
    """Return the content of an option, its defaults too."""
    if added := OF_PLUGINS.get((group, option)):
        return added.content
    file = CONF / group / f"{option}.yaml"
    return OmegaConf.to_container(OmegaConf.load(file)) if file.is_file() else {}  # pyright: ignore[reportReturnType]
