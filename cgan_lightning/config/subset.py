"""Which classes a training has and how many images of each, as a config names them: in numbers."""

from typing import Any

from cgan_lightning.data.fashion_mnist import CLASS_NAMES
from cgan_lightning.errors import UserError, shown
from cgan_lightning.generation.classes import index, resolve


def classes(wanted: Any) -> list[int]:
    """`data.classes`, by name or number, in Fashion-MNIST's order."""
    return sorted(set(resolve(wanted, CLASS_NAMES, key="data.classes")))


def limits(wanted: Any, among: list[int]) -> dict[int, int]:
    """`data.per_class_limit`: of which classes `among` the training's there are no more than how many images."""
    given = dict.fromkeys(among, wanted) if isinstance(wanted, int) else wanted or {}
    told = f"data.per_class_limit={shown(wanted)}"
    if not isinstance(given, dict):
        raise UserError(f"{told}: must be a whole number at least 1, or some for classes as {{Ankle boot: 100}}, or null")
    found: dict[int, int] = {}
    for name, most in given.items():
        number = index(name, CLASS_NAMES, key="data.per_class_limit")
        if number in found:
            raise UserError(f"{told}: {CLASS_NAMES[number]} is there twice")
        if number not in among:
            raise UserError(f"{told}: {CLASS_NAMES[number]} is none of data.classes")
        if type(most) is not int or most < 1:
            raise UserError(f"{told}: {CLASS_NAMES[number]} must have a whole number at least 1")
        found[number] = most
    return found
