"""Fields of the schema: a key's range, its choices, and whether a run's result depends on it.

Ranges and choices are applied by checks.py. OPERATIONAL marks what says how, where or how long a run goes and not what it
computes: that is no part of a run's name.
"""

from dataclasses import field
from typing import Any

from omegaconf import MISSING


def number(
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    **marks: Any,
) -> Any:
    bounds = {"at_least": at_least, "above": above, "at_most": at_most, "below": below}
    return field(default=MISSING, metadata={"bounds": {k: v for k, v in bounds.items() if v is not None}, **marks})


def one_of(*choices: str, **marks: Any) -> Any:
    return field(default=MISSING, metadata={"choices": choices, **marks})


def anything(**marks: Any) -> Any:
    return field(default=MISSING, metadata=marks)


OPERATIONAL: dict[str, Any] = {"operational": True}


def as_before(value: Any) -> dict[str, Any]:
    """Marks a key that came later: with this value a run is what it was before, and has the name that it had then."""
    return {"as_before": value}
