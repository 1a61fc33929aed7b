"""The settings that differ between runs, under short names."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cgan_lightning.data.sets import FASHION_MNIST
from cgan_lightning.utils.errors import shown

ASSUMED = {"data.dataset": FASHION_MNIST.name}  # of a run whose settings have no value


class Swept:
    """The settings that differ between runs, by their shortest unambiguous names."""

    def __init__(self, paths: Mapping[str, str]) -> None:
        self.keys = paths  # short name: key of the settings, or config group

    def values_of(self, identity: Mapping[str, Any]) -> dict[str, Any]:
        settings = ASSUMED | identity["settings"]
        result = {name: identity["choices"].get(key, settings.get(key)) for name, key in self.keys.items()}
        return {name: value if isinstance(value, int | float) else _plain(value) for name, value in result.items()}


def swept(identities: Sequence[Mapping[str, Any]]) -> Swept:
    """Return what differs between configs: the options of groups, and values.

    Settings that only differ between named recipes (`experiment`) are represented by the recipe.
    """
    recipes = [str(each["choices"].get("experiment")) for each in identities]

    def differs(values: Sequence[Any]) -> bool:
        """Return whether values differ between runs of the same recipe."""
        return len({*zip(recipes, values, strict=True)}) > len(set(recipes))

    groups = sorted({group for each in identities for group in each["choices"]} - {"experiment"})
    choices = [group for group in groups if differs([each["choices"].get(group) for each in identities])]
    keys = {key for each in identities for key in each["settings"]} - {"seed"}
    own = {key for key in keys if key.split(".")[0] not in choices}
    differing = [key for key in sorted(own) if differs([_plain((ASSUMED | each["settings"]).get(key)) for each in identities])]
    choices += ["experiment"] if len(set(recipes)) > 1 else []
    return Swept({_short(key, [*choices, *differing]): key for key in [*differing, *choices]})


def _short(key: str, keys: Sequence[str]) -> str:
    """Return as many last parts of `key` as distinguish it from the others."""
    parts = key.split(".")
    endings = [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]
    return next(end for end in endings if sum(other == end or other.endswith(f".{end}") for other in keys) <= 1)


def _plain(value: Any) -> str:
    """Return a value as typed on a command line."""
    return json.dumps(value) if isinstance(value, dict | list) else "null" if value is None else shown(str(value))


def short(value: Any) -> str:
    """Return a value with at most six digits, as a search chooses numbers of many.

    >>> short(0.009003436507785857), short(2e-4), short(128), short("randn")
    ('0.00900344', '0.0002', '128', 'randn')
    """
    return f"{value:.6g}" if isinstance(value, float) else str(value)
