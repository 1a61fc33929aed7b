"""Errors that a command reports with a message instead of a traceback, and their exit codes."""

import reprlib


class UserError(ValueError):
    """Invalid input; the message names the key, the value and what would be valid. Exit code 2."""


class RunError(RuntimeError):
    """A run with valid settings that failed. Exit code 1."""


class Interrupted(Exception):  # noqa: N818  not an error, but a requested stop
    """A signal stopped the run between two updates, after its checkpoint was written. Exit code 128 + signal."""

    def __init__(self, signum: int, message: str) -> None:
        super().__init__(message)
        self.signum = signum


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def shown(value: object) -> str:
    """Format an untrusted `value` for a message: short, on one line, printable characters only."""
    text = str(value) if isinstance(value, str | Exception) else _SHORT.repr(value)
    printable = "".join(character if character.isprintable() else " " for character in text[:200]).strip()
    return " ".join(printable.split()) + ("…" if len(text) > 200 else "") or type(value).__name__
