"""A data set that a plugin registers in the group `data`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np


class OwnData(ABC):
    """A data set from a user's own code. Arguments of the constructor are its settings, `data.settings.NAME=`."""

    class_names: Sequence[str] | None = None  # None: the labels

    @abstractmethod
    def arrays(self, root: Path | None) -> Mapping[str, np.ndarray]:
        """Return `images` and `labels`, and `test_images` and `test_labels` if there is a test split, as in a .npz file.

        The same settings give the same arrays. `root` is data.root.
        """
