"""Convert the config's class names and per-class limits to class indices."""

from collections.abc import Sequence
from typing import Any

from cgan_lightning.sampling.class_names import index, resolve
from cgan_lightning.utils.errors import UserError, shown


def classes(wanted: Any, names: Sequence[str]) -> list[int]:
    """Return the class indices of `data.classes` (names or numbers) in the order of the data set's `names`."""
    return sorted(set(resolve(wanted, names, key="data.classes")))


def limits(wanted: Any, among: list[int], names: Sequence[str]) -> dict[int, int]:
    """Return `data.per_class_limit` as the maximum number of images by class index, for classes in `among`."""
    if wanted is None:
        return {}
    prefix, result = f"data.per_class_limit={shown(wanted)}", dict[int, int]()
    given: dict[Any, Any] = wanted if isinstance(wanted, dict) else dict.fromkeys(among, wanted)
    if not all(type(most) is int and most >= 1 for most in given.values()):
        raise UserError(f"{prefix}: must be a whole number at least 1, or a mapping of classes as {{Ankle boot: 100}}, or null")
    for name, most in given.items():
        number = index(name, names, key="data.per_class_limit")
        if number in result or number not in among:
            problem = "is given twice" if number in result else "is not in data.classes"
            raise UserError(f"{prefix}: {names[number]} {problem}")
        result[number] = most
    return result
