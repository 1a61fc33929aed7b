"""What a key may be and what it may not, from the schema: for tests that try every key."""

import dataclasses
from collections.abc import Iterator

from cgan_lightning.config import checks
from cgan_lightning.config.compose import compose
from cgan_lightning.config.identity import CHOICES
from cgan_lightning.config.paths import CONF

NEEDED = {
    "train": (),
    "sample": ("checkpoint=some",),
    "evaluate": ("checkpoint=some",),
    "report": ("runs=some",),
    "judge": (),
    "explore": ("checkpoint=some",),
}
WRONG_TYPE = {int: ["many", "2.5"], float: ["fast", "nan"], bool: ["perhaps"], str: ["[a]"], list[float]: ["0.5", "[0.5]"]}


def fields(command: str, *overrides: str) -> dict[str, dataclasses.Field]:
    """The schema's field of each key of a command, as `overrides` choose."""
    composed = compose(*overrides, command=command, check=False)
    return {key: field for key, _, field in checks.leaves(composed) if field is not None}


def fields_of_choices() -> dict[str, tuple[str, dataclasses.Field]]:
    """Keys of `train` that come with a choice other than the default: with that choice, and the schema's field."""
    usual, found = fields("train"), {}
    for group in CHOICES:
        for file in sorted((CONF / group).glob("*.yaml")):
            choice = f"{group}={file.stem}"
            found |= {key: (choice, field) for key, field in fields("train", choice).items() if key not in usual}
    return found


def outside(field: dataclasses.Field) -> Iterator[float]:
    """The nearest numbers that its bounds leave out."""
    kind, _ = checks.type_of(field)
    step = 1 if kind is int else 1e-6
    for bound, limit in field.metadata.get("bounds", {}).items():
        nearest = {"at_least": limit - step, "above": limit, "at_most": limit + step, "below": limit}[bound]
        yield nearest if kind is int else float(nearest)


def wrong(field: dataclasses.Field) -> list[str]:
    """Of the wrong type, out of range, none of the choices, null where there must be a value."""
    kind, optional = checks.type_of(field)
    if kind not in WRONG_TYPE:
        return []  # a group's choice, or classes: nothing that the schema knows
    numbers = [str(number) for number in outside(field)]
    if count := field.metadata.get("count"):
        numbers = [f"[{','.join([number] * count)}]" for number in numbers]
    texts = ["nothing-like-it"] if field.metadata.get("choices") else WRONG_TYPE[kind]
    return [*texts, *numbers, *([] if optional else ["null"])]
