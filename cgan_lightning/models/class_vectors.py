"""What a network has learned of each class: one vector a class, wherever the network keeps it."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

# A label embedding's rows; what a discriminator's head compares features with, and the same under spectral norm. Labels that
# aren't learned (one-hot, a number) are in no state dictionary.
PLACES = ("conditioning.rows", "head.classes.weight", "head.classes.parametrizations.weight.original")


def class_vectors(state: Mapping[str, Tensor]) -> Float[Tensor, "classes width"] | None:
    """The class vectors in a generator's or a discriminator's state dictionary; None where it has learned none."""
    return next((state[place] for place in PLACES if place in state), None)
