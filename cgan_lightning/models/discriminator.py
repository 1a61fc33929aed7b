"""The documented discriminator: an image and a class label in, one logit out."""

from collections.abc import Callable
from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cgan_lightning.models.conditioning import LabelEncoder
from cgan_lightning.models.convolution import Convolution
from cgan_lightning.models.heads import HeadOutput, Logit
from cgan_lightning.models.layers import HalvingConvolution
from cgan_lightning.models.normalization import BATCH, BatchNorm, Normalization
from cgan_lightning.registry import Part, given, register
from cgan_lightning.utils import limits
from cgan_lightning.utils.limits import coarsest_size

Head = Callable[[int, int, Normalization], nn.Module]  # (features, classes, normalization) → (maps, labels) → HeadOutput


class ConditionalDiscriminator(nn.Module):
    """The base class of discriminators: the label as extra image channels, `blocks`, and the head."""

    conditioning: LabelEncoder
    blocks: nn.Module
    head: nn.Module

    @property
    def takes_two_batches(self) -> bool:
        """Whether two concatenated batches give the same output as two calls; with SyncBatchNorm they do not."""
        return all(isinstance(layer, BatchNorm) for layer in self.modules() if isinstance(layer, _BatchNorm))

    def with_label_losses(self, images: Float[Tensor, "batch channels size size"], labels: Int[Tensor, " batch"]) -> HeadOutput:
        """Return the logits, and the label losses of a head that classifies."""
        if self.conditioning.width:
            planes = self.conditioning(labels)[:, :, None, None].expand(-1, -1, *images.shape[2:])
            images = torch.cat([images, planes], dim=1)
        return self.head(self.blocks(images), labels)

    def forward(
        self, images: Float[Tensor, "batch channels size size"], labels: Int[Tensor, " batch"]
    ) -> Float[Tensor, " batch"]:
        return self.with_label_losses(images, labels)[0]


@register("discriminator", "documented")
class Discriminator(ConditionalDiscriminator):
    """D(x, y): the label as extra image channels, `stages` halvings, one logit (its sigmoid is P(real)).

    With 2 stages and 28 pixels: (1 + label planes, 28, 28) → (64, 14, 14) → (128, 7, 7) → 1. The output of the first
    convolution is not normalised. Raises ValueError if 2**stages does not divide the image size.
    """

    def __init__(
        self,
        *,
        conditioning: Annotated[LabelEncoder, Part("conditioning")],
        head: Annotated[Head, Part("head")] = Logit,
        normalization: Annotated[Normalization, Part("normalization")] = BATCH,
        stages: Annotated[int, given(**limits.STAGES)] = 2,
        image_size: Annotated[int, given(**limits.IMAGE_SIZE)] = 28,
        image_channels: Annotated[int, given(**limits.IMAGE_CHANNELS)] = 1,
    ) -> None:
        super().__init__()
        self.conditioning = conditioning
        blocks: list[nn.Module] = []
        inside, outside = image_channels + conditioning.width, 64
        for stage in range(stages):
            if stage == 0:
                blocks.append(normalization.layer(HalvingConvolution(inside, outside)))
            else:
                convolution = Convolution(inside, outside, kernel_size=3, stride=2, padding=1)
                blocks += [normalization.layer(convolution), normalization.maps(outside)]
            blocks.append(nn.LeakyReLU(0.2, inplace=True))
            inside, outside = outside, outside * 2
        self.blocks = nn.Sequential(*blocks)
        self.head = head(inside * coarsest_size(image_size, stages) ** 2, conditioning.num_classes, normalization)
