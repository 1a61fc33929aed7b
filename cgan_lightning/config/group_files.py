"""Find the schema nodes that a group's files in conf/ name in their defaults."""

import functools
import re
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import schema
from cgan_lightning.config.paths import CONF

BASE = re.compile(r"/base_(\w+)@(\w+)")


@functools.cache
def bases(group: str, option: str) -> dict[str, type]:
    """Return the schema nodes of an option by their place in the group ("" for the group itself), inherited ones too."""
    result = dict[str, type]()
    for name in _plain(group, option).get("defaults", []):
        if base := BASE.fullmatch(str(name)):
            result["" if base[2] == "_here_" else base[2]] = schema.NODES[base[1]]
        elif isinstance(name, str) and name != "_self_":
            result |= bases(group, name)
    return result


def with_schema(group: str, option: str) -> DictConfig:
    """Compose an option's file with its schema, without overrides."""
    config = OmegaConf.create({group: {}})
    for place, node in bases(group, option).items():
        OmegaConf.update(config, f"{group}.{place}".rstrip("."), OmegaConf.structured(node), force_add=True)
    values = {key: value for key, value in _plain(group, option).items() if key != "defaults"}
    config.merge_with({group: values})
    return config[group]


def _plain(group: str, option: str) -> dict[str, Any]:
    file = CONF / group / f"{option}.yaml"
    return OmegaConf.to_container(OmegaConf.load(file)) if file.is_file() else {}  # pyright: ignore[reportReturnType]
