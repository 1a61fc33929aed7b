"""Suggested commands, quoted so that they can be pasted into a shell."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path


def command(module: str, **given: str) -> str:
    """Return `python -m cgan_lightning.MODULE key=value ...`, quoted for the shell and Hydra.

    >>> print(command("report", runs="runs/sweeps/noise-1f"))
    python -m cgan_lightning.report runs=runs/sweeps/noise-1f
    >>> print(command("sample", checkpoint="my runs/a", classes="[Ankle boot]", move="{sefa1: 2}"))
    python -m cgan_lightning.sample 'checkpoint="my runs/a"' 'classes=[Ankle boot]' 'move={sefa1: 2}'
    """
    return shlex.join(["python", "-m", f"cgan_lightning.{module}", *(f"{key}={_value(value)}" for key, value in given.items())])


def plugins(names: Sequence[str]) -> dict[str, str]:
    """Return the argument of a command that names these plugins, if there are any."""
    return {"plugins": f"[{','.join(names)}]"} if names else {}


def _value(value: str) -> str:
    """Quote a value for Hydra's grammar: words, lists and mappings are unchanged, other text is quoted."""
    return value if re.fullmatch(r"[\w./+~-]+|\[.*\]|\{.*\}", value, re.ASCII) else quoted(value)


def quoted(text: str) -> str:
    r"""Quote text for Hydra's grammar.

    >>> print(quoted('a "b" (2)'), quoted("c\\"))
    "a \"b\" (2)" "c\\"
    """
    return '"' + re.sub(r'(\\*)("|$)', lambda result: 2 * result[1] + result[2].replace('"', '\\"'), text) + '"'


def tensorboard(folder: Path) -> str:
    """Return the command that starts TensorBoard for a folder, on this machine only."""
    return shlex.join(["python", "-m", "tensorboard.main", "--logdir", str(folder)])
