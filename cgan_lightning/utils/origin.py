"""The origin of a figure, for its file's metadata."""

from collections.abc import Sequence
from dataclasses import dataclass

from cgan_lightning.utils.errors import shown


@dataclass(frozen=True)
class Origin:
    """The runs of a figure, their seeds (image seeds if it shows samples) and the git revisions of the code.

    >>> str(Origin(runs=["channels128"], seeds=[0, 1], revisions=["481fbbb"]))
    'runs: channels128; seeds: 0, 1; revisions: 481fbbb'
    """

    runs: Sequence[str]
    seeds: Sequence[int]
    revisions: Sequence[str | None]

    def __str__(self) -> str:
        return "; ".join(
            f"{name}: {', '.join(shown(each) for each in values) or 'unknown'}" for name, values in vars(self).items()
        )
