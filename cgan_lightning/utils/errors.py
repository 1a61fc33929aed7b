"""What a command says in one sentence instead of a traceback, and the exit code that it then has."""

import reprlib


class UserError(ValueError):
    """A mistake in what was asked for: the sentence names the key, the value and what would be right. Exit code 2."""


class RunError(RuntimeError):
    """A run that could not go on, though it was asked for rightly. Exit code 1."""


class Interrupted(Exception):  # noqa: N818  not an error: the run was asked to stop, and did
    """A signal stopped the run between two updates, after its checkpoint was written. Exit code 128 + signal."""

    def __init__(self, signum: int, message: str) -> None:
        super().__init__(message)
        self.signum = signum


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def shown(value: object) -> str:
    """`value`, of a file that may come from anyone, as a sentence can have it: short, on one line, all of it printable."""
    text = str(value) if isinstance(value, str | Exception) else _SHORT.repr(value)
    printable = "".join(character if character.isprintable() else " " for character in text[:200]).strip()
    return " ".join(printable.split()) + ("…" if len(text) > 200 else "") or type(value).__name__
