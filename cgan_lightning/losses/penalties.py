"""What keeps D's slopes in bounds, added to its loss: each is a choice of `regularizer=`.

D must judge each picture by itself: with batch normalisation a slope would be that of a whole batch.
`every` makes a penalty lazy: at every n-th update alone, n times as strong (Karras et al. 2020, section 3.1).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

Images = Float[Tensor, "batch 1 size size"]


@dataclass
class Judged:
    """Pictures, their labels, and what D says of them."""

    images: Images
    labels: Int[Tensor, " batch"]
    logits: Float[Tensor, " batch"]
    label_losses: Float[Tensor, " batch"] | None  # of a D that classifies

    def rows(self, rows: slice) -> "Judged":
        losses = None if self.label_losses is None else self.label_losses[rows]
        return Judged(self.images[rows], self.labels[rows], self.logits[rows], losses)


def squared_slope(logits: Float[Tensor, " batch"], images: Images) -> Float[Tensor, " batch"]:
    """|∇ D(x)|² of each picture; what it is made of is kept for a gradient of its own."""
    (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return slope.square().sum(dim=(1, 2, 3))


class ZeroCentred:
    """gamma/2 |∇ D|² of real pictures (R1), of fake ones (R2), or of both: Mescheder et al. 2018, equations 9 and 10."""

    mixes = False

    def __init__(self, *, on_real: bool, on_fake: bool, gamma: float, every: int = 1) -> None:
        self.on_real, self.on_fake, self.gamma, self.every = on_real, on_fake, gamma, every

    def __call__(
        self, discriminator: Callable[[Images, Tensor], Tensor], real: Judged, fake: Judged, mix: Float[Tensor, "batch _"]
    ) -> Float[Tensor, " batch"]:
        slopes = [squared_slope(side.logits, side.images) for side, on in ((real, self.on_real), (fake, self.on_fake)) if on]
        return self.every * self.gamma / 2 * torch.stack(slopes).sum(0)


class Gradient:
    """gamma (|∇ D| - 1)² between real and fake pictures of one class: Gulrajani et al. 2017, equation 3.

    `mix` (batch, 1), uniform on [0, 1], says where between them.
    """

    mixes = True
    on_real = on_fake = False  # its slope is asked for at neither

    def __init__(self, *, gamma: float, every: int = 1) -> None:
        self.gamma, self.every = gamma, every

    def __call__(
        self, discriminator: Callable[[Images, Tensor], Tensor], real: Judged, fake: Judged, mix: Float[Tensor, "batch _"]
    ) -> Float[Tensor, " batch"]:
        between = torch.lerp(fake.images.detach(), real.images.detach(), mix[:, :, None, None]).requires_grad_()
        slope = (squared_slope(discriminator(between, real.labels), between) + 1e-12).sqrt()  # its own slope at 0 is infinite
        return self.every * self.gamma * (slope - 1).square()


Penalty = ZeroCentred | Gradient
