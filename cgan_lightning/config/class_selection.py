"""Which classes a training has and how many images of each, as a config names them: in numbers."""

from typing import Any

from cgan_lightning.data.facts import CLASS_NAMES
from cgan_lightning.sampling.class_names import index, resolve
from cgan_lightning.utils.errors import UserError, shown


def classes(wanted: Any) -> list[int]:
    """`data.classes`, by name or number, in Fashion-MNIST's order."""
    return sorted(set(resolve(wanted, CLASS_NAMES, key="data.classes")))


def limits(wanted: Any, among: list[int]) -> dict[int, int]:
    """`data.per_class_limit`: of which classes, `among` the training's, there are no more than how many images."""
    if wanted is None:
        return {}
    prefix, result = f"data.per_class_limit={shown(wanted)}", dict[int, int]()
    given: dict[Any, Any] = wanted if isinstance(wanted, dict) else dict.fromkeys(among, wanted)
    if not all(type(most) is int and most >= 1 for most in given.values()):
        raise UserError(f"{prefix}: must be a whole number at least 1, or one for some classes as {{Ankle boot: 100}}, or null")
    for name, most in given.items():
        number = index(name, CLASS_NAMES, key="data.per_class_limit")
        if number in result or number not in among:
            problem = "is there twice" if number in result else "is none of data.classes"
            raise UserError(f"{prefix}: {CLASS_NAMES[number]} {problem}")
        result[number] = most
    return result
