"""Reject choices of options for which Hydra raises an error meant for programmers."""

from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.types import Override

from cgan_lightning.config import group_files, suggestions
from cgan_lightning.config.identity import CHOICES
from cgan_lightning.utils.errors import UserError

OF_ONE_OPTION = (*CHOICES, "data", "trainer")
OF_HYDRA = ("hydra.launcher", "hydra.sweeper")  # groups with a slash, sections with a dot


def check(given: Sequence[Override], chosen: Sequence[Override]) -> None:
    """Raise UserError for a group's value that is no name, or several names where one is chosen.

    `chosen` are those of the overrides `given` whose key is a group.
    """
    for override in given:
        line = override.input_line or ""
        if override.key_or_group in OF_HYDRA:
            raise UserError(f"{line}: unknown setting; did you mean {line.replace('.', '/', 1)}?")
        if override in chosen and not override.is_delete() and not _is_name(override.key_or_group, override.value()):
            options = group_files.options(override.key_or_group)
            raise UserError(suggestions.choice(override.key_or_group, line.partition("=")[2], options))


def _is_name(group: str, value: Any) -> bool:
    """Whether it is an option's name, a list of them where the group takes one, or a sweep over names."""
    if isinstance(value, list):
        return group not in OF_ONE_OPTION and all(isinstance(each, str) for each in value)
    return not isinstance(value, int | float | dict | None)
