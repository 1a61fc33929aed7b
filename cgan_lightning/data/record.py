"""What a generator file says about the data set that its generator was trained on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.utils import limits
from cgan_lightning.utils.errors import UserError, shown

UNKNOWN = replace(FASHION_MNIST, name="unknown", title="an unknown data set", hash="0" * 16)


@dataclass(frozen=True)
class DataRecord:
    """As in `DatasetSpec`; `classes` are the generator's classes as class indices of the data set."""

    name: str
    title: str
    hash: str
    image_size: int
    channels: int
    classes: tuple[int, ...]
    settings: dict[str, Any] | None = field(default=None, compare=False)  # of a plugin's data set: its class and settings


def read(given: Any, class_names: Sequence[str]) -> DataRecord:
    """Return the record that a model spec has under `dataset`; without one, the file is of a version with Fashion-MNIST only.

    Raises UserError for anything that `DatasetSpec.record` does not write.
    """
    if given is None:
        names, spec = FASHION_MNIST.class_names, FASHION_MNIST
        if not {*class_names} <= {*names}:
            spec, names = UNKNOWN, tuple(class_names)
        given = spec.record([names.index(name) for name in class_names])
    kinds = {"name": str, "title": str, "hash": str, "image_size": int, "channels": int, "classes": list}
    settings = given.get("settings") if isinstance(given, dict) else None
    if settings is not None:
        kinds["settings"] = dict
    if not isinstance(given, dict) or {key: type(value) for key, value in given.items()} != kinds:
        raise UserError(f"dataset={shown(given)}: must have {', '.join(kinds)}")
    texts, classes = (given["name"], given["title"]), given["classes"]
    if not all(0 < len(text) <= 300 and text.isprintable() for text in texts) or not re.fullmatch(
        "[0-9a-f]{16}", given["hash"]
    ):
        raise UserError(f"dataset={shown(given)}: name and title must be text, hash sixteen hexadecimal digits")
    if not limits.within(given["image_size"], limits.DATA_SIZE) or given["channels"] not in limits.DATA_CHANNELS:
        raise UserError(f"dataset={shown(given)}: image_size and channels are out of range")
    within = all(type(each) is int and 0 <= each < limits.NUM_CLASSES["at_most"] for each in classes)
    if not within or len({*classes}) != len(class_names) or len(classes) != len(class_names):
        raise UserError(f"dataset: classes={shown(classes)} must be one class index for each of {len(class_names)} classes")
    return DataRecord(
        name=given["name"],
        title=given["title"],
        hash=given["hash"],
        image_size=given["image_size"],
        channels=given["channels"],
        classes=tuple(classes),
        settings=settings,
    )
