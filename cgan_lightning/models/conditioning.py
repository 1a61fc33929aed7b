"""Label encoders: a class label as a vector, concatenated with z in the generator and with the image in the discriminator.

Each is an option of `conditioning=`. `width` is the length of the vector. A label is a class index, or a weight for each class:
0.7 for dress and 0.3 for coat gives the weighted sum of their vectors.
"""

from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cgan_lightning.registry import given, register, setting
from cgan_lightning.utils import limits

Labels = Int[Tensor, " batch"] | Float[Tensor, "batch classes"]  # class indices, or a weight for each class


class LabelEncoder(nn.Module):
    """Map labels to (batch, width): a row of `rows` (num_classes, width) for an index, a weighted sum of rows for weights."""

    rows: Tensor

    @property
    def num_classes(self) -> int:
        return self.rows.shape[0]

    @property
    def width(self) -> int:
        return self.rows.shape[1]

    def forward(self, labels: Labels) -> Float[Tensor, "batch width"]:
        return labels @ self.rows if labels.is_floating_point() else F.embedding(labels, self.rows)

    @property
    def learned(self) -> bool:
        return isinstance(self.rows, nn.Parameter)

    def fix(self, rows: Float[Tensor, "classes width"]) -> None:
        """Set rows that are not learned: they follow the network's device and dtype and are not saved in checkpoints.

        They must be on the CPU, so that a network built on the meta device has their values too.
        """
        self.register_buffer("rows", rows, persistent=False)


@register("conditioning", "embedding")
class Embedding(LabelEncoder):
    """One learned vector per class (the documented choice), so that similar classes can have similar vectors."""

    def __init__(
        self,
        *,
        num_classes: Annotated[int, given(**limits.NUM_CLASSES)],
        width: Annotated[int, setting("length of the vector, or number of planes", **limits.LABEL_WIDTH)],
    ) -> None:
        super().__init__()
        rows = torch.empty(num_classes, width)
        # N(0, 1), as in torch.nn.Embedding; on the meta device normal_ would import torch._dynamo, which takes seconds
        self.rows = nn.Parameter(rows if rows.is_meta else rows.normal_())


@register("conditioning", "onehot")
class OneHot(LabelEncoder):
    """One-hot vectors: nothing is learned, and all classes are equally far apart."""

    def __init__(self, *, num_classes: Annotated[int, given(**limits.NUM_CLASSES)]) -> None:
        super().__init__()
        self.fix(torch.eye(num_classes, device="cpu"))


@register("conditioning", "integer")
class Integer(LabelEncoder):
    """The class index as one input, scaled to [-1, 1]: the tutorial's counterexample, included for comparison."""

    def __init__(self, *, num_classes: Annotated[int, given(**limits.NUM_CLASSES)]) -> None:
        super().__init__()
        self.fix(torch.linspace(-1, 1, num_classes, device="cpu")[:, None])


@register("conditioning", "none")
class Unconditional(LabelEncoder):
    """No label: the unconditional baseline."""

    def __init__(self, *, num_classes: Annotated[int, given(**limits.NUM_CLASSES)]) -> None:
        super().__init__()
        self.fix(torch.empty(num_classes, 0, device="cpu"))
