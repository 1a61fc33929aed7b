"""Discriminator heads: the logit, and how it depends on the label. Each is part of an option of `discriminator_label=`.

A head is built from the numbers of features and classes. It maps D's last feature map and the labels to logits (batch,) and
label losses (batch,), which are added to both networks' objectives; None if the head does not classify.
"""

from typing import Annotated

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cgan_lightning.models.layers import FeatureSum
from cgan_lightning.models.normalization import Normalization
from cgan_lightning.registry import register, setting
from cgan_lightning.utils import limits

Maps = Float[Tensor, "batch channels height width"]
Labels = Int[Tensor, " batch"]
HeadOutput = tuple[Float[Tensor, " batch"], Float[Tensor, " batch"] | None]  # logits, label losses


@register("head", "logit")
class Logit(nn.Module):
    """One logit from all features; the label is an input of D, or not used."""

    def __init__(self, in_features: int, num_classes: int, normalization: Normalization) -> None:
        super().__init__()
        self.logit = normalization.layer(FeatureSum(in_features, 1))

    def forward(self, features: Maps, labels: Labels) -> HeadOutput:
        return self.logit(features).squeeze(1), None


@register("head", "projection")
class Projection(nn.Module):
    """A logit plus the inner product of the features and a learned class vector (Miyato and Koyama 2018, equation 3).

    Computed as one extra logit for each class, from which the label's is taken.
    """

    def __init__(self, in_features: int, num_classes: int, normalization: Normalization) -> None:
        super().__init__()
        self.logit = normalization.layer(FeatureSum(in_features, 1))
        self.classes = normalization.layer(FeatureSum(in_features, num_classes, bias=False))

    def forward(self, features: Maps, labels: Labels) -> HeadOutput:
        of_class = self.classes(features).gather(1, labels[:, None])
        return (self.logit(features) + of_class).squeeze(1), None


@register("head", "hidden_projection")
class HiddenProjection(nn.Module):
    """`ψ(h) + <v_y, φ> + <w_y, h>`: as `Projection` of the features φ and of h, a hidden layer over all of them.

    The receptive field of a feature is at most 7×7, and a sum of features cannot tell a pattern from noise. StyleGAN2's
    discriminator (Karras et al. 2020) has the hidden layer only.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        normalization: Normalization,
        *,
        hidden: Annotated[int, setting("width of the hidden layer", **limits.HIDDEN)],
    ) -> None:
        super().__init__()
        self.hidden = normalization.layer(FeatureSum(in_features, hidden))
        self.logit = normalization.layer(nn.Linear(hidden, 1))
        self.hidden_classes = normalization.layer(nn.Linear(hidden, num_classes, bias=False))
        self.classes = normalization.layer(FeatureSum(in_features, num_classes, bias=False))

    def forward(self, features: Maps, labels: Labels) -> HeadOutput:
        hidden = F.leaky_relu(self.hidden(features), 0.2)
        of_class = (self.classes(features) + self.hidden_classes(hidden)).gather(1, labels[:, None])
        return (self.logit(hidden) + of_class).squeeze(1), None


@register("head", "auxiliary")
class AuxiliaryClassifier(nn.Module):
    """A logit, and a classifier whose cross-entropy both networks minimise (Odena et al. 2017, equations 2 and 3).

    The label is not an input of D; `weight` is the weight of the cross-entropy.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        normalization: Normalization,
        *,
        weight: Annotated[
            float, setting("weight of the classifier's cross-entropy, added to the adversarial loss", **limits.HEAD_WEIGHT)
        ],
    ) -> None:
        super().__init__()
        self.weight = weight
        self.logit = normalization.layer(FeatureSum(in_features, 1))
        self.classes = normalization.layer(FeatureSum(in_features, num_classes))

    def forward(self, features: Maps, labels: Labels) -> HeadOutput:
        label_losses = self.weight * F.cross_entropy(self.classes(features), labels, reduction="none")
        return self.logit(features).squeeze(1), label_losses
