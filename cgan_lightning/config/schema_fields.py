"""Fields of the schema: what a key is for, its range, its choices, and whether a run's result depends on it.

Ranges and choices are applied by checks.py, descriptions are what --help prints: phrases that go on from the key, without a
full stop. OPERATIONAL marks what says how, where or how long a run goes and not what it computes: that is no part of a run's
name.
"""

from dataclasses import field
from typing import Any

from omegaconf import MISSING


def number(
    about: str,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    **marks: Any,
) -> Any:
    bounds = {"at_least": at_least, "above": above, "at_most": at_most, "below": below}
    return anything(about, bounds={k: v for k, v in bounds.items() if v is not None}, **marks)


def one_of(about: str, *choices: str, **marks: Any) -> Any:
    return anything(about, choices=choices, **marks)


def anything(about: str, **marks: Any) -> Any:
    """`must_be` says what its type does not: "a folder" of a text, "a class or a list of classes" of a field of any type."""
    return field(default=MISSING, metadata={"about": about, **marks})


def seed(about: str) -> Any:
    return number(about, at_least=0, below=2**32)


def weights() -> Any:
    return one_of("ema: the moving average; raw: the last update's", "ema", "raw")


def device() -> Any:
    return one_of("auto: a GPU where there is one", "auto", "cpu", "gpu")


OPERATIONAL: dict[str, Any] = {"operational": True}


def neutral(value: Any) -> dict[str, Any]:
    """Marks a key that came later: with this value a run is what it was before, and has the name that it had then."""
    return {"neutral": value}


def of_one(*kinds: str, example: str = "RUN_FOLDER") -> dict[str, Any]:
    """Marks a key that names one folder of `kinds` ("run", "sweep"): one that holds several of them is answered with these."""
    return {"folder_of": kinds, "example": example}
