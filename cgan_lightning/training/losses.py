"""The objectives of D and G as functions of D's logits: each is an option of `loss=`.

softplus(x) = log(1 + exp(x)) avoids the logarithm of a saturated sigmoid.
"""

from abc import ABC, abstractmethod
from typing import Annotated

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from cgan_lightning.registry import register, setting

Logits = Float[Tensor, " batch"]
Losses = Float[Tensor, " batch"]


class Loss(ABC):
    """Unreduced losses per sample, from D's logits (batch,) for real and fake images."""

    pairs = False  # whether the i-th real and the i-th fake image are compared: they must be of one class
    probabilistic = False  # whether a logit's sigmoid is D's probability that an image is real

    @abstractmethod
    def d(self, real: Logits, fake: Logits) -> Losses:
        """Return the losses that D minimises."""

    @abstractmethod
    def g(self, fake: Logits, real: Logits) -> Losses:
        """Return the losses that G minimises."""


@register("loss", "bce")
class BinaryCrossEntropy(Loss):
    """The documented loss; `real_label` below 1 smooths the target of real images (Salimans et al. 2016, section 3.4)."""

    probabilistic = True

    def __init__(
        self,
        *,
        real_label: Annotated[
            float, setting("target for real images; below 1: smoothed (Salimans et al. 2016)", above=0.5, at_most=1)
        ] = 1.0,
    ) -> None:
        self.real_label = real_label

    def d(self, real: Logits, fake: Logits) -> Losses:
        """-log D(x) - log(1 - D(G(z))): Goodfellow et al. 2014, equation 1; conditional: Mirza and Osindero 2014, equation 2.

        With target s the first term is -s log D(x) - (1 - s) log(1 - D(x)) = softplus(-real) + (1 - s) real.
        """
        losses = softplus(-real) + softplus(fake)
        return losses if self.real_label == 1 else losses + (1 - self.real_label) * real

    def g(self, fake: Logits, real: Logits) -> Losses:
        """-log D(G(z)), the non-saturating loss: Goodfellow et al. 2014, section 3."""
        return softplus(-fake)


@register("loss", "least_squares")
class LeastSquares(Loss):
    """Squared distances to the targets 1 and 0 (Mao et al. 2017, equation 9); D's target for real images is `real_label`."""

    def __init__(
        self,
        *,
        real_label: Annotated[
            float, setting("target for real images; below 1: smoothed (Salimans et al. 2016)", above=0.5, at_most=1)
        ] = 1.0,
    ) -> None:
        self.real_label = real_label

    def d(self, real: Logits, fake: Logits) -> Losses:
        return ((real - self.real_label).square() + fake.square()) / 2

    def g(self, fake: Logits, real: Logits) -> Losses:
        return (fake - 1).square() / 2


@register("loss", "hinge")
class Hinge(Loss):
    """The hinge loss: samples beyond the margin do not train D (Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17)."""

    def d(self, real: Logits, fake: Logits) -> Losses:
        return (1 - real).relu() + (1 + fake).relu()

    def g(self, fake: Logits, real: Logits) -> Losses:
        return -fake


@register("loss", "wasserstein")
class Wasserstein(Loss):
    """The difference of means, for a D with gradient norm near 1 (Arjovsky et al. 2017, equation 2; Gulrajani et al. 2017)."""

    def d(self, real: Logits, fake: Logits) -> Losses:
        return fake - real

    def g(self, fake: Logits, real: Logits) -> Losses:
        return -fake


@register("loss", "relativistic")
class Relativistic(Loss):
    """Each fake image against a real image of its class (Jolicoeur-Martineau 2019; Huang et al. 2024, equation 2)."""

    pairs = True

    def d(self, real: Logits, fake: Logits) -> Losses:
        return softplus(fake - real)

    def g(self, fake: Logits, real: Logits) -> Losses:
        return softplus(real - fake)


def scores(loss: Loss, real: Logits, fake: Logits) -> dict[str, Tensor]:
    """Return D's mean logits over a batch, and for a probabilistic loss also its mean probabilities."""
    of_side = {"real": real, "fake": fake}
    raw = {f"score_{side}": logits.mean() for side, logits in of_side.items()}
    return raw | ({f"d_{side}": logits.sigmoid().mean() for side, logits in of_side.items()} if loss.probabilistic else {})
