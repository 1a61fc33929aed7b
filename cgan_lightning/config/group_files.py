"""What the files of conf/'s groups begin with: parts of the schema, each at its place in the group."""

import functools
import re
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cgan_lightning.config import schema
from cgan_lightning.config.paths import CONF

BASE = re.compile(r"/base_(\w+)@(\w+)")


@functools.cache
def bases(group: str, option: str) -> dict[str, type]:
    """By place ("" for the group itself), those of the file and of others of its group that its `defaults` name."""
    result = dict[str, type]()
    for name in _plain(group, option).get("defaults", []):
        if base := BASE.fullmatch(str(name)):
            result["" if base[2] == "_here_" else base[2]] = schema.NODES[base[1]]
        elif isinstance(name, str) and name != "_self_":
            result |= bases(group, name)
    return result


def with_schema(group: str, option: str) -> DictConfig:
    """A file as it is composed when nothing else is said, at its group's place."""
    config = OmegaConf.create({group: {}})
    for place, node in bases(group, option).items():
        OmegaConf.update(config, f"{group}.{place}".rstrip("."), OmegaConf.structured(node), force_add=True)
    values = {key: value for key, value in _plain(group, option).items() if key != "defaults"}
    config.merge_with({group: values})
    return config[group]


def _plain(group: str, option: str) -> dict[str, Any]:
    file = CONF / group / f"{option}.yaml"
    return OmegaConf.to_container(OmegaConf.load(file)) if file.is_file() else {}  # pyright: ignore[reportReturnType]
