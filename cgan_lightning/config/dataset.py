"""The data set that a config names."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cgan_lightning.data import sets, user_files
from cgan_lightning.data.spec import DatasetSpec, UserFiles
from cgan_lightning.utils.errors import UserError

OWN = ("images", "labels", "test_images", "test_labels", "class_names")  # keys of data=files


def spec(data: DictConfig) -> DatasetSpec:
    """Return the data set of a config's section `data`. Raises UserError, after reading the user's files for data=files."""
    plain: Any = OmegaConf.to_container(data, resolve=True)
    given = {key: plain[key] for key in OWN if plain[key] is not None}
    if plain["dataset"] != sets.FILES:
        if given:
            raise UserError(f"data.{next(iter(given))}={next(iter(given.values()))}: only data=files has files of your own")
        return sets.named(plain["dataset"])
    if "images" not in given:
        raise UserError("data=files needs data.images=FILE.npz, or data.images=FILE and data.labels=FILE of two IDX files")
    root, names = Path(plain["root"] or "").expanduser(), given.pop("class_names", None)
    return user_files.described(UserFiles(**{key: root / Path(name).expanduser() for key, name in given.items()}), names)
