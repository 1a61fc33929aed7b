"""Validate the keys, ranges and choices of a composed config; select the settings that identify a run."""

import dataclasses
import functools
import types
import typing
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf

from cgan_lightning.config import dataset, group_files, suggestions, trust
from cgan_lightning.utils import limits
from cgan_lightning.utils.errors import UserError

_TYPE_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text", list[float]: "numbers"}


def check(config: DictConfig) -> None:
    """Raise UserError for the first key that is unknown, missing or out of its range."""
    for key, value, field in leaves(config):
        if field is None:
            raise UserError(suggestions.unknown_key(key, keys(config)))
        if value == "???":
            raise UserError(f"{key} is missing: give {key}={field.metadata.get('example', '...')}")
        if not is_right(value, field):
            raise UserError(refusal(key, value, field))
        if isinstance(value, dict) and "_target_" in value and (extra := [name for name in value if not name.startswith("_")]):
            raise UserError(suggestions.unknown_key(f"{key}.{extra[0]}", keys(config)))


def check_components(config: DictConfig, groups: Iterable[str], *, removable: Collection[str]) -> None:
    """Raise UserError where the option of a group is no component, or lacks one: `discriminator_label.head=0.5`.

    Those of the `removable` groups can be removed. An option without a component (none) keeps what an experiment= sets.
    """
    plain: Any = OmegaConf.to_container(config, resolve=False)
    for group in (each for each in groups if isinstance(plain.get(each), dict)):  # a missing one is reported as such
        for place in (f"{group}.{key}".removesuffix("._target_") for key in trust.targets(group)):
            value = functools.reduce(lambda section, name: section.get(name, "???"), place.split("."), plain)
            if value == "???" and group in removable:
                continue
            if isinstance(value, dict) and ("_target_" in value or (place == group and not (value and _given_in(group)))):
                continue
            if str(value).startswith("${"):
                continue
            problem = f"{place} is missing" if value == "???" else f"{place}={show(value)} is no component"
            removed = f", or remove it with ~{place}" if group in removable else ""
            raise UserError(f"{problem}: choose one with {group}={' or '.join(group_files.options(group))}{removed}")


def _given_in(group: str) -> bool:
    """Whether the command line has a setting in this group."""
    return any(key.startswith(f"{group}.") for key in given())


def leaves(config: DictConfig, prefix: str = "") -> Iterator[tuple[str, Any, dataclasses.Field | None]]:
    """Yield (key, value, schema field) of every setting, nested ones too; the field is None for a key not in the schema.

    An option without a schema (only a `_target_`) is one value.
    """
    kind = OmegaConf.get_type(config)
    schema = {field.name: field for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}
    for name in dict.fromkeys([*config, *schema]):
        key = f"{prefix}{name}"
        missing = name not in config or OmegaConf.is_missing(config, name)
        value = "???" if missing else config[name]
        if isinstance(value, DictConfig) and _is_section(value):
            yield from leaves(value, f"{key}.")
        else:
            plain = OmegaConf.to_container(value) if isinstance(value, (DictConfig, ListConfig)) else value
            yield key, plain, schema.get(str(name))


def _is_section(config: DictConfig) -> bool:
    """Whether it has a schema, or holds parts that have one."""
    nodes = [config, *(config._get_node(name) for name in config)]
    return any(dataclasses.is_dataclass(OmegaConf.get_type(node)) for node in nodes)


def given() -> dict[str, str]:
    """Return the values of this job's overrides by key; the last one of a key counts."""
    parts = (override.lstrip("+").partition("=") for override in HydraConfig.get().overrides.task)
    return {key: value for key, _, value in parts}


def keys(config: DictConfig) -> list[str]:
    return [key for key, _, field in leaves(config) if field is not None]


def refusal(key: str, value: Any, field: dataclasses.Field) -> str:
    """Return the error message for an invalid value of `key`."""
    written = "true" if value == "True" else "false" if value == "False" else show(value)
    near = suggestions.near_choice(written, field.metadata.get("choices", ()))
    return f"{suggestions.in_short(key)}={written}: must be {requirement(field)}" + (f"; did you mean {near}?" if near else "")


def requirement(field: dataclasses.Field) -> str:
    """Describe what a value must be: "a whole number at least 64 and at most 1024"."""
    kind, optional = type_of(field)
    if choices := field.metadata.get("choices"):
        return " or ".join([*choices, *(["null"] if optional else [])])
    name = field.metadata.get("must_be") or _TYPE_NAMES.get(kind, "one of its group's files")
    if count := field.metadata.get("count"):
        name = f"{count} {name}, each"
    bounds = limits.bounds_text(field.metadata.get("bounds", {}))
    return name + (f" {bounds}" if bounds else "") + (", or null" if optional else "")


def result_settings(config: DictConfig) -> dict[str, Any]:
    """Return the settings that a run's result depends on: no epochs, devices, logging, folders or neutral values.

    The planned length is included if a learning rate decays over a share of it.
    """
    found = list(leaves(config))
    by_share = any(key.endswith(".decay_share") and value is not None for key, value, _ in found)
    length = {"trainer.max_epochs", "trainer.max_steps"} if by_share else set()
    settings = {
        key: {str(name): part for name, part in value.items()} if isinstance(value, dict) else value  # as in JSON
        for key, value, field in found
        if field is not None and (key in length or not field.metadata.get("operational"))
    }
    settings |= _of_data(config)
    later = {key: field.metadata["neutral"] for key, _, field in found if field and "neutral" in field.metadata}
    return {key: value for key, value in settings.items() if key not in later or later[key] != value}


def _of_data(config: DictConfig) -> dict[str, Any]:
    """Return the settings that follow from the data set: the size of its images, and what identifies a user's own data."""
    spec = dataset.spec(config.data)
    own = {} if spec.source is None else {"data.hash": spec.hash}
    return {"data.image_size": spec.with_border(config.data.image_size)} | own


def show(value: Any) -> str:
    """Format a value as in a command line."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def is_right(value: Any, field: dataclasses.Field) -> bool:
    """Return whether a value is one of the field's choices, or within its bounds."""
    if value is None:
        return True  # OmegaConf has already rejected null where it isn't allowed
    if choices := field.metadata.get("choices"):
        return value in choices
    if type_of(field)[0] == list[str]:
        return all(isinstance(item, str) for item in value)
    if type_of(field)[0] is str:
        return value not in ("True", "False")  # OmegaConf converts true and false to these for a string key
    if count := field.metadata.get("count"):
        return len(value) == count and all(limits.within(item, field.metadata["bounds"]) for item in value)
    return limits.within(value, field.metadata.get("bounds", {}))


def type_of(field: dataclasses.Field) -> tuple[Any, bool]:
    """Return the field's type without None, and whether None is allowed."""
    options = typing.get_args(field.type) if isinstance(field.type, types.UnionType) else (field.type,)
    return next(option for option in options if option is not type(None)), type(None) in options
