"""The options that plugins add: those that `plugins=` names on a command line, never a file (see cgan_lightning/plugins.py)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from cgan_lightning import plugins
from cgan_lightning.config import components, data_schema, group_files, schema, trust
from cgan_lightning.config.command_line import parse
from cgan_lightning.config.group_files import Option
from cgan_lightning.registry import Component
from cgan_lightning.utils.errors import UserError, shown

NETWORKS = ("generator", "discriminator")
UNCONDITIONAL = {"_target_": "cgan_lightning.models.conditioning.Unconditional"}
_added: set[str] = set()  # the plugins whose classes are options


def use(overrides: Sequence[Override], config_dir: str | None = None) -> None:
    """Load the plugins that `overrides`, from a command line, name; their classes become options of their groups.

    An option that has a file in `config_dir`, or in another folder that Hydra searches, is left to that file.
    """
    given = {override.key_or_group: override for override in overrides}
    last, searched = given.get("plugins"), given.get("hydra.searchpath")
    if last is None or last.is_delete():
        return
    searchpath = searched.value() if searched else []
    folders = [str(path).removeprefix("file://") for path in (searchpath if isinstance(searchpath, list) else [])]
    folders += [config_dir] if config_dir else []
    for name in dict.fromkeys(_names(last)):
        if name in _added:
            continue
        added = plugins.load(name)
        try:
            _add(added, folders)
        except UserError:
            plugins.unload(name)
            raise
        _added.add(name)


def _names(override: Override) -> list[str]:
    """Return the modules that the override names; other types than a list of texts are left to the schema's check."""
    if override.is_sweep_override():
        raise UserError(f"{override.input_line}: all jobs of a sweep have the same plugins: write a list, as in plugins=[a,b]")
    value = override.value()
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return [str(name) for name in value]
    if isinstance(value, str):
        raise UserError(f"plugins={value}: must be a list of modules: plugins=[{value}]")
    return []


def _add(added: Sequence[Component], folders: Sequence[str]) -> None:
    """Make the components of a plugin options: their schema nodes, and what their files in conf/ would have."""
    schema.register()
    options = {(group, name): option for group, name, option in [*_options(added), *_pairs(added)]}
    for group, name in options:
        if name in group_files.options(group):
            raise UserError(f"{group}={name} exists already: register the plugin's class by another name")
    store = ConfigStore.instance()
    for each in added:
        name = f"{each.group}_{each.name}"
        schema.NODES[name] = components.node(each)
        store.store(name=f"base_{name}", node=schema.NODES[name])
    group_files.OF_PLUGINS.update(options)
    for (group, name), option in options.items():
        if not any((Path(folder) / group / f"{name}.yaml").is_file() for folder in folders):
            store.store(group=group, name=name, node=option.content)
    data_schema.DATASETS += [name for group, name in options if group == "data"]
    trust.targets.cache_clear()


def _options(added: Sequence[Component]) -> Iterator[tuple[str, str, Option]]:
    """Yield the group, the name and the option of each component that is not a network."""
    for each in added:
        base, values = f"/base_{each.group}_{each.name}", _values(each)
        content = {"defaults": [f"{base}@_here_"], **values}
        groups = [each.group]
        if each.group in ("callbacks", "logger"):
            content = {"defaults": [f"{base}@{each.name}"], each.name: values}
        elif each.group == "data":
            content = {"defaults": [f"{base}@settings"], "dataset": each.name, "settings": values}
        elif each.group == "conditioning":
            plane = values | ({"width": 1} if "width" in values else {})  # a label plane, unless another width is given
            encoders = [f"{base}@{network}" for network in NETWORKS]
            content = {"defaults": ["/base_conditioning@_here_", *encoders], "generator": values, "discriminator": plane}
        elif each.group == "head":
            content = {"defaults": ["/base_discriminator_label@_here_", f"{base}@head"], "head": values}
            content["conditioning"] = UNCONDITIONAL  # the head takes the label
            groups = ["discriminator_label"]
        elif each.group == "normalization":
            groups = [f"{network}_normalization" for network in NETWORKS]
        if each.group not in NETWORKS:
            yield from ((group, each.name, Option(_about(each), content)) for group in groups)


def _pairs(added: Sequence[Component]) -> Iterator[tuple[str, str, Option]]:
    """Yield an option of `model=` for each name of a network; the documented network takes the place of a missing one."""
    found = {(each.group, each.name): each for each in added if each.group in NETWORKS}
    documented = group_files.plain("model", "documented")
    for name in dict.fromkeys(name for _, name in found):
        content: dict[str, Any] = {"defaults": ["/base_model@_here_"]}
        content |= {key: documented[key] for key in ("channels", "stages")}
        for network in NETWORKS:
            of = name if (network, name) in found else "documented"
            content["defaults"].append(f"/base_{network}_{of}@{network}")
            content[network] = _values(found[network, name]) if of == name else documented.get(network, {})
        about = next(_about(each) for (_, of), each in found.items() if of == name)
        yield "model", name, Option(about, content)


def _values(component: Component) -> dict[str, Any]:
    """Return the constructor's defaults; a setting without one must be given."""
    return {name: each.default for name, each in component.settings.items() if each.default is not None}


def _about(component: Component) -> str:
    return " ".join(component.about.split()) or f"{component.target}, from a plugin."


def refuse_those_of_a_file(whose: str, overrides: Sequence[Override]) -> None:
    """Raise UserError if one of `overrides`, those of the run `whose`, names a plugin."""
    for override in overrides:
        if override.key_or_group == "plugins" and (names := _names(override)):
            raise UserError(f"{whose}: this run uses a plugin: {plugins.advice(names)}")


def check(config: DictConfig) -> None:
    """Raise UserError if `config`, or an override in Hydra's part, names a plugin that the command line does not."""
    named = list(config.plugins) if "plugins" in config else []
    for override in parse([each for each in HydraConfig.get().overrides.task if "plugins" in each]):
        named += _names(override) if override.key_or_group == "plugins" and not override.is_delete() else []
    if unknown := plugins.missing(map(str, named)):
        raise UserError(f"plugins=[{shown(unknown[0])}] is in a file, and only the command line can name a plugin: "
                        f"remove it there and {plugins.advice(unknown)}")  # fmt: skip
