"""Build networks from model specs: nested dictionaries that name classes of this package and their arguments.

Specs are untrusted input. The type and range of each argument are checked, so that no network of excessive size is built,
and a spec cannot be nested deeper than a network and its parts.
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


def build(spec: Any, *groups: str) -> Any:
    """Return the object that `spec` describes: `_target_` is a component of `groups`, the other keys are its arguments.

    Without `groups`, all groups of networks, their parts and priors are allowed. `_partial_: true`, used for upsamplings and
    heads, returns a factory instead of the object, as in Hydra. Raises UserError for any other class, and for an argument
    that is unknown or out of range.
    """
    if not isinstance(spec, dict):
        raise UserError(f"{shown(spec)} is not a spec: give _target_ and the arguments of that class")
    name, allowed = old_names.current(spec.get("_target_")), registry.of_group(*(groups or (*NETWORKS, *PARTS, "noise")))
    if not isinstance(name, str) or name not in allowed:
        raise UserError(f"_target_: {shown(name)} is none of the classes that a model spec may name ({', '.join(allowed)})")
    component = allowed[name]
    if spec.get("_partial_", False) is not component.is_factory:
        raise UserError(f"{name}: _partial_ must be {str(component.is_factory).lower()}, not {shown(spec.get('_partial_'))}")
    given = {key: value for key, value in spec.items() if key not in ("_target_", "_partial_")}
    arguments = {key: _argument(component, key, value) for key, value in given.items()}
    cls = component.load()
    try:
        inspect.signature(cls).bind_partial(**arguments)
        return functools.partial(cls, **arguments) if component.is_factory else cls(**arguments)
    except TypeError as error:
        raise UserError(f"{name} cannot be built: {error}") from None


def _argument(component: Component, key: str, value: Any) -> Any:
    known: Mapping[str, Setting | Part] = component.arguments
    if key not in known:
        raise UserError(f"{component.target}: {shown(key)} is not one of its arguments ({', '.join(known) or 'it takes none'})")
    declared = known[key]
    if isinstance(declared, Part):
        return build(value, declared.group)
    if type(value) not in (int, declared.kind) or not limits.within(value, declared.bounds):  # a bool is not an int here
        word = "a whole number" if declared.kind is int else "a number"
        raise UserError(f"{key}={shown(value)}: must be {word} {limits.bounds_text(declared.bounds)}")
    return value
