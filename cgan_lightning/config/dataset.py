"""The data set that a config names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cgan_lightning import registry
from cgan_lightning.data import sets, user_files
from cgan_lightning.data.spec import DatasetSpec, PluginData, UserFiles
from cgan_lightning.models.spec import build
from cgan_lightning.utils.errors import UserError, shown

OWN = ("images", "labels", "test_images", "test_labels", "class_names")  # keys of data=files


def spec(data: DictConfig) -> DatasetSpec:
    """Return the data set of a config's section `data`. Raises UserError, after reading the user's files for data=files."""
    plain: Any = OmegaConf.to_container(data, resolve=True)
    given = {key: plain[key] for key in OWN if plain[key] is not None}
    settings = plain.get("settings")
    if plain["dataset"] != sets.FILES or settings is not None:
        if given:
            raise UserError(f"data.{next(iter(given))}={next(iter(given.values()))}: only data=files has files of your own")
        return sets.named(plain["dataset"]) if settings is None else of_plugin(settings, plain)
    if "images" not in given:
        raise UserError("data=files needs data.images=FILE.npz, or data.images=FILE and data.labels=FILE of two IDX files")
    root, names = Path(plain["root"] or "").expanduser(), given.pop("class_names", None)
    return user_files.described(UserFiles(**{key: root / Path(name).expanduser() for key, name in given.items()}), names)


def of_plugin(settings: Any, data: Mapping[str, Any]) -> DatasetSpec:
    """Return the plugin's data set that `settings` describes; the section `data` may name it and its folder.

    Raises UserError for settings of anything else, or if `data` names another data set.
    """
    if not isinstance(settings, Mapping):
        raise UserError(f"data.settings={shown(settings)}: it belongs to a data set of a plugin; leave it out")
    built = build(settings, "data")
    name = registry.components()[settings["_target_"]].name
    if data["dataset"] not in (name, None):
        raise UserError(f"data.dataset={shown(data['dataset'])}: its settings are those of {name}; take data={name}")
    root = Path(data["root"]).expanduser() if data["root"] else None
    return user_files.described(PluginData(name, tuple(settings.items()), root, built), built.class_names)
