"""What keeps D's slopes in bounds, added to its loss: each is a choice of `regularizer=`.

D must judge each picture by itself: with batch normalisation a slope would be that of a whole batch.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cgan_lightning.registry import register, setting

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


class Penalty(ABC):
    """Added to D's loss, per sample, at every `every`-th update alone and as many times as strong.

    Such a penalty is lazy (Karras et al. 2020, section 3.1).
    """

    on_real = on_fake = False  # whether it asks for D's slope at these pictures
    mixes = False  # whether it compares the i-th real with the i-th fake picture: they must be of one class
    every: int

    @abstractmethod
    def __call__(
        self, discriminator: Callable[[Images, Tensor], Tensor], real: Judged, fake: Judged, mix: Float[Tensor, "batch _"]
    ) -> Float[Tensor, " batch"]:
        """Of pictures that D has judged; `mix` is uniform on [0, 1], (batch, 1) where it `mixes`."""


@register("regularizer", "zero_centred")
class ZeroCentred(Penalty):
    """gamma/2 |∇ D|² of real pictures (R1), of fake ones (R2), or of both: Mescheder et al. 2018, equations 9 and 10."""

    def __init__(
        self,
        *,
        on_real: Annotated[bool, setting("whether real images are penalised")],
        on_fake: Annotated[bool, setting("whether fake images are penalised")],
        gamma: Annotated[float, setting("weight of the penalty", above=0)],
        every: Annotated[int, setting("at every so many updates, as many times as strong", at_least=1, at_most=100)] = 1,
    ) -> None:
        self.on_real, self.on_fake, self.gamma, self.every = on_real, on_fake, gamma, every

    def __call__(
        self, discriminator: Callable[[Images, Tensor], Tensor], real: Judged, fake: Judged, mix: Float[Tensor, "batch _"]
    ) -> Float[Tensor, " batch"]:
        slopes = [squared_slope(side.logits, side.images) for side, on in ((real, self.on_real), (fake, self.on_fake)) if on]
        return self.every * self.gamma / 2 * torch.stack(slopes).sum(0)


@register("regularizer", "gradient_penalty")
class Gradient(Penalty):
    """gamma (|∇ D| - 1)² between real and fake pictures of one class: Gulrajani et al. 2017, equation 3.

    `mix` (batch, 1), uniform on [0, 1], says where between them.
    """

    mixes = True

    def __init__(
        self,
        *,
        gamma: Annotated[float, setting("weight of the penalty", above=0)],
        every: Annotated[int, setting("at every so many updates, as many times as strong", at_least=1, at_most=100)] = 1,
    ) -> None:
        self.gamma, self.every = gamma, every

    def __call__(
        self, discriminator: Callable[[Images, Tensor], Tensor], real: Judged, fake: Judged, mix: Float[Tensor, "batch _"]
    ) -> Float[Tensor, " batch"]:
        between = torch.lerp(fake.images.detach(), real.images.detach(), mix[:, :, None, None]).requires_grad_()
        slope = (squared_slope(discriminator(between, real.labels), between) + 1e-12).sqrt()  # its own slope at 0 is infinite
        return self.every * self.gamma * (slope - 1).square()
