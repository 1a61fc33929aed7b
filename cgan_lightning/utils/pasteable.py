"""Commands that a user is told to give: ready to be pasted into a shell, whatever the names in them."""

import re
import shlex
from pathlib import Path


def command(module: str, **given: str) -> str:
    """`python -m cgan_lightning.MODULE key=value ...`, which a shell and Hydra read as these values.

    >>> print(command("report", runs="runs/sweeps/noise-1f"))
    python -m cgan_lightning.report runs=runs/sweeps/noise-1f
    >>> print(command("sample", checkpoint="my runs/a", classes="[Ankle boot]", move="{sefa1: 2}"))
    python -m cgan_lightning.sample 'checkpoint="my runs/a"' 'classes=[Ankle boot]' 'move={sefa1: 2}'
    """
    return shlex.join(["python", "-m", f"cgan_lightning.{module}", *(f"{key}={_value(value)}" for key, value in given.items())])


def _value(value: str) -> str:
    """As Hydra's grammar has it: a word, a list or a mapping as it stands, other text in quotation marks."""
    if re.fullmatch(r"[\w./+~-]+|\[.*\]|\{.*\}", value):
        return value
    return '"' + re.sub(r'(\\*)("|$)', lambda result: 2 * result[1] + result[2].replace('"', '\\"'), value) + '"'


def tensorboard(folder: Path) -> str:
    """What shows a folder of events, on this machine alone."""
    return shlex.join(["python", "-m", "tensorboard.main", "--logdir", str(folder)])
