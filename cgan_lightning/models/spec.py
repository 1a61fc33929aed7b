"""Networks rebuilt from plain data: nested dictionaries that name our own classes and their arguments, nothing else.

A recipe may come from anyone. Each argument has its kind and its range, so that nothing is built that is out of all
proportion, and a recipe can be no deeper than a network and its parts.
"""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from cgan_lightning import registry
from cgan_lightning.registry import Component, Part, Setting
from cgan_lightning.utils import limits, old_names
from cgan_lightning.utils.errors import UserError, shown

NETWORKS = ("generator", "discriminator")
PARTS = ("conditioning", "upsampling", "head", "normalization")


def build(recipe: Any, *groups: str) -> Any:
    """The object that `recipe` describes: `_target_` is a component of `groups`, the other keys are its arguments.

    Without `groups`: of any that networks and priors are made of. `_partial_: true`, which upsamplings and heads have, gives a
    factory in place of the object, as in Hydra. Raises UserError for another class, and for an argument that it doesn't take or
    that is out of its range.
    """
    if not isinstance(recipe, dict):
        raise UserError(f"{shown(recipe)} is no recipe: give _target_ and the arguments of that class")
    name, allowed = old_names.current(recipe.get("_target_")), registry.of_group(*(groups or (*NETWORKS, *PARTS, "noise")))
    if not isinstance(name, str) or name not in allowed:
        raise UserError(f"_target_: {shown(name)} is none of the classes that a recipe may name ({', '.join(allowed)})")
    component = allowed[name]
    if recipe.get("_partial_", False) is not component.is_factory:
        raise UserError(f"{name}: _partial_ must be {str(component.is_factory).lower()}, not {shown(recipe.get('_partial_'))}")
    given = {key: value for key, value in recipe.items() if key not in ("_target_", "_partial_")}
    arguments = {key: _argument(component, key, value) for key, value in given.items()}
    cls = component.load()
    try:
        inspect.signature(cls).bind_partial(**arguments)
        return functools.partial(cls, **arguments) if component.is_factory else cls(**arguments)
    except TypeError as error:
        raise UserError(f"{name} can't be built: {error}") from None


def _argument(component: Component, key: str, value: Any) -> Any:
    known: Mapping[str, Setting | Part] = component.arguments
    if key not in known:
        raise UserError(f"{component.target}: {shown(key)} is none of its arguments ({', '.join(known) or 'it takes none'})")
    declared = known[key]
    if isinstance(declared, Part):
        return build(value, declared.group)
    if type(value) not in (int, declared.kind) or not limits.within(value, declared.bounds):  # true is no 1
        word = "a whole number" if declared.kind is int else "a number"
        raise UserError(f"{key}={shown(value)}: must be {word} {limits.bounds_text(declared.bounds)}")
    return value
