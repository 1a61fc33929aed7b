"""The words of a command line: which are flags and which settings, and what a shell has made of what was typed."""

import argparse
import itertools
import os
import re
import shlex
from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import OverrideParseException

from cgan_lightning.utils.errors import UserError

BRACKETS = {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}


def flags() -> list[str]:
    """The long ones."""
    return [name for action in get_args_parser()._actions for name in action.option_strings if name.startswith("--")]


def read(words: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Hydra's flags, in full or as one letter and anywhere among the settings; and the words that look like flags and are none.

    Raises UserError for a flag with a value that it can't have.
    """
    parser = get_args_parser()
    parser.allow_abbrev = False
    parser.error = _refuse
    return parser.parse_known_intermixed_args(words)


def _refuse(message: str) -> NoReturn:
    raise UserError(f"{message}; --help lists the flags")


def parse(words: Sequence[str]) -> list[Override]:
    """Settings. Raises UserError for words that are none, or that a shell has made of one: with spaces, or braces."""
    try:
        overrides = OverridesParser.create().parse_overrides([*words])
    except OverrideParseException as error:
        word = error.override or ""
        if joined := _joined(words[words.index(word) :] if word in words else [word]):
            raise UserError(f"{joined} came as several words: put it in quotes, as in {shlex.quote(joined)}") from None
        if apart := re.search(r"(\S+) = ?([^\s=]+)|(\S+)= ([^\s=]+)", " ".join(words)):
            raise UserError(f"{apart[0]} came as several words: write {apart[0].replace(' ', '')}") from None
        quotes = "" if "=" in word else ", in quotes where there are spaces"
        raise UserError(f"{word}: cannot parse it; write key=value or group=choice{quotes}") from None
    _check_braces(words)
    return overrides


def _joined(words: Sequence[str]) -> str | None:
    """The first words up to where all brackets are closed, which a shell has split at spaces; None where it hasn't.

    >>> _joined(["classes={Dress:", "0.7,", "Coat:", "0.3}", "seed=1"]), _joined(["classes={Dress:", "seed=1"])
    ('classes={Dress: 0.7, Coat: 0.3}', None)
    """
    for count in range(1, len(words) + 1):
        text = " ".join(words[:count])
        if not text.endswith(",") and sum(BRACKETS.get(character, 0) for character in text) <= 0:
            return text if count > 1 else None
    return None


def _check_braces(words: Sequence[str]) -> None:
    """Raises UserError where bash has written a word out once for each part of {Dress:0.7,Coat:0.3}."""
    for first, second in itertools.pairwise(words):
        key, _, value = first.partition("=")
        if second.startswith(f"{key}=") and all(re.search(r"\w:[\d.]+\]*$", word) for word in (first, second)):
            copies = [word for word in words if word.startswith(f"{key}=")]
            start = re.match(r".*[=,[]", os.path.commonprefix(copies))  # noqa: RUF071  text, no paths
            before, after = start[0] if start else f"{key}=", "]" * (len(value) - len(value.rstrip("]")))
            parts = ",".join(word.removeprefix(before).removesuffix(after) for word in copies)
            raise UserError(
                f"{' '.join(copies)} is what a shell makes of braces: put them in quotes, as in "
                f"{shlex.quote(f'{before}{{{parts}}}{after}')}"
            )
