"""Parse classes given by name or index ("dress", "T-shirt/top", "ankleboot", 9), and mixtures of them."""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cgan_lightning.utils.errors import UserError, shown


@dataclass
class Label:
    """A class or a mixture of several, as a weight for each class."""

    title: str
    weights: list[float]

    @property
    def main(self) -> int:
        """The class with the largest weight."""
        return self.weights.index(max(self.weights))

    @property
    def is_mixture(self) -> bool:
        return max(self.weights) != 1


def labels(classes: Any, names: Sequence[str]) -> list[Label]:
    """Return the labels of `classes`, as in `resolve`; a class can also be a mixture such as {Dress: 0.7, Coat: 0.3}.

    Examples:
        >>> [label.title for label in labels(["coat", {"dress": 0.7, "coat": 0.3}], ["Dress", "Coat"])]
        ['Coat', 'Dress 0.7 Coat 0.3']

    Raises UserError as `resolve` does, and for weights that do not add up to 1.
    """
    each = [classes] if isinstance(classes, Mapping) else classes
    if not isinstance(each, Sequence) or isinstance(each, str):
        each = resolve(each, names)
    elif not each:
        resolve(each, names)
    return [_mixture(one, names) if isinstance(one, Mapping) else _pure(resolve([one], names)[0], names) for one in each]


def _pure(index: int, names: Sequence[str]) -> Label:
    return Label(names[index], [float(each == index) for each in range(len(names))])


def _mixture(shares: Mapping[Any, Any], names: Sequence[str]) -> Label:
    weights = [0.0] * len(names)
    for wanted, share in shares.items():
        if not isinstance(share, int | float) or not math.isfinite(share):
            raise UserError(f"classes={shown(dict(shares))}: the weight of {shown(wanted)} must be a number")
        weights[index(wanted, names)] += share
    if not math.isclose(sum(weights), 1, abs_tol=1e-6):
        raise UserError(f"classes={shown(dict(shares))}: its weights add up to {sum(weights):g}, and must add up to 1")
    return Label(" ".join(f"{name} {weight:g}" for name, weight in zip(names, weights, strict=True) if weight), weights)


def resolve(classes: Any, names: Sequence[str], *, key: str = "classes") -> list[int]:
    """Return the indices of `classes`: names (case, spaces and punctuation are ignored) or indices; None: all.

    Examples:
        >>> resolve(["ankle boot", 3, "tshirt"], ["T-shirt/top", "Trouser", "Pullover", "Dress", "Ankle boot"])
        [4, 3, 0]

    Raises UserError, which names the setting `key` and all classes, for a class that is unknown or ambiguous, and for a value
    that is neither name nor index.
    """
    if classes is None:
        return list(range(len(names)))
    if isinstance(classes, str | int):
        return [index(classes, names, key=key)]
    if not isinstance(classes, Sequence) or not classes:
        raise UserError(f"{key}={shown(classes)} names no class: give some of {_listed(names)}, or null for all")
    return [index(wanted, names, key=key) for wanted in classes]


def index(wanted: Any, names: Sequence[str], *, key: str = "classes") -> int:
    """Return the index of one class; see `resolve`."""
    word, known = _word(str(wanted)) if isinstance(wanted, str | int) else "", [_word(name) for name in names]
    if word and word in known:  # also a name that is a number
        return known.index(word)
    if word.isdecimal() and int(word) < len(names) and not str(wanted).strip().startswith("-"):
        return int(word)
    matches = [i for i, name in enumerate(known) if word and name.startswith(word)]
    if len(matches) != 1:
        near = difflib.get_close_matches(word, known, 1)
        count = f"{len(names)} are" if len(names) > 1 else "only one is"
        hint = f"did you mean {names[known.index(near[0])]}? The" if near else "the"
        raise UserError(f"{key}={shown(wanted)}: no such class; {hint} {count} {_listed(names)}")
    return matches[0]


def _word(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{index} {name}" for index, name in enumerate(names))
