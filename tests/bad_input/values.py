"""What a key may be and what it may not, from the schema: for tests that try every key."""

import copy
import dataclasses
import functools
from collections.abc import Iterator

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cgan_lightning.config import checks
from cgan_lightning.config.compose import compose
from cgan_lightning.config.explain import explain
from cgan_lightning.config.identity import CHOICES
from cgan_lightning.config.paths import CONF
from cgan_lightning.utils.errors import UserError

NEEDED = {
    "train": (),
    "sample": ("checkpoint=some",),
    "evaluate": ("checkpoint=some",),
    "report": ("runs=some",),
    "feature_extractor": (),
    "explore": ("checkpoint=some",),
}
WRONG_TYPE = {
    int: ["many", "2.5"],
    float: ["fast", "nan"],
    bool: ["perhaps"],
    str: ["[a]", "true"],
    list[float]: ["0.5", "[0.5]"],
}


GROUPS = (*CHOICES, "callbacks", "logger")
FILES = {group: sorted(file.stem for file in (CONF / group).glob("*.yaml")) for group in GROUPS}
CHOICES_OF = {"train": [f"{group}={file}" for group, files in FILES.items() for file in files]}


def all_choices(command: str) -> list[tuple[str, ...]]:
    """Each of a command's choices at least once, in as many configs as the largest group has files."""
    if command not in CHOICES_OF:
        return [()]
    most = max(map(len, FILES.values()))
    return [tuple(f"{group}={files[at % len(files)]}" for group, files in FILES.items()) for at in range(most)]


@functools.cache
def composed(command: str, *overrides: str) -> DictConfig:
    """Unchecked, with what the command needs; not to be changed."""
    return compose(*NEEDED[command], *overrides, command=command, check=False)


def fields(command: str, *overrides: str) -> dict[str, dataclasses.Field]:
    """The schema's field of each key of a command, as `overrides` choose."""
    return {key: field for key, _, field in checks.leaves(composed(command, *overrides)) if field is not None}


def refusal(command: str, choices: tuple[str, ...], override: str) -> str | None:
    """What the command says to `override`: applied to its config as Hydra does, then checked. None where it is right."""
    config = copy.deepcopy(composed(command, *choices))
    parsed = OverridesParser.create().parse_override(override)
    try:
        OmegaConf.update(config, parsed.key_or_group, parsed.value(), merge=True)
        checks.check(config)
    except UserError as error:
        return str(error)
    except OmegaConfBaseException as error:
        return explain(error, lambda *given: composed(command, *given), choices, [parsed.key_or_group])
    return None


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
