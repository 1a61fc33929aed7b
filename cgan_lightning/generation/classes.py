"""Classes as people name them: "dress", "T-shirt/top", "ankleboot", 9."""

import difflib
import re
from collections.abc import Sequence
from typing import Any

from cgan_lightning.errors import UserError


def resolve(classes: Any, names: Sequence[str]) -> list[int]:
    """Indices of `classes`: one or several names (case, spaces and punctuation forgiven) or indices; None: all of them.

    >>> resolve(["ankle boot", 3, "tshirt"], ["T-shirt/top", "Trouser", "Pullover", "Dress", "Ankle boot"])
    [4, 3, 0]

    Raises UserError with all names for one that is unknown or could be several, and for what is neither name nor index.
    """
    if classes is None:
        return list(range(len(names)))
    if isinstance(classes, str | int):
        return [_index(classes, names)]
    if not isinstance(classes, Sequence) or not classes:
        raise UserError(f"classes={classes} names no class: give some of {_listed(names)}, or null for all")
    return [_index(wanted, names) for wanted in classes]


def _index(wanted: Any, names: Sequence[str]) -> int:
    key, known = _key(str(wanted)) if isinstance(wanted, str | int) else "", [_key(name) for name in names]
    if key.isdecimal() and int(key) < len(names) and not str(wanted).strip().startswith("-"):
        return int(key)
    matches = [known.index(key)] if key in known else [i for i, name in enumerate(known) if key and name.startswith(key)]
    if len(matches) != 1:
        near = difflib.get_close_matches(key, known, 1)
        hint = f"did you mean {names[known.index(near[0])]}? The" if near else "the"
        raise UserError(f"classes={wanted}: no such class; {hint} {len(names)} are {_listed(names)}")
    return matches[0]


def _key(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{index} {name}" for index, name in enumerate(names))
