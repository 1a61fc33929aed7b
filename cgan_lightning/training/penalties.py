"""Gradient penalties, added to D's loss: each is an option of `regularizer=`.

D's output for an image must not depend on the rest of the batch, as it would with batch normalisation.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cgan_lightning.registry import register, setting

Images = Float[Tensor, "batch channels size size"]


@dataclass
class DOutput:
    """Images, their labels, and D's output for them."""

    images: Images
    labels: Int[Tensor, " batch"]
    logits: Float[Tensor, " batch"]
    label_losses: Float[Tensor, " batch"] | None  # if D also classifies

    def rows(self, rows: slice) -> "DOutput":
        losses = None if self.label_losses is None else self.label_losses[rows]
        return DOutput(self.images[rows], self.labels[rows], self.logits[rows], losses)


def squared_gradient_norm(logits: Float[Tensor, " batch"], images: Images) -> Float[Tensor, " batch"]:
    """Return |∇ D(x)|² for each image, with a graph for its own gradient."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))


class Penalty(ABC):
    """A penalty per sample, added to D's loss at every `interval`-th update, multiplied by `interval`.

    This is lazy regularization (Karras et al. 2020, section 3.1).
    """

    on_real = on_fake = False  # whether it needs D's gradient at these images
    mixes = False  # whether it interpolates between the i-th real and the i-th fake image: they must be of one class
    interval: int

    @abstractmethod
    def __call__(
        self,
        discriminator: Callable[[Images, Tensor], Tensor],
        real: DOutput,
        fake: DOutput,
        mix: Float[Tensor, "batch _"],
    ) -> Float[Tensor, " batch"]:
        """Return the penalty; `mix` is uniform on [0, 1], (batch, 1) if the penalty `mixes`."""


@register("regularizer", "zero_centred")
class R1R2Penalty(Penalty):
    """gamma/2 |∇ D|² at real images (R1), fake images (R2), or both: Mescheder et al. 2018, equations 9 and 10."""

    def __init__(
        self,
        *,
        on_real: Annotated[bool, setting("whether real images are penalised")],
        on_fake: Annotated[bool, setting("whether fake images are penalised")],
        gamma: Annotated[float, setting("weight of the penalty", above=0)],
        interval: Annotated[
            int, setting("applied every so many updates, that many times as strong", at_least=1, at_most=100)
        ] = 1,
    ) -> None:
        self.on_real, self.on_fake, self.gamma, self.interval = on_real, on_fake, gamma, interval

    def __call__(
        self,
        discriminator: Callable[[Images, Tensor], Tensor],
        real: DOutput,
        fake: DOutput,
        mix: Float[Tensor, "batch _"],
    ) -> Float[Tensor, " batch"]:
        norms = [
            squared_gradient_norm(side.logits, side.images) for side, on in ((real, self.on_real), (fake, self.on_fake)) if on
        ]
        return self.interval * self.gamma / 2 * torch.stack(norms).sum(0)


@register("regularizer", "gradient_penalty")
class GradientPenalty(Penalty):
    """gamma (|∇ D| - 1)² between real and fake images of one class: Gulrajani et al. 2017, equation 3.

    `mix` (batch, 1), uniform on [0, 1], is the position between them.
    """

    mixes = True

    def __init__(
        self,
        *,
        gamma: Annotated[float, setting("weight of the penalty", above=0)],
        interval: Annotated[
            int, setting("applied every so many updates, that many times as strong", at_least=1, at_most=100)
        ] = 1,
    ) -> None:
        self.gamma, self.interval = gamma, interval

    def __call__(
        self,
        discriminator: Callable[[Images, Tensor], Tensor],
        real: DOutput,
        fake: DOutput,
        mix: Float[Tensor, "batch _"],
    ) -> Float[Tensor, " batch"]:
        mixed = torch.lerp(fake.images.detach(), real.images.detach(), mix[:, :, None, None]).requires_grad_()
        norm = (squared_gradient_norm(discriminator(mixed, real.labels), mixed) + 1e-12).sqrt()  # sqrt' is infinite at 0
        return self.interval * self.gamma * (norm - 1).square()
