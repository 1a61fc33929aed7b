"""How a class label becomes numbers: beside z in the generator, as planes beside the image in the discriminator.

Each is a choice of `conditioning=`. `width` is how many numbers a label becomes. A label is a class index, or a weight for
each class: 0.7 of a dress and 0.3 of a coat becomes as much of their numbers.
"""

from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cgan_lightning.registry import given, register, setting
from cgan_lightning.utils import limits

Labels = Int[Tensor, " batch"] | Float[Tensor, "batch classes"]  # indices, or weights of all classes


class LabelEncoder(nn.Module):
    """Labels to numbers (batch, width): a row of `rows` (num_classes, width) for an index, a sum of rows for weights."""

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
        """Rows that are not learned: they follow the network's device and dtype and stay out of its checkpoints.

        They are made on the CPU, so that they have their values in a network that is built on the meta device too.
        """
        self.register_buffer("rows", rows, persistent=False)


@register("conditioning", "embedding")
class Embedding(LabelEncoder):
    """One learned vector per class (the documented choice), so that similar classes can come to lie near each other."""

    def __init__(
        self,
        *,
        num_classes: Annotated[int, given(**limits.NUM_CLASSES)],
        width: Annotated[int, setting("length of the vector, or how many planes", **limits.LABEL_WIDTH)],
    ) -> None:
        super().__init__()
        rows = torch.empty(num_classes, width)
        self.rows = nn.Parameter(rows if rows.is_meta else rows.normal_())  # N(0, 1), as in torch.nn.Embedding; on meta it
        # would import torch._dynamo, for seconds


@register("conditioning", "onehot")
class OneHot(LabelEncoder):
    """A 1 at the class, 0 elsewhere: nothing to learn, all classes equally far apart."""

    def __init__(self, *, num_classes: Annotated[int, given(**limits.NUM_CLASSES)]) -> None:
        super().__init__()
        self.fix(torch.eye(num_classes, device="cpu"))


@register("conditioning", "integer")
class Integer(LabelEncoder):
    """The class number as one input, scaled to [-1, 1]: the tutorial's bad example, kept to be measured."""

    def __init__(self, *, num_classes: Annotated[int, given(**limits.NUM_CLASSES)]) -> None:
        super().__init__()
        self.fix(torch.linspace(-1, 1, num_classes, device="cpu")[:, None])


@register("conditioning", "none")
class Unconditional(LabelEncoder):
    """No label at all: the unconditional baseline."""

    def __init__(self, *, num_classes: Annotated[int, given(**limits.NUM_CLASSES)]) -> None:
        super().__init__()
        self.fix(torch.empty(num_classes, 0, device="cpu"))
