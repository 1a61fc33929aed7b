"""Fields of the schema: a key's description, its range, its choices, and whether a run's result depends on it.

checks.py applies ranges and choices; --help prints descriptions, which are phrases without a full stop. OPERATIONAL marks keys
that set how, where or how long a run is trained and not what it computes; they are not part of a run's hash.
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
    """Declare a field; `must_be` describes valid values more precisely than the type: "a folder" for a string."""
    return field(default=MISSING, metadata={"about": about, **marks})


def settings(about: str) -> Any:
    """Declare the settings of what a plugin may add; None without it."""
    return field(default=None, metadata={"about": about, "must_be": "null", **neutral(None)})


def seed(about: str) -> Any:
    return number(about, at_least=0, below=2**32)


def weights() -> Any:
    return one_of("ema: EMA weights; raw: weights after the last update", "ema", "raw")


def device() -> Any:
    return one_of("auto: a GPU if there is one", "auto", "cpu", "gpu")


OPERATIONAL: dict[str, Any] = {"operational": True}


def neutral(value: Any) -> dict[str, Any]:
    """Mark a key added in a later version: with this value, the run and its hash are as before the key existed."""
    return {"neutral": value}


def plugins() -> Any:
    about = "your own modules with components or metrics, as in [my_lab.parts]; given on the command line only"
    return anything(about, must_be="a list of modules", **OPERATIONAL)


def of_one(*kinds: str, example: str = "RUN_FOLDER") -> dict[str, Any]:
    """Mark a key that names one folder of `kinds` ("run", "sweep"); a folder of several is rejected with a list."""
    return {"folder_of": kinds, "example": example}
