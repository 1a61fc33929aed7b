"""Parse a command line into flags and overrides, and detect words that the shell has split or expanded."""

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

from cgan_lightning.utils import pasteable
from cgan_lightning.utils.errors import UserError

BRACKETS = {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}


def flags() -> list[str]:
    """Return the long flags."""
    return [name for action in get_args_parser()._actions for name in action.option_strings if name.startswith("--")]


def read(words: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Parse Hydra's flags, long or short and anywhere among the overrides; also return the unknown flags.

    Raises UserError for a flag with an invalid value.
    """
    parser = get_args_parser()
    parser.allow_abbrev = False
    parser.error = _refuse
    return parser.parse_known_intermixed_args(words)


def _refuse(message: str) -> NoReturn:
    raise UserError(f"{message}; --help lists the flags")


def parse(words: Sequence[str]) -> list[Override]:
    """Parse overrides; a value with characters that Hydra's grammar forbids, as paths may have them, is taken as it stands.

    Raises UserError for invalid overrides, also if the shell split one at spaces or expanded its braces.
    """
    try:
        overrides = OverridesParser.create().parse_overrides([*words])
    except OverrideParseException as error:
        word = error.override or ""
        if joined := _joined(words[words.index(word) :] if word in words else [word]):
            raise UserError(f"{joined} was split into several words: quote it, as in {shlex.quote(joined)}") from None
        if split := re.search(r"(\S+) = ?([^\s=]+)|(\S+)= ([^\s=]+)", " ".join(words)):
            raise UserError(f"{split[0]} was split into several words: write {split[0].replace(' ', '')}") from None
        if quoted := _quoted(word):
            return parse([quoted if each == word else each for each in words])
        text = shlex.quote(f'{word.partition("=")[0]}="TEXT"')
        quotes = f", and text with brackets or quotes as {text}" if "=" in word else ", in quotes where there are spaces"
        raise UserError(f"{word}: cannot parse it; write key=value or group=choice{quotes}") from None
    _check_braces(words)
    return overrides


def _quoted(word: str) -> str | None:
    """Quote the value or values of an override that cannot be parsed, unless it is a list, a mapping or quoted already.

    >>> _quoted("checkpoint=epoch=3-step=5.safetensors"), _quoted("classes=[Dress"), _quoted("seed")
    ('checkpoint="epoch=3-step=5.safetensors"', None, None)
    """
    key, _, value = word.partition("=")
    if not re.fullmatch(r"\+{0,2}[\w./@]+", key, re.ASCII) or not value or value[0] in "[{'\"":
        return None
    return f"{key}={','.join(map(pasteable.quoted, value.split(',')))}"


def _joined(words: Sequence[str]) -> str | None:
    """Join the first words up to the one that closes all brackets, if a shell split them at spaces; else None.

    >>> _joined(["classes={Dress:", "0.7,", "Coat:", "0.3}", "seed=1"]), _joined(["classes={Dress:", "seed=1"])
    ('classes={Dress: 0.7, Coat: 0.3}', None)
    """
    for count in range(1, len(words) + 1):
        text = " ".join(words[:count])
        if not text.endswith(",") and sum(BRACKETS.get(character, 0) for character in text) <= 0:
            return text if count > 1 else None
    return None


def _check_braces(words: Sequence[str]) -> None:
    """Raise UserError if bash has expanded braces such as {Dress:0.7,Coat:0.3} into several words."""
    for first, second in itertools.pairwise(words):
        key, _, value = first.partition("=")
        if second.startswith(f"{key}=") and all(re.search(r"\w:[\d.]+\]*$", word) for word in (first, second)):
            copies = [word for word in words if word.startswith(f"{key}=")]
            start = re.match(r".*[=,[]", os.path.commonprefix(copies))  # noqa: RUF071  text, no paths
            before, after = start[0] if start else f"{key}=", "]" * (len(value) - len(value.rstrip("]")))
            parts = ",".join(word.removeprefix(before).removesuffix(after) for word in copies)
            raise UserError(
                f"{' '.join(copies)} is the shell's expansion of braces: quote them, as in "
                f"{shlex.quote(f'{before}{{{parts}}}{after}')}"
            )
