"""Limits of network sizes in a config or in a file's model spec; without torch, for a fast start.

Files are untrusted: networks built from their specs stay within these limits.
"""

import operator
from collections.abc import Mapping
from typing import Any

LATENT_DIM = {"at_least": 1, "at_most": 4096}
CHANNELS = {"at_least": 64, "at_most": 1024}
STAGES = {"at_least": 1, "at_most": 5}
IMAGE_SIZE = {"at_least": 28, "at_most": 256}
IMAGE_CHANNELS = {"at_least": 1, "at_most": 3}
DATA_SIZE = {"at_least": 28, "at_most": 64}  # of a user's own images
DATA_CHANNELS = (1, 3)
CLASS_NAME_LENGTH = 40  # characters
MAPS = {"at_least": 32, "at_most": 1024}
BLOCKS = {"at_least": 1, "at_most": 8}
HIDDEN = {"at_least": 1, "at_most": 4096}
HEAD_WEIGHT = {"at_least": 0, "at_most": 100}
BN_EPS = {"above": 0, "at_most": 10}
LABEL_WIDTH = {"at_least": 1, "at_most": 1024}
NUM_CLASSES = {"at_least": 1, "at_most": 1000}
COORDINATE = {"at_least": -1000, "at_most": 1000}  # of a direction of z and of a move along it

_BOUNDS = {
    "at_least": (operator.ge, "at least"),
    "above": (operator.gt, "above"),
    "at_most": (operator.le, "at most"),
    "below": (operator.lt, "below"),
}


def within(value: Any, bounds: Mapping[str, float]) -> bool:
    """Return whether a number is within its bounds; NaN never is."""
    return all(_BOUNDS[bound][0](value, limit) for bound, limit in bounds.items())


def bounds_text(bounds: Mapping[str, float]) -> str:
    """
    >>> bounds_text(CHANNELS)
    'at least 64 and at most 1024'
    >>> bounds_text({"above": 0.5, "below": 2**32})
    'above 0.5 and below 4294967296'
    """
    return " and ".join(f"{_BOUNDS[bound][1]} {_exactly(limit)}" for bound, limit in bounds.items())


def _exactly(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else f"{limit:g}"


def coarsest_size(image_size: int, stages: int) -> int:
    """Return the height and width of the feature map after halving `image_size` `stages` times.

    Raises ValueError with valid alternatives if a halving leaves a remainder.

    >>> coarsest_size(28, 2)
    7
    """
    factor = 2**stages
    if image_size % factor:
        possible = [n for n in range(1, stages) if image_size % 2**n == 0]
        below = image_size // factor * factor
        sizes = [size for size in (below, below + factor, below + 2 * factor) if size > 0]
        raise ValueError(
            f"{image_size} pixels cannot be halved {stages} times; "
            + (f"with {image_size} take stages {' or '.join(map(str, possible))}, " if possible else "")
            + f"with {stages} stages an image size divisible by {factor}: {', '.join(map(str, sizes))}, ..."
        )
    return image_size // factor
