"""The class vectors that a network has learned: one vector for each class."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

# The rows of a label embedding, the class weights of a discriminator's head, and the latter under spectral norm. Labels that
# are not learned (one-hot, a number) are not in a state dictionary.
KEYS = ("conditioning.rows", "head.classes.weight", "head.classes.parametrizations.weight.original")


def class_vectors(state: Mapping[str, Tensor]) -> Float[Tensor, "classes width"] | None:
    """Return the class vectors in a generator's or discriminator's state dictionary, or None if it has none."""
    return next((state[key] for key in KEYS if key in state), None)
